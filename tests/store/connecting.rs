//! Accounts that wait to be verified, and credentials that wait to take another's place.

use guildwire::domain::audit::{Action, Actor};
use guildwire::store::accounts::Redeemed;
use guildwire::store::connecting::{Connected, MostConnected};
use guildwire::store::owners::InviteMade;

use crate::*;

const MOST: MostConnected = MostConnected { per_owner: 3, unverified_per_person: 2, unverified_per_guild: 3 };
const OWNER: (UserId, GuildId) = (USER, GUILD);

fn account(name: &str) -> Account {
    Account {
        name: name.parse().unwrap(),
        url: "nats://nats.example.org:4222".to_owned(),
        stream: Some("EVENTS".to_owned()),
        root: "v0.*.servers".parse().unwrap(),
        wide_filter: false,
        owner: Some(USER),
        connected_in: Some(GUILD),
        is_declared: false,
        revision: 0,
    }
}

fn sealed(kind: &str, byte: u8) -> SealedCredential {
    SealedCredential { kind: kind.to_owned(), sealed: vec![byte] }
}

async fn actions(store: &Store, name: &AccountName) -> Vec<Action> {
    let mut lines = store.audit(Some(name), 50).await.unwrap();
    lines.sort_by_key(|line| line.by.at);
    lines.into_iter().map(|line| line.act.action).collect()
}

#[tokio::test]
async fn an_account_waits_until_it_is_verified() {
    on_both(async |database| {
        let store = database.open().await;
        let account = account("GA-1");
        let connect = async |account: &Account, by, now| {
            store.connect_account(account, &sealed("nkey", 1), by, MOST, at(now)).await.unwrap()
        };
        assert_eq!(connect(&account, OWNER, 1).await, Connected::Done);
        assert_eq!(connect(&account, OWNER, 2).await, Connected::NameTaken);
        let read = store.account(&account.name).await.unwrap().unwrap();
        assert_eq!((read.owner, read.connected_in, &read.url), (Some(USER), Some(GUILD), &account.url));
        assert!(store.links(GUILD).await.unwrap().is_empty());
        let proof = store.proof(&account.name).await.unwrap().unwrap();
        assert!(!proof.is_verified && proof.next.is_none());

        let others = Account { owner: Some(UserId(77)), ..read.clone() };
        let by_owner = By::person(USER, GUILD, at(3));
        assert!(!store.complete_credential(&others, None, &sealed("creds", 9), &by_owner).await.unwrap());
        assert!(store.complete_credential(&read, None, &sealed("creds", 2), &by_owner).await.unwrap());
        assert_eq!(store.credential(&account.name).await.unwrap().unwrap().sealed, [2]);
        assert!(!store.verify_account(&read, OWNER, at(4)).await.unwrap(), "another credential was checked");
        let read = store.account(&account.name).await.unwrap().unwrap();
        assert!(!store.verify_account(&read, (UserId(77), GUILD), at(4)).await.unwrap(), "somebody else's");
        assert!(!store.verify_account(&read, (USER, GuildId(77)), at(4)).await.unwrap(), "connected elsewhere");
        assert!(store.verify_account(&read, OWNER, at(4)).await.unwrap());
        assert!(!store.verify_account(&read, OWNER, at(5)).await.unwrap(), "once");
        assert!(store.proof(&account.name).await.unwrap().unwrap().is_verified);
        let links = store.links(GUILD).await.unwrap();
        assert_eq!(links.iter().map(|link| &link.account).collect::<Vec<_>>(), [&account.name]);
        assert!(!store.complete_credential(&read, None, &sealed("creds", 3), &by(6)).await.unwrap(), "nothing waits");
        let mut done = actions(&store, &account.name).await;
        done[2..].sort_by_key(|action| action.name());
        let wanted = [Action::AccountConnected, Action::JwtGiven, Action::AccountVerified, Action::GuildLinked];
        assert_eq!(done, wanted);
    })
    .await;
}

#[tokio::test]
async fn only_so_many_wait_and_each_for_a_day() {
    on_both(async |database| {
        let store = database.open().await;
        let connect = async |name: &str, user: u64, now| {
            let by = (UserId(user), GUILD);
            store.connect_account(&account(name), &sealed("nkey", 1), by, MOST, at(now)).await.unwrap()
        };
        assert_eq!(connect("a", 1, 10).await, Connected::Done);
        assert_eq!(connect("b", 1, 20).await, Connected::Done);
        assert_eq!(connect("c", 1, 30).await, Connected::TooManyOfPerson);
        assert_eq!(connect("c", 2, 30).await, Connected::Done);
        assert_eq!(connect("d", 2, 40).await, Connected::TooManyInGuild);
        let verify = async |name: &str, user: u64| {
            let read = store.account(&name.parse().unwrap()).await.unwrap().unwrap();
            assert!(store.verify_account(&read, (UserId(user), GUILD), at(50)).await.unwrap());
        };
        verify("a", 1).await;
        assert_eq!(connect("d", 2, 60).await, Connected::Done, "what is verified does not count");
        add_account(&store, "of-the-operator").await;
        verify("b", 1).await;
        assert_eq!(connect("e", 1, 70).await, Connected::Done);
        assert_eq!(connect("f", 1, 80).await, Connected::TooManyOfOwner, "also those that were verified");
        // An older guildwire linked such accounts: what was set up there does not go by itself.
        let elsewhere = (UserId(3), GuildId(101));
        store.connect_account(&account("linked"), &sealed("nkey", 1), elsewhere, MOST, at(5)).await.unwrap();
        run(&store, "INSERT INTO links (guild_id, account, linked_by, linked_at) VALUES (100, 'linked', 3, 6)").await;

        assert_eq!(store.forget_unverified(at(20), at(100)).await.unwrap(), 0);
        assert_eq!(store.forget_unverified(at(60), at(100)).await.unwrap(), 1);
        let left: Vec<_> =
            store.accounts().await.unwrap().into_iter().map(|account| account.name.to_string()).collect();
        assert_eq!(left, ["a", "b", "d", "e", "linked", "of-the-operator"]);
        let removed = &store.audit(Some(&"c".parse().unwrap()), 1).await.unwrap()[0];
        assert_eq!((removed.by.actor, removed.act.action), (Actor::Guildwire, Action::AccountRemoved));
    })
    .await;
}

