//! Changes as the gateway events they are (<https://discord.com/developers/docs/events/gateway-events>). All of them go
//! through [`World::dispatch`], which knows who may hear them.

use serde_json::{Value, json};

use crate::rules::mentions::snowflake;
use crate::wire;
use crate::world::World;

impl World {
    /// An event about something inside of a channel, with the guild's id. Of a private thread that the bot cannot see it
    /// hears nothing.
    pub(crate) fn tell(&mut self, channel: u64, event: &str, mut data: Value) {
        let Some(of) = self.channels.get(&channel) else { return };
        if of.kind.is_thread() && !wire::sees_thread(self, of) {
            return;
        }
        let guild = of.guild;
        if guild != 0 {
            data["guild_id"] = json!(guild.to_string());
        }
        self.dispatch(guild, event, &data);
    }

    /// The member who wrote a message, which events carry beside the author. A webhook is no member.
    pub(crate) fn add_author(&self, channel: u64, data: &mut Value) {
        let guild = self.channels.get(&channel).and_then(|channel| self.guilds.get(&channel.guild));
        if let (Some(guild), Some(author)) = (guild, snowflake(&data["author"]["id"]))
            && guild.members.contains_key(&author)
        {
            data["member"] = wire::member(self, guild, author, false);
        }
    }

    /// `GUILD_CREATE`: the bot joined, or an outage ended.
    pub(crate) fn announce_guild(&mut self, guild: u64) {
        if let Some(guild) = self.guilds.get(&guild) {
            let (id, create) = (guild.id, wire::guild_create(self, guild));
            self.dispatch(id, "GUILD_CREATE", &create);
        }
    }

    /// `CHANNEL_CREATE`, `_UPDATE` or `_DELETE`; of a thread `THREAD_…`.
    pub(crate) fn announce_channel(&mut self, channel: u64, what: &str) {
        let Some(channel) = self.channels.get(&channel) else { return };
        let (guild, thread) = (channel.guild, channel.kind.is_thread());
        let mut data = wire::channel(self, channel);
        if thread && what == "CREATE" {
            data["newly_created"] = json!(true);
        }
        if thread && what == "DELETE" {
            // <https://discord.com/developers/docs/events/gateway-events#thread-delete>
            data = json!({
                "id": data["id"], "guild_id": data["guild_id"], "parent_id": data["parent_id"], "type": data["type"],
            });
        }
        let event = format!("{}_{what}", if thread { "THREAD" } else { "CHANNEL" });
        self.dispatch(guild, &event, &data);
    }

    /// `GUILD_ROLE_CREATE` or `GUILD_ROLE_UPDATE`.
    pub(crate) fn announce_role(&mut self, guild: u64, role: u64, event: &str) {
        let Some(of) = self.guilds.get(&guild) else { return };
        let Some(role) = of.role(role) else { return };
        let data = json!({ "guild_id": guild.to_string(), "role": wire::role(of, role) });
        self.dispatch(guild, event, &data);
    }

    /// `GUILD_MEMBER_ADD` or `GUILD_MEMBER_UPDATE`.
    pub(crate) fn announce_member(&mut self, guild: u64, user: u64, event: &str) {
        let Some(of) = self.guilds.get(&guild).filter(|guild| guild.members.contains_key(&user)) else { return };
        let mut data = wire::member(self, of, user, true);
        data["guild_id"] = json!(guild.to_string());
        self.dispatch(guild, event, &data);
    }

    /// `CHANNEL_PINS_UPDATE`, with the time of the newest pin.
    pub(crate) fn announce_pins(&mut self, channel: u64) {
        let newest = self.channels.get(&channel).and_then(|channel| channel.pins.last()).map(|pin| pin.at);
        let data = json!({ "channel_id": channel.to_string(), "last_pin_timestamp": newest.map(wire::timestamp) });
        self.tell(channel, "CHANNEL_PINS_UPDATE", data);
    }

    /// `THREAD_MEMBERS_UPDATE`: who came and who left.
    pub(crate) fn announce_thread_members(&mut self, thread: u64, added: &[u64], removed: &[u64]) {
        let Some(count) = self.channels.get(&thread).and_then(|channel| channel.thread.as_ref()) else { return };
        let added: Vec<Value> =
            added.iter().filter_map(|&user| wire::thread_member(self, thread, user, true)).collect();
        let data = json!({
            "id": thread.to_string(), "member_count": count.members.len().min(50), "added_members": added,
            "removed_member_ids": removed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        self.tell(thread, "THREAD_MEMBERS_UPDATE", data);
    }

    /// `WEBHOOKS_UPDATE`: something about a channel's webhooks changed; not what.
    pub(crate) fn announce_webhooks(&mut self, channel: u64) {
        self.tell(channel, "WEBHOOKS_UPDATE", json!({ "channel_id": channel.to_string() }));
    }
}
