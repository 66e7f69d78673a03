//! A button or a select that somebody used: who, what for, and the answer.

use serenity::model::Permissions;
use serenity::model::application::{
    ActionRowComponent, ComponentInteraction, ComponentInteractionDataKind, ModalInteraction,
};

use super::component::{Listing, Target, text_form};
use super::owning::{self, Person};
use super::reply::{Form, Reply};
use super::request::may_manage;
use super::{
    Sender, Shared, account, auditing, notify, ping_button, pings, players, respond_in_time, server, status, verify,
    why,
};
use crate::clock;
use crate::discord::rest::RestError;
use crate::discord::words;
use crate::domain::audit::By;
use crate::domain::ids::{ChannelId, GuildId, UserId};
use crate::store::StoreError;

/// A button or a select that somebody used.
#[derive(Debug, Clone)]
pub(super) struct Press {
    /// Where.
    pub(super) guild: GuildId,
    /// In which channel.
    place: ChannelId,
    /// Who.
    pub(super) user: UserId,
    /// What the member may do in the guild, as Discord says.
    permissions: Permissions,
    /// What for; `None` when nobody was given that custom id.
    target: Option<Target>,
    /// What was chosen, where it is a select, or typed, where it is a form.
    pub(super) values: Vec<String>,
}

impl Press {
    /// Who did it, now.
    pub(super) fn by(&self) -> By {
        By::person(self.user, self.guild, clock::now())
    }

    /// Who it is that asks, and where.
    pub(super) const fn person(&self) -> Person {
        Person { user: self.user, guild: self.guild }
    }

    /// What was used in an interaction; `None` outside a guild.
    fn new(interaction: &ComponentInteraction) -> Option<Self> {
        Some(Self {
            guild: GuildId(interaction.guild_id?.get()),
            place: ChannelId(interaction.channel_id.get()),
            user: UserId(interaction.user.id.get()),
            permissions: interaction.member.as_ref()?.permissions.unwrap_or_default(),
            target: Target::from_custom_id(&interaction.data.custom_id),
            values: match &interaction.data.kind {
                ComponentInteractionDataKind::StringSelect { values } => values.clone(),
                _ => Vec::new(),
            },
        })
    }

    /// What was typed into a form; `None` outside a guild.
    fn typed(interaction: &ModalInteraction) -> Option<Self> {
        let inputs = interaction.data.components.iter().flat_map(|row| &row.components);
        Some(Self {
            guild: GuildId(interaction.guild_id?.get()),
            place: ChannelId(interaction.channel_id.get()),
            user: UserId(interaction.user.id.get()),
            permissions: interaction.member.as_ref()?.permissions.unwrap_or_default(),
            // Nothing else is asked by a form.
            target: Target::from_custom_id(&interaction.data.custom_id)
                .filter(|target| matches!(target, Target::Jwt(_))),
            values: inputs
                .filter_map(|input| match input {
                    ActionRowComponent::InputText(input) => input.value.clone(),
                    _ => None,
                })
                .collect(),
        })
    }
}

/// Answers a button or a select, within the time that Discord waits. The answer takes the place of the message with the
/// button; a refusal is a message of its own, for whoever used it alone.
pub(super) async fn answer(shared: &Shared, interaction: &ComponentInteraction) -> Result<(), RestError> {
    let sender = Sender {
        application: interaction.application_id.get(),
        interaction: interaction.id.get(),
        token: &interaction.token,
    };
    let allowed = Press::new(interaction).ok_or_else(|| words::ONLY_IN_GUILDS.to_owned()).and_then(|press| {
        let target = permitted(shared, &press)?;
        Ok((press, target))
    });
    match allowed {
        Err(refusal) => sender.refuse(shared, &refusal).await,
        Ok((press, Target::Verify(account))) => verify::answer(shared, &sender, &press, &account).await,
        Ok((_, target @ Target::Jwt(_))) => {
            let form = text_form(words::JWT_TITLE, words::JWT_LABEL, &target);
            shared.rest.respond(sender.interaction, sender.token, &form).await
        }
        // It stands below a message that is everybody's.
        Ok((press, target @ Target::Ping)) => {
            let form = Form::New { ephemeral: true };
            respond_in_time(shared, &sender, form, carry_out(shared, &press, &target)).await
        }
        Ok((press, target)) => respond_in_time(shared, &sender, Form::Update, carry_out(shared, &press, &target)).await,
    }
}

