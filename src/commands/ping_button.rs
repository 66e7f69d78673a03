//! The button below a board by which members are pinged: what it offers, and what becomes of what they choose.

use serde_json::{Value, json};

use super::Shared;
use super::board::choice;
use super::component::{ButtonStyle, Target, button};
use super::pings::{self, MOST_PLAYERS, place_of};
use super::press::Press;
use super::reply::Reply;
use crate::discord::words;
use crate::domain::ping::Wish;
use crate::domain::subject::UNKNOWN_SERVER;
use crate::domain::text::plain;
use crate::store::StoreError;
use crate::store::servers::NamedServer;

/// How many options a select has at most, how long a value may be, and how much of a server's name is shown:
/// <https://discord.com/developers/docs/components/reference#string-select-select-option-structure>.
const OPTIONS_LIMIT: usize = 25;
const VALUE_LIMIT: usize = 100;
const NAME_LIMIT: usize = 60;

/// What is offered for each server as far as there is room, what most people wait for first.
const OFFERED: [Wish; 6] =
    [Wish::Back, Wish::Wiped, Wish::Players(10), Wish::Players(50), Wish::Players(25), Wish::Players(100)];

/// What to be pinged for, with what the member has already.
pub(super) async fn offer(shared: &Shared, press: &Press) -> Result<Reply, StoreError> {
    if shared.store.ping_channel(press.guild).await?.is_none() {
        return Ok(Reply::text(words::PINGS_NOT_ALLOWED));
    }
    let servers = shared.store.servers_of_guild(press.guild).await?;
    let visible = || servers.iter().filter(|named| !named.is_hidden && is_real(named));
    let shown: Vec<_> = visible().filter(|named| fits(named)).take(OPTIONS_LIMIT).collect();
    let is_more = visible().count() > shown.len();
    if shown.is_empty() {
        let is_any_hidden = servers.iter().any(|named| named.is_hidden);
        return Ok(Reply::text(match (is_more, is_any_hidden) {
            (true, _) => words::PINGS_BY_COMMAND,
            (false, true) => words::ALL_HIDDEN,
            (false, false) => words::NO_SERVERS,
        }));
    }
    let options = options(&shown);
    let has = shared.store.pings_of_member(press.guild, press.user).await?;
    let select = json!({
        "type": 3, "custom_id": Target::ChoosePing.custom_id(), "placeholder": words::CHOOSE_PING, "min_values": 1,
        "max_values": options.len(), "options": options,
    });
    if has.is_empty() {
        return Ok(Reply::text(words::CHOOSE_PING_BELOW).with_row(&[select]));
    }
    let leave = button(ButtonStyle::Secondary, words::LEAVE_PINGS, &Target::LeavePings, true);
    let mut reply = pings::list(shared, press.guild, press.user).await?;
    // There is room: the list is in an embed.
    let _ = is_more && reply.add_remark(words::MORE_BY_COMMAND);
    Ok(reply.with_row(&[select]).with_row(&[leave]))
}

/// Has the member wait for what was chosen, of several numbers of players of one server for the least: it comes first, and
/// one is kept.
pub(super) async fn choose(shared: &Shared, press: &Press) -> Result<Reply, StoreError> {
    let servers = shared.store.servers_of_guild(press.guild).await?;
    let mut wishes: Vec<(&NamedServer, Wish)> = Vec::new();
    let (mut is_any_gone, mut is_any_left_out) = (false, false);
    for value in press.values.iter().take(OPTIONS_LIMIT) {
        let Some((named, wish)) = chosen(&servers, value) else {
            is_any_gone = true;
            continue;
        };
        // As in the database: one of each name, whatever number of players goes with it.
        let is_same = |(of, other): &&mut (&NamedServer, Wish)| std::ptr::eq(*of, named) && other.name() == wish.name();
        match wishes.iter_mut().find(is_same) {
            Some((_, other)) => {
                is_any_left_out |= *other != wish;
                *other = wish.min(*other);
            }
            None => wishes.push((named, wish)),
        }
    }
    let mut said: Vec<String> = pings::held_up(shared, press.guild).await?.into_iter().collect();
    for (named, wish) in wishes {
        let whom = (press.guild, press.user);
        let told = pings::ask(shared, whom, &place_of(named), named.name.as_deref(), wish).await?;
        if !said.contains(&told) {
            said.push(told);
        }
    }
    said.extend(is_any_left_out.then(|| words::PING_LEAST.to_owned()));
    said.extend(is_any_gone.then(|| words::PING_CHOICE_GONE.to_owned()));
    Ok(Reply::list(&said, None))
}

/// Whether a server's choices can be told from another's: a cut value would be another one.
fn fits(named: &NamedServer) -> bool {
    value(named, Wish::Players(MOST_PLAYERS)).len() <= VALUE_LIMIT
}

/// Whether it is a server, and does not stand for events without one.
fn is_real(named: &NamedServer) -> bool {
    named.server.id.as_str() != UNKNOWN_SERVER
}

/// What a select offers: of each server as much as of the others.
fn options(shown: &[&NamedServer]) -> Vec<Value> {
    let for_each = (OPTIONS_LIMIT / shown.len().max(1)).clamp(1, OFFERED.len());
    let offered = shown.iter().flat_map(|named| OFFERED[..for_each].iter().map(move |wish| (named, *wish)));
    offered
        .take(OPTIONS_LIMIT)
        .map(|(named, wish)| {
            let name = plain(named.name.as_deref().unwrap_or(named.server.id.as_str()), NAME_LIMIT, "?");
            let label = words::ping_option(&name, wish);
            json!({ "label": label, "value": value(named, wish), "description": named.server.account })
        })
        .collect()
}

fn value(named: &NamedServer, wish: Wish) -> String {
    format!("{}:{}:{}", wish.name(), wish.players(), choice(&named.server.account, &named.server.id))
}

/// What a value stands for: anything may be sent as one.
fn chosen<'a>(servers: &'a [NamedServer], value: &str) -> Option<(&'a NamedServer, Wish)> {
    let (wish, rest) = value.split_once(':')?;
    let (players, wanted) = rest.split_once(':')?;
    let wish = Wish::from_name(wish, players.parse().ok().filter(|players| *players <= MOST_PLAYERS)?)?;
    let is_wanted = |named: &&NamedServer| choice(&named.server.account, &named.server.id) == wanted && is_real(named);
    Some((servers.iter().find(is_wanted)?, wish))
}
