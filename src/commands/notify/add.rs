//! `/notify add`.

use std::collections::BTreeMap;

use serenity::model::Permissions;

use super::{told_when, with_chat_warning};
use crate::clock;
use crate::commands::reply::Reply;
use crate::commands::request::Request;
use crate::commands::servers;
use crate::commands::{Shared, account};
use crate::discord::guilds::{ChannelAccess, ChosenChannel, Guilds, Place};
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::event::Group;
use crate::domain::ids::{AccountName, GuildId, RoleId, ServerId};
use crate::domain::style::Style;
use crate::store::StoreError;

/// `/notify add`.
pub(in crate::commands) async fn add(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Reply, StoreError> {
    let binding = match asked_for(shared, guilds, request).await? {
        Ok(binding) => binding,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let bindings = shared.store.bindings_of_guild(request.guild).await?;
    let equal = bindings.iter().find(|there| is_equal(there, &binding));
    let most = shared.limits.bindings_per_guild;
    if equal.is_none() && bindings.len() >= most {
        return Ok(Reply::text(words::too_many_bindings(most)));
    }
    // Also for an equal one: it opens a channel that refused the bot.
    if !shared.store.add_binding(&binding).await? {
        let say = match equal {
            Some(equal) if equal.mention != binding.mention => words::already_bound_with_another_mention,
            Some(equal) if equal.style != binding.style => words::already_bound_in_another_style,
            Some(equal) if equal.paused_at.is_some() => words::already_bound_but_paused,
            _ => words::already_bound,
        };
        return Ok(Reply::text(say(binding.channel.0)));
    }
    tracing::info!(
        binding = binding.id, account = %binding.account, guild = %binding.guild, channel = %binding.channel,
        user = %request.user, kinds = binding.kinds.to_names(), "a channel was bound"
    );
    Ok(Reply::text(with_chat_warning(told_when(shared, &binding).await, binding.kinds)))
}

/// Whether two bindings do the same; only the role that is mentioned and the style may be others.
fn is_equal(one: &Binding, other: &Binding) -> bool {
    let what = |binding: &Binding| (binding.channel, binding.account.clone(), binding.server.clone(), binding.kinds);
    what(one) == what(other)
}

/// The binding that a request asks for, or why it can't be.
async fn asked_for(shared: &Shared, guilds: &Guilds, request: &Request) -> Result<Result<Binding, String>, StoreError> {
    let Some(channel) = request.channel("channel") else { return Ok(Err(words::bad_option("channel"))) };
    let Some(group) = request.text("events").and_then(Group::from_name) else {
        return Ok(Err(words::bad_option("events")));
    };
    let Some(style) = request.text("style").map_or(Some(Style::Each), Style::from_name) else {
        return Ok(Err(words::bad_option("style")));
    };
    let account = match account::wanted(shared, request).await? {
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
        style,
        is_thread: Some(channel.place != Place::Channel),
        created_by: request.user,
        created_at: clock::now(),
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: false,
    }))
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
        .filter(|named| named.server.account == *account)
        .collect();
    Ok(match servers::meant(&known, wanted).first() {
        Some(meant) => Ok(Some(meant.server.id.clone())),
        None => Err(servers::unknown(&known, wanted)),
    })
}

/// Why the bot can't tell a channel of events, if it can't.
pub(in crate::commands) fn refusal_of_channel(
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
