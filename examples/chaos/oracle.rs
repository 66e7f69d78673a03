//! The oracle: what was published, against what people see. It knows the numbers that JetStream acknowledged, and the
//! texts and attached text files of the messages in the channels; and nothing of the bot.

use std::collections::{BTreeMap, BTreeSet};

use discord_sim::{Message, Sim};

use crate::ledger::{Entry, Ledger, count};
use crate::numbers::{LETTERS, Number, numbers_in};
use crate::stage::{Channel, Stage};

/// What was seen while things broke, and can't be seen at the end.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    /// Messages that stood in a channel until a person deleted them.
    pub(crate) deleted: Vec<(u64, Place)>,
    /// Numbers that Discord refused for good, and `/why` told so in the channel, with the reason.
    pub(crate) told: BTreeSet<(u64, Number)>,
}

/// One message: what its text and its attachments show is one place.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) message: u64,
    /// In content and embeds, but for their footers, which repeat a server's name.
    text: Vec<Number>,
    /// In attached text files.
    attached: Vec<Number>,
}

impl Place {
    /// Reads a message as a person does.
    pub(crate) fn read(discord: &Sim, message: &Message) -> Place {
        let mut text: Vec<Number> = numbers_in(&message.content).collect();
        for embed in &message.embeds {
            let fields = embed.fields.iter().flat_map(|field| [Some(&field.name), Some(&field.value)]);
            let parts = [embed.author.as_ref(), embed.title.as_ref(), embed.description.as_ref()];
            for part in parts.into_iter().chain(fields).flatten() {
                text.extend(numbers_in(part));
            }
        }
        let files = discord.files(message).into_iter();
        let attached = files.flat_map(|(_, bytes)| numbers_in(&String::from_utf8_lossy(&bytes)).collect::<Vec<_>>());
        Place { message: message.id, text, attached: attached.collect() }
    }

    /// Where the message's order is judged: in the attachment if there is one.
    fn lines(&self) -> &[Number] {
        if self.attached.is_empty() { &self.text } else { &self.attached }
    }

    /// All that it shows.
    pub(crate) fn numbers(&self) -> BTreeSet<Number> {
        self.text.iter().chain(&self.attached).copied().collect()
    }
}

/// What a channel shows, and what stood there, from the oldest on.
pub(crate) fn places(discord: &Sim, channel: u64, evidence: &Evidence) -> Vec<Place> {
    let mut places: Vec<Place> =
        discord.messages(channel).iter().map(|message| Place::read(discord, message)).collect();
    places.extend(evidence.deleted.iter().filter(|(of, _)| *of == channel).map(|(_, place)| place.clone()));
    places.sort_by_key(|place| place.message);
    places
}

/// What the comparison came to: a line for each event that is not as it should be.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) lost: Vec<String>,
    pub(crate) doubled: Vec<String>,
    pub(crate) disordered: Vec<String>,
    /// Shown where nobody asked for it, or never published.
    pub(crate) stray: Vec<String>,
    /// Messages that were seen.
    pub(crate) messages: usize,
    /// Those with text files.
    pub(crate) attachments: usize,
    /// Numbers that were seen in a channel.
    pub(crate) shown: usize,
    /// Numbers that Discord refused for good and `/why` told.
    pub(crate) told: usize,
    /// Acknowledged numbers that a cut took away behind the last one that was shown of its history.
    pub(crate) cut_off: usize,
}

impl Verdict {
    /// Judges all channels.
    pub(crate) async fn of(stage: &Stage, evidence: &Evidence) -> Verdict {
        let mut verdict = Verdict::default();
        let mut seen = Vec::new();
        for channel in &stage.channels {
            let places = places(&stage.house.discord, channel.id, evidence);
            verdict.messages += places.len();
            verdict.attachments += places.iter().filter(|place| !place.attached.is_empty()).count();
            verdict.order(channel, &places);
            seen.push(verdict.sightings(channel, &places));
        }
        for account in &stage.accounts {
            let ledger = account.pause().await;
            let last_shown = last_shown(account.index, &ledger, &seen, evidence);
            for (channel, seen) in stage.channels.iter().zip(&seen) {
                verdict.completeness(channel, account.index, &ledger, seen, evidence, &last_shown);
            }
            for (channel, seen) in stage.channels.iter().zip(&seen) {
                verdict.strays(channel, account.index, &ledger, seen);
            }
        }
        verdict
    }

