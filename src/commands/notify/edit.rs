//! `/notify edit`: a select of all kinds and one of the styles, and what comes of a choice.
//!
//! Kinds that the binding had already go on without a gap; new ones begin when the consumer covers them, as after
//! `/notify add`. The rule stands in [`Binding::choose`]. A style is kept with each event when that is recorded, so
//! another one holds for what is recorded from then on.

use super::{Beginning, beginning, changeable, in_words, kinds_in_words, told_when, wanted_binding, with_chat_warning};
use crate::commands::Shared;
use crate::commands::component::{Target, kind_select, style_select};
use crate::commands::press::Press;
use crate::commands::reply::Reply;
use crate::commands::request::Request;
use crate::discord::words;
use crate::domain::binding::Binding;
use crate::domain::event::{Kind, KindSet};
use crate::domain::style::Style;
use crate::store::StoreError;
use crate::store::bindings::Changed;

/// `/notify edit`: shows what can be chosen.
pub(in crate::commands) async fn ask(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let binding = match changeable(shared, request.guild, wanted_binding(request)).await? {
        Ok(binding) => binding,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let kinds = kind_select(&Target::Kinds(binding.id), binding.kinds);
    let style = style_select(&Target::Style(binding.id), binding.style, shared.rules.holds);
    let question = words::edit_question(&in_words(shared, &binding));
    Ok(Reply::text(question).with_row(&[kinds]).with_row(&[style]))
}

/// The choice in the select of kinds.
pub(in crate::commands) async fn choose_kinds(shared: &Shared, press: &Press, id: i64) -> Result<Reply, StoreError> {
    let kinds: Option<KindSet> = press.values.iter().map(|name| Kind::from_name(name)).collect();
    let Some(kinds) = kinds.filter(|kinds| !kinds.is_empty()) else {
        return Ok(Reply::text(words::UNKNOWN_BUTTON));
    };
    if let Err(refusal) = changeable(shared, press.guild, Some(id)).await? {
        return Ok(Reply::text(refusal));
    }
    Ok(Reply::text(
        match shared.store.change_binding(press.guild, id, &press.by(), |binding| binding.choose(kinds)).await? {
            Changed::Missing => words::NO_SUCH_BINDING.to_owned(),
            Changed::Unchanged(binding) => words::hears_that_already(&in_words(shared, &binding)),
            Changed::Equal(binding) => words::another_is_that(binding.channel.0),
            Changed::Done { before, after } => {
                tracing::info!(
                    binding = id, account = %after.account, guild = %press.guild, user = %press.user,
                    before = before.kinds.to_names(), kinds = after.kinds.to_names(), "a binding was edited"
                );
                with_chat_warning(told(shared, &before, &after).await, after.kinds)
            }
        },
    ))
}

/// The choice in the select of styles.
pub(in crate::commands) async fn choose_style(shared: &Shared, press: &Press, id: i64) -> Result<Reply, StoreError> {
    let [style] = press.values.as_slice() else { return Ok(Reply::text(words::UNKNOWN_BUTTON)) };
    let Some(style) = Style::from_name(style) else { return Ok(Reply::text(words::UNKNOWN_BUTTON)) };
    if let Err(refusal) = changeable(shared, press.guild, Some(id)).await? {
        return Ok(Reply::text(refusal));
    }
    let changed = shared.store.change_binding(press.guild, id, &press.by(), |binding| binding.style = style).await?;
    Ok(Reply::text(match changed {
        Changed::Missing => words::NO_SUCH_BINDING.to_owned(),
        // Its style makes no binding equal to another.
        Changed::Unchanged(binding) | Changed::Equal(binding) => words::hears_that_already(&in_words(shared, &binding)),
        Changed::Done { before, after } => {
            tracing::info!(
                binding = id, account = %after.account, guild = %press.guild, user = %press.user,
                before = before.style.name(), style = style.name(), "a binding tells its events in another style"
            );
            let binding = in_words(shared, &after);
            if after.paused_at.is_some() { words::edited_while_paused(&binding) } else { words::restyled(&binding) }
        }
    }))
}

/// What a binding that was edited hears, and since when.
async fn told(shared: &Shared, before: &Binding, after: &Binding) -> String {
    let binding = in_words(shared, after);
    let new = after.kinds.without(before.kinds);
    if after.paused_at.is_some() {
        words::edited_while_paused(&binding)
    } else if after.covered_from.is_none() || new == after.kinds {
        told_when(shared, after).await
    } else if new.is_empty() {
        words::narrowed(&binding)
    } else {
        let new = kinds_in_words(new);
        match beginning(shared, after).await {
            Beginning::Now => words::widened(&binding, &new),
            Beginning::Later(why) => words::widened_later(&binding, &new, why.as_deref()),
        }
    }
}
