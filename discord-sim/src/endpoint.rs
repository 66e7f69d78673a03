//! Discord's endpoints: one table that names each method, path, handler and bucket once, and reading a path by it.

use std::time::Duration;

use crate::options::Bucket;
use crate::rest::{
    Call, Handled, channels, commands, guilds, interactions, members, messages, overwrites, pins, reactions, roles,
    thread_members, threads, users, webhook_messages, webhooks,
};
use crate::world::World;

/// One method of one path below `/api/v10`.
pub(crate) struct Endpoint {
    /// `METHOD /path/{parameter}`, for statistics and kept bodies.
    pub(crate) name: &'static str,
    pub(crate) handler: fn(&mut World, &Call) -> Handled,
    pub(crate) pace: Pace,
    pub(crate) caller: Caller,
}

/// Who may call, and against which limit it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The bot, by its token; counts towards its global limit.
    Bot,
    /// Anyone; counts towards the bot's global limit if its token came along, else towards the address's.
    Anyone,
    /// Whoever knows the token in the path; outside of the global limit.
    Token,
}

/// The rate-limit bucket of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// No bucket: interaction callbacks.
    None,
    /// Create-message's, whose size is an option.
    Messages,
    /// One of its own, of so many requests per milliseconds.
    Own(u32, u64),
    /// One that endpoints of this name share.
    Shared(&'static str, u32, u64),
}

impl Endpoint {
    /// What endpoints of the same bucket have in common.
    pub(crate) fn bucket_name(&self) -> &'static str {
        match self.pace {
            Pace::Shared(name, ..) => name,
            _ => self.name,
        }
    }
}

impl Pace {
    pub(crate) fn bucket(self, messages: Bucket) -> Option<Bucket> {
        match self {
            Self::None => None,
            Self::Messages => Some(messages),
            Self::Own(limit, milliseconds) | Self::Shared(_, limit, milliseconds) => {
                Some(Bucket { limit, window: Duration::from_millis(milliseconds) })
            }
        }
    }
}

/// Only create-message's size is widely known from outside; most others are generous here, and only there to be read.
const USUAL: Pace = Pace::Own(50, 1000);
const EDITS: Pace = Pace::Own(5, 5000);
const REACTIONS: Pace = Pace::Shared("reactions", 1, 250);
const COMMANDS: Pace = Pace::Shared("commands", 30, 20_000);
/// 5 per 2 s for each webhook and kind of request: <https://github.com/discord/discord-api-docs/issues/367>
const WEBHOOK: Pace = Pace::Own(5, 2000);
const GATEWAY: Pace = Pace::Own(20, 5000);
/// Ten an hour, as Discord's client says when it refuses more.
const CROSSPOSTS: Pace = Pace::Own(10, 3_600_000);

type Handler = fn(&mut World, &Call) -> Handled;

const fn bot(name: &'static str, handler: Handler, pace: Pace) -> Endpoint {
    Endpoint { name, handler, pace, caller: Caller::Bot }
}

const fn token(name: &'static str, handler: Handler, pace: Pace) -> Endpoint {
    Endpoint { name, handler, pace, caller: Caller::Token }
}

