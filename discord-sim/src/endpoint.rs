//! Which of Discord's endpoints a path names, its template for statistics and bodies, and its rate-limit resource.

/// A path below `/api/v10`, or the gateway's socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Socket,
    Gateway,
    GatewayBot,
    Me,
    MyGuilds,
    Application,
    GlobalCommands {
        application: u64,
    },
    GuildCommands {
        application: u64,
        guild: u64,
    },
    InteractionCallback {
        interaction: u64,
        token: String,
    },
    WebhookCreate {
        application: u64,
        token: String,
    },
    /// `message` is nothing for `@original`.
    WebhookMessage {
        application: u64,
        token: String,
        message: Option<u64>,
    },
    Messages {
        channel: u64,
    },
    Message {
        channel: u64,
        message: u64,
    },
    Channel {
        channel: u64,
    },
    Guild {
        guild: u64,
    },
    GuildChannels {
        guild: u64,
    },
    GuildRoles {
        guild: u64,
    },
    GuildMember {
        guild: u64,
        user: u64,
    },
    DirectMessages,
    Nowhere,
}

impl Endpoint {
    /// Reads the path after `/api/v10/`.
    pub(crate) fn parse(path: &str) -> Self {
        Self::known(path).unwrap_or(Self::Nowhere)
    }

    fn known(path: &str) -> Option<Self> {
        let steps: Vec<&str> = path.split('/').filter(|step| !step.is_empty()).collect();
        let id = |text: &str| text.parse::<u64>().ok();
        Some(match steps.as_slice() {
            ["gateway"] => Self::Gateway,
            ["gateway", "bot"] => Self::GatewayBot,
            ["users", "@me"] => Self::Me,
            ["users", "@me", "guilds"] => Self::MyGuilds,
            ["users", "@me", "channels"] => Self::DirectMessages,
            ["applications", "@me"] | ["oauth2", "applications", "@me"] => Self::Application,
            ["applications", application, "commands"] => Self::GlobalCommands { application: id(application)? },
            ["applications", application, "guilds", guild, "commands"] => {
                Self::GuildCommands { application: id(application)?, guild: id(guild)? }
            }
            ["interactions", interaction, token, "callback"] => {
                Self::InteractionCallback { interaction: id(interaction)?, token: (*token).to_owned() }
            }
            ["webhooks", application, token] => {
                Self::WebhookCreate { application: id(application)?, token: (*token).to_owned() }
            }
            ["webhooks", application, token, "messages", message] => Self::WebhookMessage {
                application: id(application)?,
                token: (*token).to_owned(),
                message: if *message == "@original" { None } else { Some(id(message)?) },
            },
            ["channels", channel] => Self::Channel { channel: id(channel)? },
            ["channels", channel, "messages"] => Self::Messages { channel: id(channel)? },
            ["channels", channel, "messages", message] => {
                Self::Message { channel: id(channel)?, message: id(message)? }
            }
            ["guilds", guild] => Self::Guild { guild: id(guild)? },
            ["guilds", guild, "channels"] => Self::GuildChannels { guild: id(guild)? },
            ["guilds", guild, "roles"] => Self::GuildRoles { guild: id(guild)? },
            ["guilds", guild, "members", user] => Self::GuildMember { guild: id(guild)?, user: id(user)? },
            _ => return None,
        })
    }

    /// `METHOD template`; nothing if the endpoint has no such method.
    pub(crate) fn route(&self, method: &str) -> Option<&'static str> {
        Some(match (method, self) {
            ("GET", Self::Socket) => "GET /gateway socket",
            ("GET", Self::Gateway) => "GET /gateway",
            ("GET", Self::GatewayBot) => "GET /gateway/bot",
            ("GET", Self::Me) => "GET /users/@me",
            ("GET", Self::MyGuilds) => "GET /users/@me/guilds",
            ("GET", Self::Application) => "GET /applications/@me",
            ("GET", Self::GlobalCommands { .. }) => "GET /applications/{application}/commands",
            ("PUT", Self::GlobalCommands { .. }) => "PUT /applications/{application}/commands",
            ("GET", Self::GuildCommands { .. }) => "GET /applications/{application}/guilds/{guild}/commands",
            ("PUT", Self::GuildCommands { .. }) => "PUT /applications/{application}/guilds/{guild}/commands",
            ("POST", Self::InteractionCallback { .. }) => "POST /interactions/{interaction}/{token}/callback",
            ("POST", Self::WebhookCreate { .. }) => "POST /webhooks/{application}/{token}",
            ("GET", Self::WebhookMessage { .. }) => "GET /webhooks/{application}/{token}/messages/{message}",
            ("PATCH", Self::WebhookMessage { .. }) => "PATCH /webhooks/{application}/{token}/messages/{message}",
            ("DELETE", Self::WebhookMessage { .. }) => "DELETE /webhooks/{application}/{token}/messages/{message}",
            ("GET", Self::Messages { .. }) => "GET /channels/{channel}/messages",
            ("POST", Self::Messages { .. }) => "POST /channels/{channel}/messages",
            ("GET", Self::Message { .. }) => "GET /channels/{channel}/messages/{message}",
            ("PATCH", Self::Message { .. }) => "PATCH /channels/{channel}/messages/{message}",
            ("DELETE", Self::Message { .. }) => "DELETE /channels/{channel}/messages/{message}",
            ("GET", Self::Channel { .. }) => "GET /channels/{channel}",
            ("GET", Self::Guild { .. }) => "GET /guilds/{guild}",
            ("GET", Self::GuildChannels { .. }) => "GET /guilds/{guild}/channels",
            ("GET", Self::GuildRoles { .. }) => "GET /guilds/{guild}/roles",
            ("GET", Self::GuildMember { .. }) => "GET /guilds/{guild}/members/{user}",
            ("POST", Self::DirectMessages) => "POST /users/@me/channels",
            _ => return None,
        })
    }

    /// Answered by the interaction's token instead of the bot's, and outside of the global limit.
    pub(crate) fn is_interaction(&self) -> bool {
        matches!(self, Self::InteractionCallback { .. } | Self::WebhookCreate { .. } | Self::WebhookMessage { .. })
    }

    /// The top-level resource, which parts a bucket
    /// (<https://discord.com/developers/docs/topics/rate-limits#rate-limits>).
    pub(crate) fn major(&self) -> String {
        match self {
            Self::Messages { channel } | Self::Message { channel, .. } | Self::Channel { channel } => {
                channel.to_string()
            }
            Self::Guild { guild }
            | Self::GuildChannels { guild }
            | Self::GuildRoles { guild }
            | Self::GuildMember { guild, .. } => guild.to_string(),
            Self::WebhookCreate { token, .. } | Self::WebhookMessage { token, .. } => token.clone(),
            _ => String::new(),
        }
    }
}
