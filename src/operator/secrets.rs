//! `guildwire secrets rotate`: another key, and everything sealed with it.
//!
//! The key is kept, the next one is made beside the key file, everything is sealed anew in one transaction, and then the
//! next key takes the file's place. Whoever is cut off before the transaction's commit still has the old key; whoever is cut off behind it is
//! helped by the next [`load_key`], which finds that only the next one fits.

use anyhow::Context as _;
use secrecy::ExposeSecret;

use super::{counted, open_store};
use crate::cli::SecretsCommand;
use crate::clock;
use crate::domain::audit::By;
use crate::intake::load_key;
use crate::secrets::SecretKey;
use crate::secrets::lock::KeyLock;
use crate::settings::Settings;
use crate::store::StoreError;
use crate::store::lock::RunnerLock;
use crate::store::sealed::ResealError;

/// Carries the command out and gives back what it has to say.
pub async fn secrets(command: SecretsCommand, settings: &Settings) -> anyhow::Result<String> {
    let SecretsCommand::Rotate = command;
    let store = open_store(settings).await?;
    // Held until the end: whoever runs meanwhile would go on with the old key.
    let _lock = match RunnerLock::take(&store).await {
        Ok(lock) => lock,
        Err(StoreError::AlreadyRunning) => anyhow::bail!(
            "guildwire runs with this key: stop it, rotate the key, and start it again (events wait in the streams \
             meanwhile)"
        ),
        Err(error) => return Err(error.into()),
    };
    let file = &settings.secrets.key_file;
    let key = load_key(&store, file).await?;
    // Whoever still seals with the key before is waited for, and whoever comes now waits.
    let _alone = KeyLock::alone(file).await?;
    SecretKey::keep_old(file)?;
    let next = SecretKey::make_next(file)?;
    let resealed = store
        .reseal(&By::operator(clock::now()), |secret| {
            let plain = key.open(&secret.context, &secret.sealed).map_err(|error| error.to_string())?;
            Ok(next.seal(&secret.context, plain.expose_secret()))
        })
        .await;
    let number = match resealed {
        Ok(number) => number,
        Err(error @ ResealError::Closed { .. }) => {
            return Err(error).context(
                "nothing was changed: give that account another credential (`guildwire account edit`) or remove it, and \
                 rotate the key then",
            );
        }
        Err(ResealError::Store(error)) => return Err(error.into()),
    };
    SecretKey::take_next(file)?;
    let number = counted(i64::try_from(number).unwrap_or(i64::MAX), "secret", "secrets");
    let (file, old) = (file.display(), SecretKey::old_file(file));
    Ok(format!(
        "The key in {file} is new, and {number} in the database {} encrypted with it.\n\
         The key before it is in {}: copies of the database that were made until now need it. Keep it apart from them, and \
         delete it when you have none of those any more.\n\
         If somebody may have had the old key and the database, give the accounts other credentials, too.\n",
        if number.starts_with("1 ") { "is" } else { "are" },
        old.display()
    ))
}
