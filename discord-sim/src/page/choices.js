// What can be chosen: people, roles and channels of the guild in sight, as a menu shows them.

import { avatar } from "./avatar.js";
import { el } from "./dom.js";
import { channelIcon } from "./icons.js";
import { hex } from "./mention.js";

const MOST = 50;

/** How well a text fits what is typed: at its beginning, somewhere, or not at all. */
function fit(text, typed) {
    const at = text.toLowerCase().indexOf(typed.toLowerCase().trim());
    return at < 0 ? -1 : at === 0 ? 0 : 1;
}

/** Those that fit, best first, not more than a menu should hold. */
export function matching(items, typed, text = (item) => item.label) {
    return items
        .map((item) => [fit(text(item), typed), item])
        .filter(([how]) => how >= 0)
        .sort(([one], [other]) => one - other)
        .slice(0, MOST)
        .map(([, item]) => item);
}

const users = (state, names) =>
    (state.frame?.guild?.members ?? []).map(({ user }) => ({
        label: names.of(user),
        aside: user.username,
        picture: avatar(user, "small"),
        value: user.id,
    }));

function roles(state) {
    return (state.frame?.guild?.roles ?? []).map((role) => {
        const picture = el("span", { class: "role-dot" });
        if (role.color) picture.style.setProperty("--colour", hex(role.color));
        return { label: `@${role.name.replace(/^@/, "")}`, picture, value: role.id };
    });
}

const channels = (state, types) =>
    (state.frame?.guild?.channels ?? [])
        .filter((channel) => !types?.length || types.includes(channel.type))
        .map((channel) => ({ label: channel.name, picture: channelIcon(channel), value: channel.id }));

/** Everything of one of Discord's kinds: `user`, `role`, `mentionable`, `channel`. */
export function entities(state, names, kind, channelTypes) {
    switch (kind) {
        case "user":
            return users(state, names);
        case "role":
            return roles(state);
        case "mentionable":
            return [...users(state, names), ...roles(state)];
        default:
            return channels(state, channelTypes);
    }
}
