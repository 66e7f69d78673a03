//! Pinned messages (<https://discord.com/developers/docs/resources/message#get-channel-pins>).

use serde_json::{Value, json};

use super::compose::{access, build, find, pointer};
use super::{Call, Handled, done, ok};
use crate::permissions::{PIN_MESSAGES, READ_MESSAGE_HISTORY};
use crate::refusal::Refusal;
use crate::rules::message;
use crate::wire;
use crate::world::{Pin, World};

/// Pins of one channel (code 30003).
const PINS: usize = 250;

/// `GET /channels/{channel}/messages/pins`, newest first, in pages by the time of the pin.
pub(crate) fn list(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    let limit = call.limit(50, 50)?;
    let before = call.query_time("before")?;
    if access(world, channel)? & READ_MESSAGE_HISTORY == 0 {
        return ok(json!({ "items": [], "has_more": false }));
    }
    let pins = world.channels.get(&channel).map_or(&[][..], |channel| &channel.pins);
    let earlier = |pin: &&Pin| before.is_none_or(|before| wire::to_the_microsecond(pin.at) < before);
    let pins: Vec<&Pin> = pins.iter().rev().filter(earlier).collect();
    let item = |pin: &&Pin| {
        let message = world.messages.get(&pin.message)?;
        Some(json!({ "pinned_at": wire::timestamp(pin.at), "message": message.raw }))
    };
    let items: Vec<Value> = pins.iter().take(limit).filter_map(item).collect();
    ok(json!({ "items": items, "has_more": pins.len() > limit }))
}

/// `GET /channels/{channel}/pins`, the older way: the messages alone, the newest 50.
pub(crate) fn list_plain(world: &mut World, call: &Call) -> Handled {
    let channel = call.id("channel")?;
    if access(world, channel)? & READ_MESSAGE_HISTORY == 0 {
        return ok(json!([]));
    }
    let pins = world.channels.get(&channel).map_or(&[][..], |channel| &channel.pins);
    let messages = pins.iter().rev().take(50).filter_map(|pin| world.messages.get(&pin.message));
    ok(messages.map(|message| message.raw.clone()).collect())
}

fn subject(world: &World, call: &Call) -> Result<(u64, u64), Refusal> {
    let (channel, message) = (call.id("channel")?, call.id("message")?);
    let (permissions, _) = find(world, channel, message)?;
    if permissions & PIN_MESSAGES == 0 {
        return Err(Refusal::missing_permissions());
    }
    Ok((channel, message))
}

pub(crate) fn pin(world: &mut World, call: &Call) -> Handled {
    let (channel, message) = subject(world, call)?;
    world.pin(channel, message, world.bot)?;
    done()
}

pub(crate) fn unpin(world: &mut World, call: &Call) -> Handled {
    let (channel, message) = subject(world, call)?;
    world.unpin(channel, message);
    done()
}

impl World {
    /// Pins a message and says so in its channel. One that is pinned already stays so.
    pub(crate) fn pin(&mut self, channel: u64, message: u64, by: u64) -> Result<(), Refusal> {
        let at = self.now();
        let Some(found) = self.channels.get_mut(&channel) else { return Err(Refusal::unknown_channel()) };
        if found.pins.iter().any(|pin| pin.message == message) {
            return Ok(());
        }
        if found.pins.len() >= PINS {
            return Err(Refusal::new(400, 30003, &format!("Maximum number of pins reached for the channel ({PINS})")));
        }
        found.pins.push(Pin { message, at });
        self.change_message(message, |raw| raw["pinned"] = json!(true));
        self.announce_pins(channel);
        let extra = json!({
            "type": 6, "author": wire::user(self, by), "message_reference": pointer(self, channel, message, 0),
        });
        let notice = build(self, channel, &message::Body::default(), &extra);
        self.keep_message(channel, notice, false);
        Ok(())
    }

    /// Unpins a message.
    pub(crate) fn unpin(&mut self, channel: u64, message: u64) {
        let Some(found) = self.channels.get_mut(&channel) else { return };
        let before = found.pins.len();
        found.pins.retain(|pin| pin.message != message);
        if found.pins.len() < before {
            self.change_message(message, |raw| raw["pinned"] = json!(false));
            self.announce_pins(channel);
        }
    }
}
