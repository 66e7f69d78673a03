//! The JSON of Discord's objects, complete enough for the typed models of client libraries.

use std::time::SystemTime;

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::permissions;
use crate::world::{Channel, ChannelKind, Guild, Role, Webhook, World};

/// A time as Discord writes it.
pub(crate) fn timestamp(at: SystemTime) -> String {
    to_the_microsecond(at).format(&Rfc3339).unwrap_or_default()
}

/// A time as exact as it is written, for comparing it with one that came back.
pub(crate) fn to_the_microsecond(at: SystemTime) -> OffsetDateTime {
    let at = OffsetDateTime::from(at);
    at.replace_nanosecond(at.microsecond() * 1000).unwrap_or(at)
}

pub(crate) fn user(world: &World, id: u64) -> Value {
    let (name, bot) = world.users.get(&id).map_or(("Deleted User", false), |user| (user.name.as_str(), user.bot));
    json!({
        "id": id.to_string(), "username": name, "discriminator": if bot { "0001" } else { "0" },
        "global_name": if bot { Value::Null } else { json!(name) }, "avatar": null, "bot": bot, "system": false,
        "banner": null, "accent_color": null, "public_flags": 0, "flags": 0, "avatar_decoration_data": null, "primary_guild": null,
    })
}

/// The bot's own user, with the fields only its owner sees.
pub(crate) fn current_user(world: &World) -> Value {
    let mut me = user(world, world.bot);
    for (key, value) in [
        ("mfa_enabled", json!(true)),
        ("locale", json!("en-US")),
        ("verified", json!(true)),
        ("email", Value::Null),
        ("flags", json!(0)),
        ("premium_type", json!(0)),
    ] {
        me[key] = value;
    }
    me
}

pub(crate) fn application(world: &World) -> Value {
    json!({
        "id": world.bot.to_string(), "name": "guildwire", "icon": null, "description": "", "bot_public": true,
        "bot_require_code_grant": false, "rpc_origins": [], "verify_key": "0".repeat(64), "team": null, "owner": {
            "id": "1", "username": "operator", "discriminator": "0", "global_name": null, "avatar": null,
            "public_flags": 0, "flags": 0, "primary_guild": null,
        },
        "flags": 0, "flags_new": "0", "type": null, "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0, "explicit_content_filter": 0, "eligible_oauth2_scopes": [],
        "bot": user(world, world.bot), "redirect_uris": [], "interactions_endpoint_url": null,
        "role_connections_verification_url": null, "approximate_guild_count": world.guilds.len(), "summary": "",
        "integration_types_config": { "0": {} },
    })
}

pub(crate) fn role(guild: &Guild, role: &Role) -> Value {
    let position = guild.roles.iter().position(|other| other.id == role.id).unwrap_or_default();
    json!({
        "id": role.id.to_string(), "name": role.name, "color": role.color, "description": null,
        "colors": { "primary_color": role.color, "secondary_color": null, "tertiary_color": null },
        "hoist": role.hoist, "icon": null, "unicode_emoji": null, "position": position,
        "permissions": role.permissions.to_string(), "managed": role.managed, "mentionable": role.mentionable, "flags": 0,
    })
}

/// A member without `user`, as inside messages; `with_user` adds it.
pub(crate) fn member(world: &World, guild: &Guild, id: u64, with_user: bool) -> Value {
    let member = guild.members.get(&id);
    let roles: Vec<String> = member.iter().flat_map(|member| &member.roles).map(ToString::to_string).collect();
    let joined_at = member.map_or(SystemTime::UNIX_EPOCH, |member| member.joined_at);
    let mut value = json!({
        "nick": member.and_then(|member| member.nick.as_deref()), "avatar": null, "banner": null, "roles": roles,
        "joined_at": timestamp(joined_at), "premium_since": null, "deaf": false, "mute": false, "flags": 0,
        "pending": false, "avatar_decoration_data": null,
        "communication_disabled_until": member.and_then(|member| member.timed_out_until).map(timestamp),
    });
    if with_user {
        value["user"] = user(world, id);
    }
    value
}

pub(crate) fn overwrites(channel: &Channel) -> Value {
    let overwrite = |overwrite: &crate::world::Overwrite| {
        json!({
            "id": overwrite.id.to_string(), "type": u8::from(overwrite.member),
            "allow": overwrite.allow.to_string(), "deny": overwrite.deny.to_string(),
        })
    };
    channel.overwrites.iter().map(overwrite).collect()
}

