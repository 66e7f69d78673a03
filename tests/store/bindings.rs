//! Bindings: which may be added, who may remove them, since when they are covered.

use std::slice::from_ref;

use guildwire::domain::ids::RoleId;
use guildwire::store::bindings::Changed;

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
            style: Style::Quiet,
            is_thread: None,
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
        assert_eq!(store.remove_binding(GuildId(1), own.id, &by(1)).await.unwrap(), None);
        assert_eq!(store.remove_binding(GUILD, own.id + 1, &by(1)).await.unwrap(), None);
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), from_ref(&own));
        assert_eq!(store.remove_binding(GUILD, own.id, &by(1)).await.unwrap(), Some(own.clone()));
        assert_eq!(store.remove_binding(GUILD, own.id, &by(1)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_binding_is_covered_only_while_it_is_what_was_looked_at() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let other = add_linked_account(&store, "GA-2").await;
        let first = binding(&store, &account);
        let second = Binding { id: store.next_number(), channel: ChannelId(1), ..first.clone() };
        store.add_binding(&first).await.unwrap();
        store.add_binding(&second).await.unwrap();
        let stored = async |binding: &Binding| store.binding(GUILD, binding.id).await.unwrap().unwrap();
        assert_eq!(stored(&first).await, first);
        assert_eq!(store.binding(GuildId(1), first.id).await.unwrap(), None);
        let revision = async || store.account(&account.name).await.unwrap().unwrap().revision;

        let covered = Binding { covered_from: Some(at(50)), ..first.clone() };
        let current = revision().await;
        assert!(store.cover_bindings(&account.name, current, &[&covered]).await.unwrap());
        assert_eq!(revision().await, current, "coverage is no news for readers");
        assert_eq!((stored(&first).await, stored(&second).await), (covered.clone(), second.clone()));

        // Looked at before somebody chose more kinds.
        let chat = Group::Chat.kinds();
        let Changed::Done { before, after } =
            store.change_binding(GUILD, first.id, &by(1), |binding| binding.choose(chat)).await.unwrap()
        else {
            panic!("not changed")
        };
        assert_eq!((before, after.kinds), (covered.clone(), chat));
        let late = Binding { covered_from: Some(at(60)), ..second.clone() };
        assert!(!store.cover_bindings(&account.name, current, &[&late]).await.unwrap());
        assert!(!store.cover_bindings(&other.name, current, &[&late]).await.unwrap());
        assert_eq!((stored(&first).await, stored(&second).await), (after.clone(), second));

        let mut begun = after;
        begun.cover(at(70));
        assert!(store.cover_bindings(&account.name, revision().await, &[&begun]).await.unwrap());
        assert_eq!(stored(&first).await, begun);
        assert_eq!(begun.covered_from, Some(at(50)));
    })
    .await;
}

#[tokio::test]
async fn a_binding_is_changed_by_its_guild_and_never_into_an_equal_one() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        let all = binding(&store, &account);
        let one = Binding { id: store.next_number(), server: Some("main".into()), ..all.clone() };
        let fewer = Binding { id: store.next_number(), kinds: Group::Lifecycle.kinds(), ..all.clone() };
        for new in [&all, &one, &fewer] {
            assert!(store.add_binding(new).await.unwrap());
        }
        let revision = async || store.account(&account.name).await.unwrap().unwrap().revision;
        let before = revision().await;
        let choose = async |guild: GuildId, id: i64, group: Group| {
            store.change_binding(guild, id, &by(1), |binding| binding.choose(group.kinds())).await.unwrap()
        };
        assert_eq!(choose(GuildId(1), fewer.id, Group::Chat).await, Changed::Missing);
        assert_eq!(choose(GUILD, i64::MAX, Group::Chat).await, Changed::Missing);
        assert_eq!(choose(GUILD, fewer.id, Group::Lifecycle).await, Changed::Unchanged(fewer.clone()));
        let equal = Binding { kinds: Group::Lifecycle.kinds(), ..all.clone() };
        assert_eq!(choose(GUILD, all.id, Group::Lifecycle).await, Changed::Equal(equal));
        assert_eq!(revision().await, before, "nothing changed so far");
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), [all.clone(), one.clone(), fewer.clone()]);

        // Of one server is not equal to of all.
        assert!(matches!(choose(GUILD, one.id, Group::Lifecycle).await, Changed::Done { .. }));
        assert!(revision().await > before);
        store.change_binding(GUILD, all.id, &by(1), |binding| binding.pause(at(5))).await.unwrap();
        let paused = Binding { paused_at: Some(at(5)), ..all };
        let narrowed = Binding { kinds: Group::Lifecycle.kinds(), ..one };
        assert_eq!(store.bindings_of_account(&account.name).await.unwrap(), [paused.clone(), narrowed, fewer]);
        assert_eq!(
            store.change_binding(GUILD, paused.id, &by(1), |binding| binding.pause(at(6))).await.unwrap(),
            Changed::Unchanged(paused)
        );
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_with_its_own_bindings_alone() {
    on_both(async |database| {
        let store = database.open().await;
        let (account, other) = (add_linked_account(&store, "GA-1").await, add_linked_account(&store, "GA-2").await);
        link(&store, &account, GuildId(1)).await;
        let ours = binding(&store, &account);
        let chat = Binding { id: store.next_number(), kinds: Group::Chat.kinds(), ..ours.clone() };
        let of_other = Binding { id: store.next_number(), account: other.name.clone(), ..ours.clone() };
        let of_others = Binding { id: store.next_number(), guild: GuildId(1), channel: ChannelId(1), ..ours.clone() };
        for new in [&ours, &chat, &of_other, &of_others] {
            assert!(store.add_binding(new).await.unwrap());
        }
        let revision = store.account(&account.name).await.unwrap().unwrap().revision;
        assert_eq!(store.unlink(GuildId(2), &account.name, &by(1)).await.unwrap(), None);
        assert_eq!(store.unlink(GUILD, &name("GA-9"), &by(1)).await.unwrap(), None);
        assert_eq!(store.account(&account.name).await.unwrap().unwrap().revision, revision);

        assert_eq!(store.unlink(GUILD, &account.name, &by(1)).await.unwrap(), Some(2));
        assert!(store.account(&account.name).await.unwrap().unwrap().revision > revision);
        assert_eq!(store.bindings_of_guild(GUILD).await.unwrap(), [of_other]);
        assert_eq!(store.bindings_of_account(&account.name).await.unwrap(), [of_others]);
        let linked: Vec<_> = store.links(GUILD).await.unwrap().into_iter().map(|link| link.account).collect();
        assert_eq!(linked, [other.name]);
        assert_eq!(store.unlink(GUILD, &account.name, &by(1)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_new_binding_opens_its_channel_again() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        for channel in [CHANNEL, ChannelId(1)] {
            store.stop_lane(channel, &stop(Cause::Refused, "Missing Access", None), None, at(1)).await.unwrap();
        }
        assert!(store.add_binding(&binding(&store, &account)).await.unwrap());
        assert!(store.stopped_lane(CHANNEL).await.unwrap().is_none());
        assert!(store.stopped_lane(ChannelId(1)).await.unwrap().is_some());
    })
    .await;
}
