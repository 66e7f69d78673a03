//! Two owners on one bot: one of them tries everything that can be typed, chosen, pressed or sent by hand to see or
//! change what is the other's, and so does a member of the other's guild who may not manage it.
//!
//! What there is to try comes from the bot: a command, an option, a component or a modal that is added and not tried here
//! fails the story.

use std::collections::BTreeSet;
use std::time::Duration;

use discord_sim::{Actor, Reply};
use guildwire::commands::COMPONENTS;
use guildwire::discord::words;
use guildwire::domain::audit::By;
use guildwire::store::Store;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, SECOND_ACCOUNT};
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{Comparisons, offered, says, usual_house, without_moments};
use crate::managing::{admin, binding_ids};
use crate::support::{Database, on_both_databases};

on_both_databases!(the_other_owner_gets_nothing, a_member_without_the_permission_gets_nothing);

const NOT_YOURS: &str = "The account GA\\-1 is not yours: only who owns an account may do that. Yours: **GA-2**.";
/// Names are for all: an account can't be connected twice. It says nothing else of the other.
const TAKEN: &str =
    "I know another account by the name **GA-1** already. Choose another name; it is for Discord alone.";
const NOT_LINKED: &str = "The account GA\\-1 is not linked here. Linked are: **GA-2**.";
const NO_SUCH_PINGS: &str = "You asked for no pings of **Vault\\-77** here. `/ping list` shows what you asked for.";
const NO_SUCH_SERVER: &str = "I have heard of no server Vault\\-77 yet. I know: **main**.";

/// Two owners, each with a guild, an account, a channel and a server.
struct Neighbours {
    house: House,
    _bot: guildwire_harness::RunningBot,
    /// Whose things are tried for.
    theirs: Guild,
    their_channel: u64,
    their_binding: String,
    their_board: String,
    /// Who tries.
    ours: Guild,
    our_channel: u64,
    used_code: String,
    expired_code: String,
}

/// What is tried, and what has to be answered; `None` where it is one's own things that are shown.
type Try<'a, What> = (What, Option<&'a str>);

/// A command with its options.
type Typed = (&'static str, Vec<(&'static str, Value)>);

/// A component's custom id, and what is chosen in it where it is a select.
type Used = (String, Option<String>);

impl Neighbours {
    async fn move_in(database: Database) -> Neighbours {
        let (House { nats, discord, bot }, url) = usual_house(database).await;
        let bot = bot.setting("accounts.self_service", "true").setting("accounts.hosts", "127.0.0.1");
        let house = House { nats, discord, bot };
        house.add_accounts().await.unwrap();
        let bot = house.start().await.unwrap();
        let (theirs, ours) = (house.guild("Hideout"), house.guild("Neighbours"));
        for (account, guild) in [(FIRST_ACCOUNT, theirs), (SECOND_ACCOUNT, ours)] {
            house.operate(&["account", "edit", account, "--owner", &guild.admin.to_string()]).await.unwrap();
        }
        let printed = house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
        let used_code = printed.lines().last().unwrap().to_owned();
        house.command(theirs, "account link", &[("code", used_code.as_str().into())]).await.unwrap();
        house.link(ours, SECOND_ACCOUNT).await.unwrap();
        let (their_channel, our_channel) = (house.channel(theirs, "war-room"), house.channel(ours, "ours"));
        house.notify(theirs, their_channel, "everything", &[]).await.unwrap();
        house.notify(ours, our_channel, "everything", &[]).await.unwrap();
        let their_binding = binding_ids(&house, theirs).await.remove(0);
        let board_channel = house.channel(theirs, "their-board");
        house.command(theirs, "board create", &[("channel", board_channel.to_string().into())]).await.unwrap();
        let their_board = offered(&house, theirs, "board remove", &[], ("board", "")).await.remove(0).1;

        let expired_code = "2222-3333-4444-5555-6666".to_owned();
        let store = Store::open(&url).await.unwrap();
        let long_ago = guildwire::clock::now().minus(Duration::from_hours(48));
        let hash = guildwire::domain::invite::invite_code_hash(&expired_code);
        let account = FIRST_ACCOUNT.parse().unwrap();
        store.add_invite(&account, &hash, long_ago, &By::operator(long_ago)).await.unwrap();

        let neighbours = Neighbours {
            house,
            _bot: bot,
            theirs,
            their_channel,
            their_binding,
            their_board,
            ours,
            our_channel,
            used_code,
            expired_code,
        };
        neighbours.something_happens("before").await;
        neighbours
    }

