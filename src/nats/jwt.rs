//! JWTs of a nats-server in operator mode, as nats-server and `nsc` write them: the operator's key signs an account's,
//! the account's key signs a user's
//! (<https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/jwt>).
//!
//! Nothing waits here and no time is read: from keys and values to text.

use std::time::Duration;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};
use nkeys::{KeyPair, KeyPairType};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512_256};

use crate::domain::permissions::Permissions;
use crate::domain::tier::Tier;
use crate::domain::timestamp::Timestamp;

/// A key that signs: an operator's or an account's. Nothing shows its seed.
pub struct SigningKey(KeyPair);

/// What is no key to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSigningKey {
    /// Not the seed of an operator.
    #[error("this is no nkey seed of an operator: one starts with SO and has 58 characters")]
    Operator,
    /// Not the seed of an account.
    #[error("this is no nkey seed of an account")]
    Account,
}

/// What an account's JWT says.
#[derive(Debug, Clone, Copy)]
pub struct AccountClaims<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// Its identity.
    pub public_key: &'a str,
    /// What it may use.
    pub limits: &'a Tier,
    /// Whether nobody is let in.
    pub is_suspended: bool,
    /// The users who are not let in any more, and since when.
    pub revoked: &'a [(String, Timestamp)],
}

/// A user that was made: its identity, and what it proves itself with.
pub struct Minted {
    /// Its identity.
    pub public_key: String,
    /// The text of its `.creds` file.
    pub creds: SecretString,
}

impl SigningKey {
    /// The key of an operator, or one of an operator's signing keys.
    pub fn operator(seed: &str) -> Result<Self, BadSigningKey> {
        Self::of(&KeyPairType::Operator, seed).ok_or(BadSigningKey::Operator)
    }

    /// The key of an account.
    pub fn account(seed: &str) -> Result<Self, BadSigningKey> {
        Self::of(&KeyPairType::Account, seed).ok_or(BadSigningKey::Account)
    }

    /// A key for a new account.
    #[must_use]
    pub fn new_account() -> Self {
        Self(KeyPair::new_account())
    }

    fn of(kind: &KeyPairType, seed: &str) -> Option<Self> {
        let key = KeyPair::from_seed(seed.trim()).ok()?;
        (key.key_pair_type() == *kind).then_some(Self(key))
    }

    /// Whom it belongs to, or which of an operator's signing keys it is.
    #[must_use]
    pub fn public_key(&self) -> String {
        self.0.public_key()
    }

    /// The seed, to be kept.
    #[must_use]
    pub fn seed(&self) -> SecretString {
        self.0.seed().expect("a key that signs has a seed").into()
    }

    /// The JWT of an account, signed by its operator.
    #[must_use]
    pub fn account_jwt(&self, account: AccountClaims<'_>, now: Timestamp) -> String {
        let AccountClaims { name, public_key, limits, is_suspended, revoked } = account;
        let revocations: serde_json::Map<String, Value> =
            revoked.iter().map(|(user, at)| (user.clone(), at.unix_seconds().into())).collect();
        let nats = json!({
            "type": "account",
            "version": 2,
            "limits": {
                "subs": -1, "data": -1, "payload": -1,
                // Whoever can take in or give away other accounts' subjects is no island any more.
                "imports": 0, "exports": 0, "wildcards": true, "leaf": 0,
                "conn": if is_suspended { 0 } else { limits.max_connections },
                "mem_storage": limits.max_mem.0, "disk_storage": limits.max_file.0,
                "streams": limits.max_streams, "consumer": limits.max_consumers,
            },
            "default_permissions": { "pub": {}, "sub": {} },
            "revocations": revocations,
        });
        self.sign(public_key, name, &nats, now, None)
    }

    /// The request to delete accounts, signed by their operator.
    #[must_use]
    pub fn deletion(&self, accounts: &[&str], now: Timestamp) -> String {
        let nats = json!({ "type": "generic", "version": 2, "accounts": accounts });
        self.sign(&self.public_key(), "delete", &nats, now, None)
    }

