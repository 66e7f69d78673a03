//! Buttons and selects under an answer: what they are for stands in their custom ids.
//!
//! Anybody can send any custom id, so one says what is meant and proves nothing: whoever uses it is judged as if they
//! had typed it.

use std::str::FromStr;

use serde_json::{Value, json};

use crate::discord::board_embed::PING_BUTTON;
use crate::discord::words;
use crate::domain::event::{Kind, KindSet};
use crate::domain::ids::{AccountName, GuildId};
use crate::domain::style::{Holds, Style};

/// What custom ids begin with. One that begins with anything else means nothing.
pub const COMPONENTS: [&str; 16] = [
    "unlink",
    "verify",
    "jwt",
    "cancel",
    "kinds",
    "style",
    "why",
    "page",
    "players",
    "guilds",
    "unlink_which",
    "unlink_guild",
    "audit",
    "ping",
    "ping_choose",
    "ping_leave",
];

/// What a button or a select is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// End the guild's link to the account.
    Unlink(AccountName),
    /// Try whether the account can be read.
    Verify(AccountName),
    /// Take the JWT for the account's key: a button asks for it, and a modal brings it.
    Jwt(AccountName),
    /// Give a question up.
    Cancel,
    /// Choose the kinds of the binding with that number.
    Kinds(i64),
    /// Choose the style of the binding with that number.
    Style(i64),
    /// Show that page of what became of the events of the binding with that number, of those of the channel where it is
    /// asked when there is none, counted from 0.
    Why(Option<i64>, usize),
    /// Show that page of a list, counted from 0.
    Page(Listing, usize),
    /// Show that page of who is on the servers, or on those of that name, counted from 0.
    Players(usize, Option<String>),
    /// Show that page of the guilds that are linked to an account.
    Guilds(AccountName, usize),
    /// Ask whether to end the link of the guild that was chosen.
    AskToUnlink(AccountName),
    /// End that guild's link to the account.
    UnlinkGuild(AccountName, GuildId),
    /// Show that page of what was done to an account.
    Audit(AccountName, usize),
    /// Ask what a member wants to be pinged for: below a board, where everybody sees it.
    Ping,
    /// Ping the member for what was chosen.
    ChoosePing,
    /// End all that the member wants to be pinged for.
    LeavePings,
}

/// A list that may be longer than a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    /// `/account list`.
    Accounts,
    /// `/notify list`.
    Bindings,
    /// `/status`.
    Servers,
    /// `/server list`.
    AllServers,
}

/// How a button looks, as Discord numbers it:
/// <https://discord.com/developers/docs/components/reference#button-button-styles>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ButtonStyle {
    Primary = 1,
    Secondary = 2,
    Danger = 4,
}

impl Listing {
    const ALL: [Self; 4] = [Self::Accounts, Self::Bindings, Self::Servers, Self::AllServers];

    const fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Bindings => "bindings",
            Self::Servers => "servers",
            Self::AllServers => "all_servers",
        }
    }
}

impl Target {
    /// Its form in a custom id, of at most 100 characters.
    #[must_use]
    pub(super) fn custom_id(&self) -> String {
        match self {
            Self::Unlink(account) => format!("unlink:{account}"),
            Self::Verify(account) => format!("verify:{account}"),
            Self::Jwt(account) => format!("jwt:{account}"),
            Self::Cancel => "cancel".to_owned(),
            Self::Kinds(binding) => format!("kinds:{binding}"),
            Self::Style(binding) => format!("style:{binding}"),
            Self::Why(None, page) => format!("why:{page}"),
            Self::Why(Some(binding), page) => format!("why:{page}:{binding}"),
            Self::Page(listing, page) => format!("page:{}:{page}", listing.name()),
            Self::Players(page, None) => format!("players:{page}"),
            Self::Players(page, Some(server)) => format!("players:{page}:{server}"),
            Self::Guilds(account, page) => format!("guilds:{page}:{account}"),
            Self::AskToUnlink(account) => format!("unlink_which:{account}"),
            Self::UnlinkGuild(account, guild) => format!("unlink_guild:{guild}:{account}"),
            Self::Audit(account, page) => format!("audit:{page}:{account}"),
            Self::Ping => PING_BUTTON.to_owned(),
            Self::ChoosePing => "ping_choose".to_owned(),
            Self::LeavePings => "ping_leave".to_owned(),
        }
    }

