//! `guildwire operator user …`: users of an account. Making one takes nats-server's consent to nothing: it believes what the
//! account's key signed.

use std::path::PathBuf;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::mint::Mint;
use super::{account_key, finished};
use crate::cli::{CreateNatsUser, RevokeNatsUser};
use crate::clock;
use crate::domain::audit::By;
use crate::domain::nats_account::{NatsAccount, NatsUser, Role};
use crate::domain::permissions::{kept_from_onlookers, to_look_on, to_publish, to_read};
use crate::domain::timestamp::Timestamp;
use crate::intake::{durable_name, installation};
use crate::nats::connection::{OWN_INBOXES, READER_INBOXES, USUAL_INBOXES};
use crate::operator::nkey::write_secret;
use crate::operator::secret_key;
use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::store::Store;

/// A user that nobody knows of yet.
pub(super) struct NewUser {
    pub(super) user: NatsUser,
    pub(super) creds: SecretString,
}

/// Makes a user and writes its creds to a file.
pub(super) async fn create(store: &Store, settings: &Settings, create: CreateNatsUser) -> anyhow::Result<String> {
    let account = finished(store, &create.account).await?;
    if create.server_id.is_some() && create.role != Role::Server {
        anyhow::bail!("--server-id is for --role server: a {} is not kept to one server", create.role.name());
    }
    let file = match create.out {
        Some(file) => file,
        None => usual_file(&account, create.role, create.server_id.as_deref())?,
    };
    let key = secret_key(store, settings).await?;
    let now = clock::now();
    let NewUser { user, creds } = mint(store, &key, &account, create.role, create.server_id, now).await?;
    let by = By::operator(now);
    // A user who is not listed could not be revoked.
    store.add_nats_user(&user, &by).await?;
    if let Err(error) = write_secret(&file, "the creds", creds.expose_secret().trim_end()) {
        store.abandon_nats_user(&user, &by).await.with_context(|| format!("{error:#}"))?;
        return Err(error);
    }
    let server = user.server.map_or_else(String::new, |server| format!(" {server}"));
    let suspended =
        if account.suspended_at.is_some() { "\nThe account is suspended, so it is not let in yet." } else { "" };
    Ok(format!(
        "{} holds the creds of a {}{server} of account {}, for its owner alone: who has it is the user.{suspended}\n\
         To let it in no more: `guildwire operator user revoke {} {}`\n",
        file.display(),
        user.role.name(),
        account.name,
        account.name,
        user.public_key,
    ))
}

/// Makes a user of the role, with the least that the role takes.
pub(super) async fn mint(
    store: &Store,
    key: &SecretKey,
    account: &NatsAccount,
    role: Role,
    server: Option<String>,
    now: Timestamp,
) -> anyhow::Result<NewUser> {
    let durable = durable_name(&installation(store).await?);
    let mut denied = Vec::new();
    let permissions = match role {
        Role::Server => to_publish(&account.root, server.as_deref(), USUAL_INBOXES),
        Role::Bot => {
            let mut permissions = to_read(&account.stream, &durable, OWN_INBOXES);
            // Not needed to read: tells that the account's storage is full.
            permissions.publish.push("$JS.API.INFO".to_owned());
            permissions
        }
        Role::Reader => {
            denied = kept_from_onlookers(&account.stream, &durable);
            to_look_on(&account.stream, READER_INBOXES)
        }
    };
    let minted = account_key(store, key, &account.name).await?.user(role.name(), &permissions, &denied, now);
    let user = NatsUser {
        public_key: minted.public_key,
        account: account.name.clone(),
        role,
        server,
        created_at: now,
        revoked_at: None,
    };
    Ok(NewUser { user, creds: minted.creds })
}

/// A file in the current folder. A server's id may hold what no file's name should.
fn usual_file(account: &NatsAccount, role: Role, server: Option<&str>) -> anyhow::Result<PathBuf> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if server.is_some_and(|server| !server.bytes().all(is_plain)) {
        anyhow::bail!("name the file for the creds with --out: the server's id is not fit for a file's name");
    }
    let server = server.map_or_else(String::new, |server| format!("-{server}"));
    Ok(format!("{}-{}{server}.creds", account.name, role.name()).into())
}

/// Lets a user in no more. Typed again, it is handed in again.
pub(super) async fn revoke(store: &Store, settings: &Settings, revoke: &RevokeNatsUser) -> anyhow::Result<String> {
    let account = finished(store, &revoke.account).await?;
    let users = store.nats_users(&account.name).await?;
    let user = users.iter().find(|user| user.public_key == revoke.public_key).with_context(|| {
        format!(
            "guildwire has made no user {} of account {}: `guildwire operator account list` shows them",
            revoke.public_key, account.name
        )
    })?;
    let mint = Mint::open(store, settings).await?;
    // Whatever is handed in later has it, too.
    if user.revoked_at.is_none() {
        store.revoke_nats_user(user, &By::operator(clock::now())).await?;
    }
    mint.replace_and_enter(&account).await.with_context(|| {
        format!("the user {} is noted as revoked, but may be let in still: type it again", user.public_key)
    })?;
    Ok(format!("The user {} of account {} is not let in any more.\n", user.public_key, account.name))
}
