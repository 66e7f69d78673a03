// The rail of guilds.

import { acronym } from "./avatar.js";
import { el, fill } from "./dom.js";
import { address } from "./route.js";

export function createGuilds({ state }, nav) {
    const update = () => {
        const { guilds, view } = state.frame ?? {};
        if (!guilds) return;
        const news = [...state.news.values()];
        fill(
            nav,
            ...guilds.map((guild) => {
                const here = news.filter((of) => of.guild === guild.id);
                const mentions = here.reduce((sum, of) => sum + of.mentions, 0);
                const unread = here.some((of) => of.newest !== of.read);
                const classes = ["guild"];
                if (guild.id === view.guild) classes.push("selected");
                if (unread) classes.push("unread");
                if (guild.out) classes.push("out");
                return el(
                    "div",
                    { class: classes.join(" ") },
                    el("span", { class: "marker", "aria-hidden": "true" }),
                    el(
                        "a",
                        {
                            href: address(guild.id),
                            title: guild.out ? `${guild.name} (unavailable)` : guild.name,
                            "aria-label": [guild.name, unread && "unread", guild.out && "unavailable"]
                                .filter(Boolean)
                                .join(", "),
                            "aria-current": guild.id === view.guild ? "page" : null,
                        },
                        guild.out ? "!" : acronym(guild.name),
                    ),
                    mentions > 0 &&
                        el(
                            "span",
                            { class: "badge", "aria-label": `${mentions} mentions` },
                            String(Math.min(mentions, 99)),
                        ),
                );
            }),
        );
    };
    state.on("news", update);
}
