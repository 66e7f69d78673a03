// Asks the demo what is so, once a second, and sends it what is pressed.
import { draw, refused, over } from "./view.js";

const EVERY = 1000;
let timer;

async function look() {
    clearTimeout(timer);
    try {
        const answer = await fetch("state");
        draw(await answer.json());
    } catch {
        over();
    }
    timer = setTimeout(look, EVERY);
}

async function press(button) {
    const { action, server } = button.dataset;
    // Until the next look tells whether it may be pressed again.
    button.disabled = true;
    try {
        const answer = await fetch("actions", {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(server ? { action, server } : { action }),
        });
        if (!answer.ok) refused((await answer.json()).error);
    } catch {
        over();
    }
    await look();
}

document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-action]");
    if (button) press(button);
});

look();