    /// Whether everybody may use it, and not only those who may configure the bot.
    #[must_use]
    pub(super) const fn is_for_everybody(&self) -> bool {
        // How the servers stand and who is on them, and so those pages; and what one is pinged for oneself.
        matches!(
            self,
            Self::Page(Listing::Servers, _) | Self::Players(..) | Self::Ping | Self::ChoosePing | Self::LeavePings
        )
    }

    /// What a custom id stands for, if it is one of ours.
    #[must_use]
    pub(super) fn from_custom_id(id: &str) -> Option<Self> {
        let (name, rest) = id.split_once(':').unwrap_or((id, ""));
        if !COMPONENTS.contains(&name) {
            return None;
        }
        match name {
            "unlink" => rest.parse().ok().map(Self::Unlink),
            "verify" => rest.parse().ok().map(Self::Verify),
            "jwt" => rest.parse().ok().map(Self::Jwt),
            "cancel" if id == name => Some(Self::Cancel),
            "kinds" => rest.parse().ok().map(Self::Kinds),
            "style" => rest.parse().ok().map(Self::Style),
            "why" => {
                let (page, binding) = match rest.split_once(':') {
                    Some((page, binding)) => (page, Some(binding.parse().ok()?)),
                    None => (rest, None),
                };
                Some(Self::Why(binding, page.parse().ok()?))
            }
            "page" => {
                let (name, page) = rest.split_once(':')?;
                let listing = Listing::ALL.into_iter().find(|listing| listing.name() == name)?;
                Some(Self::Page(listing, page.parse().ok()?))
            }
            "players" => {
                let (page, server) = match rest.split_once(':') {
                    Some((page, server)) => (page, Some(server.to_owned())),
                    None => (rest, None),
                };
                Some(Self::Players(page.parse().ok()?, server))
            }
            "guilds" => numbered(rest).map(|(page, account)| Self::Guilds(account, page)),
            "unlink_which" => rest.parse().ok().map(Self::AskToUnlink),
            "unlink_guild" => numbered(rest).map(|(guild, account)| Self::UnlinkGuild(account, GuildId(guild))),
            "audit" => numbered(rest).map(|(page, account)| Self::Audit(account, page)),
            "ping" if id == name => Some(Self::Ping),
            "ping_choose" if id == name => Some(Self::ChoosePing),
            "ping_leave" if id == name => Some(Self::LeavePings),
            _ => None,
        }
    }
}

/// A number and an account.
fn numbered<Number: FromStr>(text: &str) -> Option<(Number, AccountName)> {
    let (number, account) = text.split_once(':')?;
    Some((number.parse().ok()?, account.parse().ok()?))
}

/// A button.
#[must_use]
pub(super) fn button(style: ButtonStyle, label: &str, target: &Target, enabled: bool) -> Value {
    json!({
        "type": 2, "style": style as u8, "label": label, "custom_id": target.custom_id(), "disabled": !enabled,
    })
}

/// A form with one long text, which brings what was typed back under the target's custom id.
#[must_use]
pub(super) fn text_form(title: &str, label: &str, target: &Target) -> Value {
    let input = json!({
        "type": 4, "custom_id": "text", "style": 2, "label": label, "required": true, "min_length": 1, "max_length": 4_000,
    });
    let row = json!({ "type": 1, "components": [input] });
    json!({ "type": 9, "data": { "custom_id": target.custom_id(), "title": title, "components": [row] } })
}

/// A select of any number of kinds of event, in which `chosen` are chosen.
#[must_use]
pub(super) fn kind_select(target: &Target, chosen: KindSet) -> Value {
    let options: Vec<_> = Kind::ALL
        .iter()
        .map(|kind| {
            json!({
                "label": words::kind(*kind), "value": kind.name(), "description": kind.name(),
                "default": chosen.contains(*kind),
            })
        })
        .collect();
    json!({
        "type": 3, "custom_id": target.custom_id(), "placeholder": words::CHOOSE_KINDS, "min_values": 1,
        "max_values": options.len(), "options": options,
    })
}

