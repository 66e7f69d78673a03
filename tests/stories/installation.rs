//! What stories about refusals, credentials and commands share: houses of another shape than the usual one, and people
//! who use commands and read every answer in full.

use std::path::Path;
use std::time::Duration;

use discord_sim::{Actor, Choice, Options, Sim};
use guildwire_harness::house::{Guild, House};
use guildwire_harness::{Bot, NatsServer, Output, Postgres};
use serde_json::Value;

use crate::support::Database;

/// The deadline that Discord sets for an answer.
pub(crate) const DISCORD_WAITS: Duration = Duration::from_secs(3);

/// Manage Server, as Discord numbers permissions.
pub(crate) const MANAGE_SERVER: u64 = 0x20;

/// A house with the usual two accounts, and its database's address for a second look into it.
pub(crate) async fn usual_house(database: Database) -> (House, String) {
    let url = new_database(database).await;
    let house = House::build(Path::new(env!("CARGO_BIN_EXE_guildwire")), url.as_deref()).await.unwrap();
    let url = url.unwrap_or_else(|| sqlite_url(&house));
    (house, url)
}

/// A house around a nats-server of the story's own, whose bot knows no account yet.
pub(crate) async fn house_around(nats: NatsServer, database: Database) -> House {
    let discord = Sim::start(Options::default()).await.unwrap();
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"))
        .discord(&discord.url(), &discord.token())
        .setting("nats.url", &nats.url())
        // One admin does here in a minute what people do in a week.
        .setting("limits.commands_per_minute", "10000")
        .setting("log.level", "guildwire=debug,info");
    let bot = match new_database(database).await {
        Some(url) => bot.database_url(&url),
        None => bot,
    };
    House { nats, discord, bot }
}

/// The address of a new database, where it is not in the house itself.
pub(crate) async fn new_database(database: Database) -> Option<String> {
    match database {
        Database::Sqlite => None,
        Database::Postgres => Some(Postgres::shared().create_database("story").await.unwrap()),
    }
}

/// Where a house without another database keeps its own.
pub(crate) fn sqlite_url(house: &House) -> String {
    format!("sqlite://{}", house.bot.home_folder().join("data/guildwire.db").display())
}

/// A file in the folder the bot works in, by its full path.
pub(crate) fn file(house: &House, name: &str, text: &str) -> String {
    let path = house.bot.home_folder().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A command that has to fail with this exit code, and says nothing on standard output: what it said instead.
pub(crate) async fn refused(bot: &Bot, code: i32, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = bot.command(arguments).await.unwrap();
    assert_eq!(status.code(), Some(code), "guildwire {}: {stdout}{stderr}", arguments.join(" "));
    assert_eq!(stdout, "", "guildwire {}", arguments.join(" "));
    stderr
}

/// What the bot answers the guild's admin: privately, and in time.
pub(crate) async fn says(house: &House, guild: Guild, name: &str, options: &[(&str, Value)]) -> String {
    let reply = house.command(guild, name, options).await.unwrap();
    assert_eq!(reply.ephemeral, !["status", "players"].contains(&name), "/{name}");
    assert!(reply.took < DISCORD_WAITS, "/{name} took {:?}", reply.took);
    let embeds = reply.embeds.iter().flat_map(|embed| [embed.description.clone(), embed.footer.clone()]).flatten();
    std::iter::once(reply.content.clone())
        .filter(|content| !content.is_empty())
        .chain(embeds)
        .collect::<Vec<_>>()
        .join("\n")
}

/// What the guild's admin is offered while typing, as names and values.
pub(crate) async fn offered(
    house: &House,
    guild: Guild,
    name: &str,
    options: &[(&str, Value)],
    (focused, typed): (&str, &str),
) -> Vec<(String, String)> {
    let by = Actor { guild: guild.id, channel: guild.lobby, user: guild.admin };
    let choices = house.discord.autocomplete(by, name, options, focused, typed).await.unwrap();
    choices.into_iter().map(|Choice { name, value }| (name, value.as_str().unwrap().to_owned())).collect()
}

/// A text with each `<t:…:R>` as `<time>`: moments differ from run to run.
pub(crate) fn without_moments(text: &str) -> String {
    let mut parts = text.split("<t:");
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push_str("<time>");
        result.push_str(part.split_once('>').map_or("", |(_, rest)| rest));
    }
    result
}

/// A text with nats-server's version left out: any recent one will do.
pub(crate) fn without_version(text: &str) -> String {
    const BEFORE: &str = "nats-server ";
    let mut parts = text.split(BEFORE);
    let mut result = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        result.push_str(BEFORE);
        let is_version = part.starts_with(|first: char| first.is_ascii_digit());
        result.push_str(if is_version { "<version>" } else { "" });
        let is_of_version = |character: char| is_version && (character.is_ascii_digit() || character == '.');
        result.push_str(part.trim_start_matches(is_of_version));
    }
    result
}

/// Waits until `/account list` says what is wanted, and answers with it.
pub(crate) async fn wait_for_account_list(house: &House, guild: Guild, within: Duration, wanted: &str) -> String {
    let deadline = tokio::time::Instant::now() + within;
    loop {
        let list = without_moments(&says(house, guild, "account list", &[]).await);
        if list.contains(wanted) {
            return list;
        }
        assert!(tokio::time::Instant::now() < deadline, "no {wanted:?} within {within:?} in: {list}");
        // The bot tells nobody that an account's state changed: a person would look again, too.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Tells one story on SQLite alone: what it is about lies before the database or has nothing to do with it.
macro_rules! on_sqlite {
    ($($story:ident),+ $(,)?) => {
        $(mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$story(crate::support::Database::Sqlite).await;
            }
        })+
    };
}
pub(crate) use on_sqlite;

/// Many comparisons, all of which are told when one fails.
#[derive(Default)]
pub(crate) struct Comparisons(Vec<String>);

impl Comparisons {
    /// Compares what was said with what should be.
    pub(crate) fn equal(&mut self, what: &str, said: &str, wanted: &str) {
        if said != wanted {
            self.0.push(format!("{what}\n  said:   {said}\n  wanted: {wanted}"));
        }
    }
}

impl Drop for Comparisons {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert!(self.0.is_empty(), "{}", self.0.join("\n"));
        }
    }
}

/// The user of an account, and its password.
pub(crate) const USER: (&str, &str) = ("bot", "correct horse");
