//! What happens to Discord, and to requests on their way to it and back.

use std::time::Duration;

use anyhow::{Context as _, Result};
use discord_sim::{Message, Route, Scope};
use rand::RngExt as _;
use tokio::time::{Instant, sleep};

use super::Conductor;
use crate::bot::ensure_runs;
use crate::oracle::Place;

/// How long a request may take to meet the trouble that waits for it.
const MEETING_BOUND: Duration = Duration::from_secs(5);

/// How long the bot may take to ask a channel again that refused it.
const PROBE_BOUND: Duration = Duration::from_secs(10);

/// How long the bot may take to try a message again.
const HEARING_BOUND: Duration = Duration::from_mins(1);

/// For longer than this the bot does not rely on a nonce.
const NONCE_RELIED_ON: Duration = Duration::from_mins(1);

/// Permissions, as Discord numbers them.
const VIEW_CHANNEL: u64 = 1 << 10;
const SEND_MESSAGES: u64 = 1 << 11;

/// What requests meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// All connections end; sessions may be forgotten.
    Restart,
    /// Nothing listens for a while.
    Away,
    /// Nothing answers for a while.
    Frozen,
    RouteLimit,
    GlobalLimit,
    SharedLimit,
    Cloudflare,
    ServerErrors,
    Hang,
    RefusedConnections,
}

impl Trouble {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Restart => "Discord restarted",
            Self::Away => "Discord away",
            Self::Frozen => "Discord frozen",
            Self::RouteLimit => "route 429",
            Self::GlobalLimit => "global 429",
            Self::SharedLimit => "shared 429",
            Self::Cloudflare => "Cloudflare's 429",
            Self::ServerErrors => "5xx",
            Self::Hang => "requests hang",
            Self::RefusedConnections => "connections refused",
        }
    }
}

impl Conductor {
    /// Makes requests meet trouble, from now on or for a while. `false` when none came.
    pub(super) async fn trouble(&mut self, trouble: Trouble) -> Result<bool> {
        let discord = self.stage.house.discord.clone();
        // What is left of earlier trouble would be met first.
        discord.clear_trouble();
        let before = discord.statistics().troubled;
        let is_met = |discord: &discord_sim::Sim| discord.statistics().troubled > before;
        let anywhere = self.random.random();
        let channel = self.any_channel();
        let route =
            if anywhere { Route::MessageCreate } else { Route::MessageCreateIn(self.stage.channels[channel].id) };
        let times = Some(self.random.random_range(1..5));
        let seconds = self.random.random_range(0.3..1.5);
        let while_ = Duration::from_millis(self.random.random_range(500..4_000));
        let limit = |scope| discord_sim::Trouble::RateLimited { scope, retry_after: seconds };
        match trouble {
            Trouble::Restart | Trouble::Away => {
                // Once for certain; later it may hit a bot that is just starting, which can't be seen from here.
                if self.tally.get(trouble.name()).is_none_or(|times| *times == 0) {
                    self.wait_for_gateway().await?;
                }
                let is_connected = discord.gateway_connected();
                if trouble == Trouble::Away {
                    discord.away_for(while_).await;
                } else {
                    discord.restart(anywhere).await;
                }
                return Ok(is_connected);
            }
            Trouble::Frozen => {
                discord.trouble(Route::Everything, discord_sim::Trouble::Hang, None);
                sleep(while_).await;
                discord.clear_trouble();
                return Ok(is_met(&discord));
            }
            Trouble::RouteLimit => discord.trouble(route, limit(Scope::User), times),
            Trouble::GlobalLimit => discord.trouble(route, limit(Scope::Global), Some(1)),
            Trouble::SharedLimit => discord.trouble(route, limit(Scope::Shared), times),
            Trouble::ServerErrors => {
                let status = self.one_of(&[500, 502, 503, 504]);
                discord.trouble(route, discord_sim::Trouble::Status(status), times);
            }
            Trouble::Hang => discord.trouble(route, discord_sim::Trouble::HangFor(while_), times),
            Trouble::RefusedConnections => discord.trouble(route, discord_sim::Trouble::Refuse, times),
            Trouble::Cloudflare => {
                discord.trouble(route, discord_sim::Trouble::CloudflareHtml, Some(1));
                self.publish_for(channel, || ()).await;
                let met = discord.wait_until(MEETING_BOUND, "Cloudflare speaks", is_met).await;
                discord.clear_trouble();
                if met.is_ok() {
                    // The bot keeps still for ten minutes now, as it should. This run has no ten minutes: a new process
                    // knows only that the message that met it has to wait for a while.
                    self.kill_bot().await?;
                    self.start_bot()?;
                }
                return Ok(met.is_ok());
            }
        }
        self.publish_for(channel, || ()).await;
        Ok(discord.wait_until(MEETING_BOUND, "a request meets trouble", is_met).await.is_ok())
    }

