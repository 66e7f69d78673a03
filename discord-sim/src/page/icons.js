// The few pictures of the page, drawn for it.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
    hash: "M9 3 7 21M17 3l-2 18M4 9h17M3 15h17",
    announcement: "M3 10v4l4 1 10 5V4L7 9zM7 9v6M8 15l1 6h3l-1-4M21 9v6",
    voice: "M4 9v6h4l5 4V5L8 9zM16 9a4 4 0 0 1 0 6M18.5 6.5a8 8 0 0 1 0 11",
    thread: "M5 4v8a4 4 0 0 0 4 4h10M15 12l4 4-4 4",
    forum: "M4 4h16v12H10l-5 4v-4H4zM8 8h8M8 12h5",
    chevron: "M6 9l6 6 6-6",
    pin: "M14 3l7 7-3 1-4 4-1 5-4-4-5 5 5-5-4-4 5-1 4-4z",
    people: "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-7 7-7s7 3 7 7M17 4a4 4 0 0 1 0 7M18 14c3 1 4 4 4 7",
    menu: "M4 6h16M4 12h16M4 18h16",
    file: "M6 2h8l5 5v15H6zM14 2v5h5M9 12h7M9 16h7",
    picture: "M4 4h16v16H4zM4 16l5-5 4 4 3-3 4 4M15 8.5h.01",
    download: "M12 3v12M7 11l5 5 5-5M4 21h16",
    external: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
    eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
    slash: "M16 3L8 21",
    crown: "M3 7l4 4 5-7 5 7 4-4-2 12H5z",
};

/**
 * A line drawing in the text's colour; hidden from screen readers, what it means is said in words beside it.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("class", "icon");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", PATHS[name]);
    svg.append(path);
    return svg;
}

const KINDS = { 2: "voice", 5: "announcement", 15: "forum", 16: "forum" };

/** Whether it is a thread: of announcements, public, or private. */
export const isThread = (channel) => [10, 11, 12].includes(channel.type);

/** The picture of a channel's type. */
export const channelIcon = (channel) => icon(isThread(channel) ? "thread" : (KINDS[channel.type] ?? "hash"));
