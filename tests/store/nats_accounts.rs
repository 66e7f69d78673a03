//! Accounts and users that guildwire makes on the operator's own nats-server.

use guildwire::domain::audit::Action;
use guildwire::domain::nats_account::{NatsAccount, NatsUser, Role};
use guildwire::domain::subject::Root;
use guildwire::domain::tier::{Bytes, Tier};

use crate::*;

fn nats_account(text: &str) -> NatsAccount {
    NatsAccount {
        name: name(text),
        public_key: format!("A{text}"),
        tier: "free".to_owned(),
        limits: Tier {
            max_file: Bytes(1 << 50),
            max_mem: Bytes(0),
            max_streams: 1,
            max_consumers: 10,
            max_connections: 1_000_000,
        },
        stream: "EVENTS".to_owned(),
        root: Root::default(),
        created_at: at(1),
        verified_at: None,
        suspended_at: None,
    }
}

fn nats_user(account: &NatsAccount, public_key: &str, created_at: i64) -> NatsUser {
    NatsUser {
        public_key: public_key.to_owned(),
        account: account.name.clone(),
        role: Role::Server,
        server: Some("main".to_owned()),
        created_at: at(created_at),
        revoked_at: None,
    }
}

#[tokio::test]
async fn an_account_is_begun_once_settled_and_removed_with_its_users() {
    on_both(async |database| {
        let store = database.open().await;
        assert!(store.sealed_secrets().await.unwrap().is_empty());
        let account = nats_account("GA-1");
        assert!(store.begin_nats_account(&account, &[0, 159, 146]).await.unwrap());
        assert_eq!(store.sealed_secrets().await.unwrap().len(), 1, "no new key may be made from now on");
        let another = NatsAccount { public_key: "A2".to_owned(), ..account.clone() };
        assert!(!store.begin_nats_account(&another, &[1]).await.unwrap());
        assert_eq!(store.nats_account(&account.name).await.unwrap(), Some(account.clone()));
        assert_eq!(store.nats_account_seed(&account.name).await.unwrap(), Some(vec![0, 159, 146]));

        let limits = Tier { max_streams: 2, ..account.limits };
        let settled = NatsAccount {
            tier: "paid".to_owned(),
            limits,
            verified_at: Some(at(2)),
            suspended_at: Some(at(3)),
            ..account.clone()
        };
        store.settle_nats_account(&settled, Action::NatsAccountCreated, &by(2)).await.unwrap();
        assert_eq!(store.nats_accounts().await.unwrap(), [settled]);
        store.abandon_nats_account(&account.name).await.unwrap();
        assert_eq!(store.nats_accounts().await.unwrap().len(), 1, "only what was not finished is abandoned");

        let (first, second) = (nats_user(&account, "U1", 5), nats_user(&account, "U2", 4));
        store.add_nats_user(&first, &by(5)).await.unwrap();
        store.add_nats_user(&second, &by(6)).await.unwrap();
        store.revoke_nats_user(&first, &by(7)).await.unwrap();
        let revoked = NatsUser { revoked_at: Some(at(7)), ..first };
        assert_eq!(store.nats_users(&account.name).await.unwrap(), [second, revoked]);

        store.remove_nats_account(&account.name, &by(8)).await.unwrap();
        store.remove_nats_account(&account.name, &by(9)).await.unwrap();
        assert_eq!(count(&store, "SELECT COUNT(*) FROM nats_users").await, 0);
        let lines = store.audit(Some(&account.name), 50).await.unwrap();
        let told: Vec<_> = lines.iter().map(|line| (line.act.action, line.act.details.as_str())).collect();
        assert_eq!(
            told,
            [
                (Action::NatsAccountDeleted, ""),
                (Action::NatsUserRevoked, "server main U1"),
                (Action::NatsUserCreated, "server main U2"),
                (Action::NatsUserCreated, "server main U1"),
                (Action::NatsAccountCreated, "tier paid"),
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_not_finished_may_be_abandoned() {
    on_both(async |database| {
        let store = database.open().await;
        let account = nats_account("GA-1");
        store.begin_nats_account(&account, &[1]).await.unwrap();
        store.abandon_nats_account(&account.name).await.unwrap();
        assert_eq!(store.nats_account(&account.name).await.unwrap(), None);
        assert!(store.audit(None, 50).await.unwrap().is_empty());
    })
    .await;
}
