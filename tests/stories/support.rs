//! What stories share: a house on each database.

use std::path::Path;

use guildwire_harness::Postgres;
use guildwire_harness::house::House;

/// Which database a story is told on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

/// A house whose bot is not yet running.
pub(crate) async fn build_house(database: Database) -> House {
    let url = match database {
        Database::Sqlite => None,
        Database::Postgres => Some(Postgres::shared().create_database("story").await.unwrap()),
    };
    House::build(Path::new(env!("CARGO_BIN_EXE_guildwire")), url.as_deref()).await.unwrap()
}

/// Tells one story on both databases, each a test of its own.
macro_rules! on_both_databases {
    ($($story:ident),+ $(,)?) => {
        $(mod $story {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                super::$story(crate::support::Database::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                super::$story(crate::support::Database::Postgres).await;
            }
        })+
    };
}
pub(crate) use on_both_databases;
