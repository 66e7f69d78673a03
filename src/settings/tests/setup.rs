//! What the settings file may declare, and every way to get it wrong.

use super::load;
use crate::domain::account::CredentialSource;
use crate::domain::event::{Group, Kind};
use crate::domain::ids::{ChannelId, GuildId, RoleId, ServerId};
use crate::domain::style::Style;

const FILE: &str = r#"
[nats]
url = "nats://default:4222"
[[setup.accounts]]
name = "GA-1"
creds_file = "ga-1.creds"
[[setup.accounts]]
name = "GA-2"
url = "tls://nats.example.org:4222"
stream = "EVENTS"
root = "v0.rust.servers"
wide_filter = true
user = "the-name-is-all-there-is"
password_file = "ga-2.password"
[[setup.links]]
guild = 1024000000000000001
account = "GA-1"
[[setup.bindings]]
guild = "1024000000000000001"
channel = 1024000000000000002
account = "GA-1"
events = "lifecycle"
[[setup.bindings]]
guild = 1024000000000000001
channel = 1024000000000000002
account = "GA-1"
server = "main"
events = ["players", "player.banned"]
mention = 1024000000000000003
style = "quiet"
"#;

#[test]
fn a_setup_is_read_as_it_was_meant() {
    let settings = load(FILE, &[]).unwrap();
    let [first, second] = settings.setup.accounts.as_slice() else { panic!("{settings:?}") };
    assert_eq!((first.url.as_str(), first.root.to_string().as_str()), ("nats://default:4222", "v0.*.servers"));
    assert_eq!(first.credential, CredentialSource::Creds("ga-1.creds".into()));
    assert_eq!((second.stream.as_deref(), second.wide_filter), (Some("EVENTS"), true));
    let name = "the-name-is-all-there-is".to_owned();
    let password_file = Some("ga-2.password".into());
    assert_eq!(second.credential, CredentialSource::User { name, password_file });
    let guild = GuildId(1_024_000_000_000_000_001);
    assert_eq!(settings.setup.links[0].guild, guild);
    let [plain, full] = settings.setup.bindings.as_slice() else { panic!("{settings:?}") };
    assert_eq!((plain.guild, plain.channel), (guild, ChannelId(1_024_000_000_000_000_002)));
    assert_eq!((plain.kinds, plain.mention, plain.style), (Group::Lifecycle.kinds(), None, Style::Each));
    let kinds = Group::Players.kinds().union([Kind::PlayerBanned].into_iter().collect());
    assert_eq!((full.kinds, full.style), (kinds, Style::Quiet));
    assert_eq!(full.mention, Some(RoleId(1_024_000_000_000_000_003)));
    assert_eq!(full.server.as_ref().map(ServerId::as_str), Some("main"));
}

#[test]
fn a_setup_is_shown_as_it_may_be_written_but_for_users() {
    let settings = load(FILE, &[]).unwrap();
    let shown = settings.render_redacted();
    assert!(!shown.contains("the-name-is") && !format!("{settings:?}").contains("the-name-is"), "{shown}");
    let again = load(&shown.replace("<not set>", ""), &[]).unwrap();
    assert_eq!(again.setup.accounts[0], settings.setup.accounts[0]);
    assert_eq!(again.setup.links, settings.setup.links);
    assert_eq!(again.setup.bindings, settings.setup.bindings);
    assert!(again.differing(&settings).contains(&"setup.accounts".to_owned()), "the user is another");
    assert!(!again.differing(&settings).contains(&"setup.bindings".to_owned()));
}

