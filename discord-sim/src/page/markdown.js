// Discord's markdown over lines, as a tree: code blocks, quotes, headings, lists, small text, and what is between.

import { inline } from "./inline.js";

/** Quotes in quotes are not, and lists end somewhere. */
const DEPTH = 4;

const FENCE = "```";
const LANGUAGE = /^([\w+\-.#]*)\n/;
const HEADING = /^(#{1,3})\s+(.*\S)/;
const SMALL = /^-#\s+(.*\S)/;
const QUOTE = /^>(?: |$)/;
const ITEM = /^( *)(?:[-*]|(\d{1,9})\.)\s+(.*\S)/;

/**
 * @param {string} text
 * @returns {{ type: string, [key: string]: any }[]}
 */
export function markdown(text, depth = 0) {
    const rest = /^>>> ([^]*)$/m.exec(text);
    if (rest && depth === 0) {
        return [
            ...markdown(text.slice(0, rest.index).replace(/\n$/, ""), depth),
            { type: "quote", children: markdown(rest[1], 1) },
        ];
    }
    const blocks = [];
    let done = 0;
    for (let open = text.indexOf(FENCE); open >= 0;) {
        const close = text.indexOf(FENCE, open + FENCE.length);
        if (close < 0) break;
        const inside = text.slice(open + FENCE.length, close);
        // One of nothing, or one behind a backslash, is none.
        if (inside.trim() === "" || text[open - 1] === "\\") {
            open = text.indexOf(FENCE, open + FENCE.length);
            continue;
        }
        const language = LANGUAGE.exec(inside);
        const code = inside
            .slice(language?.[0].length ?? 0)
            .replace(/^\n+/, "")
            .trimEnd();
        blocks.push(...lines(text.slice(done, open).replace(/\n$/, ""), depth));
        blocks.push({ type: "block", language: language?.[1] ?? "", text: code });
        done = close + FENCE.length;
        if (text[done] === "\n") done += 1;
        open = text.indexOf(FENCE, done);
    }
    return [...blocks, ...lines(text.slice(done), depth)];
}

function lines(text, depth) {
    if (text === "") return [];
    const blocks = [];
    let plain = [];
    const flush = () => {
        if (plain.length > 0) blocks.push({ type: "text", children: inline(plain.join("\n")) });
        plain = [];
    };
    const all = text.split("\n");
    for (let at = 0; at < all.length; at++) {
        const line = all[at];
        const [heading, small] = [HEADING.exec(line), SMALL.exec(line)];
        if (heading) {
            flush();
            blocks.push({ type: "heading", level: heading[1].length, children: inline(heading[2]) });
        } else if (small) {
            flush();
            blocks.push({ type: "small", children: inline(small[1]) });
        } else if (depth === 0 && QUOTE.test(line)) {
            flush();
            const quoted = run(all, at, (of) => QUOTE.test(of));
            blocks.push({
                type: "quote",
                children: markdown(quoted.map((of) => of.replace(/^> ?/, "")).join("\n"), 1),
            });
            at += quoted.length - 1;
        } else if (ITEM.test(line)) {
            flush();
            // Points and numbers make lists of their own.
            const kind = isNumbered(line);
            const items = run(all, at, (of) => ITEM.test(of) && (of.startsWith(" ") || isNumbered(of) === kind));
            blocks.push(list(items.map((of) => ITEM.exec(of))));
            at += items.length - 1;
        } else {
            plain.push(line);
        }
    }
    flush();
    return blocks;
}

const isNumbered = (line) => /^ *\d/.test(line);

/** The lines from here on for which something holds. */
function run(all, from, holds) {
    let to = from;
    while (to < all.length && holds(all[to])) to++;
    return all.slice(from, to);
}

/** Items that stand further in belong to the item before them. */
function list(items, depth = 0) {
    const [, indent, number] = items[0];
    const made = { type: "list", start: number === undefined ? null : Number(number), items: [] };
    for (let at = 0; at < items.length; at++) {
        const item = { children: inline(items[at][3]), nested: null };
        const inner = depth < DEPTH ? run(items, at + 1, (of) => of[1].length > indent.length) : [];
        if (inner.length > 0) item.nested = list(inner, depth + 1);
        at += inner.length;
        made.items.push(item);
    }
    return made;
}
