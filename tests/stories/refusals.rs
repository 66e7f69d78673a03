//! Bad input: each is answered by words that say what to do next, and changes nothing.

use std::time::Duration;

use discord_sim::{Actor, ChannelKind, CommandError};
use guildwire::clock;
use guildwire::domain::invite::InviteCode;
use guildwire::store::Store;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE, SECOND_ACCOUNT};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, free_port};
use serde_json::Value;

use crate::installation::{
    Comparisons, DISCORD_WAITS, MANAGE_SERVER, file, house_around, on_sqlite, refused, says, sqlite_url, usual_house,
    wait_for_account_list, without_moments,
};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    codes_that_are_no_good_link_nothing,
    what_can_not_be_bound_is_refused_and_not_bound,
    another_guilds_binding_can_not_be_removed,
    an_account_that_can_not_be_reached_says_why_and_recovers_by_itself,
    a_newer_schema_is_refused,
    a_subject_that_is_no_text_is_told_with_the_way_out,
);
on_sqlite!(
    nobody_without_manage_server_configures_the_bot,
    settings_with_mistakes_are_refused_all_at_once,
    an_account_that_can_not_be_read_is_not_added,
    an_account_whose_name_is_taken_or_bad_is_not_added,
    a_user_who_may_not_reset_the_consumer_is_told_the_subject,
    run_refuses_a_wrong_token,
    run_refuses_to_be_the_second,
    run_refuses_a_key_file_that_is_missing_or_another,
);

const NOT_LINKED: &str = "No game-server account is linked here yet. Ask the account's owner for a one-time code and use \
                          it with `/account link`.";
const NOTHING_BOUND: &str = "No channel hears anything yet. `/notify add` changes that.";

async fn codes_that_are_no_good_link_nothing(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (first, second) = (house.guild("First"), house.guild("Second"));
    let store = Store::open(&url).await.unwrap();
    let invite = async || {
        let printed = house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
        printed.lines().last().unwrap().to_owned()
    };
    let mut compare = Comparisons::default();
    let unknown = "I don't know that code. Check it for typing mistakes, or ask the account's owner for a new one.";
    let used = "That code was used already; each works once. Ask the account's owner for a new one.";
    let expired = "That code has expired. Ask the account's owner for a new one.";
    let linked = "✅ This Discord server is linked to **GA-1**. Next: `/notify add` to choose which of its events go to \
                  which channel.";
    let again = "This Discord server is linked to **GA-1** already. The code was not used up.";

    // Made by hand an hour ago and good for half an hour, as nobody wants to wait for the shortest there is.
    let old = InviteCode::from_random([7; 20]);
    let hour = Duration::from_hours(1).as_nanos();
    let made = guildwire::domain::timestamp::Timestamp::from_nanoseconds(
        clock::now().nanoseconds() - i64::try_from(hour).unwrap(),
    );
    let account = FIRST_ACCOUNT.parse().unwrap();
    store.add_invite(&account, &old.hash(), made, made.plus(Duration::from_mins(30))).await.unwrap();

    let code = invite().await;
    for (what, typed, wanted) in [
        ("wrong", "2345-6789-ABCD-EFGH-JKLM", unknown),
        ("no code at all", "@everyone", unknown),
        ("nothing but spaces", "   ", unknown),
        ("expired", old.as_str(), expired),
    ] {
        compare.equal(what, &says(&house, first, "account link", &[("code", typed.into())]).await, wanted);
    }
    compare.equal("before", &says(&house, first, "account list", &[]).await, NOT_LINKED);

    // However it is typed.
    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    compare.equal("good", &says(&house, first, "account link", &[("code", typed.into())]).await, linked);
    for guild in [first, second] {
        let said = says(&house, guild, "account link", &[("code", code.clone().into())]).await;
        compare.equal("used", &said, used);
    }
    compare.equal("not the second guild", &says(&house, second, "account list", &[]).await, NOT_LINKED);

    let code = invite().await;
    compare.equal("again", &says(&house, first, "account link", &[("code", code.clone().into())]).await, again);
    compare.equal("still good", &says(&house, second, "account link", &[("code", code.into())]).await, linked);
    let list = house.operate(&["account", "list"]).await.unwrap();
    let line = list.lines().find(|line| line.starts_with("GA-1")).unwrap();
    compare.equal("two guilds and no bindings", &line.split_whitespace().skip(6).collect::<Vec<_>>().join(" "), "2 0");
}

