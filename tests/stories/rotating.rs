//! A new key beside the old one: reading goes on with the old one until the new one was shown to work, and what is
//! published meanwhile comes once, in order.

use discord_sim::Reply;
use guildwire_harness::house::{Guild, House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser, RunningBot};
use nkeys::KeyPair;

use crate::connecting::{config, connect, key_in, printed, publisher, seed_in_database, self_service, verify};
use crate::fire;
use crate::installation::{Comparisons, file, house_around, on_sqlite, refused, says, wait_for_account_list};
use crate::support::{Database, on_both_databases};

on_both_databases!(an_owner_rotates_while_events_go_on);
on_sqlite!(
    the_operator_rotates_whether_the_bot_runs_or_not,
    an_old_key_that_is_gone_before_is_told_and_recovery_is_by_itself,
    only_an_nkey_is_rotated,
    an_owner_rotates_an_account_that_is_found_by_its_subjects,
);

/// A house with an account that was connected in Discord, and a channel that hears it.
async fn connected_house(database: Database) -> (House, RunningBot, Guild, u64, Publisher, String) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let page = connect(&house, guild).await;
    let entry = printed(&page).0;
    house.nats.reload(&config(&entry, "")).unwrap();
    assert!(verify(&house, guild, &page).await.content.starts_with('✅'));
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    (house, bot, guild, channel, publisher, entry)
}

async fn rotate(house: &House, guild: Guild) -> Reply {
    let reply = house.command(guild, "account rotate", &[("account", "GA-1".into())]).await.unwrap();
    assert_eq!(
        reply.content,
        "🔑 I made a new key for **GA-1**. Let its public half in **beside** the old one, in one of the two ways below, and \
         press **Verify**. I go on with the old key until then."
    );
    reply
}

async fn an_owner_rotates_while_events_go_on(database: Database) {
    let (mut house, bot, guild, channel, publisher, old) = connected_house(database).await;
    let (old_key, mut next) = (key_in(&old), 0);
    let mut publish = async |count: usize| {
        for _ in 0..count {
            publisher.publish(&format!("server-{next}.events.started"), "{}").await.unwrap();
            next += 1;
        }
        next
    };
    publish(5).await;
    let page = rotate(&house, guild).await;
    let new = printed(&page).0;
    let new_key = key_in(&new);
    assert_ne!(new_key, old_key);
    publish(5).await;
    // Not let in yet: the old one is read with all the same.
    let not_yet = verify(&house, guild, &page).await;
    let wanted = format!(
        "🔴 Not yet. nats-server does not let me in: it knows no user with my public key `{new_key}`. Add it as told below, \
         and reload nats-server. Then press **Verify** again."
    );
    assert_eq!(not_yet.content, wanted);
    let so_far = publish(5).await;
    fire::wait_for(&house.discord, channel, &format!("server-{}", so_far - 1)).await;

    house.nats.reload(&config(&format!("{old}\n{new}"), "")).unwrap();
    publish(5).await;
    let green = verify(&house, guild, &not_yet).await;
    assert_eq!(
        green.content,
        format!(
            "✅ I read **GA-1** with its new key from now on. The old one, `{old_key}`, may be removed from nats-server."
        )
    );
    publish(5).await;
    house.nats.reload(&config(&new, "")).unwrap();
    let all = publish(5).await;
    fire::wait_for(&house.discord, channel, &format!("server-{}", all - 1)).await;
    let wanted: Vec<String> = (0..all).map(|number| format!("server-{number}")).collect();
    assert_eq!(fire::shown(&house.discord, channel), wanted);

    let again = house.discord.use_unseen(crate::managing::admin(guild), &page, "verify:GA-1", None).await;
    assert!(again.is_err(), "its buttons are gone: {again:?}");
    if matches!(database, Database::Sqlite) {
        let seed = seed_in_database(&house).await;
        assert_eq!(KeyPair::from_seed(&seed).unwrap().public_key(), new_key);
        assert!(!bot.log().contains(&seed));
    }
}

async fn an_old_key_that_is_gone_before_is_told_and_recovery_is_by_itself(database: Database) {
    let (mut house, _bot, guild, channel, publisher, _) = connected_house(database).await;
    let page = rotate(&house, guild).await;
    house.nats.reload(&config(&printed(&page).0, "")).unwrap();
    wait_for_account_list(&house, guild, PATIENCE, "Its nats-server does not let me in.").await;
    publisher.publish("main.events.started", "{}").await.unwrap();
    let green = verify(&house, guild, &page).await;
    assert!(green.content.starts_with("✅ I read **GA-1** with its new key"), "{}", green.content);
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    wait_for_account_list(&house, guild, PATIENCE, "🟢 reading its events").await;
}

