// The markdown tree as elements. Whatever was written becomes a text node, an address only of the web.

import { el, link, webAddress } from "./dom.js";
import { ago, full, moment } from "./format.js";
import { inline } from "./inline.js";
import { markdown } from "./markdown.js";
import { mention } from "./mention.js";

const TAGS = { strong: "strong", emphasis: "em", underline: "u", strike: "s" };
const ONLY_EMOJI =
    /^(?:\s*(?:\p{Extended_Pictographic}[\u{1F3FB}-\u{1F3FF}\uFE0F]?(?:\u200D\p{Extended_Pictographic}\uFE0F?)*|\p{RI}\p{RI})){1,27}\s*$/u;

/**
 * A text with everything Discord shows in a message or in an embed's description.
 * @param {ReturnType<typeof import("./mention.js").createNames>} names
 * @returns {HTMLElement}
 */
export function formatted(names, text, attributes = {}) {
    const jumbo = ONLY_EMOJI.test(text) ? " jumbo" : "";
    const node = el("div", { ...attributes, class: `markup ${attributes.class ?? ""}${jumbo}` });
    node.append(...markdown(String(text)).map((block) => renderBlock(names, block)));
    return node;
}

/** A line, as in an embed's title or the name of a field. */
export const formattedLine = (names, text, tag = "span", attributes = {}) => {
    const node = el(tag, { ...attributes, class: `markup ${attributes.class ?? ""}` });
    node.append(...renderAll(names, inline(String(text))));
    return node;
};

function renderBlock(names, block) {
    const children = () => renderAll(names, block.children);
    switch (block.type) {
        case "block":
            return el("pre", {}, el("code", { "data-language": block.language || null }, block.text));
        case "heading":
            return el(
                "div",
                { role: "heading", "aria-level": block.level + 2, class: `h${block.level}` },
                ...children(),
            );
        case "small":
            return el("small", {}, ...children());
        case "quote":
            return el("blockquote", {}, ...block.children.map((of) => renderBlock(names, of)));
        case "list":
            return renderList(names, block);
        default:
            return el("span", {}, ...children());
    }
}

function renderList(names, list) {
    const items = list.items.map((item) =>
        el("li", {}, ...renderAll(names, item.children), item.nested && renderList(names, item.nested)),
    );
    return list.start === null ? el("ul", {}, ...items) : el("ol", { start: list.start }, ...items);
}

const renderAll = (names, nodes) => nodes.map((node) => renderInline(names, node));

function renderInline(names, node) {
    switch (node.type) {
        case "text":
            return node.text;
        case "code":
            return el("code", {}, node.text);
        case "emoji":
            return el("span", { class: "emoji" }, node.text);
        case "mention":
            return mention(names, node.kind, node.id);
        case "time":
            return renderTime(node);
        case "spoiler":
            return renderSpoiler(renderAll(names, node.children));
        case "link": {
            const address = webAddress(node.url);
            return address ? link(address, ...renderAll(names, node.children)) : node.url;
        }
        default:
            return el(TAGS[node.type], {}, ...renderAll(names, node.children));
    }
}

function renderTime({ at, style }) {
    if (Number.isNaN(new Date(at).getTime())) return "Invalid Date";
    const ticks = style === "R" ? { "data-at": at } : {};
    return el("time", { ...ticks, title: full(at) }, moment(at, style));
}

/** Keeps every `<t:…:R>` of the page true. */
export function tick() {
    setInterval(() => {
        const now = Date.now();
        for (const node of document.querySelectorAll("time[data-at]")) {
            const text = ago(Number(node.dataset.at), now);
            if (node.textContent !== text) node.textContent = text;
        }
    }, 1000);
}

function renderSpoiler(children) {
    const node = el("span", {
        class: "spoiler",
        role: "button",
        tabindex: "0",
        "aria-label": "Spoiler",
        "aria-expanded": "false",
    });
    const inner = el("span", { "aria-hidden": "true" }, ...children);
    const reveal = (event) => {
        if (node.classList.contains("shown")) return;
        event.preventDefault();
        node.classList.add("shown");
        node.setAttribute("aria-expanded", "true");
        node.removeAttribute("aria-label");
        inner.removeAttribute("aria-hidden");
    };
    node.addEventListener("click", reveal);
    node.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && reveal(event));
    node.append(inner);
    return node;
}
