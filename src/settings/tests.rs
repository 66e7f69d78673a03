//! One text per mistake, and what wins over what.

mod setup;

use std::collections::BTreeSet;

use super::*;
use crate::telemetry::Format;

/// The settings that a file with this text and these variables give.
fn load(file: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    // Nothing in a file is no file: an empty one is a mistake.
    let named = (!file.is_empty()).then_some(path.as_path());
    Settings::load_with(named, variables).map_err(|error| {
        let place = format!("{}/", directory.path().display());
        SettingsError { mistakes: error.mistakes.iter().map(|mistake| mistake.replace(&place, "")).collect() }
    })
}

#[test]
fn the_defaults_are_valid_and_every_key_in_them_is_used() {
    let settings = Settings::load_with(None, []).unwrap();
    let used: BTreeSet<String> = settings.origins.keys().cloned().collect();
    let shown: BTreeSet<String> = settings.shown().into_iter().map(|(key, _)| key).collect();
    assert_eq!(used, given::keys_of(given::DEFAULTS));
    assert_eq!(used, shown);
}

#[test]
fn the_settings_in_force_are_shown_in_the_manuals_order() {
    let expected = "\
[discord]
token = \"<not set>\"
token_file = \"\"
api_url = \"https://discord.com\"
messages_per_second = 45

[database]
url = \"sqlite://data/guildwire.db\"

[nats]
url = \"nats://127.0.0.1:4222\"

[accounts]
self_service = false
hosts = []

[http]
listen = \"127.0.0.1:9310\"
metrics_per_account = false

[log]
level = \"info\"
format = \"text\"

[secrets]
key_file = \"secrets/guildwire.key\"

[shutdown]
deadline_seconds = 8

[delivery]
request_timeout_seconds = 15
grouped_hold_seconds = 30
quiet_hold_seconds = 300
late_after_seconds = 300
keep_seconds = 86400
keep_events = 10000
probe_after_seconds = 60

[notices]
after_seconds = 120

[status]
presence_seconds = 15
debounce_seconds = 75
loop_seconds = 600
hold_seconds = 900

[pings]
cooldown_seconds = 3600

[retention]
settled_days = 7
players_days = 90
servers_days = 90
audit_days = 365
departed_days = 30

[limits]
bindings_per_guild = 100
accounts_per_guild = 25
accounts_per_owner = 10
commands_per_minute = 30
unverified_per_person = 3
unverified_per_guild = 5

[setup]
accounts = []
links = []
bindings = []

[operator]
signing_key_file = \"\"
system_creds_file = \"\"
url = \"\"

[tiers.free]
max_file = \"256M\"
max_mem = \"1M\"
max_streams = 1
max_consumers = 10
max_connections = 10
";
    assert_eq!(Settings::load_with(None, []).unwrap().render_redacted(), expected);
}

#[test]
fn the_environment_covers_the_file_and_the_file_the_defaults() {
    let file = "[log]\nlevel = 'warn'\nformat = 'json'\n[shutdown]\ndeadline_seconds = 30";
    let settings = load(file, &[("GUILDWIRE__LOG__LEVEL", "guildwire=debug,info"), ("PATH", "/bin")]).unwrap();
    assert_eq!(settings.log.level, "guildwire=debug,info");
    assert_eq!(settings.log.format, Format::Json);
    assert_eq!(settings.shutdown.deadline, Duration::from_secs(30));
    assert_eq!(settings.http.listen, "127.0.0.1:9310".parse().unwrap());
    let shown = settings.render_redacted();
    assert!(shown.contains("level = \"guildwire=debug,info\" # from GUILDWIRE__LOG__LEVEL\n"), "{shown}");
    assert!(shown.lines().any(|line| line.starts_with("format = \"json\" # from ") && line.ends_with("own.toml")));
    assert!(shown.contains("listen = \"127.0.0.1:9310\"\n"), "{shown}");
}

#[test]
fn a_number_may_come_from_a_variable() {
    let settings = load("", &[("GUILDWIRE__DISCORD__MESSAGES_PER_SECOND", "20")]).unwrap();
    assert_eq!(settings.discord.messages_per_second, 20);
}

