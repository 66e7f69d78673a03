//! Secrets at rest: a database without its key gives nothing away, and the key is changed without losing any.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use guildwire_harness::house::{FIRST_ACCOUNT, House, SECOND_ACCOUNT, SECOND_USER};
use guildwire_harness::{NatsConfig, Postgres};

use crate::installation::{refused, usual_house};
use crate::support::{Database, on_both_databases};

on_both_databases!(
    the_key_is_rotated_and_everything_goes_on,
    a_rotation_that_is_cut_off_leaves_a_key_that_fits,
    a_rotation_that_is_killed_at_any_moment_loses_nothing,
    a_database_without_its_key_gives_nothing_away,
);

const UP: &str = "🟢 Server **main** is up";

fn key_file(house: &House) -> PathBuf {
    house.bot.home_folder().join("secrets/guildwire.key")
}

/// The files beside the key, their names without what they share.
fn beside(house: &House) -> Vec<String> {
    let folder = key_file(house);
    let entries = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn with(path: &Path, extension: &str) -> PathBuf {
    PathBuf::from(format!("{}.{extension}", path.display()))
}

/// Both accounts' credentials open: nats-server lets both in.
async fn both_are_let_in(house: &House) {
    for account in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
        let checked = house.operate(&["account", "check", account]).await.unwrap();
        assert!(checked.contains("✓ credential") && checked.contains("✓ connection"), "{checked}");
    }
}

async fn the_key_is_rotated_and_everything_goes_on(database: Database) {
    let (house, _) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let before = read(&key_file(&house));
    let said = refused(&house.bot, 1, &["secrets", "rotate"]).await;
    let running = "error: guildwire runs with this key: stop it, rotate the key, and start it again (events wait in the \
                   streams meanwhile)\n";
    assert_eq!(said, running);
    assert_eq!(beside(&house), ["guildwire.key"]);
    assert!(bot.terminate().await.unwrap().success());

    // Somebody is about to store what was sealed with the key.
    let folder = std::fs::File::open(key_file(&house).parent().unwrap()).unwrap();
    folder.lock_shared().unwrap();
    let said = refused(&house.bot, 1, &["secrets", "rotate"]).await;
    let in_use = "error: another guildwire command is using the key file secrets/guildwire.key: run this once that one is \
                  done\n";
    assert_eq!(said, in_use);
    both_are_let_in(&house).await;
    // And somebody changes it.
    folder.lock().unwrap();
    assert_eq!(refused(&house.bot, 1, &["account", "check", FIRST_ACCOUNT]).await, in_use);
    drop(folder);
    assert_eq!(beside(&house), ["guildwire.key"]);

    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    let printed = house.operate(&["secrets", "rotate"]).await.unwrap();
    let wanted = "The key in secrets/guildwire.key is new, and 2 secrets in the database are encrypted with it.\n\
                  The key before it is in secrets/guildwire.key.old: copies of the database that were made until now need \
                  it. Keep it apart from them, and delete it when you have none of those any more.\n\
                  If somebody may have had the old key and the database, give the accounts other credentials, too.\n";
    assert_eq!(printed, wanted);
    assert_eq!(beside(&house), ["guildwire.key", "guildwire.key.old"]);
    assert_eq!(read(&with(&key_file(&house), "old")), before);
    assert_ne!(read(&key_file(&house)), before);
    let said = refused(&house.bot, 1, &["secrets", "rotate"]).await;
    assert!(
        said.starts_with("error: the key before the last rotation is still in secrets/guildwire.key.old"),
        "{said}"
    );
    assert_eq!(read(&with(&key_file(&house), "old")), before);
    let _bot = house.start().await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), [UP]);
    both_are_let_in(&house).await;
}