#[expect(clippy::too_many_lines, reason = "a list of refusals, each in its full words")]
async fn what_can_not_be_bound_is_refused_and_not_bound(database: Database) {
    const VIEW: u64 = 1 << 10;
    const SEND: u64 = 1 << 11;
    const EMBED: u64 = 1 << 14;
    const SEND_IN_THREADS: u64 = 1 << 38;
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = |name: &str, denied: u64| {
        let channel = house.channel(guild, name);
        if denied != 0 {
            house.discord.deny(channel, denied);
        }
        channel
    };
    let thread = |parent: u64| house.discord.add_channel(guild.id, "thread", ChannelKind::PublicThread { parent });
    let add = async |channel: u64, events: &str, more: &[(&str, Value)]| {
        let mut options = vec![("channel", channel.to_string().into()), ("events", events.into())];
        options.extend_from_slice(more);
        says(&house, guild, "notify add", &options).await
    };
    let mut compare = Comparisons::default();

    let open = channel("open", 0);
    compare.equal("no account is linked", &add(open, "lifecycle", &[]).await, NOT_LINKED);
    let named = add(open, "lifecycle", &[("account", FIRST_ACCOUNT.into())]).await;
    compare.equal("nor the one that is named", &named, NOT_LINKED);
    house.link(guild, FIRST_ACCOUNT).await.unwrap();

    let hidden = channel("hidden", VIEW);
    let said = add(hidden, "lifecycle", &[]).await;
    compare.equal("hidden", &said, &missing(hidden, "**View Channel**"));
    let mute = channel("mute", SEND);
    compare.equal("mute", &add(mute, "lifecycle", &[]).await, &missing(mute, "**Send Messages**"));
    let bare = channel("bare", EMBED);
    compare.equal("bare", &add(bare, "lifecycle", &[]).await, &missing(bare, "**Embed Links**"));
    let both = channel("both", SEND | EMBED);
    let said = add(both, "lifecycle", &[]).await;
    compare.equal("both", &said, &missing(both, "**Send Messages**, **Embed Links**"));

    let quiet = thread(channel("threads are quiet", SEND_IN_THREADS));
    let said = add(quiet, "lifecycle", &[]).await;
    compare.equal("quiet thread", &said, &missing(quiet, "**Send Messages in Threads**"));
    let unseen = thread(hidden);
    let said = add(unseen, "lifecycle", &[]).await;
    compare.equal("thread of a hidden channel", &said, &missing(unseen, "**View Channel**"));

    let said = add(open, "lifecycle", &[("server", "@everyone *main*".into())]).await;
    compare.equal(
        "no server so far",
        &said,
        "I have heard of no server ＠everyone \\*main\\* yet: none of the account's servers has sent an event so far. \
         Leave the option `server` out to hear all of them.",
    );
    let said = add(open, "lifecycle", &[("account", SECOND_ACCOUNT.into())]).await;
    compare.equal("not linked", &said, "The account GA\\-2 is not linked here. Linked are: **GA-1**.");
    let said = add(open, "lifecycle", &[("account", "ga-1".into())]).await;
    compare.equal("typed by hand", &said, "The account ga\\-1 is not linked here. Linked are: **GA-1**.");

    let everyone = ("mention", guild.id.to_string().into());
    compare.equal("everyone", &add(open, "lifecycle", &[everyone]).await, "I don't mention @everyone. Choose a role.");
    let role = house.discord.add_role(guild.id, "Raiders", false);
    let mention = ("mention", role.to_string().into());
    let wanted = format!(
        "I may not mention <@&{role}>: allow anyone to mention that role in its settings, or give me **Mention \
         @everyone, @here, and All Roles** in the channel."
    );
    compare.equal("a role of others", &add(open, "lifecycle", std::slice::from_ref(&mention)).await, &wanted);
    compare.equal("nothing so far", &says(&house, guild, "notify list", &[]).await, NOTHING_BOUND);

    // What was refused works once its cause is gone.
    house.discord.set_role_mentionable(guild.id, role, true);
    let said = add(open, "lifecycle", std::slice::from_ref(&mention)).await;
    let bound = format!(
        "✅ <#{open}> hears **lifecycle** of **GA-1** (all servers), mentioning <@&{role}>, from this moment on."
    );
    compare.equal("mentionable now", &said, &bound);
    let again = format!(
        "<#{open}> hears exactly that already. If it refused me, I try again now; `/notify list` shows everything."
    );
    compare.equal("equal", &add(open, "lifecycle", &[mention]).await, &again);
    house.discord.deny(mute, 0);
    let said = add(mute, "lifecycle", &[]).await;
    compare.equal(
        "no longer mute",
        &said,
        &format!("✅ <#{mute}> hears **lifecycle** of **GA-1** (all servers), from this moment on."),
    );
    // In a thread the permission to send in channels means nothing.
    let open_thread = thread(both);
    house.discord.deny(both, SEND);
    let said = add(open_thread, "lifecycle", &[]).await;
    compare.equal(
        "a thread",
        &said,
        &format!("✅ <#{open_thread}> hears **lifecycle** of **GA-1** (all servers), from this moment on."),
    );

    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(open, 1).await.unwrap();
    let said = add(open, "lifecycle", &[("server", "other".into())]).await;
    compare.equal("another server", &said, "I have heard of no server other yet. I know: **main**.");
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let said = add(open, "players", &[]).await;
    compare.equal(
        "which of two",
        &said,
        "Several accounts are linked here: **GA-1**, **GA-2**. Say whose events you mean with the option `account`.",
    );
    let said = add(open, "players", &[("account", SECOND_ACCOUNT.into()), ("server", "main".into())]).await;
    compare.equal(
        "the other account's server",
        &said,
        "I have heard of no server main yet: none of the account's servers has sent an event so far. Leave the option \
         `server` out to hear all of them.",
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    compare.equal("three are bound", &listed.matches(" hears ").count().to_string(), "3");
}

fn missing(channel: u64, permissions: &str) -> String {
    format!(
        "I can't post in <#{channel}>: I am missing {permissions} there. Add that in the channel's settings under \
         Permissions, for my role, and try again."
    )
}

async fn nobody_without_manage_server_configures_the_bot(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let bound = says(&house, guild, "notify list", &[]).await;
    let id = bound.split(['#', '`']).nth(2).unwrap().to_owned();
    let printed = house.operate(&["account", "invite", SECOND_ACCOUNT]).await.unwrap();
    let code = printed.lines().last().unwrap().to_owned();

    // Somebody who may do a lot, but not that.
    let moderator = house.discord.add_member(guild.id, "moderator", !MANAGE_SERVER & !0x8 & ((1 << 50) - 1));
    let by = Actor { guild: guild.id, channel: guild.lobby, user: moderator };
    let mut compare = Comparisons::default();
    for (name, options) in [
        ("account link", vec![("code", Value::from(code.as_str()))]),
        ("account list", vec![]),
        ("notify add", vec![("channel", channel.to_string().into()), ("events", "chat".into())]),
        ("notify list", vec![]),
        ("notify remove", vec![("binding", id.into())]),
    ] {
        assert_eq!(house.discord.command(by, name, &options).await, Err(CommandError::NotPermitted));
        // A guild's admins can open a command to everybody.
        let reply = house.discord.command_unchecked(by, name, &options).await.unwrap();
        assert!(reply.ephemeral && reply.took < DISCORD_WAITS, "{reply:?}");
        let wanted = "You need the permission **Manage Server** here for that. Ask somebody who has it.";
        compare.equal(name, &reply.content, wanted);
    }
    for (name, option) in [("notify add", "account"), ("notify add", "server"), ("notify remove", "binding")] {
        let choices = house.discord.autocomplete_unchecked(by, name, &[], option, "").await.unwrap();
        assert_eq!(choices, vec![], "/{name} {option}");
    }
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &bound);
    let list = says(&house, guild, "account list", &[]).await;
    compare.equal("one account", &list.matches("linked").count().to_string(), "1");
    // The code was not used up.
    house.command(guild, "account link", &[("code", code.into())]).await.unwrap();
    compare.equal(
        "two accounts",
        &says(&house, guild, "account list", &[]).await.matches("linked").count().to_string(),
        "2",
    );
}

