// A slash command being filled in: its options as chips, offers above them, and what it takes to send it.

import { createChip, typeName } from "./chip.js";
import { el, fill } from "./dom.js";

/** How long typing rests before the bot is asked for choices. */
const REST = 200;

/**
 * The commands as a person finds them: each sub-command by its whole name.
 * @param {any[]} registered
 * @returns {{ name: string, description: string, options: any[] }[]}
 */
export function leaves(registered) {
    const walk = (of, path) => {
        const nested = (of.options ?? []).filter((option) => option.type <= 2);
        const name = [...path, of.name];
        if (nested.length > 0) return nested.flatMap((option) => walk(option, name));
        return [{ name: name.join(" "), description: of.description, options: of.options ?? [] }];
    };
    return registered.flatMap((command) => walk(command, []));
}

/**
 * @param {{ name: string, description: string, options: any[] }} leaf
 * @param {{ menu: ReturnType<typeof import("./menu.js").createMenu>, hint: HTMLElement, onLeave: () => void }} place
 */
export function createCommand(context, leaf, { menu, hint, onLeave }) {
    const { api, actions } = context;
    const chips = [];
    const list = el("span", { class: "chips" });
    const more = el("input", {
        class: "more",
        type: "text",
        role: "combobox",
        "aria-label": "Further options",
        "aria-expanded": "false",
        autocomplete: "off",
        size: 10,
    });
    const node = el(
        "div",
        { class: "command", role: "group", "aria-label": `Command ${leaf.name}` },
        el("span", { class: "command-name" }, `/${leaf.name}`),
        list,
        more,
    );
    let timer = 0;
    let asked = 0;
    let sent = false;

    const left = () => leaf.options.filter((option) => !chips.some((chip) => chip.option === option));
    const refreshMore = () => {
        const count = left().length;
        more.placeholder = count > 0 ? `+${count} more` : "";
        more.setAttribute("aria-label", count > 0 ? `${count} further options` : "Press Enter to send");
    };
    const values = (besides) => {
        const read = chips.filter((chip) => chip !== besides).map((chip) => [chip.option.name, chip.read().value]);
        return Object.fromEntries(read.filter(([, value]) => value !== undefined));
    };
    const say = (option) => {
        const required = option.required ? el("span", { class: "required" }, "required") : null;
        fill(
            hint,
            el("strong", {}, option.name),
            ` ${typeName(option)} `,
            required,
            el("span", { class: "hint-text" }, option.description),
        );
        hint.classList.remove("wrong");
    };

    function add(option) {
        const chip = createChip(context, option, {
            onFocus: () => focused(chip),
            onInput: () => offer(chip),
            onBlur: () => menu.hide(),
            onKey: (event) => key(event, chip),
        });
        chips.push(chip);
        list.append(chip.node);
        refreshMore();
        return chip;
    }

    function focused(chip) {
        say(chip.option);
        offer(chip);
    }

    /** Shows what can be picked for an option; the bot is asked once typing rests. */
    function offer(chip) {
        clearTimeout(timer);
        const mine = ++asked;
        if (!chip.asks) {
            const items = chip.picks ? chip.offers() : [];
            if (!chip.picks) return menu.hide();
            return menu.show(chip.input, items, { note: items.length ? "" : "No matches" });
        }
        menu.show(chip.input, [], { note: "Loading options…" });
        timer = setTimeout(async () => {
            try {
                const choices = await api.autocomplete(leaf.name, values(chip), chip.option.name, chip.input.value);
                if (mine !== asked || document.activeElement !== chip.input) return;
                const items = choices.map((choice) => ({ label: choice.name, value: choice.value }));
                menu.show(chip.input, items, { note: items.length ? "" : "No options match your search" });
            } catch (error) {
                if (mine !== asked) return;
                const note =
                    error.kind === "no_answer" || error.kind === "not_connected"
                        ? "Loading options failed"
                        : error.message;
                menu.show(chip.input, [], { note });
            }
        }, REST);
    }

    function key(event, chip) {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") menu.move(event.key === "ArrowDown" ? 1 : -1);
        else if (event.key === "Escape") onLeave();
        else if (event.key === "Enter" || (event.key === "Tab" && !event.shiftKey && menu.active && !chip.empty)) {
            if (menu.open && menu.active) pick(menu.active);
            else send();
        } else if (event.key === "Backspace" && chip.empty) back(chip);
        else return;
        event.preventDefault();
    }

    /** Takes an item for whatever has the focus, and goes on to what is missing. */
    function pick(item) {
        const chip = chips.find((of) => of.input === document.activeElement);
        if (!chip) return add(item.value).input.focus();
        asked++;
        clearTimeout(timer);
        chip.take(item);
        menu.hide();
        const next = chips.find((of) => of.empty && of.option.required) ?? null;
        (next?.input ?? more).focus();
    }

    function back(chip) {
        const at = chips.indexOf(chip);
        if (!chip.option.required) {
            chips.splice(at, 1);
            chip.node.remove();
            refreshMore();
            (chips[at - 1]?.input ?? more).focus();
        } else if (at > 0) chips[at - 1].input.focus();
        else if (chips.every((of) => of.empty)) onLeave();
    }

    async function send() {
        if (sent) return;
        const wrong = chips.map((chip) => [chip, chip.read().error]).filter(([, error]) => error);
        wrong.forEach(([chip]) => chip.wrong());
        if (wrong.length > 0) {
            wrong[0][0].input.focus();
            menu.hide();
            fill(hint, wrong[0][1]);
            hint.classList.add("wrong");
            return;
        }
        sent = true;
        const options = values(null);
        onLeave();
        await actions.command(leaf.name, options);
    }

    more.addEventListener("focus", () => {
        fill(hint, left().length > 0 ? "Enter sends; the arrow keys choose a further option" : "Press Enter to send");
        hint.classList.remove("wrong");
        offerMore(-1);
    });
    const offerMore = (active) => {
        const items = left()
            .filter((option) => option.name.includes(more.value.trim().toLowerCase()))
            .map((option) => ({ label: option.name, detail: option.description, value: option }));
        if (items.length > 0) menu.show(more, items, { heading: "Options", active });
        else menu.hide();
    };
    more.addEventListener("input", () => offerMore(0));
    more.addEventListener("blur", () => menu.hide());
    more.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown" || event.key === "ArrowUp") menu.move(event.key === "ArrowDown" ? 1 : -1);
        else if (event.key === "Escape") onLeave();
        else if (event.key === "Enter") {
            if (menu.open && menu.active) {
                more.value = "";
                pick(menu.active);
            } else send();
        } else if (event.key === "Backspace" && more.value === "") {
            if (chips.length === 0) onLeave();
            else chips.at(-1).input.focus();
        } else return;
        event.preventDefault();
    });

    leaf.options.filter((option) => option.required).forEach(add);
    refreshMore();
    return { node, pick, focus: () => (chips[0]?.input ?? more).focus() };
}
