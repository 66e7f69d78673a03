//! Handing accounts to a nats-server in operator mode, as a user of its system account
//! (<https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt/resolver>).
//!
//! What nats-server answers is not the last word: it takes a JWT that a foreign operator signed, and an account for whose
//! limits it has no room. Who has handed one in looks, as the account, at what it may use.

use async_nats::RequestErrorKind;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::said::said;
use crate::domain::fault::Fault;
use crate::domain::tier::{Bytes, Tier};

const UPDATE: &str = "$SYS.REQ.CLAIMS.UPDATE";
const DELETE: &str = "$SYS.REQ.CLAIMS.DELETE";

/// Why nats-server does not do what was asked of its accounts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimsError {
    /// The connection, or a permission.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// The user may not ask for that.
    #[error(
        "the user of operator.system_creds_file may not publish to {0}: it has to be a user of the system account, and one \
         who may"
    )]
    Denied(String),
    /// Nobody takes accounts there.
    #[error(
        "nobody answers {0}: either operator.system_creds_file is not of a user of the system account, or nats-server's \
         resolver keeps no accounts (its configuration needs `resolver: {{ type: full, dir: …, allow_delete: true }}`)"
    )]
    NoResolver(&'static str),
    /// The signing key is another operator's.
    #[error(
        "nats-server does not trust the key {0} of operator.signing_key_file: it is neither the operator's that its \
         configuration names nor one of that operator's signing keys"
    )]
    Untrusted(String),
    /// It lets nobody delete accounts.
    #[error("nats-server lets nobody delete accounts: its resolver needs `allow_delete: true`")]
    NoDeletion,
    /// Something else that it said.
    #[error("nats-server refuses: {0}")]
    Refused(String),
}

/// What an account may use of JetStream, as nats-server has it in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct InForce {
    #[serde(rename = "max_memory")]
    memory: i64,
    #[serde(rename = "max_storage")]
    file: i64,
    #[serde(rename = "max_streams")]
    streams: i64,
    #[serde(rename = "max_consumers")]
    consumers: i64,
}

/// What nats-server has for all accounts, and what is set aside for those it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capacity {
    /// Its `max_file_store`.
    pub file: Bytes,
    /// Its `max_memory_store`.
    pub memory: Bytes,
    /// By accounts' public keys, what is set aside of the one and of the other.
    pub reserved: Vec<(String, Bytes, Bytes)>,
}

#[derive(Deserialize)]
struct Answer {
    error: Option<AnswerError>,
}

#[derive(Deserialize)]
struct AnswerError {
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
struct AccountAnswer {
    limits: InForce,
}

#[derive(Deserialize)]
struct StreamAnswer {
    config: Map<String, Value>,
}

#[derive(Deserialize)]
struct ServerAnswer {
    data: ServerJetStream,
}

#[derive(Deserialize)]
struct ServerJetStream {
    config: ServerLimits,
    #[serde(default)]
    account_details: Vec<AccountDetails>,
}

#[derive(Deserialize)]
struct ServerLimits {
    #[serde(default)]
    max_memory: u64,
    #[serde(default)]
    max_storage: u64,
}

#[derive(Deserialize)]
struct AccountDetails {
    id: String,
    #[serde(default)]
    reserved_memory: u64,
    #[serde(default)]
    reserved_storage: u64,
}

impl From<&Tier> for InForce {
    fn from(tier: &Tier) -> Self {
        Self {
            memory: tier.max_mem.0.cast_signed(),
            file: tier.max_file.0.cast_signed(),
            streams: tier.max_streams.into(),
            consumers: tier.max_consumers.into(),
        }
    }
}

impl Connection {
    /// Hands in an account's JWT, which takes the place of the one that is there.
    pub async fn update_account(&self, jwt: String) -> Result<(), ClaimsError> {
        match self.ask_system(UPDATE, jwt).await? {
            Answer { error: None } => Ok(()),
            Answer { error: Some(error) } => Err(ClaimsError::Refused(error.description)),
        }
    }