    /// Lets a channel take a message whose sender hears nothing, so many times; answers with the first message, if one
    /// came.
    async fn lose_reply(&mut self, channel: usize, times: u32) -> Option<Message> {
        let discord = self.stage.house.discord.clone();
        // Not simply the next message of the channel, which may be on its way already and be answered.
        let id = self.stage.channels[channel].id;
        let unanswered = |discord: &discord_sim::Sim| discord.statistics().last_unanswered;
        let before = unanswered(&discord);
        let lose = || discord.trouble(Route::MessageCreateIn(id), discord_sim::Trouble::LoseReply, Some(times));
        self.publish_for(channel, lose).await;
        let is_lost = |discord: &discord_sim::Sim| unanswered(discord) != before;
        discord.wait_until(MEETING_BOUND, "a reply is lost", is_lost).await.ok()?;
        let message = unanswered(&discord)?;
        discord.messages(id).into_iter().rfind(|shown| shown.id == message)
    }

    /// Replies are lost, and nothing else happens until the bot has posted again: killed before that, it would search
    /// the channel, and not rely on its nonce. `false` when it has not.
    pub(super) async fn lose_replies(&mut self) -> Result<bool> {
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let before = discord.statistics().nonce_replays;
        let times = self.random.random_range(1..5);
        let Some(lost) = self.lose_reply(channel, times).await else { return Ok(false) };
        let is_posted_again = |discord: &discord_sim::Sim| {
            let newest = discord.messages(id).last().map(|message| message.id);
            discord.statistics().nonce_replays > before || newest > Some(lost.id)
        };
        Ok(discord.wait_until(MEETING_BOUND, "the bot posts again", is_posted_again).await.is_ok())
    }

    /// A reply is lost, the bot dies, and by the time it is back Discord has forgotten the nonce.
    pub(super) async fn lose_and_forget(&mut self) -> Result<bool> {
        let channel = self.any_channel();
        self.stage.house.discord.clear_trouble();
        let met = self.lose_reply(channel, 1).await.is_some();
        self.kill_bot().await?;
        // What is still on its way arrives before the nonces are forgotten.
        sleep(Duration::from_millis(200)).await;
        self.stage.house.discord.forget_nonces();
        self.start_bot()?;
        Ok(met)
    }

    /// A reply is lost, and Discord is away until the bot no longer relies on the nonce, which Discord has forgotten.
    pub(super) async fn lose_for_long(&mut self) -> Result<bool> {
        let channel = self.any_channel();
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let met = self.lose_reply(channel, 1).await.is_some();
        discord.go_away().await;
        sleep(NONCE_RELIED_ON + Duration::from_secs(3)).await;
        // Who asks for the message again under its old nonce must get a second one.
        discord.forget_nonces();
        discord.come_back().await;
        Ok(met)
    }

    /// A reply is lost, and a moderator deletes the message before the bot asks again.
    pub(super) async fn lose_and_delete(&mut self) -> Result<bool> {
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let refusals = || discord.statistics().refused_with(10_008);
        let before = refusals();
        let replays = discord.statistics().nonce_replays;
        let Some(message) = self.lose_reply(channel, 1).await else { return Ok(false) };
        self.evidence.deleted.push((id, Place::read(&discord, &message)));
        discord.delete_message(id, message.id);
        if discord.statistics().nonce_replays > replays {
            // It may have asked before.
            return Ok(false);
        }
        // Until the bot has heard that it was there, nothing may make it forget what it asked, or Discord the nonce.
        discord.wait_until(HEARING_BOUND, "the bot hears of the deleted message", |_| refusals() > before).await?;
        Ok(true)
    }

