// Attached files: pictures, texts with a preview, anything else by name and size.

import { el, fill } from "./dom.js";
import { ownPath, picture } from "./embed.js";
import { size } from "./format.js";
import { icon } from "./icons.js";

const TEXT = /\.(?:txt|log|md|csv|json|ya?ml|toml|xml|ini|cfg|rs|js|ts|py|cs)$/i;
const PICTURE = /^image\/(?:png|jpeg|gif|webp)$/;
/** How much of a text is shown at once, and how many lines before it is opened. */
const PREVIEW = 50_000;
const LINES = 6;

export function attachment(file) {
    const own = ownPath(file.url);
    const type = String(file.content_type ?? "");
    if (own && PICTURE.test(type)) return picture(file.url, "attached-picture", file.description ?? file.filename);
    const node = el("div", { class: "attachment" });
    if (own && (TEXT.test(file.filename) || type.startsWith("text/"))) node.append(preview(own));
    const name = own ? el("a", { href: own, download: file.filename }, file.filename) : el("span", {}, file.filename);
    const about = el(
        "div",
        { class: "about" },
        el("div", { class: "name" }, name),
        el("div", { class: "size" }, size(file.size)),
    );
    const row = el("div", { class: "attachment-row" }, icon("file"), about);
    if (own) {
        const label = `Download ${file.filename}`;
        row.append(
            el(
                "a",
                { class: "icon-button", href: own, download: file.filename, "aria-label": label, title: "Download" },
                icon("download"),
            ),
        );
    }
    node.append(row);
    return node;
}

/** The beginning of a text, which opens to more of it. */
function preview(path) {
    const text = el("pre", { class: "preview" }, el("code", {}, "…"));
    const open = el(
        "button",
        { type: "button", class: "expand", hidden: true, "aria-expanded": "false" },
        icon("chevron"),
        el("span", {}, "Expand"),
    );
    const load = async () => {
        const response = await fetch(path);
        const whole = response.ok ? (await response.text()).slice(0, PREVIEW) : "This file is no longer available.";
        const short = whole.split("\n").slice(0, LINES).join("\n");
        fill(text.firstChild, short);
        open.hidden = short === whole.trimEnd();
        open.addEventListener("click", () => {
            const opened = open.getAttribute("aria-expanded") !== "true";
            open.setAttribute("aria-expanded", String(opened));
            fill(open.lastChild, opened ? "Collapse" : "Expand");
            fill(text.firstChild, opened ? whole : short);
        });
    };
    load().catch(() => fill(text.firstChild, "This file could not be read."));
    return el("div", {}, text, open);
}
