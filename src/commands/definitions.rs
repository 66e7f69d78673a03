//! The slash commands as Discord knows them. Their names are a contract: people type them, others build against them.

use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::Permissions;
use serenity::model::application::{CommandOptionType, InteractionContext};
use serenity::model::channel::ChannelType;

use super::{board, maintenance, owning, pings, server};
use crate::discord::words::{self, descriptions};
use crate::domain::event::Group;
use crate::domain::ping::Wish;
use crate::domain::style::{Holds, Style};

/// Every command, to be registered at once. `holds` are what the styles are offered with.
#[must_use]
pub(super) fn all(holds: Holds) -> Vec<CreateCommand> {
    vec![account(), board(), help(), maintenance(), notify(holds), ping(), players(), server(), status(), why()]
}

/// The commands' names, sorted.
#[must_use]
pub fn names() -> Vec<String> {
    let all = serde_json::to_value(all(Holds::default())).unwrap_or_default();
    let mut names: Vec<_> = all
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|command| command["name"].as_str())
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

fn account() -> CreateCommand {
    let link = subcommand("link", descriptions::ACCOUNT_LINK)
        .add_sub_option(text("code", descriptions::ACCOUNT_LINK_CODE).required(true).max_length(100));
    let connect = subcommand("connect", descriptions::ACCOUNT_CONNECT)
        .add_sub_option(text("name", descriptions::ACCOUNT_CONNECT_NAME).required(true).max_length(32))
        .add_sub_option(text("url", descriptions::ACCOUNT_CONNECT_URL).required(true).max_length(280))
        .add_sub_option(text("stream", descriptions::ACCOUNT_CONNECT_STREAM).required(true).max_length(64))
        .add_sub_option(text("root", descriptions::ACCOUNT_CONNECT_ROOT).max_length(100));
    let list = subcommand("list", descriptions::ACCOUNT_LIST);
    let unlink = subcommand("unlink", descriptions::ACCOUNT_UNLINK)
        .add_sub_option(text("account", descriptions::ACCOUNT_UNLINK_ACCOUNT).required(true).set_autocomplete(true));
    let expires =
        owning::LIFETIMES.iter().fold(text("expires", descriptions::ACCOUNT_INVITE_EXPIRES), |option, (name, _)| {
            option.add_string_choice(*name, *name)
        });
    let invite = owners("invite", descriptions::ACCOUNT_INVITE).add_sub_option(expires);
    administration("account", descriptions::ACCOUNT)
        .add_option(link)
        .add_option(list)
        .add_option(unlink)
        .add_option(connect)
        .add_option(owners("rotate", descriptions::ACCOUNT_ROTATE))
        .add_option(invite)
        .add_option(owners("guilds", descriptions::ACCOUNT_GUILDS))
        .add_option(owners("audit", descriptions::ACCOUNT_AUDIT))
}

/// A subcommand for the owner of the account that is chosen in it.
fn owners(name: &str, description: &str) -> CreateCommandOption {
    subcommand(name, description)
        .add_sub_option(text("account", descriptions::ACCOUNT_OWNED).required(true).set_autocomplete(true))
}

fn board() -> CreateCommand {
    let channel = CreateCommandOption::new(CommandOptionType::Channel, "channel", descriptions::BOARD_CHANNEL)
        .required(true)
        .channel_types(vec![ChannelType::Text, ChannelType::News]);
    let create = board::SERVERS
        .iter()
        .fold(subcommand("create", descriptions::BOARD_CREATE).add_sub_option(channel), |create, option| {
            create.add_sub_option(text(option, descriptions::BOARD_SERVER).set_autocomplete(true))
        });
    let remove = subcommand("remove", descriptions::BOARD_REMOVE)
        .add_sub_option(text("board", descriptions::BOARD_BOARD).required(true).set_autocomplete(true));
    let pings =
        subcommand("pings", descriptions::BOARD_PINGS).add_sub_option(self::channel(descriptions::BOARD_PINGS_CHANNEL));
    administration("board", descriptions::BOARD)
        .add_option(create)
        .add_option(subcommand("list", descriptions::BOARD_LIST))
        .add_option(remove)
        .add_option(pings)
}

/// A channel that can be told something.
fn channel(description: &str) -> CreateCommandOption {
    CreateCommandOption::new(CommandOptionType::Channel, "channel", description).channel_types(vec![
        ChannelType::Text,
        ChannelType::News,
        ChannelType::NewsThread,
        ChannelType::PublicThread,
        ChannelType::PrivateThread,
    ])
}

fn ping() -> CreateCommand {
    let when = Wish::NAMES.iter().fold(text("when", descriptions::PING_ME_WHEN).required(true), |option, wish| {
        option.add_string_choice(words::wish_choice(wish), *wish)
    });
    let players = CreateCommandOption::new(CommandOptionType::Integer, "players", descriptions::PING_ME_PLAYERS)
        .min_int_value(1)
        .max_int_value(u64::from(pings::MOST_PLAYERS));
    let server = |description| text("server", description).set_autocomplete(true);
    let me = subcommand("me", descriptions::PING_ME)
        .add_sub_option(server(descriptions::PING_ME_SERVER).required(true))
        .add_sub_option(when)
        .add_sub_option(players);
    let leave = subcommand("leave", descriptions::PING_LEAVE).add_sub_option(server(descriptions::PING_LEAVE_SERVER));
    CreateCommand::new("ping")
        .description(descriptions::PING)
        .contexts(vec![InteractionContext::Guild])
        .add_option(me)
        .add_option(subcommand("list", descriptions::PING_LIST))
        .add_option(leave)
}

