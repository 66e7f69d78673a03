//! What `/why` answers: what became of the last events for a channel.

use std::time::Duration;

use super::{count, duration};

/// Nothing goes to that channel.
#[must_use]
pub fn nothing_goes_to(channel: u64) -> String {
    format!(
        "Nothing is sent to <#{channel}>. `/notify list` shows which channels hear something: choose one of them with \
         the option `binding`, or use `/why` there."
    )
}

/// Something hinders the channel, and that much waits.
#[must_use]
pub fn hindered(channel: u64, hindrance: &str, waiting: u64) -> String {
    let waiting = match waiting {
        0 => "Nothing waits for it.".to_owned(),
        1 => "1 item waits for it and is kept.".to_owned(),
        waiting => format!("{waiting} items wait for it and are kept."),
    };
    format!("🔴 <#{channel}> gets no messages right now. {hindrance} {waiting}")
}

/// That much is on its way, and nothing hinders it.
#[must_use]
pub fn on_its_way(channel: u64, waiting: u64) -> String {
    format!("🕓 {} on the way to <#{channel}> right now.", count(waiting, "item"))
}

/// All that there is waits for others that are told with it.
#[must_use]
pub fn all_held(channel: u64, waiting: u64, until: i64) -> String {
    format!("🕓 {} for <#{channel}>, told together with what comes until <t:{until}:R>.", count(waiting, "item"))
}

/// Whatever there was to show was shown or set aside.
#[must_use]
pub fn nothing_waits(channel: u64) -> String {
    format!("🟢 Nothing waits to be shown in <#{channel}>.")
}

/// Nothing was shown, nor is anything to be.
#[must_use]
pub fn nothing_yet(channel: u64) -> String {
    format!("⚪ No event for <#{channel}> has come so far, as far back as I remember.")
}

/// The same of one binding: others may have shown something in its channel.
#[must_use]
pub fn nothing_of_binding_yet(binding: i64) -> String {
    format!("⚪ I know of no event for `#{binding}` so far.")
}

/// Since when a binding hears events.
#[must_use]
pub fn covered_since(since: i64) -> String {
    format!("\nsince <t:{since}:f>")
}

/// A binding that does not hear anything yet.
pub const NOT_COVERED: &str = "\nnot yet: it begins when its account can be read";

/// The last events, a line each.
pub const LAST_EVENTS: &str = "**The last events**";

/// When something happened and what, within a line.
#[must_use]
pub fn at(at: i64, what: &str) -> String {
    format!("<t:{at}:R> {what}")
}

/// Many events that have the same to tell, within a line: the first and the last of them.
#[must_use]
pub fn from_first_to_last(events: u64, first: &str, last: &str) -> String {
    format!("**{events} events**, the first {first}, the last {last}")
}

/// The same, where the first is not looked at.
#[must_use]
pub fn up_to_last(events: u64, last: &str) -> String {
    format!("**{events} events**, the last {last}")
}

/// The same, where it is not known how many there are.
#[must_use]
pub fn at_least_up_to_last(events: u64, last: &str) -> String {
    format!("**{} or more**, the last {last}", count(events, "event"))
}

/// A sample, in a line.
pub const SAMPLE_LINE: &str = "🧪 a sample, for `/notify test`";

/// A notice about an account, in a line.
#[must_use]
pub fn notice_line(account: &str) -> String {
    format!("📣 a notice of mine about **{account}**")
}

/// A notice about a channel that takes no messages, in a line.
#[must_use]
pub fn stopped_line(channel: u64) -> String {
    format!("📣 a notice of mine about <#{channel}>")
}

/// Something that was shown, with the message it stands in, and how long after it, or the first of many, was stored.
#[must_use]
pub fn shown(what: &str, link: Option<&str>, took: Option<Duration>, are_many: bool) -> String {
    let link = link.map_or_else(|| "shown, and deleted since".to_owned(), |link| format!("[shown]({link})"));
    let took = match took {
        Some(took) if are_many => format!(", the first after {}", short(took)),
        Some(took) => format!(" after {}", short(took)),
        None => String::new(),
    };
    format!("✅ {what} · {link}{took}")
}

/// A message was shown as plain text.
#[must_use]
pub fn shown_plain(reason: &str) -> String {
    format!(", as plain text: Discord did not accept it otherwise ({reason})")
}

/// A message was shown without what players wrote.
#[must_use]
pub fn shown_withheld(reason: &str) -> String {
    format!(", without what players wrote: AutoMod did not let that pass ({reason})")
}

