//! What guilds call their servers, what is expected of them, and maintenance.

use std::time::Duration;

use super::duration;

/// A server in the list of those who manage it. `id` is what its subjects name it, where the guild gave it a name.
#[must_use]
pub fn managed_server(
    server: &str,
    account: &str,
    id: Option<&str>,
    standing: &str,
    expected: &str,
    is_hidden: bool,
) -> String {
    let id = id.map_or_else(String::new, |id| format!(" · id {id}"));
    let hidden = if is_hidden { "\n🙈 hidden here until it is heard of again" } else { "" };
    format!("**{server}** · {account}{id}\n{standing}\n{expected}{hidden}")
}

/// By which connection a server is known: its user, and the name that the client gave itself.
#[must_use]
pub fn tied_to(user: &str, name: Option<&str>, is_by_hand: bool) -> String {
    let name = name.map_or_else(String::new, |name| format!(" named {name}"));
    let how = if is_by_hand { "chosen here" } else { "the only one there was" };
    format!("connection: user {user}{name} ({how})")
}

/// The same for somebody who may not choose it.
pub const TIED: &str = "known by its connection";

/// That somebody said that no connection is a server's.
pub const UNTIED: &str = "connection: none (chosen here)";

/// A connection where one is chosen, in plain text.
#[must_use]
pub fn connection_choice(user: &str, name: &str, language: &str) -> String {
    format!("user {user} · {name} · {language}")
}

/// The choice of none.
pub const NO_CONNECTION_CHOICE: &str = "none of these, and don't guess";

/// Who is connected to an account can't be seen.
#[must_use]
pub fn connections_unseen(account: &str) -> String {
    format!(
        "I can't see who is connected to **{account}**: my user there may not ask, or nobody answers. Say with \
         `silence` for how long a server may be silent instead."
    )
}

/// No such connection is open.
pub const NO_SUCH_CONNECTION: &str = "There is no such connection now. Choose one of those that are offered while the \
                                      server is connected.";

/// Which connection is a server's now; `None` where none is.
#[must_use]
pub fn connection_expected(server: &str, tie: Option<&str>) -> String {
    match tie {
        Some(tie) => format!("✅ **{server}** is known by its {tie} from now on."),
        None => format!("✅ **{server}** is known by no connection, until one is chosen here."),
    }
}

/// What is expected of a server.
#[must_use]
pub fn expected_of(tie: Option<&str>, silence: Option<Duration>) -> String {
    let tie = tie.unwrap_or("connection: not known");
    let silence = silence.map_or_else(
        || "may be silent for as long as it likes".to_owned(),
        |silence| format!("silent for more than {} means contact lost", duration(silence)),
    );
    format!("{tie} · {silence}")
}

/// A name of which nothing can be seen.
pub const NOTHING_IN_THE_NAME: &str = "Nothing of that name can be seen. Choose another, or leave it out to have the \
                                       server go by its id again.";

/// Another server goes by that name.
#[must_use]
pub fn name_taken(name: &str) -> String {
    format!("Another server here goes by **{name}** already. Choose a name that tells them apart.")
}

/// A server was given a name.
#[must_use]
pub fn server_renamed(id: &str, account: &str, name: &str) -> String {
    format!("✅ The server {id} of **{account}** is called **{name}** here from now on.")
}

/// A server's name was taken back.
#[must_use]
pub fn server_has_no_name(id: &str, account: &str) -> String {
    format!("✅ The server **{id}** of **{account}** goes by its id again.")
}

/// A server was hidden.
#[must_use]
pub fn server_hidden(server: &str) -> String {
    format!(
        "🙈 **{server}** is hidden here until it is heard of again. What goes to channels stays as it is: `/notify list` \
         shows that."
    )
}

/// Another than the account's owner wanted to say something of its servers.
#[must_use]
pub fn only_the_owner(account: &str) -> String {
    format!(
        "That concerns everybody who hears **{account}**, so only its owner may say it; and it has one. Ask them, or \
         whoever operates me."
    )
}

/// What is expected of a server now.
#[must_use]
pub fn silence_expected(server: &str, silence: Option<Duration>) -> String {
    match silence {
        Some(silence) => format!(
            "✅ Where its connection can't be seen, **{server}** counts as out of contact once nothing was heard of it for \
             more than {}.",
            duration(silence)
        ),
        None => format!("✅ **{server}** may be silent for as long as it likes."),
    }
}

/// The same for the audit, as plain text.
#[must_use]
pub fn expectation_audited(server: &str, silence: Option<Duration>) -> String {
    match silence {
        Some(silence) => format!("server {server}: silent for at most {}", duration(silence)),
        None => format!("server {server}: silent for as long as it likes"),
    }
}

/// The same where one is chosen.
#[must_use]
pub fn silence_choice(silence: Option<Duration>) -> String {
    silence.map_or_else(|| "off: it may be silent for as long as it likes".to_owned(), duration)
}

/// A channel, as Discord shows it.
#[must_use]
pub fn channel(channel: u64) -> String {
    format!("<#{channel}>")
}

/// Maintenance was announced, in these channels here.
#[must_use]
pub fn maintenance_begun(server: &str, until: i64, channels: &str) -> String {
    format!("🔧 **{server}** is under maintenance until <t:{until}:f>. {}", told(channels))
}

/// Maintenance was ended.
#[must_use]
pub fn maintenance_ended(server: &str, channels: &str) -> String {
    format!("🔧 The maintenance of **{server}** is over. {}", told(channels))
}

fn told(channels: &str) -> String {
    if channels.is_empty() {
        "No channel here hears when it stops, so none is told: `/notify add` changes that.".to_owned()
    } else {
        format!("I tell {channels}.")
    }
}

/// Maintenance is on.
#[must_use]
pub fn maintenance_already(server: &str, until: i64) -> String {
    format!("**{server}** is under maintenance already, until <t:{until}:f>. `/maintenance end` ends it.")
}

/// There is none to end.
#[must_use]
pub fn not_maintained(server: &str) -> String {
    format!("**{server}** is not under maintenance. `/maintenance start` announces it.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_maintenance_has_a_date() {
        for told in [maintenance_begun("main", 86_400, ""), maintenance_already("main", 86_400)] {
            assert!(told.contains(" until <t:86400:f>. "), "{told}");
        }
    }
}
