//! What is noticed of servers, on both engines: what is not so any more when it is noted is not told, and when what began.

use std::time::Duration;

use guildwire::domain::binding::Binding;
use guildwire::domain::event::{Details, Kind, Start};
use guildwire::domain::ids::{RoleId, ServerId};
use guildwire::domain::incident::{Chapter, Incident, What};
use guildwire::domain::position::Delivered;
use guildwire::domain::server_state::{Connection, End, Sign, State};
use guildwire::domain::timestamp::Timestamp;
use guildwire::incidents::{Maintained, Observer, Rules};
use guildwire::intake::batch::Batch;
use guildwire::store::online::PlayerOn;
use guildwire::store::outbox::Told;
use guildwire::store::recording::{HeardServer, NewOutboxRow};
use guildwire::store::servers::Server;

use crate::positions::{START, STREAM, message};
use crate::*;

fn second(second: u64) -> Timestamp {
    Timestamp::default().plus(Duration::from_secs(second))
}

fn main_server() -> ServerId {
    "main".into()
}

/// The account GA-1 with one binding, of everything, that hears it since a moment.
struct Scene {
    store: Store,
    bindings: Vec<Binding>,
}

impl Scene {
    async fn hearing_since(database: &Database, since: Timestamp) -> Self {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let bindings = vec![Binding { covered_from: Some(since), ..binding(&store, &account) }];
        Self { store, bindings }
    }

    /// Takes note of an event as its batch does, and answers with the rows that tell of it by an incident.
    async fn event(&self, sign: Sign, at: Timestamp) -> Vec<NewOutboxRow> {
        let account = name("GA-1");
        let heard = [HeardServer { server_id: main_server(), last_event_at: at.nanoseconds(), wiped_at: None }];
        let mut transaction = self.store.write().await.unwrap();
        self.store.hear_servers(&mut transaction, &account, &heard).await.unwrap();
        let observed =
            self.observer(&account, at).observe(&mut transaction, &main_server(), sign, at, 7).await.unwrap();
        transaction.commit().await.unwrap();
        observed.rows
    }

    /// Takes note of what is no event, as it was judged by what was `known` then.
    async fn alone(&self, known: &Server, sign: Sign, at: Timestamp, now: Timestamp) -> State {
        let account = name("GA-1");
        self.observer(&account, now).observe_alone(known, sign, at).await.unwrap().state
    }

    fn observer<'a>(&'a self, account: &'a AccountName, now: Timestamp) -> Observer<'a> {
        Observer { store: &self.store, account, bindings: &self.bindings, rules: Rules::default(), now }
    }

    async fn server(&self) -> Server {
        self.store.servers_of_account(&name("GA-1")).await.unwrap().remove(0)
    }

    /// When each chapter that is due could be told at the soonest, and its incident.
    async fn told(&self) -> Vec<(Timestamp, Incident)> {
        let mut told = Vec::new();
        for due in self.store.due(CHANNEL, 100).await.unwrap() {
            let Told::Incident(chapter) = due.told else { panic!("{due:?}") };
            let Chapter { incident, .. } = chapter.chapter;
            told.push((chapter.stored, self.store.incident(incident).await.unwrap().unwrap().incident));
        }
        told
    }

    /// Records that the server says at these moments that it started, and answers with how that is told, and whom it calls.
    async fn starts(&self, moments: &[Timestamp]) -> Vec<(Details, Vec<RoleId>)> {
        let account = self.store.account(&name("GA-1")).await.unwrap().unwrap();
        let from = START.after(START.last_sequence, second(300));
        self.store.install_position(&account.name, STREAM, from).await.unwrap();
        let (mut batch, mut to) = (Batch::default(), from);
        for at in moments {
            to = to.after(to.last_sequence + 1, *at);
            let delivered = Delivered { sequence: to.last_sequence, stored: *at, consumer_sequence: 1 };
            batch.add(&account, &self.bindings, delivered, &message("v0.rust.servers.main.events.started", "{}"));
        }
        batch.record(&self.store, &account.name, &self.bindings, STREAM, from, to).await.unwrap();
        let due = self.store.due(CHANNEL, 100).await.unwrap();
        let told = due.into_iter().map(|due| match due.told {
            Told::Event(told) => (told.event.details, told.mention),
            told => panic!("{told:?}"),
        });
        told.collect()
    }
}

/// What happened last, and when.
fn last(incident: &Incident) -> (What, Timestamp) {
    let last = incident.happenings.last().unwrap();
    (last.what, last.at)
}

#[tokio::test]
async fn silence_is_told_to_all_who_hear_when_it_has_lasted_and_not_as_late() {
    on_both(async |database| {
        let scene = Scene::hearing_since(database, second(1_000)).await;
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        let known = scene.server().await;
        let now = second(4_000);
        assert_eq!(scene.alone(&known, Sign::Silent, known.heard_at, now).await, State::ContactLost);
        let told = scene.told().await;
        assert_eq!(told.len(), 1, "a binding that hears since then is told: {told:?}");
        assert_eq!((told[0].0, last(&told[0].1)), (now, (What::Silent, second(100))));
    })
    .await;
}

