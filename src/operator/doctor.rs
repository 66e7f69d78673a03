//! `guildwire doctor`: tries everything that `guildwire run` needs, and says what is wrong and what to do about it.
//!
//! It changes nothing but what starting changes anyway: a database and a key are made when they are new, and the database is
//! migrated. One part that fails keeps none from being tried that does without it.

use secrecy::{ExposeSecret, SecretString};

use super::check::check_all;
use super::declared::declared;
use super::report::Report;
use super::{UNVERIFIED, counted};
use crate::commands::{self, Visit};
use crate::discord::guilds::ChannelAccess;
use crate::discord::rest::{Gateway, Rest, RestError};
use crate::domain::text::plain;
use crate::intake::{load_key, open_credential};
use crate::settings::Settings;
use crate::store::{Store, StoreError};

/// How much of a channel's name is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// Looks at everything.
pub async fn doctor(settings: &Settings) -> Report {
    let mut report = Report::default();
    report.good("settings", settings.sources());
    let store = database(&mut report, settings).await;
    let seen = discord(&mut report, settings).await;
    match &store {
        Some(store) => {
            if let Err(error) = declared(&mut report, &settings.setup, store).await {
                report.bad("setup", error.to_string());
            }
            if let Err(error) = accounts(&mut report, settings, store).await {
                report.bad("accounts", error.to_string());
            }
            if let Err(error) = channels(&mut report, store, seen.as_ref()).await {
                report.bad("channels", error.to_string());
            }
        }
        None => report.not_tried("accounts and channels", "they stand in the database"),
    }
    report
}

async fn database(report: &mut Report, settings: &Settings) -> Option<Store> {
    let what = format!("database {}", settings.database.redacted_url());
    let opened = async {
        let store = Store::open(settings.database.url.expose_secret()).await?;
        store.check_writable().await?;
        Ok::<_, StoreError>(store)
    };
    match opened.await {
        Ok(store) => {
            report.good(&what, "its schema is up to date, and it takes writes");
            key_file(report, settings, &store).await;
            Some(store)
        }
        Err(error) => {
            report.bad(&what, error.to_string());
            report.not_tried("key file", "whether it fits shows with the credentials in the database");
            None
        }
    }
}

async fn key_file(report: &mut Report, settings: &Settings, store: &Store) {
    let what = format!("key file {}", settings.secrets.key_file.display());
    let opened = async {
        let key = load_key(store, &settings.secrets.key_file).await?;
        let (mut opened, mut closed) = (0, Vec::new());
        for account in store.accounts().await? {
            let Some(sealed) = store.credential(&account.name).await? else { continue };
            match open_credential(&key, &account, &sealed) {
                Ok(_) => opened += 1,
                Err(_) => closed.push(account.name.to_string()),
            }
        }
        anyhow::Ok((opened, closed))
    };
    match opened.await {
        Ok((opened, closed)) if closed.is_empty() => {
            report.good(&what, format!("opens {}", counted(opened, "credential", "credentials")));
        }
        Ok((_, closed)) => report.bad(
            &what,
            format!(
                "does not open the credentials of {}: give them anew with `guildwire account edit`",
                closed.join(", ")
            ),
        ),
        Err(error) => report.bad(&what, error.to_string()),
    }
}

/// Looks at what Discord says, as far as the token lets it.
async fn discord(report: &mut Report, settings: &Settings) -> Option<Visit> {
    let token = match settings.discord.token_required() {
        Ok(token) => token.clone(),
        Err(error) => {
            report.bad("token", error.to_string());
            report.not_tried("gateway, guilds and commands", "they take a token");
            return None;
        }
    };
    let answers = async {
        let rest = Rest::new(&settings.discord.api_url, token.clone(), settings.delivery.request_timeout)?;
        let gateway = rest.gateway().await?;
        let application = rest.application().await?;
        Ok((gateway, application, rest.command_names(application).await?))
    };
    let (gateway, application, registered) = match answers.await {
        Ok(answers) => answers,
        Err(error) => {
            let what = if matches!(error, RestError::Unauthorised) { "token" } else { "Discord" };
            report.bad(what, commands::rest_failure(&error));
            report.not_tried(
                "gateway, guilds and commands",
                format!("{} has to take the token first", settings.discord.api_url),
            );
            return None;
        }
    };
    report.good("token", format!("{} takes it, for application {application}", settings.discord.api_url));
    let missing: Vec<_> = commands::names().into_iter().filter(|name| !registered.contains(name)).collect();
    if missing.is_empty() {
        report.good("commands", format!("all {} are registered", registered.len()));
    } else {
        let missing = missing.iter().map(|name| format!("/{name}")).collect::<Vec<_>>().join(", ");
        report.bad("commands", format!("{missing} are not registered: `guildwire run` does that as it starts"));
    }
    visit(report, settings, &token, &gateway).await
}

