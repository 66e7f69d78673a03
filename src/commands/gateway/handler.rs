//! What the gateway's events are for here: interactions are answered, and what they tell of guilds is noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serenity::all::{
    ConnectionStage, Context, EventHandler, GuildMemberUpdateEvent, Interaction, PartialGuild, Ready, ResumedEvent,
    ShardStageUpdateEvent, ThreadListSyncEvent,
};
use serenity::async_trait;
use serenity::model::channel::{GuildChannel, Message, PartialGuildChannel};
use serenity::model::guild::{Guild, Member, Role, UnavailableGuild};
use tokio::sync::watch;

use super::super::{Shared, answer, offer, press};
use super::shards::Shards;
use crate::discord::guilds::Guilds;
use crate::domain::ids::{ChannelId, GuildId};

pub(super) struct Handler {
    pub(super) shared: Shared,
    /// Whether a session ever began.
    pub(super) was_ready: Arc<AtomicBool>,
    pub(super) shards: watch::Sender<Shards>,
}

impl Handler {
    fn note(&self, change: impl FnOnce(&mut Shards)) {
        self.shards.send_modify(change);
        let shards = self.shards.borrow();
        self.shared.metrics.shards(shards.connected(), shards.total());
        self.shared.connected.store(shards.are_all_connected(), Ordering::Relaxed);
    }

    fn changed(&self, guild: serenity::model::id::GuildId) {
        self.shared.sight.changed(GuildId(guild.get()), None);
    }

    fn channel_changed(&self, channel: &GuildChannel) {
        self.shared.sight.changed(GuildId(channel.guild_id.get()), Some(ChannelId(channel.id.get())));
    }
}

#[async_trait]
impl EventHandler for Handler {
    async fn ready(&self, context: Context, ready: Ready) {
        tracing::info!(shard = context.shard_id.0, guilds = ready.guilds.len(), "connected to Discord");
        self.was_ready.store(true, Ordering::Relaxed);
        let guilds = ready.guilds.iter().map(|guild| GuildId(guild.id.get())).collect();
        self.shared.sight.shard_began(context.shard_id.0, guilds);
        self.note(|shards| shards.connect(context.shard_id));
    }

    async fn resume(&self, context: Context, _: ResumedEvent) {
        tracing::info!(shard = context.shard_id.0, "connected to Discord again, with nothing missed");
        self.shared.sight.shard_goes_on(context.shard_id.0, true);
        self.note(|shards| shards.connect(context.shard_id));
    }

    async fn shard_stage_update(&self, _: Context, event: ShardStageUpdateEvent) {
        // What it shows counts again once it has told what was missed.
        if event.new != ConnectionStage::Connected {
            self.shared.sight.shard_goes_on(event.shard_id.0, false);
        }
        self.note(|shards| {
            if event.new == ConnectionStage::Connected {
                shards.connect(event.shard_id);
            } else {
                shards.disconnect(event.shard_id);
            }
        });
    }

    async fn guild_create(&self, _: Context, guild: Guild, _: Option<bool>) {
        self.shared.sight.guild_joined(GuildId(guild.id.get()));
    }

    async fn guild_delete(&self, _: Context, guild: UnavailableGuild, _: Option<Guild>) {
        // Else it is an outage.
        if !guild.unavailable {
            self.shared.sight.guild_left(GuildId(guild.id.get()));
        }
    }

    async fn guild_update(&self, _: Context, _: Option<Guild>, guild: PartialGuild) {
        self.changed(guild.id);
    }

    async fn guild_role_create(&self, _: Context, role: Role) {
        self.changed(role.guild_id);
    }

    async fn guild_role_update(&self, _: Context, _: Option<Role>, role: Role) {
        self.changed(role.guild_id);
    }

    async fn guild_role_delete(
        &self,
        _: Context,
        guild: serenity::model::id::GuildId,
        _: serenity::model::id::RoleId,
        _: Option<Role>,
    ) {
        self.changed(guild);
    }

    /// Of the bot itself, it comes without an intent of its own:
    /// <https://discord.com/developers/docs/events/gateway#list-of-intents>.
    async fn guild_member_update(
        &self,
        _: Context,
        _: Option<Member>,
        _: Option<Member>,
        event: GuildMemberUpdateEvent,
    ) {
        self.changed(event.guild_id);
    }

    async fn channel_create(&self, _: Context, channel: GuildChannel) {
        self.channel_changed(&channel);
    }

    async fn channel_update(&self, _: Context, _: Option<GuildChannel>, channel: GuildChannel) {
        self.channel_changed(&channel);
    }

    async fn channel_delete(&self, _: Context, channel: GuildChannel, _: Option<Vec<Message>>) {
        self.channel_changed(&channel);
    }

    async fn thread_create(&self, _: Context, thread: GuildChannel) {
        self.channel_changed(&thread);
    }

    async fn thread_update(&self, _: Context, _: Option<GuildChannel>, thread: GuildChannel) {
        self.channel_changed(&thread);
    }

    async fn thread_delete(&self, _: Context, thread: PartialGuildChannel, _: Option<GuildChannel>) {
        self.shared.sight.thread_deleted(GuildId(thread.guild_id.get()), ChannelId(thread.id.get()));
    }

    /// The bot was given access to a channel.
    async fn thread_list_sync(&self, _: Context, event: ThreadListSyncEvent) {
        self.changed(event.guild_id);
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        let guilds = Guilds::new(Arc::clone(&context.cache));
        let answered = match &interaction {
            Interaction::Command(command) => answer(&self.shared, &guilds, command).await,
            Interaction::Autocomplete(command) => offer(&self.shared, &guilds, command).await,
            Interaction::Component(component) => press::answer(&self.shared, component).await,
            Interaction::Modal(form) => press::answer_form(&self.shared, form).await,
            _ => Ok(()),
        };
        if let Err(error) = answered {
            tracing::warn!(%error, "an interaction was not answered");
        }
    }
}
