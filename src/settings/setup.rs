//! Section `setup`: the lists of accounts, links and bindings that are to be there, each entry checked by itself and then
//! against the others.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use config::{Map, Value, ValueKind};

use super::given::Given;
use super::{quoted, values};
use crate::domain::account::CredentialSource;
use crate::domain::event::{Group, Kind, KindSet};
use crate::domain::ids::{AccountName, ChannelId, GuildId, RoleId, ServerId};
use crate::domain::setup::{DeclaredAccount, DeclaredBinding, DeclaredLink, Setup};
use crate::domain::style::Style;
use crate::domain::subject::Root;

const ACCOUNTS: &str = "setup.accounts";
const LINKS: &str = "setup.links";
const BINDINGS: &str = "setup.bindings";

/// Reads the three lists. What has a mistake is left out, and what refers to it is no further mistake.
pub(super) fn read(given: &mut Given, nats_url: &str) -> Setup {
    let mut names = BTreeSet::new();
    let accounts = entries(given, ACCOUNTS, |entry| account(entry, nats_url, &mut names));
    let mut linked = BTreeSet::new();
    let links = entries(given, LINKS, |entry| link(entry, &names, &mut linked));
    let mut bindings: Vec<DeclaredBinding> = Vec::new();
    entries(given, BINDINGS, |entry| {
        let binding = binding(entry, &names, &linked)?;
        if bindings.iter().any(|other| other.is_equal(&binding)) {
            entry.refuse("there is one for the same events in that channel already");
        }
        bindings.push(binding);
        Some(())
    });
    let is_given = [ACCOUNTS, LINKS, BINDINGS].iter().any(|list| given.is_given(list));
    Setup { is_given, accounts, links, bindings }
}

fn account(entry: &mut Entry<'_>, nats_url: &str, names: &mut BTreeSet<AccountName>) -> Option<DeclaredAccount> {
    let name: Option<AccountName> = entry.required("name", parsed);
    if let Some(name) = &name
        && !names.insert(name.clone())
    {
        entry.refuse(format!("there is an account {name} already"));
    }
    let url = entry.optional("url", |value| values::nats_url(values::text(value)?));
    let stream = entry.optional("stream", |value| values::stream_name(values::text(value)?));
    let root = entry.optional("root", parsed::<Root>);
    let wide_filter = entry.optional("wide_filter", values::truth);
    let credential = credential(entry);
    Some(DeclaredAccount {
        name: name?,
        url: url.unwrap_or_else(|| nats_url.to_owned()),
        stream,
        root: root.unwrap_or_default(),
        wide_filter: wide_filter.unwrap_or_default(),
        credential: credential?,
    })
}

fn credential(entry: &mut Entry<'_>) -> Option<CredentialSource> {
    let ways = ["creds_file", "nkey_seed_file", "user"];
    let given = ways.iter().filter(|way| entry.values.contains_key(**way)).count();
    let creds = entry.optional("creds_file", file).map(CredentialSource::Creds);
    let seed = entry.optional("nkey_seed_file", file).map(CredentialSource::NkeySeed);
    let user = entry.optional("user", user_name);
    let password_file: Option<PathBuf> = entry.optional("password_file", file);
    if given != 1 {
        entry.refuse("needs exactly one of creds_file, nkey_seed_file and user");
    }
    if password_file.is_some() && given == 1 && user.is_none() {
        entry.refuse("password_file goes with user");
    }
    creds.or(seed).or_else(|| Some(CredentialSource::User { name: user?, password_file }))
}

fn link(
    entry: &mut Entry<'_>,
    names: &BTreeSet<AccountName>,
    linked: &mut BTreeSet<DeclaredLink>,
) -> Option<DeclaredLink> {
    let (guild, account) = (entry.required("guild", snowflake), entry.known_account(names));
    let link = DeclaredLink { guild: GuildId(guild?), account: account? };
    if !linked.insert(link.clone()) {
        entry.refuse("this link is there already");
    }
    Some(link)
}

