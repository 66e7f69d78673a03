//! Operator mode: accounts and users that guildwire makes on the operator's own nats-server, and what each may do there.

mod limits;
mod making;
mod roles;

use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event};
use guildwire::nats::jwt::SigningKey;
use guildwire::sealing::open_seed;
use guildwire::secrets::SecretKey;
use guildwire::store::Store;
use guildwire_harness::house::{House, PATIENCE};
use guildwire_harness::{NatsConfig, NatsServer};
use nkeys::KeyPair;
use secrecy::ExposeSecret as _;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use crate::credentials::jwt;
use crate::installation::{file, house_around, refused, sqlite_url};
use crate::support::Database;

/// An operator with a nats-server of its own, whose accounts lie in a full resolver.
struct Operator {
    house: House,
    signing_key: String,
    system_creds: String,
    secrets: Vec<String>,
    /// Where the server keeps the accounts; gone after it.
    _folder: TempDir,
}

/// A server with these limits of JetStream, or as much room as the usual one, and with this resolver.
async fn operator(database: Database, room: Option<&str>, resolver: &str) -> Operator {
    let (identity, signing) = (KeyPair::new_operator(), KeyPair::new_operator());
    let (system, user) = (KeyPair::new_account(), KeyPair::new_user());
    let signing_keys = json!([signing.public_key()]);
    let operator = json!({ "type": "operator", "version": 2, "signing_keys": signing_keys });
    let limits = json!({ "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "conn": -1, "leaf": -1 });
    let system_jwt = jwt(&identity, &system, "SYS", &json!({ "type": "account", "version": 2, "limits": limits }));
    let user_claims = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    let user_jwt = jwt(&system, &user, "sys", &user_claims);
    let folder = tempfile::tempdir().unwrap();
    let room = room.map_or_else(String::new, |room| {
        format!("jetstream {{ store_dir: \"{}\", {room} }}", folder.path().join("streams").display())
    });
    let config = NatsConfig::open().raw(&format!(
        "{room}\noperator: {operator}\nsystem_account: {system}\n{resolver}\n\
         resolver_preload: {{ {system}: {system_jwt} }}",
        operator = jwt(&identity, &identity, "operator", &operator),
        system = system.public_key(),
        resolver = resolver.replace("FOLDER", &folder.path().join("jwt").display().to_string()),
    ));
    let house = house_around(NatsServer::start(&config).unwrap(), database).await;
    let seeds = [identity.seed().unwrap(), signing.seed().unwrap(), user.seed().unwrap()];
    let signing_key = file(&house, "operator.nk", &format!("{}\n", seeds[1]));
    let creds = format!(
        "-----BEGIN NATS USER JWT-----\n{user_jwt}\n------END NATS USER JWT------\n\n\
         -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
        seeds[2]
    );
    let system_creds = file(&house, "system.creds", &creds);
    let House { nats, discord, bot } = house;
    let bot = bot
        .setting("operator.signing_key_file", &signing_key)
        .setting("operator.system_creds_file", &system_creds)
        .setting("log.level", "guildwire=trace,async_nats=debug,info");
    Operator { house: House { nats, discord, bot }, signing_key, system_creds, secrets: seeds.into(), _folder: folder }
}

/// A resolver as docs/operator.md wants it; its folder is put in.
const FULL: &str = "resolver: { type: full, dir: \"FOLDER\", allow_delete: true }";

async fn usual_operator(database: Database) -> Operator {
    operator(database, None, FULL).await
}

impl Operator {
    async fn operate(&self, command: &str) -> String {
        self.house.operate(&command.split(' ').collect::<Vec<_>>()).await.unwrap()
    }

    async fn refused(&self, command: &str) -> String {
        refused(&self.house.bot, 1, &command.split(' ').collect::<Vec<_>>()).await
    }

    /// With another setting from now on.
    fn set(&mut self, key: &str, value: &str) {
        self.house.bot = self.house.bot.clone().setting(key, value);
    }

    /// Connects as one who may do everything in the account: whoever has guildwire's database and key file can.
    async fn administrator(&self, account: &str) -> User {
        let store = Store::open(&sqlite_url(&self.house)).await.unwrap();
        let name = account.parse().unwrap();
        let sealed = store.nats_account_seed(&name).await.unwrap().unwrap();
        let key_file = self.house.bot.home_folder().join("secrets/guildwire.key");
        let seed = open_seed(&SecretKey::load_or_create(&key_file, false).unwrap(), &name, &sealed).unwrap();
        let key = SigningKey::account(seed.expose_secret()).unwrap();
        let creds = key.administrator(guildwire::clock::now(), PATIENCE).creds;
        User::connect(&self.house.nats.url(), creds.expose_secret(), "_INBOX").await.unwrap()
    }

    /// Makes a user and connects as it.
    async fn user(&mut self, account: &str, arguments: &str, inboxes: &str) -> (User, String) {
        let name = format!("{account}-{}.creds", self.secrets.len());
        self.operate(&format!("operator user create {account} {arguments} --out {name}")).await;
        let path = self.house.bot.home_folder().join(&name);
        let creds = std::fs::read_to_string(&path).unwrap();
        let seed = creds.lines().find(|line| line.starts_with("SU")).unwrap();
        self.secrets.push(seed.to_owned());
        (User::connect(&self.house.nats.url(), &creds, inboxes).await.unwrap(), path.display().to_string())
    }
}

/// Somebody's connection, and what the server objects to.
struct User {
    client: Client,
    jetstream: jetstream::Context,
    objections: mpsc::UnboundedReceiver<String>,
}

impl User {
    async fn connect(url: &str, creds: &str, inboxes: &str) -> Result<User, String> {
        let (sender, objections) = mpsc::unbounded_channel();
        let client = ConnectOptions::with_credentials(creds)
            .unwrap()
            .custom_inbox_prefix(inboxes)
            .max_reconnects(1)
            .event_callback(move |event| {
                match event {
                    Event::ServerError(error) => drop(sender.send(error.to_string())),
                    Event::Disconnected | Event::Closed => drop(sender.send("disconnected".to_owned())),
                    _ => {}
                }
                std::future::ready(())
            })
            .connect(url)
            .await
            .map_err(|error| error.to_string())?;
        Ok(User { jetstream: jetstream::new(client.clone()), client, objections })
    }

    /// What the server objects to next.
    async fn objection(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.objections.recv()).await.expect("the server objects").unwrap()
    }

    /// The server does not let it publish there.
    async fn is_denied(&mut self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        let objection = self.objection().await;
        assert!(objection.contains(&format!("Permissions Violation for Publish to \"{subject}\"")), "{objection}");
    }

    async fn may_not_hear(&mut self, subject: &str) {
        let _subscriber = self.client.subscribe(subject.to_owned()).await.unwrap();
        let objection = self.objection().await;
        assert!(objection.contains(&format!("Permissions Violation for Subscription to \"{subject}\"")), "{objection}");
    }

    async fn publish(&self, subject: &str) -> Result<u64, String> {
        let payload = "{}".to_owned().into();
        let stored = self.jetstream.publish(format!("v0.rust.servers.{subject}"), payload).await.unwrap().await;
        stored.map(|stored| stored.sequence).map_err(|error| error.to_string())
    }
}
