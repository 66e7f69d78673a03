// The channels of a guild: by category, with their threads, and what is unread in them.

import { el, fill } from "./dom.js";
import { channelIcon, icon, isThread } from "./icons.js";
import { address } from "./route.js";
import { compare } from "./snowflake.js";

const CATEGORY = 4;
const VOICE = [2, 13];

const inOrder = (one, other) =>
    Number(VOICE.includes(one.type)) - Number(VOICE.includes(other.type)) ||
    (one.position ?? 0) - (other.position ?? 0) ||
    compare(one.id, other.id);

export function createChannels({ state }, { title, list }) {
    /** Categories that were closed. */
    const closed = new Set();

    const update = () => {
        const { guild, view } = state.frame ?? {};
        if (!guild) return fill(list, el("p", { class: "nothing" }, "There is no server yet."));
        fill(title, el("span", {}, guild.name));
        const of = (parent) =>
            guild.channels
                .filter((channel) => (channel.parent_id ?? null) === parent && !isThread(channel))
                .sort(inOrder);
        const top = of(null);
        const rows = top
            .filter((channel) => channel.type !== CATEGORY)
            .flatMap((channel) => withThreads(channel, guild, view));
        for (const category of top.filter((channel) => channel.type === CATEGORY)) {
            rows.push(categoryRow(category));
            const inside = of(category.id);
            const shown = closed.has(category.id)
                ? inside.filter((channel) => channel.id === view.channel || isUnread(channel))
                : inside;
            rows.push(...shown.flatMap((channel) => withThreads(channel, guild, view)));
        }
        fill(list, ...rows);
    };

    function categoryRow(category) {
        const open = !closed.has(category.id);
        const toggle = () => {
            if (open) closed.add(category.id);
            else closed.delete(category.id);
            update();
        };
        return el(
            "button",
            { type: "button", class: "category", "aria-expanded": String(open), onclick: toggle },
            icon("chevron"),
            el("span", {}, category.name),
        );
    }

    function withThreads(channel, guild, view) {
        const threads = guild.channels.filter(
            (thread) => thread.parent_id === channel.id && isThread(thread) && !thread.thread_metadata?.archived,
        );
        return [
            row(channel, view),
            ...threads.sort((one, other) => compare(other.id, one.id)).map((thread) => row(thread, view, "thread")),
        ];
    }

    const isUnread = (channel) => {
        const news = state.news.get(channel.id);
        return Boolean(news && news.newest !== news.read);
    };

    function row(channel, view, more = "") {
        const mentions = state.news.get(channel.id)?.mentions ?? 0;
        const unread = isUnread(channel) && channel.id !== view.channel;
        const classes = ["channel", more];
        if (channel.id === view.channel) classes.push("selected");
        if (unread) classes.push("unread");
        return el(
            "a",
            {
                class: classes.join(" "),
                href: address(view.guild, channel.id),
                "aria-current": channel.id === view.channel ? "page" : null,
                "aria-label": unread ? `${channel.name}, unread` : null,
            },
            channelIcon(channel),
            el("span", { class: "name" }, channel.name),
            mentions > 0 &&
                el("span", { class: "badge", "aria-label": `${mentions} mentions` }, String(Math.min(mentions, 99))),
        );
    }

    state.on("news", update);
}
