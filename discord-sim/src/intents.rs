//! Which events a session asked for with its intents, and what of a message it may read
//! (<https://discord.com/developers/docs/events/gateway#list-of-intents>).

use serde_json::{Value, json};

/// Guilds, roles, channels, threads.
pub(crate) const GUILDS: u64 = 1;
/// Members joining, changing, leaving. Privileged.
pub(crate) const GUILD_MEMBERS: u64 = 1 << 1;
/// Presences. Privileged.
pub(crate) const GUILD_PRESENCES: u64 = 1 << 8;
/// What messages of others say. Privileged; no event needs it, see [`readable`].
pub(crate) const MESSAGE_CONTENT: u64 = 1 << 15;

/// Those that an application has to be granted
/// (<https://discord.com/developers/docs/events/gateway#privileged-intents>).
pub(crate) const PRIVILEGED: u64 = GUILD_MEMBERS | GUILD_PRESENCES | MESSAGE_CONTENT;

/// Every intent there is.
pub(crate) const KNOWN: u64 = ((1 << 17) - 1) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);

/// The intents of which one is enough for this event, in a guild or in a direct conversation; nothing if every session
/// gets it. `own` is whether the event is about the bot's own member, which it always hears of.
pub(crate) fn covering(event: &str, direct: bool, own: bool) -> Option<u64> {
    let of = |guild: u64, in_direct: u64| Some(1 << if direct { in_direct } else { guild });
    match event {
        "GUILD_MEMBER_UPDATE" if own => None,
        "THREAD_MEMBERS_UPDATE" if own => Some(GUILDS | GUILD_MEMBERS),
        "GUILD_MEMBER_ADD" | "GUILD_MEMBER_UPDATE" | "GUILD_MEMBER_REMOVE" | "THREAD_MEMBERS_UPDATE" => {
            Some(GUILD_MEMBERS)
        }
        "CHANNEL_PINS_UPDATE" => of(0, 12),
        "GUILD_CREATE" | "GUILD_UPDATE" | "GUILD_DELETE" => Some(GUILDS),
        "GUILD_AUDIT_LOG_ENTRY_CREATE" | "GUILD_BAN_ADD" | "GUILD_BAN_REMOVE" => Some(1 << 2),
        "GUILD_EMOJIS_UPDATE" | "GUILD_STICKERS_UPDATE" => Some(1 << 3),
        "WEBHOOKS_UPDATE" => Some(1 << 5),
        "INVITE_CREATE" | "INVITE_DELETE" => Some(1 << 6),
        "VOICE_STATE_UPDATE" | "VOICE_CHANNEL_EFFECT_SEND" => Some(1 << 7),
        "PRESENCE_UPDATE" => Some(GUILD_PRESENCES),
        "MESSAGE_CREATE" | "MESSAGE_UPDATE" | "MESSAGE_DELETE" | "MESSAGE_DELETE_BULK" => of(9, 12),
        "TYPING_START" => of(11, 14),
        "AUTO_MODERATION_ACTION_EXECUTION" => Some(1 << 21),
        _ if event.starts_with("MESSAGE_REACTION_") => of(10, 13),
        _ if event.starts_with("MESSAGE_POLL_VOTE_") => of(24, 25),
        _ if event.starts_with("GUILD_ROLE_") => Some(GUILDS),
        _ if event.starts_with("CHANNEL_") || event.starts_with("THREAD_") => Some(GUILDS),
        _ if event.starts_with("STAGE_INSTANCE_") => Some(GUILDS),
        _ if event.starts_with("GUILD_SOUNDBOARD_SOUND") => Some(1 << 3),
        _ if event.starts_with("INTEGRATION_") || event == "GUILD_INTEGRATIONS_UPDATE" => Some(1 << 4),
        _ if event.starts_with("GUILD_SCHEDULED_EVENT_") => Some(1 << 16),
        _ if event.starts_with("AUTO_MODERATION_RULE_") => Some(1 << 20),
        // INTERACTION_CREATE, GUILD_MEMBERS_CHUNK, USER_UPDATE, VOICE_SERVER_UPDATE, ENTITLEMENT_…: always sent.
        _ => None,
    }
}

/// Whether the event tells of something in a channel that only those hear of who can see the channel.
pub(crate) fn needs_sight(event: &str) -> bool {
    event.starts_with("MESSAGE_") || event == "TYPING_START"
}