fn notify(holds: Holds) -> CreateCommand {
    let channel = channel(descriptions::NOTIFY_ADD_CHANNEL).required(true);
    let events =
        Group::ALL.iter().fold(text("events", descriptions::NOTIFY_ADD_EVENTS).required(true), |option, group| {
            option.add_string_choice(words::group(*group), group.name())
        });
    let mention = CreateCommandOption::new(CommandOptionType::Role, "mention", descriptions::NOTIFY_ADD_MENTION);
    let style = Style::ALL.iter().fold(text("style", descriptions::NOTIFY_ADD_STYLE), |option, style| {
        option.add_string_choice(words::style_choice(*style, holds.of(*style)), style.name())
    });
    let add = subcommand("add", descriptions::NOTIFY_ADD)
        .add_sub_option(channel)
        .add_sub_option(events)
        .add_sub_option(text("account", descriptions::NOTIFY_ADD_ACCOUNT).set_autocomplete(true))
        .add_sub_option(text("server", descriptions::NOTIFY_ADD_SERVER).set_autocomplete(true))
        .add_sub_option(mention)
        .add_sub_option(style);
    let list = subcommand("list", descriptions::NOTIFY_LIST);
    let notify = administration("notify", descriptions::NOTIFY).add_option(add).add_option(list);
    [
        ("edit", descriptions::NOTIFY_EDIT),
        ("pause", descriptions::NOTIFY_PAUSE),
        ("resume", descriptions::NOTIFY_RESUME),
        ("remove", descriptions::NOTIFY_REMOVE),
        ("test", descriptions::NOTIFY_TEST),
    ]
    .into_iter()
    .fold(notify, |notify, (name, description)| {
        notify.add_option(subcommand(name, description).add_sub_option(binding()))
    })
}

fn binding() -> CreateCommandOption {
    text("binding", descriptions::NOTIFY_BINDING).required(true).set_autocomplete(true)
}

fn maintenance() -> CreateCommand {
    let duration = maintenance::DURATIONS
        .iter()
        .fold(text("duration", descriptions::MAINTENANCE_DURATION).required(true), |option, (name, duration)| {
            option.add_string_choice(words::duration(*duration), *name)
        });
    let reason = text("reason", descriptions::MAINTENANCE_REASON).max_length(maintenance::LONGEST_REASON);
    let start = of_server("start", descriptions::MAINTENANCE_START).add_sub_option(duration).add_sub_option(reason);
    let end = of_server("end", descriptions::MAINTENANCE_END);
    administration("maintenance", descriptions::MAINTENANCE)
        .add_option(with_account(start))
        .add_option(with_account(end))
}

fn server() -> CreateCommand {
    let name = text("name", descriptions::SERVER_RENAME_NAME).max_length(server::LONGEST_NAME);
    let rename = of_server("rename", descriptions::SERVER_RENAME).add_sub_option(name);
    let silence =
        server::SILENCES.iter().fold(text("silence", descriptions::SERVER_EXPECT_SILENCE), |option, silence| {
            option.add_string_choice(words::silence_choice(silence.1), silence.0)
        });
    let connection = text("connection", descriptions::SERVER_EXPECT_CONNECTION).set_autocomplete(true);
    let expect = of_server("expect", descriptions::SERVER_EXPECT).add_sub_option(silence).add_sub_option(connection);
    administration("server", descriptions::SERVER)
        .add_option(subcommand("list", descriptions::SERVER_LIST))
        .add_option(with_account(rename))
        .add_option(with_account(expect))
        .add_option(with_account(of_server("forget", descriptions::SERVER_FORGET)))
}

/// A subcommand about one server.
fn of_server(name: &str, description: &str) -> CreateCommandOption {
    subcommand(name, description)
        .add_sub_option(text("server", descriptions::SERVER_SERVER).required(true).set_autocomplete(true))
}

/// With whose the server is, for where two accounts have one of that name.
fn with_account(subcommand: CreateCommandOption) -> CreateCommandOption {
    subcommand.add_sub_option(text("account", descriptions::SERVER_ACCOUNT).set_autocomplete(true))
}

fn players() -> CreateCommand {
    for_all("players", descriptions::PLAYERS)
        .add_option(text("server", descriptions::PLAYERS_SERVER).set_autocomplete(true))
}

fn status() -> CreateCommand {
    for_all("status", descriptions::STATUS)
        .add_option(text("server", descriptions::STATUS_SERVER).set_autocomplete(true))
}

fn help() -> CreateCommand {
    for_all("help", descriptions::HELP)
}

fn why() -> CreateCommand {
    administration("why", descriptions::WHY)
        .add_option(text("binding", descriptions::WHY_BINDING).set_autocomplete(true))
}

/// A command for every member.
fn for_all(name: &str, description: &str) -> CreateCommand {
    CreateCommand::new(name).description(description).contexts(vec![InteractionContext::Guild])
}

/// A command for those who may manage the guild. The default can be changed by its admins, so it is checked again.
fn administration(name: &str, description: &str) -> CreateCommand {
    CreateCommand::new(name)
        .description(description)
        .contexts(vec![InteractionContext::Guild])
        .default_member_permissions(Permissions::MANAGE_GUILD)
}

fn subcommand(name: &str, description: &str) -> CreateCommandOption {
    CreateCommandOption::new(CommandOptionType::SubCommand, name, description)
}

fn text(name: &str, description: &str) -> CreateCommandOption {
    CreateCommandOption::new(CommandOptionType::String, name, description)
}
