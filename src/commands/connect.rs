//! `/account connect` and `/account rotate`: a key is made here, and its public half is let in by the account's owner. No
//! secret passes through Discord.

use std::sync::Arc;

use dashmap::DashMap;

use super::Shared;
use super::component::{ButtonStyle, Target, button};
use super::owning::{Person, owned};
use super::reply::Reply;
use super::request::Request;
use crate::clock;
use crate::discord::words;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::hosts::{AllowedHosts, ServerUrl};
use crate::domain::ids::AccountName;
use crate::domain::permissions::{self, is_plain_stream};
use crate::domain::subject::Root;
use crate::domain::text::display;
use crate::domain::timestamp::Timestamp;
use crate::nats::connection::OWN_INBOXES;
use crate::nats::credential::Credential;
use crate::nats::reach::Reach;
use crate::sealing::{open_credential, seal_credential};
use crate::secrets::SecretKey;
use crate::store::StoreError;
use crate::store::connecting::{Connected, MostConnected};

/// How much of what is wrong with a root is shown, in UTF-16 units.
const ROOT_LIMIT: usize = 200;

/// How many characters of a public key tell users apart where people name them.
const KEY_END: usize = 6;

/// What connecting accounts takes.
#[derive(Debug)]
pub struct Connecting {
    /// Whether the operator lets people do it.
    pub is_allowed: bool,
    /// Where their accounts may be.
    pub hosts: AllowedHosts,
    /// Seals the keys.
    pub key: Arc<SecretKey>,
    /// The name of this installation's durable.
    pub durable: String,
    /// How many accounts may be connected.
    pub most: MostConnected,
    /// Who waits for a first event, by the number of the press: a later one takes over.
    pub waiting: DashMap<AccountName, u64>,
}

/// A credential that waits to be verified.
pub(super) struct Pending {
    pub(super) account: Account,
    pub(super) credential: Credential,
    /// Since when it is there, where it is to take another's place.
    pub(super) since: Option<Timestamp>,
}

/// `/account connect`.
pub(super) async fn connect(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let connecting = &shared.connecting;
    if !connecting.is_allowed {
        return Ok(Reply::text(words::CONNECT_OFF));
    }
    let account = match wanted(request) {
        Ok(account) => account,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let most = shared.limits.accounts_per_guild;
    if shared.store.links(request.guild).await?.len() >= most {
        return Ok(Reply::text(words::too_many_links(most)));
    }
    // Looked at now, so that nothing is stored which will never be connected to; and again at each connection.
    if let Err(fault) = Reach::of(&account, &connecting.hosts).urls(&account.url).await {
        return Ok(Reply::text(words::not_connected(&words::missing(&fault, ""))));
    }
    let credential = Credential::new_nkey();
    let sealed = seal_credential(&connecting.key, &account.name, &credential);
    let by = (request.user, request.guild);
    let connected = shared.store.connect_account(&account, &sealed, by, connecting.most, clock::now()).await?;
    let name = account.name.as_str();
    Ok(match connected {
        Connected::Done => {
            tracing::info!(
                account = name, guild = %request.guild, user = %request.user, url = account.url, "an account was connected"
            );
            page(shared, &account, &credential, &words::connect_begun(name)).await?
        }
        Connected::NameTaken => Reply::text(words::account_name_taken(name)),
        Connected::TooManyOfOwner => Reply::text(words::too_many_owned(connecting.most.per_owner)),
        Connected::TooManyOfPerson => {
            Reply::text(words::too_many_unverified_of_person(connecting.most.unverified_per_person))
        }
        Connected::TooManyInGuild => {
            Reply::text(words::too_many_unverified_in_guild(connecting.most.unverified_per_guild))
        }
    })
}

/// The account that is meant, or what is wrong with what was typed.
fn wanted(request: &Request) -> Result<Account, String> {
    let text = |name| request.text(name).ok_or_else(|| words::bad_option(name));
    let url: ServerUrl = text("url")?.parse().map_err(|wrong| words::bad_server_url(&format!("{wrong}")))?;
    let stream = text("stream")?;
    if !is_plain_stream(stream) {
        return Err(words::BAD_STREAM_NAME.to_owned());
    }
    let root = request.text("root").map_or_else(|| Ok(Root::default()), str::parse);
    Ok(Account {
        name: text("name")?.parse().map_err(|_| words::BAD_ACCOUNT_NAME.to_owned())?,
        url: url.to_string(),
        stream: Some(stream.to_owned()),
        root: root.map_err(|wrong| words::bad_root(&display(&format!("{wrong}"), ROOT_LIMIT, "?")))?,
        wide_filter: false,
        owner: Some(request.user),
        connected_in: Some(request.guild),
        is_declared: false,
        revision: 0,
    })
}

/// `/account rotate`: another key is put beside the one that is there.
pub(super) async fn rotate(shared: &Shared, request: &Request) -> Result<Reply, StoreError> {
    let Some(wanted) = request.text("account") else { return Ok(Reply::text(words::bad_option("account"))) };
    let person = Person::of(request);
    let account = match owned(shared, &person, wanted).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Reply::text(refusal)),
    };
    let name = &account.name;
    if account.is_declared {
        return Ok(Reply::text(words::account_is_declared(name.as_str())));
    }
    if shared.store.proof(name).await?.is_some_and(|proof| !proof.is_verified) {
        // There is nothing yet that could be rotated.
        return Ok(match pending(shared, &person, name).await? {
            Ok(Pending { account, credential, .. }) => {
                page(shared, &account, &credential, &words::connect_begun(account.name.as_str())).await?
            }
            Err(refusal) => Reply::text(refusal),
        });
    }
    let credential = Credential::new_nkey();
    let sealed = seal_credential(&shared.connecting.key, name, &credential);
    if !shared.store.add_next_credential(&account, &sealed, &request.by()).await? {
        return Ok(Reply::text(words::not_connected_here(name.as_str())));
    }
    page(shared, &account, &credential, &words::rotation_begun(name.as_str())).await
}

