// Who one acts as: shown in the corner, chosen from the guild's people.

import { avatar } from "./avatar.js";
import { entities, matching } from "./choices.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { createMenu } from "./menu.js";

/**
 * @param {(user: string) => void} become
 */
export function createAccount(context, box, become) {
    const { state, names } = context;
    const button = el("button", { type: "button", class: "account", "aria-haspopup": "listbox" });
    const search = el("input", {
        type: "text",
        class: "account-search",
        role: "combobox",
        "aria-label": "Act as",
        placeholder: "Act as…",
        autocomplete: "off",
        hidden: true,
    });
    const menu = createMenu({
        label: "Act as",
        onPick(item) {
            close();
            become(item.value);
        },
    });
    box.append(menu.node, search, button);

    const people = () => {
        const bot = state.frame.bot.id;
        const me = names.me();
        const all = entities(state, names, "user").filter((item) => item.value !== bot);
        return matching(all, search.value).map((item) => ({
            ...item,
            chosen: item.value === me,
            detail: roleNames(item.value),
        }));
    };
    const roleNames = (user) => {
        const own = names.member(user)?.roles ?? [];
        const titles = own.map((id) => names.role(id)?.name).filter(Boolean);
        return state.frame.guild?.owner === user ? ["Owner", ...titles].join(", ") : titles.join(", ");
    };
    const open = () => {
        search.hidden = false;
        search.focus();
        menu.show(search, people(), { heading: "Act as" });
    };
    const close = () => {
        menu.hide();
        search.value = "";
        search.hidden = true;
    };
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => (menu.open ? close() : open()));
    search.addEventListener("input", () => menu.show(search, people(), { heading: "Act as" }));
    search.addEventListener("blur", close);
    search.addEventListener("keydown", (event) => {
        if (event.key === "ArrowDown") menu.move(1);
        else if (event.key === "ArrowUp") menu.move(-1);
        else if (event.key === "Escape") {
            close();
            button.focus();
        } else if (event.key === "Enter" && menu.active) {
            const { value } = menu.active;
            close();
            become(value);
        } else return;
        event.preventDefault();
    });

    state.on("frame", () => {
        const me = names.member(names.me())?.user;
        button.hidden = !me;
        if (!me) return;
        const name = names.of(me);
        button.setAttribute("aria-label", `You act as ${name}. Choose someone else`);
        fill(
            button,
            el("span", { class: "presence online" }, avatar(me)),
            el(
                "span",
                { class: "account-text" },
                el("span", { class: "account-name" }, name),
                el("span", { class: "account-detail" }, roleNames(me.id) || "Member"),
            ),
            icon("chevron"),
        );
    });
}
