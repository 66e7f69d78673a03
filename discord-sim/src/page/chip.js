// One option of a slash command while it is typed: its name, what stands there, and what Discord's client would accept
// (https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-type).

import { entities, matching } from "./choices.js";
import { el } from "./dom.js";

const [STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER] = [3, 4, 5, 6, 7, 8, 9, 10];
const KINDS = { [USER]: "user", [CHANNEL]: "channel", [ROLE]: "role", [MENTIONABLE]: "mentionable" };
const TYPES = {
    [STRING]: "text",
    [INTEGER]: "whole number",
    [BOOLEAN]: "true or false",
    [USER]: "user",
    [CHANNEL]: "channel",
    [ROLE]: "role",
    [MENTIONABLE]: "user or role",
    [NUMBER]: "number",
    11: "file",
};

export const typeName = (option) => TYPES[option.type] ?? "value";

/**
 * @param {any} option as registered
 * @param {{ onFocus: () => void, onInput: () => void, onKey: (event: KeyboardEvent) => void, onBlur: () => void }} told
 */
export function createChip(context, option, told) {
    const input = el("input", {
        type: "text",
        role: "combobox",
        "aria-expanded": "false",
        "aria-autocomplete": "list",
        "aria-label": `${option.name}, ${typeName(option)}${option.required ? ", required" : ""}`,
        "aria-required": String(option.required ?? false),
        autocomplete: "off",
        spellcheck: "false",
        size: 1,
    });
    const node = el(
        "label",
        { class: `chip ${option.required ? "needed" : ""}` },
        el("span", { class: "chip-name" }, option.name),
        input,
    );
    /** What was picked from the menu, as long as its text stands there. */
    let picked = null;

    const grow = () => (input.size = Math.max(input.value.length, 1));
    input.addEventListener("focus", told.onFocus);
    input.addEventListener("blur", told.onBlur);
    input.addEventListener("keydown", told.onKey);
    input.addEventListener("input", () => {
        picked = null;
        node.classList.remove("wrong");
        grow();
        told.onInput();
    });

    /** What can be picked without asking the bot. */
    const known = () => {
        if (option.choices?.length)
            return option.choices.map((choice) => ({ label: choice.name, value: choice.value }));
        if (option.type === BOOLEAN) return [true, false].map((value) => ({ label: value ? "True" : "False", value }));
        return KINDS[option.type]
            ? entities(context.state, context.names, KINDS[option.type], option.channel_types)
            : [];
    };

    return {
        option,
        node,
        input,
        /** Whether the bot is asked what it offers. */
        asks: option.autocomplete === true,
        /** Whether something has to be picked: what is typed is no value by itself. */
        picks: Boolean(option.choices?.length || option.type === BOOLEAN || KINDS[option.type]),
        get empty() {
            return input.value.trim() === "";
        },
        offers: () =>
            matching(known(), picked ? "" : input.value.replace(/^[@#]/, ""), (item) =>
                item.label.replace(/^[@#]/, ""),
            ),
        take(item) {
            picked = item;
            input.value = item.label;
            node.classList.remove("wrong");
            grow();
        },
        /** @returns {{ value?: unknown, error?: string }} */
        read() {
            const text = input.value.trim();
            if (text === "") return option.required ? { error: `${option.name}: this option is required` } : {};
            if (picked) return { value: picked.value };
            return this.picks ? exact(text) : written(text);
        },
        wrong: () => node.classList.add("wrong"),
    };

    /** Whoever types a whole name means it. */
    function exact(text) {
        const same = (label) => label.replace(/^[@#]/, "").toLowerCase() === text.replace(/^[@#]/, "").toLowerCase();
        const found = known().filter((item) => same(item.label));
        return found.length === 1
            ? { value: found[0].value }
            : { error: `${option.name}: choose one of what is offered` };
    }

    function written(text) {
        if (option.type === STRING) return { value: text };
        if (option.type === 11) return { error: `${option.name}: files cannot be attached on this page` };
        const number = Number(text);
        const fits = option.type === INTEGER ? Number.isSafeInteger(number) : Number.isFinite(number);
        return fits ? { value: number } : { error: `${option.name}: ${typeName(option)} expected` };
    }
}
