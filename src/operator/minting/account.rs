//! `guildwire operator account …`: an account from its making to its end.

use std::fmt::Write as _;

use anyhow::Context as _;

use super::mint::Mint;
use super::{counted, finished, known, user};
use crate::cli::{CreateNatsAccount, DeleteNatsAccount, LimitNatsAccount};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::audit::{Action, By};
use crate::domain::ids::AccountName;
use crate::domain::nats_account::{NatsAccount, NatsUser, Role};
use crate::domain::tier::Tier;
use crate::nats::credential::Credential;
use crate::nats::jwt::SigningKey;
use crate::operator::asking::confirmed;
use crate::operator::list::table;
use crate::sealing::{open_credential, seal_credential, seal_seed};

use crate::secrets::SecretKey;
use crate::settings::Settings;
use crate::store::Store;

/// Makes an account that works, or none.
pub(super) async fn create(store: &Store, settings: &Settings, create: CreateNatsAccount) -> anyhow::Result<String> {
    let limits = limits_of(settings, &create.tier)?;
    let begun = store.nats_account(&create.name).await?;
    let is_begun = begun.is_some();
    if begun.as_ref().is_some_and(|account| account.verified_at.is_some()) {
        anyhow::bail!(
            "there is an account {} already: choose another name, or change its limits with `guildwire operator account \
             limits`",
            create.name
        );
    }
    let mint = Mint::open(store, settings).await?;
    let account = begin(&mint, &create, limits, begun).await?;
    if let Err(error) = mint.put_in_force(&account, None).await {
        if is_begun {
            // It may have worked since, and what is stored in it would go.
            anyhow::bail!("{error:#}\nWhat was begun before is left as it is: {}", go_on(&account));
        }
        return Err(taken_back(&mint, &account, &error).await);
    }
    if !create.no_add {
        add_to_guildwire(&mint, &account).await?;
    }
    let now = clock::now();
    let account = NatsAccount { verified_at: Some(now), ..account };
    store.settle_nats_account(&account, Action::NatsAccountCreated, &By::operator(now)).await?;
    let NatsAccount { name, tier, stream, root, .. } = &account;
    let read = if create.no_add {
        format!("guildwire does not read it: `guildwire operator user create {name} --role bot` makes creds for that.")
    } else {
        format!(
            "guildwire can read it, as account {name}: `guildwire account invite {name}` prints a code for Discord."
        )
    };
    Ok(format!(
        "Account {name} is made at {}, with the limits of tier {tier}: {limits}.\n\
         Its stream {stream} keeps what game servers publish below {root}, and drops the oldest when it is full.\n\
         Creds for a game server: `guildwire operator user create {name} --role server --server-id ID`\n\
         {read}\n",
        mint.url
    ))
}

/// Notes the account that is to be made, or takes up one whose making was interrupted.
async fn begin(
    mint: &Mint<'_>,
    create: &CreateNatsAccount,
    limits: Tier,
    begun: Option<NatsAccount>,
) -> anyhow::Result<NatsAccount> {
    let CreateNatsAccount { name, tier, stream, root, no_add } = create;
    let issuer = begun.as_ref().map(|account| account.public_key.as_str());
    if !no_add
        && mint.store.account(name).await?.is_some()
        && !is_issued_by(mint.store, &mint.key, name, issuer).await?
    {
        anyhow::bail!(
            "guildwire reads another account {name} already: choose another name, give --no-add, or remove that one first \
             with `guildwire account remove {name}`"
        );
    }
    let wanted = |public_key: String, created_at| NatsAccount {
        name: name.clone(),
        public_key,
        tier: tier.clone(),
        limits,
        stream: stream.clone(),
        root: root.clone(),
        created_at,
        verified_at: None,
        suspended_at: None,
    };
    if let Some(begun) = begun {
        return Ok(wanted(begun.public_key, begun.created_at));
    }
    let key = SigningKey::new_account();
    let account = wanted(key.public_key(), clock::now());
    if !mint.store.begin_nats_account(&account, &seal_seed(&mint.key, name, &key.seed())).await? {
        anyhow::bail!("the account {name} is being made by another command at this moment");
    }
    Ok(account)
}

/// What went wrong, and what is left of an account that could not be made: nothing, if nats-server lets that be.
async fn taken_back(mint: &Mint<'_>, account: &NatsAccount, error: &anyhow::Error) -> anyhow::Error {
    let NatsAccount { name, .. } = account;
    let left = match mint.take_away(account).await {
        Ok(()) => match mint.store.abandon_nats_account(name).await {
            Ok(()) => "Nothing was made.".to_owned(),
            Err(error) => format!("It is gone from nats-server, but not from guildwire's database: {error}"),
        },
        Err(fault) => format!("What was begun could not be taken back ({fault}): {}", go_on(account)),
    };
    anyhow::anyhow!("{error:#}\n{left}")
}

