// A modal: a form the bot asks to have filled in
// (https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal).

import { el, fill, freshId } from "./dom.js";
import { createSelect } from "./fields.js";
import { formatted } from "./render.js";

/**
 * @param {{ state: any, names: any, actions: any }} context
 * @param {any} reply with the modal's data in `raw`, and the message whose component opened it
 */
export function openModal(context, reply) {
    const modal = reply.raw;
    const inputs = new Map();
    const titled = freshId();
    const error = el("div", { class: "modal-error", role: "alert", hidden: true });
    const send = el("button", { type: "submit", class: "button primary" }, "Submit");
    const cancel = el("button", { type: "button", class: "button bare", onclick: () => dialog.close() }, "Cancel");
    const form = el(
        "form",
        { novalidate: true },
        el(
            "header",
            {},
            el("h2", { id: titled }, modal.title),
            el(
                "p",
                {},
                `This form goes to ${context.state.frame.bot.username}. Do not share passwords or other sensitive information.`,
            ),
        ),
        el(
            "div",
            { class: "modal-fields scroller" },
            ...modal.components.map((of) => field(context, of, inputs)),
            error,
        ),
        el("footer", {}, cancel, send),
    );
    const dialog = el("dialog", { class: "modal", "aria-labelledby": titled }, form);
    form.addEventListener("submit", async (event) => {
        event.preventDefault();
        if (send.disabled) return;
        send.disabled = true;
        error.hidden = true;
        try {
            const given = [...inputs].map(([id, value]) => [id, value()]).filter(([, value]) => value !== undefined);
            await context.actions.modal(modal, reply.message, Object.fromEntries(given));
            dialog.close();
        } catch (failure) {
            fill(error, failure.kind === "bad_option" ? failure.message : "Something went wrong. Try again.");
            error.hidden = false;
        }
        send.disabled = false;
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("input, textarea")?.focus();
}

/** One row of the form. What a person fills in is asked for through `inputs`, by custom id. */
function field(context, of, inputs) {
    switch (of.type) {
        case 1:
            return el("div", {}, ...of.components.map((child) => labelled(context, child.label, null, child, inputs)));
        case 18:
            return labelled(context, of.label, of.description, of.component, inputs);
        case 10:
            return formatted(context.names, of.content);
        default:
            return null;
    }
}

function labelled(context, label, description, of, inputs) {
    const id = freshId();
    const required = of.required !== false;
    const [control, value] = input(context, of, id);
    inputs.set(of.custom_id, value);
    return el(
        "div",
        { class: "modal-field" },
        el("label", { for: id }, label ?? "", required && el("span", { class: "required", title: "required" }, " *")),
        description && el("p", {}, description),
        control,
    );
}

/** The control and how to read it. */
function input(context, of, id) {
    switch (of.type) {
        case 4: {
            const attributes = {
                id,
                placeholder: of.placeholder,
                minlength: of.min_length,
                maxlength: of.max_length ?? 4000,
                required: of.required !== false,
            };
            const control =
                of.style === 2
                    ? el("textarea", { ...attributes, rows: 4 })
                    : el("input", { ...attributes, type: "text" });
            control.value = of.value ?? "";
            return [control, () => control.value];
        }
        case 21:
        case 22:
            return group(of, id);
        case 23: {
            const control = el("input", { id, type: "checkbox", checked: of.default === true });
            return [control, () => control.checked];
        }
        case 3:
        case 5:
        case 6:
        case 7:
        case 8: {
            const select = createSelect(context, of, () => {});
            select.node.querySelector("input").id = id;
            return [select.node, () => select.values()];
        }
        case 19:
            return [el("p", { id }, "Files cannot be attached on this page."), () => undefined];
        default:
            return [el("p", { id }, "This page cannot show what belongs here."), () => undefined];
    }
}

/** Radio buttons, or check boxes of which several may be chosen. */
function group(of, id) {
    const several = of.type === 22;
    const boxes = (of.options ?? []).map((option) =>
        el("input", {
            type: several ? "checkbox" : "radio",
            name: id,
            value: option.value,
            checked: option.default === true,
        }),
    );
    const rows = boxes.map((box, at) => {
        const { label, description } = of.options[at];
        return el(
            "label",
            { class: "choice" },
            box,
            el("span", {}, label, description && el("small", {}, description)),
        );
    });
    const chosen = () => boxes.filter((box) => box.checked).map((box) => box.value);
    return [el("div", { id, role: several ? "group" : "radiogroup" }, ...rows), several ? chosen : () => chosen()[0]];
}
