//! What happens to Discord, and to requests on their way to it and back.

use std::time::Duration;

use anyhow::Result;
use discord_sim::{Message, Route, Scope};
use rand::RngExt as _;
use tokio::time::{Instant, sleep};

use super::Conductor;
use crate::bot::ensure_runs;
use crate::oracle::Place;

/// How long a request may take to meet the trouble that waits for it.
const MEETING_BOUND: Duration = Duration::from_secs(5);

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
    LostReplies,
}

impl Trouble {
    const fn name(self) -> &'static str {
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
            Self::LostReplies => "replies lost",
        }
    }
}

impl Conductor {
    /// Makes requests meet trouble, from now on or for a while.
    pub(super) async fn trouble(&mut self, trouble: Trouble) -> Result<()> {
        self.count(trouble.name());
        let discord = self.stage.house.discord.clone();
        let anywhere = self.random.random();
        let channel = self.any_channel();
        let route =
            if anywhere { Route::MessageCreate } else { Route::MessageCreateIn(self.stage.channels[channel].id) };
        let times = Some(self.random.random_range(1..5));
        let seconds = self.random.random_range(0.3..1.5);
        let while_ = Duration::from_millis(self.random.random_range(500..4_000));
        let limit = |scope| discord_sim::Trouble::RateLimited { scope, retry_after: seconds };
        match trouble {
            Trouble::Restart => discord.restart(anywhere).await,
            Trouble::Away => discord.away_for(while_).await,
            Trouble::Frozen => {
                discord.trouble(Route::Everything, discord_sim::Trouble::Hang, None);
                sleep(while_).await;
                discord.clear_trouble();
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
            Trouble::LostReplies => discord.trouble(route, discord_sim::Trouble::LoseReply, times),
            Trouble::Cloudflare => {
                let banned = || discord.statistics().rate_limited.get("cloudflare").copied().unwrap_or_default();
                let before = banned();
                discord.trouble(route, discord_sim::Trouble::CloudflareHtml, Some(1));
                let met = discord.wait_until(MEETING_BOUND, "Cloudflare speaks", |_| banned() > before).await;
                discord.clear_trouble();
                if met.is_ok() {
                    // The bot keeps still for ten minutes now, as it should. This run has no ten minutes: a new process
                    // knows only that the message that met it has to wait for a while.
                    self.kill_bot().await?;
                    self.start_bot()?;
                }
            }
        }
        Ok(())
    }

    /// Lets a channel take a message whose sender hears nothing; answers with the message, if one came.
    async fn lose_reply(&mut self, channel: u64) -> Option<Message> {
        let discord = self.stage.house.discord.clone();
        let last = discord.messages(channel).last().map(|message| message.id);
        discord.trouble(Route::MessageCreateIn(channel), discord_sim::Trouble::LoseReply, Some(1));
        let newest = |discord: &discord_sim::Sim| discord.messages(channel).pop().filter(|now| Some(now.id) > last);
        discord.wait_until(MEETING_BOUND, "a message is taken", |discord| newest(discord).is_some()).await.ok()?;
        newest(&discord)
    }

    /// A reply is lost, the bot dies, and by the time it is back Discord has forgotten the nonce.
    pub(super) async fn lose_and_forget(&mut self) -> Result<()> {
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        self.stage.house.discord.clear_trouble();
        let met = self.lose_reply(id).await.is_some();
        self.count(if met { "reply lost, nonce forgotten" } else { "no reply to lose" });
        self.kill_bot().await?;
        // What is still on its way arrives before the nonces are forgotten.
        sleep(Duration::from_millis(200)).await;
        self.stage.house.discord.forget_nonces();
        self.start_bot()
    }

    /// A reply is lost, and Discord is away until the bot no longer relies on the nonce, which Discord has forgotten.
    pub(super) async fn lose_for_long(&mut self) -> Result<()> {
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let met = self.lose_reply(id).await.is_some();
        self.count(if met { "reply lost for more than a minute" } else { "no reply to lose" });
        discord.go_away().await;
        sleep(NONCE_RELIED_ON + Duration::from_secs(3)).await;
        // Who asks for the message again under its old nonce must get a second one.
        discord.forget_nonces();
        discord.come_back().await;
        Ok(())
    }

    /// A reply is lost, and a moderator deletes the message before the bot asks again.
    pub(super) async fn lose_and_delete(&mut self) -> Result<()> {
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.clear_trouble();
        let refusals = || {
            let rejected = discord.statistics().rejected;
            rejected.iter().filter(|refusal| refusal.reason.contains("10008")).count()
        };
        let before = refusals();
        let Some(message) = self.lose_reply(id).await else {
            self.count("no reply to lose");
            return Ok(());
        };
        self.evidence.deleted.push((id, Place::read(&discord, &message)));
        discord.delete_message(id, message.id);
        // Until the bot has heard that it was there, nothing else may make it forget what it asked, or Discord the nonce.
        discord.wait_until(HEARING_BOUND, "the bot hears of the deleted message", |_| refusals() > before).await?;
        self.count("reply lost, message deleted (10008)");
        Ok(())
    }

    /// A channel refuses the bot for a while.
    pub(super) async fn deny(&mut self, sees: bool) -> Result<()> {
        self.count(if sees { "403 for a while: may not send" } else { "403 for a while: may not see" });
        let channel = self.any_channel();
        let id = self.stage.channels[channel].id;
        let discord = self.stage.house.discord.clone();
        discord.deny(id, if sees { SEND_MESSAGES } else { VIEW_CHANNEL });
        self.linger().await;
        discord.deny(id, 0);
        Ok(())
    }

    /// A guild is out for a while.
    pub(super) async fn guild_outage(&mut self) -> Result<()> {
        self.count("404 for a while: a guild's outage");
        let guild = self.one_of(&self.stage.guilds.clone()).id;
        let discord = self.stage.house.discord.clone();
        discord.set_guild_outage(guild, true);
        self.linger().await;
        discord.set_guild_outage(guild, false);
        Ok(())
    }

    /// The token is revoked until the bot has noticed; with the good one it has to be started anew.
    pub(super) async fn revoke_token(&mut self) -> Result<()> {
        self.count("401 for a while");
        let discord = self.stage.house.discord.clone();
        // A bot that was never let in would end, as it should.
        self.wait_for_gateway().await?;
        let before = discord.statistics().invalid;
        discord.revoke_token();
        let noticed = |discord: &discord_sim::Sim| discord.statistics().invalid > before;
        // Where nothing is sent meanwhile, it has not noticed: no matter.
        let _ = discord.wait_until(MEETING_BOUND, "the bot is refused", noticed).await;
        self.rest().await;
        // It dies first: with a token that is good again it could do nothing wrong any more.
        self.kill_bot().await?;
        discord.restore_token();
        self.start_bot()
    }

    /// Waits until the bot hears commands.
    pub(super) async fn wait_for_gateway(&mut self) -> Result<()> {
        let deadline = Instant::now() + super::ARRIVAL_BOUND;
        while self.stage.house.discord.wait_for_gateway(Duration::from_secs(1)).await.is_err() {
            ensure_runs(self.process.as_ref())?;
            anyhow::ensure!(Instant::now() < deadline, "the bot does not connect to Discord's gateway");
        }
        Ok(())
    }

    async fn linger(&mut self) {
        let lasts = self.random.random_range(500..3_000);
        sleep(Duration::from_millis(lasts)).await;
    }
}
