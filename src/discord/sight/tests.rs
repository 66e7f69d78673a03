//! What is seen of channels, from the events that the gateway sends.

use std::sync::Arc;

use serde_json::{Value, json};
use serenity::cache::{Cache, CacheUpdate};
use serenity::model::event::{ChannelDeleteEvent, GuildCreateEvent, GuildDeleteEvent, ReadyEvent, ThreadDeleteEvent};

use super::*;

const GUILD: GuildId = GuildId(1 << 22);
const OTHER: GuildId = GuildId(2 << 22);
const CHANNEL: ChannelId = ChannelId(10);
const HIDDEN: ChannelId = ChannelId(11);
const THREAD: ChannelId = ChannelId(12);
const ELSEWHERE: ChannelId = ChannelId(99);

/// View, send, send in threads and embed.
const NEEDED: u64 = 1 << 10 | 1 << 11 | 1 << 14 | 1 << 38;

fn user() -> Value {
    json!({ "id": "7", "username": "guildwire", "discriminator": "0", "avatar": null, "bot": true })
}

fn channel(id: ChannelId, denied: u64) -> Value {
    let overwrite = json!({ "id": "7", "type": 1, "allow": "0", "deny": denied.to_string() });
    json!({
        "id": id.to_string(), "guild_id": GUILD.to_string(), "type": 0, "name": "c", "position": 0,
        "permission_overwrites": [overwrite],
    })
}

fn guild() -> Value {
    let thread = json!({
        "id": THREAD.to_string(), "guild_id": GUILD.to_string(), "type": 11, "name": "t", "position": 0,
        "permission_overwrites": [], "parent_id": CHANNEL.to_string(),
    });
    let everyone = json!({
        "id": GUILD.to_string(), "name": "@everyone", "color": 0, "colors": { "primary_color": 0 }, "hoist": false, "managed": false,
        "mentionable": false, "permissions": NEEDED.to_string(), "position": 0,
    });
    let member = json!({ "user": user(), "roles": [], "joined_at": "2020-01-01T00:00:00Z", "deaf": false, "mute": false, "flags": 0 });
    json!({
        "id": GUILD.to_string(), "name": "g", "owner_id": "8", "afk_timeout": 60, "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "roles": [everyone], "emojis": [],
        "features": [], "mfa_level": 0, "system_channel_flags": 0, "premium_tier": 0, "preferred_locale": "en-US",
        "nsfw_level": 0, "stickers": [], "premium_progress_bar_enabled": false, "joined_at": "2020-01-01T00:00:00Z",
        "large": false, "member_count": 1, "voice_states": [], "members": [member], "presences": [],
        "channels": [channel(CHANNEL, 0), channel(HIDDEN, 1 << 10)], "threads": [thread], "stage_instances": [],
        "guild_scheduled_events": [],
    })
}

fn update<E: CacheUpdate + serde::de::DeserializeOwned>(cache: &Cache, event: Value) {
    cache.update(&mut serde_json::from_value::<E>(event).unwrap());
}

/// A gateway that has shown one guild.
fn connected() -> (Arc<Cache>, Sight) {
    let (cache, sight) = (Arc::new(Cache::new()), Sight::default());
    sight.begin(Guilds::new(Arc::clone(&cache)), 1);
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Unknown, "not connected so far");
    update::<ReadyEvent>(
        &cache,
        json!({
            "v": 10, "user": user(), "guilds": [{ "id": GUILD.to_string(), "unavailable": true }], "session_id": "s",
            "resume_gateway_url": "ws://x", "application": { "id": "7", "flags": 0 },
        }),
    );
    sight.shard_began(0, [GUILD].into());
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Unknown, "its guild is still to come");
    update::<GuildCreateEvent>(&cache, guild());
    sight.guild_joined(GUILD);
    (cache, sight)
}