#[test]
fn hosts_are_a_list_or_a_text_with_commas() {
    let hosts = ["nats.example.org", "*.example.net", "10.0.0.0/8"];
    let in_file = load("[accounts]\nhosts = ['nats.example.org', '*.example.net', '10.0.0.0/8']", &[]).unwrap();
    let variable = ("GUILDWIRE__ACCOUNTS__HOSTS", "nats.example.org, *.example.net,10.0.0.0/8,");
    let in_variable = load("", &[variable]).unwrap();
    assert_eq!(in_file.accounts.hosts.entries(), hosts);
    assert_eq!(in_variable.accounts.hosts, in_file.accounts.hosts);
    let shown = in_variable.render_redacted();
    assert!(shown.contains("hosts = [\"nats.example.org\", \"*.example.net\", \"10.0.0.0/8\"] # from "), "{shown}");
    for wrong in ["hosts = ['nats://x']", "hosts = [1]", "hosts = 1"] {
        let error = load(&format!("[accounts]\n{wrong}"), &[]).unwrap_err();
        assert!(error.mistakes[0].starts_with("accounts.hosts: must "), "{error}");
    }
}

#[test]
fn the_token_may_come_from_three_places() {
    let token = |file: &str, variables: &[(&str, &str)]| {
        let settings = load(file, variables).unwrap();
        settings.discord.token.map(|token| token.expose_secret().to_owned())
    };
    let file = "[discord]\ntoken = 'file'";
    assert_eq!(token("", &[]), None);
    assert_eq!(token(file, &[]).as_deref(), Some("file"));
    assert_eq!(token(file, &[("DISCORD_TOKEN", "common\n")]).as_deref(), Some("common"));
    let both = [("GUILDWIRE__DISCORD__TOKEN", "own"), ("DISCORD_TOKEN", "common")];
    assert_eq!(token(file, &both).as_deref(), Some("own"));
}

#[test]
fn the_token_may_lie_in_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let (path, other) = (directory.path().join("token"), directory.path().join("other"));
    std::fs::write(&path, "in-the-file\n").unwrap();
    let (path, other) = (path.to_str().unwrap(), other.to_str().unwrap());
    let by_common_name = ("DISCORD_TOKEN_FILE", path);
    let read = load("[discord]\ntoken = 'beside'", &[by_common_name, ("DISCORD_TOKEN", "beside")]).unwrap();
    assert_eq!(read.discord.token_required().unwrap().expose_secret(), "in-the-file");
    let shown = read.render_redacted();
    assert!(shown.contains(&format!("token = \"<set>\" # from {path}\n")), "{shown}");
    assert!(shown.contains(&format!("token_file = \"{path}\" # from DISCORD_TOKEN_FILE\n")), "{shown}");
    let own_name = ("GUILDWIRE__DISCORD__TOKEN_FILE", path);
    assert!(load("", &[own_name, ("DISCORD_TOKEN_FILE", other)]).is_ok(), "guildwire's own name wins");

    let mistakes = || load("", &[by_common_name, ("GUILDWIRE__LOG__FORMAT", "jsn")]).unwrap_err().mistakes;
    let format = "log.format: must be text or json, not \"jsn\" (from GUILDWIRE__LOG__FORMAT)".to_owned();
    let wrong = "must be the bot's token alone: letters, digits and . _ - without \"Bot \" before them";
    std::fs::write(path, "Bot hush").unwrap();
    assert_eq!(mistakes(), [format!("discord.token: {wrong} (from {path})"), format.clone()]);
    std::fs::write(path, "\n").unwrap();
    assert_eq!(mistakes(), [format!("discord.token: nothing is in {path}"), format.clone()]);
    std::fs::remove_file(path).unwrap();
    let gone = "No such file or directory (os error 2)";
    assert_eq!(mistakes(), [format!("discord.token: can't read {path}: {gone}"), format]);
}

#[test]
fn a_variable_that_is_empty_is_not_set() {
    let empty = [("DISCORD_TOKEN", ""), ("GUILDWIRE__LOG__LEVEL", ""), ("GUILDWIRE_CONFIG", "")];
    let settings = load("[discord]\ntoken = 'file'", &empty).unwrap();
    assert!(settings.discord.token_required().is_ok());
    assert_eq!(settings.log.level, "info");
}

#[test]
fn a_missing_token_says_how_to_set_it() {
    let error = load("", &[]).unwrap().discord.token_required().unwrap_err().to_string();
    assert!(error.contains("DISCORD_TOKEN") && error.contains("[discord]"), "{error}");
}

