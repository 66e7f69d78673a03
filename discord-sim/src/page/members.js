// The people of the guild, and the bot with whether it is connected.

import { avatar } from "./avatar.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";

export function createMembers({ state, names }, aside) {
    state.on("frame", () => {
        const { guild, bot, connected } = state.frame;
        if (!guild) return fill(aside);
        const online = guild.members.filter(({ user }) => user.id !== bot.id || connected);
        const offline = guild.members.filter((member) => !online.includes(member));
        fill(aside, ...group("Online", online), ...group("Offline", offline));
    });

    function group(title, members) {
        if (members.length === 0) return [];
        const named = members.map(({ user }) => ({ user, name: names.of(user) }));
        named.sort((one, other) => one.name.localeCompare(other.name));
        return [
            el("h2", {}, `${title} — ${members.length}`),
            ...named.map(({ user, name }) => row(user, name, title === "Online")),
        ];
    }

    function row(user, name, online) {
        const text = el("span", { class: "name" }, name);
        const colour = names.colour(user.id);
        if (colour) text.style.setProperty("color", colour);
        const owner = state.frame.guild.owner === user.id;
        return el(
            "div",
            { class: `member ${online ? "" : "offline"}` },
            el("span", { class: `presence ${online ? "online" : ""}` }, avatar(user)),
            text,
            user.bot && el("span", { class: "tag" }, "APP"),
            owner && el("span", { class: "crown", title: "Server owner" }, icon("crown")),
        );
    }
}
