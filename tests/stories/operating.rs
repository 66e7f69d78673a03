//! Bad input from the operator: settings, accounts and starts that are refused, with nothing changed.

use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};
use guildwire_harness::{Bot, NatsConfig, NatsServer, NatsUser, free_port};

use crate::installation::{Comparisons, USER, file, house_around, on_sqlite, refused, sqlite_url, usual_house};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(a_newer_schema_is_refused);
on_sqlite!(
    settings_with_mistakes_are_refused_all_at_once,
    an_account_that_can_not_be_read_is_not_added,
    an_account_whose_name_is_taken_or_bad_is_not_added,
    run_refuses_a_wrong_token,
    run_refuses_to_be_the_second,
    run_refuses_a_key_file_that_is_missing_or_another,
);

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
        "error: no Discord token is set: put it into the environment variable DISCORD_TOKEN, into a file that \
         DISCORD_TOKEN_FILE names, or into the settings file \
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
