//! Opening: new databases, newer ones, unusual addresses, and several handles at once.

use futures_util::future::{join_all, try_join_all};
use guildwire::store::StoreError;

use crate::*;

#[tokio::test]
async fn a_new_database_may_be_opened_by_many_at_once() {
    on_both(async |database| {
        for _ in 0..3 {
            let fresh = if database.is_postgres() { Database::postgres().await } else { Database::sqlite() };
            let stores = try_join_all((0..6).map(|_| Store::open(&fresh.url))).await.unwrap();
            add_account(&stores[0], "GA-1").await;
            for store in &stores {
                assert_eq!(store.accounts().await.unwrap().len(), 1);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_installation_has_one_id_whoever_asks_first() {
    on_both(async |database| {
        let stores = [database.open().await, database.open().await, database.open().await];
        for store in &stores {
            store.check_writable().await.unwrap();
        }
        let candidates = ["a", "b", "c"];
        let asked = stores.iter().zip(candidates).map(|(store, candidate)| store.installation(candidate, at(1)));
        assert_eq!(stores[0].installation_id().await.unwrap(), None);
        let ids = try_join_all(asked).await.unwrap();
        assert_eq!(ids, [&*ids[0]; 3]);
        assert!(candidates.contains(&&*ids[0]));
        assert_eq!(stores[0].installation("later", at(2)).await.unwrap(), ids[0]);
        assert_eq!(stores[1].installation_id().await.unwrap(), Some(ids[0].clone()));
        stores[0].check_writable().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    on_both(async |database| {
        let store = database.open().await;
        let mut transaction = store.write().await.unwrap();
        sqlx::query(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'of the future', TRUE, '', 0)",
        )
        .execute(&mut *transaction)
        .await
        .unwrap();
        transaction.commit().await.unwrap();
        for _ in 0..2 {
            let error = Store::open(&database.url).await.unwrap_err();
            assert!(matches!(error, StoreError::SchemaNewer(9999)), "{error}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_handles_write_a_hundred_times_and_none_is_turned_away() {
    on_both(async |database| {
        let handles = [database.open().await, database.open().await];
        let write = async |store: &Store, half: &str| {
            for number in 0..50 {
                let account = add_linked_account(store, &format!("{half}-{number}")).await;
                store.remove_account(&account.name, &by(1)).await.unwrap();
            }
        };
        tokio::join!(write(&handles[0], "one"), write(&handles[1], "two"));
        assert_eq!(handles[0].accounts().await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn a_relative_path_is_meant_from_here_and_its_folders_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let depth = std::env::current_dir().unwrap().components().count() - 1;
    let relative = format!("{}{}", "../".repeat(depth), folder.path().strip_prefix("/").unwrap().display());
    for (path, file) in [
        ("deep/er/guildwire.db", "deep/er/guildwire.db"),
        ("with space/guild:wire#1.db?mode=rwc", "with space/guild:wire#1.db"),
        ("encoded%20space/guildwire.db", "encoded space/guildwire.db"),
    ] {
        Store::open(&format!("sqlite://{relative}/{path}")).await.unwrap();
        assert!(folder.path().join(file).is_file(), "{file}");
    }
}

#[tokio::test]
async fn a_database_that_would_not_last_is_refused() {
    for url in ["sqlite://:memory:", "sqlite://", "sqlite://..", "sqlite://a.db?mode=memory", "sqlite://a.db?mode=ro"] {
        let error = Store::open(url).await.unwrap_err();
        assert!(matches!(error, StoreError::Url(_)), "{url}: {error}");
    }
}

#[tokio::test]
async fn no_error_tells_a_password() {
    let postgres = Postgres::shared();
    let with_password = |url: String| url.replace("guildwire@", "guildwire:hunter2@");
    let urls = [
        "mysql://root:hunter2@localhost/guildwire".to_owned(),
        "hunter2".to_owned(),
        "postgres://guildwire:hunter2@localhost:port/guildwire".to_owned(),
        "postgres://guildwire:hunter2@local host/guildwire".to_owned(),
        "postgres://guildwire@localhost/guildwire?sslmode=hunter&password=hunter2".to_owned(),
        with_password(postgres.url("missing")),
    ];
    let errors = join_all(urls.iter().map(|url| Store::open(url))).await;
    for (url, error) in urls.iter().zip(errors) {
        let error = error.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error} {error:?}");
    }
    let error = Store::open(&urls[5]).await.unwrap_err().to_string();
    assert!(error.contains("missing"), "{error}");

    let url = with_password(postgres.create_database("password").await.unwrap());
    let store = Store::open(&url).await.unwrap();
    assert!(!format!("{store:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_cannot_be_opened_is_refused_at_once() {
    let file = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
    let error = Store::open(&format!("sqlite://{file}/guildwire.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::Folder { .. }), "{error}");
    let error = Store::open(&format!("sqlite://{}", env!("CARGO_MANIFEST_DIR"))).await.unwrap_err();
    assert!(error.to_string().contains("unable to open"), "{error}");
    let nobody = guildwire_harness::free_port();
    let error = Store::open(&format!("postgres://guildwire@127.0.0.1:{nobody}/guildwire")).await.unwrap_err();
    assert!(error.to_string().contains("refused"), "{error}");
}
