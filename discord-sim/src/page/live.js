// The stream of what changed, for one person in one channel. It connects again by itself.

const AGAIN_AFTER = 1000;

/**
 * @param {import("./state.js").State} state
 * @returns {(view: { guild?: string, channel?: string, user?: string }) => void} looks elsewhere from now on
 */
export function createLive(state) {
    let source = null;
    let timer = 0;

    const connect = (view) => {
        source?.close();
        clearTimeout(timer);
        const given = Object.entries(view).filter(([, value]) => value && value !== "0");
        const mine = new EventSource(`/sim/live?${new URLSearchParams(given)}`);
        source = mine;
        mine.addEventListener("message", (event) => {
            state.setLinked(true);
            state.apply(JSON.parse(event.data));
        });
        mine.addEventListener("error", () => {
            state.setLinked(false);
            // The browser goes on by itself, unless it was answered something else than a stream.
            if (mine.readyState === EventSource.CLOSED && mine === source) {
                timer = setTimeout(() => connect(view), AGAIN_AFTER);
            }
        });
    };
    return connect;
}