/// The first that fits is meant: a path with a word stands before one with a parameter in its place.
static ENDPOINTS: &[Endpoint] = &[
    Endpoint { name: "GET /gateway", handler: users::gateway, pace: GATEWAY, caller: Caller::Anyone },
    bot("GET /gateway/bot", users::gateway_bot, GATEWAY),
    bot("GET /users/@me", users::me, USUAL),
    bot("GET /users/@me/guilds", users::my_guilds, USUAL),
    bot("DELETE /users/@me/guilds/{guild}", users::leave_guild, USUAL),
    bot("POST /users/@me/channels", users::open_direct, USUAL),
    bot("GET /users/{user}", users::get, USUAL),
    bot("GET /applications/@me", users::application, USUAL),
    bot("GET /oauth2/applications/@me", users::application, USUAL),
    // Commands, global and of a guild.
    bot("GET /applications/{application}/commands", commands::list, COMMANDS),
    bot("POST /applications/{application}/commands", commands::create, COMMANDS),
    bot("PUT /applications/{application}/commands", commands::overwrite, COMMANDS),
    bot("GET /applications/{application}/commands/{command}", commands::get, COMMANDS),
    bot("PATCH /applications/{application}/commands/{command}", commands::edit, COMMANDS),
    bot("DELETE /applications/{application}/commands/{command}", commands::delete, COMMANDS),
    bot("GET /applications/{application}/guilds/{guild}/commands", commands::list, COMMANDS),
    bot("POST /applications/{application}/guilds/{guild}/commands", commands::create, COMMANDS),
    bot("PUT /applications/{application}/guilds/{guild}/commands", commands::overwrite, COMMANDS),
    bot("GET /applications/{application}/guilds/{guild}/commands/permissions", commands::all_permissions, COMMANDS),
    bot("GET /applications/{application}/guilds/{guild}/commands/{command}", commands::get, COMMANDS),
    bot("PATCH /applications/{application}/guilds/{guild}/commands/{command}", commands::edit, COMMANDS),
    bot("DELETE /applications/{application}/guilds/{guild}/commands/{command}", commands::delete, COMMANDS),
    bot(
        "GET /applications/{application}/guilds/{guild}/commands/{command}/permissions",
        commands::permissions,
        COMMANDS,
    ),
    bot(
        "PUT /applications/{application}/guilds/{guild}/commands/{command}/permissions",
        commands::set_permissions,
        COMMANDS,
    ),
    // Interactions and webhooks. An interaction's token is a webhook's, whose id is the application's.
    token("POST /interactions/{interaction}/{token}/callback", interactions::respond, Pace::None),
    bot("GET /webhooks/{webhook}", webhooks::get, USUAL),
    bot("PATCH /webhooks/{webhook}", webhooks::edit, USUAL),
    bot("DELETE /webhooks/{webhook}", webhooks::delete, USUAL),
    token("GET /webhooks/{webhook}/{token}", webhooks::get, USUAL),
    token("PATCH /webhooks/{webhook}/{token}", webhooks::edit, USUAL),
    token("DELETE /webhooks/{webhook}/{token}", webhooks::delete, USUAL),
    token("POST /webhooks/{webhook}/{token}", webhook_messages::execute, WEBHOOK),
    token("GET /webhooks/{webhook}/{token}/messages/{message}", webhook_messages::get, WEBHOOK),
    token("PATCH /webhooks/{webhook}/{token}/messages/{message}", webhook_messages::edit, WEBHOOK),
    token("DELETE /webhooks/{webhook}/{token}/messages/{message}", webhook_messages::delete, WEBHOOK),
    bot("GET /channels/{channel}/webhooks", webhooks::of_channel, USUAL),
    bot("POST /channels/{channel}/webhooks", webhooks::create, USUAL),
    bot("GET /guilds/{guild}/webhooks", webhooks::of_guild, USUAL),
    // Messages.
    bot("GET /channels/{channel}/messages", messages::list, USUAL),
    bot("POST /channels/{channel}/messages", messages::create, Pace::Messages),
    bot("POST /channels/{channel}/messages/bulk-delete", messages::bulk_delete, EDITS),
    bot("GET /channels/{channel}/messages/pins", pins::list, USUAL),
    bot("PUT /channels/{channel}/messages/pins/{message}", pins::pin, EDITS),
    bot("DELETE /channels/{channel}/messages/pins/{message}", pins::unpin, EDITS),
    bot("GET /channels/{channel}/pins", pins::list_plain, USUAL),
    bot("PUT /channels/{channel}/pins/{message}", pins::pin, EDITS),
    bot("DELETE /channels/{channel}/pins/{message}", pins::unpin, EDITS),
    bot("GET /channels/{channel}/messages/{message}", messages::get, USUAL),
    bot("PATCH /channels/{channel}/messages/{message}", messages::edit, EDITS),
    bot("DELETE /channels/{channel}/messages/{message}", messages::delete, EDITS),
    bot("POST /channels/{channel}/messages/{message}/crosspost", messages::crosspost, CROSSPOSTS),
    bot("POST /channels/{channel}/typing", messages::typing, EDITS),
    bot("DELETE /channels/{channel}/messages/{message}/reactions", reactions::clear, REACTIONS),
    bot("GET /channels/{channel}/messages/{message}/reactions/{emoji}", reactions::list, USUAL),
    bot("DELETE /channels/{channel}/messages/{message}/reactions/{emoji}", reactions::clear_emoji, REACTIONS),
    bot("PUT /channels/{channel}/messages/{message}/reactions/{emoji}/@me", reactions::add, REACTIONS),
    bot("DELETE /channels/{channel}/messages/{message}/reactions/{emoji}/{user}", reactions::remove, REACTIONS),
    // Threads.
    bot("POST /channels/{channel}/messages/{message}/threads", threads::from_message, USUAL),
    bot("POST /channels/{channel}/threads", threads::create, USUAL),
    bot("GET /guilds/{guild}/threads/active", threads::active, USUAL),
    bot("GET /channels/{channel}/threads/archived/public", threads::archived_public, USUAL),
    bot("GET /channels/{channel}/threads/archived/private", threads::archived_private, USUAL),
    bot("GET /channels/{channel}/users/@me/threads/archived/private", threads::archived_joined, USUAL),
    bot("GET /channels/{channel}/thread-members", thread_members::list, USUAL),
    bot("GET /channels/{channel}/thread-members/{user}", thread_members::get, USUAL),
    bot("PUT /channels/{channel}/thread-members/{user}", thread_members::add, USUAL),
    bot("DELETE /channels/{channel}/thread-members/{user}", thread_members::remove, USUAL),
    // Channels, guilds, roles and members.
    bot("GET /channels/{channel}", channels::get, USUAL),
    bot("PATCH /channels/{channel}", channels::edit, USUAL),
    bot("DELETE /channels/{channel}", channels::delete, USUAL),
    bot("PUT /channels/{channel}/permissions/{overwrite}", overwrites::put, USUAL),
    bot("DELETE /channels/{channel}/permissions/{overwrite}", overwrites::delete, USUAL),
    bot("GET /guilds/{guild}", guilds::get, USUAL),
    bot("GET /guilds/{guild}/channels", guilds::channels, USUAL),
    bot("POST /guilds/{guild}/channels", channels::create, USUAL),
    bot("PATCH /guilds/{guild}/channels", guilds::move_channels, USUAL),
    bot("GET /guilds/{guild}/roles", roles::list, USUAL),
    bot("POST /guilds/{guild}/roles", roles::create, USUAL),
    bot("PATCH /guilds/{guild}/roles", roles::move_all, USUAL),
    bot("GET /guilds/{guild}/roles/{role}", roles::get, USUAL),
    bot("PATCH /guilds/{guild}/roles/{role}", roles::edit, USUAL),
    bot("DELETE /guilds/{guild}/roles/{role}", roles::delete, USUAL),
    bot("GET /guilds/{guild}/members", members::list, USUAL),
    bot("GET /guilds/{guild}/members/search", members::search, USUAL),
    bot("PATCH /guilds/{guild}/members/@me", members::edit_me, USUAL),
    bot("GET /guilds/{guild}/members/{user}", members::get, USUAL),
    bot("PATCH /guilds/{guild}/members/{user}", members::edit, USUAL),
    bot("DELETE /guilds/{guild}/members/{user}", members::kick, USUAL),
    bot("PUT /guilds/{guild}/members/{user}/roles/{role}", members::add_role, USUAL),
    bot("DELETE /guilds/{guild}/members/{user}/roles/{role}", members::remove_role, USUAL),
];

