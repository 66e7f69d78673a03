//! Names and numbers that identify things, each its own type so that none is taken for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A NATS account's name in this installation: 1 to 32 of `A-Z a-z 0-9 _ -`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(String);

/// What a text must be to name an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -, which {0:?} has not")]
pub struct BadAccountName(String);

impl AccountName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountName {
    type Err = BadAccountName;

    fn from_str(text: &str) -> Result<Self, BadAccountName> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadAccountName(text.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for AccountName {
    type Error = BadAccountName;

    fn try_from(text: String) -> Result<Self, BadAccountName> {
        text.parse()
    }
}

impl From<AccountName> for String {
    fn from(name: AccountName) -> Self {
        name.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Defines an identifier that is free text from the wire: hostile until it is cleaned for display.
macro_rules! wire_text {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The identifier as it came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<T: Into<String>> From<T> for $name {
            fn from(text: T) -> Self {
                Self(text.into())
            }
        }
    };
}

wire_text! {
    /// A game server, as its subjects name it. Only unique within its account, and free text: many servers are `0`.
    ServerId
}

wire_text! {
    /// A player, as subjects name them: a `SteamID` where the game is Rust, but nothing enforces it.
    PlayerId
}

/// Defines a Discord identifier, a snowflake: <https://discord.com/developers/docs/reference#snowflakes>.
macro_rules! snowflake {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// As the database keeps it. Snowflakes stay below 2⁶³ until the year 2084.
            #[must_use]
            pub const fn to_column(self) -> i64 {
                self.0.cast_signed()
            }

            /// From the form the database keeps.
            #[must_use]
            pub const fn from_column(column: i64) -> Self {
                Self(column.cast_unsigned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

snowflake! {
    /// A Discord guild ("server" in Discord's own client, a word kept for game servers here).
    GuildId
}
snowflake! {
    /// A Discord channel or thread.
    ChannelId
}
snowflake! {
    /// A Discord role.
    RoleId
}
snowflake! {
    /// A Discord user.
    UserId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_named_plainly() {
        assert!("GA-1".parse::<AccountName>().is_ok());
        assert!("a".repeat(32).parse::<AccountName>().is_ok());
        for refused in ["", "a b", "ä", "a.b", "*", &"a".repeat(33)] {
            assert!(refused.parse::<AccountName>().is_err(), "{refused:?}");
        }
    }
}
