//! What it takes to hand accounts to nats-server: the operator's key, a user of the system account, and a second look.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use secrecy::zeroize::Zeroizing;
use tokio::time::Instant;

use super::account_key;
use crate::clock;
use crate::domain::fault::Fault;
use crate::domain::nats_account::NatsAccount;
use crate::domain::tier::{Bytes, Tier};
use crate::domain::timestamp::Timestamp;
use crate::nats::claims::{Capacity, ClaimsError, InForce};
use crate::nats::connection::{Connection, USUAL_INBOXES};
use crate::nats::credential::Credential;
use crate::nats::jwt::{AccountClaims, SigningKey};
use crate::nats::reach::Reach;
use crate::operator::secret_key;
use crate::secrets::{SecretKey, warn_if_others_can_read};
use crate::settings::Settings;
use crate::store::Store;

/// How long the user is good for that makes an account's stream and looks whether it works.
const ADMINISTRATOR: Duration = Duration::from_mins(10);

/// How long nats-server may take to put into force what it has taken.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);

/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The operator's means.
pub(super) struct Mint<'a> {
    pub(super) store: &'a Store,
    pub(super) key: SecretKey,
    pub(super) url: String,
    operator: SigningKey,
    system: Connection,
}

impl<'a> Mint<'a> {
    /// Reads the keys, connects, and makes sure that nats-server trusts the operator's key, as far as it tells.
    pub(super) async fn open(store: &'a Store, settings: &Settings) -> anyhow::Result<Self> {
        let given = &settings.operator;
        let key_file = set(given.signing_key_file.as_ref(), "operator.signing_key_file")?;
        let creds_file = set(given.system_creds_file.as_ref(), "operator.system_creds_file")?;
        let in_key_file = || format!("operator.signing_key_file: {} can't be used", key_file.display());
        let operator = SigningKey::operator(&read(key_file).with_context(in_key_file)?).with_context(in_key_file)?;
        let in_creds_file = || format!("operator.system_creds_file: {} can't be used", creds_file.display());
        let creds = Credential::creds(&read(creds_file).with_context(in_creds_file)?).with_context(in_creds_file)?;
        let url = given.url.clone().unwrap_or_else(|| settings.nats.url.clone());
        let key = secret_key(store, settings).await?;
        let system = Connection::connect(&url, &Reach::Anywhere, &creds, USUAL_INBOXES, clock::now()).await;
        let system = system.context("the user of operator.system_creds_file can't connect")?;
        let mint = Self { store, key, url, operator, system };
        match mint.delete_from_server(&[]).await {
            // Then it is seen when an account is tried.
            Ok(()) | Err(ClaimsError::NoDeletion) => Ok(mint),
            Err(error) => Err(error.into()),
        }
    }

