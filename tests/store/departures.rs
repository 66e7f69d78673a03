//! Guilds that the bot was removed from: what is kept of them goes, and nothing of others.

use guildwire::domain::audit::{Action, Actor};

use crate::outbox::{fill, message};
use crate::*;

const OTHERS: GuildId = GuildId(101);
const THEIRS: ChannelId = ChannelId(201);

fn itself(nanoseconds: i64) -> By {
    By { actor: Actor::Guildwire, at: at(nanoseconds) }
}

/// Two guilds, each with a binding, what waits for it, a message that was sent and one that can't be.
async fn furnished(store: &Store) {
    let account = add_linked_account(store, "GA-1").await;
    link(store, &account, OTHERS).await;
    for (guild, channel) in [(GUILD, CHANNEL), (OTHERS, THEIRS)] {
        let bound = Binding { guild, channel, ..binding(store, &account) };
        assert!(store.add_binding(&bound).await.unwrap());
        let ids = fill(store, channel, 1300).await;
        for (mark, rows) in [("sent", &ids[..2]), ("open", &ids[2..4])] {
            let sealed = message(store, mark);
            store.seal(channel, &sealed, &showing(rows), at(10)).await.unwrap();
            if mark == "sent" {
                store.settle_delivered(sealed.id, Some(7), at(11)).await.unwrap();
            }
        }
        store.stop_lane(channel, &stop(Cause::Gone, "removed", None), None, at(12)).await.unwrap();
    }
    run(
        store,
        "INSERT INTO given_up (channel_id, kind, events, first_stored, last_stored)
         SELECT channel_id, 'chat', 3, 1, 2 FROM bindings",
    )
    .await;
    for statement in [
        "INSERT INTO ping_channels (guild_id, channel_id, is_thread) SELECT guild_id, channel_id, 0 FROM bindings",
        "INSERT INTO pings (guild_id, user_id, account, server_id, wish, players, armed, created_at)
         SELECT guild_id, 300, account, 'main', 'back', 0, 0, 1 FROM bindings",
    ] {
        run(store, statement).await;
    }
    run(
        store,
        "INSERT INTO told_outages (guild_id, account, channel_id, since)
         SELECT guild_id, account, channel_id, 5 FROM bindings",
    )
    .await;
}

#[tokio::test]
async fn a_guild_is_forgotten_when_its_grace_is_over_and_no_other_is() {
    on_both(async |database| {
        let store = database.open().await;
        furnished(&store).await;
        assert_eq!(store.kept_guilds().await.unwrap(), [(GUILD, None), (OTHERS, None)].into());
        assert!(!store.forget_guild(GUILD, at(1000), &itself(1)).await.unwrap(), "it did not depart");
        store.note_departed(GUILD, at(100)).await.unwrap();
        store.note_departed(GUILD, at(200)).await.unwrap();
        assert_eq!(store.kept_guilds().await.unwrap()[&GUILD], Some(at(100)), "the first time counts");
        assert!(!store.forget_guild(GUILD, at(100), &itself(1)).await.unwrap(), "its grace is not over");
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 2600);

        assert!(store.forget_guild(GUILD, at(101), &itself(3000)).await.unwrap());
        assert!(!store.forget_guild(GUILD, at(101), &itself(301)).await.unwrap());
        for table in ["outbox", "messages", "stopped_lanes", "given_up", "told_outages", "bindings", "ping_channels"] {
            let query = format!("SELECT COUNT(*) FROM {table} WHERE channel_id = 200");
            assert_eq!(count(&store, query.leak()).await, 0, "{table}");
        }
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox WHERE channel_id = 201").await, 1300);
        assert_eq!(count(&store, "SELECT COUNT(*) FROM messages WHERE channel_id = 201").await, 2);
        for table in ["stopped_lanes", "given_up", "told_outages", "ping_channels", "pings"] {
            assert_eq!(count(&store, format!("SELECT COUNT(*) FROM {table}").leak()).await, 1, "{table}");
        }
        assert_eq!(store.kept_guilds().await.unwrap(), [(OTHERS, None)].into());
        assert_eq!(store.links(GUILD).await.unwrap(), []);
        assert_eq!(store.bindings_of_guild(OTHERS).await.unwrap().len(), 1);
        assert!(store.account(&name("GA-1")).await.unwrap().is_some(), "the account stays");
        let line = &store.audit(None, 1).await.unwrap()[0];
        assert_eq!((line.act.action, line.act.guild), (Action::GuildForgotten, Some(GUILD)));
        assert_eq!(line.by, itself(3000));
    })
    .await;
}

#[tokio::test]
async fn a_guild_that_is_back_is_not_forgotten() {
    on_both(async |database| {
        let store = database.open().await;
        furnished(&store).await;
        store.note_departed(GUILD, at(100)).await.unwrap();
        store.note_returned(GUILD).await.unwrap();
        assert!(!store.forget_guild(GUILD, at(1000), &itself(1)).await.unwrap());
        assert_eq!(count(&store, "SELECT COUNT(*) FROM outbox").await, 2600);
        // One of which nothing is kept leaves nothing behind.
        store.note_departed(GuildId(5), at(100)).await.unwrap();
        assert!(store.forget_guild(GuildId(5), at(1000), &itself(1)).await.unwrap());
        assert_eq!(count(&store, "SELECT COUNT(*) FROM departed_guilds").await, 0);
    })
    .await;
}