async fn the_operator_rotates_whether_the_bot_runs_or_not(database: Database) {
    let first = KeyPair::new_user();
    let user = format!("{{ nkey: {} }}", first.public_key());
    let mut house = house_around(NatsServer::start(&config(&user, "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let seed = file(&house, "bot.seed", &first.seed().unwrap());
    house.operate(&["account", "add", "GA-1", "--nkey-seed", &seed]).await.unwrap();
    let none = refused(&house.bot, 1, &["account", "rotate", "GA-1", "--verify"]).await;
    assert_eq!(none, "error: there is no new key for GA-1: `guildwire account rotate GA-1` makes one\n");

    let (mut old, mut running) = (first.public_key(), None);
    let mut channel = None;
    for round in 0..2 {
        let printed = house.operate(&["account", "rotate", "GA-1"]).await.unwrap();
        let entry = printed.split_once("\n\n").unwrap().1.split_once("\n\n").unwrap().0.to_owned();
        // The stream is found by its subjects, which takes one permission more.
        assert!(entry.contains("\"$JS.API.STREAM.NAMES\""), "{entry}");
        let failed = house.bot.command(&["account", "rotate", "GA-1", "--verify"]).await.unwrap();
        assert_eq!(failed.status.code(), Some(1), "{failed:?}");
        assert!(failed.stdout.contains("✗ connection: "), "{failed:?}");
        assert!(failed.stdout.ends_with("The old key stays in use.\n"), "{failed:?}");

        let both = format!("{{ nkey: {old} }}\n{entry}");
        house.nats.reload(&config(&both, "")).unwrap();
        let verified = house.operate(&["account", "rotate", "GA-1", "--verify"]).await.unwrap();
        let told = format!("GA-1 is read with its new key. The old one may be removed from nats-server: {old}");
        assert_eq!(verified.lines().last(), Some(told.as_str()), "{verified}");
        house.nats.reload(&config(&entry, "")).unwrap();
        old = key_in(&entry);
        if running.is_none() {
            running = Some(house.start().await.unwrap());
            let guild = house.guild("Rustaceans");
            let made = house.channel(guild, "status");
            house.link(guild, "GA-1").await.unwrap();
            house.notify(guild, made, "lifecycle", &[]).await.unwrap();
            channel = Some(made);
        }
        publisher.publish(&format!("round{round}.events.started"), "{}").await.unwrap();
        house.wait_for_shown(channel.unwrap(), round + 1).await.unwrap();
    }
    assert_eq!(house.shown(channel.unwrap()), ["🟢 Server **round0** is up", "🟢 Server **round1** is up"]);
}

async fn an_owner_rotates_an_account_that_is_found_by_its_subjects(database: Database) {
    let first = KeyPair::new_user();
    let user = format!("{{ nkey: {} }}", first.public_key());
    let mut house = house_around(NatsServer::start(&config(&user, "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let seed = file(&house, "bot.seed", &first.seed().unwrap());
    let guild = house.guild("Rustaceans");
    let owner = guild.admin.to_string();
    house.operate(&["account", "add", "GA-1", "--nkey-seed", &seed, "--owner", &owner]).await.unwrap();
    let _bot = house.start().await.unwrap();
    house.link(guild, "GA-1").await.unwrap();
    // Nothing was read yet, so any stream may be the one.
    let entry = printed(&rotate(&house, guild).await).0;
    assert!(entry.contains("$JS.API.STREAM.INFO.*\""), "{entry}");
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();

    let page = rotate(&house, guild).await;
    let entry = printed(&page).0;
    assert!(entry.contains("$JS.API.STREAM.INFO.EVENTS\"") && entry.contains("$JS.API.STREAM.NAMES\""), "{entry}");
    house.nats.reload(&config(&format!("{user}\n{entry}"), "")).unwrap();
    let green = verify(&house, guild, &page).await;
    assert!(green.content.starts_with("✅ I read **GA-1** with its new key"), "{}", green.content);
    house.nats.reload(&config(&entry, "")).unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    house.wait_for_shown(channel, 2).await.unwrap();
}

async fn only_an_nkey_is_rotated(database: Database) {
    let house = house_around(
        NatsServer::start(&NatsConfig::open().account("GA-1", &[NatsUser::password("bot", "correct horse")])).unwrap(),
        database,
    )
    .await;
    let password = file(&house, "password", "correct horse");
    let add = ["account", "add", "GA-1", "--user", "bot", "--password-file", &password, "--no-check"];
    house.operate(&add).await.unwrap();
    let mut compare = Comparisons::default();
    let wanted = "error: the account GA-1 is not connected by an nkey: give it another credential with `guildwire account \
                  edit GA-1 --creds FILE` or `--user NAME` (its owner, if it has one, can use /account rotate in Discord)\n";
    compare.equal("user", &refused(&house.bot, 1, &["account", "rotate", "GA-1"]).await, wanted);
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    house.link(guild, "GA-1").await.unwrap();
    let said = says(&house, guild, "account rotate", &[("account", "GA-1".into())]).await;
    assert!(said.starts_with("Nobody owns **GA-1** in Discord."), "{said}");
}
