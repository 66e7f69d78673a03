//! Looks, before an account is stored, for what reading it takes.

use crate::clock;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::position::Position;
use crate::nats::connection::Connection;
use crate::nats::credential::Credential;
use crate::nats::reach::Reach;

/// What was found where the account is said to be.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) server_version: String,
    pub(super) stream: String,
    /// Where the stream ends.
    pub(super) end: Position,
}

/// Looks for what reading the account takes, in the order in which reading it does.
pub(super) async fn find(account: &Account, reach: &Reach, credential: &Credential) -> Result<Found, Fault> {
    let connection = Connection::open(&account.url, reach, credential, clock::now()).await?;
    let stream = match &account.stream {
        Some(stream) => stream.clone(),
        None => connection.find_stream(&account.root).await?,
    };
    let end = connection.stream_end(&stream).await?;
    Ok(Found { server_version: connection.server_version(), stream, end })
}

/// What was found, or that nothing was looked for.
pub(super) fn in_words(found: Option<&Found>, url: &str) -> String {
    match found {
        Some(Found { server_version, stream, end }) => match end.last_sequence {
            0 => {
                format!(
                    "It was reached at {url}: nats-server {server_version}, stream {stream}, which is empty so far."
                )
            }
            last_sequence => format!(
                "It was reached at {url}: nats-server {server_version}, stream {stream}, whose last message has number \
                 {last_sequence}."
            ),
        },
        None => format!("It was not tried whether it can be reached at {url}."),
    }
}

/// That nothing was stored, why, and what else may be done.
pub(super) fn not_stored(fault: &Fault, advice: &str) -> anyhow::Error {
    anyhow::anyhow!("{fault}\nNothing was stored. {advice}")
}
