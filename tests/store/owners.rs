//! Accounts and their owners: whose they are, the codes that owners make, and who is linked.

use guildwire::domain::audit::Action;
use guildwire::store::accounts::Redeemed;
use guildwire::store::owners::{InviteMade, LinkedGuild};

use crate::*;

const OTHERS: GuildId = GuildId(101);
const NOBODY: UserId = UserId(999);

#[tokio::test]
async fn an_account_has_the_owner_that_it_was_given_last() {
    on_both(async |database| {
        let store = database.open().await;
        for account in ["GA-2", "GA-1", "GA-3"] {
            add_account(&store, account).await;
        }
        assert!(store.owned_accounts().await.unwrap().is_empty());
        for (account, owner) in [("GA-1", USER), ("GA-2", USER), ("GA-3", NOBODY)] {
            assert!(store.set_owner(&name(account), Some(owner), &by(1)).await.unwrap());
        }
        let before = store.account(&name("GA-1")).await.unwrap().unwrap();
        assert_eq!(before.owner, Some(USER));
        let owned = store.owned_accounts().await.unwrap();
        assert_eq!(owned[&USER], [name("GA-1"), name("GA-2")]);
        assert_eq!(owned[&NOBODY], [name("GA-3")]);
        assert!(store.set_owner(&name("GA-1"), None, &by(2)).await.unwrap());
        let after = store.account(&name("GA-1")).await.unwrap().unwrap();
        assert_eq!((after.owner, after.revision), (None, before.revision), "it is read as before");
        assert!(!store.set_owner(&name("GA-9"), Some(USER), &by(3)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_makes_codes_and_no_more_than_may_be_open() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await.name;
        let person = |moment| By::person(USER, GUILD, at(moment));
        let make = async |code: &str, owner: UserId, moment: i64| {
            let hash = code.as_bytes();
            store.add_owners_invite(&account, owner, hash, at(moment + 100), 2, &person(moment)).await.unwrap()
        };
        assert_eq!(make("a", USER, 1).await, InviteMade::NotTheirs, "nobody's");
        store.set_owner(&account, Some(USER), &by(1)).await.unwrap();
        assert_eq!(make("a", NOBODY, 1).await, InviteMade::NotTheirs);
        assert_eq!(make("a", USER, 1).await, InviteMade::Done);
        assert_eq!(make("b", USER, 50).await, InviteMade::Done);
        assert_eq!(make("c", USER, 60).await, InviteMade::TooMany);
        store.redeem_invite(b"b", GUILD, USER, at(61)).await.unwrap();
        assert_eq!(make("c", USER, 62).await, InviteMade::Done, "one was used");
        assert_eq!(make("d", USER, 63).await, InviteMade::TooMany);
        assert_eq!(make("d", USER, 101).await, InviteMade::Done, "one has expired");
        let makers = "SELECT COUNT(*) FROM invites WHERE created_by = 300";
        assert_eq!(count(&store, makers).await, 4);
    })
    .await;
}

#[tokio::test]
async fn what_an_owner_began_ends_with_the_change_of_the_owner() {
    on_both(async |database| {
        let store = database.open().await;
        let added = add_account(&store, "GA-1").await;
        let account = added.name.clone();
        let credential = SealedCredential { kind: "nkey".to_owned(), sealed: vec![7] };
        store.add_invite(&account, b"operator's", at(100), &by(1)).await.unwrap();
        store.add_next_credential(&added, &credential, &by(1)).await.unwrap();
        store.set_owner(&account, Some(USER), &by(2)).await.unwrap();
        let waits = async || store.proof(&account).await.unwrap().unwrap().next.is_some();
        assert!(waits().await, "that was the operator's");
        for code in [b"one", b"two"] {
            let by = By::person(USER, GUILD, at(3));
            assert_eq!(store.add_owners_invite(&account, USER, code, at(100), 5, &by).await.unwrap(), InviteMade::Done);
        }
        let redeem = async |code: &[u8], guild| store.redeem_invite(code, guild, USER, at(4)).await.unwrap();
        assert_eq!(redeem(b"one", GUILD).await, Redeemed::Linked(account.clone()));
        store.set_owner(&account, Some(USER), &by(5)).await.unwrap();
        assert!(waits().await, "nothing changed");

        store.set_owner(&account, Some(NOBODY), &by(6)).await.unwrap();
        assert!(!waits().await);
        assert_eq!(redeem(b"two", OTHERS).await, Redeemed::Unknown);
        assert_eq!(redeem(b"one", OTHERS).await, Redeemed::Used);
        // One that was made in that very moment.
        run(&store, "UPDATE invites SET used_at = NULL WHERE created_by IS NOT NULL").await;
        assert_eq!(redeem(b"one", OTHERS).await, Redeemed::Expired);
        assert_eq!(redeem(b"operator's", OTHERS).await, Redeemed::Linked(account.clone()));
        let lines = store.audit(Some(&account), 50).await.unwrap();
        assert_eq!(lines.iter().filter(|line| line.act.action == Action::OwnerChanged).count(), 2);
    })
    .await;
}

#[tokio::test]
async fn codes_that_are_made_at_once_are_counted_all_the_same() {
    on_both(async |database| {
        let stores = [database.open().await, database.open().await];
        let account = add_account(&stores[0], "GA-1").await.name;
        stores[0].set_owner(&account, Some(USER), &by(1)).await.unwrap();
        let person = By::person(USER, GUILD, at(1));
        let made = (0..10_usize).map(|number| {
            let (store, account, person) = (&stores[number % 2], &account, &person);
            async move {
                store
                    .add_owners_invite(account, USER, &[u8::try_from(number).unwrap()], at(9), 3, person)
                    .await
                    .unwrap()
            }
        });
        let made = futures_util::future::join_all(made).await;
        assert_eq!(made.iter().filter(|made| **made == InviteMade::Done).count(), 3);
    })
    .await;
}

#[tokio::test]
async fn the_linked_guilds_are_listed_with_what_they_hear() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let other = add_account(&store, "GA-2").await;
        link(&store, &account, OTHERS).await;
        link(&store, &other, OTHERS).await;
        assert!(store.add_binding(&binding(&store, &account)).await.unwrap());
        let linked = |guild, bindings| LinkedGuild { guild, linked_at: at(1), is_declared: false, bindings };
        assert_eq!(store.linked_guilds(&account.name).await.unwrap(), [linked(GUILD, 1), linked(OTHERS, 0)]);
        assert_eq!(store.linked_guilds(&other.name).await.unwrap(), [linked(OTHERS, 0)]);
        assert_eq!(store.linked_guilds(&name("GA-9")).await.unwrap(), []);
    })
    .await;
}
