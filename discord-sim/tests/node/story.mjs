//! Small helpers for a story told in a browser: steps with names, waiting for what the page shows, and no requests to
//! anywhere else.

import { join } from "node:path";

/** How long anything may take to be seen, where much else runs. */
const WITHIN = 15_000;

/**
 * @param {import("puppeteer-core").Page} page
 * @param {string} origin the only place that may be asked
 */
export async function tell(page, origin) {
    const strays = [];
    const errors = [];
    await page.setRequestInterception(true);
    page.on("request", (request) => {
        const inside = request.url().startsWith(origin);
        if (inside) return request.continue();
        strays.push(request.url());
        return request.abort();
    });
    page.on("pageerror", (error) => errors.push(`${error.stack}`));
    page.on("console", (message) => {
        // A connection that Discord dropped is told there, too.
        if (message.type() === "error" && !/net::ERR|Failed to load resource/.test(message.text()))
            errors.push(message.text());
    });
    const story = {
        strays,
        errors,
        /** Does something, and says what it was if it failed. */
        async step(name, run) {
            try {
                await run();
                console.log(`ok: ${name}`);
            } catch (error) {
                await story.picture("failed");
                throw new Error(`${name}: ${error.message}`, { cause: error });
            }
        },
        /** Waits until a selector shows a text (or anything), and gives the first such element's text. */
        async sees(selector, text = "") {
            const shows = (selector, text) => {
                const found = [...document.querySelectorAll(selector)].find(
                    (node) => node.checkVisibility({ visibilityProperty: true }) && node.textContent.includes(text),
                );
                return found ? { text: found.textContent } : null;
            };
            const handle = await page
                .waitForFunction(shows, { timeout: WITHIN, polling: 50 }, selector, text)
                .catch(async () => {
                    const there = await page.evaluate(
                        (selector) =>
                            [...document.querySelectorAll(selector)].map((node) => node.textContent).slice(-5),
                        selector,
                    );
                    throw new Error(`no ${selector} with ${JSON.stringify(text)}; there is ${JSON.stringify(there)}`);
                });
            return (await handle.jsonValue()).text;
        },
        /** Waits until nothing visible fits. */
        async gone(selector, text = "") {
            const absent = (selector, text) =>
                ![...document.querySelectorAll(selector)].some(
                    (node) => node.checkVisibility({ visibilityProperty: true }) && node.textContent.includes(text),
                );
            await page.waitForFunction(absent, { timeout: WITHIN, polling: 50 }, selector, text).catch(() => {
                throw new Error(`there is still ${selector} with ${JSON.stringify(text)}`);
            });
        },
        count: (selector) => page.$$eval(selector, (nodes) => nodes.length),
        async press(selector, text = "") {
            await story.sees(selector, text);
            const press = (nodes, text) =>
                nodes
                    .find(
                        (node) => node.checkVisibility({ visibilityProperty: true }) && node.textContent.includes(text),
                    )
                    .click();
            await page.$$eval(selector, press, text);
        },
        type: (text) => page.keyboard.type(text),
        async keys(...names) {
            for (const name of names) await page.keyboard.press(name);
        },
        /** Keeps a picture where PAGE_PICTURES says. */
        async picture(name) {
            const folder = process.env.PAGE_PICTURES;
            if (folder) await page.screenshot({ path: join(folder, `${name}.png`) });
        },
    };
    return story;
}