#[test]
fn a_named_file_has_to_be_there() {
    let no_such = "can't read the settings file /no/such.toml: No such file or directory (os error 2)";
    let by_argument = Settings::load_with(Some(Path::new("/no/such.toml")), []).unwrap_err();
    assert_eq!(by_argument.mistakes, [no_such]);
    let variable = ("GUILDWIRE_CONFIG".into(), "/no/such.toml".into());
    assert_eq!(Settings::load_with(None, [variable.clone()]).unwrap_err().mistakes, [no_such]);
    let directory = tempfile::tempdir().unwrap();
    let present = directory.path().join("present.toml");
    std::fs::write(&present, "[log]").unwrap();
    assert!(Settings::load_with(Some(&present), [variable]).is_ok(), "the argument wins over the variable");

    for empty in ["", " \n\t\n", "# [log]\n\n# level = 'info'"] {
        std::fs::write(&present, empty).unwrap();
        let mistakes = Settings::load_with(Some(&present), []).unwrap_err().mistakes;
        let path = present.display();
        assert_eq!(mistakes, [format!("the settings file {path} is empty: put something into it, or name none")]);
    }
}

#[test]
fn each_mistake_in_a_file_is_told_with_what_would_be_right() {
    let mistakes = [
        ("[log]\nformat = 'jsn'", "log.format: must be text or json, not \"jsn\" (from own.toml)"),
        (
            "[log]\nlevel = 'inof'",
            "log.level: must be a level (off, error, warn, info, debug, trace), or parts set apart as in \
             \"guildwire=debug,info\"; \"inof\" is none of them (from own.toml)",
        ),
        (
            "[discord]\nmessages_per_second = 51",
            "discord.messages_per_second: must be a whole number from 1 to 50, not 51 (from own.toml)",
        ),
        (
            "[discord]\nmessages_per_second = -1",
            "discord.messages_per_second: must be a whole number from 1 to 50, not -1 (from own.toml)",
        ),
        (
            "[shutdown]\ndeadline_seconds = '8'",
            "shutdown.deadline_seconds: must be a whole number from 1 to 600, not \"8\" (from own.toml)",
        ),
        (
            "[delivery]\nrequest_timeout_seconds = 1.5",
            "delivery.request_timeout_seconds: must be a whole number from 1 to 120, not 1.5 (from own.toml)",
        ),
        (
            "[notices]\nafter_seconds = 0",
            "notices.after_seconds: must be a whole number from 1 to 86400, not 0 (from own.toml)",
        ),
        (
            "[retention]\nsettled_days = 0",
            "retention.settled_days: must be a whole number from 1 to 365, not 0 (from own.toml)",
        ),
        (
            "[discord]\napi_url = 'https://discord.com/'",
            "discord.api_url: must be an address like \"https://discord.com\", without a slash at its end, not \
             \"https://discord.com/\" (from own.toml)",
        ),
        (
            "[discord]\napi_url = 'discord.com'",
            "discord.api_url: must be an address like \"https://discord.com\", not \"discord.com\" (from own.toml)",
        ),
        (
            "[discord]\ntoken = 'Bot abc'",
            "discord.token: must be the bot's token alone: letters, digits and . _ - without \"Bot \" before them \
             (from own.toml)",
        ),
        ("[discord]\ntoken = 12345", "discord.token: must be a text in quotes (from own.toml)"),
        (
            "[database]\nurl = 'mysql://root:hush@host/db'",
            "database.url: must be an address like \"sqlite://data/guildwire.db\" or \"postgres://user@host/name\", \
             not \"mysql://…\" (from own.toml)",
        ),
        (
            "[database]\nurl = 'root:hush@host/db'",
            "database.url: must be an address like \"sqlite://data/guildwire.db\" or \"postgres://user@host/name\" \
             (from own.toml)",
        ),
        (
            "[nats]\nurl = 'http://127.0.0.1:4222'",
            "nats.url: must be an address like \"nats://127.0.0.1:4222\" (or tls://), not \
             \"http://127.0.0.1:4222\" (from own.toml)",
        ),
        (
            "[nats]\nurl = 'nats://user:hush@host'",
            "nats.url: must be an address without user and password: an account has its own credential \
             (from own.toml)",
        ),
        (
            "[http]\nlisten = 'localhost:9310'",
            "http.listen: must be an address and port like \"127.0.0.1:9310\", not \"localhost:9310\" (from own.toml)",
        ),
        ("[http]\nlisten = 9310", "http.listen: must be a text in quotes, not 9310 (from own.toml)"),
        ("[secrets]\nkey_file = ''", "secrets.key_file: must be a file's path, not \"\" (from own.toml)"),
        ("[log]\nformt = 'text'", "log.formt: there is no such key; did you mean log.format? (from own.toml)"),
        ("listen = '[::]:1'", "listen: there is no such key; did you mean http.listen? (from own.toml)"),
        ("[webhooks]\nx = 1", "webhooks.x: there is no such key (from own.toml)"),
        ("[webhooks]", "webhooks: there is no such key (from own.toml)"),
        ("log = 'debug'", "log: is a section, with keys such as log.format (from own.toml)"),
        ("[log.level]\nguildwire = 'debug'", "log.level.guildwire: there is no such key (from own.toml)"),
        ("[log.level]", "log.level: must be a text in quotes, not a section (from own.toml)"),
        (
            "[tiers.paid]\nmax_file = '2 GB'",
            "tiers.paid.max_file: must be a number of bytes from 64K to 1024T, such as \"256M\", not \"2 GB\" (from own.toml)",
        ),
        (
            "[tiers.free]\nmax_streams = 0",
            "tiers.free.max_streams: must be a whole number from 1 to 10000, not 0 (from own.toml)",
        ),
        (
            "[tiers.paid]\nmax_fil = '2G'",
            "tiers.paid.max_fil: there is no such key; did you mean tiers.paid.max_file? (from own.toml)",
        ),
        ("[tiers.paid]", "tiers.paid: is a tier like the default one: give at least one of its limits (from own.toml)"),
        (
            "[tiers]\nmax_file = '2G'",
            "tiers.max_file: there is no such key; did you mean tiers.free.max_file? (from own.toml)",
        ),
    ];
    for (file, expected) in mistakes {
        assert_eq!(load(file, &[]).unwrap_err().mistakes, [expected], "{file}");
    }
}

