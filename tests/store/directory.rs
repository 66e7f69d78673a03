//! What guilds may choose from: each its own, and never more than is asked for.

use guildwire::domain::ids::ServerId;
use guildwire::store::recording::HeardServer;

use crate::*;

#[tokio::test]
async fn each_guild_chooses_from_its_own_accounts_servers_and_bindings() {
    on_both(async |database| {
        let store = database.open().await;
        let (first, second) = (add_linked_account(&store, "GA-1").await, add_linked_account(&store, "GA-2").await);
        let other = GuildId(1);
        link(&store, &second, other).await;
        add_account(&store, "GA-3").await;
        let ours = binding(&store, &first);
        let theirs = Binding { id: store.next_number(), guild: other, account: second.name.clone(), ..ours.clone() };
        assert!(store.add_binding(&ours).await.unwrap() && store.add_binding(&theirs).await.unwrap());
        hear(&store, &first, &[("b", 3), ("a", 1), ("c", 2)]).await;
        hear(&store, &second, &[("main", 4)]).await;

        let servers = |of: &[(&Account, &str)]| -> Vec<(AccountName, ServerId)> {
            of.iter().map(|(account, server)| (account.name.clone(), (*server).into())).collect()
        };
        let all = store.choices(None, 10).await.unwrap();
        assert_eq!(all.keys().copied().collect::<Vec<_>>(), [other, GUILD]);
        let own = &all[&GUILD];
        assert_eq!(own.accounts, [first.name.clone(), second.name.clone()]);
        assert_eq!(own.servers, servers(&[(&first, "a"), (&first, "b"), (&first, "c"), (&second, "main")]));
        assert_eq!(own.bindings, [ours]);
        assert_eq!((&all[&other].servers, &all[&other].bindings), (&servers(&[(&second, "main")]), &vec![theirs]));

        for guild in [GUILD, other] {
            let found = store.choices(Some(guild), 10).await.unwrap();
            assert_eq!((found.len(), &found[&guild]), (1, &all[&guild]));
        }
        assert_eq!(store.choices(Some(GuildId(2)), 10).await.unwrap().len(), 0);
        let last_heard = store.choices(Some(GUILD), 2).await.unwrap();
        assert_eq!(last_heard[&GUILD].servers, servers(&[(&first, "b"), (&second, "main")]));
    })
    .await;
}

async fn hear(store: &Store, account: &Account, servers: &[(&str, i64)]) {
    let rows: Vec<_> = servers
        .iter()
        .map(|(server, at)| HeardServer { server_id: (*server).into(), last_event_at: *at, wiped_at: None })
        .collect();
    let mut transaction = store.write().await.unwrap();
    store.hear_servers(&mut transaction, &account.name, &rows).await.unwrap();
    transaction.commit().await.unwrap();
}
