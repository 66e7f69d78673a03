// The box at the bottom: a text becomes a message, a slash the list of commands.

import { matching } from "./choices.js";
import { createCommand, leaves } from "./command.js";
import { el, fill } from "./dom.js";
import { avatar } from "./avatar.js";
import { isThread } from "./icons.js";
import { createMenu } from "./menu.js";
import { SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, allows } from "./snowflake.js";

const CONTENT = 2000;
const TEXTLESS = [4, 15, 16];

export function createComposer(context, box) {
    const { state, names, api } = context;
    let command = null;
    const menu = createMenu({
        label: "Commands",
        onPick: (item) => (command ? command.pick(item) : begin(item.value)),
    });
    const hint = el("div", { class: "hint", role: "status" });
    const text = el("textarea", {
        rows: 1,
        role: "combobox",
        "aria-label": "Message",
        "aria-expanded": "false",
        "aria-autocomplete": "list",
        autocomplete: "off",
        maxlength: CONTENT,
    });
    const line = el("div", { class: "composer-line" }, text);
    box.append(menu.node, hint, line);

    const grow = () => {
        text.style.setProperty("height", "auto");
        text.style.setProperty("height", `${Math.min(text.scrollHeight, 240)}px`);
    };
    const complain = (what) => {
        fill(hint, what);
        hint.classList.toggle("wrong", what !== "");
    };

    /** The commands whose names or words begin as typed. */
    const offered = () => {
        const typed = /^\/([^\n]*)$/.exec(text.value)?.[1];
        if (typed === undefined) return null;
        const items = leaves(state.frame?.commands ?? []).map((leaf) => ({
            label: `/${leaf.name}`,
            detail: leaf.description,
            aside: state.frame.bot.username,
            picture: avatar(state.frame.bot, "small"),
            value: leaf,
        }));
        const found = matching(items, typed, (item) => item.label.slice(1));
        // Whoever typed on after a whole name has chosen it.
        const whole = found.find((item) => typed.startsWith(`${item.value.name} `));
        return { found, whole };
    };
    const offer = () => {
        complain("");
        const offers = offered();
        if (!offers) return menu.hide();
        if (offers.whole) return begin(offers.whole.value);
        const note = offers.found.length > 0 ? "" : "No commands match, or none that you may use here";
        menu.show(text, offers.found, { heading: "Commands", note });
    };

    function begin(leaf) {
        text.value = "";
        grow();
        menu.hide();
        command = createCommand(context, leaf, { menu, hint, onLeave: end });
        fill(line, command.node);
        command.focus();
    }

    function end() {
        if (!command) return;
        command = null;
        menu.hide();
        complain("");
        fill(line, text);
        text.focus();
    }

    async function send() {
        const content = text.value.trim();
        if (content === "") return;
        if (content.startsWith("/"))
            return complain(`There is no command ${content.split(/\s/)[0]} that you may use here.`);
        text.value = "";
        grow();
        try {
            await api.say(content);
        } catch (error) {
            // Nothing that was written is lost.
            text.value = text.value === "" ? content : text.value;
            grow();
            complain(error.message);
        }
    }

    text.addEventListener("input", () => {
        grow();
        offer();
    });
    text.addEventListener("blur", () => menu.hide());
    text.addEventListener("focus", () => text.value.startsWith("/") && offer());
    text.addEventListener("keydown", (event) => {
        if (menu.open && (event.key === "ArrowDown" || event.key === "ArrowUp"))
            menu.move(event.key === "ArrowDown" ? 1 : -1);
        else if (menu.open && event.key === "Escape") menu.hide();
        else if (menu.open && menu.active && (event.key === "Enter" || event.key === "Tab")) begin(menu.active.value);
        else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
        else return;
        event.preventDefault();
    });

    let place = "";
    state.on("frame", () => {
        const { view } = state.frame;
        const channel = names.channel(view.channel);
        const here = `${view.channel} ${view.user}`;
        // Another place or person: what was begun there is theirs.
        if (place !== "" && here !== place) end();
        place = here;
        const needed = channel && isThread(channel) ? SEND_MESSAGES_IN_THREADS : SEND_MESSAGES;
        const may = Boolean(channel) && !TEXTLESS.includes(channel.type) && allows(channel.permissions, needed);
        text.disabled = !may;
        text.placeholder = !channel
            ? ""
            : may
              ? `Message #${channel.name}`
              : "You do not have permission to send messages in this channel.";
    });
    return { focus: () => (command ? command.focus() : text.focus()) };
}
