//! What can be typed after `guildwire audit`.

use std::num::NonZeroU32;

use clap::Args;

use crate::domain::ids::AccountName;

/// `guildwire audit`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct Audit {
    /// Only what was done to this account, also one that is gone.
    #[arg(long, value_name = "NAME")]
    pub account: Option<AccountName>,

    /// How many lines at most.
    #[arg(long, value_name = "N", default_value = "50")]
    pub limit: NonZeroU32,

    /// Print them as a JSON array.
    #[arg(long)]
    pub json: bool,
}

pub(super) const AUDIT_EXAMPLES: &str = "\
Examples:
  guildwire audit
  guildwire audit --account GA-1 --limit 500
  guildwire audit --json | jq '.[] | select(.action == \"guild unlinked\")'";
