//! `guildwire account invite`: a code that is shown here once, and of which only the hash is kept.

use anyhow::Context as _;
use rand::TryRng as _;
use rand::rngs::SysRng;

use super::known_account;
use crate::cli::InviteToAccount;
use crate::clock;
use crate::domain::invite::{CODE_LENGTH, InviteCode};
use crate::domain::timestamp::Timestamp;
use crate::store::Store;

/// Makes an invite. The code stands alone on the last line, where a script finds it.
pub(super) async fn invite(store: &Store, invite: &InviteToAccount) -> anyhow::Result<String> {
    let account = known_account(store, &invite.name).await?.name;
    let mut bytes = [0; CODE_LENGTH];
    SysRng.try_fill_bytes(&mut bytes).context("the operating system gives no random bytes")?;
    let code = InviteCode::from_random(bytes);
    let now = clock::now();
    let expires = now.plus(invite.expires);
    store.add_invite(&account, &code.hash(), now, expires).await?;
    Ok(format!(
        "This code links one Discord server to the account {account}, and can be used once, until {}.\n\
         Whoever uses it can show the account's events: give it to the admin of the Discord server and to nobody \
         else. The admin types there: /account link\n\
         {}\n",
        minute(expires),
        code.as_str()
    ))
}

/// A moment as people read it, such as `2026-07-01 12:30 UTC`.
fn minute(moment: Timestamp) -> String {
    let text = moment.rfc3339();
    let (day, rest) = text.split_once('T').expect("RFC 3339 has a T before the time of day");
    format!("{day} {} UTC", &rest[.."12:30".len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_the_minute() {
        assert_eq!(minute(Timestamp::from_nanoseconds(1_700_000_000_250_000_000)), "2023-11-14 22:13 UTC");
        assert_eq!(minute(Timestamp::from_nanoseconds(0)), "1970-01-01 00:00 UTC");
    }
}
