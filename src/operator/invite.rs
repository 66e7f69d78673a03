//! `guildwire account invite`: a code that is shown here once, and of which only the hash is kept.

use anyhow::Context as _;
use rand::TryRng as _;
use rand::rngs::SysRng;

use super::known_account;
use crate::cli::InviteToAccount;
use crate::clock;
use crate::domain::audit::By;
use crate::domain::invite::{CODE_LENGTH, InviteCode};
use crate::store::Store;

/// Makes an invite. The code stands alone on the last line, where a script finds it.
pub(super) async fn invite(store: &Store, invite: &InviteToAccount) -> anyhow::Result<String> {
    let account = known_account(store, &invite.name).await?.name;
    let mut bytes = [0; CODE_LENGTH];
    SysRng.try_fill_bytes(&mut bytes).context("the operating system gives no random bytes")?;
    let code = InviteCode::from_random(bytes);
    let now = clock::now();
    let expires = now.plus(invite.expires);
    if !store.add_invite(&account, &code.hash(), expires, &By::operator(now)).await? {
        anyhow::bail!(
            "the account {account} is not verified yet, and has no codes before that: its owner has to let guildwire in and \
             press Verify in Discord"
        );
    }
    Ok(format!(
        "This code links one Discord server to the account {account}, and can be used once, until {}.\n\
         Whoever uses it can show the account's events: give it to the admin of the Discord server and to nobody \
         else. The admin types there: /account link\n\
         {}\n",
        expires.minute(),
        code.as_str()
    ))
}
