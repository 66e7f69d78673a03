// What can be pressed under a message, and the newer layouts that hold text
// (https://discord.com/developers/docs/components/reference).

import { el, fill, webAddress } from "./dom.js";
import { createSelect } from "./fields.js";
import { hex } from "./mention.js";
import { icon } from "./icons.js";
import { picture } from "./embed.js";
import { formatted } from "./render.js";

const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "secondary link", 6: "premium" };

/**
 * @param {{ state: any, names: any, actions: any }} context
 * @returns {Node | null} everything of a message's `components`, with what went wrong below
 */
export function components(context, message) {
    if (!message.components?.length) return null;
    const failed = el("div", { class: "failed", role: "alert", hidden: true });
    const use = async (node, customId, values) => {
        failed.hidden = true;
        node.classList.add("busy");
        node.setAttribute("aria-busy", "true");
        const error = await context.actions.component(message, customId, values);
        node.classList.remove("busy");
        node.removeAttribute("aria-busy");
        fill(failed, error ?? "");
        failed.hidden = error === null;
    };
    return el("div", { class: "components" }, ...message.components.map((of) => component(context, of, use)), failed);
}

function component(context, of, use) {
    const children = () => (of.components ?? []).map((child) => component(context, child, use));
    switch (of.type) {
        case 1:
            return el("div", { class: "row" }, ...children());
        case 2:
            return button(of, use);
        case 3:
        case 5:
        case 6:
        case 7:
        case 8: {
            const select = createSelect(context, of, (values) => use(select.node, of.custom_id, values));
            return select.node;
        }
        case 9:
            return el(
                "div",
                { class: "section" },
                el("div", {}, ...children()),
                of.accessory && component(context, of.accessory, use),
            );
        case 10:
            return formatted(context.names, of.content);
        case 11:
            return picture(of.media?.url, "embed-thumbnail", of.description ?? "");
        case 12:
            return el(
                "div",
                { class: "gallery" },
                ...(of.items ?? []).map((item) => picture(item.media?.url, "attached-picture", item.description ?? "")),
            );
        case 14:
            return el("div", { class: of.divider === false ? "gap" : "divider-line" });
        case 17: {
            const node = el("div", { class: "container" }, ...children());
            if (typeof of.accent_color === "number") node.style.setProperty("--bar", hex(of.accent_color));
            return node;
        }
        default:
            return null;
    }
}

function button(of, use) {
    const emoji = of.emoji?.name && el("span", { class: "emoji" }, of.emoji.id ? `:${of.emoji.name}:` : of.emoji.name);
    const className = `button ${STYLES[of.style] ?? "secondary"}`;
    if (of.style === 5) {
        const address = webAddress(of.url);
        const attributes = { class: className, href: address, target: "_blank", rel: "noopener noreferrer" };
        return el("a", attributes, emoji, el("span", {}, of.label ?? ""), icon("external"));
    }
    const node = el(
        "button",
        {
            type: "button",
            class: className,
            disabled: of.disabled ?? false,
            "aria-label": of.label ? null : (of.emoji?.name ?? "Button"),
            onclick: () => node.classList.contains("busy") || use(node, of.custom_id),
        },
        emoji,
        of.label && el("span", {}, of.label),
    );
    return node;
}