/// What can be done with an account that was begun.
fn go_on(account: &NatsAccount) -> String {
    let NatsAccount { name, tier, .. } = account;
    format!(
        "`guildwire operator account create {name} --tier {tier}` goes on with it, `guildwire operator account delete {name}` \
         takes it away."
    )
}

/// Has guildwire read the account by a user of its own.
async fn add_to_guildwire(mint: &Mint<'_>, account: &NatsAccount) -> anyhow::Result<()> {
    if mint.store.account(&account.name).await?.is_some() {
        return Ok(());
    }
    let now = clock::now();
    let by = By::operator(now);
    let minted = user::mint(mint.store, &mint.key, account, Role::Bot, None, now).await?;
    mint.store.add_nats_user(&minted.user, &by).await?;
    let read = Account {
        name: account.name.clone(),
        url: mint.url.clone(),
        stream: Some(account.stream.clone()),
        root: account.root.clone(),
        wide_filter: false,
        owner: None,
        connected_in: None,
        is_declared: false,
        revision: 0,
    };
    let sealed = seal_credential(&mint.key, &account.name, &Credential::Creds(minted.creds));
    if !mint.store.add_account(&read, &sealed, &by).await? {
        anyhow::bail!("an account {} was added to guildwire at this very moment: type the command again", account.name);
    }
    Ok(())
}

/// Whether guildwire reads the account of that name with creds that the account of that public key made.
async fn is_issued_by(
    store: &Store,
    key: &SecretKey,
    name: &AccountName,
    issuer: Option<&str>,
) -> anyhow::Result<bool> {
    let (Some(issuer), Some(account), Some(sealed)) =
        (issuer, store.account(name).await?, store.credential(name).await?)
    else {
        return Ok(false);
    };
    Ok(open_credential(key, &account, &sealed)?.is_issued_by(issuer))
}

/// Gives an account the limits of a tier.
pub(super) async fn limit(store: &Store, settings: &Settings, limit: LimitNatsAccount) -> anyhow::Result<String> {
    let limits = limits_of(settings, &limit.tier)?;
    let before = working(store, &limit.name).await?;
    let mint = Mint::open(store, settings).await?;
    let account = NatsAccount { tier: limit.tier, limits, ..before.clone() };
    if let Err(error) = mint.put_in_force(&account, Some(&before.limits)).await {
        let now = match mint.replace(&before).await {
            Ok(()) => format!("The account has its limits of before: {}.", before.limits),
            Err(fault) => format!("Its limits of before could not be handed in, either ({fault:#}): type it again."),
        };
        anyhow::bail!("{error:#}\n{now}");
    }
    store.settle_nats_account(&account, Action::NatsAccountLimited, &By::operator(clock::now())).await?;
    Ok(format!("Account {} has the limits of tier {} now: {limits}.\n", account.name, account.tier))
}

/// Lets nobody in any more. Typed again, it is handed in again.
pub(super) async fn suspend(store: &Store, settings: &Settings, name: &AccountName) -> anyhow::Result<String> {
    let before = finished(store, name).await?;
    let mint = Mint::open(store, settings).await?;
    let now = clock::now();
    let account = NatsAccount { suspended_at: before.suspended_at.or(Some(now)), ..before.clone() };
    mint.replace(&account).await?;
    mint.wait_until_closed(&account).await?;
    if before.suspended_at.is_none() {
        store.settle_nats_account(&account, Action::NatsAccountSuspended, &By::operator(now)).await?;
    }
    Ok(format!(
        "Account {name} is suspended: its connections are ended, and nobody is let in until `guildwire operator account \
         resume {name}`. What is stored in it stays.\n"
    ))
}

/// Lets an account's users in again.
pub(super) async fn resume(store: &Store, settings: &Settings, name: &AccountName) -> anyhow::Result<String> {
    let before = finished(store, name).await?;
    if before.suspended_at.is_none() {
        anyhow::bail!("the account {name} is not suspended");
    }
    let mint = Mint::open(store, settings).await?;
    let account = NatsAccount { suspended_at: None, ..before.clone() };
    if let Err(error) = mint.put_in_force(&account, None).await {
        let now = match mint.replace(&before).await {
            Ok(()) => "The account is suspended, as before.".to_owned(),
            Err(fault) => format!(
                "It could not be suspended again, either ({fault:#}): `guildwire operator account suspend {name}` tries that."
            ),
        };
        anyhow::bail!("{error:#}\n{now}");
    }
    store.settle_nats_account(&account, Action::NatsAccountResumed, &By::operator(clock::now())).await?;
    Ok(format!("Account {name} is resumed: its users are let in again.\n"))
}