/// Something that was set aside, which is told of elsewhere, too.
#[must_use]
pub fn not_accepted(what: &str) -> String {
    format!("⛔ {what} · not shown: the reason is below")
}

/// Something that is sent.
#[must_use]
pub fn goes_out(what: &str, is_hindered: bool) -> String {
    let how = if is_hindered { "is next; why it waits is said above" } else { "is being sent" };
    format!("🕓 {what} · {how}")
}

/// Something that waits for what goes before it.
#[must_use]
pub fn waits(what: &str, is_hindered: bool) -> String {
    let how = if is_hindered { "waits, for the reason above" } else { "waits for its turn" };
    format!("🕓 {what} · {how}")
}

/// Something that is held.
#[must_use]
pub fn held(what: &str, until: i64) -> String {
    format!("🕓 {what} · waits for others to be told with it, until <t:{until}:R>")
}

/// Which bindings a line's events are for.
#[must_use]
pub fn for_bindings(ids: &[i64]) -> String {
    let ids = ids.iter().map(|id| format!("`#{id}`")).collect::<Vec<_>>().join(", ");
    format!(" · for {ids}")
}

/// What was given up, a line for each kind.
pub const GIVEN_UP: &str = "**Given up, because it waited for too long, or too much of it did**";

/// Events of one kind that were given up, and not yet told of.
#[must_use]
pub fn given_up_line(events: u64, kind: &str, first: i64, last: i64) -> String {
    let events = count(events, "event");
    format!("🗑️ {events} of **{kind}**, from <t:{first}:f> to <t:{last}:f>: the next message says so")
}

/// The messages that were set aside last, with their events: Discord did not accept them, or its refusing the channel
/// lasted too long.
pub const SET_ASIDE: &str = "**Not shown, and not tried again**";

/// A message that was set aside. What it was to tell comes below.
#[must_use]
pub fn message_set_aside(at: i64, items: u64, reason: &str) -> String {
    format!("⛔ <t:{at}:R>: {}. {reason}", count(items, "item"))
}

/// More that was set aside, before what is told of.
#[must_use]
pub fn older_set_aside(items: u64) -> String {
    format!("⛔ {} before that", count(items, "item"))
}

/// What a message that was set aside was to tell.
#[must_use]
pub fn set_aside_line(what: &str) -> String {
    format!("· {what}")
}

/// No server of an account was ever heard.
#[must_use]
pub fn no_server_heard(account: &str) -> String {
    format!(
        "No game server of **{account}** has sent anything since I read its events. Ask the account's owner whether its \
         servers publish there."
    )
}

/// What the servers behind a binding sent last, a line each.
#[must_use]
pub fn servers_heard(binding: i64, lines: &str) -> String {
    format!("**What the servers sent last, and why I know of nothing that `#{binding}` showed of it**\n{lines}")
}

/// A server's last event, and why a binding did not show it.
#[must_use]
pub fn server_silent(server: &str, last: i64, why: &str) -> String {
    format!("**{server}** sent something <t:{last}:R>: {why}")
}

/// The binding is of another server.
pub const HEARS_ANOTHER_SERVER: &str = "another server than this entry's";

/// The binding did not hear anything then.
pub const SENT_BEFORE_IT_BEGAN: &str = "that was before this entry began";

/// The binding hears nothing for now.
pub const PAUSED: &str = "this entry is paused";

/// It was of other kinds, or shown and forgotten since.
pub const HEARS_OTHER_KINDS: &str = "not among the events that this entry hears, or shown longer ago than I remember";

/// What on an account's stream was no event.
#[must_use]
pub fn rejected(account: &str, reasons: &str) -> String {
    format!(
        "Of what came on the stream of **{account}** in the last 24 hours, I could not read: {reasons}. That is for \
         whoever publishes there."
    )
}

/// How many messages were no events for a reason, by the reason's name.
#[must_use]
pub fn rejected_for(number: u64, reason: &str) -> String {
    let why = match reason {
        "malformed_subject" => "a subject that is none",
        "outside_root" => "a subject outside of what I read",
        "not_an_event" => "a subject that names no event",
        "jetstream_answer" => "an answer of JetStream's for a payload",
        other => other,
    };
    format!("{number} with {why}")
}

/// What an answer to `/why` is worth.
pub const WHY_REMARK: &str = "From what I still keep, which is some days. Of events that no game server published, I \
                              can't know. Two clocks are compared: nats-server's and mine.";

/// A duration, to the tenth of a second where it is short.
fn short(took: Duration) -> String {
    if took < Duration::from_secs(10) { format!("{:.1} seconds", took.as_secs_f64()) } else { duration(took) }
}
