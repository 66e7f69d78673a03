//! What was not heard of for long is forgotten, and what goes with its account.

use std::time::Duration;

use guildwire::domain::incident::Incident;
use guildwire::domain::position::Position;
use guildwire::store::incidents::KeptIncident;
use guildwire::store::recording::{HeardPlayer, HeardServer};

use crate::outbox::{fill, message};
use crate::*;

async fn hear(store: &Store, account: &Account, heard: &[(&str, i64)]) {
    let players: Vec<_> = heard
        .iter()
        .map(|(name, at)| HeardPlayer { player_id: (*name).into(), name: (*name).to_owned(), heard_at: *at })
        .collect();
    let servers: Vec<_> = heard
        .iter()
        .map(|(name, at)| HeardServer { server_id: (*name).into(), last_event_at: *at, wiped_at: None })
        .collect();
    let mut transaction = store.write().await.unwrap();
    store.hear_players(&mut transaction, &account.name, &players).await.unwrap();
    store.hear_servers(&mut transaction, &account.name, &servers).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn left(store: &Store) -> (i64, i64) {
    (count(store, "SELECT COUNT(*) FROM players").await, count(store, "SELECT COUNT(*) FROM servers").await)
}

#[tokio::test]
async fn the_silent_are_forgotten_each_by_a_time_of_its_own() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        let many: Vec<String> = (0..1200).map(|number| format!("silent{number}")).collect();
        let heard: Vec<(&str, i64)> = many.iter().map(|name| (name.as_str(), 99)).collect();
        hear(&store, &account, &heard).await;
        hear(&store, &account, &[("at", 100), ("after", 101)]).await;
        assert_eq!(store.forget_silent(at(99), at(99)).await.unwrap(), 0);
        assert_eq!(store.forget_silent(at(100), at(99)).await.unwrap(), 1200);
        assert_eq!(left(&store).await, (2, 1202));
        assert_eq!(store.forget_silent(at(100), at(101)).await.unwrap(), 1201);
        assert_eq!(left(&store).await, (2, 1));
        assert_eq!(store.player_name(&account.name, &"at".into()).await.unwrap().as_deref(), Some("at"));
        // Who is heard of again is known again.
        hear(&store, &account, &[("silent1", 200)]).await;
        assert_eq!(left(&store).await, (3, 2));
    })
    .await;
}

#[tokio::test]
async fn a_silent_server_stays_for_which_maintenance_is_begun() {
    // SQLite has one writer.
    let database = Database::postgres().await;
    let (store, other) = (database.open().await, database.open().await);
    let account = add_account(&store, "GA-1").await;
    hear(&store, &account, &[("main", 1), ("old", 1)]).await;
    let mut transaction = other.write().await.unwrap();
    other.hold_server(&mut transaction, &account.name, &"main".into()).await.unwrap().unwrap();
    let kept = KeptIncident {
        id: 1,
        account: account.name.clone(),
        server: "main".into(),
        incident: Incident::maintenance(at(900), None, true, at(5)),
        version: 1,
        closed_at: None,
    };
    other.keep_incident(&mut transaction, &kept, Some(at(900)), at(5)).await.unwrap();
    // It neither waits for whoever holds it nor takes it afterwards.
    let forgotten = tokio::time::timeout(Duration::from_secs(30), store.forget_silent(at(0), at(100))).await;
    assert_eq!(forgotten.unwrap().unwrap(), 1);
    transaction.commit().await.unwrap();
    assert_eq!(store.forget_silent(at(0), at(100)).await.unwrap(), 0);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM incidents").await, 1);
}

#[tokio::test]
async fn a_message_goes_after_what_it_shows() {
    let database = Database::sqlite();
    let store = database.open().await;
    let ids = fill(&store, CHANNEL, 1200).await;
    for (mark, rows) in [("many", &ids[1..]), ("one", &ids[..1])] {
        let sealed = message(&store, mark);
        store.seal(CHANNEL, &sealed, &showing(rows), at(1)).await.unwrap();
        store.settle_delivered(sealed.id, None, at(2)).await.unwrap();
    }
    // Else thousands of rows would go at once, and intake would wait for them.
    let mut transaction = store.write().await.unwrap();
    sqlx::query(
        "CREATE TRIGGER together BEFORE DELETE ON messages
         WHEN EXISTS (SELECT 1 FROM outbox WHERE message_id = OLD.id)
         BEGIN SELECT RAISE (ABORT, 'its rows are still there'); END",
    )
    .execute(&mut *transaction)
    .await
    .unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(store.forget_before(at(3)).await.unwrap(), 2);
    assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 0);
}

#[tokio::test]
async fn what_was_heard_of_an_account_goes_with_it() {
    on_both(async |database| {
        let store = database.open().await;
        for account in ["GA-1", "GA-2"] {
            let account = add_account(&store, account).await;
            hear(&store, &account, &[("one", 1)]).await;
            let position = Position { last_sequence: 7, last_time: at(7) };
            store.install_position(&account.name, "EVENTS", position).await.unwrap();
        }
        assert!(store.remove_account(&name("GA-1"), &by(1)).await.unwrap());
        assert_eq!(left(&store).await, (1, 1));
        assert_eq!(count(&store, "SELECT COUNT(*) FROM positions WHERE account = 'GA-2'").await, 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM positions").await, 1);
    })
    .await;
}
