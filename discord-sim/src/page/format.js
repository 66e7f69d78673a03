// Times, sizes and numbers as Discord writes them (https://discord.com/developers/docs/reference#message-formatting).

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

const STYLES = {
    t: { timeStyle: "short" },
    T: { timeStyle: "medium" },
    d: { dateStyle: "short" },
    D: { dateStyle: "long" },
    f: { dateStyle: "long", timeStyle: "short" },
    F: { dateStyle: "full", timeStyle: "short" },
    s: { dateStyle: "short", timeStyle: "short" },
    S: { dateStyle: "short", timeStyle: "medium" },
};
const formats = Object.fromEntries(
    Object.entries(STYLES).map(([style, options]) => [style, new Intl.DateTimeFormat(undefined, options)]),
);

const UNITS = [
    ["year", 31_536_000],
    ["month", 2_592_000],
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
];

/** `<t:…:R>`: "in 5 minutes", "3 hours ago". */
export function ago(milliseconds, now) {
    const seconds = Math.trunc((milliseconds - now) / 1000);
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
    return relative.format(Math.trunc(seconds / size), unit);
}

/** A `<t:…>` of any style. */
export function moment(milliseconds, style) {
    if (style === "R") return ago(milliseconds, Date.now());
    return (formats[style] ?? formats.f).format(milliseconds);
}

/** Beside a message's author: the time, with the day when it was not today. */
export function stamp(milliseconds) {
    const day = dayOf(milliseconds);
    const time = clock.format(milliseconds);
    if (day === dayOf(Date.now())) return time;
    if (day === dayOf(Date.now() - 86_400_000)) return `Yesterday at ${time}`;
    return formats.s.format(milliseconds);
}

/** Only the time, beside a message that has no author line. */
export const time = (milliseconds) => clock.format(milliseconds);

/** The whole of it, for tooltips. */
export const full = (milliseconds) => formats.F.format(milliseconds);

/** The day as on a divider. */
export const longDay = (milliseconds) => formats.D.format(milliseconds);

export const dayOf = (milliseconds) => new Date(milliseconds).toDateString();

/** A file's size. */
export function size(bytes) {
    if (bytes < 1024) return `${bytes} bytes`;
    const kilo = bytes / 1024;
    return kilo < 1024 ? `${kilo.toFixed(2)} KB` : `${(kilo / 1024).toFixed(2)} MB`;
}