    /// Deletes the accounts that a request names, which `key` signed. One that is gone already is no error. With none named,
    /// it only shows whether the key is trusted.
    pub async fn delete_accounts(&self, request: String, key: &str) -> Result<(), ClaimsError> {
        let Answer { error: Some(AnswerError { description: said }) } = self.ask_system(DELETE, request).await? else {
            return Ok(());
        };
        if said.contains("not trusted") {
            Err(ClaimsError::Untrusted(key.to_owned()))
        } else if said.contains("delete must be enabled") {
            Err(ClaimsError::NoDeletion)
        } else if said.contains("no such file") {
            Ok(())
        } else {
            Err(ClaimsError::Refused(said))
        }
    }

    /// Deletes all streams of an account with what they hold.
    pub async fn purge_account(&self, public_key: &str) -> Result<(), ClaimsError> {
        #[derive(Deserialize)]
        struct Purged {
            initiated: bool,
        }
        let purged: Purged = self.ask(format!("ACCOUNT.PURGE.{public_key}"), json!({})).await?;
        if purged.initiated { Ok(()) } else { Err(ClaimsError::Refused("the streams are not deleted".to_owned())) }
    }

    /// What the connection's own account may use.
    pub async fn limits_in_force(&self) -> Result<InForce, Fault> {
        let AccountAnswer { limits } = self.ask("INFO".to_owned(), json!({})).await?;
        Ok(limits)
    }

    /// What the server has, and what is set aside of it.
    pub async fn capacity(&self) -> Result<Capacity, ClaimsError> {
        let request = json!({ "accounts": true, "limit": 100_000 }).to_string();
        let ServerAnswer { data } = self.ask_system("$SYS.REQ.SERVER.PING.JSZ", request).await?;
        let reserved = data.account_details.into_iter();
        Ok(Capacity {
            file: Bytes(data.config.max_storage),
            memory: Bytes(data.config.max_memory),
            reserved: reserved
                .map(|account| (account.id, Bytes(account.reserved_storage), Bytes(account.reserved_memory)))
                .collect(),
        })
    }

    /// Makes a stream, or gives one of that name these subjects and this size, and leaves the rest as its owner has it.
    pub async fn keep_stream(&self, name: &str, subjects: String, most: Bytes) -> Result<(), Fault> {
        let config = json!({
            "name": name, "subjects": [subjects], "retention": "limits", "storage": "file", "discard": "old",
            "max_bytes": most.0, "max_consumers": -1, "max_msgs": -1, "max_age": 0, "num_replicas": 1,
        });
        match self.ask::<Value>(format!("STREAM.CREATE.{name}"), config.clone()).await {
            Err(Fault::JetStream(reason)) if reason.contains("already in use") => {
                let StreamAnswer { config: mut kept } = self.ask(format!("STREAM.INFO.{name}"), json!({})).await?;
                for key in ["subjects", "max_bytes"] {
                    kept.insert(key.to_owned(), config[key].clone());
                }
                self.ask::<Value>(format!("STREAM.UPDATE.{name}"), Value::Object(kept)).await.map(drop)
            }
            made => made.map(drop),
        }
    }

    async fn ask_system<T: DeserializeOwned>(&self, subject: &'static str, body: String) -> Result<T, ClaimsError> {
        let answer = tokio::select! {
            answer = self.client.request(subject, body.into()) => answer,
            fault = self.denied(subject) => return Err(match fault {
                Fault::Denied(subject) => ClaimsError::Denied(subject),
                fault => fault.into(),
            }),
            fault = self.lost() => return Err(fault.into()),
        };
        let answer = answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => ClaimsError::NoResolver(subject),
            RequestErrorKind::TimedOut => Fault::TimedOut(subject.to_owned()).into(),
            _ => Fault::BadAnswer { subject: subject.to_owned(), reason: said(error) }.into(),
        })?;
        serde_json::from_slice(&answer.payload)
            .map_err(|error| Fault::BadAnswer { subject: subject.to_owned(), reason: said(error) }.into())
    }
}