    /// Whether nothing is wrong.
    pub(crate) fn is_well(&self) -> bool {
        [&self.lost, &self.doubled, &self.disordered, &self.stray].into_iter().all(Vec::is_empty)
    }

    /// In which messages each number stands.
    fn sightings(&mut self, channel: &Channel, places: &[Place]) -> BTreeMap<Number, Vec<u64>> {
        let mut seen: BTreeMap<Number, Vec<u64>> = BTreeMap::new();
        for place in places {
            for number in place.numbers() {
                seen.entry(number).or_default().push(place.message);
            }
        }
        self.shown += seen.len();
        for (number, messages) in seen.iter().filter(|(_, messages)| messages.len() > 1) {
            self.doubled.push(format!("{number} in #{}: in the messages {messages:?}", channel.name));
        }
        seen
    }

    /// Numbers rise within each message and from one message to the next, for each account.
    fn order(&mut self, channel: &Channel, places: &[Place]) {
        let mut highest = [0; LETTERS.len()];
        for place in places {
            let mut within = [0; LETTERS.len()];
            for number in place.lines() {
                let before = &mut within[number.account];
                if number.count == *before {
                    self.doubled.push(format!("{number} in #{}: twice in message {}", channel.name, place.message));
                } else if number.count < *before {
                    self.disordered
                        .push(format!("{number} in #{}: behind {before} in message {}", channel.name, place.message));
                }
                *before = number.count.max(*before);
            }
            for number in place.numbers() {
                if number.count < highest[number.account] {
                    let before = highest[number.account];
                    self.disordered
                        .push(format!("{number} in #{}: in message {}, behind {before}", channel.name, place.message));
                }
            }
            for number in place.numbers() {
                highest[number.account] = highest[number.account].max(number.count);
            }
        }
    }

    /// Everything acknowledged that the channel wants is there, told by `/why`, or lay behind what a cut let through.
    fn completeness(
        &mut self,
        channel: &Channel,
        account: usize,
        ledger: &Ledger,
        seen: &BTreeMap<Number, Vec<u64>>,
        evidence: &Evidence,
        last_shown: &BTreeMap<usize, u32>,
    ) {
        for (index, entry) in ledger.entries.iter().enumerate() {
            let number = Number { account, count: count(index) };
            let is_told = evidence.told.contains(&(channel.id, number));
            if let Some(messages) = seen.get(&number).filter(|_| is_told) {
                self.doubled.push(format!("{number} in #{}: refused, says /why, and in {messages:?}", channel.name));
            }
            let is_due = entry.sequence.is_some() && channel.wants(account, entry.kind);
            if !is_due || seen.contains_key(&number) {
                continue;
            }
            if is_told {
                self.told += 1;
            } else if is_cut_off(entry, number, last_shown) {
                self.cut_off += 1;
            } else {
                self.lost.push(format!("{number} in #{}: {entry:?}", channel.name));
            }
        }
    }

    /// Nothing is shown that was not published, or that nobody asked for there.
    fn strays(&mut self, channel: &Channel, account: usize, ledger: &Ledger, seen: &BTreeMap<Number, Vec<u64>>) {
        for (number, messages) in seen.iter().filter(|(number, _)| number.account == account) {
            let entry = usize::try_from(number.count).ok().and_then(|count| ledger.entries.get(count.checked_sub(1)?));
            if !entry.is_some_and(|entry| channel.wants(account, entry.kind)) {
                self.stray.push(format!("{number} in #{}: {entry:?}, in the messages {messages:?}", channel.name));
            }
        }
    }
}

/// The last number that was shown anywhere of what each cut took away: the bot had read as far.
fn last_shown(
    account: usize,
    ledger: &Ledger,
    seen: &[BTreeMap<Number, Vec<u64>>],
    evidence: &Evidence,
) -> BTreeMap<usize, u32> {
    let mut last = BTreeMap::new();
    for (index, entry) in ledger.entries.iter().enumerate() {
        let Some(cut) = entry.cut else { continue };
        let number = Number { account, count: count(index) };
        if seen.iter().any(|seen| seen.contains_key(&number)) || evidence.told.iter().any(|(_, told)| *told == number) {
            last.insert(cut, number.count);
        }
    }
    last
}

fn is_cut_off(entry: &Entry, number: Number, last_shown: &BTreeMap<usize, u32>) -> bool {
    entry.cut.is_some_and(|cut| last_shown.get(&cut).is_none_or(|last| number.count > *last))
}