/// The values of a path's parameters, decoded.
pub(crate) type Parameters = Vec<(&'static str, String)>;

/// What a request is for.
pub(crate) enum Wanted {
    /// A gateway connection.
    Socket,
    /// One of Discord's endpoints, with the values of its path.
    Endpoint(&'static Endpoint, Parameters),
    /// A path that exists, by another method.
    WrongMethod,
    /// REST in another version than 10, or without one.
    WrongVersion,
    Nowhere,
}

impl Wanted {
    pub(crate) fn read(method: &str, path: &str) -> Self {
        // The address of a webhook, as its object gives it, has no version.
        let of_webhook = || path.strip_prefix("/api/").filter(|path| path.starts_with("webhooks/"));
        let Some(path) = path.strip_prefix("/api/v10/").or_else(of_webhook) else {
            return if path.starts_with("/api/") { Self::WrongVersion } else { Self::Nowhere };
        };
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let mut there = false;
        for endpoint in ENDPOINTS {
            let (its_method, template) = endpoint.name.split_once(" /").unwrap_or_default();
            if let Some(parameters) = fit(template, &steps) {
                if its_method == method {
                    return Self::Endpoint(endpoint, parameters);
                }
                there = true;
            }
        }
        if there { Self::WrongMethod } else { Self::Nowhere }
    }

    /// `METHOD /path`, or what stands for one in the statistics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Socket => "GET /gateway socket",
            Self::Endpoint(endpoint, _) => endpoint.name,
            Self::WrongMethod | Self::WrongVersion | Self::Nowhere => "unknown",
        }
    }

    pub(crate) fn parameters(&self) -> Parameters {
        if let Self::Endpoint(_, parameters) = self { parameters.clone() } else { Parameters::new() }
    }
}

fn fit(template: &'static str, steps: &[&str]) -> Option<Parameters> {
    let mut parameters = Parameters::new();
    let mut steps = steps.iter();
    for word in template.split('/') {
        let step = steps.next()?;
        match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            Some(name) => parameters.push((name, decoded(step)?)),
            None if word == *step => {}
            None => return None,
        }
    }
    steps.next().is_none().then_some(parameters)
}

/// Undoes percent-encoding; nothing if that gives no text.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let (digits, after) = after.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}