/// Answers a form that was filled in, as a button is answered.
pub(super) async fn answer_form(shared: &Shared, interaction: &ModalInteraction) -> Result<(), RestError> {
    let sender = Sender {
        application: interaction.application_id.get(),
        interaction: interaction.id.get(),
        token: &interaction.token,
    };
    let allowed = Press::typed(interaction).ok_or_else(|| words::ONLY_IN_GUILDS.to_owned()).and_then(|press| {
        let target = permitted(shared, &press)?;
        Ok((press, target))
    });
    match allowed {
        Err(refusal) => sender.refuse(shared, &refusal).await,
        Ok((press, target)) => {
            // One that nobody was shown below a message has none to take the place of.
            let form = if interaction.message.is_some() { Form::Update } else { Form::New { ephemeral: true } };
            respond_in_time(shared, &sender, form, carry_out(shared, &press, &target)).await
        }
    }
}

/// What the press is for, if whoever pressed may do that.
fn permitted(shared: &Shared, press: &Press) -> Result<Target, String> {
    let now = clock::now();
    shared.limits.use_command(press.user, now).map_err(|again| words::too_many_commands(again.unix_seconds()))?;
    let target = press.target.clone().ok_or_else(|| words::UNKNOWN_BUTTON.to_owned())?;
    if !target.is_for_everybody() && !may_manage(press.permissions) {
        return Err(words::NEEDS_MANAGE_SERVER.to_owned());
    }
    Ok(target)
}

async fn carry_out(shared: &Shared, press: &Press, target: &Target) -> Reply {
    let reply = execute(shared, press, target).await.unwrap_or_else(|error| {
        tracing::error!(button = target.custom_id(), guild = %press.guild, %error, "a button failed");
        Reply::text(words::FAILED)
    });
    shared.directory.refresh(&shared.store, press.guild).await;
    reply
}

async fn execute(shared: &Shared, press: &Press, target: &Target) -> Result<Reply, StoreError> {
    match target {
        Target::Jwt(account) => verify::take_jwt(shared, press, account).await,
        // Answered apart, for it may be answered twice.
        Target::Verify(_) => Ok(Reply::text(words::UNKNOWN_BUTTON)),
        Target::Cancel => Ok(Reply::text(words::CANCELLED)),
        Target::Unlink(account) => account::unlink(shared, press, account).await,
        Target::Kinds(binding) => notify::edit::choose_kinds(shared, press, *binding).await,
        Target::Style(binding) => notify::edit::choose_style(shared, press, *binding).await,
        Target::Why(binding, page) => why::show(shared, press.guild, press.place, *binding, *page).await,
        Target::Page(Listing::Accounts, page) => account::list(shared, press.guild, *page).await,
        Target::Page(Listing::Bindings, page) => notify::list::list(shared, press.guild, *page).await,
        Target::Guilds(account, page) => owning::guilds(shared, &press.person(), account.as_str(), *page).await,
        Target::AskToUnlink(account) => owning::ask_to_unlink(shared, press, account).await,
        Target::UnlinkGuild(account, guild) => owning::unlink(shared, press, account, *guild).await,
        Target::Audit(account, page) => auditing::audit(shared, &press.person(), account.as_str(), *page).await,
        Target::Players(page, server) => players::show(shared, press.guild, server.as_deref(), *page).await,
        Target::Page(Listing::AllServers, page) => server::list(shared, press.guild, press.user, *page).await,
        Target::Ping => ping_button::offer(shared, press).await,
        Target::ChoosePing => ping_button::choose(shared, press).await,
        Target::LeavePings => pings::leave_all(shared, press.guild, press.user).await,
        Target::Page(Listing::Servers, page) => status::show(shared, press.guild, None, *page).await,
    }
}
