//! What `/help` says: the next steps, from where a guild stands.

/// For somebody who may not configure the bot.
pub const HELP_FOR_EVERYBODY: &str = "I tell channels here what happens on game servers. `/status` shows how they stand, \
                                      `/players` who is on them.\nWho hears what is chosen by those who have the permission **Manage \
                                      Server**: ask one of them, who finds more under `/help`.";

/// No account is linked.
pub const HELP_TO_LINK: &str = "I tell channels here what happens on game servers. Three steps:\n**1.** Ask the owner of \
                                the game servers' account for a one-time code. Whoever operates me makes one with \
                                `guildwire account invite`.\n**2.** Use it with `/account link`.\n**3.** Choose which \
                                events go to which channel with `/notify add`.";

/// No account is linked, and whoever has one may connect it.
pub const HELP_TO_CONNECT: &str =
    "Are the game servers your own? `/account connect` connects their account without a code.";

/// Accounts are linked, and no channel hears them.
#[must_use]
pub fn help_to_bind(accounts: &str) -> String {
    format!(
        "Linked here: {accounts}. Next, choose which events go to which channel with `/notify add`. Begin with \
         **lifecycle**: when a server starts, stops or is wiped."
    )
}

/// Channels hear events, and nothing is wrong.
#[must_use]
pub fn help_all_well(entries: usize) -> String {
    let entries = if entries == 1 { "1 entry".to_owned() } else { format!("{entries} entries") };
    format!("🟢 All is well: {entries} on `/notify list`, and I know of nothing that is in the way.")
}

/// Something is wrong; what, comes below.
pub const HELP_TROUBLE: &str = "Something needs your attention:";

/// An account whose events don't come through; `fault` is whole sentences.
#[must_use]
pub fn help_account(account: &str, fault: &str) -> String {
    format!("🔴 **{account}** · {fault}")
}

/// A channel that is told nothing; `hindrance` is whole sentences.
#[must_use]
pub fn help_channel(channel: u64, hindrance: &str) -> String {
    format!("🔴 <#{channel}> · {hindrance}")
}

/// Entries that are paused.
#[must_use]
pub fn help_paused(entries: usize) -> String {
    format!("⏸️ Entries that are paused: {entries}. `/notify resume` ends that.")
}

/// Entries that have not begun.
#[must_use]
pub fn help_waiting(entries: usize) -> String {
    format!(
        "🕓 Entries that begin as soon as their account can be read: {entries}. `/account list` shows how that goes."
    )
}

/// What else there is.
pub const HELP_COMMANDS: &str = "`/status` · how the servers stand, and `/players` who is on them: for everybody\n\
                                 `/notify list` · what goes where; `/notify add`, `edit`, `pause`, `resume` and `remove` \
                                 change it\n`/notify test` · shows a sample in a channel, and says whether that \
                                 works\n`/why` · what happened to the last events for a channel\n`/account list` · how \
                                 the accounts are doing; `/account link` and `unlink` change which";
