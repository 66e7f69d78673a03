//! The configuration files of test servers: accounts, users and what each may do.

use std::fmt::Write as _;
use std::path::Path;

/// What a nats-server is configured with, apart from its port and its folder.
#[derive(Clone, Debug, Default)]
pub struct NatsConfig {
    accounts: String,
    raw: String,
    is_synced_late: bool,
    whole_file: Option<String>,
}

impl NatsConfig {
    /// The one user of account GA-1 in the blog post: a public key for a name, and no password.
    pub const BLOG_POST_USER: &str = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

    /// A server without accounts: everybody is let in, to one account that has JetStream.
    #[must_use]
    pub fn open() -> NatsConfig {
        NatsConfig::default()
    }

    /// The accounts of the GamingAPI blog post: GA-1, with its limits and its one user.
    ///
    /// The limits are reservations: a server refuses to start when its own are smaller.
    #[must_use]
    pub fn blog_post() -> NatsConfig {
        NatsConfig::open().account_with_jetstream(
            "GA-1",
            "{ max_mem: 512M, max_file: 1G, max_streams: 10, max_consumers: 100 }",
            &[NatsUser::without_password(NatsConfig::BLOG_POST_USER)],
        )
    }

    /// A whole file, as it is deployed. Only the lines for the server's name, its addresses and its store are replaced;
    /// the monitoring address gets a port of the system's choice, which the server's log tells. Lines from
    /// [`NatsConfig::raw`] come before it, such as values for its variables.
    ///
    /// # Panics
    ///
    /// When one of these lines is missing: a server must not write to the deployed one's store.
    #[must_use]
    pub fn file(text: &str) -> NatsConfig {
        for key in OWN_LINES {
            let lines = text.lines().filter(|line| key_of(line) == Some(key)).count();
            assert_eq!(lines, 1, "a deployed file has one line for {key}");
        }
        NatsConfig { whole_file: Some(text.to_owned()), ..NatsConfig::default() }
    }

    /// Adds an account with JetStream and no limits of its own.
    #[must_use]
    pub fn account(self, name: &str, users: &[NatsUser]) -> NatsConfig {
        self.account_with_jetstream(name, "enabled", users)
    }

    /// Adds an account whose `jetstream:` is the given text, such as `{ max_consumers: 1 }` or
    /// `disabled`.
    #[must_use]
    pub fn account_with_jetstream(mut self, name: &str, jetstream: &str, users: &[NatsUser]) -> NatsConfig {
        let users: String = users.iter().map(NatsUser::text).collect();
        let name = quoted(name);
        write!(self.accounts, "  {name}: {{\n    jetstream: {jetstream}\n    users: [\n{users}    ]\n  }}\n")
            .expect("a string takes all text");
        self
    }

    /// Adds lines to the top level of the file as they are. Without any account from above, these
    /// may hold an `accounts` block of their own.
    #[must_use]
    pub fn raw(mut self, lines: &str) -> NatsConfig {
        self.raw.push_str(lines);
        self.raw.push('\n');
        self
    }

    /// Syncs to the disk now and then, as nats-server does by default: publishing is fast, and a crash loses events.
    #[must_use]
    pub fn synced_late(mut self) -> NatsConfig {
        self.is_synced_late = true;
        self
    }

    /// The whole file, for a server of this name and port.
    pub(crate) fn text(&self, name: &str, port: u16, store: &Path) -> String {
        let NatsConfig { accounts, raw, is_synced_late, whole_file } = self;
        if let Some(file) = whole_file {
            return format!("{raw}{}", moved(file, name, port, store));
        }
        let sync_interval = if *is_synced_late { "2m" } else { "always" };
        let name = quoted(name);
        let store = quoted(&store.display().to_string());
        let accounts = if accounts.is_empty() { String::new() } else { format!("accounts {{\n{accounts}}}\n") };
        // `sync_interval: always`: a message that was acknowledged survives SIGKILL and power loss
        // alike, so that what a test finds missing was lost by the bot.
        format!(
            "server_name: {name}\n\
             listen: \"127.0.0.1:{port}\"\n\
             jetstream {{\n  \
               store_dir: {store}\n  \
               sync_interval: {sync_interval}\n  \
               max_memory_store: 64G\n  \
               max_file_store: 1T\n\
             }}\n\
             {accounts}{raw}"
        )
    }
}

/// The lines of a deployed file that a test's server has values of its own for.
const OWN_LINES: [&str; 4] = ["server_name", "listen", "http", "store_dir"];

fn key_of(line: &str) -> Option<&str> {
    line.trim_start().split_once(':').map(|(key, _)| key)
}

/// A deployed file, for a server of this name, port and store.
fn moved(file: &str, name: &str, port: u16, store: &Path) -> String {
    let own_line = |line: &str| match key_of(line) {
        Some("server_name") => format!("server_name: {}\n", quoted(name)),
        Some("listen") => format!("listen: \"127.0.0.1:{port}\"\n"),
        Some("http") => "http: \"127.0.0.1:-1\"\n".to_owned(),
        Some("store_dir") => format!("store_dir: {}\n", quoted(&store.display().to_string())),
        _ => format!("{line}\n"),
    };
    file.lines().map(own_line).collect()
}