#[tokio::test]
async fn a_departure_tells_that_a_silent_server_is_there() {
    on_both(async |database| {
        let scene = Scene::hearing_since(database, second(1)).await;
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        let known = scene.server().await;
        assert_eq!(scene.alone(&known, Sign::Silent, known.heard_at, second(4_000)).await, State::ContactLost);
        let account = scene.store.account(&name("GA-1")).await.unwrap().unwrap();
        let from = START.after(START.last_sequence, second(5_000));
        scene.store.install_position(&account.name, STREAM, from).await.unwrap();
        crate::online::record(&scene.store, &account, from, &["main.players.ann.events.disconnected"]).await;
        assert_eq!(scene.server().await.state.state, State::Online);
    })
    .await;
}

#[tokio::test]
async fn what_was_judged_missing_and_spoke_meanwhile_is_not_gone() {
    on_both(async |database| {
        let scene = Scene::hearing_since(database, second(1)).await;
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        let known = scene.server().await;
        scene.event(Sign::Started(Connection::Unseen), second(180)).await;
        for sign in [Sign::Gone(End::Closed), Sign::Silent] {
            assert_eq!(scene.alone(&known, sign, second(105), second(181)).await, State::Online, "{sign:?}");
        }
        assert!(scene.told().await.is_empty());
        // As it is known now, it is gone.
        let known = scene.server().await;
        assert_eq!(scene.alone(&known, Sign::Gone(End::Closed), second(190), second(270)).await, State::Offline);
        let told = scene.told().await;
        assert_eq!((told[0].0, last(&told[0].1)), (second(190), (What::Closed, second(190))));
    })
    .await;
}

#[tokio::test]
async fn a_reload_that_is_said_twice_is_read_twice_as_one_and_calls_once() {
    on_both(async |database| {
        let mut scene = Scene::hearing_since(database, second(1)).await;
        scene.bindings[0].mention = Some(RoleId(9));
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        let told = scene.starts(&[second(1_000), second(1_001)]).await;
        let reloaded = Details::ServerStarted { how: Start::ReloadedOrStarted };
        assert_eq!(told, [(reloaded.clone(), vec![RoleId(9)]), (reloaded, vec![])]);
    })
    .await;
}

#[tokio::test]
async fn a_start_that_its_connection_told_calls_those_who_hear_of_starts_alone() {
    on_both(async |database| {
        let mut scene = Scene::hearing_since(database, second(1)).await;
        scene.bindings[0].mention = Some(RoleId(9));
        scene.bindings[0].kinds = [Kind::ServerStarted].into_iter().collect();
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        scene.alone(&scene.server().await, Sign::Gone(End::Closed), second(200), second(280)).await;
        let since = second(400);
        assert_eq!(scene.alone(&scene.server().await, Sign::Connected { since }, since, since).await, State::Online);
        let up = Details::ServerStarted { how: Start::Up };
        assert_eq!(scene.starts(&[second(410)]).await, [(up, vec![RoleId(9)])]);
    })
    .await;
}

#[tokio::test]
async fn whoever_was_on_before_contact_was_lost_is_not_on_once_the_server_says_that_it_was_started() {
    on_both(async |database| {
        let scene = Scene::hearing_since(database, second(1)).await;
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        crate::online::keep(&scene.store, "GA-1", &[("main", "Ann", second(110).nanoseconds())]).await;
        let lost = scene.alone(&scene.server().await, Sign::Gone(End::Stale), second(200), second(280)).await;
        assert_eq!(lost, State::ContactLost);
        let since = second(400);
        let back = scene.alone(&scene.server().await, Sign::Connected { since }, since, second(405)).await;
        assert_eq!(back, State::Online);
        crate::online::keep(&scene.store, "GA-1", &[("main", "Bob", second(410).nanoseconds())]).await;
        let on = async || {
            let (_, on) = scene.store.players_on(&name("GA-1"), &main_server(), 9).await.unwrap();
            on.into_iter().map(|PlayerOn { player, .. }| player.as_str().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(on().await, ["Ann", "Bob"], "only its network may have been away");
        scene.event(Sign::Started(Connection::New), second(420)).await;
        assert_eq!(on().await, ["Bob"]);
    })
    .await;
}

#[tokio::test]
async fn the_alarm_at_the_end_of_maintenance_says_since_when_the_server_is_down() {
    on_both(async |database| {
        let scene = Scene::hearing_since(database, second(1)).await;
        let account = name("GA-1");
        scene.event(Sign::Started(Connection::Unseen), second(100)).await;
        let begins = scene.observer(&account, second(200));
        let begun = begins.begin_maintenance(&main_server(), second(900), None, &by(0)).await.unwrap();
        assert!(matches!(begun, Maintained::Told(_)), "{begun:?}");
        scene.alone(&scene.server().await, Sign::Gone(End::Closed), second(300), second(380)).await;
        let ended = scene.observer(&account, second(800)).end_maintenance(&main_server(), &by(0)).await.unwrap();
        assert!(matches!(ended, Maintained::Told(_)), "{ended:?}");
        let told = scene.told().await;
        let (known_at, incident) = told.last().unwrap();
        assert_eq!((*known_at, last(incident)), (second(800), (What::Closed, second(300))));
    })
    .await;
}
