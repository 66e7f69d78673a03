// Discord's markdown within a line, as a tree. A backslash before a sign takes its meaning away.

/** Deeper than this, signs are just signs: nobody nests so far by hand. */
const DEPTH = 8;

/**
 * @typedef {{ type: string, text?: string, children?: Inline[], url?: string, id?: string, kind?: string, style?: string,
 *   at?: number }} Inline
 */

const wrap = (type) => (match, go) => ({ type, children: go(match[1]) });

/** Tried in this order at each place; sticky, so that none looks further than it has to. */
const RULES = [
    [/\\([^0-9A-Za-z\s])/y, (match) => ({ type: "text", text: match[1] })],
    [/`+/y, code],
    [/<(https?:\/\/[^\s<>]+)>/y, (match) => address(match[1])],
    [
        /\[((?:\\[^]|\[[^[\]]*\]|[^[\]\\])+)\]\(\s*<?(https?:\/\/[^\s<>)]+(?:\([^\s()]*\)[^\s<>)]*)?)>?(?:\s+"[^"]*")?\s*\)/y,
        masked,
    ],
    [/https?:\/\/[^\s<]+[^<.,:;"'\]\s*_~|]/y, bare],
    [/<@!?(\d{1,20})>/y, (match) => ({ type: "mention", kind: "user", id: match[1] })],
    [/<@&(\d{1,20})>/y, (match) => ({ type: "mention", kind: "role", id: match[1] })],
    [/<#(\d{1,20})>/y, (match) => ({ type: "mention", kind: "channel", id: match[1] })],
    [/<\/([^:<>]{1,100}):\d{1,20}>/y, (match) => ({ type: "mention", kind: "command", id: match[1] })],
    [
        /<t:(-?\d{1,13})(?::([tTdDfFRsS]))?>/y,
        (match) => ({ type: "time", at: Number(match[1]) * 1000, style: match[2] ?? "f" }),
    ],
    [/<a?:(\w{2,32}):\d{1,20}>/y, (match) => ({ type: "emoji", text: `:${match[1]}:` })],
    [/@(?:everyone|here)\b/y, (match) => ({ type: "mention", kind: "everyone", id: match[0] })],
    [/\*\*((?:\\[^]|[^\\])+?)\*\*(?!\*)/y, wrap("strong")],
    [/__((?:\\[^]|[^\\])+?)__(?!_)/y, wrap("underline")],
    [/\*(?=\S)((?:\*\*|\\[^]|[^*\\])+?)\*(?!\*)/y, wrap("emphasis")],
    [/_((?:__|\\[^]|[^_\\])+?)_(?!\w)/y, wrap("emphasis")],
    [/~~((?:\\[^]|[^\\])+?)~~(?!~)/y, wrap("strike")],
    [/\|\|((?:\\[^]|[^\\])+?)\|\|/y, wrap("spoiler")],
];

/** No rule begins with anything else. */
const PLAIN = /(?:[^\\`<[h@*_~|]|h(?!ttps?:\/\/))+/y;

const address = (url) => ({ type: "link", url, children: [{ type: "text", text: url }] });

/** A text that looks like an address itself would hide where the link goes: Discord shows such a link as it stands. */
function masked(match, go) {
    if (/^\s*https?:\/\//.test(match[1])) return { type: "text", text: match[0] };
    return { type: "link", url: match[2], children: go(match[1]) };
}

/** From some backticks to as many again, and to no more and no fewer. */
function code(match) {
    const [ticks] = match;
    const runs = /`+/g;
    const begin = match.index + ticks.length;
    runs.lastIndex = begin;
    for (let end = runs.exec(match.input); end; end = runs.exec(match.input)) {
        if (end[0] !== ticks) continue;
        const text = match.input.slice(begin, end.index).replace(/^ (?=`)|(?<=`) $/g, "");
        return { type: "code", text, length: end.index + ticks.length - match.index };
    }
    return { type: "text", text: ticks };
}

/** A closing bracket belongs to the sentence unless the address opened one. */
function bare(match) {
    let url = match[0];
    let spare = url.split(")").length - url.split("(").length;
    for (; spare > 0 && url.endsWith(")"); spare--) url = url.slice(0, -1);
    return { ...address(url), length: url.length };
}

/**
 * @param {string} text
 * @returns {Inline[]}
 */
export function inline(text, depth = 0) {
    const nodes = [];
    const say = (more) => {
        const last = nodes.at(-1);
        if (last?.type === "text") last.text += more;
        else nodes.push({ type: "text", text: more });
    };
    if (depth > DEPTH) return [{ type: "text", text }];
    const go = (inner) => inline(inner, depth + 1);
    let at = 0;
    while (at < text.length) {
        PLAIN.lastIndex = at;
        const plain = PLAIN.exec(text);
        if (plain) {
            say(plain[0]);
            at += plain[0].length;
            continue;
        }
        const found = first(text, at, go);
        if (!found) {
            say(text[at]);
            at += 1;
            continue;
        }
        if (found.node.type === "text") say(found.node.text);
        else nodes.push(found.node);
        at += found.length;
    }
    return nodes;
}

function first(text, at, go) {
    for (const [pattern, make] of RULES) {
        pattern.lastIndex = at;
        const match = pattern.exec(text);
        if (!match) continue;
        const { length = match[0].length, ...node } = make(match, go);
        return { node, length };
    }
    return null;
}
