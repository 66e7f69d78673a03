//! What can't be done at once is done later, and whole.

use sqlx::ConnectOptions as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::*;
use crate::domain::account::CredentialSource;
use crate::domain::ids::GuildId;
use crate::domain::setup::DeclaredLink;

/// A keeper of a database that is empty at first, another way into that, and the folder that all files are in.
struct Desk {
    keeper: Keeper,
    raw: SqliteConnection,
    folder: tempfile::TempDir,
}

impl Desk {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guildwire.db");
        let store = Store::open(&format!("sqlite://{}", file.display())).await.unwrap();
        let key = SecretKey::load_or_create(&folder.path().join("guildwire.key"), true).unwrap();
        let keeper = Keeper::start(store, Arc::new(key), Setup::default()).await.unwrap();
        let raw = SqliteConnectOptions::new().filename(&file).connect().await.unwrap();
        Self { keeper, raw, folder }
    }

    /// An account whose seed is in a file of its name.
    fn account(&self, name: &str) -> DeclaredAccount {
        let file = self.folder.path().join(name);
        std::fs::write(&file, nkeys::KeyPair::new_user().seed().unwrap()).unwrap();
        DeclaredAccount {
            name: name.parse().unwrap(),
            url: "nats://one".to_owned(),
            stream: None,
            root: "v0.*.servers".parse().unwrap(),
            wide_filter: false,
            credential: CredentialSource::NkeySeed(file),
        }
    }

    /// The file is read again.
    fn want(&mut self, wanted: Setup) {
        self.keeper.wanted = Setup { is_given: true, ..wanted };
        self.keeper.due = Some(Instant::now());
    }

    async fn execute(&mut self, statement: &'static str) {
        sqlx::query(statement).execute(&mut self.raw).await.unwrap();
    }

    fn followed(&self) -> Vec<&str> {
        self.keeper.following.keys().map(AccountName::as_str).collect()
    }
}

fn link(account: &str) -> DeclaredLink {
    DeclaredLink { guild: GuildId(1), account: account.parse().unwrap() }
}

#[tokio::test]
async fn what_the_database_refused_once_is_done_the_next_time() {
    let mut desk = Desk::new().await;
    let one = Setup { accounts: vec![desk.account("GA-1")], ..Setup::default() };
    desk.want(one.clone());
    desk.keeper.look().await.unwrap();
    assert_eq!(desk.followed(), ["GA-1"]);

    // Nothing can be changed without a line in the audit, so the account is not added, nor what comes after it.
    desk.execute("ALTER TABLE audit RENAME TO elsewhere").await;
    let both =
        Setup { accounts: vec![desk.account("GA-0"), one.accounts[0].clone()], links: vec![link("GA-0")], ..one };
    desk.want(both);
    desk.keeper.look().await.unwrap_err();
    assert_eq!(desk.followed(), ["GA-1"], "whoever was followed still is");
    desk.execute("ALTER TABLE elsewhere RENAME TO audit").await;
    desk.keeper.look().await.unwrap();
    assert_eq!(desk.followed(), ["GA-0", "GA-1"]);
    let links = desk.keeper.store.links(GuildId(1)).await.unwrap();
    assert!(matches!(links.as_slice(), [link] if link.is_declared), "{links:?}");

    // Nor is anybody let go of where the credential of one who is new can't be asked for.
    desk.keeper.following.remove(&"GA-0".parse().unwrap());
    desk.execute("ALTER TABLE accounts RENAME COLUMN credential TO elsewhere").await;
    desk.keeper.follow_those_that_are_there().await.unwrap_err();
    assert_eq!(desk.followed(), ["GA-1"]);
    desk.execute("ALTER TABLE accounts RENAME COLUMN elsewhere TO credential").await;
    desk.keeper.follow_those_that_are_there().await.unwrap();
    assert_eq!(desk.followed(), ["GA-0", "GA-1"]);
}

#[tokio::test]
async fn an_account_changes_together_with_its_credential() {
    let mut desk = Desk::new().await;
    let before = desk.account("GA-1");
    desk.want(Setup { accounts: vec![before.clone()], ..Setup::default() });
    desk.keeper.look().await.unwrap();

    // As long as the new one can't be read, the account stays where the old one belongs.
    let next = desk.account("next");
    let CredentialSource::NkeySeed(file) = next.credential.clone() else { unreachable!("it is a seed") };
    let seed = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    let after = DeclaredAccount { url: "nats://two".to_owned(), credential: next.credential, ..before };
    desk.want(Setup { accounts: vec![after.clone()], ..Setup::default() });
    desk.keeper.look().await.unwrap();
    let stored = async |desk: &Desk| desk.keeper.store.account(&after.name).await.unwrap().unwrap();
    assert_eq!(stored(&desk).await.url, "nats://one");

    std::fs::write(&file, seed).unwrap();
    desk.keeper.look().await.unwrap();
    let changed = stored(&desk).await;
    assert_eq!(changed.url, "nats://two");
    let in_force = desk.keeper.stored_credential(&changed).await.unwrap().unwrap();
    let in_file = read_credential(after.credential.clone()).await.unwrap();
    assert!(following::is_same(&in_force, &in_file));
    for _ in 0..3 {
        desk.keeper.look().await.unwrap();
    }
    assert_eq!(stored(&desk).await.revision, changed.revision, "it is not taken for another one afterwards");
}

#[tokio::test]
async fn an_account_is_added_with_what_hangs_on_it_once_its_credential_can_be_read() {
    let mut desk = Desk::new().await;
    let account = desk.account("GA-1");
    let CredentialSource::NkeySeed(file) = account.credential.clone() else { unreachable!("it is a seed") };
    let seed = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    desk.want(Setup { accounts: vec![account], links: vec![link("GA-1")], ..Setup::default() });
    desk.keeper.look().await.unwrap();
    assert_eq!(desk.keeper.store.accounts().await.unwrap(), []);
    std::fs::write(&file, seed).unwrap();
    desk.keeper.look().await.unwrap();
    assert_eq!(desk.keeper.store.links(GuildId(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn whether_something_is_still_in_the_way_is_looked_at_again_and_told_once() {
    let mut desk = Desk::new().await;
    let wanted = desk.account("GA-1");
    let by_hand = Account { is_declared: false, ..as_account(&wanted) };
    let sealed = seal_credential(&desk.keeper.key, &by_hand.name, &Credential::Nkey("a".into()));
    let (store, by) = (desk.keeper.store.clone(), By::settings(clock::now()));
    assert!(store.add_account(&by_hand, &sealed, &by).await.unwrap());
    desk.want(Setup { accounts: vec![wanted], ..Setup::default() });
    for _ in 0..2 {
        desk.keeper.look().await.unwrap();
        let due = desk.keeper.due.unwrap();
        assert!(due > Instant::now() && due <= Instant::now() + OBSTACLES_EVERY);
        assert_eq!(desk.keeper.told.len(), 1);
        desk.keeper.due = Some(Instant::now());
    }
    assert!(store.remove_account(&by_hand.name, &by).await.unwrap());
    desk.keeper.look().await.unwrap();
    assert!(store.account(&by_hand.name).await.unwrap().unwrap().is_declared);
    assert_eq!(desk.keeper.due, None);
}
