//! What people do in channels: write, answer, edit, delete, react, pin, type, start threads; and the passing of time.

#![expect(clippy::must_use_candidate, reason = "what people do is often wanted for its effect alone")]

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::rest::compose::{build, pointer, referenced};
use crate::rules::mentions::everything;
use crate::rules::message::Body;
use crate::sim::Sim;
use crate::wire;
use crate::world::{ChannelKind, World};

impl Sim {
    /// Posts a message as a person, for channels that are not the bot's alone.
    pub fn say(&self, channel: u64, user: u64, content: &str) -> u64 {
        self.change(|world| post(world, channel, user, content, json!({})))
    }

    /// Answers a message of the same channel as a person.
    pub fn answer(&self, channel: u64, user: u64, message: u64, content: &str) -> u64 {
        self.change(|world| {
            let extra = json!({
                "type": 19, "message_reference": pointer(world, channel, message, 0),
                "referenced_message": world.messages.get(&message).map(referenced),
            });
            post(world, channel, user, content, extra)
        })
    }

    /// Changes the text of a person's message.
    pub fn edit_message(&self, message: u64, content: &str) {
        self.change(|world| {
            let now = wire::timestamp(world.now());
            if let Some(message) = world.messages.get_mut(&message) {
                content.clone_into(&mut message.content);
            }
            world.change_message(message, |raw| {
                raw["content"] = json!(content);
                raw["edited_timestamp"] = json!(now);
            });
        });
    }

    /// Deletes a message, as a moderator would.
    pub fn delete_message(&self, channel: u64, message: u64) {
        self.change(|world| world.remove_message(channel, message));
    }

    /// Reacts to a message; the emoji as it is, for example `👍`.
    pub fn react(&self, channel: u64, message: u64, user: u64, emoji: &str) {
        self.change(|world| world.react(channel, message, user, emoji));
    }

    /// Takes a person's reaction back.
    pub fn unreact(&self, channel: u64, message: u64, user: u64, emoji: &str) {
        self.change(|world| world.unreact(channel, message, user, emoji));
    }

    /// Pins a message, as a person who may; false if the channel has 250 pins already.
    pub fn pin(&self, channel: u64, message: u64, user: u64) -> bool {
        self.change(|world| world.pin(channel, message, user).is_ok())
    }

    /// Takes a pin away.
    pub fn unpin(&self, channel: u64, message: u64) {
        self.change(|world| world.unpin(channel, message));
    }

    /// A person begins to type.
    pub fn start_typing(&self, channel: u64, user: u64) {
        self.change(|world| world.type_in(channel, user));
    }

    /// Starts a thread as a person; the kind names its parent.
    pub fn start_thread(&self, user: u64, name: &str, kind: ChannelKind) -> u64 {
        self.change(|world| {
            let id = world.next_id();
            world.start_thread(id, name, kind, user, Map::new());
            id
        })
    }

    /// Posts in a forum as a person; gives the post's thread.
    pub fn post_in_forum(&self, forum: u64, user: u64, name: &str, content: &str) -> u64 {
        self.change(|world| {
            let extra = json!({ "author": wire::user(world, user) });
            world.post_in_forum(forum, name, Map::new(), &[], &text(content), &extra)
        })
    }

    /// Brings a person into a thread.
    pub fn join_thread(&self, thread: u64, user: u64) {
        self.change(|world| world.join_thread(thread, user));
    }

    /// Makes a webhook as a person; gives its id and its token.
    pub fn add_webhook(&self, channel: u64, user: u64, name: &str) -> (u64, String) {
        self.change(|world| {
            let id = world.add_webhook(channel, name, user);
            (id, world.webhooks.get(&id).map(|webhook| webhook.token.clone()).unwrap_or_default())
        })
    }

    /// Moves Discord's clock on: what exists is that much older. For what depends on a message's age; limits and
    /// deadlines go by real time.
    pub fn pass_time(&self, time: Duration) {
        self.change(|world| world.clock_ahead += time);
    }
}

fn text(content: &str) -> Body {
    Body { content: Some(content.to_owned()), allowed: everything(), ..Body::default() }
}

fn post(world: &mut World, channel: u64, user: u64, content: &str, mut extra: Value) -> u64 {
    extra["author"] = wire::user(world, user);
    let message = build(world, channel, &text(content), &extra);
    let id = message.id;
    world.keep_message(channel, message, false);
    id
}
