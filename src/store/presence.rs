//! By which NATS connections servers are known, and when those were seen last.

use super::audit::note;
use super::servers::{SeenConnection, TIED_BY_HAND, TIED_BY_ITSELF, Tie};
use super::{Store, StoreError};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{AccountName, ServerId};
use crate::domain::text::plain;

/// How much of a server's id the audit keeps, in UTF-16 units.
const MOST_NOTED: usize = 100;

impl Store {
    /// Ties a server to connections because somebody says so, whether or not `tie` says that it is by hand; or to none: then
    /// it is not tied by itself either. `Ok(false)` when the server is not known.
    pub async fn tie_server(
        &self,
        account: &AccountName,
        server: &ServerId,
        tie: Option<&Tie>,
        by: &By,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write().await?;
        let tied = sqlx::query(
            "UPDATE servers SET tied_user = $1, tied_name = $2, tied = $3, connected_since = NULL,
                 connection_seen_at = NULL, connected_to = NULL
             WHERE account = $4 AND server_id = $5",
        )
        .bind(tie.map(|tie| tie.user.as_str()))
        .bind(tie.map(|tie| tie.name.as_str()))
        .bind(TIED_BY_HAND)
        .bind(account.as_str())
        .bind(server.as_str())
        .execute(&mut *transaction)
        .await?;
        if tied.rows_affected() == 0 {
            return Ok(false);
        }
        let server = plain(server.as_str(), MOST_NOTED, "?");
        let details = match tie {
            Some(Tie { user, name, .. }) if name.is_empty() => format!("{server}: user {user}"),
            Some(Tie { user, name, .. }) => format!("{server}: user {user}, client {name}"),
            None => format!("{server}: none"),
        };
        note(&mut transaction, by, &Act::on(Action::ServerTied, account).with(details)).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Ties a server to connections because they can't be another's, or no more; never where somebody said which are its.
    pub async fn tie_server_by_itself(
        &self,
        account: &AccountName,
        server: &ServerId,
        tie: Option<&Tie>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE servers SET tied_user = $1, tied_name = $2, tied = $3, connected_since = NULL,
                 connection_seen_at = NULL, connected_to = NULL
             WHERE account = $4 AND server_id = $5 AND (tied IS NULL OR tied = $6)",
        )
        .bind(tie.map(|tie| tie.user.as_str()))
        .bind(tie.map(|tie| tie.name.as_str()))
        .bind(tie.map(|_| TIED_BY_ITSELF))
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(TIED_BY_ITSELF)
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Notes that a server's connection to the nats-server of that name was seen, while it is known by `tie`.
    pub async fn see_connection(
        &self,
        account: &AccountName,
        server: &ServerId,
        tie: &Tie,
        seen: SeenConnection,
        connected_to: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE servers SET connected_since = $1, connection_seen_at = $2, connected_to = $3
             WHERE account = $4 AND server_id = $5 AND tied_user = $6 AND tied_name = $7",
        )
        .bind(seen.since.nanoseconds())
        .bind(seen.seen_at.nanoseconds())
        .bind(connected_to)
        .bind(account.as_str())
        .bind(server.as_str())
        .bind(&tie.user)
        .bind(&tie.name)
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}
