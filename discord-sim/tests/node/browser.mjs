//! A headless Chromium that leaves nothing behind: for the page's test, and for pictures of it.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import packed from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

import { fontconfig } from "./fonts.mjs";

const INSTALLED = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const UNPACKED = join(dirname(fileURLToPath(import.meta.url)), "node_modules", ".cache", "chromium");

/**
 * Starts Chromium with a profile, a temporary folder and fonts of its own. Close it in a `finally`, and give
 * `close` to `endWithStarter`; when this process is killed, Chromium ends by itself.
 * @param {{ width?: number, height?: number, scale?: number }} [window] in CSS pixels; `scale` sharpens pictures
 * @returns {Promise<{ browser: import("puppeteer-core").Browser, close: () => Promise<void> }>}
 */
export async function launch({ width = 1280, height = 800, scale = 1 } = {}) {
    // First, so that a failure leaves nothing: it has a place of its own.
    const unpacked = await unpack();
    const folder = await mkdtemp(join(tmpdir(), "guildwire-browser-"));
    try {
        const fonts = await fontconfig(folder, [join(unpacked, "fonts")]);
        const browser = await puppeteer.launch({
            executablePath: installed() ?? join(unpacked, "chromium"),
            headless: true,
            // The pipe closes with this process, and Chromium ends when it does.
            pipe: true,
            userDataDir: join(folder, "profile"),
            env: { ...process.env, TMPDIR: folder, HOME: folder, FONTCONFIG_FILE: fonts },
            defaultViewport: { width, height, deviceScaleFactor: scale },
            args: [
                // It only ever sees pages of this machine, and its sandbox needs rights that a container lacks.
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--font-render-hinting=none",
                "--force-color-profile=srgb",
            ],
        });
        const close = async () => {
            await browser.close();
            await remove(folder);
        };
        return { browser, close };
    } catch (error) {
        await remove(folder);
        throw error;
    }
}

/**
 * Ends this process, and the browser with it, once whoever started it is gone or asks for that: when standard input
 * closes, or on SIGTERM.
 * @param {() => Promise<void>} close what `launch` gave
 */
export function endWithStarter(close) {
    const end = () => close().finally(() => process.exit(1));
    process.stdin.on("end", end).resume();
    process.on("SIGTERM", end);
}

const remove = (folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 });

/** The Chromium that was asked for, or the first on PATH. */
function installed() {
    if (process.env.GUILDWIRE_CHROMIUM) return process.env.GUILDWIRE_CHROMIUM;
    const folders = (process.env.PATH ?? "").split(delimiter);
    return INSTALLED.flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => existsSync(file));
}

/**
 * Unpacks the Chromium of the npm package, and the fonts beside it, once for all runs.
 * @returns {Promise<string>} the folder with `chromium` and `fonts`
 */
async function unpack() {
    if (existsSync(UNPACKED)) return UNPACKED;
    await mkdir(dirname(UNPACKED), { recursive: true });
    const folder = await mkdtemp(`${UNPACKED}.`);
    const before = process.env.TMPDIR;
    // Where the package unpacks to; the last step is a rename, so there is never half a browser.
    process.env.TMPDIR = folder;
    try {
        await packed.executablePath();
        await rename(folder, UNPACKED).catch((error) => {
            // Another run was faster.
            if (!existsSync(UNPACKED)) throw error;
        });
    } finally {
        if (before === undefined) delete process.env.TMPDIR;
        else process.env.TMPDIR = before;
        await remove(folder);
    }
    return UNPACKED;
}
