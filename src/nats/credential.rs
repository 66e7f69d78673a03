//! What an account's user proves itself with, and its forms at rest and on the wire.

use async_nats::ConnectOptions;
use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::domain::fault::Fault;
use crate::domain::timestamp::Timestamp;

/// A credential of a NATS user: <https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro>.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An nkey's seed, `SU…`.
    Nkey(SecretString),
    /// The text of a `.creds` file: a JWT and its nkey's seed.
    Creds(SecretString),
    /// A user's name, with a password or, as in the blog post's own configuration, without one.
    User {
        /// The name. It may be all there is to know, so it is as secret as a password.
        name: SecretString,
        /// The password.
        password: Option<SecretString>,
    },
}

/// The JWT that stands somewhere in a text, alone between spaces.
fn jwt_in(text: &str) -> Option<&str> {
    let is_part =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    text.split_whitespace().find(|word| word.split('.').count() == 3 && word.split('.').all(is_part))
}

/// What is wrong with a JWT that is to go with a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadJwt {
    /// It holds a seed, and so a secret.
    #[error("this holds a seed, which is a secret")]
    HoldsSeed,
    /// It is no JWT of a user.
    #[error("this is no JWT of a NATS user")]
    NotOne,
    /// It is for another key.
    #[error("this JWT is for the user {0}")]
    OtherUser(String),
    /// Whoever has it may use it, without the key.
    #[error("this JWT is a bearer token")]
    Bearer,
    /// It is over.
    #[error("this JWT has expired")]
    Expired,
    /// There is no key that it could go with.
    #[error("there is no key for a JWT")]
    NoKey,
}

/// What a user's JWT says of itself, as far as it matters here. Whether it is signed by whom it should is nats-server's
/// to judge.
#[derive(Deserialize)]
struct Claims {
    exp: Option<i64>,
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    nats: NatsClaims,
}

#[derive(Deserialize, Default)]
struct NatsClaims {
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    bearer_token: bool,
}

impl Claims {
    fn of(jwt: &str) -> Option<Self> {
        let claims = BASE64URL_NOPAD.decode(jwt.split('.').nth(1)?.as_bytes()).ok()?;
        serde_json::from_slice(&claims).ok()
    }

    fn expires(&self) -> Option<Timestamp> {
        // 0 is how nsc writes "never".
        let seconds = self.exp.filter(|seconds| *seconds > 0)?;
        Some(Timestamp::from_nanoseconds(seconds.saturating_mul(1_000_000_000)))
    }
}

/// A credential that is none.
#[derive(Debug, thiserror::Error)]
pub enum BadCredential {
    /// Not an nkey seed of a user.
    #[error("this is no nkey seed of a user: one starts with SU and has 58 characters")]
    Nkey,
    /// An nkey seed in which something was mistyped.
    #[error("this is no nkey seed of a user: its checksum is wrong, so a character is missing or mistyped")]
    MistypedNkey,
    /// Not the text of a `.creds` file.
    #[error("this is no .creds file: one holds a NATS USER JWT and a USER NKEY SEED")]
    Creds,
    /// A kind or a form that this version does not know.
    #[error("the stored credential has a form that this guildwire does not know")]
    Form,
}

impl From<BadCredential> for Fault {
    fn from(error: BadCredential) -> Self {
        Self::BadCredential(error.to_string())
    }
}

#[derive(Serialize, Deserialize)]
struct StoredUser {
    name: String,
    password: Option<String>,
}

impl Credential {
    /// A new nkey.
    #[must_use]
    pub fn new_nkey() -> Self {
        let seed = KeyPair::new_user().seed().expect("a pair that was just made has its seed");
        Self::Nkey(seed.into())
    }

