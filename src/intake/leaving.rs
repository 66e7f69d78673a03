//! What a reader does when its account is no longer subscribed, or has moved: what subscribing made is taken back.

use super::open_credential;
use super::reader::{ReadError, Reader};
use crate::clock;
use crate::domain::fault::Fault;
use crate::nats::connection::Connection;
use crate::nats::credential::Credential;
use crate::nats::reach::Reach;

/// Where a durable is, and how to get there.
#[derive(Clone)]
pub(super) struct Attached {
    pub(super) url: String,
    pub(super) reach: Reach,
    pub(super) credential: Credential,
    pub(super) stream: String,
}

impl Reader {
    /// Takes back what subscribing made: the durable and the position.
    pub(super) async fn leave(&mut self) {
        match self.where_attached().await {
            Ok(None) => {}
            Ok(Some(attached)) => self.clean_up(&attached).await,
            Err(error) => tracing::warn!(account = %self.account, %error, "can't look where the durable consumer is"),
        }
        if let Err(error) = self.shared.store.forget_position(&self.account).await {
            tracing::warn!(account = %self.account, %error, "can't forget the account's position");
        }
        tracing::info!(account = %self.account, "no longer reading the account's events");
    }

    /// Notes where the durable is about to be, and deletes it where it was before.
    pub(super) async fn leave_former(&mut self, attached: Attached) -> Result<(), ReadError> {
        let left = match self.attached.take() {
            Some(left) => Some(left),
            // An earlier run made it, on a stream that the store knows.
            None => self
                .shared
                .store
                .stream_read(&self.account)
                .await?
                .map(|stream| Attached { stream, ..attached.clone() }),
        };
        if let Some(left) = left
            && (&left.url, &left.stream) != (&attached.url, &attached.stream)
        {
            self.clean_up(&left).await;
        }
        self.attached = Some(attached);
        Ok(())
    }

    /// Deletes the durable where it is of no use any more.
    pub(super) async fn clean_up(&self, left: &Attached) {
        let deleted = async {
            let connection = Connection::open(&left.url, &left.reach, &left.credential, clock::now()).await?;
            connection.delete_consumer(&left.stream, &self.shared.durable).await
        };
        match deleted.await {
            // It went with its stream.
            Ok(()) | Err(Fault::StreamMissing(_)) => {}
            Err(error) => tracing::warn!(
                account = %self.account, stream = left.stream, durable = self.shared.durable, %error,
                "this stream is no longer read, but the durable consumer on it could not be deleted: delete it by hand"
            ),
        }
    }

    /// Where the durable is: as this reader made it, or as an earlier run left it, as far as the store still knows.
    async fn where_attached(&mut self) -> Result<Option<Attached>, ReadError> {
        if let Some(attached) = self.attached.take() {
            return Ok(Some(attached));
        }
        let Some((account, sealed)) = self.load_account().await? else { return Ok(None) };
        let Some(stream) = self.shared.store.stream_read(&self.account).await? else { return Ok(None) };
        let credential = open_credential(&self.shared.key, &account, &sealed)?;
        let reach = Reach::of(&account, &self.shared.hosts);
        Ok(Some(Attached { url: account.url, reach, credential, stream }))
    }
}
