// An embed (https://discord.com/developers/docs/resources/message#embed-object).

import { el, link, webAddress } from "./dom.js";
import { stamp } from "./format.js";
import { hex } from "./mention.js";
import { icon } from "./icons.js";
import { formatted, formattedLine } from "./render.js";

export function embed(names, of) {
    const node = el("article", { class: "embed" });
    if (typeof of.color === "number") node.style.setProperty("--bar", hex(of.color));
    const body = el("div", { class: "embed-body" });
    if (of.author?.name) body.append(el("div", { class: "embed-author" }, maybeLink(of.author.url, of.author.name)));
    if (of.title) {
        const title = formattedLine(names, of.title);
        const address = webAddress(of.url);
        body.append(el("div", { class: "embed-title" }, address ? link(address, title) : title));
    }
    if (of.description) body.append(formatted(names, of.description, { class: "embed-description" }));
    if (of.fields?.length) body.append(fields(names, of.fields));
    if (of.image?.url) body.append(picture(of.image.url, "embed-image"));
    if (of.footer?.text || of.timestamp) body.append(footer(of));
    node.append(body);
    if (of.thumbnail?.url) node.append(picture(of.thumbnail.url, "embed-thumbnail"));
    return node;
}

const maybeLink = (url, text) => {
    const address = webAddress(url);
    return address ? link(address, text) : text;
};

/** Up to three inline fields stand in a row; each that is not has one of its own. */
function fields(names, list) {
    const node = el("div", { class: "embed-fields" });
    let row = [];
    const flush = () => {
        for (const field of row) field.classList.add(`of${row.length}`);
        row = [];
    };
    for (const field of list) {
        const cell = el(
            "div",
            { class: `embed-field ${field.inline ? "inline" : ""}` },
            formattedLine(names, field.name, "div", { class: "embed-field-name" }),
            formatted(names, field.value, { class: "embed-field-value" }),
        );
        if (!field.inline || row.length === 3) flush();
        if (field.inline) row.push(cell);
        node.append(cell);
    }
    flush();
    return node;
}

function footer(of) {
    const at = Date.parse(of.timestamp ?? "");
    const when = Number.isNaN(at) ? null : stamp(at);
    return el("div", { class: "embed-footer" }, [of.footer?.text, when].filter(Boolean).join(" • "));
}

/** A picture that this simulator serves; one from elsewhere is only named, since the page loads nothing from there. */
export function picture(url, className, alt = "") {
    const own = ownPath(url);
    if (own) return el("img", { class: className, src: own, alt, loading: "lazy" });
    return el(
        "div",
        { class: `${className} placeholder`, role: "img", "aria-label": "Picture", title: String(url) },
        icon("picture"),
    );
}

/** The path of an attachment that lies here. */
export function ownPath(url) {
    const address = webAddress(url);
    if (!address) return null;
    const { pathname, hostname } = new URL(address);
    const here = ["127.0.0.1", "localhost", location.hostname].includes(hostname);
    return here && pathname.startsWith("/attachments/") ? pathname : null;
}
