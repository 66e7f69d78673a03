//! What is said to those who own accounts: of codes, of the guilds that are linked, and of who did what.

use crate::domain::audit::Action;

/// An account that is not the one's who asks, whether there is one of that name or not; `owned` are those that are.
#[must_use]
pub fn not_your_account(wanted: &str, owned: &str) -> String {
    let owned = if owned.is_empty() {
        "No account here is yours. Codes for accounts that nobody owns in Discord are made by whoever operates me."
            .to_owned()
    } else {
        format!("Yours: {owned}.")
    };
    format!("The account {wanted} is not yours: only who owns an account may do that. {owned}")
}

/// An account that is linked here and that nobody owns in Discord.
#[must_use]
pub fn account_of_nobody(account: &str) -> String {
    format!("Nobody owns **{account}** in Discord. Whoever operates me makes its codes, and can say whose it is.")
}

// ── Codes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// A one-time code, and what it is for.
#[must_use]
pub fn invite_made(account: &str, code: &str, until: i64) -> String {
    format!(
        "🔑 `{code}`\nThis code links one Discord server to **{account}**. It can be used once, until <t:{until}:f> \
         (<t:{until}:R>). Whoever uses it can show the account's events: give it to the admin of that Discord server and \
         to nobody else, who types there: `/account link`. I don't show it again."
    )
}

/// Too many codes were made of late.
#[must_use]
pub fn too_many_codes_made(again: i64) -> String {
    format!("Too many codes were made of late. You can make the next one <t:{again}:R>.")
}

/// The account has as many codes as it may have.
#[must_use]
pub fn too_many_open_codes(account: &str, most: u32) -> String {
    format!(
        "**{account}** has {most} codes that nobody has used so far, and may have no more. Use one of them, or wait until \
         one has expired."
    )
}

/// The account was connected, and it was not shown yet that it can be read.
#[must_use]
pub fn codes_once_verified(account: &str) -> String {
    format!(
        "**{account}** is not verified yet, and has no codes before that. Let me in and press **Verify** first: \
         `/account rotate`, where you connected it, shows that again."
    )
}

// ── Linked guilds ───────────────────────────────────────────────────────────────────────────────────────────────────

/// No guild is linked to the account.
#[must_use]
pub fn no_linked_guilds(account: &str) -> String {
    format!("No Discord server is linked to **{account}**. `/account invite` makes a code for one.")
}

/// A guild in the list of those that are linked.
#[must_use]
pub fn linked_guild(guild: &str, since: i64, bindings: u64) -> String {
    let bindings = match bindings {
        0 => "no channel there hears it".to_owned(),
        1 => "1 entry in its `/notify list`".to_owned(),
        more => format!("{more} entries in its `/notify list`"),
    };
    format!("{guild} · linked <t:{since}:R> · {bindings}")
}

/// How many guilds are linked.
#[must_use]
pub fn linked_guilds_remark(guilds: u64) -> String {
    format!("Linked in all: {guilds}.")
}

/// A guild whose name is not shown.
#[must_use]
pub fn nameless_guild(id: u64) -> String {
    format!("Discord server {id}")
}

/// The select of a guild that is to be unlinked.
pub const CHOOSE_GUILD: &str = "Unlink one of them";

/// Whether to end another guild's link.
#[must_use]
pub fn unlink_guild_question(account: &str, guild: &str, bindings: u64) -> String {
    let bindings = match bindings {
        0 => "No channel there hears it.".to_owned(),
        1 => "1 entry of its `/notify list` goes with it.".to_owned(),
        more => format!("{more} entries of its `/notify list` go with it."),
    };
    format!("Unlink {guild} from **{account}**? {bindings} To link it again takes a new one-time code.")
}

/// The button that does.
pub const UNLINK: &str = "Unlink";

/// Another guild's link has ended.
#[must_use]
pub fn guild_unlinked(account: &str, guild: &str, bindings: u64) -> String {
    let bindings = match bindings {
        0 => return format!("🗑️ {guild} is no longer linked to **{account}**."),
        1 => "1 entry of its `/notify list`".to_owned(),
        more => format!("{more} entries of its `/notify list`"),
    };
    format!(
        "🗑️ {guild} is no longer linked to **{account}**, and {bindings} went with it. What was due there already is \
         still shown."
    )
}

