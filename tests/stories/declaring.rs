//! Accounts, links and bindings from the settings file: there at the start, following the file, and nobody else's to
//! change.

use std::fmt::Write as _;
use std::path::Path;

use guildwire_harness::RunningBot;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, SECOND_ACCOUNT, SECOND_USER};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser};
use nkeys::KeyPair;
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{Comparisons, file, house_around, refused, says, without_moments};
use crate::managing::{admin, binding_ids};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_setup_in_the_file_is_there_at_the_start_and_not_changed_in_discord,
    a_setup_follows_its_file_and_no_event_is_lost,
    what_leaves_the_file_is_removed_and_the_rest_stays,
    what_was_made_by_hand_is_not_taken_over,
    a_credential_file_is_read_again_when_it_changes,
);

const UP: &str = "🟢 Server **main** is up";
/// What a file with nothing but this says of a setup: nothing.
const SILENT: &str = "[setup]\n";
const NONE: &str = "[setup]\naccounts = []\nlinks = []\nbindings = []\n";
const WIPED: &str = "✨ Server **main** was wiped: a fresh world awaits";

/// A house whose bot reads `own.toml`.
async fn house_with_file(database: Database) -> House {
    with_file(build_house(database).await)
}

fn with_file(house: House) -> House {
    let House { nats, discord, bot } = house;
    file_is(&bot.home_folder().join("own.toml"), SILENT);
    bot.keep_secret(NatsConfig::BLOG_POST_USER);
    House { nats, discord, bot: bot.environment("GUILDWIRE_CONFIG", "own.toml") }
}

fn file_is(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

/// Puts a setup into the file.
fn declare(house: &House, setup: &str) {
    file_is(&house.bot.home_folder().join("own.toml"), setup);
}

/// The first account, and the guild linked to it.
fn linked(guild: Guild) -> String {
    format!(
        "[[setup.accounts]]\nname = '{FIRST_ACCOUNT}'\nuser = '{}'\n[[setup.links]]\nguild = {}\naccount = \
         '{FIRST_ACCOUNT}'\n",
        NatsConfig::BLOG_POST_USER,
        guild.id
    )
}

fn bound(guild: Guild, channel: u64, keys: &str) -> String {
    format!("[[setup.bindings]]\nguild = {}\nchannel = {channel}\naccount = '{FIRST_ACCOUNT}'\n{keys}\n", guild.id)
}

async fn read_again(bot: &RunningBot) {
    let before = bot.log().matches("the settings were read again").count();
    bot.signal("HUP").unwrap();
    eventually("the settings are read again", async || {
        bot.log().matches("the settings were read again").count() > before
    })
    .await;
}

async fn all_is_covered(house: &House, guild: Guild) {
    eventually("all bindings have begun", async || !says(house, guild, "notify list", &[]).await.contains("begin"))
        .await;
}

async fn a_setup_in_the_file_is_there_at_the_start_and_not_changed_in_discord(database: Database) {
    let house = house_with_file(database).await;
    let guild = house.guild("Rustaceans");
    let (status, own) = (house.channel(guild, "status"), house.channel(guild, "own"));
    declare(&house, &(linked(guild) + &bound(guild, status, "events = ['server.started', 'server.wiped']")));
    let config = house.operate(&["config"]).await.unwrap();
    assert!(config.contains("{ name = \"GA-1\", url = ") && config.contains("user = \"<set>\""), "{config}");

    let bot = house.start().await.unwrap();
    all_is_covered(&house, guild).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(status, 1).await.unwrap(), [UP]);

    let mut compare = Comparisons::default();
    let bindings = says(&house, guild, "notify list", &[]).await;
    let id = binding_ids(&house, guild).await.remove(0);
    let binding = format!("<#{status}> hears **server.started, server.wiped** of **GA-1** (all servers)");
    let line = format!("`#{id}` {binding}\n📄 from the settings file\n");
    assert!(bindings.starts_with(&line), "{bindings}");
    let accounts = without_moments(&says(&house, guild, "account list", &[]).await);
    let mut lines = accounts.lines();
    compare.equal("account", lines.next().unwrap().split(" · ").next().unwrap(), "**GA-1**");
    compare.equal("from", lines.last().unwrap(), "📄 from the settings file");

    let chosen: [(&str, Value); 1] = [("binding", id.as_str().into())];
    let refusal = format!(
        "{binding}: that entry stands in the settings file, so I don't change it here. Whoever operates me can, in that \
         file."
    );
    for command in ["notify edit", "notify pause", "notify resume", "notify remove"] {
        compare.equal(command, &says(&house, guild, command, &chosen).await, &refusal);
    }
    let unlinking = says(&house, guild, "account unlink", &[("account", FIRST_ACCOUNT.into())]).await;
    let refusal = "The link to **GA-1** stands in the settings file, so I don't end it here. Whoever operates me can, in \
                   that file.";
    compare.equal("unlink", &unlinking, refusal);
    for command in [&["account", "edit", "GA-1", "--wide-filter"][..], &["account", "remove", "GA-1", "--yes"]] {
        let wanted = "error: the account GA-1 stands in the settings file and is changed there: edit its entry of \
                      [[setup.accounts]] or take it out, then send SIGHUP to the running guildwire, or start it\n";
        compare.equal(command[1], &refused(&house.bot, 1, command).await, wanted);
    }
    // Whose it is does not stand in the file, and that changes nothing of this.
    house.operate(&["account", "edit", "GA-1", "--owner", &guild.admin.to_string()]).await.unwrap();
    let rotating = says(&house, guild, "account rotate", &[("account", FIRST_ACCOUNT.into())]).await;
    let refusal = "**GA-1** stands in the settings file, so its key is exchanged where that file says, and not here. Ask \
                   whoever operates me.";
    compare.equal("rotate", &rotating, refusal);
    let list = house.operate(&["account", "list"]).await.unwrap();
    assert!(list.trim_end().ends_with("(from the settings file)"), "{list}");
    let doctor = house.bot.command(&["doctor"]).await.unwrap().stdout;
    assert!(doctor.contains("✓ setup: 1 account, 1 link, 1 binding in the settings file\n"), "{doctor}");
    assert!(doctor.contains("✓ credential of account GA-1 in the settings file: can be read\n"), "{doctor}");

    // What is added beside it is the guild's own.
    house.notify(guild, own, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(own, 1).await.unwrap(), [WIPED]);
    assert_eq!(house.wait_for_shown(status, 2).await.unwrap(), [UP, WIPED]);
    assert_eq!(bot.log().matches("did what the settings file says").count(), 3, "{}", bot.log());
}