/// The message as an application reads it that was not granted `MESSAGE_CONTENT`: nothing of what others typed, unless
/// it is the bot's own, in a direct conversation (without `guild_id`), or mentions the bot
/// (<https://discord.com/developers/docs/events/gateway#message-content-intent>).
pub(crate) fn readable(message: &Value, bot: u64) -> Value {
    let bot = bot.to_string();
    let is_bot = |user: &Value| user["id"] == bot.as_str();
    let own = is_bot(&message["author"]) || message["application_id"] == bot.as_str();
    let mentioned = message["mentions"].as_array().is_some_and(|users| users.iter().any(is_bot));
    let mut message = message.clone();
    if !own && !mentioned {
        for (key, empty) in
            [("content", json!("")), ("embeds", json!([])), ("attachments", json!([])), ("components", json!([]))]
        {
            if message.get(key).is_some() {
                message[key] = empty;
            }
        }
        if let Some(fields) = message.as_object_mut() {
            fields.remove("poll");
            fields.remove("message_snapshots");
        }
    }
    if message["referenced_message"].is_object() {
        message["referenced_message"] = readable(&message["referenced_message"], bot.parse().unwrap_or_default());
    }
    message
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use crate::options::Options;
    use crate::sessions::{Connection, Outgoing};
    use crate::sim::Sim;
    use crate::world::ChannelKind;

    struct House {
        sim: Sim,
        guild: u64,
        channel: u64,
    }

    impl House {
        async fn new() -> Self {
            let sim = Sim::start(Options::default()).await.unwrap();
            let guild = sim.add_guild("Rustaceans");
            let channel = sim.add_channel(guild, "events", ChannelKind::Text);
            Self { sim, guild, channel }
        }

        fn session(&self, shard: (u64, u64), intents: u64) -> UnboundedReceiver<Outgoing> {
            let (sender, received) = unbounded_channel();
            self.sim.change(|world| {
                let (id, number) = (world.random_token(), world.sessions.next_connection());
                world.sessions.add(id, shard, intents, Connection { number, sender });
            });
            received
        }

        /// What a session with these intents gets of this event.
        fn heard(&self, intents: u64, event: &str, data: &Value) -> Option<Value> {
            let mut received = self.session((0, 1), intents);
            self.sim.change(|world| world.dispatch(self.guild, event, data));
            match received.try_recv() {
                Ok(Outgoing::Text(text)) => Some(serde_json::from_str::<Value>(&text).unwrap()["d"].clone()),
                _ => None,
            }
        }

        fn message(&self) -> Value {
            json!({
                "id": "1", "channel_id": self.channel.to_string(), "guild_id": self.guild.to_string(), "content": "hello",
                "author": { "id": "5" }, "mentions": [], "embeds": [{}], "attachments": [{}], "components": [{}],
            })
        }
    }

    #[tokio::test]
    async fn each_event_goes_only_to_who_asked_for_it() {
        let house = House::new().await;
        for (event, bit) in [
            ("CHANNEL_UPDATE", 0),
            ("THREAD_CREATE", 0),
            ("CHANNEL_PINS_UPDATE", 0),
            ("GUILD_ROLE_CREATE", 0),
            ("GUILD_MEMBER_ADD", 1),
            ("GUILD_BAN_ADD", 2),
            ("GUILD_EMOJIS_UPDATE", 3),
            ("GUILD_INTEGRATIONS_UPDATE", 4),
            ("WEBHOOKS_UPDATE", 5),
            ("INVITE_CREATE", 6),
            ("VOICE_STATE_UPDATE", 7),
            ("PRESENCE_UPDATE", 8),
            ("MESSAGE_CREATE", 9),
            ("MESSAGE_DELETE_BULK", 9),
            ("MESSAGE_REACTION_ADD", 10),
            ("TYPING_START", 11),
            ("GUILD_SCHEDULED_EVENT_CREATE", 16),
            ("AUTO_MODERATION_RULE_CREATE", 20),
            ("AUTO_MODERATION_ACTION_EXECUTION", 21),
            ("MESSAGE_POLL_VOTE_ADD", 24),
        ] {
            assert!(house.heard(1 << bit, event, &json!({})).is_some(), "{event} is covered by bit {bit}");
            assert!(house.heard(!(1 << bit), event, &json!({})).is_none(), "{event} is covered by bit {bit} alone");
        }
        for event in ["INTERACTION_CREATE", "USER_UPDATE"] {
            assert!(house.heard(0, event, &json!({})).is_some(), "{event} is always sent");
        }
        let own = json!({ "user": { "id": house.sim.bot().to_string() } });
        assert!(house.heard(0, "GUILD_MEMBER_UPDATE", &own).is_some(), "the bot hears of its own member");
    }

    #[tokio::test]
    async fn each_shard_hears_of_its_own_guilds() {
        let house = House::new().await;
        let mine = (house.guild >> 22) % 2;
        let (mut own, mut other) = (house.session((mine, 2), 1), house.session((1 - mine, 2), 1));
        house.sim.rename_channel(house.channel, "renamed");
        assert!(own.try_recv().is_ok() && other.try_recv().is_err());
        let (mut first, mut second) = (house.session((0, 2), 1 << 12), house.session((1, 2), 1 << 12));
        house.sim.change(|world| world.dispatch(0, "MESSAGE_CREATE", &json!({})));
        assert!(first.try_recv().is_ok() && second.try_recv().is_err(), "direct messages are the first shard's");
    }

    #[tokio::test]
    async fn without_message_content_only_own_direct_and_mentioning_messages_can_be_read() {
        let house = House::new().await;
        let without = |data: &Value| house.heard(1 << 9, "MESSAGE_CREATE", data).unwrap();
        let message = house.message();
        let empty = without(&message);
        for (key, value) in
            [("content", json!("")), ("embeds", json!([])), ("attachments", json!([])), ("components", json!([]))]
        {
            assert_eq!(empty[key], value);
        }
        assert_eq!(house.heard((1 << 9) | (1 << 15), "MESSAGE_CREATE", &message), Some(message.clone()));
        let bot = json!({ "id": house.sim.bot().to_string() });
        let mut own = message.clone();
        own["author"] = bot.clone();
        assert_eq!(without(&own), own);
        let mut mentioning = message.clone();
        mentioning["mentions"] = json!([bot]);
        assert_eq!(without(&mentioning), mentioning);
        let mut answer = own;
        answer["referenced_message"] = message;
        assert_eq!(without(&answer)["referenced_message"]["content"], "");
        assert_eq!(without(&answer)["content"], "hello");
    }

    #[tokio::test]
    async fn messages_in_a_channel_that_the_bot_cannot_see_are_not_told() {
        let house = House::new().await;
        house.sim.deny(house.channel, 1 << 10);
        assert!(house.heard(1 << 9, "MESSAGE_CREATE", &house.message()).is_none());
    }
}
