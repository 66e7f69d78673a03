//! Incidents in the database: each keeps its own number, and is due when it should be.

use std::collections::BTreeSet;

use guildwire::domain::ids::ServerId;
use guildwire::domain::incident::Incident;
use guildwire::store::incidents::KeptIncident;
use guildwire::store::recording::HeardServer;

use crate::*;

/// A server that is under maintenance, as incident `id`.
async fn maintained(store: &Store, id: i64, server: &str) {
    let mut transaction = store.write().await.unwrap();
    let heard = [HeardServer { server_id: server.into(), last_event_at: 5, wiped_at: None }];
    store.hear_servers(&mut transaction, &name("GA-1"), &heard).await.unwrap();
    let kept = KeptIncident {
        id,
        account: name("GA-1"),
        server: server.into(),
        incident: Incident::maintenance(at(100), None, true, at(5)),
        version: 1,
        closed_at: None,
    };
    store.keep_incident(&mut transaction, &kept, Some(at(100)), at(5)).await.unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn no_number_of_an_incident_is_given_out_again_after_a_restart() {
    on_both(async |database| {
        let store = database.open().await;
        add_linked_account(&store, "GA-1").await;
        let id = store.next_number();
        maintained(&store, id, "main").await;
        let mut transaction = store.write().await.unwrap();
        store.tell_incident(&mut transaction, id, CHANNEL, id + 7).await.unwrap();
        transaction.commit().await.unwrap();
        drop(store);
        assert!(database.open().await.next_number() > id + 7);
    })
    .await;
}

#[tokio::test]
async fn an_incident_is_due_until_it_is_put_off() {
    on_both(async |database| {
        let store = database.open().await;
        add_linked_account(&store, "GA-1").await;
        for (id, server) in [(1, "main"), (2, "arena")] {
            maintained(&store, id, server).await;
        }
        let due = async |now: i64| {
            let due = store.due_incidents(at(now)).await.unwrap();
            due.into_iter().map(|(_, server, _)| server).collect::<BTreeSet<_>>()
        };
        assert_eq!(due(99).await, BTreeSet::new());
        assert_eq!(due(100).await, BTreeSet::from([ServerId::from("arena"), "main".into()]));
        let mut transaction = store.write().await.unwrap();
        store.put_off_incident(&mut transaction, &name("GA-1"), &"main".into(), at(200)).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(due(100).await, BTreeSet::from(["arena".into()]));
        assert_eq!(due(200).await.len(), 2);
    })
    .await;
}
