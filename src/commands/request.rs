//! A command as somebody used it, taken out of Discord's form once, at the edge.

use std::collections::BTreeMap;

use serenity::model::Permissions;
use serenity::model::application::{CommandInteraction, ResolvedOption, ResolvedValue};
use serenity::model::channel::ChannelType;

use crate::clock;
use crate::discord::guilds::{ChosenChannel, Place};
use crate::domain::audit::By;
use crate::domain::ids::{ChannelId, GuildId, RoleId, UserId};

/// A command with its options.
#[derive(Debug, Clone)]
pub(super) struct Request {
    /// Its full name, such as `notify add`.
    pub(super) name: String,
    /// Where it was used.
    pub(super) guild: GuildId,
    /// In which channel.
    pub(super) place: ChannelId,
    /// By whom.
    pub(super) user: UserId,
    /// What that member may do in the guild, as Discord says.
    pub(super) permissions: Permissions,
    options: BTreeMap<String, Given>,
    focused: Option<(String, String)>,
}

#[derive(Debug, Clone)]
enum Given {
    Text(String),
    Channel(ChosenChannel),
    Role(RoleId),
    Number(i64),
}

impl Request {
    /// Who did it, now.
    pub(super) fn by(&self) -> By {
        By::person(self.user, self.guild, clock::now())
    }

    /// The request in an interaction; `None` outside a guild.
    #[must_use]
    pub(super) fn new(interaction: &CommandInteraction) -> Option<Self> {
        let mut request = Self {
            name: interaction.data.name.clone(),
            guild: GuildId(interaction.guild_id?.get()),
            place: ChannelId(interaction.channel_id.get()),
            user: UserId(interaction.user.id.get()),
            permissions: interaction.member.as_ref()?.permissions.unwrap_or_default(),
            options: BTreeMap::new(),
            focused: None,
        };
        for option in interaction.data.options() {
            request.take(&option);
        }
        Some(request)
    }

    /// The text given for an option. Where Discord offers choices, anything may have been typed all the same.
    #[must_use]
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        match self.options.get(name)? {
            Given::Text(text) => Some(text.trim()),
            _ => None,
        }
    }

    /// The channel chosen for an option.
    #[must_use]
    pub(super) fn channel(&self, name: &str) -> Option<ChosenChannel> {
        match self.options.get(name)? {
            Given::Channel(channel) => Some(*channel),
            _ => None,
        }
    }

    /// The role chosen for an option.
    #[must_use]
    pub(super) fn role(&self, name: &str) -> Option<RoleId> {
        match self.options.get(name)? {
            Given::Role(role) => Some(*role),
            _ => None,
        }
    }

    /// The whole number given for an option.
    #[must_use]
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        match self.options.get(name)? {
            Given::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The option that is being typed, and what stands there so far.
    #[must_use]
    pub(super) fn focused(&self) -> Option<(&str, &str)> {
        self.focused.as_ref().map(|(name, typed)| (name.as_str(), typed.as_str()))
    }

    /// Whether the member may configure the bot.
    #[must_use]
    pub(super) fn may_manage(&self) -> bool {
        may_manage(self.permissions)
    }

    fn take(&mut self, option: &ResolvedOption<'_>) {
        let given = match &option.value {
            ResolvedValue::SubCommand(options) => {
                self.name = format!("{} {}", self.name, option.name);
                for option in options {
                    self.take(option);
                }
                return;
            }
            ResolvedValue::Autocomplete { value, .. } => {
                self.focused = Some((option.name.to_owned(), (*value).to_owned()));
                return;
            }
            ResolvedValue::String(text) => Given::Text((*text).to_owned()),
            ResolvedValue::Channel(channel) => Given::Channel(ChosenChannel {
                id: ChannelId(channel.id.get()),
                place: match (channel.kind, channel.parent_id) {
                    (ChannelType::PrivateThread, _) => Place::PrivateThread,
                    (ChannelType::PublicThread | ChannelType::NewsThread, Some(parent)) => {
                        Place::PublicThread { parent: ChannelId(parent.get()) }
                    }
                    _ => Place::Channel,
                },
            }),
            ResolvedValue::Integer(number) => Given::Number(*number),
            ResolvedValue::Role(role) => Given::Role(RoleId(role.id.get())),
            _ => return,
        };
        self.options.insert(option.name.to_owned(), given);
    }
}

/// Whether a member with these permissions may configure the bot.
#[must_use]
pub(super) fn may_manage(permissions: Permissions) -> bool {
    permissions.intersects(Permissions::MANAGE_GUILD | Permissions::ADMINISTRATOR)
}
