//! Maintenance: announced by people, ended by them or by time.

use sqlx::{Any, Transaction};

use super::{LOOK_AGAIN, Observer};
use crate::domain::audit::{Act, Action, By};
use crate::domain::ids::{ChannelId, ServerId};
use crate::domain::incident::{Incident, Telling, What};
use crate::domain::server_state::Turn;
use crate::domain::text::plain;
use crate::domain::timestamp::Timestamp;
use crate::store::StoreError;
use crate::store::incidents::KeptIncident;
use crate::store::recording::NewOutboxRow;
use crate::store::servers::Server;

/// How much of a server's id is noted, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// What became of somebody's wish to begin or to end maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Maintained {
    /// It was done, and these channels are told.
    Told(Vec<ChannelId>),
    /// No such server was ever heard of.
    UnknownServer,
    /// The server is being maintained already, until then.
    Already(Timestamp),
    /// The server is not being maintained.
    NotMaintained,
}

impl Observer<'_> {
    /// Announces maintenance of a server `until` a moment, and notes who did. An incident that is not over ends with that.
    pub async fn begin_maintenance(
        &self,
        server: &ServerId,
        until: Timestamp,
        reason: Option<String>,
        by: &By,
    ) -> Result<Maintained, StoreError> {
        let mut transaction = self.store.write().await?;
        let Some(known) = self.store.hold_server(&mut transaction, self.account, server).await? else {
            return Ok(Maintained::UnknownServer);
        };
        let mut rows = Vec::new();
        if let Some(mut open) = self.store.open_incident(&mut transaction, self.account, server).await? {
            if let Some(maintenance) = &open.incident.maintenance {
                return Ok(Maintained::Already(maintenance.until));
            }
            open.incident.repeat(What::MaintenanceBegan, self.now);
            rows = self.tell(&mut transaction, &mut open, Telling::Closed, self.at_present()).await?.rows;
        }
        let mut begun = self.begun(server, Incident::maintenance(until, reason, !known.state.is_down(), self.now));
        rows.extend(self.tell(&mut transaction, &mut begun, Telling::Opened, self.at_present()).await?.rows);
        self.note(&mut transaction, server, by, &format!("until {}", until.minute())).await?;
        Ok(Maintained::Told(self.finish(transaction, rows).await?))
    }

    /// Ends a server's maintenance before its time, and notes who did.
    pub async fn end_maintenance(&self, server: &ServerId, by: &By) -> Result<Maintained, StoreError> {
        let mut transaction = self.store.write().await?;
        let Some(known) = self.store.hold_server(&mut transaction, self.account, server).await? else {
            return Ok(Maintained::UnknownServer);
        };
        let open = self.store.open_incident(&mut transaction, self.account, server).await?;
        let Some(open) = open.filter(|open| open.incident.maintenance.is_some()) else {
            return Ok(Maintained::NotMaintained);
        };
        let rows = self.close_maintenance(&mut transaction, &known, open).await?;
        self.note(&mut transaction, server, by, "ended").await?;
        Ok(Maintained::Told(self.finish(transaction, rows).await?))
    }

    /// Ends a server's maintenance that was to be over by `until`, without a word on how the server stands: that can't be
    /// seen, and nobody is alarmed by what was known before.
    pub async fn end_unseen_maintenance(&self, server: &ServerId, until: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.store.write().await?;
        let mut rows = Vec::new();
        if self.store.hold_server(&mut transaction, self.account, server).await?.is_some()
            && let Some(mut open) = self.store.open_incident(&mut transaction, self.account, server).await?
            && open.incident.maintenance.as_ref().is_some_and(|maintenance| maintenance.until <= until)
        {
            open.incident.end_maintenance(self.now);
            open.incident.up_since = None;
            rows = self.tell(&mut transaction, &mut open, Telling::Closed, self.at_present()).await?.rows;
        } else {
            // Anything else waits until it can be seen.
            self.store.put_off_incident(&mut transaction, self.account, server, self.now.plus(LOOK_AGAIN)).await?;
        }
        self.finish(transaction, rows).await?;
        Ok(())
    }

    async fn note(
        &self,
        transaction: &mut Transaction<'_, Any>,
        server: &ServerId,
        by: &By,
        what: &str,
    ) -> Result<(), StoreError> {
        let details = format!("server {}: {what}", plain(server.as_str(), NAME_LIMIT, "?"));
        let act = Act::on(Action::ServerMaintained, self.account).with(details);
        self.store.note_act(transaction, by, &act).await
    }

    /// Ends maintenance, and sounds the alarm for a server that is down then.
    pub(super) async fn close_maintenance(
        &self,
        transaction: &mut Transaction<'_, Any>,
        known: &Server,
        mut open: KeptIncident,
    ) -> Result<Vec<NewOutboxRow>, StoreError> {
        open.incident.end_maintenance(self.now);
        let mut rows = self.tell(transaction, &mut open, Telling::Closed, self.at_present()).await?.rows;
        let what = What::of(Turn::Down, known.state).filter(|_| known.state.is_down());
        let since = known.state.since.unwrap_or(self.now);
        if let Some(what) = what
            && let Some((incident, telling)) =
                Incident::begin(Turn::Down, what, since, open.incident.affected, None, self.rules.loops)
        {
            let mut begun = self.begun(&known.id, incident);
            rows.extend(self.tell(transaction, &mut begun, telling, self.at_present()).await?.rows);
        }
        Ok(rows)
    }
}