#[test]
fn each_mistake_in_the_environment_is_told_with_its_variable() {
    let mistakes = [
        (
            ("GUILDWIRE__LOG__FORMAT", "jsn"),
            "log.format: must be text or json, not \"jsn\" (from GUILDWIRE__LOG__FORMAT)",
        ),
        (
            ("GUILDWIRE__DISCORD__MESSAGES_PER_SECOND", "many"),
            "discord.messages_per_second: must be a whole number from 1 to 50, not \"many\" \
             (from GUILDWIRE__DISCORD__MESSAGES_PER_SECOND)",
        ),
        (
            ("GUILDWIRE__DISCORD__TOKE", "hush"),
            "discord.toke: there is no such key; did you mean discord.token? (from GUILDWIRE__DISCORD__TOKE)",
        ),
        (
            ("GUILDWIRE_HTTP_LISTEN", "0.0.0.0:9310"),
            "GUILDWIRE_HTTP_LISTEN: has no effect; it must be GUILDWIRE__HTTP__LISTEN, with two underscores",
        ),
    ];
    for (variable, expected) in mistakes {
        assert_eq!(load("", &[variable]).unwrap_err().mistakes, [expected], "{variable:?}");
    }
    assert!(load("", &[("GUILDWIRE_PORT", "tcp://10.0.0.1:9310")]).is_ok(), "Kubernetes sets this by itself");
}

