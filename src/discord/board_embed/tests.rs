//! What boards look like, and that they always fit.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::server_state::{Cause, ServerState};
use crate::domain::timestamp::Timestamp;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(seconds * 1_000_000_000)
}

fn server(id: &str, state: State) -> ShownServer {
    ShownServer {
        account: "GA-1".parse().unwrap(),
        id: id.into(),
        name: None,
        state: ServerState { state, since: Some(at(100)), cause: Some(Cause::Started), ..ServerState::default() },
        outlook: Outlook::Seen,
        heard_at: Some(at(700)),
        wiped_at: None,
        online: 0,
        players: Vec::new(),
    }
}

fn player(name: &str, since: i64) -> OnlinePlayer {
    OnlinePlayer { name: Some(name.to_owned()), since: at(since) }
}

fn shown(servers: &[ShownServer]) -> Value {
    let picture = Picture { servers: servers.to_vec(), more: 0, if_none: NoServers::Unheard };
    serde_json::from_str(&board_body(&picture, "7f3k2m9q", None)).unwrap()
}

#[test]
fn it_shows_how_a_server_stands_and_who_is_on_it_since_when() {
    let mut main = server("main", State::Online);
    (main.name, main.wiped_at, main.online) = (Some("Main".to_owned()), Some(at(50)), 3);
    main.players = vec![player("Ada", 200), player("**Bob**", 300)];
    assert_eq!(
        shown(&[main]),
        json!({
            "content": "",
            "embeds": [{
                "description": "**Main**\n🟢 online since <t:100:R>: it said that it started\n👥 3 players on\nAda · <t:200:R>\n\
                                \\*\\*Bob\\*\\* · <t:300:R>\n… and 1 more\nwiped <t:50:R> · last heard <t:600:R>",
                "color": 0x0057_F287,
                "footer": { "text": "Edited when something changes · 7f3k2m9q" },
            }],
            "components": [{ "type": 1, "components": [
                { "type": 2, "style": 2, "label": words::PING_ME, "custom_id": PING_BUTTON },
            ] }],
            "allowed_mentions": { "parse": [], "roles": [] },
        })
    );
}

#[test]
fn what_cannot_be_seen_is_grey_and_nobody_is_told_to_be_on_it() {
    let mut blind = server("main", State::Online);
    (blind.outlook, blind.online, blind.players) = (Outlook::Blind { since: at(900) }, 1, vec![player("Ada", 200)]);
    let mut lost = server("main", State::ContactLost);
    (lost.online, lost.players) = (1, vec![player("Ada", 200)]);
    for server in [blind, lost] {
        let shown = shown(&[server]);
        let told = shown["embeds"][0]["description"].as_str().unwrap();
        assert!(!told.contains("Ada") && !told.contains("👥"), "{told}");
        assert_eq!(shown["embeds"][0]["color"], 0x0095_A5A6);
    }
}

#[test]
fn accounts_are_named_where_there_are_several_and_a_board_without_servers_says_why() {
    let others = ShownServer { account: "GA-2".parse().unwrap(), ..server("0", State::Offline) };
    let both = shown(&[server("0", State::Online), others]);
    for (number, account) in [(0, "GA-1"), (1, "GA-2")] {
        let told = both["embeds"][number]["description"].as_str().unwrap();
        assert!(told.starts_with(&format!("**0** · {account}\n")), "{told}");
    }
    for (if_none, told) in [
        (NoServers::Unheard, words::BOARD_EMPTY),
        (NoServers::Hidden, words::ALL_HIDDEN),
        (NoServers::Unlinked, words::BOARD_UNLINKED),
        (NoServers::ChosenUnlinked, words::BOARD_WITHOUT_SERVERS),
    ] {
        let picture = Picture { servers: Vec::new(), more: 0, if_none };
        let body: Value = serde_json::from_str(&board_body(&picture, "7f3k2m9q", None)).unwrap();
        assert_eq!(body["embeds"][0]["description"], told);
    }
}

#[test]
fn the_first_post_can_not_be_doubled_and_calls_nobody() {
    let picture = Picture { servers: Vec::new(), more: 0, if_none: NoServers::Unheard };
    let posting = Posting { nonce: "n" };
    let body: Value = serde_json::from_str(&board_body(&picture, "7f3k2m9q", Some(posting))).unwrap();
    assert_eq!((&body["nonce"], &body["enforce_nonce"], &body["flags"]), (&json!("n"), &json!(true), &json!(4096)));
}

proptest! {
    #[test]
    fn whatever_comes_a_board_fits_and_its_mark_is_there(
        servers in 0_usize..14, players in 0_usize..40, online in any::<u64>(), more in 0_usize..2000,
        name in "\\PC{0,80}", known in any::<bool>(),
    ) {
        let one = ShownServer {
            name: Some(name.clone()),
            wiped_at: Some(Timestamp::from_nanoseconds(i64::MAX)),
            heard_at: Some(Timestamp::from_nanoseconds(i64::MAX)),
            outlook: if known { Outlook::Seen } else { Outlook::Unheard { since: Timestamp::from_nanoseconds(i64::MIN) } },
            online,
            players: (0..players).map(|_| player(&name, i64::from(u32::MAX))).collect(),
            ..server(&name, State::Online)
        };
        let other = ShownServer { account: "a".repeat(32).parse().unwrap(), ..one.clone() };
        let servers = (0..servers).map(|number| if number % 2 == 0 { one.clone() } else { other.clone() }).collect();
        let embeds = embeds(&Picture { servers, more, if_none: NoServers::Unheard }, "7f3k2m9q");
        prop_assert!((1..=EMBEDS_LIMIT).contains(&embeds.len()));
        let size: usize = embeds.iter().map(Embed::size).sum();
        prop_assert!(size <= MESSAGE_LIMIT, "{size}");
        prop_assert!(embeds.last().unwrap().footer().ends_with(" · 7f3k2m9q"));
        for embed in &embeds {
            prop_assert!(!embed.description().ends_with('…') && !embed.description().contains("@everyone"));
        }
    }
}