/// One user of an account.
#[derive(Clone, Debug)]
pub struct NatsUser {
    identity: String,
    publish: Permission,
    subscribe: Permission,
}

/// Subjects in the words of the configuration file.
#[derive(Clone, Debug, Default)]
struct Permission {
    allow: Option<Vec<String>>,
    deny: Option<Vec<String>>,
}

impl NatsUser {
    /// A user known by name alone.
    #[must_use]
    pub fn without_password(name: &str) -> NatsUser {
        NatsUser::known_by(format!("user: {}", quoted(name)))
    }

    /// A user with a password.
    #[must_use]
    pub fn password(name: &str, password: &str) -> NatsUser {
        NatsUser::known_by(format!("user: {}, password: {}", quoted(name), quoted(password)))
    }

    /// A user who signs with the seed that belongs to this public key (`U…`).
    #[must_use]
    pub fn nkey(public_key: &str) -> NatsUser {
        NatsUser::known_by(format!("nkey: {}", quoted(public_key)))
    }

    fn known_by(identity: String) -> NatsUser {
        NatsUser { identity, publish: Permission::default(), subscribe: Permission::default() }
    }

    /// May publish to these subjects only.
    #[must_use]
    pub fn publish_allow(mut self, subjects: &[&str]) -> NatsUser {
        self.publish.allow = Some(owned(subjects));
        self
    }

    /// May not publish to these subjects.
    #[must_use]
    pub fn publish_deny(mut self, subjects: &[&str]) -> NatsUser {
        self.publish.deny = Some(owned(subjects));
        self
    }

    /// May subscribe to these subjects only. Answers come on `_INBOX.>`.
    #[must_use]
    pub fn subscribe_allow(mut self, subjects: &[&str]) -> NatsUser {
        self.subscribe.allow = Some(owned(subjects));
        self
    }

    /// May not subscribe to these subjects.
    #[must_use]
    pub fn subscribe_deny(mut self, subjects: &[&str]) -> NatsUser {
        self.subscribe.deny = Some(owned(subjects));
        self
    }

    fn text(&self) -> String {
        let NatsUser { identity, publish, subscribe } = self;
        let mut permissions = String::new();
        for (word, permission) in [("publish", publish), ("subscribe", subscribe)] {
            if permission.allow.is_some() || permission.deny.is_some() {
                // On one line, entries need the comma.
                write!(permissions, "{word}: {{ {} }}, ", permission.text()).expect("a string takes all text");
            }
        }
        if permissions.is_empty() {
            format!("      {{ {identity} }}\n")
        } else {
            format!("      {{ {identity}, permissions: {{ {permissions}}} }}\n")
        }
    }
}

impl Permission {
    fn text(&self) -> String {
        [("allow", &self.allow), ("deny", &self.deny)]
            .into_iter()
            .filter_map(|(word, subjects)| {
                let subjects: Vec<String> = subjects.as_ref()?.iter().map(|subject| quoted(subject)).collect();
                Some(format!("{word}: [{}]", subjects.join(", ")))
            })
            .collect::<Vec<String>>()
            .join(", ")
    }
}

fn owned(subjects: &[&str]) -> Vec<String> {
    subjects.iter().copied().map(str::to_owned).collect()
}

/// Quotes a word: bare, the server would read `1G` as a number and `$x` as a variable.
fn quoted(word: &str) -> String {
    format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployed_file_keeps_all_but_its_place() {
        let file = "server_name: \"nats-1\"\nlisten: \"0.0.0.0:4222\"\nhttp: \"127.0.0.1:8222\"\n\
                    jetstream {\n  store_dir: \"/data\"\n  sync_interval: always\n}\n";
        assert_eq!(
            NatsConfig::file(file).raw("KEY: \"U\"").text("test", 4000, Path::new("/tmp/store")),
            "KEY: \"U\"\nserver_name: \"test\"\nlisten: \"127.0.0.1:4000\"\nhttp: \"127.0.0.1:-1\"\n\
             jetstream {\nstore_dir: \"/tmp/store\"\n  sync_interval: always\n}\n"
        );
    }

    #[test]
    fn a_user_with_permissions_reads_as_in_the_manual() {
        let user = NatsUser::password("bot", "secret")
            .publish_allow(&["$JS.API.>", "$JS.ACK.>"])
            .publish_deny(&["$JS.API.STREAM.DELETE.*"])
            .subscribe_allow(&["_INBOX.>"]);
        assert_eq!(
            user.text().trim(),
            r#"{ user: "bot", password: "secret", permissions: { publish: { allow: ["$JS.API.>", "$JS.ACK.>"], deny: ["$JS.API.STREAM.DELETE.*"] }, subscribe: { allow: ["_INBOX.>"] }, } }"#
        );
    }
}
