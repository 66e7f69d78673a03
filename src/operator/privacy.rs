//! `guildwire privacy`: what is stored of a player, to be handed out or deleted.

use std::fmt::Write as _;

use serde_json::json;

use super::asking::confirmed;
use super::{known_account, open_store};
use crate::cli::{Export, Forget, Privacy};
use crate::clock;
use crate::domain::audit::By;
use crate::domain::ids::PlayerId;
use crate::domain::text::plain;
use crate::settings::Settings;
use crate::store::Store;
use crate::store::privacy::Forgotten;

/// How much of an id is shown, in UTF-16 units.
const ID_LIMIT: usize = 100;

/// Carries the command out and gives back what it has to say.
pub async fn privacy(settings: &Settings, privacy: Privacy) -> anyhow::Result<String> {
    let store = open_store(settings).await?;
    match privacy {
        Privacy::Export(wanted) => export(&store, &wanted).await,
        Privacy::Forget(wanted) => forget(&store, &wanted).await,
    }
}

async fn export(store: &Store, Export { player, account }: &Export) -> anyhow::Result<String> {
    if let Some(account) = account {
        known_account(store, account).await?;
    }
    let stored = store.stored_of(player, account.as_ref()).await?;
    let told = json!({ "player": player, "account": account, "exported_at": clock::now().rfc3339(), "stored": stored });
    Ok(format!("{told:#}\n"))
}

async fn forget(store: &Store, Forget { player, account, yes }: &Forget) -> anyhow::Result<String> {
    if let Some(account) = account {
        known_account(store, account).await?;
    }
    let stored = store.stored_of(player, account.as_ref()).await?;
    let who = shown(player);
    if stored.is_empty() {
        return Ok(format!("Nothing that is stored names the player {who}.\n"));
    }
    let (names, events) = (stored.names.len(), stored.events.len());
    let question = format!("Delete what is stored of the player {who} (names: {names}, events: {events})?");
    let consequence = format!("forgetting the player {who} can't be undone");
    if !yes && !confirmed(&question, &consequence)? {
        return Ok("Nothing was deleted.\n".to_owned());
    }
    let gone = store.forget_player(player, account.as_ref(), &stored, &By::operator(clock::now())).await?;
    Ok(told(&who, &gone))
}

fn shown(player: &PlayerId) -> String {
    plain(player.as_str(), ID_LIMIT, "?")
}

/// What was deleted, and what was not.
fn told(who: &str, gone: &Forgotten) -> String {
    let mut text = format!("Deleted of the player {who}:\n");
    for (number, what) in [
        (gone.names, "names"),
        (gone.waiting, "events that waited for a channel, and are never told there now"),
        (gone.told, "events that were told"),
        (gone.others, "events of others, which stay without this player"),
        (gone.messages, "texts of messages that were sent"),
        (gone.rejects, "subjects of what was no event"),
    ] {
        // Writing to a text does not fail.
        writeln!(text, "  {number} {what}").ok();
    }
    if gone.on_their_way > 0 {
        writeln!(
            text,
            "Not yet: {} in messages that are being sent to Discord. Use the command again when that is done.",
            gone.on_their_way
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
