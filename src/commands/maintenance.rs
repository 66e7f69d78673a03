//! `/maintenance`: a server is down on purpose, which is announced and alarms nobody.

use std::time::Duration;

use super::reply::Reply;
use super::request::Request;
use super::servers::{self, shown};
use super::{Shared, owning};
use crate::clock;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::ids::{ChannelId, GuildId};
use crate::domain::text::{clean, cut};
use crate::incidents::{Maintained, Observer};
use crate::store::StoreError;
use crate::store::servers::NamedServer;

/// How long maintenance may last, as that is chosen.
pub(super) const DURATIONS: [(&str, Duration); 8] = [
    ("15m", Duration::from_mins(15)),
    ("30m", Duration::from_mins(30)),
    ("1h", Duration::from_hours(1)),
    ("2h", Duration::from_hours(2)),
    ("4h", Duration::from_hours(4)),
    ("8h", Duration::from_hours(8)),
    ("12h", Duration::from_hours(12)),
    ("24h", Duration::from_hours(24)),
];

/// The longest reason, in UTF-16 units.
pub(super) const LONGEST_REASON: u16 = 200;

/// How many channels are named at most.
const NAMED_LIMIT: usize = 20;

/// `/maintenance start`.
pub(super) async fn start(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some((_, duration)) =
        request.text("duration").and_then(|chosen| DURATIONS.iter().find(|(name, _)| *name == chosen))
    else {
        return Ok(Reply::text(words::bad_option("duration")));
    };
    let reason = request.text("reason").map(|reason| cut(&clean(reason), LONGEST_REASON.into()));
    let until = clock::now().plus(*duration);
    let (server, bindings) = match looked_up(shared, request).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let observer = observer(shared, &server, &bindings);
    let reason = reason.filter(|reason| !reason.is_empty());
    let maintained = observer.begin_maintenance(&server.server.id, until, reason, &request.by()).await?;
    let name = shown(&server);
    Ok(Reply::text(match maintained {
        Maintained::Told(channels) => {
            let told = told_here(&bindings, request.guild, &channels);
            words::maintenance_begun(&name, until.unix_seconds(), &told)
        }
        Maintained::Already(until) => words::maintenance_already(&name, until.unix_seconds()),
        Maintained::UnknownServer | Maintained::NotMaintained => words::unknown_server(&name, ""),
    }))
}

/// `/maintenance end`.
pub(super) async fn end(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let (server, bindings) = match looked_up(shared, request).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let observer = observer(shared, &server, &bindings);
    let name = shown(&server);
    Ok(Reply::text(match observer.end_maintenance(&server.server.id, &request.by()).await? {
        Maintained::Told(channels) => words::maintenance_ended(&name, &told_here(&bindings, request.guild, &channels)),
        Maintained::NotMaintained | Maintained::Already(_) => words::not_maintained(&name),
        Maintained::UnknownServer => words::unknown_server(&name, ""),
    }))
}

/// The server that is meant, with its account's bindings; else why somebody may not announce anything of it. What is
/// announced is told in every guild that hears the server.
async fn looked_up(
    shared: &Shared,
    request: &Request,
) -> Result<Result<(NamedServer, Vec<Binding>), String>, StoreError> {
    let server = match servers::chosen_real(shared, request).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Err(refusal) = owning::may_speak_for(shared, request.user, &server.server.account).await? {
        return Ok(Err(refusal));
    }
    let bindings = shared.store.bindings_of_account(&server.server.account).await?;
    Ok(Ok((server, bindings)))
}

fn observer<'a>(shared: &'a Shared, server: &'a NamedServer, bindings: &'a [Binding]) -> Observer<'a> {
    Observer { store: &shared.store, account: &server.server.account, bindings, rules: shared.rules, now: clock::now() }
}

/// Those of the channels that are this guild's, as mentions; others are told, too, and are not its business.
fn told_here(bindings: &[Binding], guild: GuildId, channels: &[ChannelId]) -> String {
    let is_here =
        |channel: &&ChannelId| bindings.iter().any(|binding| binding.guild == guild && binding.channel == **channel);
    let mut names: Vec<_> = channels.iter().filter(is_here).map(|channel| words::channel(channel.0)).collect();
    names.sort();
    names.dedup();
    let left = names.len().saturating_sub(NAMED_LIMIT);
    names.truncate(NAMED_LIMIT);
    if left > 0 {
        names.push(words::and_more(left));
    }
    names.join(", ")
}
