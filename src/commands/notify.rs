//! `/notify`: which events go to which channel.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use serenity::model::Permissions;
use tokio::time::Instant;

use super::Shared;
use super::reply::Reply;
use super::request::Request;
use super::status::known_servers;
use crate::clock;
use crate::discord::guilds::{ChannelAccess, ChosenChannel, Guilds};
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::event::{Group, Kind};
use crate::domain::ids::{AccountName, GuildId, RoleId, ServerId};
use crate::domain::text::display;
use crate::nats::states::AccountState;
use crate::store::StoreError;

/// How long the answer waits for the consumer to cover a new binding: that is the binding's beginning.
const COVERAGE_PATIENCE: Duration = Duration::from_secs(8);

/// How long it waits when the account is known to be in trouble: one more try is on its way.
const TROUBLED_PATIENCE: Duration = Duration::from_secs(2);

/// How often it looks whether trouble came up meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// `/notify add`.
pub(super) async fn add(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    let binding = match wanted_binding(shared, guilds, request).await? {
        Ok(binding) => binding,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    if !shared.store.add_binding(&binding).await? {
        return Ok(Reply::text(words::already_bound(binding.channel.0)));
    }
    tracing::info!(
        binding = binding.id, account = %binding.account, guild = %binding.guild, channel = %binding.channel,
        user = %request.user, kinds = binding.kinds.to_names(), "a channel was bound"
    );
    let told = in_words(&binding);
    let mut answer = if is_heard_soon(shared, &binding).await {
        words::bound(&told)
    } else {
        let why = match shared.states.state(&binding.account) {
            Some(AccountState::Trouble(fault)) => Some(words::account_fault(&fault)),
            _ => None,
        };
        words::bound_later(&told, why.as_deref())
    };
    if binding.kinds.contains(Kind::PlayerChatted) {
        answer = format!("{answer}\n{}", words::CHAT_WARNING);
    }
    Ok(Reply::text(answer))
}

/// `/notify list`.
pub(super) async fn list(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let bindings = shared.store.bindings_of_guild(request.guild).await?;
    if bindings.is_empty() {
        return Ok(Reply::text(words::NOTHING_BOUND));
    }
    let stopped = shared.store.stopped_lanes().await?;
    let lines: Vec<_> = bindings
        .iter()
        .map(|binding| {
            let lane = stopped.iter().find(|lane| lane.channel == binding.channel);
            let state = match lane {
                Some(lane) => words::binding_stopped(&display(&lane.reason, 300, ""), lane.stopped_at.unix_seconds()),
                None if !binding.is_covered() => words::BINDING_WAITS.to_owned(),
                None => String::new(),
            };
            words::binding_line(binding.id, &in_words(binding), &state)
        })
        .collect();
    Ok(Reply::list(&lines, None))
}

/// `/notify remove`.
pub(super) async fn remove(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let id = request.text("binding").and_then(|text| text.trim_start_matches('#').parse().ok());
    let removed = match id {
        Some(id) => shared.store.remove_binding(request.guild, id).await?,
        None => None,
    };
    let Some(binding) = removed else { return Ok(Reply::text(words::NO_SUCH_BINDING)) };
    tracing::info!(
        binding = binding.id, account = %binding.account, guild = %binding.guild, channel = %binding.channel,
        user = %request.user, "a binding was removed"
    );
    Ok(Reply::text(words::unbound(&in_words(&binding))))
}

/// The binding that a request asks for, or why it can't be.
async fn wanted_binding(
    shared: &Shared,
    guilds: &Guilds,
    request: &Request,
) -> Result<Result<Binding, String>, StoreError> {
    let Some(channel) = request.channel("channel") else { return Ok(Err(words::bad_option("channel"))) };
    let Some(group) = request.text("events").and_then(Group::from_name) else {
        return Ok(Err(words::bad_option("events")));
    };
    let account = match wanted_account(shared, request).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let server = match wanted_server(shared, request, &account).await? {
        Ok(server) => server,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mention = request.role("mention");
    if let Some(refusal) = refusal_of_channel(guilds, request.guild, channel, mention) {
        return Ok(Err(refusal));
    }
    Ok(Ok(Binding {
        id: shared.store.next_number(),
        guild: request.guild,
        channel: channel.id,
        account,
        server,
        kinds: group.kinds(),
        mention,
        created_by: request.user,
        created_at: clock::now(),
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
    }))
}

async fn wanted_account(shared: &Shared, request: &Request) -> Result<Result<AccountName, String>, StoreError> {
    let linked: Vec<_> = shared.store.links(request.guild).await?.into_iter().map(|link| link.account).collect();
    let names = linked.iter().map(|account| format!("**{account}**")).collect::<Vec<_>>().join(", ");
    Ok(match (request.text("account"), linked.as_slice()) {
        (_, []) => Err(words::NO_ACCOUNT_LINKED.to_owned()),
        (None, [only]) => Ok(only.clone()),
        (None, _) => Err(words::which_account(&names)),
        (Some(wanted), _) => linked
            .iter()
            .find(|account| account.as_str() == wanted)
            .cloned()
            .ok_or_else(|| words::account_not_linked(&display(wanted, NAME_LIMIT, "?"), &names)),
    })
}

async fn wanted_server(
    shared: &Shared,
    request: &Request,
    account: &AccountName,
) -> Result<Result<Option<ServerId>, String>, StoreError> {
    let Some(wanted) = request.text("server") else { return Ok(Ok(None)) };
    let known: Vec<_> = shared
        .store
        .servers_of_guild(request.guild)
        .await?
        .into_iter()
        .filter(|status| status.account == *account)
        .map(|status| status.server)
        .collect();
    if let Some(server) = known.iter().find(|server| server.as_str() == wanted) {
        return Ok(Ok(Some(server.clone())));
    }
    Ok(Err(words::unknown_server(&display(wanted, NAME_LIMIT, "?"), &known_servers(known.iter()))))
}

/// Why the bot can't tell a channel of events, if it can't.
fn refusal_of_channel(
    guilds: &Guilds,
    guild: GuildId,
    channel: ChosenChannel,
    mention: Option<RoleId>,
) -> Option<String> {
    let access = guilds.access(guild, channel);
    let ChannelAccess::Known { permissions, .. } = access else {
        return Some(words::channel_out_of_sight(channel.id.0));
    };
    let missing: Vec<_> = access.missing_permissions().into_iter().map(|name| format!("**{name}**")).collect();
    if !missing.is_empty() {
        return Some(words::missing_permissions(channel.id.0, &missing.join(", ")));
    }
    let role = mention?;
    if role.0 == guild.0 {
        // The role that everybody has carries the guild's own id.
        return Some(words::NOT_EVERYONE.to_owned());
    }
    let may_mention =
        guilds.is_mentionable(guild, role) == Some(true) || permissions.contains(Permissions::MENTION_EVERYONE);
    (!may_mention).then(|| words::role_not_mentionable(role.0))
}

/// Waits for a consumer to cover the binding, and for its account to be read: what is covered but can't be read yet is
/// kept in the stream, and shown nowhere. `false` when that does not happen soon.
async fn is_heard_soon(shared: &Shared, binding: &Binding) -> bool {
    let start = Instant::now();
    loop {
        // Enabled before looking, so that coverage that comes meanwhile is not missed.
        let mut bell = pin!(shared.store.coverage_bell());
        bell.as_mut().enable();
        let state = shared.states.state(&binding.account);
        // The binding is there, whatever becomes of this look.
        let stored = shared.store.binding(binding.guild, binding.id).await.unwrap_or_else(|error| {
            tracing::warn!(binding = binding.id, %error, "can't look whether a binding is covered");
            None
        });
        if state == Some(AccountState::Running) && stored.is_some_and(|stored| stored.is_covered()) {
            return true;
        }
        let patience =
            if matches!(state, Some(AccountState::Trouble(_))) { TROUBLED_PATIENCE } else { COVERAGE_PATIENCE };
        if start.elapsed() >= patience {
            return false;
        }
        tokio::select! {
            () = bell => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

/// What a binding does, in one sentence.
fn in_words(binding: &Binding) -> String {
    let kinds = kinds_in_words(binding);
    let server = binding.server.as_ref().map(|server| display(server.as_str(), NAME_LIMIT, "?"));
    let mention = binding.mention.map(|role| role.0);
    words::binding(binding.channel.0, &kinds, binding.account.as_str(), server.as_deref(), mention)
}

/// The group's name where the kinds are a group's, else their own names.
pub(super) fn kinds_in_words(binding: &Binding) -> String {
    let group = Group::ALL.iter().find(|group| group.kinds() == binding.kinds);
    group.map_or_else(|| binding.kinds.to_names(), |group| group.name().to_owned())
}
