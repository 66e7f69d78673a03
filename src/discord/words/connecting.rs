//! What is said while somebody connects an account of theirs, or gives it a new key: to its owner, who can change what
//! is missing.

use super::account_fault;
use crate::domain::fault::Fault;
use crate::domain::text::{clean, cut};

/// How much of what nats-server or its owner named is shown, in UTF-16 units.
const NAME_LIMIT: usize = 200;

/// The button that has everything tried.
pub const VERIFY: &str = "Verify";

/// The button that asks for a JWT, the title of what it opens, and what is typed there.
pub const PASTE_JWT: &str = "Paste the JWT";
/// See [`PASTE_JWT`].
pub const JWT_TITLE: &str = "The user's JWT";
/// See [`PASTE_JWT`].
pub const JWT_LABEL: &str = "What the last command printed: eyJ…";

/// The operator lets nobody connect accounts.
pub const CONNECT_OFF: &str = "Whoever operates me lets nobody connect accounts here. Ask them for a one-time code, and \
                               use it with `/account link`.";

/// A name that is none.
pub const BAD_ACCOUNT_NAME: &str = "An account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -.";

/// A stream's name that is none.
pub const BAD_STREAM_NAME: &str = "A stream's name has 1 to 64 of the characters A-Z a-z 0-9 _ and -. `nats stream ls` \
                                   shows yours.";

/// A root that is none; `why` is what is wrong with it.
#[must_use]
pub fn bad_root(why: &str) -> String {
    format!("That can't be what your events' subjects begin with: {why}.")
}

/// A URL that is none; `why` is what is wrong with it.
#[must_use]
pub fn bad_server_url(why: &str) -> String {
    format!("I can't connect to that: {why}.")
}

/// The host can't be connected to, for a reason in whole sentences.
#[must_use]
pub fn not_connected(why: &str) -> String {
    format!("Nothing was stored. {why}")
}

/// There is an account of that name.
#[must_use]
pub fn account_name_taken(account: &str) -> String {
    format!("I know another account by the name **{account}** already. Choose another name; it is for Discord alone.")
}

/// Somebody owns as many accounts as they may.
#[must_use]
pub fn too_many_owned(most: usize) -> String {
    format!(
        "You own {most} accounts already, and may own no more. Whoever operates me can remove those that are not needed."
    )
}

/// Somebody has connected too many accounts and let guildwire in to none of them.
#[must_use]
pub fn too_many_unverified_of_person(most: usize) -> String {
    format!("You have connected {most} accounts that I was not let in to yet. Verify one of them first, or wait a day.")
}

/// The same in one guild.
#[must_use]
pub fn too_many_unverified_in_guild(most: usize) -> String {
    format!(
        "In this Discord server {most} accounts were connected that I was not let in to yet. Verify one of them first, or \
         wait a day."
    )
}

/// The account is noted, and its owner has to let guildwire in.
#[must_use]
pub fn connect_begun(account: &str) -> String {
    format!(
        "🔑 I made a key for **{account}**; its secret half never leaves me. Let its public half in, in one of the two ways \
         below, and press **{VERIFY}**. If nobody does that within 24 hours, I forget the account."
    )
}

/// A new key is there, beside the old one.
#[must_use]
pub fn rotation_begun(account: &str) -> String {
    format!(
        "🔑 I made a new key for **{account}**. Let its public half in **beside** the old one, in one of the two ways \
         below, and press **{VERIFY}**. I go on with the old key until then."
    )
}

/// How to let a user in by nats-server's configuration; `entry` is what goes there.
#[must_use]
pub fn let_in_by_configuration(entry: &str) -> String {
    format!(
        "**A. Accounts in nats-server's configuration** · add this to `users: [ … ]` of your account, and reload it with \
         `nats-server --signal reload`:\n```\n{entry}\n```"
    )
}

/// How to let a user in by a JWT; `commands` make it.
#[must_use]
pub fn let_in_by_jwt(commands: &str) -> String {
    format!(
        "**B. Accounts as JWTs** · run this with your account's name there, and press **{PASTE_JWT}** with what the last \
         command prints. A JWT is no secret: without my key nobody can use it.\n```sh\n{commands}\n```"
    )
}

/// Something is missing; `what` is whole sentences.
#[must_use]
pub fn verify_failed(what: &str) -> String {
    format!("🔴 Not yet. {what} Then press **{VERIFY}** again.")
}

/// Nothing is missing but an event.
#[must_use]
pub fn verify_waiting(account: &str, stream: &str, subjects: &str) -> String {
    format!(
        "🕓 I may read **{account}**: nothing is missing. Stream {} has no event below {} yet, so I am **waiting for a first \
         event**. I look for 15 minutes and say so here when one has come through; after that, press **{VERIFY}** again.",
        code(stream),
        code(subjects)
    )
}

/// It can be read, and the guild is linked.
#[must_use]
pub fn verified(account: &str) -> String {
    format!(
        "✅ An event of **{account}** has come through, and this Discord server is linked to it. Next: `/notify add` to \
         choose which of its events go to which channel."
    )
}

/// The new key works, and has taken the other's place.
#[must_use]
pub fn rotated(account: &str, old_key: Option<&str>) -> String {
    let old = old_key.map_or_else(|| "The old one".to_owned(), |key| format!("The old one, `{key}`,"));
    format!("✅ I read **{account}** with its new key from now on. {old} may be removed from nats-server.")
}

