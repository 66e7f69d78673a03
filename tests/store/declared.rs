//! What only the settings file asks of the store.

use guildwire::domain::audit::{Action, Actor};
use guildwire::domain::setup::{DeclaredLink, ExistingLink};

use crate::*;

#[tokio::test]
async fn a_link_is_declared_only_where_the_account_is() {
    on_both(async |database| {
        let store = database.open().await;
        let by_hand = add_account(&store, "GA-1").await;
        let declared = add_declared_account(&store, "GA-2").await;
        let link = |account: &Account| DeclaredLink { guild: GUILD, account: account.name.clone() };
        assert!(!store.declare_link(&link(&by_hand), &by(1)).await.unwrap());
        assert!(store.declare_link(&link(&declared), &by(2)).await.unwrap());
        let links = store.links(GUILD).await.unwrap();
        let links: Vec<_> = links.iter().map(|link| (link.account.as_str(), link.is_declared)).collect();
        assert_eq!(links, [("GA-2", true)]);
        let linked = "SELECT COUNT(*) FROM audit WHERE action = 'guild linked'";
        assert_eq!(count(&store, linked).await, 1, "what was not done is not in the audit");
    })
    .await;
}

#[tokio::test]
async fn what_the_file_has_of_a_guild_outlasts_the_bot_there() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_declared_account(&store, "GA-1").await;
        let link = DeclaredLink { guild: GUILD, account: account.name.clone() };
        assert!(store.declare_link(&link, &by(1)).await.unwrap());
        let by_hand = binding(&store, &account);
        let declared = Binding { channel: ChannelId(7), is_declared: true, ..binding(&store, &account) };
        for binding in [&by_hand, &declared] {
            assert!(store.add_binding(binding).await.unwrap());
        }
        store.note_departed(GUILD, at(100)).await.unwrap();
        let itself = By { actor: Actor::Guildwire, at: at(200) };
        assert!(store.forget_guild(GUILD, at(101), &itself).await.unwrap());
        assert_eq!(store.links(GUILD).await.unwrap().len(), 1);
        let left: Vec<_> = store.bindings_of_guild(GUILD).await.unwrap().iter().map(|left| left.id).collect();
        assert_eq!(left, [declared.id]);
        assert_eq!(store.kept_guilds().await.unwrap(), [(GUILD, None)].into(), "whether it is back is looked for anew");
    })
    .await;
}

#[tokio::test]
async fn a_link_that_was_made_with_a_code_is_given_back_and_no_other() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_declared_account(&store, "GA-1").await;
        link(&store, &account, GUILD).await;
        let others = DeclaredLink { guild: GuildId(7), account: account.name.clone() };
        let made = DeclaredLink { guild: GUILD, account: account.name.clone() };
        for link in [&others, &made] {
            assert!(store.declare_link(link, &by(1)).await.unwrap());
        }
        let by_hand = |links: Vec<ExistingLink>| links.iter().map(|there| there.is_by_hand).collect::<Vec<_>>();
        assert_eq!(by_hand(store.existing_setup().await.unwrap().links), [false, true], "by guild");
        assert!(!store.release_link(&others, &by(2)).await.unwrap());
        assert!(store.release_link(&made, &by(3000)).await.unwrap());
        assert!(!store.release_link(&made, &by(4)).await.unwrap());
        assert!(!store.links(GUILD).await.unwrap()[0].is_declared);
        assert!(store.links(GuildId(7)).await.unwrap()[0].is_declared);
        let line = &store.audit(None, 1).await.unwrap()[0];
        assert_eq!((line.act.action, line.act.guild, line.by.at), (Action::LinkReleased, Some(GUILD), at(3000)));
    })
    .await;
}
