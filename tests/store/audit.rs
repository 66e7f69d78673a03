//! The audit: every change of accounts, links and bindings leaves a line, and what did not happen leaves none.

use guildwire::domain::audit::{Act, Action, Actor, By};
use guildwire::domain::binding::Binding;

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
        store.remove_account(&account.name, &by(3000)).await.unwrap();
        store.remove_account(&account.name, &by(3000)).await.unwrap();
        add_account(&store, "GA-2").await;

        let lines = store.audit(Some(&account.name), 50).await.unwrap();
        let mut done: Vec<_> = lines.iter().map(|line| line.act.action).collect();
        done.sort_by_key(|action| action.name());
        let mut wanted = Action::ALL.to_vec();
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