#[test]
fn all_mistakes_are_told_at_once_even_one_that_is_covered() {
    let file = "[log]\nformat = 'jsn'\nlvl = 'info'\n[http]\nlisten = 'here'";
    let error = load(file, &[("GUILDWIRE__HTTP__LISTEN", "[::1]:9310"), ("GUILDWIRE__NATS__URL", "nats")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the settings have 4 mistakes:\n  \
         log.lvl: there is no such key; did you mean log.level? (from own.toml)\n  \
         nats.url: must be an address like \"nats://127.0.0.1:4222\" (or tls://), not \"nats\" \
         (from GUILDWIRE__NATS__URL)\n  \
         http.listen: must be an address and port like \"127.0.0.1:9310\", not \"here\" (from own.toml)\n  \
         log.format: must be text or json, not \"jsn\" (from own.toml)"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_without_quoting_it() {
    let error = load("[discord]\ntoken = \"hush\nx = 1", &[("GUILDWIRE__LOG__FORMAT", "jsn")]).unwrap_err();
    assert_eq!(
        error.mistakes,
        [
            "own.toml: TOML parse error at line 2, column 14: invalid basic string, expected `\"`",
            "log.format: must be text or json, not \"jsn\" (from GUILDWIRE__LOG__FORMAT)"
        ]
    );
}

#[test]
fn no_secret_is_shown() {
    let file = "[discord]\ntoken = 'hush'\n[database]\nurl = 'postgres://bot:hush@db:5432/guildwire'";
    let settings = load(file, &[]).unwrap();
    assert_eq!(settings.database.redacted_url(), "postgres://bot:***@db:5432/guildwire");
    let shown = settings.render_redacted();
    assert!(shown.contains("token = \"<set>\" # from "), "{shown}");
    assert!(!shown.contains("hush") && !format!("{settings:?}").contains("hush"), "{shown}");

    let redacted = |url: &str| load(&format!("[database]\nurl = '{url}'"), &[]).unwrap().database.redacted_url();
    assert_eq!(
        redacted("postgres://db/g?password=hush&sslmode=require"),
        "postgres://db/g?password=***&sslmode=require"
    );
    assert_eq!(redacted("postgresql:///g?host=/run/postgresql"), "postgresql:///g?host=/run/postgresql");
    assert_eq!(redacted("sqlite:///srv/g.db"), "sqlite:///srv/g.db");
}

#[test]
fn the_real_discord_is_told_from_any_other() {
    let is_test = |url: &str| load(&format!("[discord]\napi_url = '{url}'"), &[]).unwrap().discord.is_test_address();
    assert!(!is_test("https://discord.com"));
    assert!(is_test("http://127.0.0.1:8080"));
}

#[test]
fn a_text_is_written_as_toml_reads_it() {
    let odd = "a\"b\\c\nd\u{1}ä";
    let settings = Settings { nats: Nats { url: odd.to_owned() }, ..Settings::load_with(None, []).unwrap() };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("own.toml");
    let line = settings.render_redacted().lines().find(|line| line.starts_with("url = \"a")).unwrap().to_owned();
    std::fs::write(&path, line.replace("url", "[secrets]\nkey_file")).unwrap();
    assert_eq!(Settings::load_with(Some(&path), []).unwrap().secrets.key_file, Path::new(odd));
}

#[test]
fn what_differs_is_named_secrets_included() {
    let of = |text: &str| load(text, &[]).unwrap();
    let before = of("[discord]\ntoken = 'a'\n[database]\nurl = 'postgres://u:one@db/g'");
    assert!(before.differing(&before.clone()).is_empty());
    let after = of("[discord]\ntoken = 'b'\n[database]\nurl = 'postgres://u:two@db/g'\n[log]\nlevel = 'warn'");
    assert_eq!(after.differing(&before), ["discord.token", "database.url", "log.level"]);
}

#[test]
fn a_tier_needs_only_what_is_other_than_in_the_default_one() {
    let file = "[tiers.free]\nmax_streams = 2\n[tiers.paid]\nmax_file = '2G'";
    let settings = load(file, &[("GUILDWIRE__TIERS__PAID__MAX_CONNECTIONS", "50")]).unwrap();
    let paid = settings.tiers["paid"];
    assert_eq!((paid.max_file.0, paid.max_streams, paid.max_connections), (2 << 30, 2, 50));
    assert_eq!(settings.tiers["free"].max_connections, 10);
    let shown = settings.render_redacted();
    assert!(shown.contains("\n\n[tiers.paid]\nmax_file = \"2G\" # from "), "{shown}");
    assert!(shown.contains("max_connections = 50 # from GUILDWIRE__TIERS__PAID__MAX_CONNECTIONS\n"), "{shown}");
    assert_eq!(settings.differing(&load("", &[]).unwrap())[..2], ["tiers.free.max_streams", "tiers.paid.max_file"]);
    assert_eq!(load("", &[]).unwrap().differing(&settings).len(), 6);
}
