// Selects: of texts and of people, roles, channels. The same ones stand under messages and in modals.

import { entities, matching } from "./choices.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { createMenu } from "./menu.js";

const KINDS = { 5: "user", 6: "role", 7: "mentionable", 8: "channel" };

function itemsOf(context, select) {
    if (select.type !== 3) return entities(context.state, context.names, KINDS[select.type], select.channel_types);
    return (select.options ?? []).map((option) => ({
        label: option.label,
        detail: option.description ?? undefined,
        picture: option.emoji?.name && !option.emoji.id ? el("span", { class: "emoji" }, option.emoji.name) : undefined,
        value: option.value,
    }));
}

/** What is chosen before anyone chose. */
const defaults = (select) =>
    select.type === 3
        ? (select.options ?? []).filter((option) => option.default).map((option) => option.value)
        : (select.default_values ?? []).map((value) => value.id);

/**
 * A select. With one value it closes when that is chosen; with more, when it is left.
 * @param {(values: string[]) => void} onChosen is told once it closes with other values than before
 */
export function createSelect(context, select, onChosen) {
    const most = select.max_values ?? 1;
    const least = select.min_values ?? 1;
    let values = defaults(select);
    let before = values;
    const label = select.placeholder || "Make a selection";
    const shown = el("span", { class: "select-shown" });
    const input = el("input", {
        class: "select-input",
        type: "text",
        role: "combobox",
        "aria-expanded": "false",
        "aria-label": label,
        autocomplete: "off",
        spellcheck: "false",
        disabled: select.disabled ?? false,
    });
    const menu = createMenu({ label, onPick: pick });
    const node = el(
        "div",
        { class: `select ${select.disabled ? "disabled" : ""}` },
        el("div", { class: "select-box" }, shown, input, icon("chevron")),
        menu.node,
    );

    const show = () => {
        const chosen = itemsOf(context, select).filter((item) => values.includes(item.value));
        const pills = chosen.map((item) => el("span", { class: most > 1 ? "select-pill" : "" }, item.label));
        fill(shown, ...pills);
        shown.hidden = chosen.length === 0;
        input.placeholder = chosen.length === 0 ? label : "";
    };
    const offer = (active = 0) => {
        const items = itemsOf(context, select).map((item) => ({ ...item, chosen: values.includes(item.value) }));
        const range = least === most ? `${most}` : `${least} to ${most}`;
        const found = matching(items, input.value);
        menu.show(input, found, {
            active,
            heading: most > 1 ? `Choose ${range}` : "",
            note: found.length ? "" : "Nothing found",
        });
        // Under the last message it would open out of sight.
        menu.node.scrollIntoView({ block: "nearest" });
    };
    const close = () => {
        if (!menu.open) return;
        menu.hide();
        input.value = "";
        show();
        if (values.join() === before.join() || values.length < least) {
            values = values.length < least ? before : values;
            show();
            return;
        }
        before = values;
        onChosen(values);
    };
    function pick(item) {
        if (most === 1) {
            values = [item.value];
            // What is chosen once more is sent once more, as Discord does.
            before = [];
            close();
            return;
        }
        const has = values.includes(item.value);
        if (!has && values.length >= most) return;
        values = has ? values.filter((value) => value !== item.value) : [...values, item.value];
        const at = itemsOf(context, select).findIndex((other) => other.value === item.value);
        offer(input.value ? 0 : at);
        show();
    }

    input.addEventListener("focus", () => offer());
    input.addEventListener("click", () => menu.open || offer());
    input.addEventListener("input", () => offer());
    input.addEventListener("blur", close);
    input.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            if (!menu.open) offer();
            else menu.move(event.key === "ArrowDown" ? 1 : -1);
        } else if (event.key === "Enter" && menu.active) pick(menu.active);
        else if (event.key === "Escape") {
            if (!menu.open) return;
            values = before;
            close();
        } else return;
        event.preventDefault();
        event.stopPropagation();
    });
    node.firstChild.addEventListener("mousedown", (event) => {
        if (event.target === input || select.disabled) return;
        event.preventDefault();
        if (document.activeElement === input && menu.open) close();
        else if (document.activeElement === input) offer();
        else input.focus();
    });
    show();
    return { node, values: () => values };
}
