//! A database that has no room: said in words, and over once there is room.

use guildwire::store::StoreError;
use sqlx::Executor as _;

use crate::*;

/// Writes more than there is room for, in a transaction, as a batch of events is.
async fn overfill(database: &Database, store: &Store) -> StoreError {
    let mut transaction = store.write().await.unwrap();
    let overfull = if database.is_postgres() {
        "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    } else {
        transaction.execute("PRAGMA max_page_count = 1").await.unwrap();
        "INSERT INTO installation (id, created_at) VALUES (hex(zeroblob(4000000)), 0)"
    };
    transaction.execute(overfull).await.unwrap_err().into()
}

#[tokio::test]
async fn a_full_disk_is_told_in_words_and_takes_no_later_write_along() {
    on_both(async |database| {
        let store = database.open().await;
        for _ in 0..3 {
            assert_eq!(overfill(database, &store).await.to_string(), "the disk that it is on is full");
        }
        add_account(&store, "GA-1").await;
        store.check_writable().await.unwrap();
    })
    .await;
}
