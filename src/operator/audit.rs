//! `guildwire audit`: who did what, when and from where, for the operator.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::open_store;
use crate::cli::Audit;
use crate::domain::audit::{Actor, Entry};
use crate::domain::text::plain;
use crate::settings::Settings;

/// How much of a line's details is shown, in UTF-16 units; `--json` shows all.
const DETAILS_LIMIT: usize = 300;

/// The latest lines, as text or JSON.
pub async fn audit(settings: &Settings, audit: &Audit) -> anyhow::Result<String> {
    let entries = open_store(settings).await?.audit(audit.account.as_ref(), audit.limit.get()).await?;
    if audit.json {
        let lines: Vec<Value> = entries.iter().map(as_json).collect();
        return Ok(format!("{:#}\n", Value::Array(lines)));
    }
    if entries.is_empty() {
        return Ok(match &audit.account {
            Some(account) => format!("Nothing that was done to {account} is noted.\n"),
            None => "Nothing is noted so far.\n".to_owned(),
        });
    }
    let mut text = String::new();
    for entry in &entries {
        writeln!(text, "{}", line(entry))?;
    }
    Ok(text)
}

fn line(Entry { by, act }: &Entry) -> String {
    let mut line = format!("{}  {}  {}", by.at.second(), who(by.actor), act.action.name());
    if let Some(account) = &act.account {
        line = format!("{line}  account {account}");
    }
    if let Some(guild) = act.guild {
        line = format!("{line}  guild {guild}");
    }
    if !act.details.is_empty() {
        line = format!("{line}  ({})", plain(&act.details, DETAILS_LIMIT, "?"));
    }
    line
}

fn who(actor: Actor) -> String {
    match actor {
        Actor::Person { user, guild } => format!("user {user} in guild {guild}"),
        Actor::Operator => "operator".to_owned(),
        Actor::Settings => "settings".to_owned(),
        Actor::Guildwire => "guildwire".to_owned(),
    }
}

fn as_json(Entry { by, act }: &Entry) -> Value {
    let (actor, user, from) = match by.actor {
        Actor::Person { user, guild } => ("person", Some(user.to_string()), Some(guild.to_string())),
        Actor::Operator => ("operator", None, None),
        Actor::Settings => ("settings", None, None),
        Actor::Guildwire => ("guildwire", None, None),
    };
    json!({
        "at": by.at.rfc3339(), "actor": actor, "user": user, "from_guild": from, "action": act.action.name(),
        "account": act.account, "guild": act.guild.map(|guild| guild.to_string()), "details": act.details,
    })
}
