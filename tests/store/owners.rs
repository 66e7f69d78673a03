//! Accounts and their owners: whose they are, the codes that owners make, and who is linked.

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
