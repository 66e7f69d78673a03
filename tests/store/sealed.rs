//! The sealed secrets: all of them are known, and they change together or not at all.

use guildwire::domain::audit::Action;
use guildwire::domain::sealed::SEALED_COLUMNS;
use guildwire::store::sealed::ResealError;

use crate::*;

/// The column of bytes that holds no secrets, but hashes of codes.
const OPEN: (&str, &str) = ("invites", "code_hash");

#[tokio::test]
async fn every_column_of_bytes_is_sealed_or_known_not_to_be() {
    on_both(async |database| {
        let store = database.open().await;
        let query = if database.is_postgres() {
            "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT) FROM information_schema.columns
             WHERE table_schema = 'public' AND data_type = 'bytea' AND table_name <> '_sqlx_migrations'"
        } else {
            "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.type = 'BYTEA' AND m.name <> '_sqlx_migrations'"
        };
        let mut transaction = store.write().await.unwrap();
        let mut found: Vec<(String, String)> = sqlx::query_as(query).fetch_all(&mut *transaction).await.unwrap();
        found.sort();
        let sealed = SEALED_COLUMNS.iter().map(|column| (column.table, column.column));
        let mut known: Vec<_> =
            std::iter::once(OPEN).chain(sealed).map(|(table, column)| (table.to_owned(), column.to_owned())).collect();
        known.sort();
        assert_eq!(found, known);
    })
    .await;
}

#[tokio::test]
async fn all_secrets_are_sealed_anew_or_none() {
    on_both(async |database| {
        let store = database.open().await;
        for name in ["GA-1", "GA-2"] {
            add_account(&store, name).await;
        }
        let mut transaction = store.write().await.unwrap();
        for statement in [
            "UPDATE accounts SET next_credential_kind = 'creds', next_credential = credential WHERE name = 'GA-1'",
            "INSERT INTO nats_accounts (name, public_key, seed, tier, max_file, max_mem, max_streams, max_consumers,
                 max_connections, stream, root, created_at)
             SELECT 'MINTED', 'A', credential, 'free', 1, 1, 1, 1, 1, 'EVENTS', 'v0.*.servers', 1 FROM accounts
             WHERE name = 'GA-1'",
        ] {
            sqlx::query(statement).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
        let contexts = async || {
            let secrets = store.sealed_secrets().await.unwrap();
            secrets.into_iter().map(|secret| (secret.context, secret.sealed.len())).collect::<Vec<_>>()
        };
        let of = |length| {
            ["account GA-1: nkey", "account GA-2: nkey", "account GA-1: creds", "NATS account MINTED: seed"]
                .map(|context| (context.to_owned(), length))
        };
        assert_eq!(contexts().await, of(4));

        let refused =
            store
                .reseal(&by(1), |secret| {
                    if secret.context.starts_with("NATS") { Err("wrong key".to_owned()) } else { Ok(vec![1]) }
                })
                .await;
        let Err(ResealError::Closed { context, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(context, "NATS account MINTED: seed");
        assert_eq!(contexts().await, of(4), "none was");
        assert_eq!(store.reseal(&by(2), |_| Ok(vec![1])).await.unwrap(), 4);
        let rotated = store.audit(None, 50).await.unwrap();
        let rotated: Vec<_> = rotated.iter().filter(|line| line.act.action == Action::KeyRotated).collect();
        assert_eq!(rotated.len(), 1, "what did not happen leaves no line");
        assert_eq!((rotated[0].by, rotated[0].act.details.as_str()), (by(2), "4 secrets were sealed anew"));
        assert_eq!(contexts().await, of(1));
    })
    .await;
}