async fn another_guilds_binding_can_not_be_removed(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(others, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let bound = says(&house, guild, "notify list", &[]).await;
    let id = bound.split(['#', '`']).nth(2).unwrap();
    let mut compare = Comparisons::default();

    let none = "There is no such entry here. `/notify list` shows what there is.";
    for by in [guild, others] {
        for typed in ["", "#", "0", "-1", "999999", "first", "1 OR 1=1", "99999999999999999999", "１"] {
            let said = says(&house, by, "notify remove", &[("binding", typed.into())]).await;
            compare.equal(typed, &said, none);
        }
    }
    let said = says(&house, others, "notify remove", &[("binding", id.into())]).await;
    compare.equal("another guild's", &said, none);
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &bound);

    // As it stands in the list.
    let said = says(&house, guild, "notify remove", &[("binding", format!(" #{id} ").into())]).await;
    let removed = format!(
        "🗑️ Removed: <#{channel}> hears **lifecycle** of **GA-1** (all servers). What was due already is still shown."
    );
    compare.equal("its own", &said, &removed);
    let said = says(&house, guild, "notify remove", &[("binding", id.into())]).await;
    compare.equal("gone", &said, none);
}

async fn settings_with_mistakes_are_refused_all_at_once(_: Database) {
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"));
    let settings = bot.home_folder().join("own.toml");
    std::fs::write(
        &settings,
        "[discord]\ntoken = 17\nmesages_per_second = 10\n[database]\nurl = \"mysql://user:hunter2@db/guildwire\"\n\
         [nats]\nurl = \"nats://bot:hunter2@nats.example.org\"\n[htpt]\nlisten = \"x\"\n",
    )
    .unwrap();
    let path = settings.display().to_string();
    let bot = bot.setting("http.listen", "9310").setting("shutdown.deadline_seconds", "soon").setting("log.levle", "x");
    let bot = bot.environment("GUILDWIRE_LOG_LEVEL", "debug");
    let wanted = format!(
        "error: the settings have 9 mistakes:
  GUILDWIRE_LOG_LEVEL: has no effect; it must be GUILDWIRE__LOG__LEVEL, with two underscores
  discord.mesages_per_second: there is no such key; did you mean discord.messages_per_second? (from {path})
  htpt.listen: there is no such key; did you mean http.listen? (from {path})
  log.levle: there is no such key; did you mean log.level? (from GUILDWIRE__LOG__LEVLE)
  discord.token: must be a text in quotes (from {path})
  database.url: must be an address like \"sqlite://data/guildwire.db\" or \"postgres://user@host/name\", not \"mysql://…\" (from {path})
  nats.url: must be an address without user and password: an account has its own credential (from {path})
  http.listen: must be an address and port like \"127.0.0.1:9310\", not \"9310\" (from GUILDWIRE__HTTP__LISTEN)
  shutdown.deadline_seconds: must be a whole number from 1 to 600, not \"soon\" (from GUILDWIRE__SHUTDOWN__DEADLINE_SECONDS)
"
    );
    let mut compare = Comparisons::default();
    for command in [&["run"][..], &["config"], &["account", "list"]] {
        let arguments = [&["--config", &path], command].concat();
        compare.equal(command[0], &refused(&bot, 1, &arguments).await, &wanted);
    }
    let said = refused(&Bot::new(env!("CARGO_BIN_EXE_guildwire")), 1, &["run"]).await;
    compare.equal(
        "no token",
        &said,
        "error: no Discord token is set: put it into the environment variable DISCORD_TOKEN, or into the settings file \
         as token in section [discord] (you find it at https://discord.com/developers/applications, your application, \
         \"Bot\")\n",
    );
    std::fs::write(&settings, "[discord\ntoken = \"very.secret.token\"\n").unwrap();
    let bot = Bot::new(env!("CARGO_BIN_EXE_guildwire")).home(bot.home_folder());
    let said = refused(&bot, 1, &["--config", &path, "run"]).await;
    assert!(said.starts_with(&format!("error: the settings have a mistake: {path}: ")), "{said}");
    assert!(!said.contains("secret"), "{said}");
    let said = refused(&bot, 1, &["--config", "missing.toml", "run"]).await;
    let wanted = "error: the settings have a mistake: can't read the settings file missing.toml: No such file or directory (os error 2)\n";
    compare.equal("no file", &said, wanted);
    let said = refused(&bot, 2, &["acount", "list"]).await;
    assert!(said.contains("unrecognized subcommand 'acount'") && said.contains("'account'"), "{said}");
    assert_eq!(entries(bot.home_folder()), ["own.toml"], "nothing was made");
}

