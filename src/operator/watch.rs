//! `guildwire watch`: shows each message of a stream as it comes, and what guildwire makes of it.
//!
//! It reads beside whoever reads the account, by a consumer of its own that is soon gone, and records nothing.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::num::NonZeroU64;
use std::time::Duration;

use anyhow::Context as _;
use async_nats::jetstream::Message;
use serde_json::{Map, Value, json};

use super::fates::{Fates, Hearer};
use super::reading::Reading;
use super::{known_account, open_store, secret_key, stored_credential};
use crate::cli::Watch;
use crate::clock;
use crate::discord::event_embed::Names;
use crate::domain::account::Account;
use crate::domain::event::Event;
use crate::domain::text::clean;
use crate::nats::connection::{Connection, OWN_INBOXES, READER_INBOXES};
use crate::nats::onlooking::Onlooker;
use crate::nats::reach::Reach;
use crate::settings::Settings;
use crate::setup::credential_files::read_credential;
use crate::store::Store;

/// How often the database is looked into, while something is followed.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What is watched, and how it is told.
struct Watcher<'a> {
    watch: &'a Watch,
    account: Account,
    /// Of an account of this installation.
    store: Option<Store>,
    fates: Option<Fates>,
    /// How many messages are still to be shown; `None` when there is no end.
    left: Option<u64>,
}

/// Shows messages until there were enough of them, Ctrl-C, or nobody reads what is printed.
pub async fn watch(settings: &Settings, watch: &Watch) -> anyhow::Result<()> {
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let (mut watcher, connection) = tokio::select! {
        opened = open(settings, watch) => opened?,
        _ = &mut interrupted => return Ok(()),
    };
    let stream = match &watcher.account.stream {
        Some(stream) => stream.clone(),
        None => connection.find_stream(&watcher.account.root).await?,
    };
    let from = match watch.last {
        Some(last) => {
            let end = connection.stream_end(&stream).await?.last_sequence;
            Some(end.saturating_sub(last.get()).saturating_add(1))
        }
        None => None,
    };
    if let Some(store) = &watcher.store {
        let account = watcher.account.clone();
        watcher.fates = Some(Fates::new(store.clone(), account, stream.clone(), settings.retention.settled));
    }
    let mut onlooker = connection.look_on(&stream, from, watch.subject.iter().cloned().collect()).await?;
    eprintln!("Watching stream {stream} of {}; Ctrl-C ends it.", watcher.account.url);
    let result = tokio::select! {
        result = watcher.show(&connection, &mut onlooker) => result,
        _ = &mut interrupted => Ok(()),
    };
    onlooker.leave(&connection).await;
    result
}

async fn open<'a>(settings: &Settings, watch: &'a Watch) -> anyhow::Result<(Watcher<'a>, Connection)> {
    let (account, credential, store, inboxes) = if let Some(name) = &watch.account {
        let store = open_store(settings).await?;
        let account = known_account(&store, name).await?;
        let key = secret_key(&store, settings).await?;
        let credential = stored_credential(&store, &key, &account).await?;
        (account, credential, Some(store), OWN_INBOXES)
    } else {
        let source = watch.credential().context("an account or a credential is needed to watch")?;
        let credential = read_credential(source).await?;
        let account = Account {
            name: "watched".parse().expect("a plain name"),
            url: watch.url.clone().unwrap_or_else(|| settings.nats.url.clone()),
            stream: watch.stream.clone(),
            root: watch.root.clone(),
            wide_filter: false,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        };
        (account, credential, None, READER_INBOXES)
    };
    let reach = Reach::of(&account, &settings.accounts.hosts);
    let connection = Connection::connect(&account.url, &reach, &credential, inboxes, clock::now()).await?;
    Ok((Watcher { watch, account, store, fates: None, left: watch.count.map(NonZeroU64::get) }, connection))
}

impl Watcher<'_> {
    /// Shows messages, and what becomes of them, until there were enough.
    async fn show(&mut self, connection: &Connection, onlooker: &mut Onlooker) -> anyhow::Result<()> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_followed = self.fates.as_ref().is_some_and(|fates| !fates.is_done());
            let wants_more = self.left != Some(0);
            if !wants_more && !is_followed {
                return Ok(());
            }
            let goes_on = tokio::select! {
                message = onlooker.next(connection), if wants_more => self.show_message(&message?).await?,
                _ = look.tick(), if is_followed => self.show_news().await?,
            };
            if !goes_on {
                return Ok(());
            }
        }
    }

    async fn show_message(&mut self, message: &Message) -> anyhow::Result<bool> {
        let info = message.info().map_err(|error| anyhow::anyhow!("nats-server's delivery can't be read: {error}"))?;
        let (sequence, stored) = (info.stream_sequence, info.published.into());
        let mut reading = Reading::of(&self.account, &message.subject, &message.payload, stored, sequence);
        let mut hearers = None;
        if let (Ok(event), Some(store), Some(fates)) = (reading.event.clone(), &self.store, &mut self.fates) {
            let (player, target) = last_names(store, &event).await?;
            reading.word(Names { player: player.as_deref(), target: target.as_deref(), server: None });
            hearers = Some(fates.follow(&event).await?);
        }
        self.left = self.left.map(|left| left - 1);
        if self.watch.json {
            let mut object = Map::new();
            object.insert("sequence".to_owned(), json!(sequence));
            object.insert("stored".to_owned(), json!(stored.rfc3339()));
            object.append(&mut reading.json());
            if let Some(hearers) = hearers {
                object.insert("heard_by".to_owned(), hearers.iter().map(Hearer::json).collect());
            }
            return print(&json_line(&Value::Object(object)));
        }
        let heard_by = match hearers.as_deref() {
            None => String::new(),
            Some([]) => "heard by  no binding\n".to_owned(),
            Some(hearers) => {
                format!("heard by  {}\n", hearers.iter().map(Hearer::told).collect::<Vec<_>>().join(", "))
            }
        };
        print(&format!("message {sequence}, stored at {}\n{reading}{heard_by}\n", stored.rfc3339()))
    }

    async fn show_news(&mut self) -> anyhow::Result<bool> {
        let Some(fates) = &mut self.fates else { return Ok(true) };
        for news in fates.look().await? {
            if !print(&if self.watch.json { json_line(&news.json()) } else { news.told() })? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The names last heard of the players that an event is about, as the channels' messages use them.
async fn last_names(store: &Store, event: &Event) -> anyhow::Result<(Option<String>, Option<String>)> {
    let player = match &event.player {
        Some(player) => store.player_name(&event.account, player).await?,
        None => None,
    };
    let other = match event.details.other_player() {
        Some(player) => store.player_name(&event.account, player).await?,
        None => None,
    };
    Ok((player, other))
}

/// JSON on one line. What is not seen, or what a terminal would obey, is escaped, which JSON itself asks for only in part.
fn json_line(value: &Value) -> String {
    let mut line = String::new();
    for character in value.to_string().chars() {
        if character == ' ' || !clean(character.encode_utf8(&mut [0; 4])).is_empty() {
            line.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(line, "\\u{unit:04x}").expect("a string takes all text");
            }
        }
    }
    line.push('\n');
    line
}

/// Prints at once; answers whether anybody still reads it.
fn print(text: &str) -> anyhow::Result<bool> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("can't write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_still_the_same_json() {
        let value = json!({ "a b": "é 🙂 \u{9b}2J \u{202e}x\u{e0001} \"\\ \u{7f}" });
        let line = json_line(&value);
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        assert!(line.contains("é 🙂 \\u009b2J \\u202ex\\udb40\\udc01"), "{line}");
    }
}
