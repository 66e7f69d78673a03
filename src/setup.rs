//! What stands in the settings file of accounts, links and bindings, made so in the database: at start, on SIGHUP, and
//! whenever the file with an account's credential changes.
//!
//! What is to be done is [`plan`]ned from what is wanted and what is there; carrying it out is a store call for each step,
//! so whoever is cut off in between goes on with a new plan.

pub mod credential_files;
mod following;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use self::credential_files::read_credential;
use self::following::{Following, Look};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::audit::By;
use crate::domain::binding::Binding;
use crate::domain::ids::{AccountName, UserId};
use crate::domain::setup::{DeclaredAccount, DeclaredBinding, DeclaredLink, Setup, Step, plan};
use crate::intake::{open_credential, seal_credential};
use crate::nats::credential::Credential;
use crate::secrets::SecretKey;
use crate::store::bindings::Changed;
use crate::store::{Store, StoreError};

/// How often credential files are looked at, and what could not be done is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How soon it is looked again whether what was made by hand is still in the way: somebody may remove it, and an account that
/// nobody verified goes by itself.
const OBSTACLES_EVERY: Duration = Duration::from_mins(1);

/// How long an account that is to be removed may take to give its consumer on nats-server back.
const CONSUMER_PATIENCE: Duration = Duration::from_secs(10);
const CONSUMER_STEP: Duration = Duration::from_millis(100);

/// Keeps the database as the settings file wants it.
pub struct Keeper {
    store: Store,
    key: Arc<SecretKey>,
    wanted: Setup,
    /// The credential files of the accounts that are there.
    following: BTreeMap<AccountName, Following>,
    /// What stands in the way, as it was told.
    told: BTreeSet<String>,
    /// When to go on with what is left to do; `None` when nothing is.
    due: Option<Instant>,
}

impl Keeper {
    /// Makes it so for the first time, before anything is read. Only accounts are not removed yet: for that, somebody has
    /// to give back what reading them made.
    pub async fn start(store: Store, key: Arc<SecretKey>, wanted: Setup) -> Result<Self, StoreError> {
        let (following, told) = (BTreeMap::new(), BTreeSet::new());
        let mut keeper = Self { store, key, wanted, following, told, due: None };
        keeper.reconcile(false).await?;
        keeper.follow(true).await?;
        keeper.due = Some(Instant::now());
        Ok(keeper)
    }

    /// Keeps it so, until the service stops. `setups` says what is wanted from then on.
    pub async fn keep(mut self, mut setups: watch::Receiver<Setup>, drain: CancellationToken) {
        let mut turns = tokio::time::interval(LOOK_EVERY);
        let mut is_failing = false;
        loop {
            tokio::select! {
                () = drain.cancelled() => return,
                _ = turns.tick() => {}
                // Whoever may change it lives as long as the service.
                Ok(()) = setups.changed() => {
                    self.wanted = setups.borrow_and_update().clone();
                    self.told.clear();
                    self.due = Some(Instant::now());
                }
            }
            match drain.run_until_cancelled(self.look()).await {
                None => return,
                Some(Ok(())) => is_failing = false,
                // Told once for as long as it lasts.
                Some(Err(error)) if !std::mem::replace(&mut is_failing, true) => {
                    tracing::warn!(%error, "can't do what the settings file says; trying again");
                }
                Some(Err(_)) => {}
            }
        }
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        if self.due.is_some_and(|due| due <= Instant::now()) {
            self.reconcile(true).await?;
        }
        self.follow(false).await
    }

    /// Does what it takes to have what is wanted.
    async fn reconcile(&mut self, may_remove_accounts: bool) -> Result<(), StoreError> {
        // Until all was gone through: whatever fails on the way is tried again.
        self.due = Some(Instant::now());
        let existing = self.store.existing_setup().await?;
        let plan = plan(&self.wanted, &existing);
        for obstacle in &plan.obstacles {
            self.tell_once(&obstacle.to_string());
        }
        let mut is_unfinished = false;
        let mut not_added = BTreeSet::new();
        for step in &plan.steps {
            let must_wait = match step {
                Step::RemoveAccount(_) => !may_remove_accounts,
                // Whatever has that name by now is somebody else's.
                Step::Link(DeclaredLink { account, .. }) | Step::AddBinding(DeclaredBinding { account, .. }) => {
                    not_added.contains(account)
                }
                _ => false,
            };
            if must_wait {
                continue;
            }
            if self.carry_out(step).await? {
                tracing::info!(%step, "did what the settings file says");
                continue;
            }
            // Somebody was quicker, or a file can't be read yet; the next plan knows.
            is_unfinished = true;
            if let Step::AddAccount(account) = step {
                not_added.insert(account.name.clone());
            }
        }
        self.follow_those_that_are_there().await?;
        self.due = match (is_unfinished, plan.obstacles.is_empty()) {
            (true, _) => Some(Instant::now()),
            (false, false) => Some(Instant::now() + OBSTACLES_EVERY),
            (false, true) => None,
        };
        Ok(())
    }

    /// The account's credential as it is in its file now; `None` where it can't be read, and the account is not `done`
    /// for as long.
    async fn read_or_tell(&mut self, account: &DeclaredAccount, done: &str) -> Option<Credential> {
        match read_credential(account.credential.clone()).await {
            Ok(credential) => Some(credential),
            Err(error) => {
                let name = &account.name;
                self.tell_once(&format!("the account {name} can't be {done} without its credential: {error:#}"));
                None
            }
        }
    }

