//! The page's story in headless Chromium: what people see, and what they can do. `../page.rs` starts it, with the world in
//! PAGE_WORLD.

import assert from "node:assert/strict";

import { endWithStarter, launch } from "./browser.mjs";
import { tell } from "./story.mjs";

const world = JSON.parse(process.env.PAGE_WORLD);
const HOSTILE = `<img src=x onerror="document.title='hit'"> **@everyone** <@1>`;

const call = async (method, path, body, headers) => {
    const response = await fetch(world.url + path, { method, headers, body });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
};
const JSON_TYPE = { "content-type": "application/json" };
const AGENT = { authorization: `Bot ${world.token}`, "user-agent": "DiscordBot (https://example.com/page, 1)" };
const bot = (method, path, body) => call(method, `/api/v10${path}`, JSON.stringify(body), { ...JSON_TYPE, ...AGENT });
const sim = (path, body) => call("POST", `/sim${path}`, JSON.stringify(body), JSON_TYPE);
const post = (body) => bot("POST", `/channels/${world.channel}/messages`, body);
const say = (user, content) => sim("/messages", { guild: world.guild, channel: world.channel, user, content });

const { browser, close } = await launch({ width: 1280, height: 800 });
endWithStarter(close);
try {
    const page = await browser.newPage();
    const story = await tell(page, world.url);
    const { step, sees, gone, press, type, keys, count, picture } = story;
    const hostile = (await sim("/members", { guild: world.guild, name: "<b>eve</b>\"'" })).id;
    const quiet = (await sim("/channels", { guild: world.guild, name: "quiet" })).id;
    await sim("/channels", { guild: world.guild, name: "raid", kind: "public_thread", parent: world.channel });
    const role = (await sim("/roles", { guild: world.guild, name: "players", mentionable: true })).id;

    await step("a linked channel opens", async () => {
        const response = await page.goto(`${world.url}/#/channels/${world.guild}/${world.channel}`);
        const headers = response.headers();
        assert.match(headers["content-security-policy"], /default-src 'none'/);
        assert.equal(headers["x-frame-options"], undefined, "another page may frame it");
        await sees("#channel-name h1", "events");
        await sees("#channels .channel.selected", "events");
        await sees("#channels .thread", "raid");
        await sees(".account-name", "Rustaceans-owner");
    });

    await step("a message appears, is edited, and goes", async () => {
        const message = await post({ content: "hello there" });
        await sees(".message .content", "hello there");
        await sees(".message .tag", "APP");
        await bot("PATCH", `/channels/${world.channel}/messages/${message.id}`, { content: "hello again" });
        await sees(".message .content", "hello again");
        await sees(".edited", "(edited)");
        await bot("DELETE", `/channels/${world.channel}/messages/${message.id}`);
        await gone(".message", "hello again");
    });

    await step("what a player wrote is never markup", async () => {
        await say(hostile, HOSTILE);
        await sees(".author", `<b>eve</b>"'`);
        await sees(".content", "<img src=x");
        assert.equal(await count(".message img, .message script"), 0);
        await sees(".content .mention", "@unknown-user");
        await sees(".content strong .mention", "@everyone");
        assert.notEqual(await page.title(), "hit");
        const links = await page.evaluate(async () => {
            const { webAddress } = await import("/page/dom.js");
            const hostile = ["javascript:alert(1)", "data:text/html,x", " java\nscript:alert(1)", "/relative", null];
            return [...hostile, "https://example.com"].map(webAddress);
        });
        assert.deepEqual(links, [null, null, null, null, null, "https://example.com/"]);
    });

    await step("markdown, mentions and times look as in Discord", async () => {
        const soon = Math.floor(Date.now() / 1000) + 3605;
        const content = [
            "# Head",
            "-# small",
            "> quoted",
            "- one\n  - two",
            "**bold** *it* __un__ ~~st~~ ||secret|| `code` \\*plain\\*",
            `<@${world.owner}> <@&${role}> <#${quiet}> <t:${soon}:R> [text](https://example.com/) [bad](javascript:alert)`,
            "```rs\nfn main() {}\n```",
        ].join("\n");
        await post({ content, allowed_mentions: { parse: ["users"] } });
        for (const [selector, text] of [
            [".h1", "Head"],
            ["small", "small"],
            ["blockquote", "quoted"],
            ["li li", "two"],
            ["strong", "bold"],
            ["em", "it"],
            ["u", "un"],
            ["s", "st"],
            ["code", "code"],
            ["pre code", "fn main"],
            [".mention", "@Rustaceans-owner"],
            [".mention", "@players"],
            ["a.mention", "quiet"],
            ["time", "in 1 hour"],
            ["a[href='https://example.com/']", "text"],
        ])
            await sees(`.message.notifies .content ${selector}`, text);
        await sees(".notifies .content", "*plain*");
        assert.equal(await count("a[href^=javascript]"), 0);
        await press(".spoiler", "");
        await sees(".spoiler.shown", "secret");
    });

    await step("embeds and attachments are shown", async () => {
        const form = new FormData();
        const fields = ["Players", "Map", "Wiped"].map((name) => ({ name, value: "**12**", inline: true }));
        const embed = {
            author: { name: "Main" },
            title: "Server started",
            url: "https://example.com/",
            description: "It is **up**",
            color: 0x23a55a,
            fields,
            footer: { text: "guildwire 🟢" },
            timestamp: "2024-05-01T12:00:00Z",
            thumbnail: { url: "https://example.com/far.png" },
        };
        form.set("payload_json", JSON.stringify({ embeds: [embed] }));
        const text = Array.from({ length: 12 }, (_, at) => `line ${at} <i>`).join("\n");
        form.set("files[0]", new Blob([text], { type: "text/plain" }), "events.txt");
        await call("POST", `/api/v10/channels/${world.channel}/messages`, form, AGENT);
        await sees(".embed-title a", "Server started");
        await sees(".embed-field.of3 .embed-field-value strong", "12");
        await sees(".embed-footer", "guildwire 🟢");
        const bar = await page.$eval(".embed", (node) => getComputedStyle(node).borderLeftColor);
        assert.equal(bar, "rgb(35, 165, 90)");
        await sees(".attachment .preview", "line 3 <i>");
        await press(".expand", "Expand");
        await sees(".attachment .preview", "line 11 <i>");
        assert.equal(await count(".attachment a[download]"), 2);
        await picture("messages");
    });

    await step("a person writes", async () => {
        await page.focus("textarea");
        await type("hi **all**");
        await keys("Enter");
        await sees(".content strong", "all");
        await sees(".message:last-child .author", "Rustaceans-owner");
    });

    await step("a slash offers the commands, and a sub-command takes its options", async () => {
        await type("/no");
        await sees(".menu-item.active", "/notify add");
        await picture("commands");
        await keys("Enter");
        await sees(".command-name", "/notify add");
        await sees(".menu-item", "events");
        await keys("Enter");
        await sees(".menu-item", "Lifecycle");
        await keys("Enter");
        await keys("ArrowDown");
        await sees(".menu-item.active", "server");
        await keys("Enter");
        await sees(".menu-item", "eu-main 🟢");
        await type("seco");
        await gone(".menu-item", "eu-main");
        await picture("options");
        await sees(".menu-item.active", "eu-second");
        await keys("Enter", "Enter");
        const answer = await sees(".content", "got [");
        assert.deepEqual(
            JSON.parse(answer.slice(4))[0].options.map((of) => [of.name, of.value]),
            [
                ["channel", world.channel],
                ["events", "lifecycle"],
                ["server", "eu-second"],
            ],
        );
        await sees(".reference", "used notify");
    });

    await step("what is missing or wrong is said before anything is sent", async () => {
        await type("/count ");
        await sees(".chip.needed", "amount");
        await keys("Enter");
        await sees(".hint.wrong", "amount: this option is required");
        await type("many");
        await keys("Enter");
        await sees(".hint.wrong", "whole number");
        await keys("Escape");
        await gone(".command");
        await type("/nothing");
        await sees(".menu-note", "No commands match");
        await keys("Enter");
        await sees(".hint.wrong", "There is no command /nothing");
        await page.$eval("textarea", (node) => ((node.value = ""), node.dispatchEvent(new Event("input"))));
    });

    await step("only this person sees an ephemeral answer, until it is dismissed", async () => {
        await type("/whisper");
        await keys("Enter", "Enter");
        await sees(".message.ephemeral .content", "a secret");
        await press(".ephemeral .text-button", "Dismiss message");
        await gone(".content", "a secret");
    });

    await step("a deferred answer is awaited, a missing one is told", async () => {
        await type("/think");
        await keys("Enter", "Enter");
        await sees(".thinking", "is thinking…");
        await sees(".content", "thought through");
        await gone(".thinking");
        await type("/silent");
        await keys("Enter", "Enter");
        await sees(".thinking", "Sending command…");
        await sees(".tail .error", "The application did not respond");
        await press(".tail .text-button", "Dismiss message");
        await gone(".tail .error");
    });

    await step("buttons, selects and a modal reach the bot", async () => {
        await type("/status");
        await keys("Enter", "Enter");
        await sees(".embed-title", "Main");
        await picture("components");
        await press("button.button", "Ignored");
        await sees(".failed", "This interaction failed");
        await press("button.button", "Ask");
        await sees("dialog h2", "Tell us");
        await sees("dialog .modal-field", "Files cannot be attached on this page.");
        await type("x");
        await press("dialog button", "Submit");
        await sees(".modal-error", "name: its length is not allowed");
        await type("yz");
        await page.focus("dialog .select-input");
        await sees("dialog .menu-item", "Praise");
        await picture("modal");
        await press("dialog .menu-item", "Blame");
        await press("dialog button", "Submit");
        const filled = await sees(".content", "filled: ");
        assert.match(filled, /"value":"xyz"/);
        assert.match(filled, /"values":\["blame"\]/);
        await gone("dialog");
        await page.$eval("[aria-label='Which kinds?']", (node) => node.focus());
        await keys("Enter", "ArrowDown", "Enter", "Tab");
        await sees(".content", "chosen: started, stopped");
        await page.$eval("[aria-label='Which channel?']", (node) => node.focus());
        const below = await page.$eval(".select .menu:not([hidden])", (node) => node.getBoundingClientRect().bottom);
        assert.ok(below <= 800 - 44, `the choices are in sight: they end at ${below}`);
        await type("qui");
        await keys("Enter");
        await sees(".content", `chosen: ${quiet}`);
        await press("button.button", "Stop");
        await sees(".content", "stopped");
        await gone("button.button", "Ask");
    });

    await step("someone else is offered less", async () => {
        await press("button.account");
        await type("eve");
        await sees("#account .menu-item.active", "<b>eve</b>");
        await keys("Enter");
        await sees(".account-name", "<b>eve</b>");
        await page.focus("textarea");
        await type("/");
        await sees(".menu-item", "/status");
        await gone(".menu-item", "/notify add");
        await keys("Backspace");
        await press("button.account");
        await type("owner");
        await keys("Enter");
        await sees(".account-name", "Rustaceans-owner");
    });

    await step("elsewhere it is unread, and a mention is counted", async () => {
        await bot("POST", `/channels/${quiet}/messages`, { content: "the first one here" });
        await sees("#channels .channel.unread", "quiet");
        assert.equal(await count("#channels .badge"), 0);
        await press("#channels .channel", "quiet");
        await sees("#channel-name h1", "quiet");
        await gone("#channels .channel.unread");
        assert.ok(page.url().endsWith(`#/channels/${world.guild}/${quiet}`));
        await post({ content: `<@${world.owner}> come`, allowed_mentions: { parse: ["users"] } });
        await sees("#channels .channel.unread .badge", "1");
        await page.waitForFunction(() => document.title.startsWith("(1)"));
        await page.goBack();
        await sees(".content", "come");
        await gone("#channels .badge");
    });

    await step("Discord goes away and comes back", async () => {
        await sim("/away", {});
        await sees("#notice", "Discord is away");
        await sees(".member.offline", "guildwire");
        await picture("away");
        await sim("/back", {});
        await gone("#notice");
        await sees(".member:not(.offline)", "guildwire");
        await post({ content: "back again" });
        await sees(".content", "back again");
    });

    await step("a thousand messages do not freeze it", async () => {
        await page.evaluate(() => {
            window.longest = 0;
            let last = performance.now();
            const beat = () => {
                window.longest = Math.max(window.longest, performance.now() - last);
                last = performance.now();
                setTimeout(beat, 10);
            };
            beat();
        });
        const began = Date.now();
        for (let at = 0; at < 1000; at += 20) {
            await Promise.all(
                Array.from({ length: 20 }, (_, of) =>
                    post({ content: `storm ${at + of}`, embeds: [{ description: `**${at + of}**` }] }),
                ),
            );
        }
        await post({ content: "calm" });
        await sees(".content", "calm");
        const longest = await page.evaluate(() => window.longest);
        console.log(
            `a thousand messages in ${Date.now() - began} ms; the page was busy for ${Math.round(longest)} ms at most`,
        );
        assert.ok(longest < 1500, `the page stood still for ${longest} ms`);
        assert.ok((await count(".message")) <= 200, "not everything is kept");
        const shown = await page.$eval("#timeline", (node) => node.scrollHeight - node.scrollTop - node.clientHeight);
        assert.ok(shown < 60, "it follows what comes");
        await page.$eval("#timeline", (node) => (node.scrollTop = 0));
        await sees("#present", "older messages");
        await page.waitForFunction(
            () =>
                document.querySelector("#timeline").scrollTop > 0 || document.querySelectorAll(".message").length > 200,
        );
        await press("#present");
        await gone("#present");
    });

    await step("a narrow window shows the chat, and the channels on demand", async () => {
        await page.setViewport({ width: 400, height: 700 });
        await gone("#channels .channel");
        await sees("#channel-name h1", "events");
        await picture("narrow");
        const drawn = await page.$eval("button[aria-label=Channels] svg", (node) =>
            node.getBoundingClientRect().toJSON(),
        );
        assert.deepEqual([drawn.width, drawn.x >= 0 && drawn.bottom <= 48], [20, true]);
        await page.click("button[aria-label=Channels]");
        await sees("#channels .channel", "quiet");
    });

    await step("it asked nobody else, and nothing went wrong", async () => {
        assert.deepEqual(story.strays, []);
        assert.deepEqual(story.errors, []);
    });
    console.log("the page's story: told");
} finally {
    await close();
}
process.exit(0);
