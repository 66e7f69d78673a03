//! `guildwire privacy`: what is stored of a player, to be handed out or deleted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;

use super::asking::confirmed;
use super::{counted, known_account, open_store};
use crate::cli::{Export, Forget, Privacy};
use crate::clock;
use crate::domain::audit::By;
use crate::domain::ids::{AccountName, PlayerId};
use crate::domain::text::plain;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::forgetting::Forgotten;
use crate::store::privacy::Stored;

/// How much of an id is shown, in UTF-16 units.
const ID_LIMIT: usize = 100;

/// How often what is stored is looked through, for what comes meanwhile.
const MOST_LOOKS: usize = 20;

/// Carries the command out and gives back what it has to say.
pub async fn privacy(settings: &Settings, privacy: Privacy) -> anyhow::Result<String> {
    let store = open_store(settings).await?;
    match privacy {
        Privacy::Export(wanted) => export(&store, &wanted).await,
        Privacy::Forget(wanted) => forget(&store, &wanted).await,
    }
}

async fn export(store: &Store, Export { player, account }: &Export) -> anyhow::Result<String> {
    let stored = stored_of(store, player, account.as_ref()).await?;
    let told = json!({ "player": player, "account": account, "exported_at": clock::now().rfc3339(), "stored": stored });
    Ok(format!("{told:#}\n"))
}

async fn forget(store: &Store, Forget { player, account, yes }: &Forget) -> anyhow::Result<String> {
    let account = account.as_ref();
    let stored = stored_of(store, player, account).await?;
    let who = shown(player);
    if stored.is_empty() {
        return Ok(format!("Nothing that is stored names the player {who}.\n"));
    }
    let question = question(&who, &stored.accounts());
    let consequence = format!("forgetting the player {who} can't be undone");
    if !yes && !confirmed(&question, &consequence)? {
        return Ok("Nothing was deleted.\n".to_owned());
    }
    let mut gone = Forgotten::default();
    for _ in 0..MOST_LOOKS {
        // Anew each time: the question may have stood there for long, and what waited has gone into messages.
        let stored = store.stored_of(player, account).await?;
        let more = store.forget_player(player, account, &stored, &By::operator(clock::now())).await?;
        gone = gone.and_then(&more);
        if more.rows() == 0 {
            break;
        }
    }
    Ok(told(&who, &gone))
}

/// What is stored of the player. The account may be gone, as long as something of it is kept.
async fn stored_of(store: &Store, player: &PlayerId, account: Option<&AccountName>) -> anyhow::Result<Stored> {
    let stored = store.stored_of(player, account).await?;
    if let Some(account) = account.filter(|_| stored.is_empty()) {
        known_account(store, account).await?;
    }
    Ok(stored)
}

/// Whether that is meant, with the accounts that it concerns.
fn question(who: &str, accounts: &BTreeMap<&str, (usize, usize)>) -> String {
    let of: Vec<_> = accounts
        .iter()
        .map(|(account, (names, events))| format!("{account} (names: {names}, events: {events})"))
        .collect();
    let of = if of.is_empty() { "messages alone".to_owned() } else { of.join(", ") };
    format!("Delete what is stored of the player {who}? That concerns {of}.")
}

fn shown(player: &PlayerId) -> String {
    plain(player.as_str(), ID_LIMIT, "?")
}

/// What was deleted, and what was not.
fn told(who: &str, gone: &Forgotten) -> String {
    let mut text = format!("Deleted of the player {who}:\n");
    for (number, one, several) in [
        (gone.names, "name", "names"),
        (gone.stays, "server that the player was on", "servers that the player was on"),
        (
            gone.waiting,
            "event that waited for a channel, never to be told now",
            "events that waited for a channel, never to be told now",
        ),
        (gone.told, "event that was told", "events that were told"),
        (
            gone.others,
            "event of others, which stays without this player",
            "events of others, which stay without this player",
        ),
        (gone.messages, "text of a message that was sent", "texts of messages that were sent"),
        (gone.rejects, "subject of what was no event", "subjects of what was no event"),
    ] {
        if number > 0 {
            // Writing to a text does not fail.
            writeln!(text, "  {}", counted(number.cast_signed(), one, several)).ok();
        }
    }
    if gone.on_their_way > 0 {
        let events = counted(gone.on_their_way.cast_signed(), "event", "events");
        writeln!(
            text,
            "Not yet: {events} in messages that are being sent to Discord. Use the command again after that."
        )
        .ok();
    }
    text.push_str(
        "Not deleted, because it is not here: messages that stand in Discord, where those who manage the channels can \
         delete them; the events in the account's stream, which belongs to its owner; copies of the database. Names that \
         others wrote into chat are not looked for.\n\
         A game server that tells of the player again makes guildwire know the name again.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_names_the_accounts() {
        let told = question("7", &BTreeMap::from([("GA-1", (1, 12)), ("GA-2", (0, 1))]));
        let wanted = "Delete what is stored of the player 7? That concerns GA-1 (names: 1, events: 12), GA-2 (names: 0, \
                      events: 1).";
        assert_eq!(told, wanted);
        assert!(question("7", &BTreeMap::new()).ends_with("That concerns messages alone."));
    }
}
