//! Members' own pings: who waits for what, and that each is called once.

use std::time::Duration;

use guildwire::domain::audit::Action;
use guildwire::domain::ids::ServerId;
use guildwire::domain::ping::{Call, News, Progress, Wish};
use guildwire::store::outbox::Told;
use guildwire::store::pings::{Asked, Place, Waiting};

use crate::outbox::message;
use crate::*;

const NEVER: Progress = Progress { armed: false, wiped_at: None, pinged_at: None };
const ARMED: Progress = Progress { armed: true, ..NEVER };

fn main_server(account: &AccountName) -> Place {
    (account.clone(), ServerId::from("main"))
}

/// A guild that allows pings, with a server that is down.
async fn allowing(store: &Store) -> Place {
    let account = add_linked_account(store, "GA-1").await;
    hear_main(store).await;
    assert!(store.set_ping_channel(GUILD, Some((CHANNEL, false)), &by()).await.unwrap());
    main_server(&account.name)
}

async fn hear_main(store: &Store) {
    run(
        store,
        "INSERT INTO servers (account, server_id, last_event_at, state, state_since, state_cause)
         VALUES ('GA-1', 'main', 5, 'offline', 5, 'said_stopped')",
    )
    .await;
}

fn by() -> By {
    By::person(USER, GUILD, at(7))
}

/// What calls wait in the channel.
async fn calls(store: &Store) -> Vec<Call> {
    let due = store.due(CHANNEL, 100).await.unwrap();
    due.into_iter()
        .map(|due| match due.told {
            Told::Ping(_, call) => call,
            other => panic!("{other:?} is no ping"),
        })
        .collect()
}

#[tokio::test]
async fn a_wish_is_kept_until_it_is_left_or_its_link_ends() {
    on_both(async |database| {
        let store = database.open().await;
        let place = allowing(&store).await;
        let asked_at = at(8).plus(Duration::from_secs(5));
        let ask = async |wish| store.ask_for_ping((GUILD, USER), &place, wish, asked_at).await.unwrap();
        let done = |progress, instead_of| Asked::Done { channel: CHANNEL, progress, instead_of };
        assert_eq!(ask(Wish::Back).await, done(ARMED, None));
        assert_eq!(ask(Wish::Back).await, Asked::There(CHANNEL));
        assert_eq!(ask(Wish::Players(2)).await, done(ARMED, None));
        assert_eq!(ask(Wish::Players(2)).await, Asked::There(CHANNEL));
        assert_eq!(ask(Wish::Players(3)).await, done(ARMED, Some(2)));
        run(&store, "UPDATE servers SET wiped_at = 6").await;
        assert_eq!(
            ask(Wish::Wiped).await,
            done(Progress { wiped_at: Some(at(8)), ..ARMED }, None),
            "since it is asked for, by a clock that may be ahead"
        );

        let kept = store.pings_of_member(GUILD, USER).await.unwrap();
        let wishes: Vec<_> = kept.iter().map(|waiting| waiting.wish).collect();
        assert_eq!(wishes, [Wish::Back, Wish::Players(3), Wish::Wiped]);
        assert_eq!(store.waiting_for(&place).await.unwrap(), kept);
        let awaited = store.awaited_servers(None).await.unwrap();
        assert_eq!(awaited[0].0, place);
        assert_eq!(store.awaited_servers(Some(&place.0)).await.unwrap(), awaited);
        assert_eq!(store.awaited_servers(Some(&name("GA-2"))).await.unwrap(), []);
        let elsewhere = (place.0.clone(), ServerId::from("other"));
        assert_eq!(store.leave_pings(GUILD, USER, Some(&elsewhere)).await.unwrap(), 0);
        assert_eq!(store.leave_pings(GUILD, UserId(301), None).await.unwrap(), 0);
        assert_eq!(store.leave_pings(GUILD, USER, Some(&place)).await.unwrap(), 3);

        assert!(matches!(ask(Wish::Back).await, Asked::Done { .. }));
        store.unlink(GUILD, &place.0, &by()).await.unwrap();
        assert_eq!(store.pings_of_member(GUILD, USER).await.unwrap(), []);
        assert_eq!(store.awaited_servers(None).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_wish_needs_a_channel_a_linked_server_and_room() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let place = main_server(&account.name);
        let ask = async |guild, user, place: &Place, wish| {
            store.ask_for_ping((guild, UserId(user)), place, wish, at(8)).await.unwrap()
        };
        assert_eq!(ask(GUILD, 1, &place, Wish::Back).await, Asked::NotAllowed);
        assert!(store.set_ping_channel(GUILD, Some((CHANNEL, false)), &by()).await.unwrap());
        assert!(!store.set_ping_channel(GUILD, Some((CHANNEL, false)), &by()).await.unwrap());
        assert_eq!(ask(GUILD, 1, &place, Wish::Back).await, Asked::NoSuchServer);
        hear_main(&store).await;
        let stranger = GuildId(101);
        store
            .set_ping_channel(stranger, Some((ChannelId(201), false)), &By::person(USER, stranger, at(7)))
            .await
            .unwrap();
        assert_eq!(ask(stranger, 1, &place, Wish::Back).await, Asked::NoSuchServer, "its link is another guild's");

        run(
            &store,
            "INSERT INTO pings (guild_id, user_id, account, server_id, wish, players, armed, created_at)
             WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 10)
             SELECT 100, 1, 'GA-1', 'server ' || n, 'back', 0, 0, 1 FROM counted",
        )
        .await;
        assert_eq!(ask(GUILD, 1, &place, Wish::Back).await, Asked::TooManyOfMember);
        assert!(matches!(ask(GUILD, 2, &place, Wish::Players(5)).await, Asked::Done { .. }));
        run(
            &store,
            "INSERT INTO pings (guild_id, user_id, account, server_id, wish, players, armed, created_at)
             WITH RECURSIVE counted (n) AS (SELECT 1001 UNION ALL SELECT n + 1 FROM counted WHERE n < 2989)
             SELECT 100, n, 'GA-1', 'main', 'back', 0, 0, 1 FROM counted",
        )
        .await;
        assert_eq!(ask(GUILD, 2, &place, Wish::Back).await, Asked::TooManyOfGuild);
        let changed = ask(GUILD, 2, &place, Wish::Players(6)).await;
        assert!(matches!(changed, Asked::Done { .. }), "one that is there may be changed: {changed:?}");

        assert!(store.set_ping_channel(GUILD, None, &by()).await.unwrap());
        assert!(!store.set_ping_channel(GUILD, None, &by()).await.unwrap());
        assert_eq!(store.ping_channel(GUILD).await.unwrap(), None);
        let lines = store.audit(None, 100).await.unwrap();
        let of =
            |action| lines.iter().filter(|line| (line.act.action, line.act.guild) == (action, Some(GUILD))).count();
        assert_eq!((of(Action::PingsAllowed), of(Action::PingsForbidden)), (1, 1), "{lines:?}");
    })
    .await;
}