    /// A channel refuses the bot for a while, and the gateway tells why: so the bot may not even ask, and it has met
    /// this when an event waited.
    pub(super) async fn deny(&mut self, sees: bool) -> Result<bool> {
        self.wait_for_gateway().await?;
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.deny(id, if sees { SEND_MESSAGES } else { VIEW_CHANNEL });
        let is_met = self.publish_for(channel, || ()).await;
        self.linger().await;
        discord.deny(id, 0);
        Ok(is_met)
    }

    /// A channel refuses the bot, which may write there by all that the gateway tells, until the bot has asked again.
    pub(super) async fn refuse_unexplained(&mut self) -> Result<bool> {
        self.wait_for_gateway().await?;
        let channel = self.any_channel();
        let route = Route::MessageCreateIn(self.stage.channels[channel].id);
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let before = discord.statistics().troubled;
        let refused =
            discord_sim::Trouble::Error { status: 403, code: 50_013, message: "Missing Permissions".to_owned() };
        discord.trouble(route, refused, None);
        self.publish_for(channel, || ()).await;
        let is_probed = |discord: &discord_sim::Sim| discord.statistics().troubled >= before + 2;
        let met = discord.wait_until(PROBE_BOUND, "the bot asks the channel again", is_probed).await;
        discord.clear_trouble();
        Ok(met.is_ok())
    }

    /// A guild is out for a while; met as [`deny`](Self::deny) is.
    pub(super) async fn guild_outage(&mut self) -> Result<bool> {
        self.wait_for_gateway().await?;
        let channel = self.any_channel();
        let guild = self.stage.channels[channel].guild.id;
        let discord = self.stage.house.discord.clone();
        discord.set_guild_outage(guild, true);
        let is_met = self.publish_for(channel, || ()).await;
        self.linger().await;
        discord.set_guild_outage(guild, false);
        Ok(is_met)
    }

    /// The token is revoked until the bot has noticed; with the good one it has to be started anew.
    pub(super) async fn revoke_token(&mut self) -> Result<bool> {
        let discord = self.stage.house.discord.clone();
        // A bot that was never let in would end, as it should.
        self.wait_for_gateway().await?;
        let before = refusals_of_token(&discord);
        discord.revoke_token();
        let noticed = |discord: &discord_sim::Sim| refusals_of_token(discord) > before;
        let met = discord.wait_until(MEETING_BOUND, "the bot is refused", noticed).await;
        self.rest().await;
        // It dies first: with a token that is good again it could do nothing wrong any more.
        self.kill_bot().await?;
        discord.restore_token();
        self.start_bot()?;
        Ok(met.is_ok())
    }

    /// Waits until the bot hears commands.
    pub(super) async fn wait_for_gateway(&mut self) -> Result<()> {
        let deadline = Instant::now() + super::ARRIVAL_BOUND;
        while self.stage.house.discord.wait_for_gateway(Duration::from_secs(1)).await.is_err() {
            ensure_runs(self.process.as_ref())?;
            anyhow::ensure!(Instant::now() < deadline, "the bot does not connect to Discord's gateway");
        }
        // It may be the killed one's session that is still there; and who is refused before it noted that it was let in ends.
        let process = ensure_runs(self.process.as_ref())?;
        let noted = tokio::time::timeout_at(deadline, process.wait_until_let_in()).await;
        noted.context("the bot does not say that it is connected to Discord's gateway")?;
        ensure_runs(Some(process)).map(drop)
    }

    async fn linger(&mut self) {
        let lasts = self.random.random_range(1_500..4_000);
        sleep(Duration::from_millis(lasts)).await;
    }
}

/// How often the bot was told that its token is no good: by the gateway, after which it may not even ask, or by a 401.
fn refusals_of_token(discord: &discord_sim::Sim) -> u64 {
    let counted = discord.statistics();
    counted.gateway_closed.get(&4004).copied().unwrap_or_default() + counted.invalid
}
