//! Fonts for a browser on a machine that may have none: a text face, and emoji in colour.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inflateSync } from "node:zlib";

const require = createRequire(import.meta.url);
const EMOJI = "@fontsource/noto-color-emoji/files/noto-color-emoji-emoji-400-normal.woff";

/**
 * Writes a fontconfig file into `folder` that knows the machine's fonts, those in `text`, and emoji.
 * @param {string} folder
 * @param {string[]} text folders with further fonts
 * @returns {Promise<string>} the file, for `FONTCONFIG_FILE`
 */
export async function fontconfig(folder, text) {
    const emoji = join(folder, "emoji");
    await mkdir(emoji, { recursive: true });
    await writeFile(join(emoji, "NotoColorEmoji.ttf"), unpack(await readFile(require.resolve(EMOJI))));
    const own = [emoji, ...text].map((path) => `<dir>${path}</dir>`).join("");
    const file = join(folder, "fonts.conf");
    await writeFile(
        file,
        `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>${own}` +
            `<cachedir>${join(folder, "cache")}</cachedir>` +
            `<include ignore_missing="yes">/etc/fonts/fonts.conf</include></fontconfig>`,
    );
    return file;
}

/**
 * A WOFF file as the sfnt inside of it: fontconfig reads only that (https://www.w3.org/TR/WOFF/).
 * @param {Buffer} woff
 */
function unpack(woff) {
    const tables = woff.readUInt16BE(12);
    const head = Buffer.alloc(12 + 16 * tables);
    woff.copy(head, 0, 4, 8); // the flavour
    head.writeUInt16BE(tables, 4);
    const power = 2 ** Math.floor(Math.log2(tables));
    head.writeUInt16BE(power * 16, 6);
    head.writeUInt16BE(Math.log2(power), 8);
    head.writeUInt16BE((tables - power) * 16, 10);
    const parts = [head];
    let at = head.length;
    for (let table = 0; table < tables; table++) {
        const entry = 44 + 20 * table;
        const [offset, packed, length] = [4, 8, 12].map((of) => woff.readUInt32BE(entry + of));
        const bytes = woff.subarray(offset, offset + packed);
        const data = packed < length ? inflateSync(bytes) : bytes;
        const to = 12 + 16 * table;
        woff.copy(head, to, entry, entry + 4); // the tag
        woff.copy(head, to + 4, entry + 16, entry + 20); // the checksum
        head.writeUInt32BE(at, to + 8);
        head.writeUInt32BE(length, to + 12);
        const padding = (4 - (length % 4)) % 4;
        parts.push(data, Buffer.alloc(padding));
        at += length + padding;
    }
    return Buffer.concat(parts);
}