fn binding(
    entry: &mut Entry<'_>,
    names: &BTreeSet<AccountName>,
    linked: &BTreeSet<DeclaredLink>,
) -> Option<DeclaredBinding> {
    let guild = entry.required("guild", snowflake).map(GuildId);
    let channel = entry.required("channel", snowflake).map(ChannelId);
    let account = entry.known_account(names);
    let server = entry.optional("server", |value| match values::text(value)? {
        "" => Err("must be a game server's id, not \"\"".to_owned()),
        server => Ok(ServerId::from(server)),
    });
    let kinds = entry.required("events", kinds);
    let mention = entry.optional("mention", snowflake).map(RoleId);
    let style = entry.optional("style", |value| {
        let names = || Style::ALL.iter().map(|style| style.name()).collect::<Vec<_>>().join(", ");
        let name = values::text(value)?;
        Style::from_name(name).ok_or_else(|| format!("must be one of {}, not {name:?}", names()))
    });
    // The role that everybody has carries the guild's own id.
    if let (Some(guild), Some(role)) = (guild, mention)
        && guild.0 == role.0
    {
        entry.refuse_key("mention", "is the role of everybody, which is never mentioned");
    }
    let (guild, account) = (guild?, account?);
    if !linked.contains(&DeclaredLink { guild, account: account.clone() }) {
        entry.refuse(format!("needs an entry of [[{LINKS}]] with the same guild and account"));
    }
    let style = style.unwrap_or(Style::Each);
    Some(DeclaredBinding { guild, channel: channel?, account, server, kinds: kinds?, mention, style })
}

/// The entries of a list, as far as `read` can make something of each.
fn entries<T>(given: &mut Given, list: &'static str, mut read: impl FnMut(&mut Entry<'_>) -> Option<T>) -> Vec<T> {
    let tables = given.read(list, |value| tables(list, value));
    let entry = |(number, values)| {
        let mut entry = Entry { given, path: format!("{list}[{number}]"), list, values, known: Vec::new() };
        let read = read(&mut entry);
        entry.refuse_unknown();
        read
    };
    tables.into_iter().enumerate().filter_map(entry).collect()
}

/// One entry of a list.
struct Entry<'a> {
    given: &'a mut Given,
    /// Where it stands, such as `setup.links[0]`.
    path: String,
    list: &'static str,
    values: Map<String, Value>,
    /// The keys that were asked for.
    known: Vec<&'static str>,
}

impl Entry<'_> {
    fn optional<T>(&mut self, key: &'static str, check: impl Fn(&ValueKind) -> Result<T, String>) -> Option<T> {
        self.known.push(key);
        match check(&self.values.get(key)?.kind) {
            Ok(checked) => Some(checked),
            Err(wrong) => {
                self.refuse_key(key, &wrong);
                None
            }
        }
    }

    fn required<T>(&mut self, key: &'static str, check: impl Fn(&ValueKind) -> Result<T, String>) -> Option<T> {
        if !self.values.contains_key(key) {
            self.refuse_key(key, "is missing");
        }
        self.optional(key, check)
    }

    /// The account that is named, which has to be one of the file's.
    fn known_account(&mut self, names: &BTreeSet<AccountName>) -> Option<AccountName> {
        let account: AccountName = self.required("account", parsed)?;
        if !names.contains(&account) {
            self.refuse_key("account", &format!("there is no account {account} in [[{ACCOUNTS}]]"));
            return None;
        }
        Some(account)
    }

    fn refuse_key(&mut self, key: &str, wrong: &str) {
        self.given.refuse(self.list, &format!("{}.{key}", self.path), wrong);
    }

    fn refuse(&mut self, wrong: impl AsRef<str>) {
        self.given.refuse(self.list, &self.path, wrong.as_ref());
    }

    fn refuse_unknown(&mut self) {
        let known = self.known.join(", ");
        let mut unknown: Vec<_> =
            self.values.keys().filter(|key| !self.known.contains(&key.as_str())).cloned().collect();
        unknown.sort();
        for key in unknown {
            self.refuse_key(&key, &format!("there is no such key; the keys are {known}"));
        }
    }
}

fn tables(list: &str, value: &ValueKind) -> Result<Vec<Map<String, Value>>, String> {
    let wrong = || format!("must be sections of the settings file, each under its own [[{list}]]");
    let ValueKind::Array(values) = value else { return Err(wrong()) };
    let table = |value: &Value| match &value.kind {
        ValueKind::Table(table) => Ok(table.clone()),
        _ => Err(wrong()),
    };
    values.iter().map(table).collect()
}

fn parsed<T: FromStr>(value: &ValueKind) -> Result<T, String>
where
    T::Err: ToString,
{
    values::text(value)?.parse().map_err(|error: T::Err| error.to_string())
}

