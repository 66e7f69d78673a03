//! From nothing to an account that works, and what hinders it.

use std::path::Path;

use guildwire::store::Store;
use guildwire_harness::house::Publisher;
use nkeys::KeyPair;

use super::{FULL, User, operator, usual_operator};
use crate::installation::{Comparisons, file, on_sqlite, sqlite_url};
use crate::support::{Database, on_both_databases};

on_both_databases!(from_nothing_to_a_message_in_three_commands);
on_sqlite!(
    what_hinders_making_an_account_is_told_and_nothing_is_left,
    an_interrupted_making_is_taken_up_again,
    what_was_begun_before_is_not_taken_back
);

async fn from_nothing_to_a_message_in_three_commands(database: Database) {
    let mut operator = usual_operator(database).await;
    let mut compare = Comparisons::default();
    let url = operator.house.nats.url();
    let made = operator.operate("operator account create GA-1").await;
    compare.equal(
        "create",
        &made,
        &format!(
            "Account GA-1 is made at {url}, with the limits of tier free: max_file 256M, max_mem 1M, max_streams 1, \
             max_consumers 10, max_connections 10.\n\
             Its stream EVENTS keeps what game servers publish below v0.*.servers, and drops the oldest when it is full.\n\
             Creds for a game server: `guildwire operator user create GA-1 --role server --server-id ID`\n\
             guildwire can read it, as account GA-1: `guildwire account invite GA-1` prints a code for Discord.\n"
        ),
    );
    let user = operator.operate("operator user create GA-1 --role server --server-id main").await;
    assert!(
        user.starts_with("GA-1-server-main.creds holds the creds of a server main of account GA-1, for its"),
        "{user}"
    );
    let path = operator.house.bot.home_folder().join("GA-1-server-main.creds");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777, 0o600);
    let creds = std::fs::read_to_string(&path).unwrap();
    operator.secrets.push(creds.lines().find(|line| line.starts_with("SU")).unwrap().to_owned());
    let taken = operator.refused("operator user create GA-1 --role server --server-id main").await;
    assert!(taken.contains("GA-1-server-main.creds is left as it was: name a file that is not there yet"), "{taken}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), creds);
    let list = operator.operate("operator account list").await;
    assert_eq!(list.matches("GA-1 server main: U").count(), 1, "{list}");

    // Everything that reading takes is permitted, also to delete the consumer.
    let unread = operator.operate("account check GA-1").await;
    assert!(unread.lines().all(|line| line.starts_with('✓')) && unread.contains("✓ delete"), "{unread}");

    // The third is `account invite`.
    let house = &operator.house;
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, "GA-1").await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let server = User::connect(&url, &creds, "_INBOX").await.unwrap();
    let publisher = Publisher { jetstream: server.jetstream.clone() };
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    let checked = operator.operate("account check GA-1").await;
    assert!(!checked.contains('✗'), "{checked}");

    let list = operator.operate("operator account list").await;
    assert!(list.contains("GA-1  free  256M      1M       1        10         10           EVENTS  made"), "{list}");
    assert!(list.contains("  GA-1 bot: U") && list.contains("  GA-1 server main: U"), "{list}");
    let config = operator.operate("config").await;
    assert!(bot.terminate().await.unwrap().success());
    let told = [made, user, taken, unread, checked, list, config, bot.log()].join("\n");
    for secret in &operator.secrets {
        assert!(!told.contains(secret), "a secret was told");
    }
    assert_not_in_database(operator.house.bot.home_folder(), &operator.secrets);
}

/// A database of this house, if it lies in a file, holds none of the texts.
fn assert_not_in_database(home: &Path, secrets: &[String]) {
    for name in ["guildwire.db", "guildwire.db-wal"] {
        let Ok(bytes) = std::fs::read(home.join("data").join(name)) else { continue };
        for secret in secrets {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "a secret is in {name}");
        }
        // An account's seed is nowhere in the clear, either.
        let is_seed = |window: &[u8]| {
            window.starts_with(b"SA") && window.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        assert!(!bytes.windows(58).any(is_seed), "an account's seed is in {name}");
    }
}

