// The control interface, asked as whoever one acts as.

/** What went wrong: `kind` for the page, the message for whoever reads it. */
export class Refused extends Error {
    constructor(message, kind) {
        super(message);
        this.kind = kind;
    }
}

const SAID = {
    no_answer: "The application did not respond",
    never_finished: "The application did not respond",
    not_connected: "The application did not respond",
    not_permitted: "You do not have permission to use this command.",
};

async function ask(path, body) {
    const options = body && {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
    };
    let response;
    try {
        response = await fetch(path, options);
    } catch {
        throw new Refused("Discord cannot be reached right now.", "network");
    }
    const answer = await response.json().catch(() => ({}));
    if (response.ok) return answer;
    const what = String(answer.error ?? response.statusText).replace("Discord's client refuses this option: ", "");
    throw new Refused(SAID[answer.kind] ?? what, answer.kind);
}

/**
 * @param {() => { guild: string, channel: string, user: string }} view who acts, and where
 */
export const createApi = (view) => ({
    say: (content) => ask("/sim/messages", { ...view(), content }),
    command: (name, options) => ask("/sim/commands", { ...view(), name, options }),
    autocomplete: (name, options, focused, typed) =>
        ask("/sim/autocomplete", { ...view(), name, options, focused, typed }),
    /** Without `values` it is a button. */
    component: (message, custom_id, values) => ask("/sim/components", { ...view(), message, custom_id, values }),
    modal: (modal, message, values) => ask("/sim/modals", { ...view(), modal, message, values }),
    older: (before) => ask(`/sim/channels/${view().channel}/messages?before=${before}&user=${view().user}`),
});