async fn visit(report: &mut Report, settings: &Settings, token: &SecretString, gateway: &Gateway) -> Option<Visit> {
    let (starts, shards) = (gateway.session_starts(), gateway.shards());
    let left = format!("{} of {} sessions are left for today", starts.remaining, starts.total);
    if !starts.wait(shards).is_zero() {
        report.bad("gateway", format!("{left}: they are for `guildwire run`, so none was begun to try it. Find out what starts it over and over"));
        return None;
    }
    let visited = match commands::check_gateway(gateway, &settings.discord.api_url, settings.discord.is_test_address())
    {
        Ok(()) => commands::visit(token, &settings.discord.api_url, gateway).await,
        Err(refusal) => Err(refusal),
    };
    match visited {
        Ok(visit) => {
            report.good(
                "gateway",
                format!("{} connected, with the intents it takes; {left}", counted(shards.into(), "shard", "shards")),
            );
            let outage = match visit.unavailable {
                0 => String::new(),
                unavailable => format!(", {unavailable} of which Discord can't show now"),
            };
            report.good("guilds", format!("the bot is in {}{outage}", visit.count));
            Some(visit)
        }
        Err(error) => {
            report.bad("gateway", error);
            None
        }
    }
}

/// Has each account checked, and tells of it in a line: how it is read, or the first thing that is wrong.
async fn accounts(report: &mut Report, settings: &Settings, store: &Store) -> anyhow::Result<()> {
    let mut to_check = Vec::new();
    for account in store.accounts().await? {
        if store.proof(&account.name).await?.is_none_or(|proof| proof.is_verified) {
            to_check.push(account);
        } else {
            // Nothing the operator could do about it.
            report.not_tried(&format!("account {}", account.name), UNVERIFIED);
        }
    }
    for (account, found) in check_all(store, settings, to_check).await? {
        let what = format!("account {}", account.name);
        match found {
            Err(error) => report.bad(&what, error.to_string()),
            Ok(found) => {
                match found.fault() {
                    Some(fault) => report.bad(&what, fault.to_string()),
                    None => report.good(&what, "everything that reading it takes is there"),
                }
                for remark in &found.remarks {
                    report.remark(format!("{what}: {remark}"));
                }
            }
        }
    }
    Ok(())
}

/// Looks at each channel that anything is shown in.
async fn channels(report: &mut Report, store: &Store, seen: Option<&Visit>) -> Result<(), StoreError> {
    let stopped = store.stopped_lanes().await?;
    for (guild, channel) in store.channels_in_use().await? {
        let name = seen.and_then(|visit| visit.guilds.channel_name(guild, channel));
        let name = name.map_or_else(String::new, |name| format!(" #{}", plain(&name, NAME_LIMIT, "?")));
        let what = format!("channel {channel}{name} in guild {guild}");
        if let Some(lane) = stopped.iter().find(|lane| lane.channel == channel) {
            report.bad(
                &what,
                format!(
                    "has taken no messages since {} ({}): what waits is kept, and sent once an admin has mended that or \
                     used /notify test, or /board pings where members are pinged",
                    lane.stopped_at.rfc3339(),
                    lane.reason
                ),
            );
            continue;
        }
        match seen.map(|visit| visit.guilds.access_by_id(guild, channel)) {
            None => report.not_tried(&what, "permissions show through the gateway"),
            Some(ChannelAccess::Unknown) => report.not_tried(
                &what,
                "the gateway does not show it: it may be an archived thread, deleted, or in an outage, or the bot was removed \
                 there",
            ),
            Some(access) => match access.missing_permissions().as_slice() {
                [] => report.good(&what, "the bot may post"),
                missing => report
                    .bad(&what, format!("the bot lacks {}: add that in the channel's settings", missing.join(", "))),
            },
        }
    }
    Ok(())
}
