// Puts what is so on the page. Everything is set as text: names are other people's.

const BUTTONS = [
    ["join", "Join"], ["leave", "Leave"], ["chat", "Chat"], ["ban", "Ban"],
    ["wipe", "Wipe"], ["stop", "Stop"], ["start", "Start"], ["crash", "Crash"],
];
const TITLES = {
    join: "A player joins", leave: "A player leaves", chat: "A player says something", ban: "A player is banned",
    wipe: "The server is wiped", stop: "The server stops", start: "The server starts",
    crash: "The server dies, and tells nobody",
};

const $ = (id) => document.getElementById(id);
const cards = new Map();
let lines = 0;

function element(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
}

/** Sets a text only where it changed, so that nobody's selection or screen reader is disturbed. */
function say(node, text) {
    if (node.textContent !== text) node.textContent = text;
}

export function draw(state) {
    const frame = $("discord");
    if (frame.getAttribute("src") !== state.frame) {
        frame.src = state.frame;
        $("waiting").hidden = true;
    }
    say($("first"), state.ready ? `first message after ${state.first_message.toFixed(1)} s` : "setting up…");
    for (const server of state.town.servers) drawServer(server, state.ready);
    say($("away"), `for ${state.away} s`);
    for (const button of document.querySelectorAll(".parts button")) drawPart(button, state);
    drawMetrics(state.metrics, state.parts.bot);
    drawLog(state);
}

/** The demo does not answer any more. */
export function over() {
    say($("first"), "the demo has ended");
    for (const button of document.querySelectorAll("button")) button.disabled = true;
}

function card(name) {
    const title = element("h3", {}, element("i"), name, element("span"));
    const players = element("ul", { className: "players" });
    players.setAttribute("aria-label", `Players on ${name}`);
    const buttons = BUTTONS.map(([action, label]) => {
        const button = element("button", { type: "button", title: TITLES[action] }, label);
        Object.assign(button.dataset, { action, server: name });
        button.setAttribute("aria-label", `${TITLES[action]}: ${name}`);
        return button;
    });
    const last = element("p");
    const whole = element("div", { className: "server" }, title, last, players, element("div", { className: "buttons" }, ...buttons));
    $("servers").append(whole);
    return { title, players, buttons, last };
}

function drawServer({ name, state, last, players }, ready) {
    if (!cards.has(name)) cards.set(name, card(name));
    const { title, players: list, buttons, last: line } = cards.get(name);
    title.dataset.state = state;
    say(title.lastChild, `${state} · ${players.length} ${players.length === 1 ? "player" : "players"}`);
    say(line, last || "nothing yet");
    if (list.dataset.names !== players.join("\n")) {
        list.dataset.names = players.join("\n");
        list.replaceChildren(...players.map((player) => element("li", {}, player)));
    }
    const runs = state === "running";
    for (const button of buttons) {
        const { action } = button.dataset;
        const wantsPlayers = ["leave", "chat", "ban"].includes(action);
        const can = action === "start" ? ["stopped", "crashed"].includes(state) : runs && (!wantsPlayers || players.length > 0);
        button.disabled = !ready || !can;
        button.hidden = action === "start" ? runs || state === "stopping" : action === "stop" && !runs;
    }
}

function drawPart(button, { ready, parts }) {
    const condition = parts[button.dataset.part] ?? "running";
    if (button.dataset.part) button.dataset.state = condition;
    button.disabled = !ready || condition !== "running";
}

const count = (value) => (value === null ? "–" : value.toLocaleString("en"));
const time = (seconds) => {
    if (seconds === null) return "–";
    return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
};

function drawMetrics(metrics, bot) {
    say($("bot-state"), metrics ? "since it was started" : bot === "running" ? "no answer" : `the bot is ${bot}`);
    const show = (name, text, mood = "") => {
        const node = document.querySelector(`[data-metric="${name}"]`);
        say(node, text);
        node.className = mood;
    };
    if (!metrics) {
        for (const node of document.querySelectorAll("[data-metric]")) show(node.dataset.metric, "–");
        return;
    }
    for (const name of ["recorded", "outbox", "rejected", "lag", "limited"]) show(name, count(metrics[name]));
    for (const name of ["outbox", "lag"]) show(name, count(metrics[name]), metrics[name] > 10 ? "warn" : "");
    show("p50", time(metrics.p50));
    show("p99", time(metrics.p99));
    show("account", metrics.account ?? "–", metrics.account === "running" ? "good" : "warn");
    show("gateway", metrics.gateway ? "connected" : "away", metrics.gateway ? "good" : "warn");
    show("sends", metrics.sends.map(([outcome, times]) => `${count(times)} ${outcome.replace("_", " ")}`).join(" · ") || "–");
}

function line(after, who, what) {
    const minutes = `${Math.floor(after / 60)}:${String(Math.floor(after % 60)).padStart(2, "0")}`;
    return element("li", { className: who }, element("time", {}, minutes), element("b", {}, who), element("span", {}, what));
}

let newest = 0;

function append(...items) {
    const log = $("log");
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(...items);
    while (log.children.length > 100) log.firstChild.remove();
    if (atEnd) log.scrollTop = log.scrollHeight;
}

function drawLog({ log, lines: all }) {
    if (all < lines) {
        // Another demo answers at the same address: its log begins anew.
        $("log").replaceChildren();
        lines = 0;
    }
    const news = log.slice(Math.max(0, log.length - (all - lines)));
    lines = all;
    if (news.length === 0) return;
    newest = news.at(-1).after;
    append(...news.map(({ after, who, what }) => line(after, who, what)));
}

/** What was pressed can't happen right now. */
export function refused(why) {
    append(line(newest, "refused", why));
}