/// A select of one style, in which `chosen` is chosen.
#[must_use]
pub(super) fn style_select(target: &Target, chosen: Style, holds: Holds) -> Value {
    let options: Vec<_> = Style::ALL
        .iter()
        .map(|style| {
            json!({
                "label": words::style_choice(*style, holds.of(*style)), "value": style.name(),
                "default": *style == chosen,
            })
        })
        .collect();
    json!({ "type": 3, "custom_id": target.custom_id(), "min_values": 1, "max_values": 1, "options": options })
}

/// A select of one guild, of at most 25; each by its id and its name as it may stand where no markdown is rendered.
#[must_use]
pub(super) fn guild_select(target: &Target, guilds: &[(GuildId, String)]) -> Value {
    let options: Vec<_> =
        guilds.iter().map(|(guild, name)| json!({ "label": name, "value": guild.to_string() })).collect();
    json!({
        "type": 3, "custom_id": target.custom_id(), "placeholder": words::CHOOSE_GUILD, "min_values": 1,
        "max_values": 1, "options": options,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_custom_id_is_short_and_comes_back_as_what_it_was() {
        for target in [
            Target::Unlink("a".repeat(32).parse().unwrap()),
            Target::Verify("a".repeat(32).parse().unwrap()),
            Target::Jwt("a".repeat(32).parse().unwrap()),
            Target::Cancel,
            Target::Kinds(i64::MAX),
            Target::Style(i64::MAX),
            Target::Why(None, 0),
            Target::Why(Some(i64::MAX), usize::MAX),
            Target::Page(Listing::Accounts, 0),
            Target::Page(Listing::Bindings, usize::MAX),
            Target::Page(Listing::Servers, 3),
            Target::Page(Listing::AllServers, usize::MAX),
            Target::Players(usize::MAX, None),
            Target::Players(3, Some("a:b c\u{1f9e8}".to_owned())),
            Target::Guilds("a".repeat(32).parse().unwrap(), usize::MAX),
            Target::AskToUnlink("a".repeat(32).parse().unwrap()),
            Target::UnlinkGuild("a".repeat(32).parse().unwrap(), GuildId(u64::MAX)),
            Target::Audit("a".repeat(32).parse().unwrap(), usize::MAX),
            Target::Ping,
            Target::ChoosePing,
            Target::LeavePings,
        ] {
            let id = target.custom_id();
            assert!(id.len() <= 100, "{id}");
            assert_eq!(Target::from_custom_id(&id), Some(target));
        }
    }

    #[test]
    fn a_custom_id_that_nobody_was_given_means_nothing() {
        let long = format!("unlink:{}", "a".repeat(33));
        for id in [
            "",
            ":",
            "unlink",
            "unlink:",
            "unlink:a b",
            "unlink:@everyone",
            &long,
            "cancel:",
            "cancel:1",
            "Cancel",
            "kinds:",
            "kinds:x",
            "kinds:99999999999999999999",
            "kinds:1:2",
            "style:",
            "style:quiet",
            "why:",
            "why::1",
            "why:1:",
            "why:1:2:3",
            "why:-1",
            "page",
            "page:",
            "page:accounts",
            "page:accounts:",
            "page:accounts:-1",
            "page:accounts:99999999999999999999",
            "page:secrets:0",
            "page::0",
            "players:",
            "players:main",
            "players:-1:main",
            "guilds:",
            "guilds:0",
            "guilds:GA-1",
            "guilds:0:",
            "guilds:0:a b",
            "unlink_which:",
            "unlink_guild:GA-1",
            "unlink_guild:1:",
            "unlink_guild:-1:GA-1",
            "unlink_guild:GA-1:1",
            "audit:GA-1",
            "audit:x:GA-1",
            "ping:",
            "ping_choose:1",
        ] {
            let target = Target::from_custom_id(id);
            assert_eq!(target, None, "{id:?}");
        }
    }

    #[test]
    fn a_select_offers_all_kinds_as_discord_takes_them() {
        let select = kind_select(&Target::Kinds(1), [Kind::PlayerChatted].into_iter().collect());
        let options = select["options"].as_array().unwrap();
        assert!(options.len() == Kind::ALL.len() && options.len() <= 25);
        for option in options {
            assert!(option["label"].as_str().unwrap().len() <= 100);
            assert_eq!(option["default"], option["value"] == "player.chatted");
        }
    }
}