pub(crate) fn channel(world: &World, channel: &Channel) -> Value {
    let last_message = channel.last_message.map(|id| id.to_string());
    let last_pin = channel.pins.last().map(|pin| timestamp(pin.at));
    if let ChannelKind::Direct { user: other } = channel.kind {
        return json!({
            "id": channel.id.to_string(), "type": 1, "last_message_id": last_message, "flags": 0,
            "recipients": [user(world, other)], "last_pin_timestamp": last_pin,
        });
    }
    let mut value = json!({
        "id": channel.id.to_string(), "guild_id": channel.guild.to_string(), "name": channel.name,
        "type": channel.kind.number(), "last_message_id": last_message, "flags": 0, "last_pin_timestamp": last_pin,
        "parent_id": channel.category.map(|id| id.to_string()), "rate_limit_per_user": 0,
    });
    if let Some(thread) = &channel.thread {
        value["parent_id"] = json!(channel.kind.thread_parent().map(|id| id.to_string()));
        value["owner_id"] = json!(thread.owner.to_string());
        value["message_count"] = json!(thread.sent);
        value["total_message_sent"] = json!(thread.sent);
        // Discord stops counting there: <https://discord.com/developers/docs/resources/channel#channel-object>
        value["member_count"] = json!(thread.members.len().min(50));
        value["thread_metadata"] = thread_metadata(channel);
        let tags: Vec<String> = thread.tags.iter().map(ToString::to_string).collect();
        value["applied_tags"] = json!(tags);
        value["rate_limit_per_user"] = channel.settings.get("rate_limit_per_user").cloned().unwrap_or(json!(0));
        value["flags"] = channel.settings.get("flags").cloned().unwrap_or(json!(0));
        return value;
    }
    value["position"] = json!(channel.position);
    value["permission_overwrites"] = overwrites(channel);
    value["nsfw"] = json!(false);
    value["topic"] = Value::Null;
    if channel.kind == ChannelKind::Voice {
        value["bitrate"] = json!(64_000);
        value["user_limit"] = json!(0);
        value["rtc_region"] = Value::Null;
    }
    if channel.kind.is_forum() {
        value["available_tags"] = json!([]);
        value["default_forum_layout"] = json!(0);
        value["default_sort_order"] = Value::Null;
        value["default_reaction_emoji"] = Value::Null;
    }
    for (key, set) in &channel.settings {
        value[key] = set.clone();
    }
    value
}

fn thread_metadata(channel: &Channel) -> Value {
    let Some(thread) = &channel.thread else { return Value::Null };
    let duration = channel.settings.get("auto_archive_duration").cloned().unwrap_or(json!(4320));
    let mut value = json!({
        "archived": thread.archived, "auto_archive_duration": duration, "locked": thread.locked,
        "archive_timestamp": timestamp(thread.turned), "create_timestamp": timestamp(thread.created),
    });
    if let ChannelKind::PrivateThread { .. } = channel.kind {
        value["invitable"] = channel.settings.get("invitable").cloned().unwrap_or(json!(true));
    }
    value
}

/// A thread's member (<https://discord.com/developers/docs/resources/channel#thread-member-object>); nothing for who is
/// none.
pub(crate) fn thread_member(world: &World, thread: u64, user: u64, with_member: bool) -> Option<Value> {
    let channel = world.channels.get(&thread)?;
    let since = channel.thread.as_ref()?.members.get(&user)?;
    let mut value = json!({
        "id": thread.to_string(), "user_id": user.to_string(), "join_timestamp": timestamp(*since), "flags": 0,
    });
    if with_member && let Some(guild) = world.guilds.get(&channel.guild) {
        value["member"] = member(world, guild, user, true);
    }
    Some(value)
}

/// A webhook as the bot that made it sees it; `by_token` is for who knows no more than the token.
pub(crate) fn webhook(world: &World, webhook: &Webhook, by_token: bool) -> Value {
    let mut value = json!({
        "id": webhook.id.to_string(), "type": 1, "guild_id": webhook.guild.to_string(),
        "channel_id": webhook.channel.to_string(), "name": webhook.name, "avatar": null,
        "application_id": (webhook.creator == world.bot).then(|| world.bot.to_string()), "token": webhook.token,
        "url": format!("http://127.0.0.1:{}/api/webhooks/{}/{}", world.port, webhook.id, webhook.token),
    });
    if !by_token {
        value["user"] = user(world, webhook.creator);
    }
    value
}

