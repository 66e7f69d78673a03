// A list to choose from, steered from the input it belongs to: the offers above the command box, and the selects.

import { el, fill, freshId } from "./dom.js";

/**
 * @typedef {{ label: string, detail?: string, picture?: Node, aside?: string, chosen?: boolean, value: unknown }} Item
 */

/**
 * @param {{ label: string, onPick: (item: Item) => void }} options
 */
export function createMenu({ label, onPick }) {
    const id = freshId();
    const list = el("div", { role: "listbox", id, "aria-label": label, class: "menu-list scroller" });
    const title = el("div", { class: "menu-title" });
    const node = el("div", { class: "menu", hidden: true }, title, list);
    /** @type {Item[]} */
    let items = [];
    let at = -1;
    let owner = null;

    // The input keeps the focus while the mouse chooses.
    node.addEventListener("mousedown", (event) => event.preventDefault());

    const mark = () => {
        const options = [...list.querySelectorAll("[role=option]")];
        options.forEach((option, index) => option.classList.toggle("active", index === at));
        options[at]?.scrollIntoView({ block: "nearest" });
        if (at >= 0 && options[at]) owner?.setAttribute("aria-activedescendant", options[at].id);
        else owner?.removeAttribute("aria-activedescendant");
    };

    const row = (item, index) => {
        const text = el("span", { class: "menu-text" }, el("span", { class: "menu-label" }, item.label));
        if (item.detail) text.append(el("span", { class: "menu-detail" }, item.detail));
        return el(
            "div",
            {
                role: "option",
                id: freshId(),
                class: `menu-item ${item.chosen ? "chosen" : ""}`,
                "aria-selected": String(item.chosen ?? false),
                onclick: () => onPick(item),
                onmousemove: () => index !== at && ((at = index), mark()),
            },
            item.picture,
            text,
            item.aside && el("span", { class: "menu-aside" }, item.aside),
        );
    };

    return {
        node,
        get open() {
            return !node.hidden;
        },
        get active() {
            return items[at];
        },
        /**
         * Shows these; the first is active unless `active` says otherwise.
         * @param {Item[]} offered
         */
        show(input, offered, { heading = "", note = "", active = 0 } = {}) {
            owner = input;
            items = offered;
            at = Math.min(active, items.length - 1);
            fill(title, heading);
            title.hidden = heading === "";
            const rows = items.map(row);
            if (note) rows.push(el("div", { class: "menu-note" }, note));
            fill(list, ...rows);
            node.hidden = rows.length === 0 && heading === "";
            owner.setAttribute("aria-controls", id);
            owner.setAttribute("aria-expanded", String(!node.hidden));
            mark();
        },
        move(by) {
            if (items.length === 0) return;
            at = (at + by + items.length) % items.length;
            mark();
        },
        hide() {
            node.hidden = true;
            items = [];
            at = -1;
            owner?.setAttribute("aria-expanded", "false");
            owner?.removeAttribute("aria-activedescendant");
        },
    };
}
