//! Members' own pings: `/ping` for everybody, and `/board pings`, by which an admin allows a channel for them.

use super::board::choice;
use super::notify::add::refusal_of_channel;
use super::reply::Reply;
use super::request::Request;
use super::servers::NAME_LIMIT;
use super::{Shared, servers};
use crate::clock;
use crate::discord::guilds::{self, Guilds};
use crate::discord::words;
use crate::domain::ids::{GuildId, UserId};
use crate::domain::ping::{MOST_OF_GUILD, MOST_OF_MEMBER, Wish};
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::display;
use crate::store::StoreError;
use crate::store::pings::{Asked, Place, Waiting};
use crate::store::servers::NamedServer;

/// More players than any server holds.
pub(super) const MOST_PLAYERS: u32 = 10_000;

/// `/ping me`.
pub(super) async fn me(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(wanted) = request.text("server") else { return Ok(Reply::text(words::bad_option("server"))) };
    let players = request.number("players").and_then(|players| u32::try_from(players).ok()).unwrap_or_default();
    let Some(name) = request.text("when").filter(|name| Wish::NAMES.contains(name)) else {
        return Ok(Reply::text(words::bad_option("when")));
    };
    let Some(wish) = Wish::from_name(name, players.min(MOST_PLAYERS)) else {
        return Ok(Reply::text(words::PING_NEEDS_PLAYERS));
    };
    let meant = match meant(shared, request.guild, wanted).await? {
        Ok(meant) => meant,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let [named] = meant.as_slice() else {
        return Ok(Reply::text(words::which_server(&display(wanted, NAME_LIMIT, "?"))));
    };
    if named.server.id.as_str() == UNKNOWN_SERVER {
        return Ok(Reply::text(words::NO_SERVER_OF_THAT_NAME));
    }
    let said = ask(shared, (request.guild, request.user), &place_of(named), named.name.as_deref(), wish).await?;
    let said: Vec<_> = [Some(said), held_up(shared, request.guild).await?].into_iter().flatten().collect();
    Ok(Reply::text(said.join("\n\n")))
}

/// That the guild's channel for pings takes no messages, while it doesn't.
pub(super) async fn held_up(shared: &Shared, guild: GuildId) -> Result<Option<String>, StoreError> {
    let Some(channel) = shared.store.ping_channel(guild).await? else { return Ok(None) };
    let stopped = shared.store.stopped_lane(channel).await?;
    Ok(stopped.map(|_| words::pings_held_up(channel.0)))
}

/// The servers that somebody means: the one that was chosen, else those of that name; or what to answer.
async fn meant(shared: &Shared, guild: GuildId, wanted: &str) -> Result<Result<Vec<NamedServer>, String>, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    match servers.into_iter().find(|named| choice(&named.server.account, &named.server.id) == wanted) {
        Some(chosen) => Ok(Ok(vec![chosen])),
        None => servers::seen(shared, guild, Some(wanted)).await,
    }
}

/// Has a member wait for something, and says what became of that.
pub(super) async fn ask(
    shared: &Shared,
    (guild, user): (GuildId, UserId),
    place: &Place,
    name: Option<&str>,
    wish: Wish,
) -> Result<String, StoreError> {
    let server = shown_name(place, name);
    Ok(match shared.store.ask_for_ping((guild, user), place, wish, clock::now()).await? {
        Asked::Done { channel, progress, instead_of } => {
            let mut said = vec![words::ping_asked(&server, wish, channel.0, shared.ping_cooldown)];
            said.extend(instead_of.map(words::ping_instead_of));
            if matches!(wish, Wish::Players(_)) && !progress.armed {
                said.push(words::PING_NOT_NOW.to_owned());
            }
            said.join(" ")
        }
        Asked::There(channel) => words::ping_there(&server, wish, channel.0),
        Asked::NotAllowed => words::PINGS_NOT_ALLOWED.to_owned(),
        Asked::NoSuchServer => words::ping_server_gone(&server),
        Asked::TooManyOfMember => words::too_many_pings(MOST_OF_MEMBER),
        Asked::TooManyOfGuild => words::too_many_pings_here(MOST_OF_GUILD),
    })
}

/// `/ping list`.
pub(super) async fn list(shared: &Shared, guild: GuildId, user: UserId) -> Result<Reply, StoreError> {
    let pings = shared.store.pings_of_member(guild, user).await?;
    if pings.is_empty() {
        return Ok(Reply::text(words::NO_PINGS));
    }
    let channel = shared.store.ping_channel(guild).await?.map(|channel| channel.0);
    let entries = in_words(shared, guild, &pings).await?;
    let above: Vec<_> =
        [held_up(shared, guild).await?, Some(words::pings_told_in(channel))].into_iter().flatten().collect();
    Ok(Reply::list(&entries, None).with_content(above.join("\n\n")))
}