    /// On both accounts; it is over when both channels show it.
    async fn something_happens(&self, who: &str) {
        let (theirs, ours) = (self.house.shown(self.their_channel).len(), self.house.shown(self.our_channel).len());
        for (account, server, name) in [(FIRST_ACCOUNT, "Vault-77", "Zebediah"), (SECOND_ACCOUNT, "main", "Bob")] {
            let publisher = self.house.publisher(account).await.unwrap();
            let joins = serde_json::json!({ "player": { "name": format!("{name} {who}") } }).to_string();
            publisher.publish(&format!("{server}.players.7656119{server}.events.connected"), &joins).await.unwrap();
        }
        self.house.wait_for_shown(self.their_channel, theirs + 1).await.unwrap();
        self.house.wait_for_shown(self.our_channel, ours + 1).await.unwrap();
        for guild in [self.theirs, self.ours] {
            // What was heard is offered from then on.
            self.house.command(guild, "status", &[]).await.unwrap();
        }
    }

    /// What nobody but the other owner may be told.
    fn secrets(&self) -> [String; 8] {
        [
            FIRST_ACCOUNT.to_owned(),
            "Vault".to_owned(),
            "Zebediah".to_owned(),
            "Hideout".to_owned(),
            "war-room".to_owned(),
            self.theirs.id.to_string(),
            self.their_channel.to_string(),
            self.used_code.clone(),
        ]
    }

    fn assert_tells_nothing(&self, what: &str, told: &str) {
        for secret in self.secrets() {
            let tells = told.contains(&secret) || told.contains(&secret.replace('-', "\\-"));
            assert!(!tells, "{what} tells {secret}: {told}");
        }
    }

