//! What can be typed, and what is refused.

use std::num::NonZeroU64;
use std::time::Duration;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::values::invite_duration;
use super::*;
use crate::domain::event::Kind;
use crate::domain::ids::AccountName;
use crate::domain::ids::UserId;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(["guildwire"].into_iter().chain(line.split_ascii_whitespace()))
}

fn command(line: &str) -> Command {
    parse(line).unwrap().into_command()
}

fn added(line: &str) -> AddAccount {
    match command(&format!("account add {line}")) {
        Command::Account(AccountCommand::Add(add)) => add,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shapes_are_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn nothing_said_means_run() {
    assert_eq!(command(""), Command::Run);
    assert_eq!(command("run"), Command::Run);
    assert_eq!(command("--config own.toml"), Command::Run);
    assert_eq!(parse("config --config own.toml").unwrap().config, Some("own.toml".into()));
    assert_eq!(parse("--version").unwrap_err().kind(), ErrorKind::DisplayVersion);
}

#[test]
fn a_backup_and_an_nkey_have_a_name_and_health_may_mean_readiness() {
    assert_eq!(command("nkey bot.seed"), Command::Nkey(Nkey { file: "bot.seed".into() }));
    assert_eq!(parse("nkey").unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    assert_eq!(command("backup copy.db"), Command::Backup(Backup { file: "copy.db".into() }));
    assert_eq!(parse("backup").unwrap_err().kind(), ErrorKind::MissingRequiredArgument);
    for (line, ready) in [("health", false), ("health --ready", true)] {
        assert_eq!(command(line), Command::Health(Health { ready }));
    }
}

#[test]
fn an_account_takes_exactly_one_credential() {
    assert_eq!(added("GA-1 --creds a").credential(), CredentialSource::Creds("a".into()));
    assert_eq!(added("GA-1 --nkey-seed a").credential(), CredentialSource::NkeySeed("a".into()));
    let name = "ga".to_owned();
    let user = |password_file| CredentialSource::User { name: name.clone(), password_file };
    assert_eq!(added("GA-1 --user ga").credential(), user(None));
    assert_eq!(added("GA-1 --user ga --password-file p").credential(), user(Some("p".into())));

    let refused = |line: &str| parse(&format!("account add {line}")).unwrap_err().kind();
    assert_eq!(refused("GA-1"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("GA-1 --creds a --user ga"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1 --creds a --password-file p"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("G.A --creds a"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --url http://x"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --url nats://u:p@x"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --url nats://x,nats://u:p@y"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --root v0..servers"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --root v0.>"), ErrorKind::ValueValidation);
    assert_eq!(refused("GA-1 --creds a --stream a.b"), ErrorKind::ValueValidation);
}

#[test]
fn an_account_has_sensible_defaults() {
    let add = added("GA-1 --creds a");
    assert_eq!((add.root.as_str(), add.url, add.stream), ("v0.*.servers", None, None));
    assert!(!add.wide_filter && !add.no_check);
    let add = added("GA-1 --creds a --wide-filter --no-check --root game.servers --stream S --url tls://x");
    assert_eq!(
        (add.root.as_str(), add.url.as_deref(), add.stream.as_deref()),
        ("game.servers", Some("tls://x"), Some("S"))
    );
    assert!(add.wide_filter && add.no_check);
}

#[test]
fn an_invite_lasts_from_a_minute_to_thirty_days() {
    for (text, minutes) in [("1m", 1), ("90m", 90), ("24h", 1440), ("7d", 10_080), ("30d", 43_200)] {
        assert_eq!(invite_duration(text), Ok(Duration::from_mins(minutes)));
    }
    for refused in
        ["0m", "31d", "721h", "", "m", "24", "24H", "1.5h", "+1h", "-1h", "1w", "1ä", "99999999999999999999d"]
    {
        assert!(invite_duration(refused).is_err(), "{refused:?}");
    }
    let Command::Account(AccountCommand::Invite(invite)) = command("account invite GA-1") else { panic!() };
    assert_eq!(invite.expires, Duration::from_hours(24));
}

#[test]
fn an_edit_changes_what_is_given_and_something_has_to_be() {
    let edited = |line: &str| match command(&format!("account edit {line}")) {
        Command::Account(AccountCommand::Edit(edit)) => edit,
        other => panic!("{other:?}"),
    };
    assert_eq!(edited("GA-1 --wide-filter").credential(), None);
    assert_eq!(edited("GA-1 --creds a").credential(), Some(CredentialSource::Creds("a".into())));
    let user = CredentialSource::User { name: "ga".to_owned(), password_file: Some("p".into()) };
    assert_eq!(edited("GA-1 --user ga --password-file p").credential(), Some(user));
    assert_eq!(edited("GA-1 --resume-from now").resume_from, Some(ResumeFrom::Now));

    let owned = edited("GA-1 --owner 80351110224678912");
    assert_eq!((owned.ownership(), owned.concerns_owner_alone()), (Some(Some(UserId(80_351_110_224_678_912))), true));
    let nobodys = edited("GA-1 --no-owner --wide-filter");
    assert_eq!((nobodys.ownership(), nobodys.concerns_owner_alone()), (Some(None), false));
    assert_eq!(edited("GA-1 --wide-filter").ownership(), None);
    let refused = |line: &str| parse(&format!("account edit {line}")).unwrap_err().kind();
    for owner in ["0", "-1", "Ada", "+1", "9223372036854775808"] {
        assert_eq!(refused(&format!("GA-1 --owner={owner}")), ErrorKind::ValueValidation, "{owner}");
    }
    assert_eq!(refused("GA-1 --owner 1 --no-owner"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("GA-1 --no-check"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("GA-1 --creds a --user ga"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1 --stream S --find-stream"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1 --wide-filter --no-wide-filter"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1 --resume-from then"), ErrorKind::InvalidValue);
    assert_eq!(refused("GA-1 --resume-from now --no-check"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("GA-1 --url nats://u:p@x"), ErrorKind::ValueValidation);
}

#[test]
fn an_event_is_a_kind_or_a_subject_and_needs_a_credential_to_be_sent() {
    let published = |line: &str| match command(&format!("publish {line}")) {
        Command::Publish(publish) => publish,
        other => panic!("{other:?}"),
    };
    let publish = published("player.connected --server main --player 7 --nkey-seed a --field a.b=c=d --field n:=-3");
    assert_eq!((publish.kind, publish.game.as_str()), (Some(Kind::PlayerConnected), "rust"));
    assert_eq!(publish.credential(), Some(CredentialSource::NkeySeed("a".into())));
    let field = |path: &[&str], value| Field { path: path.iter().map(ToString::to_string).collect(), value };
    assert_eq!(publish.fields, [field(&["a", "b"], "c=d".into()), field(&["n"], (-3).into())]);
    for (line, payload) in
        [("-", Payload::Stdin), ("@a.json", Payload::File("a.json".into())), ("{}", Payload::Text("{}".to_owned()))]
    {
        assert_eq!(published(&format!("--subject a.b --dry-run --payload {line}")).payload, Some(payload));
    }
    let refused = |line: &str| parse(&format!("publish {line}")).unwrap_err().kind();
    assert_eq!(refused("server.started --server main"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("server.started --server main --creds a --user b"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("server.started --creds a"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("--creds a"), ErrorKind::MissingRequiredArgument);
    assert_eq!(refused("server.started --server a --subject b --creds a"), ErrorKind::ArgumentConflict);
    assert_eq!(refused("server.exploded --server main --creds a"), ErrorKind::ValueValidation);
}

#[test]
fn what_is_watched_is_an_account_or_reached_by_a_credential() {
    for (line, credential) in [("GA-1", None), ("--creds a --last 3", Some(CredentialSource::Creds("a".into())))] {
        let Command::Watch(watch) = command(&format!("watch {line} --count 2")) else { panic!("{line}") };
        assert_eq!((watch.credential(), watch.count.map(NonZeroU64::get)), (credential, Some(2)));
    }
    let refused = |line: &str| parse(&format!("watch {line}")).unwrap_err().kind();
    assert_eq!(refused(""), ErrorKind::MissingRequiredArgument);
    for line in ["GA-1 --user a", "GA-1 --url nats://x", "GA-1 --root a", "--creds a --user b"] {
        assert_eq!(refused(line), ErrorKind::ArgumentConflict, "{line}");
    }
    assert_eq!(refused("GA-1 --count 0"), ErrorKind::ValueValidation);
}

#[test]
fn removal_asks_unless_told_not_to() {
    let name: AccountName = "GA-1".parse().unwrap();
    for (line, yes) in [("account remove GA-1", false), ("account remove GA-1 --yes", true)] {
        let remove = RemoveAccount { name: name.clone(), yes };
        assert_eq!(command(line), Command::Account(AccountCommand::Remove(remove)));
    }
}