async fn a_rotation_that_is_cut_off_leaves_a_key_that_fits(database: Database) {
    let (house, _) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let file = key_file(&house);
    let (next, old) = (with(&file, "next"), with(&file, "old"));
    let first = read(&file);

    // Once the next key was made: nothing is sealed with it.
    std::fs::write(&next, "00".repeat(32)).unwrap();
    both_are_let_in(&house).await;
    assert_eq!(read(&file), first);
    house.operate(&["secrets", "rotate"]).await.unwrap();
    let second = read(&file);
    assert!(!second.contains("0000"), "the one that waited was made by nobody that is known");
    assert_eq!(beside(&house), ["guildwire.key", "guildwire.key.old"]);

    // Once everything is sealed with it: before the old one was kept, after that, and without the old one.
    for (in_place, kept) in [(Some(&first), None), (Some(&first), Some(&first)), (None, Some(&first)), (None, None)] {
        for (path, key) in [(&file, in_place), (&next, Some(&second)), (&old, kept)] {
            match key {
                Some(key) => std::fs::write(path, key).unwrap(),
                None => std::fs::remove_file(path).unwrap_or_default(),
            }
        }
        both_are_let_in(&house).await;
        assert_eq!(read(&file), second);
        assert!(!next.exists());
        if in_place.is_some() || kept.is_some() {
            assert_eq!(read(&old), first);
        }
    }

    // The wrong key is still refused, whatever lies beside it.
    std::fs::write(&file, &first).unwrap();
    std::fs::write(&next, &first).unwrap();
    let said = refused(&house.bot, 1, &["account", "check", FIRST_ACCOUNT]).await;
    assert!(said.contains("is not the one that the credentials in the database were encrypted with"), "{said}");
}

async fn a_rotation_that_is_killed_at_any_moment_loses_nothing(database: Database) {
    let (house, _) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let rotate = || house.bot.start(&["secrets", "rotate"]).unwrap();
    let whole = std::time::Instant::now();
    assert!(rotate().wait().await.unwrap().success());
    let whole = whole.elapsed();
    let put_away = || std::fs::remove_file(with(&key_file(&house), "old")).unwrap_or_default();
    for part in 0..12 {
        put_away();
        let mut rotation = rotate();
        // Spread over all that it does: where a kill hits is left to chance.
        tokio::time::sleep(whole * part / 10).await;
        rotation.kill().await.unwrap();
        both_are_let_in(&house).await;
    }
    put_away();
    house.operate(&["secrets", "rotate"]).await.unwrap();
    both_are_let_in(&house).await;
    let left = beside(&house);
    assert!(
        left.starts_with(&["guildwire.key".to_owned()]) && !left.contains(&"guildwire.key.next".to_owned()),
        "{left:?}"
    );
}

async fn a_database_without_its_key_gives_nothing_away(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    let code = house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
    let code = code.lines().last().unwrap().to_owned();
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    // As it is while the bot runs, as it is left behind, and once the key was changed.
    let mut copies = vec![copy(&house, &url)];
    assert!(bot.terminate().await.unwrap().success());
    copies.push(copy(&house, &url));
    house.operate(&["secrets", "rotate"]).await.unwrap();
    copies.push(copy(&house, &url));
    let (token, key) = (house.discord.token(), read(&key_file(&house)));
    let key = key.lines().last().unwrap();
    let secrets = [token.as_str(), NatsConfig::BLOG_POST_USER, SECOND_USER.1, &code, key];
    for copy in copies {
        assert!(contains(&copy, FIRST_ACCOUNT.as_bytes()), "the database was looked at");
        for secret in secrets {
            let in_hex = HEXLOWER.encode(secret.as_bytes());
            assert!(!contains(&copy, secret.as_bytes()), "{secret} stands in the database");
            assert!(!contains(&copy, in_hex.as_bytes()), "{secret} stands in the database, in hexadecimal");
        }
    }
}

fn contains(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// All that a thief of the database has: SQLite's files, or what `pg_dump` writes as text, bytes in hexadecimal.
fn copy(house: &House, url: &str) -> Vec<u8> {
    if url.starts_with("postgres://") {
        return Postgres::shared().dump(&["--format=plain", url]).unwrap();
    }
    let entries = std::fs::read_dir(house.bot.home_folder().join("data")).unwrap();
    entries.flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap_or_default()).collect()
}