/// What waits to be verified for an account, if it is this person's; else why not. Where it is the account itself, it
/// waits in the guild where it was connected, which will be linked.
pub(super) async fn pending(
    shared: &Shared,
    person: &Person,
    name: &AccountName,
) -> Result<Result<Pending, String>, StoreError> {
    let account = match owned(shared, person, name.as_str()).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(proof) = shared.store.proof(name).await? else {
        return Ok(Err(words::not_connected_here(name.as_str())));
    };
    let (sealed, since) = match (proof.next, proof.is_verified) {
        (Some(next), _) => (Some(next.credential), Some(next.since)),
        (None, true) => return Ok(Err(words::verified_already(name.as_str()))),
        (None, false) if account.connected_in == Some(person.guild) => (shared.store.credential(name).await?, None),
        (None, false) => return Ok(Err(words::not_connected_here(name.as_str()))),
    };
    let opened =
        sealed.ok_or(Fault::Lost).and_then(|sealed| open_credential(&shared.connecting.key, &account, &sealed));
    Ok(match opened {
        Ok(credential) => Ok(Pending { account, credential, since }),
        Err(fault) => {
            tracing::error!(account = %name, %fault, "the credential that waits to be verified can't be opened");
            Err(words::FAILED.to_owned())
        }
    })
}

/// How to let the key in, below what there is to say, with the buttons for afterwards.
pub(super) async fn page(
    shared: &Shared,
    account: &Account,
    credential: &Credential,
    told: &str,
) -> Result<Reply, StoreError> {
    let key = credential.public_key().unwrap_or_default();
    let read = shared.store.stream_read(&account.name).await?;
    let permissions = permissions::to_read_account(account, read.as_deref(), &shared.connecting.durable, OWN_INBOXES);
    let commands = permissions.nsc_commands(account.name.as_str(), &user_name(&key), &key);
    let steps = [words::let_in_by_configuration(&permissions.user_entry(&key)), words::let_in_by_jwt(&commands)];
    Ok(Reply::list(&steps, None).with_content(told).with_row(&[
        button(ButtonStyle::Primary, words::VERIFY, &Target::Verify(account.name.clone()), true),
        button(ButtonStyle::Secondary, words::PASTE_JWT, &Target::Jwt(account.name.clone()), true),
    ]))
}

/// What a user is called where people name it. Each key has a user of its own.
fn user_name(public_key: &str) -> String {
    format!("guildwire-{}", &public_key[public_key.len().saturating_sub(KEY_END)..])
}