/// It was verified before.
#[must_use]
pub fn verified_already(account: &str) -> String {
    format!("✅ **{account}** is verified, and nothing waits for that. `/account list` shows how it is doing.")
}

/// The account waits in another guild, or has gone.
#[must_use]
pub fn not_connected_here(account: &str) -> String {
    format!(
        "Your account **{account}** does not wait in this Discord server: go on where you connected it. One that I am not \
         let in to within 24 hours is forgotten, and `/account connect` begins anew."
    )
}

/// Nobody carried the check out.
pub const CHECK_UNANSWERED: &str = "I did not come to trying it. Please press **Verify** again in a minute.";

/// A JWT was taken.
#[must_use]
pub fn jwt_taken(account: &str) -> String {
    format!("🔑 The JWT for **{account}** fits my key. Press **{VERIFY}**.")
}

/// No JWT at all.
pub const JWT_IS_NONE: &str = "That is no JWT of a NATS user: one is a single long word that begins with eyJ and has two \
                               dots. `nsc describe user … --raw` prints it.";

/// A JWT for another key.
#[must_use]
pub fn jwt_of_other(theirs: &str, ours: &str) -> String {
    format!("That JWT is for the user {}, and my key is `{ours}`. Make one with `--public-key {ours}`.", code(theirs))
}

/// A JWT that is over.
pub const JWT_EXPIRED: &str = "That JWT has expired already. Make one that is good for longer.";

/// A JWT that whoever sees it may use.
pub const JWT_OF_BEARER: &str = "⚠️ That JWT is a **bearer token**: whoever sees it can use it without a key, and you have \
                                 just sent it through Discord. I did not keep it; revoke that user, and make one without \
                                 `--bearer`.";

/// A seed, which is nobody else's business.
pub const JWT_WITH_SEED: &str = "⚠️ That holds a **seed**, which is a secret, and you have just sent it through Discord. I \
                                 did not keep it; revoke that user. I need nothing but the JWT for my own key.";

/// What the owner has to do about the first thing that is missing: whole sentences.
#[must_use]
pub fn missing(fault: &Fault, public_key: &str) -> String {
    match fault {
        Fault::Unreachable { .. } => "Nothing answers as nats-server at that address: see that it runs, and that its \
                                      port can be reached from the internet."
            .to_owned(),
        Fault::Expired { .. } => format!(
            "nats-server does not let me in: the JWT for my public key `{public_key}` has expired. Make one that is good for \
             longer, and hand it in with **{PASTE_JWT}**."
        ),
        Fault::Revoked { .. } => format!(
            "nats-server does not let me in: the user with my public key `{public_key}` was revoked there. Take that back, or \
             begin anew with another key."
        ),
        Fault::Refused { .. } => format!(
            "nats-server does not let me in: it knows no user with my public key `{public_key}`. Add it as told below, \
             and reload nats-server."
        ),
        Fault::NoJetStream => {
            "The account that my user is in has no JetStream: enable it there, or move my user to the \
                               account that has the stream."
                .to_owned()
        }
        Fault::StreamMissing(stream) => format!(
            "The account that my user is in has no stream {}: make it there, or move my user to the account that has it.",
            code(stream)
        ),
        Fault::Denied(subject) => format!(
            "My user may not publish to {}: allow that subject in its permissions, and reload nats-server.",
            code(subject)
        ),
        Fault::DeniedSubscription(subject) => format!(
            "My user may not subscribe to {}: allow that subject in its permissions, and reload nats-server.",
            code(subject)
        ),
        Fault::TimedOut(subject) => {
            format!("nats-server does not answer {}: my user may lack the permission to publish there.", code(subject))
        }
        Fault::ConsumerTaken { stream } => format!(
            "I read stream {} already, as an account of another name. Ask that one's owner for a one-time code, and use it \
             with `/account link`.",
            code(stream)
        ),
        Fault::HostNotAllowed { host } => format!(
            "Whoever operates me does not allow the host {}. Ask them for it, or for a one-time code.",
            code(host)
        ),
        Fault::NotPublic { host, .. } => format!(
            "The address of {} is not a public one, and I connect to no other unless whoever operates me allows that \
             host by its name.",
            code(host)
        ),
        Fault::NeedsTls { .. } => "That nats-server asks for TLS: its address has to begin with `tls://` and name the \
                                   host that its certificate is for. Connect it anew, under another name."
            .to_owned(),
        other => account_fault(other),
    }
}

/// Strangers' text in a box of its own, which it can't leave.
fn code(text: &str) -> String {
    format!("`{}`", cut(&clean(text).replace('`', "'"), NAME_LIMIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_named_stays_in_its_box() {
        let told = missing(&Fault::Denied("$JS.`x` **@everyone**".to_owned()), "U");
        assert!(told.starts_with("My user may not publish to `$JS.'x' **@everyone**`: "), "{told}");
        let told = missing(&Fault::StreamMissing("`".repeat(500)), "U");
        assert!(told.matches('`').count() == 2 && told.len() < 500, "{told}");
    }

    #[test]
    fn an_owner_is_shown_no_address_that_a_name_leads_to() {
        let fault = Fault::NotPublic { host: "x.example.org".to_owned(), address: "10.0.0.7".to_owned() };
        assert!(!missing(&fault, "U").contains("10.0.0.7"));
    }
}