/// A file that can be read again and again.
fn file(value: &ValueKind) -> Result<PathBuf, String> {
    values::path(value).and_then(|path| {
        // What it means at the command line.
        if path == Path::new("-") { Err("must be a file's path: a service has no input".to_owned()) } else { Ok(path) }
    })
}

/// A user's name, which is not repeated: it may be as good as a password.
fn user_name(value: &ValueKind) -> Result<String, String> {
    match value {
        ValueKind::String(name) if !name.is_empty() => Ok(name.clone()),
        _ => Err("must be a user's name in quotes".to_owned()),
    }
}

/// One of Discord's ids, which tools that write TOML or JSON give as a number or as a text.
fn snowflake(value: &ValueKind) -> Result<u64, String> {
    let id = match value {
        ValueKind::I64(id) => u64::try_from(*id).ok(),
        ValueKind::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    // As the database keeps them.
    id.filter(|id| *id > 0 && i64::try_from(*id).is_ok()).ok_or_else(|| "must be an id of Discord's".to_owned())
}

fn kinds(value: &ValueKind) -> Result<KindSet, String> {
    let one = |value: &ValueKind| {
        let name = values::text(value)?;
        let of_group = Group::from_name(name).map(Group::kinds);
        of_group.or_else(|| Kind::from_name(name).map(|kind| KindSet::from_iter([kind]))).ok_or_else(|| {
            let groups = Group::ALL.iter().map(|group| group.name()).collect::<Vec<_>>().join(", ");
            format!("must be of the groups {groups} or of the kinds in them, such as server.wiped; not {name:?}")
        })
    };
    let ValueKind::Array(list) = value else { return one(value) };
    let kinds = list.iter().map(|value| one(&value.kind)).try_fold(KindSet::EMPTY, |all, kinds| Ok(all.union(kinds?)));
    kinds.and_then(|kinds: KindSet| if kinds.is_empty() { Err("must name some events".to_owned()) } else { Ok(kinds) })
}

/// The three lists as they may be shown: the form that the file may have, too, but for users' names.
pub(super) fn shown(setup: &Setup) -> [(&'static str, String); 3] {
    let accounts = setup.accounts.iter().map(|account| {
        let DeclaredAccount { name, url, stream, root, wide_filter, credential } = account;
        let mut fields = format!("name = {}, url = {}", quoted(name.as_str()), quoted(url));
        if let Some(stream) = stream {
            let _ = write!(fields, ", stream = {}", quoted(stream));
        }
        let _ = write!(fields, ", root = {}, wide_filter = {wide_filter}", quoted(&root.to_string()));
        let file = |file: &Path| quoted(&file.to_string_lossy());
        let _ = match credential {
            CredentialSource::Creds(creds) => write!(fields, ", creds_file = {}", file(creds)),
            CredentialSource::NkeySeed(seed) => write!(fields, ", nkey_seed_file = {}", file(seed)),
            CredentialSource::User { name: _, password_file: None } => write!(fields, ", user = \"<set>\""),
            CredentialSource::User { name: _, password_file: Some(password) } => {
                write!(fields, ", user = \"<set>\", password_file = {}", file(password))
            }
        };
        fields
    });
    let links = setup
        .links
        .iter()
        .map(|DeclaredLink { guild, account }| format!("guild = {guild}, account = {}", quoted(account.as_str())));
    let bindings = setup.bindings.iter().map(|binding| {
        let DeclaredBinding { guild, channel, account, server, kinds, mention, style } = binding;
        let mut fields = format!("guild = {guild}, channel = {channel}, account = {}", quoted(account.as_str()));
        if let Some(server) = server {
            let _ = write!(fields, ", server = {}", quoted(server.as_str()));
        }
        let kinds: Vec<_> = kinds.iter().map(|kind| quoted(kind.name())).collect();
        let _ = write!(fields, ", events = [{}]", kinds.join(", "));
        if let Some(role) = mention {
            let _ = write!(fields, ", mention = {role}");
        }
        let _ = write!(fields, ", style = {}", quoted(style.name()));
        fields
    });
    [(ACCOUNTS, list(accounts)), (LINKS, list(links)), (BINDINGS, list(bindings))]
}

/// A list of tables, a line each.
fn list(tables: impl Iterator<Item = String>) -> String {
    let lines: Vec<_> = tables.map(|fields| format!("  {{ {fields} }},\n")).collect();
    if lines.is_empty() { "[]".to_owned() } else { format!("[\n{}]", lines.concat()) }
}