#[tokio::test]
async fn an_account_has_no_codes_and_is_not_read_before_it_is_verified() {
    on_both(async |database| {
        let store = database.open().await;
        let account = account("GA-1");
        store.connect_account(&account, &sealed("nkey", 1), OWNER, MOST, at(1)).await.unwrap();
        let owners = async |code: &[u8], moment| {
            let by = By::person(USER, GUILD, at(moment));
            store.add_owners_invite(&account.name, USER, code, at(100), 5, &by).await.unwrap()
        };
        assert_eq!(owners(b"owner's", 2).await, InviteMade::Unverified);
        assert!(!store.add_invite(&account.name, b"operator's", at(100), &by(2)).await.unwrap());
        // What an older guildwire gave out, and what was linked and bound by that.
        run(
            &store,
            "INSERT INTO invites (code_hash, account, created_at, expires_at)
             SELECT credential, name, 2, 100 FROM accounts WHERE name = 'GA-1'",
        )
        .await;
        let redeem = async |moment| store.redeem_invite(&[1], GuildId(102), USER, at(moment)).await.unwrap();
        assert_eq!(redeem(3).await, Redeemed::Expired);
        assert_eq!(store.links(GuildId(102)).await.unwrap(), []);
        run(&store, "INSERT INTO links (guild_id, account, linked_by, linked_at) VALUES (101, 'GA-1', 3, 6)").await;
        let bound = Binding { guild: GuildId(101), ..binding(&store, &account) };
        assert!(store.add_binding(&bound).await.unwrap());
        assert_eq!(store.subscribed_accounts().await.unwrap(), []);

        let read = store.account(&account.name).await.unwrap().unwrap();
        assert!(store.verify_account(&read, OWNER, at(4)).await.unwrap());
        assert_eq!(store.subscribed_accounts().await.unwrap().len(), 1);
        assert_eq!(redeem(5).await, Redeemed::Linked(account.name.clone()));
        assert_eq!(owners(b"owner's", 6).await, InviteMade::Done);
        assert!(store.add_invite(&account.name, b"operator's", at(100), &by(6)).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_next_credential_takes_the_place_of_the_other_if_it_is_the_one_that_was_tried() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_account(&store, "GA-1").await;
        let before = store.account(&account.name).await.unwrap().unwrap();
        assert!(store.add_next_credential(&before, &sealed("nkey", 7), &by(10)).await.unwrap());
        let others = Account { owner: Some(UserId(77)), ..before.clone() };
        assert!(
            !store.add_next_credential(&others, &sealed("nkey", 6), &by(11)).await.unwrap(),
            "another owner by now"
        );
        let none = Account { name: "none".parse().unwrap(), ..before.clone() };
        assert!(!store.add_next_credential(&none, &sealed("nkey", 7), &by(10)).await.unwrap());
        let tried = store.proof(&account.name).await.unwrap().unwrap().next.unwrap();
        assert_eq!((tried.since, tried.credential.sealed.as_slice()), (at(10), &[7][..]));
        assert_eq!(store.account(&account.name).await.unwrap().unwrap(), before, "reading goes on undisturbed");

        let complete = async |account: &Account, since| {
            store.complete_credential(account, Some(since), &sealed("creds", 8), &by(20)).await.unwrap()
        };
        assert!(!complete(&others, at(10)).await && !complete(&before, at(9)).await);
        assert!(complete(&before, at(10)).await);
        assert!(!store.adopt_next_credential(&account.name, tried.since, &by(30)).await.unwrap(), "another one by now");
        assert_ne!(store.credential(&account.name).await.unwrap().unwrap().sealed, [8]);
        assert!(store.adopt_next_credential(&account.name, at(20), &by(30)).await.unwrap());
        assert!(!store.adopt_next_credential(&account.name, at(20), &by(40)).await.unwrap(), "once");
        let now = store.credential(&account.name).await.unwrap().unwrap();
        assert_eq!((now.kind.as_str(), now.sealed.as_slice()), ("creds", &[8][..]));
        assert!(store.proof(&account.name).await.unwrap().unwrap().next.is_none());
        let after = store.account(&account.name).await.unwrap().unwrap();
        assert!(after.revision > before.revision, "its reader connects anew");
        let done = actions(&store, &account.name).await;
        let wanted = [Action::RotationBegun, Action::JwtGiven, Action::CredentialRotated];
        let done: Vec<_> = done.into_iter().filter(|action| wanted.contains(action)).collect();
        assert_eq!(done, wanted);
    })
    .await;
}