#[test]
fn each_mistake_in_a_setup_is_told_with_its_path() {
    let account = |keys: &str| format!("[[setup.accounts]]\nname = 'A'\n{keys}\n");
    let good = account("creds_file = 'a'");
    let link = "[[setup.links]]\nguild = 1\naccount = 'A'\n";
    let bound = |keys: &str| format!("{good}{link}[[setup.bindings]]\nguild = 1\nchannel = 2\naccount = 'A'\n{keys}\n");
    let one_way = "setup.accounts[0]: needs exactly one of creds_file, nkey_seed_file and user";
    let id = "must be an id of Discord's";
    let mistakes = [
        (account(""), one_way.to_owned()),
        (account("creds_file = 'a'\nuser = 'hush'"), one_way.to_owned()),
        (account("creds_file = 'a'\npassword_file = 'b'"), "setup.accounts[0]: password_file goes with user".to_owned()),
        (
            account("nkey_seed_file = '-'"),
            "setup.accounts[0].nkey_seed_file: must be a file's path: a service has no input".to_owned(),
        ),
        (account("user = 7"), "setup.accounts[0].user: must be a user's name in quotes".to_owned()),
        (
            account("creds_file = 'a'\nurl = 'nats://user:hush@host'"),
            "setup.accounts[0].url: must be an address without user and password: an account has its own credential"
                .to_owned(),
        ),
        (
            account("creds_file = 'a'\nstream = 'a b'"),
            "setup.accounts[0].stream: must be a stream's name: without spaces and . * > / \\".to_owned(),
        ),
        (
            account("creds_file = 'a'\ncreds = 'b'"),
            "setup.accounts[0].creds: there is no such key; the keys are name, url, stream, root, wide_filter, \
             creds_file, nkey_seed_file, user, password_file"
                .to_owned(),
        ),
        ("[[setup.accounts]]\ncreds_file = 'a'".to_owned(), "setup.accounts[0].name: is missing".to_owned()),
        (
            "[[setup.accounts]]\nname = 'a b'\ncreds_file = 'a'".to_owned(),
            "setup.accounts[0].name: an account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -, which \"a b\" \
             has not"
                .to_owned(),
        ),
        (format!("{good}{good}"), "setup.accounts[1]: there is an account A already".to_owned()),
        (
            format!("{good}[[setup.links]]\nguild = 1\naccount = 'B'"),
            "setup.links[0].account: there is no account B in [[setup.accounts]]".to_owned(),
        ),
        (format!("{good}{link}{link}"), "setup.links[1]: this link is there already".to_owned()),
        (format!("{good}[[setup.links]]\nguild = 'x'\naccount = 'A'"), format!("setup.links[0].guild: {id}")),
        (format!("{good}[[setup.links]]\nguild = 0\naccount = 'A'"), format!("setup.links[0].guild: {id}")),
        (
            format!("{good}[[setup.bindings]]\nguild = 1\nchannel = 2\naccount = 'A'\nevents = 'chat'"),
            "setup.bindings[0]: needs an entry of [[setup.links]] with the same guild and account".to_owned(),
        ),
        (bound(""), "setup.bindings[0].events: is missing".to_owned()),
        (bound("events = []"), "setup.bindings[0].events: must name some events".to_owned()),
        (
            bound("events = ['chat', 'all']"),
            "setup.bindings[0].events: must be of the groups lifecycle, players, chat, moderation, combat, items, \
             everything or of the kinds in them, such as server.wiped; not \"all\""
                .to_owned(),
        ),
        (
            bound("events = 'chat'\nmention = 1"),
            "setup.bindings[0].mention: is the role of everybody, which is never mentioned".to_owned(),
        ),
        (
            bound("events = 'chat'\nstyle = 'loud'"),
            "setup.bindings[0].style: must be one of each, grouped, quiet, not \"loud\"".to_owned(),
        ),
        (
            bound("events = 'chat'")
                + "[[setup.bindings]]\nguild = 1\nchannel = 2\naccount = 'A'\nevents = 'chat'\nstyle = 'quiet'",
            "setup.bindings[1]: there is one for the same events in that channel already".to_owned(),
        ),
        (
            "[setup]\naccounts = 'A'".to_owned(),
            "setup.accounts: must be sections of the settings file, each under its own [[setup.accounts]]".to_owned(),
        ),
        ("[[setup.guilds]]".to_owned(), "setup.guilds: there is no such key".to_owned()),
    ];
    for (file, expected) in mistakes {
        assert_eq!(load(&file, &[]).unwrap_err().mistakes, [format!("{expected} (from own.toml)")], "{file}");
    }
}

#[test]
fn all_mistakes_in_a_setup_are_told_at_once_and_none_twice() {
    let file = "[[setup.accounts]]\nname = 'A'\nurl = 'x'\n[[setup.links]]\nguild = 1\naccount = 'A'\nrole = 2\n\
                [[setup.bindings]]\nguild = 1\nchannel = 2\naccount = 'A'\nevents = 'all'\nstyle = 'loud'";
    let mistakes = load(file, &[]).unwrap_err().mistakes;
    let paths: Vec<_> = mistakes.iter().map(|mistake| mistake.split(": ").next().unwrap()).collect();
    let expected = [
        "setup.accounts[0].url",
        "setup.accounts[0]",
        "setup.links[0].role",
        "setup.bindings[0].events",
        "setup.bindings[0].style",
    ];
    assert_eq!(paths, expected, "{mistakes:#?}");
}

#[test]
fn a_setup_can_only_be_given_in_a_file() {
    let mistakes = load("", &[("GUILDWIRE__SETUP__ACCOUNTS", "[{name = 'A'}]")]).unwrap_err().mistakes;
    let expected = "setup.accounts: must be sections of the settings file, each under its own [[setup.accounts]] (from \
                    GUILDWIRE__SETUP__ACCOUNTS)";
    assert_eq!(mistakes, [expected]);
}

#[test]
fn a_setup_is_given_with_any_of_its_lists() {
    for list in ["accounts", "links", "bindings"] {
        assert!(load(&format!("[setup]\n{list} = []"), &[]).unwrap().setup.is_given, "{list}");
    }
    for file in ["", "[log]\nlevel = 'info'", "[setup]"] {
        assert!(!load(file, &[]).unwrap().setup.is_given, "{file}");
    }
}