    /// Every command, with all that is the other's where one's own is meant.
    fn commands(&self, channel: u64) -> Vec<Try<'_, Typed>> {
        let account = || ("account", Value::from(FIRST_ACCOUNT));
        let server = || ("server", Value::from("Vault-77"));
        let binding = || ("binding", Value::from(self.their_binding.as_str()));
        let code = |code: &str| ("code", Value::from(code));
        let place = || [("channel", Value::from(channel.to_string())), ("events", "lifecycle".into())];
        let with = |more: &[(&'static str, Value)]| [&place()[..], more].concat();
        let boards = ["server", "server2", "server3", "server4", "server5"].map(|option| {
            let given = vec![("channel", Value::from(channel.to_string())), (option, "Vault-77".into())];
            (("board create", given), Some(NO_SUCH_SERVER))
        });
        let gone = Some(words::NO_SUCH_BINDING);
        let url = self.house.nats.url();
        let connect = [("name", FIRST_ACCOUNT), ("url", url.as_str()), ("stream", "EVENTS"), ("root", "v0.*.servers")];
        let connect = connect.map(|(option, given)| (option, Value::from(given))).into();
        let mut all = vec![
            (("account link", vec![code(&self.used_code)]), Some(words::CODE_USED)),
            (("account link", vec![code(&self.expired_code)]), Some(words::CODE_EXPIRED)),
            (("account link", vec![code("7777-8888-9999-AAAA-BBBB")]), Some(words::CODE_UNKNOWN)),
            (("account list", vec![]), None),
            (("account unlink", vec![account()]), Some(NOT_LINKED)),
            (("account invite", vec![account(), ("expires", "7d".into())]), Some(NOT_YOURS)),
            (("account guilds", vec![account()]), Some(NOT_YOURS)),
            (("account audit", vec![account()]), Some(NOT_YOURS)),
            (("account rotate", vec![account()]), Some(NOT_YOURS)),
            (("account connect", connect), Some(TAKEN)),
            (("board list", vec![]), None),
            (("board remove", vec![("board", self.their_board.as_str().into())]), Some(words::NO_SUCH_BOARD)),
            (("notify add", with(&[account()])), Some(NOT_LINKED)),
            (("notify add", with(&[server()])), Some(NO_SUCH_SERVER)),
            (("notify list", vec![]), None),
            (("notify edit", vec![binding()]), gone),
            (("notify pause", vec![binding()]), gone),
            (("notify resume", vec![binding()]), gone),
            (("notify remove", vec![binding()]), gone),
            (("notify test", vec![binding()]), gone),
            (("status", vec![]), None),
            (("status", vec![server()]), Some(NO_SUCH_SERVER)),
            (("players", vec![]), None),
            (("players", vec![server()]), Some(NO_SUCH_SERVER)),
            (("server list", vec![]), None),
            (("server rename", vec![server(), account(), ("name", "Ours".into())]), Some(NO_SUCH_SERVER)),
            (("server expect", vec![server(), account(), ("connection", "none".into())]), Some(NO_SUCH_SERVER)),
            (("server forget", vec![server(), account()]), Some(NO_SUCH_SERVER)),
            (("server rename", vec![("server", "main".into()), account(), ("name", "x".into())]), Some(NOT_LINKED)),
            (
                ("maintenance start", vec![server(), account(), ("duration", "1h".into()), ("reason", "x".into())]),
                Some(NO_SUCH_SERVER),
            ),
            (("maintenance end", vec![server(), account()]), Some(NO_SUCH_SERVER)),
            (("help", vec![]), None),
            (("board pings", vec![("channel", channel.to_string().into())]), None),
            (("ping me", vec![server(), ("when", "wiped".into())]), Some(NO_SUCH_SERVER)),
            (("ping list", vec![]), Some(words::NO_PINGS)),
            (("ping leave", vec![server()]), Some(NO_SUCH_PINGS)),
            (("why", vec![]), None),
            (("why", vec![binding()]), gone),
        ];
        all.extend(boards);
        all
    }

    /// Every component, with all that is the other's where one's own is meant: its custom id, and what is chosen in it.
    fn components(&self) -> Vec<Try<'_, Used>> {
        let (guild, binding) = (self.theirs.id, &self.their_binding);
        let not_here = "**GA-1** is not linked here any more.";
        let gone = Some(words::NO_SUCH_BINDING);
        let button = |id: String| (id, None);
        let select = |id: String, chosen: &str| (id, Some(chosen.to_owned()));
        vec![
            (button("unlink:GA-1".to_owned()), Some(not_here)),
            (button("cancel".to_owned()), Some(words::CANCELLED)),
            (select(format!("kinds:{binding}"), "server.started"), gone),
            (select(format!("style:{binding}"), "quiet"), gone),
            (button(format!("why:0:{binding}")), gone),
            (button("why:0".to_owned()), None),
            (button("page:accounts:0".to_owned()), None),
            (button("page:bindings:0".to_owned()), None),
            (button("page:servers:0".to_owned()), None),
            (button("page:all_servers:0".to_owned()), None),
            (button("players:0".to_owned()), None),
            (button("players:0:Vault-77".to_owned()), Some(NO_SUCH_SERVER)),
            (button("guilds:0:GA-1".to_owned()), Some(NOT_YOURS)),
            (select("unlink_which:GA-1".to_owned(), &guild.to_string()), Some(NOT_YOURS)),
            (button(format!("unlink_guild:{guild}:GA-1")), Some(NOT_YOURS)),
            (button("audit:0:GA-1".to_owned()), Some(NOT_YOURS)),
            (button("ping".to_owned()), None),
            (select("ping_choose".to_owned(), "wiped:0:GA-1 Vault-77"), None),
            (button("ping_leave".to_owned()), Some(words::NO_PINGS)),
            (button("verify:GA-1".to_owned()), Some(NOT_YOURS)),
            // It opens a form that asks for something and tells nothing.
            (button("jwt:GA-1".to_owned()), Some(words::JWT_TITLE)),
        ]
    }

    async fn forge(&self, by: Actor, below: &Reply, (id, chosen): &Used) -> Reply {
        let chosen: Option<Vec<&str>> = chosen.as_deref().map(|chosen| vec![chosen]);
        self.house.discord.forge_component(by, below, id, chosen.as_deref()).await.unwrap()
    }

    /// What the other owner has, and what was ever done to it, once what was told and posted there is noted.
    async fn belongings(&self) -> String {
        let mut all = String::new();
        eventually("the board is posted, and nothing waits", async || {
            all.clear();
            for name in ["account list", "notify list", "board list"] {
                all += &without_moments(&says(&self.house, self.theirs, name, &[]).await);
            }
            all.contains("[the message]") && all.contains("shown last") && !all.contains('🕓')
        })
        .await;
        all + &self.house.operate(&["audit", "--account", FIRST_ACCOUNT, "--json"]).await.unwrap()
    }

