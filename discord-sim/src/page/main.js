// Puts the page together: what is looked at, as whom, and who draws what.

import { createAccount } from "./account.js";
import { createActions } from "./actions.js";
import { createApi } from "./api.js";
import { createChannels } from "./channels.js";
import { createComposer } from "./composer.js";
import { el, fill } from "./dom.js";
import { createGuilds } from "./guilds.js";
import { channelIcon, icon } from "./icons.js";
import { createLive } from "./live.js";
import { createMembers } from "./members.js";
import { createNames } from "./mention.js";
import { openModal } from "./modal.js";
import { tick } from "./render.js";
import { address, current } from "./route.js";
import { createState } from "./state.js";
import { createTimeline } from "./timeline.js";

const at = (id) => document.getElementById(id);
const app = at("app");

const state = createState();
const names = createNames(state);
const api = createApi(() => state.frame.view);
const context = { state, names, api };
context.actions = createActions(state, api, (reply) => openModal(context, reply));
const connect = createLive(state);

/** As whom one acts, by guild. */
const actors = new Map();
const look = () => {
    const { guild, channel } = current();
    connect({ guild, channel, user: actors.get(guild) });
};

createGuilds(context, at("guilds"));
createChannels(context, { title: at("guild-name"), list: at("channels") });
createMembers(context, at("members"));
createAccount(context, at("account"), (user) => {
    actors.set(state.frame.view.guild, user);
    state.forget();
    look();
});
createTimeline(context, { box: at("timeline"), present: at("present"), loadOlder });
const composer = createComposer(context, at("composer"));
drawHeader();
drawNotice();
drawTitle();
tick();

window.addEventListener("hashchange", () => {
    const { guild, channel } = current();
    const view = state.frame?.view;
    app.classList.remove("open");
    if (view && view.guild === guild && view.channel === channel) return;
    look();
});
// Typing anywhere goes into the box, as in Discord.
document.addEventListener("keydown", (event) => {
    const writes = event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey;
    const elsewhere = document.activeElement === document.body || document.activeElement === at("timeline");
    if (writes && elsewhere && event.key !== " ") composer.focus();
});
// The address says where one is, also when the simulator chose.
state.on("frame", () => {
    const { guild, channel } = state.frame.view;
    const here = address(guild, channel === "0" ? "" : channel);
    if (guild !== "0" && location.hash !== here) history.replaceState(null, "", here);
});
look();

async function loadOlder() {
    const first = state.order[0];
    const { channel } = state.frame.view;
    if (!first) return;
    try {
        const older = await api.older(first);
        if (channel === state.frame.view.channel) state.prepend(older, older.length >= 50);
    } catch {
        // Scrolling on asks again.
    }
}

function drawHeader() {
    const header = at("channel-name");
    state.on("frame", () => {
        const channel = names.channel(state.frame.view.channel);
        const toggle = (name) => () => app.classList.toggle(name);
        fill(
            header,
            el(
                "button",
                { type: "button", class: "icon-button narrow-only", "aria-label": "Channels", onclick: toggle("open") },
                icon("menu"),
            ),
            channel && channelIcon(channel),
            el("h1", {}, channel?.name ?? "No channel"),
            channel?.topic && el("span", { class: "topic" }, channel.topic),
            el(
                "button",
                {
                    type: "button",
                    class: "icon-button last",
                    "aria-label": "Members",
                    title: "Members",
                    onclick: toggle("without-members"),
                },
                icon("people"),
            ),
        );
    });
}

/** Says when what is shown may be old. */
function drawNotice() {
    const notice = at("notice");
    const update = () => {
        const { away, guild, guilds } = state.frame ?? {};
        const out = guilds?.find((of) => of.id === guild?.id)?.out;
        const text = !state.linked
            ? "The connection to the simulator is lost. Trying again…"
            : away
              ? "Discord is away: the bot cannot reach it. Everything goes on once it is back."
              : out
                ? "This server is unavailable: Discord has an outage."
                : "";
        fill(notice, text);
        notice.hidden = text === "";
    };
    let timer = 0;
    state.on("frame", update);
    state.on("linked", () => {
        // A connection that is dropped and stands again a moment later is no news.
        clearTimeout(timer);
        if (state.linked) update();
        else timer = setTimeout(update, 1500);
    });
    notice.hidden = true;
}

function drawTitle() {
    const update = () => {
        const news = [...state.news.values()];
        const mentions = news.reduce((sum, of) => sum + of.mentions, 0);
        const unread = news.some((of) => of.newest !== of.read);
        const channel = names.channel(state.frame?.view.channel)?.name;
        const mark = mentions > 0 ? `(${mentions}) ` : unread ? "• " : "";
        document.title = `${mark}${channel ? `#${channel} | ` : ""}${state.frame?.guild?.name ?? "discord-sim"}`;
    };
    state.on("news", update);
}
