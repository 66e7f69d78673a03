//! Bindings: which may be added, who may remove them, since when they are covered.

use std::slice::from_ref;

use guildwire::domain::ids::RoleId;

use crate::*;

#[tokio::test]
async fn a_binding_is_kept_as_it_was_added() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let plain = binding(&store, &account);
        let special = Binding {
            id: store.next_number(),
            server: Some("o'hara \"7\" \u{1f3f0}".into()),
            kinds: Group::Lifecycle.kinds(),
            mention: Some(RoleId(u64::MAX >> 1)),
            ..plain.clone()
        };
        assert!(store.add_binding(&plain).await.unwrap());
        assert!(store.add_binding(&special).await.unwrap());
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), [plain.clone(), special.clone()]);
        assert_eq!(store.bindings_of_account(&account.name).await.unwrap(), [plain, special]);
        assert_eq!(store.bindings_of_guild(GuildId(1)).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_equal_binding_is_refused_and_all_servers_is_not_equal_to_one() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let all = binding(&store, &account);
        let one = Binding { id: store.next_number(), server: Some("main".into()), ..all.clone() };
        let elsewhere = Binding { id: store.next_number(), channel: ChannelId(1), ..all.clone() };
        let fewer = Binding { id: store.next_number(), kinds: Group::Lifecycle.kinds(), ..all.clone() };
        for new in [&all, &one, &elsewhere, &fewer] {
            assert!(store.add_binding(new).await.unwrap());
            let mention = Some(RoleId(1));
            let equal = Binding { id: store.next_number(), mention, ..new.clone() };
            assert!(!store.add_binding(&equal).await.unwrap());
        }
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), [all, one, elsewhere, fewer]);
    })
    .await;
}

#[tokio::test]
async fn a_number_that_was_given_out_twice_is_an_error_and_no_equal_binding() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let bound = binding(&store, &account);
        assert!(store.add_binding(&bound).await.unwrap());
        let collides = Binding { channel: ChannelId(1), ..bound.clone() };
        store.add_binding(&collides).await.unwrap_err();
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), [bound]);
    })
    .await;
}

#[tokio::test]
async fn a_guild_binds_only_what_it_is_linked_to_and_removes_only_its_own() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let stranger = Binding { guild: GuildId(1), ..binding(&store, &account) };
        assert!(!store.add_binding(&stranger).await.unwrap());

        let own = binding(&store, &account);
        assert!(store.add_binding(&own).await.unwrap());
        assert_eq!(store.remove_binding(GuildId(1), own.id).await.unwrap(), None);
        assert_eq!(store.remove_binding(GUILD, own.id + 1).await.unwrap(), None);
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), from_ref(&own));
        assert_eq!(store.remove_binding(GUILD, own.id).await.unwrap(), Some(own.clone()));
        assert_eq!(store.remove_binding(GUILD, own.id).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_binding_is_covered_from_the_first_moment_on_that_is_told() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let first = binding(&store, &account);
        let second = Binding { id: store.next_number(), channel: ChannelId(1), ..first.clone() };
        store.add_binding(&first).await.unwrap();
        store.add_binding(&second).await.unwrap();
        assert_eq!(store.covered_from(first.id).await.unwrap(), None);

        store.cover_bindings(&[first.id], at(50)).await.unwrap();
        store.cover_bindings(&[first.id, second.id, i64::MAX], at(70)).await.unwrap();
        assert_eq!(store.covered_from(first.id).await.unwrap(), Some(at(50)));
        assert_eq!(store.covered_from(second.id).await.unwrap(), Some(at(70)));
        assert_eq!(store.covered_from(i64::MAX).await.unwrap(), None);
        let covered = store.bindings_of_account(&account.name).await.unwrap();
        assert_eq!(covered[0].covered_from, Some(at(50)));
    })
    .await;
}

#[tokio::test]
async fn a_new_binding_opens_its_channel_again() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        for channel in [CHANNEL, ChannelId(1)] {
            store.stop_lane(channel, "Missing Access", at(1)).await.unwrap();
        }
        assert!(store.add_binding(&binding(&store, &account)).await.unwrap());
        assert!(!store.is_stopped(CHANNEL).await.unwrap());
        assert!(store.is_stopped(ChannelId(1)).await.unwrap());
    })
    .await;
}