    /// A new user of this account, which may do what is permitted but publish what is denied, by connections of the usual
    /// kinds.
    #[must_use]
    pub fn user(&self, name: &str, permissions: &Permissions, denied: &[String], now: Timestamp) -> Minted {
        let allowed = |allow: &[String], deny: &[String]| json!({ "allow": allow, "deny": deny });
        self.mint(
            name,
            &json!({
                "pub": allowed(&permissions.publish, denied),
                "sub": allowed(&permissions.subscribe, &[]),
            }),
            now,
            None,
        )
    }

    /// A new user of this account who may do everything in it, for a while.
    #[must_use]
    pub fn administrator(&self, now: Timestamp, good_for: Duration) -> Minted {
        self.mint("guildwire-operator", &json!({}), now, Some(now.plus(good_for)))
    }

    fn mint(&self, name: &str, permissions: &Value, now: Timestamp, expires: Option<Timestamp>) -> Minted {
        let user = KeyPair::new_user();
        let mut nats = json!({
            "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1,
            "allowed_connection_types": ["STANDARD", "WEBSOCKET"],
        });
        for (key, value) in permissions.as_object().into_iter().flatten() {
            nats[key] = value.clone();
        }
        let jwt = self.sign(&user.public_key(), name, &nats, now, expires);
        let seed = Zeroizing::new(user.seed().expect("a new key has a seed"));
        Minted { public_key: user.public_key(), creds: creds(&jwt, &seed).into() }
    }

    fn sign(&self, subject: &str, name: &str, nats: &Value, now: Timestamp, expires: Option<Timestamp>) -> String {
        let mut claims = json!({
            "iat": now.unix_seconds(), "iss": self.public_key(), "name": name, "sub": subject, "nats": nats,
        });
        if let Some(expires) = expires {
            claims["exp"] = expires.unix_seconds().into();
        }
        // A JWT is named by the hash of what it says.
        claims["jti"] = BASE32_NOPAD.encode(&Sha512_256::digest(claims.to_string())).into();
        let encoded = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let body = format!("{}.{}", encoded(&json!({ "typ": "JWT", "alg": "ed25519-nkey" })), encoded(&claims));
        let signature = self.0.sign(body.as_bytes()).expect("a key with a seed signs");
        format!("{body}.{}", BASE64URL_NOPAD.encode(&signature))
    }
}

