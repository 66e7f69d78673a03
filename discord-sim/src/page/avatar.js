// Pictures of people and guilds: their initials on a colour of theirs.

import { el } from "./dom.js";
import { pick } from "./snowflake.js";

const COLOURS = 6;

const initial = (name) => [...String(name).trim()][0]?.toUpperCase() ?? "?";

/**
 * @param {{ id: string, username: string, global_name?: string | null }} user
 * @param {string} [size] a class: `small`, or nothing
 */
export const avatar = (user, size = "") =>
    el(
        "span",
        { class: `avatar ${user.bot ? "bot" : `a${pick(user.id, COLOURS)}`} ${size}`, "aria-hidden": "true" },
        initial(user.global_name ?? user.username),
    );

/** A guild's name as its icon has it: the first letters of its words. */
export const acronym = (name) =>
    String(name)
        .split(/\s+/)
        .filter(Boolean)
        .map((word) => [...word][0])
        .slice(0, 4)
        .join("");