#[expect(clippy::too_many_lines, reason = "a list of what can be wrong, each in its full words")]
async fn what_hinders_making_an_account_is_told_and_nothing_is_left(database: Database) {
    let small = "max_file_store: \"512M\", max_memory_store: \"64M\"";
    let mut operator = operator(database, Some(small), FULL).await;
    let mut compare = Comparisons::default();
    let create = "operator account create GA-1";
    let url = operator.house.nats.url();

    operator.operate("operator account create GA-0 --no-add").await;
    operator.set("tiers.huge.max_file", "600M");
    operator.set("tiers.huge.max_mem", "64M");
    compare.equal(
        "too large",
        &operator.refused("operator account create GA-1 --tier huge").await,
        &format!(
            "error: nats-server answers that it took the account GA-1, but the limits of tier huge are not in force (max_file \
             600M, max_mem 64M, max_streams 1, max_consumers 10, max_connections 10). {}\n{}\n\
             Nothing was made.\n",
            "Limits are set aside: of the 536870912 bytes of nats-server's max_file_store, other accounts have 268435456, so \
             268435456 are left, and max_file is 629145600 (600M). Raise max_file_store in its configuration, or choose a \
             smaller tier.",
            "Limits are set aside: of the 67108864 bytes of nats-server's max_memory_store, other accounts have 1048576, so \
             66060288 are left, and max_mem is 67108864 (64M). Raise max_memory_store in its configuration, or choose a \
             smaller tier.",
        ),
    );
    operator.set("tiers.huge.max_mem", "1M");
    compare.equal(
        "too large a change",
        &operator.refused("operator account limits GA-0 --tier huge").await,
        "error: nats-server answers that it took the account GA-0, but the limits of tier huge are not in force (max_file 600M, \
         max_mem 1M, max_streams 1, max_consumers 10, max_connections 10). Limits are set aside: of the 536870912 bytes of \
         nats-server's max_file_store, other accounts have 0, so 536870912 are left, and max_file is 629145600 (600M). Raise \
         max_file_store in its configuration, or choose a smaller tier.\n\
         The account has its limits of before: max_file 256M, max_mem 1M, max_streams 1, max_consumers 10, max_connections \
         10.\n",
    );
    compare.equal(
        "no tier",
        &operator.refused("operator account create GA-1 --tier gold").await,
        "error: there is no tier gold; the settings have free, huge\n",
    );
    compare.equal(
        "twice",
        &operator.refused("operator account create GA-0").await,
        "error: there is an account GA-0 already: choose another name, or change its limits with `guildwire operator account \
         limits`\n",
    );

    let foreign = KeyPair::new_operator();
    let foreign_file = file(&operator.house, "foreign.nk", &foreign.seed().unwrap());
    let trusted_file = operator.signing_key.clone();
    operator.set("operator.signing_key_file", &foreign_file);
    compare.equal(
        "a foreign key",
        &operator.refused(create).await,
        &format!(
            "error: nats-server does not trust the key {} of operator.signing_key_file: it is neither the operator's that \
             its configuration names nor one of that operator's signing keys\n",
            foreign.public_key()
        ),
    );
    let account_seed = KeyPair::new_account().seed().unwrap();
    let no_key = file(&operator.house, "account.nk", &account_seed);
    operator.set("operator.signing_key_file", &no_key);
    compare.equal(
        "no operator's key",
        &operator.refused(create).await,
        &format!(
            "error: operator.signing_key_file: {no_key} can't be used\n  because: this is no nkey seed of an operator: one \
             starts with SO and has 58 characters\n"
        ),
    );
    operator.set("operator.signing_key_file", "");
    compare.equal(
        "no key",
        &operator.refused(create).await,
        "error: operator.signing_key_file is not set: `guildwire operator` needs it (docs/operator.md tells how to set \
         nats-server up for it)\n",
    );
    operator.set("operator.signing_key_file", &trusted_file);

    let (_, ordinary) = operator.user("GA-0", "--role server", "_INBOX").await;
    operator.set("operator.system_creds_file", &ordinary);
    compare.equal(
        "creds of another account",
        &operator.refused(create).await,
        "error: the user of operator.system_creds_file may not publish to $SYS.REQ.CLAIMS.DELETE: it has to be a user of the \
         system account, and one who may\n",
    );
    operator.set("operator.system_creds_file", "no-such.creds");
    compare.equal(
        "no creds",
        &operator.refused(create).await,
        "error: operator.system_creds_file: no-such.creds can't be used\n  because: No such file or directory (os error 2)\n",
    );
    let system_creds = operator.system_creds.clone();
    operator.set("operator.system_creds_file", &system_creds);
    let nowhere = format!("nats://127.0.0.1:{}", guildwire_harness::free_port());
    operator.set("operator.url", &nowhere);
    compare.equal(
        "unreachable",
        &operator.refused(create).await,
        &format!(
            "error: the user of operator.system_creds_file can't connect\n  because: nats-server can't be reached at \
             {nowhere} (IO error: Connection refused (os error 111)): check that it runs there and that this address is \
             right\n"
        ),
    );
    operator.set("operator.url", &url);
    let fixed = self::operator(database, None, "resolver: MEMORY").await;
    compare.equal(
        "a resolver that keeps nothing",
        &fixed.refused(create).await,
        "error: nobody answers $SYS.REQ.CLAIMS.DELETE: either operator.system_creds_file is not of a user of the system \
         account, or nats-server's resolver keeps no accounts (its configuration needs `resolver: { type: full, dir: …, \
         allow_delete: true }`)\n",
    );
    let list = operator.operate("operator account list").await;
    assert!(!list.contains("GA-1") && list.contains("GA-0"), "{list}");
    // And with everything right, it works.
    operator.operate(create).await;
}

