//! What can be typed after `guildwire privacy`.

use clap::{Args, Subcommand};

use crate::domain::ids::{AccountName, PlayerId};

/// What to do with what is stored of a player.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Privacy {
    /// Print everything that is stored and names the player, as JSON.
    ///
    /// A message in it may tell of others, too: look through it before you hand it on.
    Export(Export),
    /// Delete what is stored and names the player.
    ///
    /// Says what was deleted, and what can't be taken back.
    Forget(Forget),
}

/// `guildwire privacy export`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Export {
    /// The player's id, as game servers tell it: for Rust, the Steam id of 17 digits.
    #[arg(value_parser = player_id)]
    pub player: PlayerId,

    /// Only what was heard of this account's game servers.
    #[arg(long, value_name = "NAME")]
    pub account: Option<AccountName>,
}

/// `guildwire privacy forget`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Forget {
    /// The player's id, as game servers tell it: for Rust, the Steam id of 17 digits.
    #[arg(value_parser = player_id)]
    pub player: PlayerId,

    /// Only what was heard of this account's game servers.
    #[arg(long, value_name = "NAME")]
    pub account: Option<AccountName>,

    /// Don't ask whether that is meant.
    #[arg(long)]
    pub yes: bool,
}

/// An id that can be looked for in texts.
fn player_id(text: &str) -> Result<PlayerId, String> {
    if text.trim().is_empty() {
        return Err("must be a player's id".to_owned());
    }
    Ok(PlayerId::from(text))
}

pub(super) const PRIVACY_EXAMPLES: &str = "\
Examples:
  guildwire privacy export 76561198000000001 > player.json
  guildwire privacy forget 76561198000000001
  guildwire privacy forget 76561198000000001 --account GA-1 --yes";