/// A channel as it stands in an interaction: with the person's and the bot's permissions in it.
pub(crate) fn resolved_channel(world: &World, channel: &Channel, person: u64) -> Value {
    let parent = channel.kind.thread_parent().or(channel.category).map(|id| id.to_string());
    let mut value = json!({
        "id": channel.id.to_string(), "name": channel.name, "type": channel.kind.number(), "parent_id": parent,
        "permissions": permissions::in_channel(world, person, channel.id).to_string(),
        "app_permissions": permissions::in_channel(world, world.bot, channel.id).to_string(),
    });
    if channel.kind.is_thread() {
        value["thread_metadata"] = thread_metadata(channel);
    }
    value
}

fn guild_base(world: &World, guild: &Guild) -> Value {
    json!({
        "id": guild.id.to_string(), "name": guild.name, "icon": null, "icon_hash": null, "splash": null,
        "discovery_splash": null, "owner_id": guild.owner.to_string(), "afk_channel_id": null, "afk_timeout": 300,
        "widget_enabled": false, "widget_channel_id": null, "verification_level": 1,
        "default_message_notifications": 1, "explicit_content_filter": 0,
        "roles": guild.roles.iter().map(|of| role(guild, of)).collect::<Vec<_>>(),
        "emojis": [], "features": [], "mfa_level": 0, "application_id": null, "system_channel_id": null,
        "system_channel_flags": 0, "rules_channel_id": null, "max_presences": null, "max_members": 500_000,
        "vanity_url_code": null, "description": null, "banner": null, "premium_tier": 0,
        "premium_subscription_count": 0, "preferred_locale": "en-US", "public_updates_channel_id": null,
        "max_video_channel_users": 25, "max_stage_video_channel_users": 50, "nsfw_level": 0, "nsfw": false,
        "stickers": [], "premium_progress_bar_enabled": false, "safety_alerts_channel_id": null,
        "incidents_data": null, "region": "deprecated", "hub_type": null, "inventory_settings": null,
        "latest_onboarding_question_id": null, "home_header": null,
        "approximate_member_count": guild.members.len(), "approximate_presence_count": world.users.len(),
    })
}

/// The guild as REST answers it.
pub(crate) fn guild(world: &World, guild: &Guild) -> Value {
    guild_base(world, guild)
}

/// The guild as `GUILD_CREATE` carries it
/// (<https://discord.com/developers/docs/events/gateway-events#guild-create>).
pub(crate) fn guild_create(world: &World, guild: &Guild) -> Value {
    let of_guild = || world.channels.values().filter(|channel| channel.guild == guild.id);
    let shows_thread = |of: &Channel| of.kind.is_thread() && !of.is_archived() && sees_thread(world, of);
    let mut value = guild_base(world, guild);
    // Without the members intent only the bot itself is among the members.
    let joined_at = guild.members.get(&world.bot).map_or(SystemTime::UNIX_EPOCH, |member| member.joined_at);
    for (key, extra) in [
        ("joined_at", json!(timestamp(joined_at))),
        ("large", json!(false)),
        ("unavailable", json!(false)),
        ("member_count", json!(guild.members.len())),
        ("voice_states", json!([])),
        ("members", json!([member(world, guild, world.bot, true)])),
        ("channels", of_guild().filter(|of| !of.kind.is_thread()).map(|of| channel(world, of)).collect()),
        ("threads", of_guild().filter(|of| shows_thread(of)).map(|of| channel(world, of)).collect()),
        ("presences", json!([])),
        ("stage_instances", json!([])),
        ("guild_scheduled_events", json!([])),
        ("soundboard_sounds", json!([])),
        ("version", json!(1)),
    ] {
        value[key] = extra;
    }
    value
}

/// Whether the bot sees a thread: of a private one it must be a member, or be allowed to manage threads.
pub(crate) fn sees_thread(world: &World, channel: &Channel) -> bool {
    let permissions = permissions::in_channel(world, world.bot, channel.id);
    let joined = channel.thread.as_ref().is_some_and(|thread| thread.members.contains_key(&world.bot));
    let open = !matches!(channel.kind, ChannelKind::PrivateThread { .. });
    permissions & permissions::VIEW_CHANNEL != 0 && (open || joined || permissions & permissions::MANAGE_THREADS != 0)
}