    /// Hands the account in as it is to be, and sees that nats-server goes by it: a user who is kept nowhere and is revoked
    /// in it gets in no more.
    pub(super) async fn replace(&self, account: &NatsAccount) -> anyhow::Result<()> {
        let now = clock::now();
        let refused = account_key(self.store, &self.key, &account.name).await?.administrator(now, ADMINISTRATOR);
        self.hand_in(account, Some((refused.public_key, now))).await?;
        let credential = Credential::Creds(refused.creds);
        let deadline = Instant::now() + IN_FORCE_WITHIN;
        loop {
            match Connection::open(&self.url, &Reach::Anywhere, &credential, clock::now()).await {
                Err(Fault::Refused { .. }) => return Ok(()),
                Ok(_) | Err(Fault::TooManyConnections { .. }) if Instant::now() < deadline => {}
                Ok(_) | Err(Fault::TooManyConnections { .. }) => anyhow::bail!(
                    "nats-server answers that it took the account {}, and goes on as before. Its log says why",
                    account.name
                ),
                Err(fault) => return Err(fault.into()),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// [`Self::replace`], where nothing else shows that nats-server refuses not everybody.
    pub(super) async fn replace_and_enter(&self, account: &NatsAccount) -> anyhow::Result<()> {
        self.replace(account).await?;
        match self.enter(account).await {
            Ok(_) | Err(Fault::TooManyConnections { .. }) => Ok(()),
            Err(fault) => Err(self.not_entered(account, fault)),
        }
    }

    /// Hands the account in. `also` is a user who is not let in, beside those of whom the database knows it.
    async fn hand_in(&self, account: &NatsAccount, also: Option<(String, Timestamp)>) -> anyhow::Result<()> {
        let now = clock::now();
        let users = self.store.nats_users(&account.name).await?;
        let revoked: Vec<(String, Timestamp)> =
            users.into_iter().filter_map(|user| Some((user.public_key, user.revoked_at?))).chain(also).collect();
        let claims = AccountClaims {
            name: account.name.as_str(),
            public_key: &account.public_key,
            limits: &account.limits,
            is_suspended: account.suspended_at.is_some(),
            revoked: &revoked,
        };
        Ok(self.system.update_account(self.operator.account_jwt(claims, now)).await?)
    }

    /// Hands the account in, sees as a user of it that its limits are in force, and gives its stream its size.
    ///
    /// Meanwhile it may have one connection more than it is to have, or than it had `before`, for that user.
    pub(super) async fn put_in_force(&self, account: &NatsAccount, before: Option<&Tier>) -> anyhow::Result<()> {
        let most = before.map_or(0, |before| before.max_connections).max(account.limits.max_connections);
        let limits = Tier { max_connections: most + 1, ..account.limits };
        self.hand_in(&NatsAccount { limits, ..account.clone() }, None).await?;
        let connection = self.look(account).await?;
        let size = Bytes(limits.max_file.0 / 16 * 15);
        connection.keep_stream(&account.stream, account.root.all_subjects(), size).await?;
        drop(connection);
        self.replace(account).await
    }

    /// Looks, as a user of the account, whether its limits are in force.
    async fn look(&self, account: &NatsAccount) -> anyhow::Result<Connection> {
        let connection = self.enter(account).await.map_err(|fault| self.not_entered(account, fault))?;
        let deadline = Instant::now() + IN_FORCE_WITHIN;
        loop {
            match connection.limits_in_force().await {
                Ok(in_force) if in_force == InForce::from(&account.limits) => return Ok(connection),
                Ok(_) | Err(Fault::NoJetStream) if Instant::now() < deadline => {}
                Ok(_) | Err(Fault::NoJetStream) => return Err(self.does_not_fit(account).await),
                Err(fault) => return Err(fault.into()),
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn not_entered(&self, account: &NatsAccount, fault: Fault) -> anyhow::Error {
        match fault {
            Fault::Refused { .. } => anyhow::anyhow!(
                "nats-server has taken the account {}, but lets nobody into it. Most likely it does not trust the key {} \
                 of operator.signing_key_file: that has to be the key of the operator that its configuration names, or one \
                 of that operator's signing keys",
                account.name,
                self.operator.public_key()
            ),
            fault => fault.into(),
        }
    }

    /// Waits until nobody is let into the account any more.
    pub(super) async fn wait_until_closed(&self, account: &NatsAccount) -> anyhow::Result<()> {
        let deadline = Instant::now() + IN_FORCE_WITHIN;
        loop {
            match self.enter(account).await {
                Err(Fault::TooManyConnections { .. }) => return Ok(()),
                Ok(_) if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
                Ok(_) => anyhow::bail!("nats-server took that nobody is let into {}, and lets users in", account.name),
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    /// Connects as a user who may do everything in the account and is kept nowhere.
    async fn enter(&self, account: &NatsAccount) -> Result<Connection, Fault> {
        let key = account_key(self.store, &self.key, &account.name).await;
        let key = key.map_err(|error| Fault::BadCredential(error.to_string()))?;
        let now = clock::now();
        let credential = Credential::Creds(key.administrator(now, ADMINISTRATOR).creds);
        Connection::open(&self.url, &Reach::Anywhere, &credential, now).await
    }

    /// Takes the account away from nats-server, with all that is stored in it.
    pub(super) async fn take_away(&self, account: &NatsAccount) -> Result<(), ClaimsError> {
        // Where accounts can't be deleted, none should lose its streams.
        self.delete_from_server(&[]).await?;
        self.system.purge_account(&account.public_key).await?;
        self.delete_from_server(&[&account.public_key]).await
    }

    async fn delete_from_server(&self, accounts: &[&str]) -> Result<(), ClaimsError> {
        let request = self.operator.deletion(accounts, clock::now());
        self.system.delete_accounts(request, &self.operator.public_key()).await
    }

    async fn does_not_fit(&self, account: &NatsAccount) -> anyhow::Error {
        let NatsAccount { name, tier, limits, .. } = account;
        let taken = format!(
            "nats-server answers that it took the account {name}, but the limits of tier {tier} are not in force ({limits})"
        );
        match self.system.capacity().await {
            Ok(capacity) => anyhow::anyhow!("{taken}. {}", shortage(&capacity, account)),
            Err(error) => anyhow::Error::new(error).context(taken),
        }
    }
}

/// What is missing, in numbers, and what to do.
fn shortage(capacity: &Capacity, account: &NatsAccount) -> String {
    let others = capacity.reserved.iter().filter(|(id, ..)| *id != account.public_key);
    let (file, memory) = others.fold((0u64, 0u64), |(file, memory), (_, Bytes(more_file), Bytes(more_memory))| {
        (file.saturating_add(*more_file), memory.saturating_add(*more_memory))
    });
    let mut short = Vec::new();
    for (what, setting, wanted, reserved, all) in [
        ("max_file", "max_file_store", account.limits.max_file, file, capacity.file),
        ("max_mem", "max_memory_store", account.limits.max_mem, memory, capacity.memory),
    ] {
        if wanted.0.saturating_add(reserved) > all.0 {
            short.push(format!(
                "Limits are set aside: of the {} bytes of nats-server's {setting}, other accounts have {reserved}, so {} are \
                 left, and {what} is {} ({wanted}). Raise {setting} in its configuration, or choose a smaller tier.",
                all.0,
                all.0.saturating_sub(reserved),
                wanted.0,
            ));
        }
    }
    if short.is_empty() {
        return "Its log says why.".to_owned();
    }
    short.join("\n")
}

fn set<'a>(file: Option<&'a PathBuf>, key: &str) -> anyhow::Result<&'a Path> {
    file.map(PathBuf::as_path).with_context(|| {
        format!(
            "{key} is not set: `guildwire operator` needs it (docs/operator.md tells how to set nats-server up for it)"
        )
    })
}

fn read(file: &Path) -> std::io::Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(file).map(Zeroizing::new)?;
    warn_if_others_can_read(file);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::timestamp::Timestamp;

    #[test]
    fn what_is_missing_is_told_in_numbers() {
        let limits = Tier {
            max_file: Bytes(600 << 20),
            max_mem: Bytes(0),
            max_streams: 1,
            max_consumers: 1,
            max_connections: 1,
        };
        let account = NatsAccount {
            limits,
            name: "GA-1".parse().unwrap(),
            public_key: "A1".to_owned(),
            tier: "free".to_owned(),
            stream: "EVENTS".to_owned(),
            root: crate::domain::subject::Root::default(),
            created_at: Timestamp::from_nanoseconds(0),
            verified_at: None,
            suspended_at: None,
        };
        let capacity = Capacity {
            file: Bytes(1 << 30),
            memory: Bytes(1 << 20),
            // What the account has itself does not count against it.
            reserved: vec![
                ("A1".to_owned(), Bytes(100 << 20), Bytes(0)),
                ("A2".to_owned(), Bytes(500 << 20), Bytes(1 << 20)),
            ],
        };
        assert_eq!(
            shortage(&capacity, &account),
            "Limits are set aside: of the 1073741824 bytes of nats-server's max_file_store, other accounts have 524288000, so \
             549453824 are left, and max_file is 629145600 (600M). Raise max_file_store in its configuration, or choose a \
             smaller tier."
        );
        let roomy = Capacity { file: Bytes(1 << 40), ..capacity };
        assert_eq!(shortage(&roomy, &account), "Its log says why.");
    }
}
