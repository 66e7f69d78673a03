//! An installation's database, filled as the command line and slash commands would, only faster.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};
use guildwire::clock;
use guildwire::domain::account::Account;
use guildwire::domain::audit::By;
use guildwire::domain::binding::Binding;
use guildwire::domain::event::KindSet;
use guildwire::domain::ids::{ChannelId, GuildId, ServerId, UserId};
use guildwire::domain::style::Style;
use guildwire::intake::seal_credential;
use guildwire::nats::credential::Credential;
use guildwire::secrets::SecretKey;
use guildwire::store::Store;
use guildwire::store::accounts::Redeemed;

/// The guild that all accounts are linked with.
pub(crate) const GUILD: GuildId = GuildId(1);

/// What a channel hears of an account.
pub(crate) struct Heard {
    pub(crate) channel: ChannelId,
    pub(crate) server: Option<ServerId>,
    pub(crate) kinds: KindSet,
}

/// Adds an account, which has a user without a password, with a binding, and answers with the binding's number.
pub(crate) async fn add(store: &Store, key: &SecretKey, account: &Account, user: &str, heard: Heard) -> Result<i64> {
    let (name, now) = (&account.name, clock::now());
    let credential = Credential::User { name: user.into(), password: None };
    store.add_account(account, &seal_credential(key, name, &credential), &By::operator(now)).await?;
    let code = name.as_str().as_bytes();
    store.add_invite(name, code, now.plus(Duration::from_hours(1)), &By::operator(now)).await?;
    let redeemed = store.redeem_invite(code, GUILD, UserId(1), now).await?;
    ensure!(redeemed == Redeemed::Linked(name.clone()), "not linked");
    let binding = Binding {
        id: store.next_number(),
        guild: GUILD,
        channel: heard.channel,
        account: name.clone(),
        server: heard.server,
        kinds: heard.kinds,
        mention: None,
        style: Style::Each,
        is_thread: Some(false),
        created_by: UserId(1),
        created_at: now,
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: false,
    };
    ensure!(store.add_binding(&binding).await?, "not bound");
    Ok(binding.id)
}