#[test]
fn what_a_connected_shard_shows_is_seen() {
    let (_cache, sight) = connected();
    let lacking = Seen::Lacking(vec!["View Channel"]);
    assert_eq!(sight.channel(CHANNEL), Some(Seen::Open));
    assert_eq!(sight.channel(HIDDEN), Some(lacking.clone()));
    assert_eq!(sight.channel(THREAD), None, "threads are looked for in their guild");
    assert_eq!(sight.channel_in(GUILD, THREAD, true), Seen::Open);
    assert_eq!(sight.channel_in(GUILD, ELSEWHERE, false), Seen::Gone(DELETED));
    assert_eq!(sight.channel_in(GUILD, ELSEWHERE, true), Seen::Unknown, "a thread may be archived");
    assert_eq!(sight.channel_in(OTHER, ELSEWHERE, true), Seen::Gone(REMOVED));

    sight.shard_goes_on(0, false);
    assert_eq!(sight.channel(HIDDEN), Some(Seen::Unknown), "the picture may be old");
    sight.shard_goes_on(0, true);
    assert_eq!(sight.channel(HIDDEN), Some(lacking));
    sight.end();
    assert_eq!((sight.channel(CHANNEL), sight.channel_in(OTHER, CHANNEL, false)), (None, Seen::Unknown));
}

#[test]
fn an_outage_is_no_removal() {
    let (cache, sight) = connected();
    update::<GuildDeleteEvent>(&cache, json!({ "id": GUILD.to_string(), "unavailable": true }));
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Unknown);
    update::<GuildDeleteEvent>(&cache, json!({ "id": GUILD.to_string() }));
    sight.guild_left(GUILD);
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Gone(REMOVED));
}

#[test]
fn what_follows_a_sessions_beginning_may_be_handled_before_it() {
    let (cache, sight) = connected();
    let other = json!({ "id": OTHER.to_string(), "channels": [], "threads": [] });
    let mut other_guild = guild();
    other_guild.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    // Another session, in which the one guild is left and the other joined at once.
    sight.shard_goes_on(0, false);
    update::<GuildCreateEvent>(&cache, other_guild);
    sight.guild_joined(OTHER);
    sight.guild_left(GUILD);
    assert_eq!(sight.channel_in(OTHER, ELSEWHERE, true), Seen::Unknown, "not connected so far");
    sight.shard_began(0, [GUILD].into());
    assert_eq!(sight.channel_in(OTHER, ELSEWHERE, true), Seen::Unknown, "a thread may be archived");
    assert_eq!(sight.channel_in(OTHER, ELSEWHERE, false), Seen::Gone(DELETED));
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Gone(REMOVED));
    // What was told of the one session says nothing of the next.
    sight.shard_goes_on(0, false);
    sight.shard_began(0, BTreeSet::new());
    assert_eq!(sight.channel_in(OTHER, ELSEWHERE, true), Seen::Gone(REMOVED));
}

#[test]
fn a_deleted_channel_takes_its_threads_along() {
    let (cache, sight) = connected();
    update::<ChannelDeleteEvent>(&cache, channel(CHANNEL, 0));
    assert_eq!(sight.channel_in(GUILD, CHANNEL, false), Seen::Gone(DELETED));
    assert_eq!(sight.channel_in(GUILD, THREAD, true), Seen::Gone(DELETED));
    update::<ThreadDeleteEvent>(
        &cache,
        json!({ "id": THREAD.to_string(), "guild_id": GUILD.to_string(), "parent_id": CHANNEL.to_string(), "type": 11 }),
    );
    assert_eq!(sight.channel_in(GUILD, THREAD, true), Seen::Unknown);
}

#[test]
fn what_was_disproved_is_not_believed_again() {
    let (_cache, sight) = connected();
    sight.disprove(HIDDEN);
    sight.disprove(CHANNEL);
    assert_eq!(sight.channel(HIDDEN), Some(Seen::Open));
    assert_eq!(sight.channel(CHANNEL), Some(Seen::Open));
}

#[tokio::test]
async fn changes_are_told_together() {
    let sight = Sight::default();
    sight.changed(GUILD, Some(CHANNEL));
    sight.changed(GUILD, None);
    sight.thread_deleted(OTHER, THREAD);
    sight.guild_joined(OTHER);
    let wanted = Changes {
        everywhere: false,
        guilds: BTreeMap::from([(GUILD, [CHANNEL].into()), (OTHER, BTreeSet::new())]),
        joined: [OTHER].into(),
        deleted_threads: [THREAD].into(),
    };
    assert_eq!(sight.changes().await, wanted);
    sight.shard_began(0, BTreeSet::new());
    assert!(sight.changes().await.everywhere);

    // What a shard tells while it resumes is looked at before that counts.
    sight.shard_goes_on(0, false);
    sight.changed(GUILD, Some(CHANNEL));
    assert!(!sight.changes().await.everywhere);
    sight.shard_goes_on(0, true);
    assert!(sight.take_changes().everywhere);
}
