//! A backup that is made while the bot works, and what a database that is restored from it goes on with.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use guildwire_harness::house::PATIENCE;
use guildwire_harness::{Bot, Postgres};

use crate::fire::Fire;
use crate::installation::{on_sqlite, refused};
use crate::support::{Database, on_both_databases};

on_both_databases!(a_restored_database_goes_on_where_it_stood);
on_sqlite!(a_backup_is_a_new_file_of_its_owner_alone);

/// Makes a backup and answers with an installation that was restored from it, with the same key.
async fn restored(fire: &Fire, database: Database) -> Bot {
    let old = fire.house.bot.home_folder();
    let mut bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"))
        .discord(&fire.house.discord.url(), &fire.house.discord.token())
        .setting("nats.url", &fire.house.nats.url())
        .setting("log.level", "guildwire=debug,info");
    let new = bot.home_folder().to_owned();
    match database {
        Database::Sqlite => {
            fire.house.operate(&["backup", "nightly.db"]).await.unwrap();
            std::fs::create_dir(new.join("data")).unwrap();
            std::fs::copy(old.join("nightly.db"), new.join("data/guildwire.db")).unwrap();
        }
        Database::Postgres => {
            // As it says itself.
            let said = refused(&fire.house.bot, 1, &["backup", "nightly.dump"]).await;
            let (_, line) = said.split_once("pg_dump ").unwrap_or_else(|| panic!("{said}"));
            let words: Vec<&str> = line.split(' ').map(|word| word.trim_matches('\'')).collect();
            let [form, "--file='nightly.dump" | "--file=nightly.dump", url, ..] = words[..] else {
                panic!("{words:?}")
            };
            let dump = Postgres::shared().dump(&[form, url]).unwrap();
            bot = bot.database_url(&Postgres::shared().restore("restored", &dump).await.unwrap());
        }
    }
    std::fs::create_dir(new.join("secrets")).unwrap();
    std::fs::copy(old.join("secrets/guildwire.key"), new.join("secrets/guildwire.key")).unwrap();
    bot
}

async fn a_restored_database_goes_on_where_it_stood(database: Database) {
    let mut fire = Fire::lay(database).await;
    let mut bot = fire.light().await;
    fire.check().await;
    // Servers come up the whole time that the backup is being made.
    let (before, during) = (fire.next_names(40), fire.next_names(80));
    let coming_up = async {
        for name in before.iter().chain(&during) {
            fire.publish(name).await;
        }
    };
    let backing_up = async {
        fire.wait_for(fire.channel, before.first().unwrap()).await;
        restored(&fire, database).await
    };
    let ((), backup) = tokio::join!(coming_up, backing_up);
    fire.wait_for_last().await;
    let after = fire.next_names(5);
    for name in &after {
        fire.publish(name).await;
    }
    fire.check().await;
    assert!(bot.terminate().await.unwrap().success());
    let shown_before = fire.shown_in(fire.channel);

    fire.house.bot = backup;
    let last = fire.expected.last().unwrap().clone();
    let _bot = fire.house.start().await.unwrap();
    // From where the backup stands on, everything is shown again: nothing is missing and nothing out of order.
    let is_again = |shown: &[String]| shown.iter().filter(|name| **name == last).count() == 2;
    let channel = fire.channel;
    let shows_again = |discord: &discord_sim::Sim| is_again(&crate::fire::shown(discord, channel));
    fire.house.discord.wait_until(PATIENCE, "the channel shows the rest again", shows_again).await.unwrap();
    let again = fire.shown_in(fire.channel)[shown_before.len()..].to_vec();
    assert!(again.len() > after.len(), "{again:?}");
    assert_eq!(again, fire.expected[fire.expected.len() - again.len()..]);
    // And new events as ever.
    let name = fire.next_name();
    fire.publish(&name).await;
    fire.wait_for(fire.channel, &name).await;
}

async fn a_backup_is_a_new_file_of_its_owner_alone(database: Database) {
    let fire = Fire::lay(database).await;
    let bot = &fire.house.bot;
    let home = bot.home_folder();
    let said = refused(bot, 1, &["backup", "copy.db"]).await;
    assert!(said.contains("there is no database ") && said.ends_with("data/guildwire.db yet\n"), "{said}");
    assert!(!home.join("data/guildwire.db").exists(), "a backup makes no database");

    fire.house.add_accounts().await.unwrap();
    let said = fire.house.operate(&["backup", "copy.db"]).await.unwrap();
    assert_eq!(
        said,
        "copy.db is a copy of the database.\nThe credentials in it are of use only with the key file \
         secrets/guildwire.key: keep a copy of that, too, in another place.\n"
    );
    let copy = home.join("copy.db");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(format!("{:o}", mode(&copy)), "600");
    let content = std::fs::read(&copy).unwrap();

    let no_backup = "error: no backup was made of sqlite://data/guildwire.db\n  because: ";
    let said = refused(bot, 1, &["backup", "copy.db"]).await;
    assert_eq!(said, format!("{no_backup}copy.db is there already, and is not overwritten: name another file\n"));
    assert_eq!(std::fs::read(&copy).unwrap(), content);
    let said = refused(bot, 1, &["backup", "missing/copy.db"]).await;
    let wanted = "can't write missing/copy.db.partial: No such file or directory (os error 2)\n";
    assert_eq!(said, format!("{no_backup}{wanted}"));
    std::fs::write(home.join("other.db.partial"), "half").unwrap();
    let said = refused(bot, 1, &["backup", "other.db"]).await;
    assert_eq!(
        said,
        format!(
            "{no_backup}other.db.partial is there: another backup is writing it, or one was interrupted; if none runs, \
             remove it\n"
        )
    );
    assert!(!home.join("other.db").exists() && !home.join("copy.db.partial").exists());
}