    /// A form is answered where there is one for that, and then as a button is.
    async fn sends_forms(&self, by: Actor, below: &Reply, answer: &str, compare: &mut Comparisons) {
        for ((id, _), _) in self.components() {
            let wanted = if id == "jwt:GA-1" { answer } else { words::UNKNOWN_BUTTON };
            let sent = self.house.discord.forge_modal(by, below, &id, &[("text", FIRST_ACCOUNT)]).await.unwrap();
            compare.equal(&format!("the form {id}"), &sent.content, wanted);
        }
    }
}

/// The commands as Discord knows them, subcommands by their full names, with their options.
fn registered(house: &House) -> Vec<(String, Vec<Value>)> {
    let options = |of: &Value| of["options"].as_array().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for command in house.discord.commands() {
        let name = command["name"].as_str().unwrap();
        let (subcommands, own): (Vec<Value>, Vec<Value>) =
            options(&command).into_iter().partition(|option| matches!(option["type"].as_u64(), Some(1 | 2)));
        if subcommands.is_empty() {
            all.push((name.to_owned(), own));
        }
        for subcommand in subcommands {
            assert_eq!(subcommand["type"], 1, "groups of subcommands are looked into here, too, once there are any");
            all.push((format!("{name} {}", subcommand["name"].as_str().unwrap()), options(&subcommand)));
        }
    }
    all
}

/// Whether a person can put another's things into an option: a text that is free.
fn is_free_text(option: &Value) -> bool {
    option["type"] == 3 && option["choices"].as_array().is_none_or(Vec::is_empty)
}

/// Fails where a command, an option or a component is not tried.
fn assert_all_is_tried(neighbours: &Neighbours) {
    let tried = neighbours.commands(0);
    for (name, options) in registered(&neighbours.house) {
        assert!(tried.iter().any(|((tried, _), _)| *tried == name), "/{name} is not tried: add it here");
        for option in options.iter().filter(|option| is_free_text(option)) {
            let option = option["name"].as_str().unwrap();
            let is_tried = |given: &[(&str, Value)]| given.iter().any(|(given, _)| *given == option);
            let is_tried = tried.iter().any(|((tried, given), _)| *tried == name && is_tried(given));
            assert!(is_tried, "/{name} is not tried with another's {option}: add it here");
        }
    }
    let components = neighbours.components();
    let heads: BTreeSet<_> = components.iter().filter_map(|((id, _), _)| id.split(':').next()).collect();
    assert_eq!(heads, COMPONENTS.into(), "each component is tried");
}

/// What a reply shows, whoever it is for.
fn shown(reply: &Reply) -> String {
    format!("{} {} {}", reply.content, reply.raw["embeds"], reply.components)
}

