//! What the running guildwire and the command line leave for one another: states, and checks that were asked for.

use std::time::Duration;

use guildwire::store::states::StoredState;

use crate::*;

#[tokio::test]
async fn states_are_replaced_and_go_with_their_account() {
    on_both(async |database| {
        let store = database.open().await;
        for account in ["a", "b", "c"] {
            add_account(&store, account).await;
        }
        assert_eq!(store.noted_states().await.unwrap(), (BTreeMap::new(), None));
        let state = |text: &str, lag| StoredState { state: text.to_owned(), since: at(7), lag };
        let first = BTreeMap::from(["a", "b", "c", "gone"].map(|account| (name(account), state("x", 1))));
        store.note_states(&first, &[], at(10)).await.unwrap();
        let second = BTreeMap::from([(name("b"), state("y", u64::MAX >> 1))]);
        store.note_states(&second, &[name("c")], at(20)).await.unwrap();
        let wanted = BTreeMap::from([(name("a"), state("x", 1)), (name("b"), state("y", u64::MAX >> 1))]);
        assert_eq!(database.open().await.noted_states().await.unwrap(), (wanted, Some(at(20))));
        store.remove_account(&name("b"), &by(1)).await.unwrap();
        assert_eq!(store.noted_states().await.unwrap().0.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_check_is_wanted_until_it_is_answered_or_too_old() {
    on_both(async |database| {
        let (runner, asker) = (database.open().await, database.open().await);
        let account = add_account(&asker, "GA-1").await.name;
        let now = at(1_000_000_000_000);
        asker.ask_for_check(8, &account, now).await.unwrap();
        asker.ask_for_check(9, &account, now).await.unwrap();
        assert_eq!(runner.wanted_checks(now).await.unwrap(), BTreeMap::from([(account.clone(), 8)]));
        assert_eq!(asker.check_report(8).await.unwrap(), None);
        runner.answer_check(8, "{}").await.unwrap();
        assert_eq!(asker.check_report(8).await.unwrap().as_deref(), Some("{}"));
        assert_eq!(runner.wanted_checks(now).await.unwrap(), BTreeMap::from([(account.clone(), 9)]));
        asker.forget_check(8, now).await.unwrap();
        assert_eq!(asker.check_report(8).await.unwrap(), None);

        let later = now.plus(Duration::from_mins(2));
        assert_eq!(runner.wanted_checks(later).await.unwrap(), BTreeMap::new());
        asker.forget_check(8, later).await.unwrap();
        assert_eq!(count(&asker, "SELECT COUNT(*) FROM account_checks").await, 0);
    })
    .await;
}
