//! A stand-in for Discord: REST v10 and the gateway on 127.0.0.1, with state, documented limits, and trouble on demand.
//!
//! A bot under test talks to it as it would to Discord; a test builds guilds, acts as the people in them, sees what a
//! channel shows, and breaks things. Nothing here expects particular requests: what Discord would refuse is refused.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use discord_sim::{ChannelKind, Options, Sim};
//!
//! let discord = Sim::start(Options::default()).await?;
//! let guild = discord.add_guild("Rustaceans");
//! let channel = discord.add_channel(guild, "events", ChannelKind::Text);
//!
//! // The bot: any library, pointed at `discord.url()`. Here it is one bare request.
//! let bot = reqwest::Client::builder().no_proxy().user_agent("DiscordBot (https://example.com, 1.0)").build()?;
//! bot.post(format!("{}/api/v10/channels/{channel}/messages", discord.url()))
//!     .header("authorization", format!("Bot {}", discord.token()))
//!     .json(&serde_json::json!({ "content": "A player joined" }))
//!     .send()
//!     .await?;
//!
//! let messages = discord.wait_for_messages(channel, 1, Duration::from_secs(5)).await?;
//! assert_eq!(messages[0].content, "A player joined");
//! # Ok(())
//! # }
//! ```
//!
//! [`Sim`] is the handle for everything: building guilds, being the people in them ([`Sim::command`], [`Sim::press`],
//! [`Sim::submit`], [`Sim::say`], [`Sim::react`], [`Sim::start_thread`]), looking ([`Sim::messages`],
//! [`Sim::statistics`]), waiting ([`Sim::wait_until`], or [`Sim::pass_time`] for what depends on a message's age) and
//! breaking things ([`Sim::trouble`], [`Sim::go_away`], [`Sim::invalidate_sessions`]). [`Options`] has what may vary.
//!
//! Not affiliated with Discord.

// The guild object is one long `json!`.
#![recursion_limit = "256"]

mod community;
mod control;
mod endpoint;
mod events;
mod filled;
mod forged;
mod gateway;
mod intents;
mod interactions;
mod invocation;
mod limits;
mod model;
mod multipart;
mod offered;
mod options;
mod page;
mod people;
mod permissions;
mod person;
mod refusal;
mod resolved;
mod rest;
mod rules;
mod server;
mod sessions;
mod sim;
mod statistics;
mod trouble;
mod typed;
mod view;
mod wire;
mod world;

pub use options::{Bucket, Options};
pub use sim::Sim;
pub use statistics::{Rejection, Statistics};
pub use trouble::{Route, Scope, Trouble};
pub use view::{Actor, Choice, CommandError, Embed, Field, Message, Reply, Timeout};
pub use world::ChannelKind;
