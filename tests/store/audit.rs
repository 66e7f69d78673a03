//! The audit: every change of accounts, links and bindings leaves a line, and what did not happen leaves none.

use guildwire::domain::audit::{Act, Action, Actor, By};
use guildwire::domain::binding::Binding;
use guildwire::domain::position::Position;
use guildwire::domain::setup::DeclaredLink;

use crate::*;

#[tokio::test]
async fn whatever_is_done_to_an_account_is_told_with_who_did_it() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let bound = binding(&store, &account);
        assert!(store.add_binding(&bound).await.unwrap());
        assert!(!store.add_binding(&Binding { id: store.next_number(), ..bound.clone() }).await.unwrap());
        let person = By::person(USER, GUILD, at(7));
        store.change_binding(GUILD, bound.id, &person, |binding| binding.pause(at(7))).await.unwrap();
        store.change_binding(GUILD, bound.id, &person, |binding| binding.pause(at(7))).await.unwrap();
        store.remove_binding(GUILD, bound.id, &person).await.unwrap();
        store.remove_binding(GUILD, bound.id, &person).await.unwrap();
        store.unlink(GUILD, &account.name, &person).await.unwrap();
        store.unlink(GUILD, &account.name, &person).await.unwrap();
        store.edit_account(&account, None, None, &by(2000)).await.unwrap();
        assert!(store.set_owner(&account.name, Some(USER), &by(2001)).await.unwrap());
        let credential = SealedCredential { kind: "creds".to_owned(), sealed: vec![1] };
        assert!(store.replace_credential(&account.name, &credential, &by(2500)).await.unwrap());
        assert!(!store.replace_credential(&name("GA-9"), &credential, &by(2500)).await.unwrap());
        store.remove_account(&account.name, &by(3000)).await.unwrap();
        store.remove_account(&account.name, &by(3000)).await.unwrap();
        assert!(!store.set_owner(&account.name, None, &by(3001)).await.unwrap());
        add_account(&store, "GA-2").await;

        let lines = store.audit(Some(&account.name), 50).await.unwrap();
        let mut done: Vec<_> = lines.iter().map(|line| line.act.action).collect();
        done.sort_by_key(|action| action.name());
        // What owners and the operator do besides has tests of its own.
        let mut wanted = vec![
            Action::AccountAdded,
            Action::AccountEdited,
            Action::AccountRemoved,
            Action::InviteMade,
            Action::OwnerChanged,
            Action::GuildLinked,
            Action::GuildUnlinked,
            Action::BindingAdded,
            Action::BindingChanged,
            Action::BindingRemoved,
            Action::CredentialReadAgain,
        ];
        wanted.sort_by_key(|action| action.name());
        assert_eq!(done, wanted, "each once");
        assert_eq!(lines[0].act, Act::on(Action::AccountRemoved, &account.name), "the latest first");
        assert_eq!(lines[0].by, by(3000));
        let paused = lines.iter().find(|line| line.act.action == Action::BindingChanged).unwrap();
        assert_eq!(paused.by.actor, Actor::Person { user: USER, guild: GUILD });
        assert_eq!(paused.act.guild, Some(GUILD));
        assert!(paused.act.details.ends_with("paused"), "{}", paused.act.details);
        assert_eq!(store.audit(None, 50).await.unwrap().len(), wanted.len() + 1);
        assert_eq!(store.audit(None, 2).await.unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn it_is_told_what_was_changed() {
    on_both(async |database| {
        let store = database.open().await;
        let end = Position { last_sequence: 7, last_time: at(7) };
        let credential = SealedCredential { kind: "creds".to_owned(), sealed: vec![1] };
        let plain = add_account(&store, "GA-2").await;
        let owned = Account { name: name("GA-1"), owner: Some(USER), is_declared: true, ..plain };
        assert!(store.add_account(&owned, &credential, &by(1000)).await.unwrap());
        let moved = Account {
            url: "nats://elsewhere:4222".to_owned(),
            stream: Some("EVENTS".to_owned()),
            root: "x.y".parse().unwrap(),
            wide_filter: true,
            ..owned.clone()
        };
        store.edit_account(&moved, None, None, &by(1001)).await.unwrap();
        store.edit_account(&moved, Some(&credential), None, &by(1002)).await.unwrap();
        store.edit_account(&owned, None, Some(("EVENTS", end)), &by(1003)).await.unwrap();
        let link = DeclaredLink { guild: GUILD, account: owned.name.clone() };
        store.declare_link(&link, &By::settings(at(1004))).await.unwrap();
        store.declare_link(&link, &By::settings(at(1005))).await.unwrap();

        let lines = store.audit(Some(&owned.name), 50).await.unwrap();
        let told: Vec<_> = lines.iter().rev().map(|line| (line.act.action, line.act.details.as_str())).collect();
        let wanted = [
            (Action::AccountAdded, "nats://127.0.0.1:4222, user 300"),
            (Action::AccountEdited, "url nats://elsewhere:4222, stream EVENTS, root x.y, wide filter on"),
            (Action::AccountEdited, "credential"),
            (
                Action::AccountEdited,
                "url nats://127.0.0.1:4222, stream found by its subjects, root v0.*.servers, wide filter off, resumed \
                 behind message 7",
            ),
            (Action::GuildLinked, ""),
            (Action::LinkDeclared, ""),
        ];
        assert_eq!(told, wanted);
    })
    .await;
}

#[tokio::test]
async fn the_owner_of_a_name_does_not_see_what_was_done_to_another_that_had_it() {
    on_both(async |database| {
        let store = database.open().await;
        let first = add_linked_account(&store, "GA-1").await;
        store.remove_account(&first.name, &by(1500)).await.unwrap();
        assert_eq!(store.audit_since_added(&first.name, 50).await.unwrap(), []);
        let credential = SealedCredential { kind: "nkey".to_owned(), sealed: vec![1] };
        assert!(store.add_account(&first, &credential, &by(2000)).await.unwrap());
        store.set_owner(&first.name, Some(USER), &by(2001)).await.unwrap();
        let lines = store.audit_since_added(&first.name, 50).await.unwrap();
        let done: Vec<_> = lines.iter().map(|line| line.act.action).collect();
        assert_eq!(done, [Action::OwnerChanged, Action::AccountAdded]);
        assert_eq!(lines[0].act.details, "user 300");
        assert_eq!(store.audit(Some(&first.name), 50).await.unwrap().len(), 6, "the operator sees all");
    })
    .await;
}

#[tokio::test]
async fn who_did_what_is_forgotten_after_a_while() {
    on_both(async |database| {
        let store = database.open().await;
        for number in 0..600 {
            store
                .add_invite(&add_once(&store).await, format!("{number}").as_bytes(), at(9), &by(number))
                .await
                .unwrap();
        }
        assert_eq!(store.forget_audit(at(550)).await.unwrap(), 550);
        assert_eq!(store.forget_audit(at(550)).await.unwrap(), 0);
        let left = store.audit(None, 1000).await.unwrap();
        assert_eq!((left.len(), left.last().unwrap().by), (51, by(550)), "with the line of the account itself");
    })
    .await;
}

async fn add_once(store: &Store) -> AccountName {
    let name = name("GA-1");
    if store.account(&name).await.unwrap().is_none() {
        add_account(store, "GA-1").await;
    }
    name
}
