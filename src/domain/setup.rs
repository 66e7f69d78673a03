//! The accounts, links and bindings that stand in the settings file, and what it takes to have them: a plan.
//!
//! What was made by hand is never taken over, but for a link, which is the same whoever made it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use super::account::{Account, CredentialSource};
use super::binding::Binding;
use super::event::KindSet;
use super::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId};
use super::style::Style;
use super::subject::Root;

/// All that stands in the settings file. Each link is to one of its accounts, and each binding has one of its links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Setup {
    /// Whether the file says anything of this. If not, nothing is to be removed: more likely than that this is meant, the
    /// file was forgotten.
    pub is_given: bool,
    /// The accounts, each name once.
    pub accounts: Vec<DeclaredAccount>,
    /// The links, each once.
    pub links: Vec<DeclaredLink>,
    /// The bindings, no two equal.
    pub bindings: Vec<DeclaredBinding>,
}

/// An account that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredAccount {
    /// Its name here.
    pub name: AccountName,
    /// Where its nats-server listens.
    pub url: String,
    /// The stream to read; found by the root's subjects when `None`.
    pub stream: Option<String>,
    /// Under which subjects its game servers publish.
    pub root: Root,
    /// Whether to take everything under the root.
    pub wide_filter: bool,
    /// Where its credential is read from, again and again.
    pub credential: CredentialSource,
}

/// A link that is to be there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeclaredLink {
    /// The guild that may show the events.
    pub guild: GuildId,
    /// Whose events.
    pub account: AccountName,
}

/// A binding that is to be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBinding {
    /// In which guild.
    pub guild: GuildId,
    /// Where the events go.
    pub channel: ChannelId,
    /// Whose events.
    pub account: AccountName,
    /// Which server's events; all of the account's when `None`.
    pub server: Option<ServerId>,
    /// Which kinds.
    pub kinds: KindSet,
    /// The role that each message mentions.
    pub mention: Option<RoleId>,
    /// How its events are told.
    pub style: Style,
}

/// A link that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExistingLink {
    /// Between whom.
    pub link: DeclaredLink,
    /// Whether the settings file had it.
    pub is_declared: bool,
    /// Whether somebody made it with a code, before the file had it or without it.
    pub is_by_hand: bool,
}

/// What is there so far.
#[derive(Debug, Clone, Default)]
pub struct Existing {
    /// All accounts.
    pub accounts: Vec<Account>,
    /// All links of those that the settings file had.
    pub links: Vec<ExistingLink>,
    /// All bindings of those.
    pub bindings: Vec<Binding>,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Add an account.
    AddAccount(DeclaredAccount),
    /// Change an account, which keeps its position.
    ChangeAccount(DeclaredAccount),
    /// Link a guild, or note that the link stands in the settings file.
    Link(DeclaredLink),
    /// Change a binding: kinds that it had go on without a gap.
    ChangeBinding {
        /// Which one.
        id: i64,
        /// What it is to be.
        to: DeclaredBinding,
    },
    /// Add a binding.
    AddBinding(DeclaredBinding),
    /// Remove a binding.
    RemoveBinding {
        /// In which guild.
        guild: GuildId,
        /// Which one.
        id: i64,
    },
    /// Note that a link, which somebody made with a code, does not stand in the settings file any more.
    ReleaseLink(DeclaredLink),
    /// Unlink a guild; all its bindings of that account go, too.
    Unlink(DeclaredLink),
    /// Remove an account. Its guilds were unlinked before, so that it is read no longer.
    RemoveAccount(AccountName),
}

/// What is not done, because something was made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// Accounts such as this one came from a settings file, and there is none now that says anything of them.
    NotGiven(AccountName),
    /// An account of that name was added by hand.
    Account(AccountName),
    /// An equal binding was made in Discord.
    Binding {
        /// Which one.
        id: i64,
        /// What is wanted.
        wanted: DeclaredBinding,
    },
}

/// What it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What to do, in that order: what is to stay is never without what it needs, and nobody stops being read between two
    /// steps who is to be read after them.
    pub steps: Vec<Step>,
    /// What can't be done.
    pub obstacles: Vec<Obstacle>,
}

