//! Watches the demo's page as a person would: sees the first message, presses every button, looks for what comes of it
//! in Discord's frame, and takes the README's picture. Arguments: the page's address, and where the picture goes.

import assert from "node:assert/strict";

import { endWithStarter, launch } from "../../discord-sim/tests/node/browser.mjs";

const [url, picture] = process.argv.slice(2);
const PATIENCE = 60_000;

/** The texts that a press adds to the channel, by the button's action and server. */
const EFFECTS = [
    ["join", "Ironhaven", " joined Ironhaven"],
    ["chat", "Ironhaven", " on Ironhaven"],
    ["leave", "Ironhaven", " left Ironhaven"],
    ["ban", "Saltflats", " was banned on Saltflats"],
    ["wipe", "Saltflats", "Server Saltflats was wiped"],
    ["stop", "Ironhaven", "Server Ironhaven has stopped"],
    ["start", "Ironhaven", "Server Ironhaven is back"],
];

/** The same, for the picture. */
const FOR_THE_PICTURE = [
    ["join", "Saltflats", " joined Saltflats"],
    ["join", "Saltflats", " joined Saltflats"],
    ["chat", "Saltflats", " on Saltflats"],
    ["ban", "Ironhaven", " was banned on Ironhaven"],
    ["chat", "Ironhaven", " on Ironhaven"],
    ["leave", "Ironhaven", " left Ironhaven"],
    ["chat", "Saltflats", " on Saltflats"],
];

const { browser, close } = await launch({ width: 1440, height: 900 });
endWithStarter(close);
try {
    const page = await browser.newPage();
    const complaints = [];
    page.on("console", (message) => {
        // Connections break where Discord goes away, and that is told as an error, too.
        const isBroken = message.text().startsWith("Failed to load resource: net::ERR_");
        if (message.type() === "error" && !isBroken) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    const requested = new Set();
    page.on("request", (request) => {
        const { protocol, hostname } = new URL(request.url());
        if (protocol !== "data:") requested.add(hostname);
    });

    const began = Date.now();
    await page.goto(url);
    const element = await page.waitForSelector("#discord[src]", { timeout: PATIENCE });
    const discord = await element.contentFrame();

    const has = (text, more = 0) =>
        discord.waitForFunction(
            (text, more) => document.body.innerText.split(text).length - 1 > more,
            { timeout: PATIENCE },
            text,
            more,
        );
    const count = (text) => discord.evaluate((text) => document.body.innerText.split(text).length - 1, text);
    const button = (action, server) => `button[data-action="${action}"]${server ? `[data-server="${server}"]` : ""}`;
    const press = async (action, server) => {
        const selector = button(action, server);
        await page.waitForSelector(`${selector}:not(:disabled):not([hidden])`, { timeout: PATIENCE });
        await page.click(selector);
    };
    const part = (name, state) =>
        page.waitForSelector(`button[data-part="${name}"][data-state="${state}"]`, { timeout: PATIENCE });
    const metric = (name) => page.$eval(`[data-metric="${name}"]`, (node) => Number(node.textContent.replaceAll(",", "")));

    await has("Server Ironhaven is up");
    console.log(`the page shows the first message ${Date.now() - began} ms after it was opened`);

    for (const [action, server, text] of EFFECTS) {
        const before = await count(text);
        await press(action, server);
        await has(text, before);
    }
    // What the picture shows: a few of everything, on both servers.
    for (const [action, server, text] of FOR_THE_PICTURE) {
        const before = await count(text);
        await press(action, server);
        await has(text, before);
    }
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
    await page.screenshot({ path: picture });

    for (const [action, name] of [["bot_kill", "bot"], ["nats_restart", "nats"]]) {
        await press(action);
        await part(name, "gone");
        const before = await count(" joined Ironhaven");
        if (name !== "nats") await press("join", "Ironhaven");
        await part(name, "running");
        if (name === "nats") await press("join", "Ironhaven");
        await has(" joined Ironhaven", before);
    }

    await press("garbage");
    await has("meteor.landed");
    await page.waitForFunction(
        () => Number(document.querySelector('[data-metric="rejected"]').textContent) > 0,
        { timeout: PATIENCE },
    );
    // While Discord is away, what happens is recorded all the same.
    await press("discord_away");
    await part("discord", "gone");
    const recorded = await metric("recorded");
    await press("storm");
    await page.waitForFunction(
        (least) => Number(document.querySelector('[data-metric="recorded"]').textContent.replaceAll(",", "")) >= least,
        { timeout: PATIENCE },
        recorded + 1000,
    );
    await part("discord", "running");
    await has("Every one of them, in order: events.txt");
    await press("crash", "Saltflats");
    await page.waitForSelector(`${button("start", "Saltflats")}:not([hidden])`, { timeout: PATIENCE });

    assert.deepEqual(complaints, [], "the page complains");
    assert.deepEqual([...requested], ["127.0.0.1"], "the page asks for something from elsewhere");

    // On a narrow screen everything stands below each other, and nothing sticks out.
    await page.setViewport({ width: 390, height: 800 });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 390, `the page is ${wide} pixels wide on a screen of 390`);
} finally {
    await close();
}
process.exit(0);
