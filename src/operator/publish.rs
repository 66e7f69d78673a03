//! `guildwire publish`: sends one event, as a game server would, and says what guildwire makes of it.

use std::fs;
use std::io::{self, Read as _};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::reading::Reading;
use crate::cli::{Field, Payload, Publish};
use crate::clock;
use crate::domain::account::Account;
use crate::domain::fault::Fault;
use crate::domain::subject::{Naming, Root, Subject, checked_subject};
use crate::nats::connection::{Connection, USUAL_INBOXES};
use crate::nats::publishing::Stored;
use crate::nats::reach::Reach;
use crate::settings::Settings;
use crate::setup::credential_files::{is_on_stdin, read_credential};

/// The most that is read of a payload: nats-server takes less, unless it was told otherwise, and never more.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Publishes the event and waits for the stream's answer, unless it was only to be looked at.
pub async fn publish(settings: &Settings, publish: Publish) -> anyhow::Result<String> {
    let subject = subject(&publish)?;
    let source = publish.credential().filter(|_| !publish.dry_run);
    if publish.payload == Some(Payload::Stdin) && source.as_ref().is_some_and(is_on_stdin) {
        bail!("payload and credential can't both come from standard input: put one of them into a file");
    }
    let payload = payload(&publish)?;
    let url = publish.url.clone().unwrap_or_else(|| settings.nats.url.clone());
    let account = publishers_account(&url, publish.root.clone());
    let reading = Reading::of(&account, &subject, &payload, clock::now(), 0);
    if publish.dry_run {
        return Ok(format!("{reading}Nothing was sent.\n"));
    }
    let credential = read_credential(source.context("a credential is needed to publish")?).await?;
    let id = publish.id.clone().unwrap_or_else(|| format!("{:032x}", rand::random::<u128>()));
    let sent = async {
        let connection = Connection::connect(&url, &Reach::Anywhere, &credential, USUAL_INBOXES, clock::now()).await?;
        connection.publish(&subject, payload, &id, &expected(&publish.root, &subject)).await
    };
    let stored = sent.await.map_err(|fault| not_stored(&fault, &subject, &id))?;
    let already = if stored.is_repeated { " already, by an earlier attempt with this id" } else { "" };
    let Stored { stream, sequence, .. } = stored;
    Ok(format!("{reading}stored    in stream {stream}, as message {sequence}{already}\nid        {id}\n"))
}

/// An account as its publisher knows it.
fn publishers_account(url: &str, root: Root) -> Account {
    let name = "publisher".parse().expect("a plain name");
    // Whether it is read with a wide filter the publisher can't know.
    Account {
        name,
        url: url.to_owned(),
        stream: None,
        root,
        wide_filter: false,
        owner: None,
        connected_in: None,
        is_declared: false,
        revision: 0,
    }
}

fn subject(publish: &Publish) -> anyhow::Result<String> {
    if let Some(subject) = &publish.subject {
        return Ok(checked_subject(subject)?);
    }
    let (Some(kind), Some(server)) = (publish.kind, publish.server.as_deref()) else {
        bail!("an event has a kind and a server, or a whole subject");
    };
    let (player, item) = (publish.player.as_deref(), publish.item.as_deref());
    Ok(publish.root.subject_of(Naming { kind, game: &publish.game, server, player, item })?)
}

fn payload(publish: &Publish) -> anyhow::Result<Vec<u8>> {
    match &publish.payload {
        None => Ok(object(&publish.fields)?.to_string().into_bytes()),
        Some(Payload::Text(text)) => Ok(text.clone().into_bytes()),
        Some(Payload::File(file)) => {
            let opened = fs::File::open(file);
            opened.and_then(read).with_context(|| format!("can't read the payload from {}", file.display()))
        }
        Some(Payload::Stdin) => read(io::stdin().lock()).context("can't read the payload from standard input"),
    }
}

fn read(from: impl io::Read) -> io::Result<Vec<u8>> {
    let mut payload = Vec::new();
    // One more than is allowed: nats-server then says that it is too much, and how much it takes.
    from.take(LARGEST + 1).read_to_end(&mut payload)?;
    Ok(payload)
}

/// The object of these fields.
fn object(fields: &[Field]) -> anyhow::Result<Value> {
    let mut object = Map::new();
    for Field { path, value } in fields {
        let (last, holders) = path.split_last().context("a field has a name")?;
        let holder = holders.iter().try_fold(&mut object, |object, name| {
            object.entry(name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
        });
        let taken = holder.is_none_or(|holder| holder.insert(last.clone(), value.clone()).is_some());
        if taken {
            bail!("the field {} is given twice, or as both a value and an object", path.join("."));
        }
    }
    Ok(Value::Object(object))
}

/// What a stream should cover, for the event to be stored.
fn expected(root: &Root, subject: &str) -> String {
    let is_below = Subject::parse(root, subject).is_ok();
    if is_below { root.all_subjects() } else { subject.to_owned() }
}

fn not_stored(fault: &Fault, subject: &str, id: &str) -> anyhow::Error {
    match fault {
        // Whether it was stored nobody knows: the answer is what did not come.
        Fault::TimedOut(_) | Fault::DeniedSubscription(_) | Fault::Lost | Fault::BadAnswer { .. } => {
            anyhow::anyhow!(
                "{fault}\nWhether {subject} was stored is not known: try again soon with `--id {id}`, and it is stored once."
            )
        }
        _ => anyhow::anyhow!("{fault}\nNothing was stored of {subject}."),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(path: &str, value: Value) -> Field {
        Field { path: path.split('.').map(str::to_owned).collect(), value }
    }

    #[test]
    fn fields_make_an_object() {
        let fields = [field("a.b", json!("x")), field("a.c.d", json!(-3)), field("e", json!(null))];
        assert_eq!(object(&fields).unwrap(), json!({ "a": { "b": "x", "c": { "d": -3 } }, "e": null }));
        assert_eq!(object(&[]).unwrap(), json!({}));
        for twice in [["a", "a"], ["a.b", "a"], ["a", "a.b"]] {
            assert!(object(&twice.map(|path| field(path, json!(1)))).is_err(), "{twice:?}");
        }
    }
}
