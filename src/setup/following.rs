//! A credential file that is looked at again and again: when what is in it counts.
//!
//! Files are replaced in many ways, some of which show half a file or none for a moment. So what is new counts once it
//! reads the same twice, and while nothing can be read the credential stays what it was.

use secrecy::ExposeSecret;

use crate::nats::credential::Credential;

/// What was read so far.
#[derive(Debug, Default)]
pub(super) struct Following {
    /// What is in force.
    in_force: Option<Credential>,
    /// What was read last, where that is something else.
    candidate: Option<Credential>,
    is_unreadable: bool,
}

/// What a look brought.
#[derive(Debug)]
pub(super) enum Look {
    /// Nothing to do.
    Nothing,
    /// This is new, and counts.
    New(Credential),
    /// It can't be read any more, for this reason.
    Lost(anyhow::Error),
}

impl Following {
    /// Begins with what is in force, if that is known.
    pub(super) fn new(in_force: Option<Credential>) -> Self {
        Self { in_force, ..Self::default() }
    }

    /// Takes a look.
    pub(super) fn look(&mut self, read: anyhow::Result<Credential>) -> Look {
        let credential = match read {
            Ok(credential) => credential,
            Err(_) if self.is_unreadable => return Look::Nothing,
            Err(error) => {
                self.is_unreadable = true;
                self.candidate = None;
                return Look::Lost(error);
            }
        };
        self.is_unreadable = false;
        if self.in_force.as_ref().is_some_and(|known| is_same(known, &credential)) {
            self.candidate = None;
            return Look::Nothing;
        }
        match self.candidate.replace(credential) {
            Some(before) if self.candidate.as_ref().is_some_and(|now| is_same(&before, now)) => Look::New(before),
            _ => Look::Nothing,
        }
    }

    /// Notes what is in force from now on.
    pub(super) fn took(&mut self, credential: Credential) {
        *self = Self::new(Some(credential));
    }
}

/// Whether nats-server would see no difference.
pub(super) fn is_same(one: &Credential, other: &Credential) -> bool {
    one.kind() == other.kind() && one.to_secret().expose_secret() == other.to_secret().expose_secret()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Credential {
        Credential::User { name: "bot".into(), password: Some(text.into()) }
    }

    fn is_new(look: &Look, text: &str) -> bool {
        matches!(look, Look::New(credential) if is_same(credential, &password(text)))
    }

    #[test]
    fn what_is_new_counts_once_it_reads_the_same_twice() {
        let mut following = Following::new(Some(password("old")));
        assert!(matches!(following.look(Ok(password("old"))), Look::Nothing));
        for half in ["n", "ne"] {
            assert!(matches!(following.look(Ok(password(half))), Look::Nothing), "{half} is still being written");
        }
        assert!(matches!(following.look(Ok(password("new"))), Look::Nothing));
        assert!(is_new(&following.look(Ok(password("new"))), "new"));
        assert!(is_new(&following.look(Ok(password("new"))), "new"), "until it was taken");
        following.took(password("new"));
        assert!(matches!(following.look(Ok(password("new"))), Look::Nothing));
    }

    #[test]
    fn a_file_that_is_put_back_changes_nothing() {
        let mut following = Following::new(Some(password("old")));
        for text in ["new", "old", "new", "old"] {
            assert!(matches!(following.look(Ok(password(text))), Look::Nothing));
        }
    }

    #[test]
    fn a_file_that_is_missing_is_told_once_for_as_long_as_it_is() {
        let mut following = Following::new(Some(password("old")));
        let gone = || Err(anyhow::anyhow!("no such file"));
        for _ in 0..2 {
            assert!(matches!(following.look(gone()), Look::Lost(_)));
            assert!(matches!(following.look(gone()), Look::Nothing));
            assert!(matches!(following.look(Ok(password("old"))), Look::Nothing));
        }
        assert!(matches!(following.look(Ok(password("new"))), Look::Nothing));
        assert!(matches!(following.look(gone()), Look::Lost(_)));
        assert!(matches!(following.look(Ok(password("new"))), Look::Nothing), "a gap begins anew");
        assert!(is_new(&following.look(Ok(password("new"))), "new"));
    }

    #[test]
    fn another_user_with_the_same_password_is_another_credential() {
        let other = Credential::User { name: "other".into(), password: Some("old".into()) };
        assert!(!is_same(&password("old"), &other));
        assert!(!is_same(&Credential::Nkey("a".into()), &Credential::Creds("a".into())));
    }
}