fn entries(folder: &std::path::Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The user of an account, and its password.
const USER: (&str, &str) = ("bot", "correct horse");

#[expect(clippy::too_many_lines, reason = "a list of refusals, each in its full words")]
async fn an_account_that_can_not_be_read_is_not_added(database: Database) {
    let user = || NatsUser::password(USER.0, USER.1);
    let config = NatsConfig::blog_post()
        .account_with_jetstream("OFF", "disabled", &[NatsUser::password("off", USER.1)])
        .account("TWO", &[NatsUser::password("two", USER.1)])
        .account("FEW", &[NatsUser::password("few", USER.1).publish_deny(&["$JS.API.STREAM.NAMES"])]);
    let house = house_around(NatsServer::start(&config).unwrap(), database).await;
    let old = NatsServer::start_old(&NatsConfig::open().account("GA-1", &[user()])).unwrap();
    let closed = format!("nats://127.0.0.1:{}", free_port());
    let url = house.nats.url();
    for (stream, subjects) in [("RUST", "v0.rust.servers.>"), ("OTHER", "v0.other.servers.>")] {
        let options = async_nats::ConnectOptions::with_user_and_password("two".to_owned(), USER.1.to_owned());
        let jetstream = async_nats::jetstream::new(options.connect(&url).await.unwrap());
        let config = async_nats::jetstream::stream::Config {
            name: stream.to_owned(),
            subjects: vec![subjects.to_owned()],
            ..Default::default()
        };
        jetstream.create_stream(config).await.unwrap();
    }
    let password = file(&house, "password", &format!("{}\n", USER.1));
    let wrong = file(&house, "wrong", "battery staple\n");
    let two_lines = file(&house, "two-lines", "battery\nstaple\n");
    let empty = file(&house, "empty", "\n");
    let garbage = file(&house, "garbage", "-----BEGIN NATS USER JWT-----\nsecret-garbage\n");
    let account_seed = file(&house, "account-seed", "SAANDLKMXL6CUS3CP52WIXBEDN6YJ545GDKC65U5JZPPV6WH6ESWUA6YAI\n");
    let untyped = file(&house, "untyped", "SUANDLKMXL6CUS3CP52WIXBEDN6YJ545GDKC65U5JZPPV6WH6ESWUA6YAA\n");
    let not_stored = "\nNothing was stored. To store the account without trying it, add --no-check.\n";
    let mut compare = Comparisons::default();

    for (what, arguments, wanted) in [
        (
            "unreachable",
            vec!["--url", &closed, "--user", USER.0, "--password-file", &password],
            format!(
                "error: nats-server can't be reached at {closed} (IO error: Connection refused (os error 111)): check \
                 that it runs there and that this address is right{not_stored}"
            ),
        ),
        (
            "unknown user",
            vec!["--user", USER.0, "--password-file", &password],
            format!(
                "error: nats-server at {url} refuses the credential: check that the user exists there and was not \
                 revoked{not_stored}"
            ),
        ),
        (
            "wrong password",
            vec!["--user", "off", "--password-file", &wrong],
            format!(
                "error: nats-server at {url} refuses the credential: check that the user exists there and was not \
                 revoked{not_stored}"
            ),
        ),
        (
            "too old",
            vec!["--url", &old.url(), "--user", USER.0, "--password-file", &password],
            format!(
                "error: nats-server {} is too old: guildwire needs 2.14 or newer, to set its consumer back after a \
                 crash{not_stored}",
                "2.12.8"
            ),
        ),
        (
            "no JetStream",
            vec!["--user", "off", "--password-file", &password],
            format!(
                "error: JetStream is not available to this account: enable it for the account in nats-server's \
                 configuration{not_stored}"
            ),
        ),
        (
            "no stream",
            vec!["--user", NatsConfig::BLOG_POST_USER],
            format!(
                "error: no stream covers v0.*.servers.>: make one with `nats stream add EVENTS --subjects \
                 'v0.*.servers.>' --storage file --defaults`{not_stored}"
            ),
        ),
        (
            "no such stream",
            vec!["--user", NatsConfig::BLOG_POST_USER, "--stream", "EVENTS"],
            format!("error: there is no stream named EVENTS in this account{not_stored}"),
        ),
        (
            "several streams",
            vec!["--user", "two", "--password-file", &password],
            format!(
                "error: several streams cover v0.*.servers.> (OTHER, RUST): name the one to read with \
                 --stream{not_stored}"
            ),
        ),
        (
            "no permission",
            vec!["--user", "few", "--password-file", &password],
            format!(
                "error: the user may not publish to $JS.API.STREAM.NAMES: allow that subject in the user's \
                 permissions{not_stored}"
            ),
        ),
        (
            "no credential file",
            vec!["--creds", "missing.creds"],
            "error: can't read missing.creds\n  because: No such file or directory (os error 2)\n".to_owned(),
        ),
        (
            "no password file",
            vec!["--user", USER.0, "--password-file", "missing"],
            "error: can't read missing\n  because: No such file or directory (os error 2)\n".to_owned(),
        ),
        (
            "garbage for creds",
            vec!["--creds", &garbage],
            format!(
                "error: {garbage} can't be used\n  because: this is no .creds file: one holds a NATS USER JWT and a \
                 USER NKEY SEED\n"
            ),
        ),
        (
            "garbage for a seed",
            vec!["--nkey-seed", &garbage],
            format!(
                "error: {garbage} can't be used\n  because: this is no nkey seed of a user: one starts with SU and \
                 has 58 characters\n"
            ),
        ),
        (
            "an account's seed",
            vec!["--nkey-seed", &account_seed],
            format!(
                "error: {account_seed} can't be used\n  because: this is no nkey seed of a user: one starts with SU \
                 and has 58 characters\n"
            ),
        ),
        (
            "a seed with a typing error",
            vec!["--nkey-seed", &untyped],
            format!(
                "error: {untyped} can't be used\n  because: this is no nkey seed of a user: its checksum is wrong, so \
                 a character is missing or mistyped\n"
            ),
        ),
        (
            "a password of two lines",
            vec!["--user", USER.0, "--password-file", &two_lines],
            format!("error: {two_lines} must hold the password alone, on one line\n"),
        ),
        (
            "an empty password",
            vec!["--user", USER.0, "--password-file", &empty],
            format!("error: {empty} is empty: leave --password-file out if the user has no password\n"),
        ),
    ] {
        let arguments = [&["account", "add", "NEW"], arguments.as_slice()].concat();
        compare.equal(what, &refused(&house.bot, 1, &arguments).await, &wanted);
    }
    // What makes no sense in itself is refused with another exit code, and a password is not repeated.
    for (secret, arguments) in [
        ("hunter2", ["--url", "nats://bot:hunter2@127.0.0.1:4222", "--user", "x"]),
        ("hunter2", ["--url", "nats://a.example,nats://bot:hunter2@b.example", "--user", "x"]),
        ("hunter2", ["--url", "bot:hunter2@127.0.0.1", "--user", "x"]),
    ] {
        let said = refused(&house.bot, 2, &[&["account", "add", "NEW"], &arguments[..]].concat()).await;
        assert!(!said.contains(secret), "{said}");
        assert!(said.contains("--url") && said.contains("user"), "{said}");
    }
    let list = house.operate(&["account", "list"]).await.unwrap();
    assert!(list.starts_with("no accounts yet: add one with `guildwire account add NAME"), "{list}");
    assert!(!house.bot.home_folder().join("secrets").exists(), "no key is made for nothing");
}

async fn an_account_whose_name_is_taken_or_bad_is_not_added(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let before = house.operate(&["account", "list"]).await.unwrap();
    let mut compare = Comparisons::default();
    let user = ["--user", NatsConfig::BLOG_POST_USER];
    for check in [&[][..], &["--no-check"]] {
        let said = refused(&house.bot, 1, &[&["account", "add", FIRST_ACCOUNT], &user[..], check].concat()).await;
        compare.equal(
            "taken",
            &said,
            "error: there is an account GA-1 already: choose another name, or remove it first with `guildwire account \
             remove GA-1` (its links and bindings go with it)\n",
        );
    }
    for (what, arguments, wanted) in [
        ("bad name", vec!["G.A", "--user", "x"], "an account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -"),
        ("no name", vec!["", "--user", "x"], "an account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -"),
        ("no credential", vec!["NEW"], "<--creds <FILE>|--nkey-seed <FILE>|--user <NAME>>"),
        ("two credentials", vec!["NEW", "--user", "x", "--creds", "y"], "cannot be used with"),
        ("bad root", vec!["NEW", "--user", "x", "--root", "v0.>"], "a root's token is either * or plain text"),
        ("bad stream", vec!["NEW", "--user", "x", "--stream", "a.b"], "must be a stream's name"),
    ] {
        let said = refused(&house.bot, 2, &[&["account", "add"], arguments.as_slice()].concat()).await;
        assert!(said.contains(wanted), "{what}: {said}");
    }
    let unknown = "error: there is no account GA-9; the accounts are GA-1, GA-2\n";
    compare.equal("invite", &refused(&house.bot, 1, &["account", "invite", "GA-9"]).await, unknown);
    compare.equal("remove", &refused(&house.bot, 1, &["account", "remove", "GA-9", "--yes"]).await, unknown);
    let said = refused(&house.bot, 1, &["account", "remove", FIRST_ACCOUNT]).await;
    compare.equal(
        "nobody to ask",
        &said,
        "error: removing GA-1 means removing 0 links and 0 bindings with it, and nobody is here to be asked: give \
         --yes if that is meant\n",
    );
    for expires in ["59s", "0m", "31d", "soon"] {
        let said = refused(&house.bot, 2, &["account", "invite", FIRST_ACCOUNT, "--expires", expires]).await;
        assert!(said.contains("--expires"), "{said}");
    }
    compare.equal("as before", &house.operate(&["account", "list"]).await.unwrap(), &before);
}

async fn an_account_that_can_not_be_reached_says_why_and_recovers_by_itself(database: Database) {
    let mut house = house_around(NatsServer::start(&NatsConfig::blog_post()).unwrap(), database).await;
    let other = NatsServer::start(&NatsConfig::open()).unwrap();
    let url = house.nats.url();
    house.nats.kill().unwrap();
    let healthy = async_nats::jetstream::new(async_nats::connect(other.url()).await.unwrap());
    let healthy = guildwire_harness::house::Publisher { jetstream: healthy };
    healthy.make_stream().await.unwrap();

    let printed =
        house.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER, "--no-check"]).await;
    assert!(printed.unwrap().contains(&format!("\nIt was not tried whether it can be reached at {url}.\n")));
    house.operate(&["account", "add", "HEALTHY", "--url", &other.url(), "--user", "anybody"]).await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let (sick, well) = (house.channel(guild, "sick"), house.channel(guild, "well"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, "HEALTHY").await.unwrap();
    let account = |name: &str| ("account", Value::from(name));
    let mut compare = Comparisons::default();

    let unreachable = format!(
        "nats-server can't be reached at {url} (IO error: Connection refused (os error 111)): check that it runs there \
         and that this address is right"
    );
    let unreachable = escaped(&unreachable);
    let bound = format!("<#{sick}> hears **lifecycle** of **GA-1** (all servers)");
    let options = [("channel", sick.to_string().into()), ("events", "lifecycle".into()), account(FIRST_ACCOUNT)];
    compare.equal(
        "begins later",
        &says(&house, guild, "notify add", &options).await,
        &format!("🕓 {bound}, as soon as the account can be read. It can't yet: {unreachable}. I keep trying."),
    );
    house.notify(guild, well, "lifecycle", &[account("HEALTHY")]).await.unwrap();
    let list = without_moments(&says(&house, guild, "account list", &[]).await);
    compare.equal(
        "the same reason",
        &list,
        &format!(
            "**GA-1** · linked <time>\n🔴 can't be read: {unreachable}. I keep trying (it began <time>).\n\n\
             **HEALTHY** · linked <time>\n🟢 reading its events (connected <time>)"
        ),
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    let waits = "\n🕓 begins as soon as the account can be read: `/account list` says why it can't";
    compare.equal("waits", &listed.lines().take(2).skip(1).collect::<String>(), &waits[1..]);
    bot.wait_for_log("can't read the account; trying again account=GA-1", PATIENCE).await.unwrap();

    // The other account hears nothing of that.
    healthy.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(well, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // One cause is gone, the next comes to light.
    house.nats.start_again().unwrap();
    let no_stream = "**GA-1** · linked <time>\n🔴 can't be read: no stream covers v0\\.\\*\\.servers\\.\\>\\: \
                     make one with \\`nats stream add EVENTS \\-\\-subjects 'v0\\.\\*\\.servers\\.\\>' \\-\\-storage file \
                     \\-\\-defaults\\`. I keep trying (it began <time>).";
    let list = wait_for_account_list(&house, guild, PATIENCE, "no stream covers").await;
    compare.equal("no stream", list.split("\n\n").next().unwrap(), no_stream);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    let list = wait_for_account_list(&house, guild, PATIENCE, "**GA-1** · linked <time>\n🟢").await;
    compare.equal(
        "reads",
        list.split("\n\n").next().unwrap(),
        "**GA-1** · linked <time>\n🟢 reading its events (connected <time>)",
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    compare.equal("no longer waits", &listed.matches('🕓').count().to_string(), "0");
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(sick, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // And once more, in the middle of things.
    house.nats.kill().unwrap();
    wait_for_account_list(&house, guild, PATIENCE, "can't be reached").await;
    healthy.publish("main.events.stopping", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(well, 2).await.unwrap()[1], "🟠 Server **main** is about to stop");
    house.nats.start_again().unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.wiped", "{}").await.unwrap();
    let shown = house.wait_for_shown(sick, 2).await.unwrap();
    assert_eq!(shown, ["🟢 Server **main** is up", "✨ Server **main** was wiped: a fresh world awaits"]);
}

/// An address as it stands in text that renders markdown.
fn escaped(text: &str) -> String {
    guildwire::domain::text::escape(text)
}

async fn a_user_who_may_not_reset_the_consumer_is_told_the_subject(database: Database) {
    let config = |user: NatsUser| {
        NatsConfig::open().account(FIRST_ACCOUNT, &[NatsUser::without_password(NatsConfig::BLOG_POST_USER), user])
    };
    let user = || NatsUser::password(USER.0, USER.1);
    let denied = config(user().publish_deny(&["$JS.API.CONSUMER.RESET.>"]));
    let mut house = house_around(NatsServer::start(&denied).unwrap(), database).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    let password = file(&house, "password", USER.1);
    let add = ["account", "add", FIRST_ACCOUNT, "--user", USER.0, "--password-file", &password];
    house.operate(&add).await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let mut compare = Comparisons::default();

    let options = [("channel", channel.to_string().into()), ("events", "lifecycle".into())];
    let asked = tokio::time::Instant::now();
    let said = says(&house, guild, "notify add", &options).await;
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    let log = bot.log();
    let (_, rest) = log.split_once("durable=\"").unwrap();
    let durable = rest.split('"').next().unwrap();
    let subject = format!("$JS.API.CONSUMER.RESET.EVENTS.{durable}");
    let reason = format!("the user may not publish to {subject}: allow that subject in the user's permissions");
    let bound = format!("<#{channel}> hears **lifecycle** of **GA-1** (all servers)");
    compare.equal(
        "begins later",
        &said,
        &format!("🕓 {bound}, as soon as the account can be read. It can't yet: {}. I keep trying.", escaped(&reason)),
    );
    let list = without_moments(&says(&house, guild, "account list", &[]).await);
    let wanted =
        format!("**GA-1** · linked <time>\n🔴 can't be read: {}. I keep trying (it began <time>).", escaped(&reason));
    compare.equal("list", &list, &wanted);
    let logged = format!("can't read the account; trying again account=GA-1 reason=\"{reason}\"");
    bot.wait_for_log(&logged, PATIENCE).await.unwrap();

    // What is published meanwhile is kept in the stream, and shown once the permission is there.
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    house.nats.reload(&config(user())).unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟠 Server **main** is about to stop"]);
    wait_for_account_list(&house, guild, PATIENCE, "🟢").await;
}

/// What `guildwire run` says as it ends by itself, which has to be with exit code 1.
async fn run_refused(bot: &Bot) -> String {
    let mut run = bot.run().await.unwrap();
    let status = run.wait(PATIENCE).await.unwrap();
    assert_eq!(status.code(), Some(1), "{}", run.log());
    let log = run.log();
    let at = log.rfind("error: ").unwrap_or_else(|| panic!("{log}"));
    log[at..].to_owned()
}

async fn run_refuses_a_wrong_token(database: Database) {
    let house = build_house(database).await;
    let House { nats: _nats, discord, bot } = house;
    let bot = bot.discord(&discord.url(), "another.token");
    let said = run_refused(&bot).await;
    assert_eq!(
        said,
        "error: Discord refuses the bot's token: set DISCORD_TOKEN (or discord.token) to the token on the page Bot of \
         your application at https://discord.com/developers/applications, and start again\n"
    );
    assert_eq!(discord.commands().len(), 0);
}

async fn run_refuses_to_be_the_second(database: Database) {
    let house = build_house(database).await;
    let mut bot = house.start().await.unwrap();
    let said = run_refused(&house.bot).await;
    let wanted = "error: another guildwire is running on this database; stop it first (only `run` needs the database to \
                  itself)\n";
    assert_eq!(said, wanted);
    // The first goes on, and its place is free once it is gone.
    bot.wait_ready(PATIENCE).await.unwrap();
    assert!(bot.terminate().await.unwrap().success());
    house.start().await.unwrap();
}

async fn run_refuses_a_key_file_that_is_missing_or_another(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let key = house.bot.home_folder().join("secrets/guildwire.key");
    let own = std::fs::read_to_string(&key).unwrap();
    let before = house.operate(&["account", "list"]).await.unwrap();
    let add = ["account", "add", "NEW", "--user", NatsConfig::BLOG_POST_USER];
    let mut compare = Comparisons::default();

    std::fs::remove_file(&key).unwrap();
    let missing = "error: the key file secrets/guildwire.key is missing, but the database holds secrets that were made \
                   with it: put it back from your backup, or let secrets.key_file point to where it is (a new key could \
                   not open them)\n";
    compare.equal("run without", &run_refused(&house.bot).await, missing);
    compare.equal("add without", &refused(&house.bot, 1, &add).await, missing);
    assert!(!key.exists(), "no new key is made");

    std::fs::write(&key, "0123456789abcdef\n").unwrap();
    let garbage = "error: the key file secrets/guildwire.key holds no key: 64 hexadecimal digits are expected, not 16; \
                   put the right file back from your backup (only if guildwire never held an account's credential, \
                   remove the file and a new one is made)\n";
    compare.equal("run with garbage", &run_refused(&house.bot).await, garbage);
    compare.equal("add with garbage", &refused(&house.bot, 1, &add).await, garbage);

    std::fs::write(&key, format!("{}\n", "0123456789abcdef".repeat(4))).unwrap();
    let another = "error: the key file secrets/guildwire.key is not the one that the credentials in the database were \
                   encrypted with: put the right file back from your backup, or let secrets.key_file point to it\n";
    compare.equal("run with another", &run_refused(&house.bot).await, another);
    compare.equal("add with another", &refused(&house.bot, 1, &add).await, another);

    compare.equal("as before", &house.operate(&["account", "list"]).await.unwrap(), &before);
    std::fs::write(&key, own).unwrap();
    house.start().await.unwrap();
}

async fn a_newer_schema_is_refused(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    sqlx::any::install_default_drivers();
    let mut connection = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
         SELECT 9001, 'from the future', installed_on, success, checksum, execution_time FROM _sqlx_migrations
         WHERE version = 1",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let shown = match database {
        Database::Sqlite => "sqlite://data/guildwire.db".to_owned(),
        Database::Postgres => url.clone(),
    };
    assert!(database as u8 == Database::Postgres as u8 || url == sqlite_url(&house));
    let wanted = format!(
        "error: can't open the database {shown}\n  because: this database was made by a newer guildwire (its schema has \
         version 9001, which this one does not know): run that version again, or restore a backup from before the \
         upgrade\n"
    );
    let mut compare = Comparisons::default();
    compare.equal("run", &run_refused(&house.bot).await, &wanted);
    for command in [&["account", "list"][..], &["account", "invite", FIRST_ACCOUNT]] {
        compare.equal(command[1], &refused(&house.bot, 1, command).await, &wanted);
    }
    sqlx::query("DELETE FROM _sqlx_migrations WHERE version = 9001").execute(&mut connection).await.unwrap();
    house.operate(&["account", "list"]).await.unwrap();
}

async fn a_subject_that_is_no_text_is_told_with_the_way_out(database: Database) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "everything", &[]).await.unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();

    // No client library publishes that, but nats-server takes it from whoever may publish.
    let mut client = tokio::net::TcpStream::connect(house.nats.address()).await.unwrap();
    let mut lines =
        format!("CONNECT {{\"verbose\":false,\"user\":\"{}\"}}\r\n", NatsConfig::BLOG_POST_USER).into_bytes();
    for server in [&b"\xff\xfe"[..], b"main\xff", b"ma\x01in"] {
        lines.extend_from_slice(b"PUB v0.rust.servers.");
        lines.extend_from_slice(server);
        lines.extend_from_slice(b".events.started 2\r\n{}\r\n");
    }
    lines.extend_from_slice(b"PING\r\n");
    client.write_all(&lines).await.unwrap();
    let mut said = String::new();
    while !said.contains("PONG") {
        let mut bytes = [0; 4096];
        let read = client.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    assert!(!said.contains("-ERR"), "{said}");
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    // What came before it was read.
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    for number in [2, 3] {
        let reason = format!(
            "the connection to nats-server is lost whenever events are asked for: most likely a subject in stream EVENTS \
             is not UTF-8, behind message {}; find it with `nats stream view EVENTS` and delete it with `nats stream rmm \
             EVENTS NUMBER`",
            number - 1
        );
        // Deleting the first leaves a gap in the numbers, no more.
        let reason = if number == 3 { reason.replace("message 2", "message 1") } else { reason };
        wait_for_account_list(&house, guild, PATIENCE, &escaped(&reason)).await;
        bot.wait_for_log(&reason, PATIENCE).await.unwrap();
        stream.delete_message(number).await.unwrap();
    }
    let shown = house.wait_for_shown(channel, 3).await.unwrap();
    assert_eq!(shown[1..], ["🟢 Server **main** is up", "🟠 Server **main** is about to stop"]);
    let lost = bot.log().matches("WARN guildwire::intake").count();
    assert!(lost < 40, "{lost} warnings");
}