async fn a_setup_follows_its_file_and_no_event_is_lost(database: Database) {
    let house = house_with_file(database).await;
    let guild = house.guild("Rustaceans");
    let role = house.discord.add_role(guild.id, "events", true);
    let (status, other) = (house.channel(guild, "status"), house.channel(guild, "other"));
    let base = linked(guild);
    declare(&house, &(base.clone() + &bound(guild, status, "events = 'lifecycle'")));
    let mut bot = house.start().await.unwrap();
    all_is_covered(&house, guild).await;
    assert!(bot.terminate().await.unwrap().success());

    // While it is down, an event comes and the file changes: the binding hears more, and what it heard goes on.
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    let wider = base.clone() + &bound(guild, status, "events = ['lifecycle', 'players']");
    declare(&house, &wider);
    let bot = house.start().await.unwrap();
    assert_eq!(house.wait_for_shown(status, 1).await.unwrap(), [UP]);
    all_is_covered(&house, guild).await;
    let changed = format!("did what the settings file says step=change binding of GA-1 to channel {status} in guild");
    bot.wait_for_log(&changed, PATIENCE).await.unwrap();

    // While it runs, too, and another one comes beside it.
    let more = wider + &bound(guild, other, &format!("events = 'lifecycle'\nmention = {role}\nstyle = 'each'"));
    declare(&house, &more);
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    read_again(&bot).await;
    bot.wait_for_log(&format!("step=add binding of GA-1 to channel {other}"), PATIENCE).await.unwrap();
    all_is_covered(&house, guild).await;
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    let shown = [UP, "🟠 Server **main** is about to stop", WIPED];
    assert_eq!(house.wait_for_shown(status, 3).await.unwrap(), shown);
    assert_eq!(house.wait_for_shown(other, 1).await.unwrap(), [WIPED]);

    // A file with mistakes changes nothing, and names them all.
    declare(&house, &(more.clone() + "[[setup.links]]\nguild = 1\naccount = 'GA-9'\nrole = 2\n"));
    bot.signal("HUP").unwrap();
    let mistakes = "setup.links[1].account: there is no account GA-9 in [[setup.accounts]] (from own.toml); \
                    setup.links[1].role: there is no such key";
    bot.wait_for_log(mistakes, PATIENCE).await.unwrap();
    declare(&house, &more);
    let steps = bot.log().matches("did what the settings file says").count();
    read_again(&bot).await;
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    house.wait_for_shown(status, 4).await.unwrap();
    assert_eq!(bot.log().matches("did what the settings file says").count(), steps, "nothing was left to do");
}

