//! What only the settings file asks of the store.

use guildwire::domain::setup::DeclaredLink;

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
