// Making elements. Text only ever becomes text nodes, so that nothing a player wrote is markup.

/**
 * Makes an element.
 * @param {string} tag
 * @param {Record<string, unknown>} [attributes] `on…` are listeners, `class` and others attributes; `null`, `undefined`
 *   and `false` leave one out
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
        else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
    return node;
}

/** Replaces everything inside of an element. */
export function fill(node, ...children) {
    node.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
}

let counted = 0;

/** An id for an element that another refers to. */
export const freshId = () => `e${++counted}`;

/**
 * An address that may stand in a link: of the web, and nothing that runs.
 * @param {unknown} text
 * @returns {string | null}
 */
export function webAddress(text) {
    try {
        const url = new URL(String(text));
        return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
    } catch {
        return null;
    }
}

/** A link that leaves this page alone. */
export const link = (address, ...children) =>
    el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
