// What the page knows, and who is told when it changes.

import { compare } from "./snowflake.js";

/** Messages kept while one looks at the newest; scrolling up loads older ones again. */
const KEPT = 150;

/** @typedef {ReturnType<typeof createState>} State */

/** Changes: `frame`, `messages`, `news`, `pending`, `linked`. */
export function createState() {
    const listeners = new Map();
    const tell = (what) => listeners.get(what)?.forEach((listener) => listener());

    const state = {
        /** Guilds, channels, members, commands; see `/sim/live`. */
        frame: null,
        /** @type {Map<string, any>} the messages of `order` */
        messages: new Map(),
        /** @type {string[]} ids, oldest first */
        order: [],
        /** Whether the channel has messages older than `order`. */
        more: false,
        /** Interactions of this page that have no answer yet, or got none. */
        pending: [],
        /** @type {Map<string, { guild: string, newest: string, read: string, mentions: number }>} by channel */
        news: new Map(),
        /** Ephemeral messages that were dismissed. */
        dismissed: new Set(),
        /** Whether the stream stands. */
        linked: true,
        /** Whether the newest messages are in sight. */
        atEnd: true,

        /** Gives what ends it. */
        on(what, listener) {
            listeners.set(what, [...(listeners.get(what) ?? []), listener]);
            return () =>
                listeners.set(
                    what,
                    listeners.get(what).filter((other) => other !== listener),
                );
        },

        /** Takes an event of the stream. */
        apply(change) {
            if (change.frame) {
                const before = state.frame;
                state.frame = change.frame;
                if (before?.view.channel !== change.frame.view.channel) state.forget();
                // The same names as before are the same object: nothing has to be drawn anew for them.
                if (JSON.stringify(before?.guild) === JSON.stringify(change.frame.guild))
                    state.frame.guild = before.guild;
            }
            if (change.messages) take(change.messages);
            for (const item of change.news ?? []) hear(item);
            if (change.frame) tell("frame");
            if (change.messages || change.frame) tell("messages");
            if (change.news || change.frame) tell("news");
        },

        /** Another channel: nothing of the last one stays. */
        forget() {
            state.messages.clear();
            state.order = [];
            state.more = false;
            state.pending = [];
            state.atEnd = true;
        },

        /** Puts older messages in front. */
        prepend(older, more) {
            for (const message of older) state.messages.set(message.id, message);
            const known = new Set(state.order);
            state.order = [...older.map((message) => message.id).filter((id) => !known.has(id)), ...state.order];
            state.more = more;
            tell("messages");
        },

        dismiss(id) {
            state.dismissed.add(id);
            tell("messages");
        },

        /** Adds an interaction that waits, and gives what ends it; with an error it stays until dismissed. */
        wait(name) {
            const entry = { name, error: null, channel: state.frame.view.channel };
            state.pending = [...state.pending, entry];
            tell("pending");
            return (error) => {
                if (error) entry.error = error;
                else state.pending = state.pending.filter((other) => other !== entry);
                tell("pending");
            };
        },

        drop(entry) {
            state.pending = state.pending.filter((other) => other !== entry);
            tell("pending");
        },

        /** The channel in sight has been read to its end. */
        markRead() {
            const news = state.news.get(state.frame?.view.channel);
            if (!news || (news.read === news.newest && news.mentions === 0)) return;
            news.read = news.newest;
            news.mentions = 0;
            tell("news");
        },

        setLinked(linked) {
            if (linked === state.linked) return;
            state.linked = linked;
            tell("linked");
        },
    };

    function take({ ids, changed, more }) {
        for (const message of changed) state.messages.set(message.id, message);
        const first = ids[0];
        const last = state.order.at(-1);
        // What came while nobody was told of it is missing between the two.
        const gap = last !== undefined && first !== undefined && more && compare(last, first) < 0;
        const older = first === undefined || gap ? [] : state.order.filter((id) => compare(id, first) < 0);
        if (older.length === 0) state.more = more;
        state.order = [...older, ...ids];
        if (state.atEnd && state.order.length > KEPT && ids.length < KEPT) {
            state.order = state.order.slice(-KEPT);
            state.more = true;
        }
        const kept = new Set(state.order);
        for (const id of state.messages.keys()) if (!kept.has(id)) state.messages.delete(id);
    }

    function hear({ guild, channel, newest, before, mentions }) {
        const known = state.news.get(channel);
        if (!known) state.news.set(channel, { guild, newest, read: before, mentions });
        else state.news.set(channel, { ...known, newest, mentions: known.mentions + mentions });
    }

    return state;
}
