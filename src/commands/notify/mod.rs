//! `/notify`: which events go to which channel.

pub(super) mod add;
pub(super) mod edit;
pub(super) mod list;
pub(super) mod pause;
pub(super) mod remove;
pub(super) mod test;

use std::pin::pin;
use std::time::Duration;

use tokio::time::Instant;

use super::Shared;
use super::request::Request;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::event::{Group, Kind, KindSet};
use crate::domain::ids::GuildId;
use crate::domain::text::display;
use crate::nats::states::AccountState;
use crate::store::StoreError;

/// How long the answer waits for the consumer to cover a binding: that is the binding's beginning.
const COVERAGE_PATIENCE: Duration = Duration::from_secs(8);

/// How long it waits when the account is known to be in trouble: one more try is on its way.
const TROUBLED_PATIENCE: Duration = Duration::from_secs(2);

/// How often it looks whether trouble came up meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How much of a name that strangers chose is shown, in UTF-16 units.
const NAME_LIMIT: usize = 100;

/// When a binding begins.
enum Beginning {
    /// It has begun.
    Now,
    /// It waits for its account, for a reason where one is known.
    Later(Option<String>),
}

/// When the binding begins: what is covered but can't be read yet waits in the stream, and is shown nowhere.
async fn beginning(shared: &Shared, binding: &Binding) -> Beginning {
    if is_heard_soon(shared, binding).await {
        return Beginning::Now;
    }
    Beginning::Later(match shared.states.state(&binding.account) {
        Some(AccountState::Trouble(fault)) => Some(words::account_fault(&fault)),
        _ => None,
    })
}

/// What a binding that begins as a whole is told with.
async fn told_when(shared: &Shared, binding: &Binding) -> String {
    let told = in_words(shared, binding);
    match beginning(shared, binding).await {
        Beginning::Now => words::bound(&told),
        Beginning::Later(why) => words::bound_later(&told, why.as_deref()),
    }
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

/// The answer, with a warning for whoever binds chat.
fn with_chat_warning(answer: String, kinds: KindSet) -> String {
    if kinds.contains(Kind::PlayerChatted) { format!("{answer}\n{}", words::CHAT_WARNING) } else { answer }
}

/// The number of the binding that is meant, as it stands in the list or as it was offered.
pub(super) fn wanted_binding(request: &Request) -> Option<i64> {
    request.text("binding")?.trim_start_matches('#').parse().ok()
}

/// The guild's binding with that number, if it may be changed in Discord, or why it can't be.
async fn changeable(shared: &Shared, guild: GuildId, id: Option<i64>) -> Result<Result<Binding, String>, StoreError> {
    let binding = match id {
        Some(id) => shared.store.binding(guild, id).await?,
        None => None,
    };
    Ok(match binding {
        None => Err(words::NO_SUCH_BINDING.to_owned()),
        Some(binding) if binding.is_declared => Err(words::binding_is_declared(&in_words(shared, &binding))),
        Some(binding) => Ok(binding),
    })
}

/// What a binding does, in one sentence.
pub(super) fn in_words(shared: &Shared, binding: &Binding) -> String {
    let kinds = kinds_in_words(binding.kinds);
    let server = binding.server.as_ref().map(|server| display(server.as_str(), NAME_LIMIT, "?"));
    let mention = binding.mention.map(|role| role.0);
    let style = (binding.style, shared.rules.holds.of(binding.style));
    words::binding(binding.channel.0, &kinds, binding.account.as_str(), server.as_deref(), mention, style)
}

/// The names of the groups whose kinds are all there, then those of the kinds that are left.
pub(super) fn kinds_in_words(kinds: KindSet) -> String {
    let mut left = kinds;
    let mut names = Vec::new();
    // Everything first: the other groups are part of it.
    for group in Group::ALL.iter().rev() {
        if group.kinds().without(left).is_empty() {
            left = left.without(group.kinds());
            names.push(group.name());
        }
    }
    names.reverse();
    names.extend(left.iter().map(Kind::name));
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_their_groups_where_those_are_whole() {
        let of = |groups: &[Group], kinds: &[Kind]| {
            let kinds = kinds.iter().copied().collect::<KindSet>();
            kinds_in_words(groups.iter().fold(kinds, |kinds, group| kinds.union(group.kinds())))
        };
        for group in Group::ALL {
            assert_eq!(of(&[*group], &[]), group.name());
        }
        assert_eq!(of(&[Group::Everything, Group::Chat], &[]), "chat, everything");
        assert_eq!(of(&[Group::Players, Group::Lifecycle], &[]), "lifecycle, players");
        assert_eq!(
            of(&[Group::Lifecycle], &[Kind::PlayerHit, Kind::PlayerBanned]),
            "lifecycle, player.banned, player.hit"
        );
    }
}
