//! What guilds may choose from: each its own, and never more than is asked for.

use std::time::Duration;

use guildwire::domain::audit::{Act, Action};
use guildwire::store::directory::KnownServer;
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

        let servers = |of: &[(&Account, &str)]| -> Vec<KnownServer> {
            of.iter().map(|(account, server)| known(account, server)).collect()
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

fn known(account: &Account, server: &str) -> KnownServer {
    KnownServer { account: account.name.clone(), id: server.into(), name: None, is_hidden: false }
}

#[tokio::test]
async fn a_guild_has_its_own_names_and_hides_servers_until_they_are_heard_of_again() {
    on_both(async |database| {
        let store = database.open().await;
        let (first, second) = (add_linked_account(&store, "GA-1").await, add_account(&store, "GA-2").await);
        let other = GuildId(1);
        link(&store, &first, other).await;
        hear(&store, &first, &[("0", 10), ("1", 10)]).await;
        hear(&store, &second, &[("0", 10)]).await;
        let id = "0".into();
        let seen = async |guild: GuildId| {
            let named = store.servers_of_guild(guild).await.unwrap();
            let offered = store.choices(Some(guild), 10).await.unwrap().remove(&guild).unwrap().servers;
            let named: Vec<_> = named
                .into_iter()
                .map(|named| KnownServer {
                    account: named.server.account,
                    id: named.server.id,
                    name: named.name,
                    is_hidden: named.is_hidden,
                })
                .collect();
            assert_eq!(named, offered);
            named
        };
        let [plain, untouched] = [known(&first, "0"), known(&first, "1")];

        assert!(store.name_server(GUILD, &first.name, &id, Some("Main 🧨 $1 '")).await.unwrap());
        let called = KnownServer { name: Some("Main 🧨 $1 '".to_owned()), ..plain.clone() };
        assert_eq!(seen(GUILD).await, [called.clone(), untouched.clone()]);
        assert_eq!(seen(other).await, [plain.clone(), untouched.clone()], "it is this guild's own name");
        assert!(!store.name_server(GUILD, &second.name, &id, Some("x")).await.unwrap(), "not linked");

        assert!(store.hide_server(GUILD, &first.name, &id).await.unwrap());
        let hidden = KnownServer { is_hidden: true, ..called.clone() };
        assert_eq!(seen(GUILD).await, [hidden, untouched.clone()]);
        assert!(!seen(other).await[0].is_hidden);
        hear(&store, &first, &[("0", 10)]).await;
        assert!(seen(GUILD).await[0].is_hidden, "nothing new was heard");
        hear(&store, &first, &[("0", 11)]).await;
        assert_eq!(seen(GUILD).await, [called, untouched.clone()]);
        assert!(!store.hide_server(GUILD, &second.name, &id).await.unwrap(), "not linked");
        assert!(!store.hide_server(GUILD, &first.name, &"2".into()).await.unwrap(), "no such server");

        assert!(store.name_server(GUILD, &first.name, &id, None).await.unwrap());
        assert_eq!(seen(GUILD).await, [plain, untouched]);
        store.unlink(GUILD, &first.name, &by(20)).await.unwrap();
        assert_eq!(count(&store, "SELECT COUNT(*) FROM named_servers").await, 0, "they go with the link");
    })
    .await;
}

#[tokio::test]
async fn what_is_expected_of_a_server_is_kept_with_who_said_it() {
    on_both(async |database| {
        let store = database.open().await;
        let account = add_linked_account(&store, "GA-1").await;
        hear(&store, &account, &[("0", 10)]).await;
        let act = Act::on(Action::ServerExpected, &account.name).with("server 0: silent for at most 5 minutes");
        for silence in [Some(Duration::from_mins(5)), None] {
            assert!(store.expect_silence(&account.name, &"0".into(), silence, &by(5000), &act).await.unwrap());
            assert_eq!(store.servers_of_guild(GUILD).await.unwrap()[0].server.expected_silence, silence);
        }
        assert!(!store.expect_silence(&account.name, &"1".into(), None, &by(5000), &act).await.unwrap());
        let lines = store.audit(Some(&account.name), 50).await.unwrap();
        assert_eq!(lines.iter().filter(|line| line.act == act).count(), 2);
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
