//! `guildwire nkey`: makes the key of a NATS user, so that setting up needs no other tool.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use nkeys::KeyPair;
use secrecy::zeroize::Zeroizing;

/// Makes a user nkey (<https://docs.nats.io/running-a-nats-service/configuration/securing_nats/auth_intro/nkey_auth>),
/// writes its seed to `file`, and gives back what is to be printed, the public key alone on the last line.
///
/// Fails when the file can't be made, and when there is one: a seed that is overwritten is lost.
pub fn nkey(file: &Path) -> anyhow::Result<String> {
    let pair = KeyPair::new_user();
    let seed = Zeroizing::new(pair.seed().context("making an nkey")?);
    write_secret(file, "the seed", &seed)?;
    Ok(format!(
        "{} holds the seed, for its owner alone: who has it is the user. nats-server's configuration gets the public \
         key:\n{}\n",
        file.display(),
        pair.public_key()
    ))
}

/// Writes what is secret to a new file, for its owner alone. `what` is what it is, in words.
pub(super) fn write_secret(file: &Path, what: &str, text: &str) -> anyhow::Result<()> {
    write_new(file, text).with_context(|| match file.try_exists() {
        Ok(true) => format!("{} is left as it was: name a file that is not there yet", file.display()),
        _ => format!("can't write {what} to {}", file.display()),
    })
}

/// Has the text and a line end on the disk, in a new file, or leaves none.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = write_whole(&mut file, text);
    if written.is_err() {
        // Half a seed is of no use. Where it can't be removed either, that it was not written is what matters.
        remove_file(path).ok();
    }
    written
}

fn write_whole(file: &mut File, text: &str) -> io::Result<()> {
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::nats::credential::Credential;

    #[test]
    fn the_seed_in_the_file_belongs_to_the_public_key_on_the_last_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bot.seed");
        let told = nkey(&file).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        let seed = text.strip_suffix('\n').unwrap();
        assert_eq!(KeyPair::from_seed(seed).unwrap().public_key(), told.lines().last().unwrap());
        assert!(Credential::nkey(&text).is_ok() && !told.contains(seed), "{told}");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn no_file_is_overwritten_and_none_is_left_half_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bot.seed");
        nkey(&file).unwrap();
        let before = std::fs::read(&file).unwrap();
        let refused = format!("{:#}", nkey(&file).unwrap_err());
        assert!(refused.contains("is left as it was") && refused.contains("File exists"), "{refused}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
        let nowhere = folder.path().join("none/bot.seed");
        assert!(nkey(&nowhere).unwrap_err().to_string().starts_with("can't write the seed to "));
        // Takes no bytes, and is there already.
        assert!(nkey(Path::new("/dev/full")).unwrap_err().to_string().contains("left as it was"));
    }
}
