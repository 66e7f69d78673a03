//! What the users of an account may do: what reading one stream by one durable consumer takes, publishing to it, or looking
//! on. Whoever may ask for messages is trusted with the stream all the same: nats-server checks no reply subject.
//!
//! The deployed nats-server's configuration and the documentation are compared with this.

use super::account::Account;
use super::subject::Root;

/// Where nats-server is asked who is connected to an account. Reading goes without: then it can't be seen which game servers
/// are connected.
pub const CONNECTIONS: &str = "$SYS.REQ.ACCOUNT.PING.CONNZ";

/// The subjects that a user is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permissions {
    /// To publish to.
    pub publish: Vec<String>,
    /// To subscribe to.
    pub subscribe: Vec<String>,
}

/// What reading `stream` by the consumer `durable` takes, with answers to inboxes that begin with `inboxes`. `*` for a
/// durable stands for any.
#[must_use]
pub fn to_read(stream: &str, durable: &str, inboxes: &str) -> Permissions {
    Permissions {
        publish: vec![
            format!("$JS.API.STREAM.INFO.{stream}"),
            format!("$JS.API.CONSUMER.CREATE.{stream}.{durable}"),
            format!("$JS.API.CONSUMER.RESET.{stream}.{durable}"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"),
            format!("$JS.API.CONSUMER.DELETE.{stream}.{durable}"),
            format!("$JS.ACK.{stream}.{durable}.>"),
            // The other form of acknowledgements' subjects, which a server may be told to use.
            format!("$JS.ACK.*.*.{stream}.{durable}.>"),
            CONNECTIONS.to_owned(),
        ],
        subscribe: vec![format!("{inboxes}.>")],
    }
}

/// What reading an account takes whose stream is named, or else found by its subjects; `read` is the stream that was read
/// so far.
#[must_use]
pub fn to_read_account(account: &Account, read: Option<&str>, durable: &str, inboxes: &str) -> Permissions {
    if let Some(stream) = &account.stream {
        return to_read(stream, durable, inboxes);
    }
    let mut permissions = to_read(read.unwrap_or("*"), durable, inboxes);
    permissions.publish.push("$JS.API.STREAM.NAMES".to_owned());
    permissions
}

/// What publishing a game server's events below `root` takes, or those of any server where `server` names none, with answers
/// to inboxes that begin with `inboxes`.
#[must_use]
pub fn to_publish(root: &Root, server: Option<&str>, inboxes: &str) -> Permissions {
    let subjects = server.map_or_else(|| root.all_subjects(), |server| format!("{root}.{server}.>"));
    Permissions { publish: vec![subjects], subscribe: vec![format!("{inboxes}.>")] }
}

/// What looking on at `stream` takes, by consumers that come and go and acknowledge nothing.
#[must_use]
pub fn to_look_on(stream: &str, inboxes: &str) -> Permissions {
    Permissions {
        publish: vec![
            "$JS.API.STREAM.NAMES".to_owned(),
            format!("$JS.API.STREAM.INFO.{stream}"),
            format!("$JS.API.CONSUMER.CREATE.{stream}.*"),
            format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.*"),
        ],
        subscribe: vec![format!("{inboxes}.>")],
    }
}

/// What has to be denied to whoever looks on, for [`to_look_on`] covers it: changing the filter of guildwire's own consumer,
/// and taking its deliveries.
#[must_use]
pub fn kept_from_onlookers(stream: &str, durable: &str) -> Vec<String> {
    ["CREATE", "MSG.NEXT"].map(|call| format!("$JS.API.CONSUMER.{call}.{stream}.{durable}")).into()
}

/// Whether a stream's name can stand in these subjects, in a configuration file and in a shell as it is.
#[must_use]
pub fn is_plain_stream(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

impl Permissions {
    /// An entry of `users` in nats-server's configuration, for the user with this public key.
    #[must_use]
    pub fn user_entry(&self, public_key: &str) -> String {
        let publish = self.publish.join("\"\n      \"");
        let subscribe = self.subscribe.join("\" \"");
        format!(
            "{{\n  nkey: {public_key}\n  permissions: {{\n    publish: {{ allow: [\n      \"{publish}\"\n    ] }}\n    \
             subscribe: {{ allow: [\"{subscribe}\"] }}\n  }}\n}}"
        )
    }

    /// The commands that make a JWT for the user with this public key in the account of this name, and print it.
    #[must_use]
    pub fn nsc_commands(&self, account: &str, user: &str, public_key: &str) -> String {
        let [publish, subscribe] = [&self.publish, &self.subscribe].map(|subjects| subjects.join(","));
        format!(
            "nsc add user --account {account} --name {user} --public-key {public_key} \\\n  --allow-pub '{publish}' \\\n  \
             --allow-sub '{subscribe}'\nnsc describe user --account {account} --name {user} --raw"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_copies_what_is_printed() {
        let permissions = to_read("EVENTS", "guildwire-x", "_INBOX_guildwire");
        assert_eq!(
            permissions.user_entry("UABC"),
            "{
  nkey: UABC
  permissions: {
    publish: { allow: [
      \"$JS.API.STREAM.INFO.EVENTS\"
      \"$JS.API.CONSUMER.CREATE.EVENTS.guildwire-x\"
      \"$JS.API.CONSUMER.RESET.EVENTS.guildwire-x\"
      \"$JS.API.CONSUMER.MSG.NEXT.EVENTS.guildwire-x\"
      \"$JS.API.CONSUMER.DELETE.EVENTS.guildwire-x\"
      \"$JS.ACK.EVENTS.guildwire-x.>\"
      \"$JS.ACK.*.*.EVENTS.guildwire-x.>\"
      \"$SYS.REQ.ACCOUNT.PING.CONNZ\"
    ] }
    subscribe: { allow: [\"_INBOX_guildwire.>\"] }
  }
}"
        );
        let commands = permissions.nsc_commands("GA-1", "guildwire", "UABC");
        assert!(
            commands.starts_with("nsc add user --account GA-1 --name guildwire --public-key UABC \\\n"),
            "{commands}"
        );
        assert!(commands.contains("--allow-sub '_INBOX_guildwire.>'\n"), "{commands}");
    }

    /// The lines of a text that are subjects in quotes and stand before this user's inboxes.
    fn allowed(text: &str) -> Vec<String> {
        let (before, _) = text.split_once("] }\n          subscribe: { allow: [\"_INBOX_guildwire.>\"] }").unwrap();
        let (_, list) = before.rsplit_once("publish: { allow: [\n").unwrap();
        list.lines().filter_map(|line| Some(line.trim().strip_prefix('"')?.strip_suffix('"')?.to_owned())).collect()
    }

    #[test]
    fn what_is_deployed_and_advised_is_what_reading_takes() {
        let publish = to_read("EVENTS", "*", "_INBOX_guildwire").publish;
        for (text, more) in [
            (include_str!("../../deploy/nats/nats-1.conf"), "$JS.API.INFO"),
            (include_str!("../../README.md"), "$JS.API.STREAM.NAMES"),
        ] {
            let mut wanted = publish.clone();
            wanted.push(more.to_owned());
            assert_eq!(allowed(text), wanted);
        }
        let key = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";
        let printed = to_read("EVENTS", "guildwire-abcdefgh", "_INBOX_guildwire").user_entry(key);
        let manual = include_str!("../../docs/accounts.md");
        assert!(manual.contains(&printed), "docs/accounts.md does not show:\n{printed}");
    }

    #[test]
    fn a_game_server_gets_its_own_subjects() {
        let root = Root::default();
        assert_eq!(to_publish(&root, Some("main"), "_INBOX").publish, ["v0.*.servers.main.>"]);
        assert_eq!(to_publish(&root, None, "_INBOX").publish, ["v0.*.servers.>"]);
    }

    #[test]
    fn a_streams_name_stays_a_name_wherever_it_stands() {
        assert!(is_plain_stream("EVENTS") && is_plain_stream("my-events_2"));
        for name in ["", "a.b", "*", ">", "a b", "a\"b", "a'b", "$x", "a`b", "ä", &"a".repeat(65)] {
            assert!(!is_plain_stream(name), "{name:?}");
        }
    }
}