async fn an_interrupted_making_is_taken_up_again(database: Database) {
    // A resolver that lets nobody delete tells nothing of a foreign key, and keeps what was handed in.
    let mut operator = operator(database, None, "resolver: { type: full, dir: \"FOLDER\" }").await;
    let foreign = file(&operator.house, "foreign.nk", &KeyPair::new_operator().seed().unwrap());
    let trusted = operator.signing_key.clone();
    operator.set("operator.signing_key_file", &foreign);
    let said = operator.refused("operator account create GA-1").await;
    assert!(said.contains("lets nobody into it. Most likely it does not trust the key O"), "{said}");
    assert!(
        said.contains(
            "What was begun could not be taken back (nats-server lets nobody delete accounts: its resolver needs \
             `allow_delete: true`): `guildwire operator account create GA-1 --tier free` goes on with it"
        ),
        "{said}"
    );
    let list = operator.operate("operator account list").await;
    assert!(list.contains("not finished: create it again, or delete it"), "{list}");
    let said = operator.refused("operator user create GA-1 --role server").await;
    assert!(said.contains("making the account GA-1 was interrupted"), "{said}");
    operator.set("operator.signing_key_file", &trusted);
    operator.operate("operator account create GA-1").await;
    let list = operator.operate("operator account list").await;
    assert!(list.contains("  made\n"), "{list}");
    let (server, _) = operator.user("GA-1", "--role server", "_INBOX").await;
    assert_eq!(server.publish("main.events.started").await, Ok(1));
    let said = operator.refused("operator account delete GA-1 --yes").await;
    assert_eq!(said, "error: nats-server lets nobody delete accounts: its resolver needs `allow_delete: true`\n");
    assert_eq!(server.publish("main.events.stopped").await, Ok(2), "its stream is as it was");
}

async fn what_was_begun_before_is_not_taken_back(database: Database) {
    let small = "max_file_store: \"512M\", max_memory_store: \"64M\"";
    let mut operator = operator(database, Some(small), FULL).await;
    operator.set("tiers.huge.max_file", "600M");
    operator.operate("operator account create GA-1").await;
    let (server, _) = operator.user("GA-1", "--role server", "_INBOX").await;
    assert_eq!(server.publish("main.events.started").await, Ok(1));
    // As where the command was killed after all was done, but for noting that.
    let store = Store::open(&sqlite_url(&operator.house)).await.unwrap();
    let mut transaction = store.write().await.unwrap();
    sqlx::query("UPDATE nats_accounts SET verified_at = NULL").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();

    let said = operator.refused("operator account create GA-1 --tier huge").await;
    let left =
        "What was begun before is left as it is: `guildwire operator account create GA-1 --tier huge` goes on with it";
    assert!(said.contains(left), "{said}");
    operator.operate("operator account create GA-1").await;
    assert_eq!(server.publish("main.events.stopped").await, Ok(2), "what was stored is there still");
    let checked = operator.operate("account check GA-1").await;
    assert!(!checked.contains('✗'), "{checked}");
}