/// The guild is not linked.
#[must_use]
pub fn guild_not_linked(account: &str, guild: &str) -> String {
    format!("{guild} is not linked to **{account}** any more.")
}

/// The settings file has the link.
#[must_use]
pub fn guild_link_is_declared(account: &str, guild: &str) -> String {
    format!(
        "{guild} is linked to **{account}** by the settings file. Whoever operates me can end that, and nobody here."
    )
}

// ── Audit ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/// Nothing was done to the account that is still noted.
#[must_use]
pub fn nothing_audited(account: &str) -> String {
    format!("Nothing is noted of **{account}**: what was done is forgotten after a while.")
}

/// Where the list of what was done ends.
#[must_use]
pub fn audit_remark(most: u32) -> String {
    format!("The latest first; no more than {most}.")
}

/// A line of what was done. `whom` is to whom, `details` what else there is to tell; both may be empty.
#[must_use]
pub fn audited(at: i64, who: &str, what: &str, whom: &str, details: &str) -> String {
    let details = if details.is_empty() { String::new() } else { format!("\n{details}") };
    format!("<t:{at}:f> · {who} **{what}**{whom}{details}")
}

/// Who did it: somebody in a guild, who is not notified.
#[must_use]
pub fn by_person(user: u64, guild: &str) -> String {
    format!("<@{user}> (in {guild})")
}

/// Who did it: whoever may use the command line.
pub const BY_OPERATOR: &str = "Whoever operates me";
/// Who did it: the settings file.
pub const BY_SETTINGS: &str = "The settings file";
/// Who did it: guildwire.
pub const BY_ITSELF: &str = "I, by myself,";

/// To which guild something was done, behind what was done.
#[must_use]
pub fn audited_guild(guild: &str) -> String {
    format!(" · {guild}")
}

/// What was done.
#[must_use]
pub const fn action(action: Action) -> &'static str {
    match action {
        Action::AccountAdded => "added the account",
        Action::AccountEdited => "changed the account",
        Action::AccountConnected => "connected the account",
        Action::AccountVerified => "let me in, so that the account can be read",
        Action::JwtGiven => "gave me the JWT for my key",
        Action::RotationBegun => "had me make a new key",
        Action::CredentialRotated => "had the new key take the old one's place",
        Action::AccountRemoved => "removed the account",
        Action::OwnerChanged => "changed whose it is",
        Action::InviteMade => "made a one-time code",
        Action::GuildLinked => "linked a Discord server",
        Action::LinkDeclared => "took over the link to a Discord server",
        Action::GuildUnlinked => "unlinked a Discord server",
        Action::LinkReleased => "left a link to those who made it",
        Action::BindingAdded => "added an entry of `/notify list`",
        Action::BindingChanged => "changed an entry of `/notify list`",
        Action::BindingRemoved => "removed an entry of `/notify list`",
        Action::BoardAdded => "created a board that shows its servers",
        Action::BoardRemoved => "removed a board that showed its servers",
        Action::ServerExpected => "said what is expected of a server",
        Action::ServerMaintained => "announced or ended a server's maintenance",
        Action::PingsAllowed => "allowed a channel for members' pings",
        Action::PingsForbidden => "took back the channel for members' pings",
        Action::GuildForgotten => "forgot a Discord server that I was removed from",
        Action::PlayerForgotten => "forgot a player",
        Action::ServerTied => "said which NATS connection is a game server's",
        Action::CredentialReadAgain => "read the changed credential",
        Action::KeyRotated => "changed the key that seals secrets",
        Action::NatsAccountCreated => "made the account on nats-server",
        Action::NatsAccountLimited => "changed its limits on nats-server",
        Action::NatsAccountSuspended => "suspended it on nats-server",
        Action::NatsAccountResumed => "let its users in again on nats-server",
        Action::NatsAccountDeleted => "deleted it on nats-server",
        Action::NatsUserCreated => "made a user of it on nats-server",
        Action::NatsUserRevoked => "revoked a user of it on nats-server",
    }
}
