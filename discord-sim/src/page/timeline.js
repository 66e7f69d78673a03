// The messages of a channel: kept in step with the state, by id, without touching what did not change.

import { avatar } from "./avatar.js";
import { el, fill } from "./dom.js";
import { dayOf, longDay } from "./format.js";
import { channelIcon, isThread } from "./icons.js";
import { isEphemeral, isLoading, renderMessage, thinking, whisper } from "./message.js";
import { compare, madeAt } from "./snowflake.js";

/** Messages of one author this close together share an author line. */
const TOGETHER = 7 * 60_000;
/** So near to its end the timeline follows what comes. */
const NEAR = 60;

export function createTimeline(context, { box, present, loadOlder }) {
    const { state, names } = context;
    /** @type {Map<string, { node: HTMLElement, key: string, message: any }>} */
    let drawn = new Map();
    let channel = null;
    let known = null;
    /** The last message that was drawn. */
    let newest = "";
    let unseen = 0;
    let loading = false;
    const head = el("div", { class: "beginning" });
    const list = el("div", { class: "messages" });
    const tail = el("div", { class: "tail" });
    box.append(head, list, tail);

    const isAtEnd = () => box.scrollHeight - box.scrollTop - box.clientHeight < NEAR;
    const toEnd = () => (box.scrollTop = box.scrollHeight);

    const update = () => {
        const frame = state.frame;
        if (!frame) return;
        const moved = channel !== frame.view.channel;
        // Names and colours are part of every message.
        if (known !== frame.guild) drawn = new Map();
        [channel, known] = [frame.view.channel, frame.guild];
        if (moved) [unseen, newest] = [0, ""];
        const follow = moved || state.atEnd;
        const before = box.scrollHeight - box.scrollTop;
        const first = list.querySelector("[data-id]")?.dataset.id;
        const added = draw();
        if (follow) toEnd();
        else if (!state.order.includes(first) || list.querySelector("[data-id]")?.dataset.id !== first)
            box.scrollTop = box.scrollHeight - before;
        if (!follow) unseen += added;
        drawPresent();
        if (follow && !document.hidden) state.markRead();
    };

    /** Gives how many messages came at the end. */
    function draw() {
        drawHead();
        const next = new Map();
        const nodes = [];
        let last = null;
        let added = 0;
        for (const id of state.order) {
            const message = state.messages.get(id);
            if (!message || (isEphemeral(message) && state.dismissed.has(id))) continue;
            const at = madeAt(id);
            const newDay = !last || dayOf(last.at) !== dayOf(at);
            if (newDay) nodes.push(divider(at));
            const follows = !newDay && belongs(message, at, last);
            const old = drawn.get(id);
            const key = String(follows);
            const entry =
                old && old.message === message && old.key === key
                    ? old
                    : { node: renderMessage(context, message, follows), key, message };
            if (newest !== "" && compare(id, newest) > 0) added++;
            next.set(id, entry);
            nodes.push(entry.node);
            last = { message, at };
        }
        newest = last?.message.id ?? newest;
        drawn = next;
        reconcile(nodes);
        drawTail();
        return added;
    }

    const dividers = new Map();
    function divider(at) {
        const day = dayOf(at);
        if (!dividers.has(day))
            dividers.set(day, el("div", { class: "day", role: "separator" }, el("span", {}, longDay(at))));
        return dividers.get(day);
    }

    /** Moves nothing that stands right: what has the focus keeps it. */
    function reconcile(nodes) {
        const wanted = new Set(nodes);
        for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
        let at = list.firstChild;
        for (const node of nodes) {
            if (at === node) at = at.nextSibling;
            else list.insertBefore(node, at);
        }
    }

    function drawHead() {
        const of = names.channel(channel);
        head.hidden = state.more || !of;
        if (!of || head.dataset.of === `${of.id}${of.name}`) return;
        head.dataset.of = `${of.id}${of.name}`;
        const thread = isThread(of);
        fill(
            head,
            el("div", { class: "beginning-icon" }, channelIcon(of)),
            el("h1", {}, thread ? of.name : `Welcome to #${of.name}!`),
            el("p", {}, thread ? "This is the start of the thread." : `This is the start of the #${of.name} channel.`),
        );
    }

    /** Answers on their way, and those that never came. */
    function drawTail() {
        const { bot } = state.frame;
        const me = names.member(names.me())?.user;
        const mine = [...state.messages.values()].filter(
            (of) => isLoading(of) && of.interaction_metadata?.user?.id === names.me(),
        ).length;
        const waiting = state.pending.filter((entry) => !entry.error);
        const failed = state.pending.filter((entry) => entry.error);
        const rows = [
            ...waiting.slice(mine).map((entry) => answer(bot, me, entry.name, thinking("Sending command…"))),
            ...failed.map((entry) =>
                answer(
                    bot,
                    me,
                    entry.name,
                    el("span", { class: "error", role: "alert" }, entry.error),
                    whisper(() => state.drop(entry)),
                ),
            ),
        ];
        fill(tail, ...rows);
    }

    function answer(bot, user, name, text, after) {
        const command = name && el("span", { class: "mention" }, `/${name}`);
        return el(
            "article",
            { class: "message begins ephemeral" },
            user &&
                el(
                    "div",
                    { class: "reference" },
                    el("span", { class: "spine" }),
                    avatar(user, "tiny"),
                    el("strong", {}, names.of(user)),
                    " used ",
                    command ?? "a command",
                ),
            el(
                "div",
                { class: "message-main" },
                el("div", { class: "side" }, avatar(bot)),
                el(
                    "div",
                    { class: "message-body" },
                    el(
                        "div",
                        { class: "byline" },
                        el("span", { class: "author" }, names.of(bot)),
                        el("span", { class: "tag" }, "APP"),
                    ),
                    text,
                    after,
                ),
            ),
        );
    }

    function drawPresent() {
        present.hidden = state.atEnd;
        const text =
            unseen > 0 ? `${unseen} new ${unseen === 1 ? "message" : "messages"}` : "You are viewing older messages";
        fill(present, el("span", {}, text), el("span", {}, "Jump to present"));
    }

    box.addEventListener(
        "scroll",
        async () => {
            state.atEnd = isAtEnd();
            if (state.atEnd) unseen = 0;
            drawPresent();
            if (state.atEnd) state.markRead();
            if (box.scrollTop > 400 || !state.more || loading) return;
            loading = true;
            await loadOlder();
            loading = false;
        },
        { passive: true },
    );
    present.addEventListener("click", toEnd);
    document.addEventListener("visibilitychange", () => !document.hidden && state.atEnd && state.markRead());
    // What loads late, as a picture does, must not push the end out of sight.
    new ResizeObserver(() => state.atEnd && toEnd()).observe(list);
    new ResizeObserver(() => state.atEnd && toEnd()).observe(box);
    state.on("messages", update);
    state.on("pending", () => {
        if (!state.frame) return;
        drawTail();
        if (state.atEnd) toEnd();
    });
}

/** Whether a message stands under the author line of the one before. */
function belongs(message, at, last) {
    if (!last) return false;
    const { message: before } = last;
    const same =
        before.author.id === message.author.id &&
        before.author.username === message.author.username &&
        isEphemeral(before) === isEphemeral(message);
    return (
        same &&
        at - last.at < TOGETHER &&
        !message.message_reference &&
        !message.interaction_metadata &&
        (message.type ?? 0) === 0
    );
}
