// One message of the timeline.

import { attachment } from "./attachment.js";
import { avatar } from "./avatar.js";
import { components } from "./components.js";
import { el } from "./dom.js";
import { embed } from "./embed.js";
import { full, stamp, time } from "./format.js";
import { icon } from "./icons.js";
import { formatted, formattedLine } from "./render.js";
import { madeAt } from "./snowflake.js";

const EPHEMERAL = 1 << 6;
const LOADING = 1 << 7;
const SUPPRESS_EMBEDS = 1 << 2;

/** What Discord says for a message that nobody wrote. */
const SYSTEM = { 6: "pinned a message to this channel.", 7: "joined the server.", 18: "started a thread." };

export const isEphemeral = (message) => (message.flags & EPHEMERAL) !== 0;

/**
 * @param {{ state: any, names: any, actions: any }} context
 * @param {boolean} follows whether the author line above is this message's too
 */
export function renderMessage(context, message, follows) {
    const { names } = context;
    const at = Date.parse(message.timestamp) || madeAt(message.id);
    const classes = ["message"];
    if (!follows) classes.push("begins");
    if (isEphemeral(message)) classes.push("ephemeral");
    if (message.notifies) classes.push("notifies");
    const node = el("article", {
        class: classes.join(" "),
        "data-id": message.id,
        "aria-label": `${names.of(message.author)}, ${stamp(at)}`,
    });
    if (!follows) node.append(...above(context, message));
    const side = follows ? el("time", { class: "side-time", title: full(at) }, time(at)) : avatar(message.author);
    const body = el("div", { class: "message-body" });
    if (!follows) body.append(byline(names, message, at));
    body.append(...content(context, message));
    node.append(el("div", { class: "message-main" }, el("div", { class: "side" }, side), body));
    return node;
}

function byline(names, message, at) {
    const name = el("span", { class: "author" }, names.of(message.author));
    const colour = names.colour(message.author.id);
    if (colour) name.style.setProperty("color", colour);
    return el(
        "div",
        { class: "byline" },
        name,
        (message.author.bot || message.webhook_id) && el("span", { class: "tag" }, "APP"),
        el("time", { class: "stamp", title: full(at), datetime: new Date(at).toISOString() }, stamp(at)),
        message.pinned &&
            el(
                "span",
                { class: "pinned", title: "Pinned" },
                icon("pin"),
                el("span", { class: "hidden-text" }, "Pinned"),
            ),
    );
}

/** The line that says what this message answers. */
function above({ names, state }, message) {
    const used = message.interaction_metadata;
    const name = message.interaction?.name ?? used?.name;
    if (used?.user && used.type === 2) {
        return [
            reference(
                avatar(used.user, "tiny"),
                el("strong", {}, names.of(used.user)),
                " used ",
                el("span", { class: "mention" }, icon("slash"), name ?? "a command"),
            ),
        ];
    }
    const id = message.message_reference?.type !== 1 && message.message_reference?.message_id;
    if (!id) return [];
    const other = message.referenced_message ?? state.messages.get(id);
    if (!other) return [reference(el("em", {}, "Original message was deleted"))];
    const text = other.content
        ? formattedLine(names, other.content.split("\n")[0].slice(0, 200))
        : el("em", {}, "Click to see attachment");
    const jump = el("button", { type: "button", class: "jump", onclick: () => jumpTo(id) }, text);
    return [reference(avatar(other.author, "tiny"), el("strong", {}, `@${names.of(other.author)}`), " ", jump)];
}

const reference = (...children) =>
    el("div", { class: "reference" }, el("span", { class: "spine", "aria-hidden": "true" }), ...children);

function jumpTo(id) {
    const node = document.querySelector(`[data-id="${id}"]`);
    node?.scrollIntoView({ block: "center" });
    node?.classList.add("found");
    setTimeout(() => node?.classList.remove("found"), 2000);
}

function content(context, message) {
    const { names, state } = context;
    const parts = [];
    const edited = () => el("span", { class: "edited", title: full(Date.parse(message.edited_timestamp)) }, "(edited)");
    if (isLoading(message)) parts.push(thinking(`${names.of(message.author)} is thinking…`));
    if (SYSTEM[message.type]) parts.push(el("div", { class: "system" }, SYSTEM[message.type]));
    if (message.content) {
        const text = formatted(names, message.content, { class: "content" });
        if (message.edited_timestamp) text.append(" ", edited());
        parts.push(text);
    }
    for (const { message: forwarded } of message.message_snapshots ?? []) {
        parts.push(el("div", { class: "forwarded" }, el("em", {}, "Forwarded"), ...content(context, forwarded)));
    }
    if ((message.flags & SUPPRESS_EMBEDS) === 0) parts.push(...(message.embeds ?? []).map((of) => embed(names, of)));
    parts.push(...(message.attachments ?? []).map((file) => attachment(file)));
    const pressed = components(context, message);
    if (pressed) parts.push(pressed);
    if (!message.content && message.edited_timestamp) parts.push(edited());
    if (message.reactions?.length) parts.push(reactions(message.reactions));
    if (message.thread)
        parts.push(
            el(
                "a",
                { class: "thread-card", href: `#/channels/${names.guild()}/${message.thread.id}` },
                icon("thread"),
                message.thread.name,
            ),
        );
    if (isEphemeral(message)) {
        parts.push(whisper(() => state.dismiss(message.id)));
    }
    return parts;
}

/** A deferred answer that is still to come. */
export const isLoading = (message) => (message.flags & LOADING) !== 0;

export const thinking = (text) =>
    el(
        "span",
        { class: "thinking" },
        el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i")),
        text,
    );

/** Below what nobody else sees. */
export const whisper = (dismiss) =>
    el(
        "div",
        { class: "whisper" },
        icon("eye"),
        "Only you can see this • ",
        el("button", { type: "button", class: "text-button", onclick: dismiss }, "Dismiss message"),
    );

const reactions = (list) =>
    el(
        "div",
        { class: "reactions" },
        ...list.map(({ emoji, count }) => {
            const name = emoji.id ? `:${emoji.name}:` : emoji.name;
            return el(
                "span",
                { class: "reaction", title: `${count} reacted with ${name}` },
                el("span", { class: "emoji" }, name),
                el("span", {}, String(count)),
            );
        }),
    );