async fn what_leaves_the_file_is_removed_and_the_rest_stays(database: Database) {
    let house = house_with_file(database).await;
    let guild = house.guild("Rustaceans");
    let [status, chat, second] = ["status", "chat", "second"].map(|name| house.channel(guild, name));
    house.add_accounts().await.unwrap();
    house.operate(&["account", "remove", FIRST_ACCOUNT, "--yes"]).await.unwrap();
    let base = linked(guild) + &bound(guild, status, "events = 'lifecycle'");
    declare(&house, &(base.clone() + &bound(guild, chat, "events = 'chat'")));
    let mut bot = house.start().await.unwrap();
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    house.notify(guild, second, "lifecycle", &[("account", SECOND_ACCOUNT.into())]).await.unwrap();
    all_is_covered(&house, guild).await;

    declare(&house, &base);
    read_again(&bot).await;
    eventually("the binding is gone", async || binding_ids(&house, guild).await.len() == 2).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(status, 1).await.unwrap(), [UP]);

    // What says nothing, or is empty while somebody writes it, removes nothing.
    for (setup, told) in [
        (SILENT, "can't do all that the settings file says reason=\"accounts such as GA-1 came from a settings file"),
        ("", "the settings file own.toml is empty: put something into it, or name none"),
    ] {
        declare(&house, setup);
        bot.signal("HUP").unwrap();
        bot.wait_for_log(told, PATIENCE).await.unwrap();
    }
    declare(&house, SILENT);
    let doctor = house.bot.command(&["doctor"]).await.unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    assert!(doctor.stdout.contains("✗ setup: accounts such as GA-1 came from a settings file"), "{}", doctor.stdout);
    assert_eq!(binding_ids(&house, guild).await.len(), 2);

    // Also while it is down; its consumer on nats-server goes with it.
    assert!(bot.terminate().await.unwrap().success());
    let consumers = async || {
        let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
        stream.get_info().await.unwrap().state.consumer_count
    };
    assert_eq!(consumers().await, 1);
    declare(&house, NONE);
    let bot = house.start().await.unwrap();
    bot.wait_for_log("did what the settings file says step=remove account GA-1", PATIENCE).await.unwrap();
    assert_eq!(consumers().await, 0);
    let accounts = says(&house, guild, "account list", &[]).await;
    assert!(accounts.contains("GA-2") && !accounts.contains("GA-1"), "{accounts}");
    assert_eq!(binding_ids(&house, guild).await.len(), 1);
    let other = house.publisher(SECOND_ACCOUNT).await.unwrap();
    other.publish("main.events.wiped", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(second, 1).await.unwrap(), [WIPED]);
}

async fn what_was_made_by_hand_is_not_taken_over(database: Database) {
    let house = house_with_file(database).await;
    let guild = house.guild("Rustaceans");
    let (status, other) = (house.channel(guild, "status"), house.channel(guild, "other"));
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, status, "lifecycle", &[]).await.unwrap();

    let mut setup = linked(guild) + &bound(guild, other, "events = 'lifecycle'");
    declare(&house, &setup);
    read_again(&bot).await;
    let stays = "can't do all that the settings file says reason=\"the account GA-1 was added by hand and stays as it is, \
                 without what the settings file says of it: remove it with `guildwire account remove GA-1` (its links and \
                 bindings go with it), or give the one in the file another name\"";
    bot.wait_for_log(stays, PATIENCE).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(status, 1).await.unwrap(), [UP]);
    assert_eq!(house.shown(other), [""; 0]);
    let doctor = house.bot.command(&["doctor"]).await.unwrap();
    assert_eq!(doctor.status.code(), Some(1));
    assert!(
        doctor.stdout.contains("✗ setup: the account GA-1 was added by hand and stays as it is"),
        "{}",
        doctor.stdout
    );

    // Beside it, another account: a link that was made with a code is declared from the moment on at which it stands in
    // the file, also for a button that was shown before.
    let password = file(&house, "declared.password", SECOND_USER.1);
    house.bot.keep_secret(SECOND_USER.1);
    write!(setup, "[[setup.accounts]]\nname = 'NEW'\nuser = '{}'\npassword_file = '{password}'\n", SECOND_USER.0)
        .unwrap();
    declare(&house, &setup);
    read_again(&bot).await;
    bot.wait_for_log("step=add account NEW", PATIENCE).await.unwrap();
    house.link(guild, "NEW").await.unwrap();
    let asked = house.command(guild, "account unlink", &[("account", "NEW".into())]).await.unwrap();
    write!(setup, "[[setup.links]]\nguild = {}\naccount = 'NEW'\n", guild.id).unwrap();
    declare(&house, &setup);
    read_again(&bot).await;
    bot.wait_for_log("step=add link of guild", PATIENCE).await.unwrap();
    let answer = house.discord.press(admin(guild), &asked, "unlink:NEW").await.unwrap();
    assert!(answer.content.starts_with("The link to **NEW** stands in the settings file"), "{}", answer.content);

    let channel = house.channel(guild, "by hand");
    house.notify(guild, channel, "chat", &[("account", "NEW".into())]).await.unwrap();
    let equal = setup
        + &format!("[[setup.bindings]]\nguild = {}\nchannel = {channel}\naccount = 'NEW'\nevents = 'chat'\n", guild.id);
    declare(&house, &equal);
    read_again(&bot).await;
    let id = binding_ids(&house, guild).await.pop().unwrap();
    let stays = format!(
        "reason=\"the binding of NEW to channel {channel} in guild {} was made in Discord and stays as it is: end it there \
         with /notify remove #{id}, or take it out of the settings file\"",
        guild.id
    );
    bot.wait_for_log(&stays, PATIENCE).await.unwrap();
}