    fn tell_once(&mut self, reason: &str) {
        if self.told.insert(reason.to_owned()) {
            tracing::error!(reason, "can't do all that the settings file says");
        }
    }

    /// Carries a step out; `false` when things are not as they were planned with.
    async fn carry_out(&mut self, step: &Step) -> Result<bool, StoreError> {
        let by = By::settings(clock::now());
        let store = self.store.clone();
        Ok(match step {
            Step::AddAccount(account) => {
                let Some(credential) = self.read_or_tell(account, "added").await else { return Ok(false) };
                let sealed = seal_credential(&self.key, &account.name, &credential);
                store.add_account(&as_account(account), &sealed, &by).await?
            }
            Step::ChangeAccount(account) => {
                // With it, for another nats-server is not to see the credential that was meant for the one before.
                let Some(credential) = self.read_or_tell(account, "changed").await else { return Ok(false) };
                let sealed = seal_credential(&self.key, &account.name, &credential);
                let is_changed = store.edit_account(&as_account(account), Some(&sealed), None, &by).await?;
                if let Some(following) = self.following.get_mut(&account.name).filter(|_| is_changed) {
                    following.took(credential);
                }
                is_changed
            }
            Step::Link(link) => store.declare_link(link, &by).await?,
            Step::ChangeBinding { id, to } => {
                let change = |binding: &mut Binding| {
                    binding.choose(to.kinds);
                    (binding.mention, binding.style) = (to.mention, to.style);
                };
                matches!(store.change_binding(to.guild, *id, &by, change).await?, Changed::Done { .. })
            }
            Step::AddBinding(binding) => store.add_binding(&as_binding(store.next_number(), binding, &by)).await?,
            Step::RemoveBinding { guild, id } => store.remove_binding(*guild, *id, &by).await?.is_some(),
            Step::ReleaseLink(link) => store.release_link(link, &by).await?,
            Step::Unlink(link) => store.unlink(link.guild, &link.account, &by).await?.is_some(),
            Step::RemoveAccount(name) => {
                self.wait_for_consumer(name).await?;
                store.remove_account(name, &by).await?
            }
        })
    }

    /// Waits until the account's reader has given its consumer back, which it does by itself when nothing is bound to the
    /// account any more. Once the account is gone, nobody could.
    async fn wait_for_consumer(&self, account: &AccountName) -> Result<(), StoreError> {
        let deadline = Instant::now() + CONSUMER_PATIENCE;
        while self.store.stream_read(account).await?.is_some() && Instant::now() < deadline {
            sleep(CONSUMER_STEP).await;
        }
        Ok(())
    }

    async fn follow_those_that_are_there(&mut self) -> Result<(), StoreError> {
        let accounts = self.store.accounts().await?;
        let wanted = |account: &&Account| {
            account.is_declared && self.wanted.accounts.iter().any(|wanted| wanted.name == account.name)
        };
        let (mut there, mut new) = (BTreeSet::new(), Vec::new());
        for account in accounts.iter().filter(wanted) {
            there.insert(&account.name);
            if !self.following.contains_key(&account.name) {
                new.push((account.name.clone(), Following::new(self.stored_credential(account).await?)));
            }
        }
        self.following.retain(|name, _| there.contains(name));
        self.following.extend(new);
        Ok(())
    }

    /// What is in force; `None` where the key does not open it, which what is in the file then mends.
    async fn stored_credential(&self, account: &Account) -> Result<Option<Credential>, StoreError> {
        let sealed = self.store.credential(&account.name).await?;
        Ok(sealed.and_then(|sealed| open_credential(&self.key, account, &sealed).ok()))
    }

    /// Looks at the credential files. What is new in one counts `at_once`, or when it is so the next time, too.
    async fn follow(&mut self, at_once: bool) -> Result<(), StoreError> {
        for DeclaredAccount { name, credential: source, .. } in &self.wanted.accounts {
            let Some(following) = self.following.get_mut(name) else { continue };
            let mut look = following.look(read_credential(source.clone()).await);
            if at_once && matches!(look, Look::Nothing) {
                look = following.look(read_credential(source.clone()).await);
            }
            match look {
                Look::Nothing => {}
                Look::Lost(error) => tracing::warn!(
                    account = %name, error = format!("{error:#}"),
                    "can't read an account's credential file; the credential that was read before stays"
                ),
                Look::New(credential) => {
                    let sealed = seal_credential(&self.key, name, &credential);
                    if self.store.replace_credential(name, &sealed, &By::settings(clock::now())).await? {
                        following.took(credential);
                        tracing::info!(account = %name, "an account's credential file changed and was read again");
                    }
                }
            }
        }
        Ok(())
    }
}

fn as_account(account: &DeclaredAccount) -> Account {
    Account {
        name: account.name.clone(),
        url: account.url.clone(),
        stream: account.stream.clone(),
        root: account.root.clone(),
        wide_filter: account.wide_filter,
        owner: None,
        connected_in: None,
        is_declared: true,
        revision: 0,
    }
}

fn as_binding(id: i64, binding: &DeclaredBinding, by: &By) -> Binding {
    Binding {
        id,
        guild: binding.guild,
        channel: binding.channel,
        account: binding.account.clone(),
        server: binding.server.clone(),
        kinds: binding.kinds,
        mention: binding.mention,
        style: binding.style,
        // Only the gateway knows.
        is_thread: None,
        // Nobody in Discord.
        created_by: UserId(0),
        created_at: by.at,
        covered_from: None,
        later_kinds: BTreeMap::new(),
        paused_at: None,
        is_declared: true,
    }
}

#[cfg(test)]
mod tests;
