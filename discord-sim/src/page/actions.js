// What a person does with the bot, from sending it to what became of it.

/** How long an answer that was given may take to come in sight. */
const SHOWN_WITHIN = 1000;

/**
 * @param {import("./state.js").State} state
 * @param {ReturnType<typeof import("./api.js").createApi>} api
 * @param {(reply: any) => void} openModal
 */
export function createActions(state, api, openModal) {
    /** A modal has a title and a custom id; a message has neither. */
    const isModal = (reply) => typeof reply.raw?.custom_id === "string" && typeof reply.raw?.title === "string";

    /** Resolves when a message is in the timeline, or after a while. */
    const inSight = (id) =>
        new Promise((resolve) => {
            const done = () => {
                forget();
                clearTimeout(timer);
                resolve();
            };
            const look = () => (!id || state.messages.has(id)) && done();
            const forget = state.on("messages", look);
            const timer = setTimeout(done, SHOWN_WITHIN);
            look();
        });

    const settle = async (reply) => {
        if (isModal(reply)) openModal(reply);
        else await inSight(reply.message);
    };

    return {
        /** Runs a slash command; what goes wrong stands in the channel. */
        async command(name, options) {
            const done = state.wait(name);
            try {
                await settle(await api.command(name, options));
                done();
            } catch (error) {
                done(error.message);
            }
        },

        /** Uses a component; gives why it failed, if it did. */
        async component(message, customId, values) {
            try {
                await settle(await api.component(message.id, customId, values));
                return null;
            } catch (error) {
                return error.kind === "no_answer" || error.kind === "never_finished" || error.kind === "not_connected"
                    ? "This interaction failed"
                    : error.message;
            }
        },

        /** Sends a modal; throws what the person has to put right. */
        async modal(modal, message, values) {
            await settle(await api.modal(modal, message ?? undefined, values));
        },
    };
}