/// The account's own users: whoever publishes, and these keys.
fn keys(keys: &[&KeyPair]) -> NatsConfig {
    let users = keys.iter().map(|key| NatsUser::nkey(&key.public_key()));
    let users: Vec<_> = std::iter::once(NatsUser::without_password(NatsConfig::BLOG_POST_USER)).chain(users).collect();
    NatsConfig::open().account(FIRST_ACCOUNT, &users)
}

/// Puts a seed where the settings file says, as Kubernetes does: a new folder, and a link that is swapped at once.
fn mount(house: &House, version: &str, seed: &str) {
    house.bot.keep_secret(seed);
    let folder = house.bot.home_folder().join("mounted");
    std::fs::create_dir_all(folder.join(version)).unwrap();
    file_is(&folder.join(version).join("seed"), seed);
    let next = folder.join("next");
    std::os::unix::fs::symlink(version, &next).unwrap();
    std::fs::rename(next, folder.join("current")).unwrap();
}

async fn a_credential_file_is_read_again_when_it_changes(database: Database) {
    const READ_AGAIN: &str = "an account's credential file changed and was read again account=GA-1";
    const LOST: &str =
        "can't read an account's credential file; the credential that was read before stays account=GA-1";
    let [first, second, third] = [KeyPair::new_user(), KeyPair::new_user(), KeyPair::new_user()];
    let house = house_around(NatsServer::start(&keys(&[&first])).unwrap(), database).await;
    let mut house = with_file(house);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    let guild = house.guild("Rustaceans");
    let status = house.channel(guild, "status");
    mount(&house, "one", &first.seed().unwrap());
    let account = format!("[[setup.accounts]]\nname = '{FIRST_ACCOUNT}'\nnkey_seed_file = 'mounted/current/seed'\n");
    let link = format!("[[setup.links]]\nguild = {}\naccount = '{FIRST_ACCOUNT}'\n", guild.id);
    declare(&house, &(account + &link + &bound(guild, status, "events = 'lifecycle'")));
    let bot = house.start().await.unwrap();
    all_is_covered(&house, guild).await;
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(status, 1).await.unwrap();

    // A new key beside the old one, then the old one goes: nobody notices.
    house.nats.reload(&keys(&[&first, &second])).unwrap();
    mount(&house, "two", &second.seed().unwrap());
    bot.wait_for_log(READ_AGAIN, PATIENCE).await.unwrap();
    eventually("it is connected anew", async || bot.log().matches("reading the account's events").count() == 2).await;
    house.nats.reload(&keys(&[&second])).unwrap();
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    house.wait_for_shown(status, 2).await.unwrap();
    assert!(!bot.log().contains("can't read the account; trying again"), "{}", bot.log());

    // Half a file, and none: the key that was read stays.
    mount(&house, "half", &second.seed().unwrap()[..30]);
    bot.wait_for_log(LOST, PATIENCE).await.unwrap();
    std::fs::remove_file(house.bot.home_folder().join("mounted/current")).unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    house.wait_for_shown(status, 3).await.unwrap();

    // The old key goes first: the owner is told, nothing is lost, and it heals by itself.
    house.nats.reload(&keys(&[&third])).unwrap();
    bot.wait_for_log("can't read the account; trying again", PATIENCE).await.unwrap();
    publisher.publish("main.events.wiped", "{}").await.unwrap();
    assert!(says(&house, guild, "account list", &[]).await.contains("🔴"));
    mount(&house, "three", &third.seed().unwrap());
    let shown = house.wait_for_shown(status, 4).await.unwrap();
    let stopping = "🟠 Server **main** is about to stop";
    assert_eq!(shown, [UP, WIPED, stopping, WIPED]);
    let log = bot.log();
    assert_eq!((log.matches(READ_AGAIN).count(), log.matches(LOST).count()), (2, 1), "{log}");
}
