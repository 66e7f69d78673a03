//! What an account's game servers published: number by number, whether JetStream acknowledged it, and whether the
//! stream lost it later by somebody's hand.

/// What an event tells, as far as bindings choose by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A server came up, stops, stopped or was wiped. The number is the server's id.
    Lifecycle,
    /// A player joined or left. The number is the player's name.
    Player,
    /// A player said the number.
    Chat,
    /// A player was banned. The number is the player's name.
    Ban,
}

impl Kind {
    /// All of them.
    pub(crate) const ALL: [Kind; 4] = [Kind::Lifecycle, Kind::Player, Kind::Chat, Kind::Ban];

    /// Whether a binding to this group of events hears it.
    pub(crate) fn is_in(self, group: &str) -> bool {
        match group {
            "lifecycle" => self == Self::Lifecycle,
            "players" => self == Self::Player,
            "chat" => self == Self::Chat,
            "everything" => self != Self::Chat,
            _ => false,
        }
    }
}

/// One event that was published.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    /// Where it stands in the stream, once JetStream said so. What was not acknowledged may be stored all the same.
    pub(crate) sequence: Option<u64>,
    /// Which cut took it out of the stream.
    pub(crate) cut: Option<usize>,
}

/// Everything an account published; number `n` is the entry `n - 1`.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) entries: Vec<Entry>,
    cuts: usize,
}

impl Ledger {
    /// Notes that what satisfies `is_gone`, and was not gone yet, is no longer in the stream. Answers with how many
    /// these are.
    pub(crate) fn cut(&mut self, is_gone: impl Fn(usize, &Entry) -> bool) -> usize {
        let cut = self.cuts;
        self.cuts += 1;
        let mut gone = 0;
        for (index, entry) in self.entries.iter_mut().enumerate() {
            if entry.cut.is_none() && is_gone(index, entry) {
                entry.cut = Some(cut);
                gone += 1;
            }
        }
        gone
    }

    /// How many of the published were acknowledged.
    pub(crate) fn acknowledged(&self) -> usize {
        self.entries.iter().filter(|entry| entry.sequence.is_some()).count()
    }

    /// The last number of one of these kinds that is acknowledged and was not cut off.
    pub(crate) fn last(&self, is_wanted: impl Fn(Kind) -> bool) -> Option<u32> {
        let lives = |entry: &Entry| entry.sequence.is_some() && entry.cut.is_none() && is_wanted(entry.kind);
        self.entries.iter().rposition(lives).map(count)
    }
}

/// The number of the entry at `index`.
pub(crate) fn count(index: usize) -> u32 {
    u32::try_from(index + 1).unwrap_or(u32::MAX)
}