impl Setup {
    /// It without these accounts, and what hangs on them.
    #[must_use]
    pub fn without(&self, left_out: &BTreeSet<AccountName>) -> Self {
        let mut setup = self.clone();
        setup.accounts.retain(|account| !left_out.contains(&account.name));
        setup.links.retain(|link| !left_out.contains(&link.account));
        setup.bindings.retain(|binding| !left_out.contains(&binding.account));
        setup
    }
}

impl DeclaredBinding {
    /// Between whom its link is.
    #[must_use]
    pub fn link(&self) -> DeclaredLink {
        DeclaredLink { guild: self.guild, account: self.account.clone() }
    }

    /// Whether a binding shows the same in the same channel, as no two may.
    #[must_use]
    pub fn is_equal(&self, other: &Self) -> bool {
        (self.channel, &self.account, &self.server, self.kinds)
            == (other.channel, &other.account, &other.server, other.kinds)
    }

    fn of(binding: &Binding) -> Self {
        Self {
            guild: binding.guild,
            channel: binding.channel,
            account: binding.account.clone(),
            server: binding.server.clone(),
            kinds: binding.kinds,
            mention: binding.mention,
            style: binding.style,
        }
    }

    /// What makes it the same binding, whatever it hears and however that is told.
    fn place(&self) -> (GuildId, ChannelId, AccountName, Option<ServerId>) {
        (self.guild, self.channel, self.account.clone(), self.server.clone())
    }
}

/// What it takes to get from what is there to what is wanted.
#[must_use]
pub fn plan(wanted: &Setup, existing: &Existing) -> Plan {
    if !wanted.is_given {
        let declared = existing.accounts.iter().find(|account| account.is_declared);
        let obstacle = declared.map(|account| Obstacle::NotGiven(account.name.clone()));
        return Plan { obstacles: obstacle.into_iter().collect(), ..Plan::default() };
    }
    let by_hand = existing.accounts.iter().filter(|account| !account.is_declared).map(|account| account.name.clone());
    let by_hand: BTreeSet<_> = by_hand.collect();
    let taken = wanted.accounts.iter().map(|account| account.name.clone()).filter(|name| by_hand.contains(name));
    let taken: BTreeSet<_> = taken.collect();
    let wanted = wanted.without(&taken);
    let mut plan = Plan { steps: Vec::new(), obstacles: taken.into_iter().map(Obstacle::Account).collect() };

    plan.steps.extend(wanted.accounts.iter().filter_map(|account| account_step(account, &existing.accounts)));
    let is_there = |link: &DeclaredLink| existing.links.iter().any(|there| there.link == *link && there.is_declared);
    plan.steps.extend(wanted.links.iter().filter(|link| !is_there(link)).cloned().map(Step::Link));

    let gone = existing
        .accounts
        .iter()
        .filter(|account| account.is_declared && !wanted.accounts.iter().any(|wanted| wanted.name == account.name));
    let gone: Vec<_> = gone.map(|account| account.name.clone()).collect();
    let is_left = |there: &&ExistingLink| {
        gone.contains(&there.link.account) || (there.is_declared && !wanted.links.contains(&there.link))
    };
    let ends = |there: &&ExistingLink| gone.contains(&there.link.account) || !there.is_by_hand;
    let (ending, released): (Vec<_>, Vec<_>) = existing.links.iter().filter(is_left).partition(ends);
    let ending: Vec<_> = ending.into_iter().map(|there| there.link.clone()).collect();
    let stays = |binding: &&Binding| !ending.contains(&DeclaredBinding::of(binding).link());
    plan_bindings(&mut plan, &wanted.bindings, &existing.bindings.iter().filter(stays).collect::<Vec<_>>());
    plan.steps.extend(released.into_iter().map(|there| Step::ReleaseLink(there.link.clone())));
    plan.steps.extend(ending.into_iter().map(Step::Unlink));
    plan.steps.extend(gone.into_iter().map(Step::RemoveAccount));
    plan
}