#[tokio::test]
async fn who_is_called_is_called_once_and_who_left_meanwhile_is_not() {
    on_both(async |database| {
        let store = database.open().await;
        let place = allowing(&store).await;
        for user in 1..=3 {
            store.ask_for_ping((GUILD, UserId(user)), &place, Wish::Back, at(8)).await.unwrap();
        }
        let moved: Vec<(Waiting, Progress)> = store
            .waiting_for(&place)
            .await
            .unwrap()
            .into_iter()
            .map(|waiting| (waiting, Progress { armed: false, wiped_at: None, pinged_at: Some(at(20)) }))
            .collect();
        assert_eq!(moved.len(), 3);
        store.leave_pings(GUILD, UserId(2), None).await.unwrap();
        run(
            &store,
            "INSERT INTO named_servers (guild_id, account, server_id, name) VALUES (100, 'GA-1', 'main', 'Home')",
        )
        .await;

        assert_eq!(store.note_progress(&moved, Some(News::Back), at(20)).await.unwrap(), 2);
        assert_eq!(store.note_progress(&moved, Some(News::Back), at(21)).await.unwrap(), 0);
        let (server, name) = (place.1.clone(), Some("Home".to_owned()));
        let users = vec![UserId(1), UserId(3)];
        assert_eq!(calls(&store).await, [Call { server, name, news: News::Back, at: at(20), users }]);
        let noted: Vec<_> = store.waiting_for(&place).await.unwrap().iter().map(|waiting| waiting.progress).collect();
        assert_eq!(noted, [Progress { pinged_at: Some(at(20)), ..NEVER }; 2]);
    })
    .await;
}

#[tokio::test]
async fn nobody_is_called_where_that_is_not_allowed_any_more() {
    on_both(async |database| {
        let store = database.open().await;
        let place = allowing(&store).await;
        store.ask_for_ping((GUILD, USER), &place, Wish::Back, at(8)).await.unwrap();
        store.set_ping_channel(GUILD, None, &by()).await.unwrap();
        let waiting = store.waiting_for(&place).await.unwrap().remove(0);
        let cooldown = Duration::from_secs(1);
        let standing = store.awaited_servers(None).await.unwrap()[0].1;
        let back =
            guildwire::domain::ping::Standing { state: guildwire::domain::server_state::State::Online, ..standing };
        let (after, is_told) = waiting.progress.after(waiting.wish, &back, at(20), cooldown);
        assert!(is_told);
        assert_eq!(store.note_progress(&[(waiting, after)], Some(News::Back), at(20)).await.unwrap(), 0);
        assert_eq!(calls(&store).await, []);
        assert_eq!(
            store.waiting_for(&place).await.unwrap()[0].progress,
            NEVER,
            "it is not waited for, nor was it told"
        );
    })
    .await;
}

