// Names for ids, as one guild knows them, and the pills that stand for them in text.

import { el } from "./dom.js";
import { channelIcon } from "./icons.js";
import { address } from "./route.js";

/** Looks up what the guild in sight knows. */
export const createNames = (state) => {
    const guild = () => state.frame?.guild;
    const find = (list, id) => guild()?.[list].find((of) => of.id === id);
    const names = {
        member: (id) => guild()?.members.find((member) => member.user.id === id),
        role: (id) => find("roles", id),
        channel: (id) => find("channels", id),
        /** How a user is called here. */
        of: (user) => names.member(user.id)?.nick ?? user.global_name ?? user.username,
        /** The colour of a member's highest role that has one, as CSS has it, or nothing. */
        colour(id) {
            const roles = names.member(id)?.roles ?? [];
            const coloured = (guild()?.roles ?? []).filter((role) => roles.includes(role.id) && role.color);
            coloured.sort((one, other) => other.position - one.position);
            return coloured.length > 0 ? hex(coloured[0].color) : null;
        },
        me: () => state.frame?.view.user,
        guild: () => state.frame?.view.guild,
    };
    return names;
};

/** A number as a CSS colour. */
export const hex = (number) => `#${(Number(number) & 0xffffff).toString(16).padStart(6, "0")}`;

const pill = (text, more = {}) => el("span", { ...more, class: `mention ${more.class ?? ""}` }, text);

/**
 * @param {ReturnType<typeof createNames>} names
 * @param {"user" | "role" | "channel" | "everyone" | "command"} kind
 */
export function mention(names, kind, id) {
    if (kind === "everyone") return pill(id);
    if (kind === "command") return pill(`/${id}`);
    if (kind === "user") {
        const member = names.member(id);
        return pill(member ? `@${names.of(member.user)}` : "@unknown-user", { title: member?.user.username });
    }
    if (kind === "role") {
        const role = names.role(id);
        const node = pill(role ? `@${role.name.replace(/^@/, "")}` : "@deleted-role", {
            class: role?.color ? "coloured" : "",
        });
        if (role?.color) node.style.setProperty("--colour", hex(role.color));
        return node;
    }
    const channel = names.channel(id);
    if (!channel) return pill("# unknown");
    const node = el("a", { class: "mention channel", href: address(names.guild(), id) });
    node.append(channelIcon(channel), channel.name);
    return node;
}
