//! How much one guild and one person may ask for. What was asked is kept in memory alone: a restart forgets it.

use std::hash::Hash;
use std::time::Duration;

use dashmap::DashMap;

use crate::domain::allowance::Allowance;
use crate::domain::ids::{GuildId, UserId};
use crate::domain::timestamp::Timestamp;

/// How many wrong codes are forgiven. A code can't be guessed; this keeps whoever tries from keeping the bot busy.
const WRONG_CODES_OF_A_USER: Allowance = Allowance::new(10, Duration::from_hours(1));
const WRONG_CODES_IN_A_GUILD: Allowance = Allowance::new(20, Duration::from_hours(1));

/// How many codes may be made. Each stays in the database until it expires.
const CODES_MADE_BY_A_USER: Allowance = Allowance::new(10, Duration::from_hours(1));
const CODES_MADE_IN_A_GUILD: Allowance = Allowance::new(20, Duration::from_hours(1));

/// How many codes of one account may wait to be used. Each is a way in for whoever finds it.
pub(super) const OPEN_CODES_OF_AN_ACCOUNT: u32 = 10;

/// How many who have spent something are remembered at once; a newcomer beyond is not counted.
const REMEMBERED: usize = 10_000;

/// What the operator allows.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Bindings in one guild.
    pub bindings_per_guild: usize,
    /// Accounts linked to one guild.
    pub accounts_per_guild: usize,
    /// Commands, buttons and selects that one person may use in a minute.
    pub commands_per_minute: u32,
}

/// The limits, and what was spent of them.
#[derive(Debug)]
pub struct Limits {
    /// Bindings in one guild.
    pub(super) bindings_per_guild: usize,
    /// Accounts linked to one guild.
    pub(super) accounts_per_guild: usize,
    commands: Ledger<UserId>,
    codes_of_users: Ledger<UserId>,
    codes_in_guilds: Ledger<GuildId>,
    made_by_users: Ledger<UserId>,
    made_in_guilds: Ledger<GuildId>,
}

impl Limits {
    /// Limits of which nothing is spent.
    #[must_use]
    pub fn new(caps: Caps) -> Self {
        Self {
            bindings_per_guild: caps.bindings_per_guild,
            accounts_per_guild: caps.accounts_per_guild,
            commands: Ledger::new(Allowance::new(caps.commands_per_minute, Duration::from_mins(1))),
            codes_of_users: Ledger::new(WRONG_CODES_OF_A_USER),
            codes_in_guilds: Ledger::new(WRONG_CODES_IN_A_GUILD),
            made_by_users: Ledger::new(CODES_MADE_BY_A_USER),
            made_in_guilds: Ledger::new(CODES_MADE_IN_A_GUILD),
        }
    }

    /// Counts a command of a person, or says when they may use the next.
    pub(super) fn use_command(&self, user: UserId, now: Timestamp) -> Result<(), Timestamp> {
        self.commands.check(user, now)?;
        self.commands.spend(user, now);
        Ok(())
    }

    /// Whether a code may be tried, or when again: not where too many were wrong.
    pub(super) fn may_try_code(&self, user: UserId, guild: GuildId, now: Timestamp) -> Result<(), Timestamp> {
        self.codes_of_users.check(user, now).and(self.codes_in_guilds.check(guild, now))
    }

    /// Counts a code that was wrong.
    pub(super) fn count_wrong_code(&self, user: UserId, guild: GuildId, now: Timestamp) {
        self.codes_of_users.spend(user, now);
        self.codes_in_guilds.spend(guild, now);
    }

    /// Counts a code that is to be made, or says when the next may be.
    pub(super) fn make_code(&self, user: UserId, guild: GuildId, now: Timestamp) -> Result<(), Timestamp> {
        self.made_by_users.check(user, now).and(self.made_in_guilds.check(guild, now))?;
        self.made_by_users.spend(user, now);
        self.made_in_guilds.spend(guild, now);
        Ok(())
    }
}