/// The text of a `.creds` file, as `nsc` writes it.
fn creds(jwt: &str, seed: &str) -> String {
    format!(
        "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
         ************************* IMPORTANT *************************\n\
         NKEY Seed printed below can be used to sign and prove identity.\n\
         NKEYs are sensitive and should be treated as secrets.\n\n\
         -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n\n\
         *************************************************************\n"
    )
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::domain::permissions::to_publish;
    use crate::domain::subject::Root;
    use crate::domain::tier::Bytes;
    use crate::nats::credential::Credential;

    const NOW: Timestamp = Timestamp::from_nanoseconds(1_700_000_000_000_000_000);

    const TIER: Tier = Tier {
        max_file: Bytes(1 << 30),
        max_mem: Bytes(1 << 20),
        max_streams: 1,
        max_consumers: 10,
        max_connections: 5,
    };

    fn operator() -> SigningKey {
        SigningKey(KeyPair::new_operator())
    }

    /// The claims of a JWT, whose header and signature are as they should be.
    fn verified(jwt: &str) -> Value {
        let parts: Vec<&str> = jwt.split('.').collect();
        let [header, claims, signature] = parts[..] else { panic!("{jwt}") };
        let decoded = |part: &str| BASE64URL_NOPAD.decode(part.as_bytes()).unwrap();
        let read = |part: &str| serde_json::from_slice::<Value>(&decoded(part)).unwrap();
        assert_eq!(read(header), json!({ "typ": "JWT", "alg": "ed25519-nkey" }));
        let mut said = read(claims);
        let issuer = KeyPair::from_public_key(said["iss"].as_str().unwrap()).unwrap();
        issuer.verify(format!("{header}.{claims}").as_bytes(), &decoded(signature)).unwrap();
        let id = said.as_object_mut().unwrap().remove("jti").unwrap();
        assert_eq!(id, BASE32_NOPAD.encode(&Sha512_256::digest(said.to_string())));
        said
    }

    #[test]
    fn an_account_gets_the_limits_of_its_tier_and_its_revocations() {
        let (operator, account) = (operator(), SigningKey::new_account());
        let public_key = account.public_key();
        let revoked = [("UABC".to_owned(), NOW)];
        let claims = AccountClaims {
            name: "GA-1",
            public_key: &public_key,
            limits: &TIER,
            is_suspended: false,
            revoked: &revoked,
        };
        let said = verified(&operator.account_jwt(claims, NOW));
        assert_eq!(said["iss"], operator.public_key());
        assert_eq!((&said["sub"], &said["name"]), (&json!(public_key), &json!("GA-1")));
        assert_eq!(said["iat"], 1_700_000_000);
        let limits = &said["nats"]["limits"];
        assert_eq!(limits["disk_storage"], 1 << 30);
        assert_eq!(limits["mem_storage"], 1 << 20);
        assert_eq!((&limits["streams"], &limits["consumer"], &limits["conn"]), (&json!(1), &json!(10), &json!(5)));
        assert_eq!(said["nats"]["revocations"], json!({ "UABC": 1_700_000_000 }));
        let suspended = verified(&operator.account_jwt(AccountClaims { is_suspended: true, ..claims }, NOW));
        assert_eq!(suspended["nats"]["limits"]["conn"], 0);
        assert_eq!(suspended["nats"]["limits"]["disk_storage"], 1 << 30, "what is stored stays");
    }

    #[test]
    fn a_user_gets_its_permissions_and_creds_that_prove_it() {
        let account = SigningKey::new_account();
        let permissions = to_publish(&Root::default(), Some("main"), "_INBOX");
        let minted = account.user("server main", &permissions, &["v0.rust.servers.main.x".to_owned()], NOW);
        let creds = minted.creds.expose_secret();
        let lines: Vec<&str> = creds.lines().collect();
        let said = verified(lines[1]);
        assert_eq!(said["nats"]["pub"]["allow"], json!(["v0.*.servers.main.>"]));
        assert_eq!(said["nats"]["pub"]["deny"], json!(["v0.rust.servers.main.x"]));
        assert_eq!(said["nats"]["sub"]["allow"], json!(["_INBOX.>"]));
        assert_eq!((&said["iss"], &said["sub"]), (&json!(account.public_key()), &json!(minted.public_key)));
        assert!(said.get("exp").is_none());
        let seed = lines.iter().find(|line| line.starts_with("SU")).unwrap();
        assert_eq!(KeyPair::from_seed(seed).unwrap().public_key(), minted.public_key);
        assert!(Credential::creds(creds).unwrap().expires().is_none());
    }

    #[test]
    fn an_administrator_is_one_for_a_while() {
        let minted = SigningKey::new_account().administrator(NOW, Duration::from_mins(1));
        let credential = Credential::Creds(minted.creds);
        assert_eq!(credential.expires(), Some(NOW.plus(Duration::from_mins(1))));
    }

    #[test]
    fn a_deletion_is_signed_by_whom_it_names() {
        let operator = operator();
        let said = verified(&operator.deletion(&["AABC"], NOW));
        assert_eq!((&said["iss"], &said["sub"]), (&json!(operator.public_key()), &json!(operator.public_key())));
        assert_eq!(said["nats"]["accounts"], json!(["AABC"]));
    }

    #[test]
    fn only_the_right_kind_of_seed_is_taken() {
        let seed = |key: KeyPair| format!("{}\n", key.seed().unwrap());
        assert!(SigningKey::operator(&seed(KeyPair::new_operator())).is_ok());
        for wrong in [seed(KeyPair::new_account()), KeyPair::new_operator().public_key(), String::new()] {
            assert_eq!(SigningKey::operator(&wrong).err(), Some(BadSigningKey::Operator), "{wrong}");
        }
        let account = SigningKey::new_account();
        assert_eq!(SigningKey::account(account.seed().expose_secret()).unwrap().public_key(), account.public_key());
        assert!(SigningKey::account(&seed(KeyPair::new_operator())).is_err());
    }
}
