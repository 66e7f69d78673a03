//! Each way for an account to prove itself: events arrive, and nothing that is secret is found anywhere.

use std::path::Path;

use async_nats::ConnectOptions;
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use guildwire_harness::house::{House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser};
use nkeys::KeyPair;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::installation::{file, house_around, on_sqlite};
use crate::support::Database;

on_sqlite!(
    an_account_is_connected_by_an_nkey,
    an_account_is_connected_by_a_creds_file,
    an_account_is_connected_by_user_and_password,
    an_account_is_connected_by_a_user_without_password,
);

async fn an_account_is_connected_by_an_nkey(database: Database) {
    let key = KeyPair::new_user();
    let seed = key.seed().unwrap();
    let config = NatsConfig::open().account("GA-1", &[NatsUser::nkey(&key.public_key())]);
    let house = secretive_house(NatsServer::start(&config).unwrap(), database).await;
    let path = file(&house, "outside.seed", &format!("{seed}\n"));
    let game_server = ConnectOptions::with_nkey(seed.clone());
    events_arrive_and_nothing_leaks(house, game_server, &["--nkey-seed", &path], &[&seed, &seed[2..30]]).await;
}

async fn an_account_is_connected_by_a_creds_file(database: Database) {
    let (operator, account, user) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user());
    let operator_jwt = jwt(&operator, &operator, "guildwire", &json!({ "type": "operator", "version": 2 }));
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": 1_048_576, "disk_storage": 1_073_741_824, "streams": 10, "consumer": 10,
    });
    let account_jwt = jwt(&operator, &account, "GA-1", &json!({ "type": "account", "version": 2, "limits": limits }));
    let user_jwt =
        jwt(&account, &user, "bot", &json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 }));
    let system = KeyPair::new_account();
    let system_jwt = jwt(&operator, &system, "SYS", &json!({ "type": "account", "version": 2 }));
    let config = NatsConfig::open().raw(&format!(
        "operator: {operator_jwt}\nsystem_account: {system}\nresolver: MEMORY\n\
         resolver_preload: {{ {account}: {account_jwt}, {system}: {system_jwt} }}",
        account = account.public_key(),
        system = system.public_key(),
    ));
    let house = secretive_house(NatsServer::start(&config).unwrap(), database).await;
    let seed = user.seed().unwrap();
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
    );
    let path = file(&house, "outside.creds", &creds);
    let game_server = ConnectOptions::with_credentials(&creds).unwrap();
    let signature = user_jwt.rsplit('.').next().unwrap();
    events_arrive_and_nothing_leaks(house, game_server, &["--creds", &path], &[&seed, &user_jwt, signature]).await;
}

async fn an_account_is_connected_by_user_and_password(database: Database) {
    let (user, password) = ("the-user-of-ga-1", "correct horse battery staple");
    let config = NatsConfig::open().account("GA-1", &[NatsUser::password(user, password)]);
    let house = secretive_house(NatsServer::start(&config).unwrap(), database).await;
    let path = file(&house, "outside.password", &format!("{password}\r\n"));
    let game_server = ConnectOptions::with_user_and_password(user.to_owned(), password.to_owned());
    let arguments = ["--user", user, "--password-file", &path];
    events_arrive_and_nothing_leaks(house, game_server, &arguments, &[user, password, "battery"]).await;
}

async fn an_account_is_connected_by_a_user_without_password(database: Database) {
    let user = NatsConfig::BLOG_POST_USER;
    let house = secretive_house(NatsServer::start(&NatsConfig::blog_post()).unwrap(), database).await;
    let game_server = ConnectOptions::with_user_and_password(user.to_owned(), String::new());
    events_arrive_and_nothing_leaks(house, game_server, &["--user", user], &[user]).await;
}

/// A house whose bot tells in its log whatever it has to tell.
async fn secretive_house(nats: NatsServer, database: Database) -> House {
    let House { nats, discord, bot } = house_around(nats, database).await;
    let bot = bot.setting("log.level", "guildwire=trace,async_nats=debug,serenity=debug,sqlx=debug,info");
    House { nats, discord, bot }
}

async fn events_arrive_and_nothing_leaks(
    house: House,
    game_server: ConnectOptions,
    credential: &[&str],
    secrets: &[&str],
) {
    // From here on, no command and no line of the log may hold one.
    for secret in secrets {
        house.bot.keep_secret(secret);
    }
    let client = game_server.connect(house.nats.url()).await.unwrap();
    let publisher = Publisher { jetstream: async_nats::jetstream::new(client) };
    publisher.make_stream().await.unwrap();
    house.operate(&[&["account", "add", "GA-1"], credential].concat()).await.unwrap();
    // Copied into the database: the file is not needed any more.
    for entry in std::fs::read_dir(house.bot.home_folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|stem| stem == "outside") {
            std::fs::remove_file(path).unwrap();
        }
    }
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    let mut house = house;
    house.nats.kill().unwrap();
    bot.wait_for_log("can't read the account; trying again", PATIENCE).await.unwrap();
    for command in [&["account", "list"][..], &["config"], &["account", "invite", "GA-1"]] {
        house.operate(command).await.unwrap();
    }
    let list = house.command(guild, "account list", &[]).await.unwrap().raw.to_string();
    assert!(list.contains("🔴"), "{list}");
    assert!(bot.log().contains("DEBUG guildwire"), "{}", bot.log());
    // The database as it is while the bot runs, its write-ahead log included, and as it is left behind.
    let running = files_below(house.bot.home_folder());
    assert!(bot.terminate().await.unwrap().success());
    let stopped = files_below(house.bot.home_folder());
    let token = house.discord.token();
    for secret in secrets.iter().copied().chain([token.as_str()]) {
        assert!(!list.contains(secret), "{secret} was told in Discord: {list}");
        for (path, bytes) in running.iter().chain(&stopped) {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {path}");
        }
    }
    assert!(stopped.iter().any(|(path, _)| path.ends_with("guildwire.db")), "the database was looked at");
}

/// Every file below a folder, with its bytes.
pub(crate) fn files_below(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            // SQLite's own temporary files may be gone by now.
            files.push((path.display().to_string(), bytes));
        }
    }
    files
}

/// A JWT as nats-server takes it: signed by the issuer's nkey, named by the hash of its own claims
/// (<https://docs.nats.io/running-a-nats-service/nats_admin/security/jwt>).
pub(crate) fn jwt(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value) -> String {
    signed(issuer, subject, name, nats, None)
}

/// The same, good until that second.
pub(crate) fn expiring_jwt(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value, expires: i64) -> String {
    signed(issuer, subject, name, nats, Some(expires))
}

fn signed(issuer: &KeyPair, subject: &KeyPair, name: &str, nats: &Value, expires: Option<i64>) -> String {
    let mut claims = json!({
        "iat": 1_700_000_000, "iss": issuer.public_key(), "name": name, "sub": subject.public_key(), "nats": nats,
    });
    if let Some(expires) = expires {
        claims["exp"] = json!(expires);
    }
    claims["jti"] = json!(BASE32_NOPAD.encode(&Sha256::digest(claims.to_string())));
    let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let body = format!("{}.{}", encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encoded(&claims));
    let signature = BASE64URL_NOPAD.encode(&issuer.sign(body.as_bytes()).unwrap());
    format!("{body}.{signature}")
}