fn account_step(wanted: &DeclaredAccount, existing: &[Account]) -> Option<Step> {
    let Some(there) = existing.iter().find(|there| there.name == wanted.name) else {
        return Some(Step::AddAccount(wanted.clone()));
    };
    let same = (&there.url, &there.stream, &there.root, there.wide_filter)
        == (&wanted.url, &wanted.stream, &wanted.root, wanted.wide_filter);
    (!same).then(|| Step::ChangeAccount(wanted.clone()))
}

/// Pairs what is wanted with what is there in the same place: first those that hear the same, then the others in their
/// order, which change. So none of what stays is touched, and whoever hears more keeps what it heard.
fn plan_bindings(plan: &mut Plan, wanted: &[DeclaredBinding], existing: &[&Binding]) {
    let mut declared: Vec<(i64, DeclaredBinding)> = Vec::new();
    let mut by_hand: Vec<(i64, DeclaredBinding)> = Vec::new();
    for binding in existing {
        let list = if binding.is_declared { &mut declared } else { &mut by_hand };
        list.push((binding.id, DeclaredBinding::of(binding)));
    }
    let mut changing = Vec::new();
    for wanted in wanted {
        if let Some((id, _)) = by_hand.iter().find(|(_, there)| wanted.is_equal(there)) {
            plan.obstacles.push(Obstacle::Binding { id: *id, wanted: wanted.clone() });
        } else if let Some(there) =
            declared.iter().position(|(_, there)| wanted.is_equal(there) && wanted.guild == there.guild)
        {
            let (id, there) = declared.remove(there);
            if there != *wanted {
                plan.steps.push(Step::ChangeBinding { id, to: wanted.clone() });
            }
        } else {
            changing.push(wanted);
        }
    }
    let mut left: BTreeMap<_, VecDeque<(GuildId, i64)>> = BTreeMap::new();
    for (id, there) in declared {
        left.entry(there.place()).or_default().push_back((there.guild, id));
    }
    for wanted in changing {
        plan.steps.push(match left.get_mut(&wanted.place()).and_then(VecDeque::pop_front) {
            Some((_, id)) => Step::ChangeBinding { id, to: wanted.clone() },
            None => Step::AddBinding(wanted.clone()),
        });
    }
    let left = left.into_values().flatten();
    plan.steps.extend(left.map(|(guild, id)| Step::RemoveBinding { guild, id }));
}

impl fmt::Display for DeclaredBinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { guild, channel, account, .. } = self;
        write!(formatter, "binding of {account} to channel {channel} in guild {guild}")
    }
}

impl fmt::Display for DeclaredLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "link of guild {} to {}", self.guild, self.account)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddAccount(account) => write!(formatter, "add account {}", account.name),
            Self::ChangeAccount(account) => write!(formatter, "change account {}", account.name),
            Self::Link(link) => write!(formatter, "add {link}"),
            Self::ChangeBinding { id, to } => write!(formatter, "change {to} (#{id})"),
            Self::AddBinding(binding) => write!(formatter, "add {binding}"),
            Self::RemoveBinding { guild, id } => write!(formatter, "remove binding #{id} in guild {guild}"),
            Self::ReleaseLink(link) => write!(formatter, "leave {link}, which was made with a code"),
            Self::Unlink(link) => write!(formatter, "remove {link}"),
            Self::RemoveAccount(name) => write!(formatter, "remove account {name}"),
        }
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotGiven(account) => write!(
                formatter,
                "accounts such as {account} came from a settings file, and now none is read that says anything of [setup]: \
                 they stay as they are, with their links and bindings. Name that file (--config or GUILDWIRE_CONFIG), or \
                 put its [[setup.accounts]] back; to have them removed, put accounts = [], links = [] and bindings = [] \
                 below [setup]"
            ),
            Self::Account(name) => write!(
                formatter,
                "the account {name} was added by hand and stays as it is, without what the settings file says of it: \
                 remove it with `guildwire account remove {name}` (its links and bindings go with it), or give the one in \
                 the file another name"
            ),
            Self::Binding { id, wanted } => write!(
                formatter,
                "the {wanted} was made in Discord and stays as it is: end it there with /notify remove #{id}, or take it \
                 out of the settings file"
            ),
        }
    }
}

#[cfg(test)]
mod tests;