#[tokio::test]
async fn what_waits_in_a_channel_that_is_taken_back_calls_nobody() {
    on_both(async |database| {
        let store = database.open().await;
        let place = allowing(&store).await;
        let call = async |user| {
            store.ask_for_ping((GUILD, UserId(user)), &place, Wish::Back, at(8)).await.unwrap();
            let waiting = store.waiting_for(&place).await.unwrap();
            let waiting = waiting.into_iter().find(|waiting| waiting.user == UserId(user)).unwrap();
            let called = [(waiting, Progress { pinged_at: Some(at(20)), ..NEVER })];
            assert_eq!(store.note_progress(&called, Some(News::Back), at(20)).await.unwrap(), 1);
        };
        call(1).await;
        let sealed = message(&store, "ab12");
        let ids: Vec<_> = store.due(CHANNEL, 100).await.unwrap().iter().map(|due| due.id).collect();
        store.seal(CHANNEL, &sealed, &showing(&ids), at(21)).await.unwrap();
        call(2).await;
        assert!(!store.set_ping_channel(GUILD, Some((CHANNEL, false)), &by()).await.unwrap());
        assert_eq!(calls(&store).await.len(), 1, "it is allowed as before");
        let elsewhere = ChannelId(202);
        assert!(store.set_ping_channel(GUILD, Some((elsewhere, true)), &by()).await.unwrap());
        assert_eq!(calls(&store).await, []);
        assert_eq!(store.sealed_rows(sealed.id).await.unwrap().len(), 1, "it may be sent already");
        assert_eq!(store.home_of_channel(elsewhere).await.unwrap(), Some((GUILD, true)));
        call(3).await;
        assert_eq!(store.due(elsewhere, 100).await.unwrap().len(), 1);
        assert!(store.set_ping_channel(GUILD, None, &by()).await.unwrap());
        assert_eq!(store.due(elsewhere, 100).await.unwrap().len(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_channel_for_pings_that_is_stopped_is_told_of() {
    on_both(async |database| {
        let store = database.open().await;
        allowing(&store).await;
        let untold = async |guild| store.untold_lanes(guild, at(99)).await.unwrap();
        assert_eq!(store.home_of_channel(CHANNEL).await.unwrap(), Some((GUILD, false)));
        assert_eq!(store.channels_of(Some(GUILD)).await.unwrap(), [(GUILD, CHANNEL, false)]);
        assert_eq!(store.channels_in_use().await.unwrap(), [(GUILD, CHANNEL)]);
        store.stop_lane(CHANNEL, &stop(Cause::Gone, "deleted", None), None, at(10)).await.unwrap();
        assert_eq!(untold(Some(GUILD)).await.len(), 1);
        assert_eq!(untold(Some(GUILD)).await[0].1.channel, CHANNEL);
        assert_eq!(untold(None).await, [], "no other channel can tell of it");
        let account = store.account(&name("GA-1")).await.unwrap().unwrap();
        let other = Binding { channel: ChannelId(202), ..binding(&store, &account) };
        assert!(store.add_binding(&other).await.unwrap());
        assert_eq!(untold(None).await.len(), 1);
        assert_eq!(store.channels_in_use().await.unwrap(), [(GUILD, CHANNEL), (GUILD, ChannelId(202))]);
    })
    .await;
}

/// Whether somebody waits for a lock.
const BLOCKED: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM servers%'";

#[tokio::test]
async fn who_asks_while_players_come_is_told_of_those_that_are_on_then() {
    let database = Database::postgres().await;
    let (store, intake, watching) = (database.open().await, database.open().await, database.open().await);
    let place = allowing(&store).await;
    let mut batch = intake.write().await.unwrap();
    for statement in [
        "UPDATE servers SET state = 'online' WHERE server_id = 'main'",
        "INSERT INTO online_players (account, server_id, player_id, since) VALUES ('GA-1', 'main', '1', 5)",
    ] {
        sqlx::query(statement).execute(&mut *batch).await.unwrap();
    }
    let asked = store.ask_for_ping((GUILD, USER), &place, Wish::Players(1), at(8));
    let recorded = async {
        while count(&watching, BLOCKED).await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        batch.commit().await.unwrap();
    };
    let both = async { tokio::join!(asked, recorded) };
    let (asked, ()) = tokio::time::timeout(Duration::from_mins(1), both).await.expect("it waits for the server");
    let wanted = Asked::Done { channel: CHANNEL, progress: NEVER, instead_of: None };
    assert_eq!(asked.unwrap(), wanted, "as many are on already");
}