/// Who has spent how much of an allowance.
#[derive(Debug)]
struct Ledger<Who: Eq + Hash> {
    allowance: Allowance,
    whole_at: DashMap<Who, Timestamp>,
}

impl<Who: Copy + Eq + Hash> Ledger<Who> {
    fn new(allowance: Allowance) -> Self {
        Self { allowance, whole_at: DashMap::new() }
    }

    fn check(&self, who: Who, now: Timestamp) -> Result<(), Timestamp> {
        let whole_at = self.whole_at.get(&who).map_or(now, |whole_at| *whole_at);
        self.allowance.check(whole_at, now)
    }

    fn spend(&self, who: Who, now: Timestamp) {
        if self.whole_at.len() >= REMEMBERED {
            self.whole_at.retain(|_, whole_at| *whole_at > now);
        }
        if self.whole_at.len() < REMEMBERED || self.whole_at.contains_key(&who) {
            let mut whole_at = self.whole_at.entry(who).or_insert(now);
            *whole_at = self.allowance.spend(*whole_at, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanoseconds(seconds * 1_000_000_000)
    }

    fn limits() -> Limits {
        Limits::new(Caps { bindings_per_guild: 1, accounts_per_guild: 1, commands_per_minute: 2 })
    }

    #[test]
    fn each_person_has_commands_of_their_own() {
        let limits = limits();
        for _ in 0..2 {
            assert_eq!(limits.use_command(UserId(1), at(0)), Ok(()));
        }
        assert_eq!(limits.use_command(UserId(1), at(10)), Err(at(30)));
        assert_eq!(limits.use_command(UserId(2), at(10)), Ok(()));
        assert_eq!(limits.use_command(UserId(1), at(30)), Ok(()), "what was refused is not counted");
    }

    #[test]
    fn wrong_codes_count_for_the_person_anywhere_and_for_the_guild_whoever_tries() {
        let limits = limits();
        for guild in 0..10 {
            assert_eq!(limits.may_try_code(UserId(1), GuildId(guild), at(0)), Ok(()));
            limits.count_wrong_code(UserId(1), GuildId(guild), at(0));
        }
        assert_eq!(limits.may_try_code(UserId(1), GuildId(11), at(0)), Err(at(360)));
        for user in 2..22 {
            assert_eq!(limits.may_try_code(UserId(user), GuildId(50), at(0)), Ok(()));
            limits.count_wrong_code(UserId(user), GuildId(50), at(0));
        }
        assert_eq!(limits.may_try_code(UserId(99), GuildId(50), at(0)), Err(at(180)));
        assert_eq!(limits.may_try_code(UserId(99), GuildId(51), at(0)), Ok(()));
    }

    #[test]
    fn codes_are_counted_for_who_makes_them_and_for_the_guild() {
        let limits = limits();
        for guild in 0..10 {
            assert_eq!(limits.make_code(UserId(1), GuildId(guild), at(0)), Ok(()));
        }
        assert_eq!(limits.make_code(UserId(1), GuildId(50), at(0)), Err(at(360)));
        for user in 2..22 {
            assert_eq!(limits.make_code(UserId(user), GuildId(50), at(0)), Ok(()));
        }
        assert_eq!(limits.make_code(UserId(99), GuildId(50), at(0)), Err(at(180)));
        assert_eq!(limits.make_code(UserId(99), GuildId(51), at(0)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_what_is_over_is_forgotten() {
        let limits = limits();
        for user in 0..20_000 {
            limits.use_command(UserId(user), at(0)).unwrap();
        }
        assert_eq!(limits.commands.whole_at.len(), REMEMBERED);
        limits.use_command(UserId(7), at(0)).unwrap();
        assert!(limits.use_command(UserId(7), at(0)).is_err(), "who is remembered stays limited");
        limits.use_command(UserId(30_000), at(61)).unwrap();
        assert_eq!(limits.commands.whole_at.len(), 1);
    }
}
