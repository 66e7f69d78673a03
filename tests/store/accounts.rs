//! Accounts, invites and links.

use std::slice::from_ref;

use guildwire::domain::position::Position;
use guildwire::store::accounts::{Link, Redeemed, SealedCredential};

use crate::*;

#[tokio::test]
async fn an_account_is_kept_as_it_was_added_and_added_once() {
    on_both(async |database| {
        let store = database.open().await;
        assert!(store.sealed_secrets().await.unwrap().is_empty());
        let account = add_account(&store, "GA-1").await;
        assert_eq!(store.sealed_secrets().await.unwrap().len(), 1);

        let mut other = account.clone();
        other.url = "nats://elsewhere:4222".to_owned();
        let credential = SealedCredential { kind: "user".to_owned(), sealed: vec![1] };
        assert!(!store.add_account(&other, &credential, &by(5000)).await.unwrap());
        assert_eq!(store.accounts().await.unwrap(), from_ref(&account));
        let kept = store.credential(&account.name).await.unwrap().unwrap();
        assert_eq!((kept.kind.as_str(), kept.sealed.as_slice()), ("nkey", [0, 159, 146, 150].as_slice()));
        assert_eq!(store.account(&name("ga-1")).await.unwrap(), None, "names differ by case");
    })
    .await;
}

#[tokio::test]
async fn an_account_goes_with_its_links_its_bindings_and_its_position() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let other = add_linked_account(&store, "GA-2").await;
        for account in [&account, &other] {
            assert!(store.add_binding(&binding(&store, account)).await.unwrap());
            let position = Position { last_sequence: 7, last_time: at(7) };
            store.install_position(&account.name, "events", position).await.unwrap();
        }
        assert_eq!(store.count_links_and_bindings(&account.name).await.unwrap(), (1, 1));

        assert!(store.remove_account(&account.name, &by(1)).await.unwrap());
        assert!(!store.remove_account(&account.name, &by(1)).await.unwrap());
        assert_eq!(store.count_links_and_bindings(&account.name).await.unwrap(), (0, 0));
        assert_eq!(store.position(&account.name, "events").await.unwrap(), None);
        assert_eq!(
            store.links(GUILD).await.unwrap(),
            [Link { account: other.name.clone(), linked_at: at(1), is_declared: false }]
        );
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap().len(), 1);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM invites").await, 1);
        assert!(store.position(&other.name, "events").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn only_an_account_with_a_binding_is_subscribed_and_its_revision_tells_of_each_change() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        add_linked_account(&store, "GA-2").await;
        assert_eq!(store.subscribed_accounts().await.unwrap(), []);

        let bound = binding(&store, &account);
        assert!(store.add_binding(&bound).await.unwrap());
        let subscribed = store.subscribed_accounts().await.unwrap();
        assert_eq!(subscribed.len(), 1);
        assert_eq!(subscribed[0].name, account.name);
        assert!(subscribed[0].revision > account.revision);

        let equal = Binding { id: store.next_number(), ..bound.clone() };
        assert!(!store.add_binding(&equal).await.unwrap());
        assert_eq!(store.subscribed_accounts().await.unwrap(), subscribed, "a refused binding changes nothing");

        let position = Position { last_sequence: 7, last_time: at(7) };
        store.install_position(&account.name, "events", position).await.unwrap();
        assert_eq!(store.forsaken_accounts().await.unwrap(), []);
        store.remove_binding(GUILD, bound.id, &by(1)).await.unwrap().unwrap();
        assert_eq!(store.subscribed_accounts().await.unwrap(), []);
        assert_eq!(store.forsaken_accounts().await.unwrap(), from_ref(&account.name));
        assert!(store.account(&account.name).await.unwrap().unwrap().revision > subscribed[0].revision);
    })
    .await;
}

#[tokio::test]
async fn an_account_that_is_added_anew_has_another_revision() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        store.remove_account(&account.name, &by(1)).await.unwrap();
        let credential = SealedCredential { kind: "user".to_owned(), sealed: vec![1] };
        assert!(store.add_account(&account, &credential, &by(9000)).await.unwrap());
        assert_ne!(store.account(&account.name).await.unwrap().unwrap().revision, account.revision);
    })
    .await;
}

#[tokio::test]
async fn a_code_links_one_guild_once_and_only_while_it_is_good() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        for code in ["first", "second"] {
            store.add_invite(&account.name, code.as_bytes(), at(100), &by(0)).await.unwrap();
        }
        let redeem = async |code: &str, guild, now| {
            store.redeem_invite(code.as_bytes(), GuildId(guild), USER, at(now)).await.unwrap()
        };
        assert_eq!(redeem("wrong", 1, 10).await, Redeemed::Unknown);
        assert_eq!(redeem("first", 1, 10).await, Redeemed::Linked(account.name.clone()));
        assert_eq!(redeem("first", 2, 10).await, Redeemed::Used);
        assert_eq!(redeem("second", 1, 10).await, Redeemed::AlreadyLinked(account.name.clone()));
        assert_eq!(redeem("second", 2, 100).await, Redeemed::Expired);
        assert_eq!(redeem("second", 2, 99).await, Redeemed::Linked(account.name.clone()), "it was not used up");
        assert_eq!(
            store.links(GuildId(1)).await.unwrap(),
            [Link { account: account.name.clone(), linked_at: at(10), is_declared: false }]
        );
        assert_eq!(store.count_links_and_bindings(&account.name).await.unwrap(), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn of_two_guilds_that_redeem_one_code_at_once_one_is_linked() {
    on_both(async |database| {
        let (store, other) = (database.open().await, database.open().await);
        let account = add_account(&store, "GA-1").await;
        for round in 0..10_u64 {
            let code = round.to_be_bytes();
            store.add_invite(&account.name, &code, at(100), &by(0)).await.unwrap();
            let (one, two) = (GuildId(2 * round + 1), GuildId(2 * round + 2));
            let (first, second) = tokio::join!(
                store.redeem_invite(&code, one, USER, at(1)),
                other.redeem_invite(&code, two, USER, at(1))
            );
            let linked = Redeemed::Linked(account.name.clone());
            let outcomes = [first.unwrap(), second.unwrap()];
            assert!(outcomes.contains(&linked) && outcomes.contains(&Redeemed::Used), "{outcomes:?}");
        }
        assert_eq!(store.count_links_and_bindings(&account.name).await.unwrap(), (10, 0));
    })
    .await;
}

#[tokio::test]
async fn an_account_may_be_removed_while_codes_are_redeemed_and_bindings_come_and_go() {
    on_both(async |database| {
        let (store, other) = (database.open().await, database.open().await);
        for round in 0..20 {
            let account = add_linked_account(&store, "GA-1").await;
            let code = format!("round {round}");
            store.add_invite(&account.name, code.as_bytes(), at(100), &by(0)).await.unwrap();
            let standing = binding(&store, &account);
            assert!(store.add_binding(&standing).await.unwrap());
            let operator = by(1);
            let new = Binding { id: store.next_number(), channel: ChannelId(1), ..standing.clone() };
            let (added, gone, redeemed, removed) = tokio::join!(
                store.add_binding(&new),
                store.remove_binding(GUILD, standing.id, &operator),
                store.redeem_invite(code.as_bytes(), GuildId(1), USER, at(1)),
                other.remove_account(&account.name, &operator),
            );
            added.unwrap();
            gone.unwrap();
            redeemed.unwrap();
            assert!(removed.unwrap());
            assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), []);
        }
    })
    .await;
}