async fn the_other_owner_gets_nothing(database: Database) {
    let neighbours = Neighbours::move_in(database).await;
    assert_all_is_tried(&neighbours);
    let Neighbours { house, ours, .. } = &neighbours;
    let (discord, by) = (&house.discord, admin(*ours));
    let before = neighbours.belongings().await;
    let mut compare = Comparisons::default();

    for ((name, options), wanted) in neighbours.commands(neighbours.our_channel) {
        let reply = discord.command(by, name, &options).await.unwrap();
        match wanted {
            Some(wanted) => compare.equal(&format!("/{name} {options:?}"), &reply.content, wanted),
            None => neighbours.assert_tells_nothing(name, &shown(&reply)),
        }
    }
    for (name, options) in registered(house) {
        for option in options.iter().filter(|option| option["autocomplete"] == true) {
            let option = option["name"].as_str().unwrap();
            for typed in ["", "GA", "Vault", "Z", "war", &neighbours.their_binding] {
                let given = [("account", Value::from(FIRST_ACCOUNT))];
                let takes_account = options.iter().any(|option| option["name"] == "account") && option != "account";
                let given = if takes_account { &given[..] } else { &[] };
                let offered = discord.autocomplete(by, &name, given, option, typed).await.unwrap();
                neighbours.assert_tells_nothing(&format!("/{name} {option}: {typed}"), &format!("{offered:?}"));
            }
        }
    }
    let below = house.command(*ours, "help", &[]).await.unwrap();
    for (what, wanted) in neighbours.components() {
        let reply = neighbours.forge(by, &below, &what).await;
        assert!(reply.ephemeral, "{what:?}");
        match wanted {
            Some(wanted) => compare.equal(&format!("{what:?}"), &reply.content, wanted),
            None => neighbours.assert_tells_nothing(&what.0, &shown(&reply)),
        }
    }
    // An account of one's own opens no other guild, and tells no name of one.
    let guild = neighbours.theirs.id;
    let stranger = format!("Discord server {guild} is not linked to **GA-2** any more.");
    for what in
        [("unlink_which:GA-2".to_owned(), Some(guild.to_string())), (format!("unlink_guild:{guild}:GA-2"), None)]
    {
        compare.equal(&what.0, &neighbours.forge(by, &below, &what).await.content, &stranger);
    }
    neighbours.sends_forms(by, &below, NOT_YOURS, &mut compare).await;

    compare.equal("as before", &neighbours.belongings().await, &before);
    drop(compare);
    neighbours.something_happens("after").await;
    let told =
        discord.messages(neighbours.our_channel).iter().map(|message| message.raw.to_string()).collect::<String>();
    neighbours.assert_tells_nothing("the channel", &told);
}

async fn a_member_without_the_permission_gets_nothing(database: Database) {
    let neighbours = Neighbours::move_in(database).await;
    let Neighbours { house, theirs, .. } = &neighbours;
    let discord = &house.discord;
    let member = Actor { user: discord.add_member(theirs.id, "member", 0), ..admin(*theirs) };
    // Who owns an account is nobody without the permission where they ask.
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--owner", &member.user.to_string()]).await.unwrap();
    let before = neighbours.belongings().await;
    let mut compare = Comparisons::default();

    for ((name, options), _) in neighbours.commands(neighbours.their_channel) {
        let reply = discord.command_unchecked(member, name, &options).await.unwrap();
        match name {
            // What happened on the servers of one's own guild is for everybody.
            "status" | "players" => assert!(shown(&reply).contains("Vault"), "{reply:?}"),
            "help" => compare.equal(name, &reply.content, words::HELP_FOR_EVERYBODY),
            // What one is pinged for oneself is everybody's own, where an admin allowed it.
            "ping me" => compare.equal(name, &reply.content, words::PINGS_NOT_ALLOWED),
            "ping list" => compare.equal(name, &reply.content, words::NO_PINGS),
            "ping leave" => compare.equal(name, &reply.content, NO_SUCH_PINGS),
            _ => compare.equal(name, &reply.content, words::NEEDS_MANAGE_SERVER),
        }
    }
    let for_everybody = ["status", "players", "ping me", "ping leave"];
    for (name, options) in registered(house).into_iter().filter(|(name, _)| !for_everybody.contains(&name.as_str())) {
        for option in options.iter().filter(|option| option["autocomplete"] == true) {
            let option = option["name"].as_str().unwrap();
            let offered = discord.autocomplete_unchecked(member, &name, &[], option, "").await.unwrap();
            assert_eq!(offered.len(), 0, "/{name} {option}");
        }
    }
    let below = discord.command_unchecked(member, "help", &[]).await.unwrap();
    for (what, _) in neighbours.components() {
        let reply = neighbours.forge(member, &below, &what).await;
        match what.0.as_str() {
            "page:servers:0" => assert!(shown(&reply).contains("Vault"), "{reply:?}"),
            id if id.starts_with("players:") => assert!(shown(&reply).contains("Vault"), "{reply:?}"),
            "ping" => compare.equal("ping", &reply.content, words::PINGS_NOT_ALLOWED),
            "ping_choose" => assert!(shown(&reply).contains(words::PINGS_NOT_ALLOWED), "{reply:?}"),
            "ping_leave" => compare.equal("ping_leave", &reply.content, words::NO_PINGS),
            id => compare.equal(id, &reply.content, words::NEEDS_MANAGE_SERVER),
        }
    }
    neighbours.sends_forms(member, &below, words::NEEDS_MANAGE_SERVER, &mut compare).await;
    compare.equal("as before", &neighbours.belongings().await, &before);
}