    /// An nkey's seed, which must look like one.
    pub fn nkey(seed: &str) -> Result<Self, BadCredential> {
        let seed = seed.trim();
        if seed.len() != 58 || !seed.starts_with("SU") || !seed.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(BadCredential::Nkey);
        }
        // nats-server would only say that the credential is refused.
        match KeyPair::from_seed(seed) {
            Ok(_) => Ok(Self::Nkey(seed.into())),
            Err(_) => Err(BadCredential::MistypedNkey),
        }
    }

    /// The text of a `.creds` file, which must hold both of its parts.
    pub fn creds(text: &str) -> Result<Self, BadCredential> {
        ConnectOptions::with_credentials(text).map_err(|_| BadCredential::Creds)?;
        Ok(Self::Creds(text.into()))
    }

    /// When it ends to be good, as it says itself: only the JWT of a `.creds` file may. Whether it is signed by whom it
    /// should is nats-server's to judge.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        let Self::Creds(text) = self else { return None };
        Claims::of(jwt_in(text.expose_secret())?)?.expires()
    }

    /// Whether it says itself that the account of that public key made it.
    #[must_use]
    pub fn is_issued_by(&self, account: &str) -> bool {
        let Self::Creds(text) = self else { return false };
        jwt_in(text.expose_secret()).and_then(Claims::of).is_some_and(|claims| claims.iss == account)
    }

    /// The public key that stands for the user, where there is one.
    #[must_use]
    pub fn public_key(&self) -> Option<String> {
        Some(self.key_pair()?.public_key())
    }

    /// The same key with the user's JWT, which a server in operator mode wants to see, too. A JWT that has expired `now`
    /// is refused.
    pub fn with_jwt(&self, text: &str, now: Timestamp) -> Result<Self, BadJwt> {
        if text.contains("SEED") || text.split_whitespace().any(|word| KeyPair::from_seed(word).is_ok()) {
            return Err(BadJwt::HoldsSeed);
        }
        let pair = self.key_pair().ok_or(BadJwt::NoKey)?;
        let jwt = jwt_in(text).ok_or(BadJwt::NotOne)?;
        let claims = Claims::of(jwt).filter(|claims| claims.nats.kind == "user").ok_or(BadJwt::NotOne)?;
        if claims.sub != pair.public_key() {
            return Err(BadJwt::OtherUser(claims.sub));
        }
        if claims.expires().is_some_and(|at| at <= now) {
            return Err(BadJwt::Expired);
        }
        if claims.nats.bearer_token {
            return Err(BadJwt::Bearer);
        }
        let seed = Zeroizing::new(pair.seed().map_err(|_| BadJwt::NoKey)?);
        let creds = format!(
            "-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            *seed
        );
        Ok(Self::Creds(creds.into()))
    }

    /// The nkey's pair, of either form that has one.
    fn key_pair(&self) -> Option<KeyPair> {
        let seed = match self {
            Self::Nkey(seed) => seed.expose_secret(),
            Self::Creds(text) => text.expose_secret().lines().map(str::trim).find(|line| line.starts_with("SU"))?,
            Self::User { .. } => return None,
        };
        KeyPair::from_seed(seed).ok()
    }

    /// Which kind it is, as the database and `account list` name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Nkey(_) => "nkey",
            Self::Creds(_) => "creds",
            Self::User { .. } => "user",
        }
    }

    /// The secret as it is encrypted.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        match self {
            Self::Nkey(secret) | Self::Creds(secret) => secret.clone(),
            Self::User { name, password } => {
                let stored = StoredUser {
                    name: name.expose_secret().to_owned(),
                    password: password.as_ref().map(|password| password.expose_secret().to_owned()),
                };
                serde_json::to_string(&stored).expect("two texts are JSON").into()
            }
        }
    }

    /// The credential of that kind whose secret was decrypted.
    pub fn from_secret(kind: &str, secret: SecretString) -> Result<Self, BadCredential> {
        match kind {
            "nkey" => Ok(Self::Nkey(secret)),
            "creds" => Ok(Self::Creds(secret)),
            "user" => {
                let stored: StoredUser =
                    serde_json::from_str(secret.expose_secret()).map_err(|_| BadCredential::Form)?;
                Ok(Self::User { name: stored.name.into(), password: stored.password.map(SecretString::from) })
            }
            _ => Err(BadCredential::Form),
        }
    }

    /// Options that connect with it.
    pub(super) fn connect_options(&self) -> Result<ConnectOptions, BadCredential> {
        match self {
            Self::Nkey(seed) => Ok(ConnectOptions::with_nkey(seed.expose_secret().to_owned())),
            Self::Creds(text) => {
                ConnectOptions::with_credentials(text.expose_secret()).map_err(|_| BadCredential::Creds)
            }
            Self::User { name, password } => {
                let password = password.as_ref().map_or("", |password| password.expose_secret());
                Ok(ConnectOptions::with_user_and_password(name.expose_secret().to_owned(), password.to_owned()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_comes_back_from_its_stored_form_and_shows_nothing() {
        let seed = KeyPair::new_user().seed().unwrap();
        let user = Credential::User { name: "UDXU4RCS".into(), password: Some("hunter2".into()) };
        for credential in [Credential::nkey(&seed).unwrap(), user] {
            let again = Credential::from_secret(credential.kind(), credential.to_secret()).unwrap();
            assert_eq!(again.to_secret().expose_secret(), credential.to_secret().expose_secret());
            let shown = format!("{credential:?}");
            assert!(!shown.contains(&seed) && !shown.contains("UDXU") && !shown.contains("hunter2"), "{shown}");
        }
    }

    #[test]
    fn a_credential_may_say_when_it_ends() {
        let creds = |claims: &str| {
            let jwt = format!("eyJ0eXAiOiJKV1QifQ.{}.c2lnbmF0dXJl", BASE64URL_NOPAD.encode(claims.as_bytes()));
            Credential::Creds(format!("-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n").into())
        };
        let moment = Timestamp::from_nanoseconds(1_700_000_000_000_000_000);
        assert_eq!(creds(r#"{"exp":1700000000,"sub":"U"}"#).expires(), Some(moment));
        for never in [r#"{"sub":"U"}"#, r#"{"exp":0}"#, r#"{"exp":"soon"}"#, "garbage"] {
            assert_eq!(creds(never).expires(), None, "{never}");
        }
        assert_eq!(Credential::Creds("garbage".into()).expires(), None);
        assert_eq!(Credential::User { name: "a.b.c".into(), password: None }.expires(), None);
    }

    #[test]
    fn what_is_no_credential_is_refused() {
        assert!(Credential::nkey("UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4").is_err());
        let seed = KeyPair::new_user().seed().unwrap();
        let mistyped = format!("{}{}", &seed[..57], if seed.ends_with('A') { 'Q' } else { 'A' });
        assert!(matches!(Credential::nkey(&mistyped), Err(BadCredential::MistypedNkey)));
        assert!(matches!(Credential::nkey(&seed[..57]), Err(BadCredential::Nkey)));
        assert!(matches!(Credential::nkey(&KeyPair::new_account().seed().unwrap()), Err(BadCredential::Nkey)));
        assert!(Credential::creds("nothing of the kind").is_err());
        assert!(Credential::from_secret("password", "x".into()).is_err());
    }
}