/// What a member waits for, an entry each.
pub(super) async fn in_words(shared: &Shared, guild: GuildId, pings: &[Waiting]) -> Result<Vec<String>, StoreError> {
    let servers = shared.store.servers_of_guild(guild).await?;
    let entry = |waiting: &Waiting| {
        let named = servers.iter().find(|named| place_of(named) == waiting.place);
        let name = shown_name(&waiting.place, named.and_then(|named| named.name.as_deref()));
        words::ping_entry(&name, waiting.place.0.as_str(), waiting.wish)
    };
    Ok(pings.iter().map(entry).collect())
}

/// `/ping leave`.
pub(super) async fn leave(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let (guild, user) = (request.guild, request.user);
    let Some(wanted) = request.text("server") else { return leave_all(shared, guild, user).await };
    let places = awaited_by(shared, guild, user).await?;
    let mut left = 0;
    for place in meant_among(wanted, &places) {
        left += shared.store.leave_pings(guild, user, Some(place)).await?;
    }
    Ok(Reply::text(match left {
        0 => words::no_pings_of(&display(wanted, NAME_LIMIT, "?")),
        left => words::pings_left(left),
    }))
}

/// The servers on which a member waits for something, with what the guild calls them: one may be forgotten by now.
pub(super) async fn awaited_by(
    shared: &Shared,
    guild: GuildId,
    user: UserId,
) -> Result<Vec<(Place, Option<String>)>, StoreError> {
    let mut places: Vec<_> = shared.store.pings_of_member(guild, user).await?.into_iter().map(|it| it.place).collect();
    // They come by server.
    places.dedup();
    let servers = shared.store.servers_of_guild(guild).await?;
    let name_of = |place: &Place| servers.iter().find(|named| place_of(named) == *place)?.name.clone();
    Ok(places
        .into_iter()
        .map(|place| {
            let name = name_of(&place);
            (place, name)
        })
        .collect())
}

/// Ends all that a member waits for.
pub(super) async fn leave_all(shared: &Shared, guild: GuildId, user: UserId) -> Result<Reply, StoreError> {
    Ok(Reply::text(match shared.store.leave_pings(guild, user, None).await? {
        0 => words::NO_PINGS.to_owned(),
        left => words::pings_left(left),
    }))
}

/// `/board pings`.
pub(super) async fn allow(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    let Some(channel) = request.channel("channel") else {
        let is_changed = shared.store.set_ping_channel(request.guild, None, &request.by()).await?;
        return Ok(Reply::text(if is_changed { words::PINGS_FORBIDDEN } else { words::PINGS_FORBIDDEN_ALREADY }));
    };
    if let Some(refusal) = refusal_of_channel(guilds, request.guild, channel, None) {
        return Ok(Reply::text(refusal));
    }
    let allowed = (channel.id, channel.place != guilds::Place::Channel);
    let is_changed = shared.store.set_ping_channel(request.guild, Some(allowed), &request.by()).await?;
    let say = if is_changed { words::pings_allowed } else { words::pings_allowed_already };
    Ok(Reply::text(say(channel.id.0)))
}

/// Which of the servers somebody means who typed or chose `wanted`, as [`meant`] has it: the one that was chosen, else by
/// their ids, else by the guild's own names.
fn meant_among<'a>(wanted: &str, places: &'a [(Place, Option<String>)]) -> Vec<&'a Place> {
    let lower = wanted.to_lowercase();
    let is_called = |name: &Option<String>| name.as_ref().is_some_and(|name| name.to_lowercase() == lower);
    let rank = |(place, name): &(Place, Option<String>)| match place {
        (account, server) if choice(account, server) == wanted => Some(0),
        (_, server) if server.as_str() == wanted => Some(1),
        _ => is_called(name).then_some(2),
    };
    let Some(best) = places.iter().filter_map(rank).min() else { return Vec::new() };
    places.iter().filter(|place| rank(place) == Some(best)).map(|(place, _)| place).collect()
}

pub(super) fn place_of(named: &NamedServer) -> Place {
    (named.server.account.clone(), named.server.id.clone())
}

/// What a guild calls a server, as it may be shown.
fn shown_name((_, server): &Place, name: Option<&str>) -> String {
    display(name.unwrap_or(server.as_str()), NAME_LIMIT, "?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_left_by_what_was_chosen_else_by_its_id_else_by_its_name() {
        let place = |account: &str, server: &str, name: Option<&str>| {
            ((account.parse().unwrap(), server.into()), name.map(str::to_owned))
        };
        let places = [
            place("GA-1", "main", None),
            place("GA-2", "main", Some("Second")),
            place("GA-1", "other", Some("Main")),
            place("GA-1", "third", Some("second")),
        ];
        let meant = |wanted| -> Vec<String> {
            meant_among(wanted, &places).into_iter().map(|place| choice(&place.0, &place.1)).collect()
        };
        assert_eq!(meant("GA-2 main"), ["GA-2 main"]);
        assert_eq!(meant("main"), ["GA-1 main", "GA-2 main"], "none is meant by its name that is another's id");
        assert_eq!(meant("MAIN"), ["GA-1 other"]);
        assert_eq!(meant("SECOND"), ["GA-2 main", "GA-1 third"]);
        assert_eq!(meant("fourth"), [""; 0]);
    }
}