/// Deletes an account, if that is meant.
pub(super) async fn delete(store: &Store, settings: &Settings, delete: &DeleteNatsAccount) -> anyhow::Result<String> {
    let account = known(store, &delete.name).await?;
    let mint = Mint::open(store, settings).await?;
    let name = &account.name;
    let users = users_of(store, name).await?.len();
    let users = counted(i64::try_from(users)?, "user", "users");
    // What stands in the settings file goes with its entry there.
    let is_declared = store.account(name).await?.is_some_and(|account| account.is_declared);
    let is_read = !is_declared && is_issued_by(store, &mint.key, name, Some(&account.public_key)).await?;
    let mut what_goes = format!("{users} and all that is stored in it");
    if is_read {
        let (links, bindings) = store.count_links_and_bindings(name).await?;
        let (links, bindings) = (counted(links, "link", "links"), counted(bindings, "binding", "bindings"));
        what_goes = format!("{users}, all that is stored in it, {links} and {bindings}");
    }
    let question = format!("Delete account {name}, with {what_goes}?");
    let consequence = format!("deleting {name} means deleting {what_goes} with it");
    if !delete.yes && !confirmed(&question, &consequence)? {
        return Ok("Nothing was deleted.\n".to_owned());
    }
    mint.take_away(&account).await?;
    let by = By::operator(clock::now());
    if is_read {
        store.remove_account(name, &by).await?;
    }
    store.remove_nats_account(name, &by).await?;
    let stays = match store.account(name).await? {
        None => String::new(),
        Some(_) if is_declared => {
            format!("guildwire's account {name} stays, as the settings have it: take its entry out of them.\n")
        }
        Some(_) => format!(
            "guildwire's account {name} stays, for its credential is another's: `guildwire account remove {name}` removes it.\n"
        ),
    };
    Ok(format!("Account {name} is deleted, with {what_goes}.\n{stays}"))
}

/// The accounts as a table, and below it their users.
pub(super) async fn list(store: &Store, settings: &Settings) -> anyhow::Result<String> {
    let headings = ["NAME", "TIER", "MAX FILE", "MAX MEM", "STREAMS", "CONSUMERS", "CONNECTIONS", "STREAM", "STATE"];
    let mut rows = vec![headings.map(str::to_owned)];
    let mut users = String::new();
    for account in store.nats_accounts().await? {
        let state = match (account.verified_at, account.suspended_at) {
            (None, _) => "not finished: create it again, or delete it".to_owned(),
            (_, Some(at)) => format!("suspended since {}", at.minute()),
            _ if settings.tiers.get(&account.tier).is_some_and(|tier| *tier != account.limits) => {
                "made, with older limits of its tier".to_owned()
            }
            _ => "made".to_owned(),
        };
        for user in users_of(store, &account.name).await? {
            writeln!(users, "  {}", told(&user))?;
        }
        let Tier { max_file, max_mem, max_streams, max_consumers, max_connections } = account.limits;
        rows.push([
            account.name.to_string(),
            account.tier,
            max_file.to_string(),
            max_mem.to_string(),
            max_streams.to_string(),
            max_consumers.to_string(),
            max_connections.to_string(),
            account.stream,
            state,
        ]);
    }
    if rows.len() == 1 {
        return Ok("guildwire has made no accounts yet: `guildwire operator account create NAME`\n".to_owned());
    }
    let users = if users.is_empty() { "No users.\n".to_owned() } else { format!("Users:\n{users}") };
    Ok(format!("{}\n{users}", table(&rows)))
}

fn told(user: &NatsUser) -> String {
    let NatsUser { public_key, account, role, server, created_at, revoked_at } = user;
    let server = server.as_ref().map_or_else(String::new, |server| format!(" {server}"));
    let revoked = revoked_at.map_or_else(String::new, |at| format!(", revoked {}", at.minute()));
    format!("{account} {}{server}: {public_key}, made {}{revoked}", role.name(), created_at.minute())
}

async fn users_of(store: &Store, name: &AccountName) -> anyhow::Result<Vec<NatsUser>> {
    Ok(store.nats_users(name).await?)
}

/// [`finished`], where it also must not be suspended.
async fn working(store: &Store, name: &AccountName) -> anyhow::Result<NatsAccount> {
    let account = finished(store, name).await?;
    if account.suspended_at.is_some() {
        anyhow::bail!("the account {name} is suspended: `guildwire operator account resume {name}` first");
    }
    Ok(account)
}

fn limits_of(settings: &Settings, tier: &str) -> anyhow::Result<Tier> {
    settings.tiers.get(tier).copied().with_context(|| {
        let names: Vec<&str> = settings.tiers.keys().map(String::as_str).collect();
        format!("there is no tier {tier}; the settings have {}", names.join(", "))
    })
}
