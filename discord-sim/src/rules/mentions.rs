//! `allowed_mentions`, and who a message really notifies
//! (<https://discord.com/developers/docs/resources/message#allowed-mentions-object>).
//!
//! Only `content` is read: mentions inside embeds notify nobody. Markdown is not: a mention behind a backslash or in a
//! code block counts as one, so that a test which finds none can be sure.

use serde_json::Value;

use crate::permissions::{self, MENTION_EVERYONE};
use crate::refusal::Faults;
use crate::world::World;

const IDS: usize = 100;

/// What a body allows. Without `allowed_mentions` everything is.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are the switches of Discord's object, one for one")]
pub(crate) struct Allowed {
    all_users: bool,
    all_roles: bool,
    everyone: bool,
    users: Vec<u64>,
    roles: Vec<u64>,
    /// Whether a reply notifies who wrote the other message.
    pub(crate) replied_user: bool,
}

/// Whom a message names and whom it notifies.
#[derive(Debug, Default)]
pub(crate) struct Notified {
    pub(crate) users: Vec<u64>,
    pub(crate) roles: Vec<u64>,
    pub(crate) everyone: bool,
}

/// What a body without `allowed_mentions` allows.
pub(crate) fn everything() -> Allowed {
    let (users, roles) = (Vec::new(), Vec::new());
    Allowed { all_users: true, all_roles: true, everyone: true, users, roles, replied_user: true }
}

/// Checks `allowed_mentions`.
pub(crate) fn check(allowed: Option<&Value>, faults: &mut Faults) -> Allowed {
    let given = match allowed {
        None | Some(Value::Null) => return everything(),
        Some(Value::Object(given)) => given,
        Some(_) => {
            faults.add("allowed_mentions", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
            return everything();
        }
    };
    let parse: Vec<&str> = given
        .get("parse")
        .and_then(Value::as_array)
        .map_or_else(Vec::new, |list| list.iter().filter_map(Value::as_str).collect());
    for (at, unknown) in parse.iter().enumerate().filter(|(_, kind)| !["users", "roles", "everyone"].contains(*kind)) {
        faults.add(
            format!("allowed_mentions.parse.{at}"),
            "BASE_TYPE_CHOICES",
            format!("Value \"{unknown}\" must be one of ('users', 'roles', 'everyone')."),
        );
    }
    let mut ids = |key: &str| {
        let list = given.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        if list.len() > IDS {
            faults.too_long(format!("allowed_mentions.{key}"), IDS);
        }
        if !list.is_empty() && parse.contains(&key) {
            faults.add(
                "allowed_mentions",
                "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
                format!("parse:[\"{key}\"] and {key}: [ids...] are mutually exclusive."),
            );
        }
        let mut read = Vec::new();
        for (at, id) in list.iter().enumerate() {
            match snowflake(id) {
                Some(id) => read.push(id),
                None => faults.add(
                    format!("allowed_mentions.{key}.{at}"),
                    "NUMBER_TYPE_COERCE",
                    format!("Value {id} is not snowflake."),
                ),
            }
        }
        read
    };
    let (users, roles) = (ids("users"), ids("roles"));
    Allowed {
        all_users: parse.contains(&"users"),
        all_roles: parse.contains(&"roles"),
        everyone: parse.contains(&"everyone"),
        users,
        roles,
        replied_user: given.get("replied_user").and_then(Value::as_bool).unwrap_or_default(),
    }
}

/// An id as Discord takes it: a decimal string, or a number.
pub(crate) fn snowflake(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// Whom this content notifies in this channel, sent by the bot.
pub(crate) fn notified(world: &World, channel: u64, content: &str, allowed: &Allowed) -> Notified {
    let Some(guild) = world.channels.get(&channel).and_then(|channel| world.guilds.get(&channel.guild)) else {
        return Notified::default();
    };
    let may_mention_all = permissions::in_channel(world, world.bot, channel) & MENTION_EVERYONE != 0;
    let users = ids_after(content, "<@")
        .into_iter()
        .filter(|user| (allowed.all_users || allowed.users.contains(user)) && guild.members.contains_key(user))
        .collect();
    let roles = ids_after(content, "<@&")
        .into_iter()
        .filter(|id| allowed.all_roles || allowed.roles.contains(id))
        .filter(|&id| id != guild.id)
        .filter(|&id| guild.roles.iter().any(|role| role.id == id && (role.mentionable || may_mention_all)))
        .collect();
    let named_everyone = content.contains("@everyone") || content.contains("@here");
    Notified { users, roles, everyone: named_everyone && allowed.everyone && may_mention_all }
}

/// The ids in `<@1>`, `<@!1>` or `<@&1>`, each once.
fn ids_after(content: &str, opening: &str) -> Vec<u64> {
    let mut ids = Vec::new();
    for part in content.split(opening).skip(1) {
        let part = if opening == "<@" { part.strip_prefix('!').unwrap_or(part) } else { part };
        let Some((id, _)) = part.split_once('>') else { continue };
        if let Ok(id) = id.parse::<u64>()
            && !ids.contains(&id)
        {
            ids.push(id);
        }
    }
    ids
}
