//! `/account connect`: an owner lets the bot in as it is printed, nothing secret passes through Discord, and what is
//! missing is named.

use async_nats::ConnectOptions;
use discord_sim::{Actor, Reply};
use guildwire::domain::account::Account;
use guildwire::domain::permissions::CONNECTIONS;
use guildwire::nats::credential::Credential;
use guildwire::sealing::open_credential;
use guildwire::secrets::SecretKey;
use guildwire::store::Store;
use guildwire_harness::house::{Guild, House, PATIENCE, Publisher};
use guildwire_harness::{NatsConfig, NatsServer, RunningBot};
use nkeys::KeyPair;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::credentials::{files_below, jwt};
use crate::installation::{
    Comparisons, DISCORD_WAITS, MANAGE_SERVER, house_around, on_sqlite, refused, says, sqlite_url,
};
use crate::managing::admin;
use crate::support::{Database, on_both_databases};

on_both_databases!(
    an_owner_lets_the_bot_in_and_events_arrive,
    an_empty_stream_turns_green_by_itself_with_its_first_event,
);
on_sqlite!(
    whatever_is_missing_is_named,
    a_server_in_operator_mode_takes_the_pasted_jwt,
    only_hosts_that_the_operator_allows_are_connected_to,
    nobody_connects_where_the_operator_does_not_let_them,
    what_was_typed_wrong_is_told,
    only_the_owner_may_press_where_it_was_connected,
);

/// Who publishes in the owner's account.
const PUBLISHER: &str = NatsConfig::BLOG_POST_USER;

/// The owner's server: an account with a game server's user and whatever else is written into its `users`, and another
/// account without JetStream.
pub(crate) fn config(users: &str, users_of_other: &str) -> NatsConfig {
    NatsConfig::open().raw(&format!(
        "accounts {{\n  MINE: {{\n    jetstream: enabled\n    users: [\n{{ user: \"{PUBLISHER}\" }}\n{users}\n    ]\n  }}\n  \
         OTHER: {{ users: [ {{ user: \"somebody\" }}\n{users_of_other} ] }}\n}}"
    ))
}

/// A house whose operator lets people connect accounts on this machine.
pub(crate) async fn self_service(nats: NatsServer, database: Database) -> House {
    let House { nats, discord, bot } = house_around(nats, database).await;
    let bot = bot.setting("accounts.self_service", "true").setting("accounts.hosts", "127.0.0.1");
    let bot = bot.setting("log.level", "guildwire=trace,async_nats=debug,serenity=debug,sqlx=debug,info");
    House { nats, discord, bot }
}

pub(crate) async fn publisher(house: &House) -> Publisher {
    let options = ConnectOptions::with_user_and_password(PUBLISHER.to_owned(), String::new());
    Publisher { jetstream: async_nats::jetstream::new(options.connect(house.nats.url()).await.unwrap()) }
}

/// The guild's admin connects their account.
pub(crate) async fn connect(house: &House, guild: Guild) -> Reply {
    let options = [("name", "GA-1".into()), ("url", house.nats.url().into()), ("stream", "EVENTS".into())];
    let reply = house.command(guild, "account connect", &options).await.unwrap();
    assert!(reply.ephemeral && reply.took < DISCORD_WAITS, "{reply:?}");
    reply
}

pub(crate) async fn verify(house: &House, guild: Guild, reply: &Reply) -> Reply {
    house.discord.press(admin(guild), reply, "verify:GA-1").await.unwrap()
}

/// What an owner copies: the first box is an entry of `users`, the second commands for nsc.
pub(crate) fn printed(reply: &Reply) -> (String, String) {
    let text = reply.embeds[0].description.clone().unwrap();
    let mut boxes = text.split("```").skip(1).step_by(2);
    let entry = boxes.next().unwrap().trim().to_owned();
    (entry, boxes.next().unwrap().strip_prefix("sh\n").unwrap().to_owned())
}

/// The public key in an entry.
pub(crate) fn key_in(entry: &str) -> String {
    entry.split_once("nkey: ").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

/// The seed that the bot made, as only whoever has its key file and its database finds it.
pub(crate) async fn seed_in_database(house: &House) -> String {
    let store = Store::open(&sqlite_url(house)).await.unwrap();
    let name = "GA-1".parse().unwrap();
    let account: Account = store.account(&name).await.unwrap().unwrap();
    let sealed = store.credential(&name).await.unwrap().unwrap();
    let key = SecretKey::load_or_create(&house.bot.home_folder().join("secrets/guildwire.key"), false).unwrap();
    let secret = open_credential(&key, &account, &sealed).unwrap().to_secret();
    let line = secret.expose_secret().lines().find(|line| line.starts_with("SU")).unwrap();
    line.to_owned()
}

/// Nothing of this secret was said, logged, or stands in a file.
fn assert_nowhere(house: &House, bot: &RunningBot, told: &[&Reply], secret: &str) {
    let log = bot.log();
    assert!(log.contains("TRACE guildwire") || log.contains("DEBUG guildwire"), "{log}");
    assert!(!log.contains(secret), "the seed is in the log");
    for reply in told {
        assert!(!reply.raw.to_string().contains(secret), "the seed was said: {reply:?}");
    }
    for (path, bytes) in files_below(house.bot.home_folder()) {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "the seed stands in {path}");
    }
}

async fn an_owner_lets_the_bot_in_and_events_arrive(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");

    let connected = connect(&house, guild).await;
    assert_eq!(
        connected.content,
        "🔑 I made a key for **GA-1**; its secret half never leaves me. Let its public half in, in one of the two ways \
         below, and press **Verify**. If nobody does that within 24 hours, I forget the account."
    );
    let (entry, commands) = printed(&connected);
    let key = key_in(&entry);
    assert!(KeyPair::from_public_key(&key).is_ok(), "{entry}");
    assert!(commands.contains(&format!("--public-key {key}")), "{commands}");
    // Nothing is linked before it is verified.
    assert!(says(&house, guild, "account list", &[]).await.starts_with("No game-server account is linked here yet."));

    house.nats.reload(&config(&entry, "")).unwrap();
    let green = verify(&house, guild, &connected).await;
    assert_eq!(
        green.content,
        "✅ An event of **GA-1** has come through, and this Discord server is linked to it. Next: `/notify add` to choose \
         which of its events go to which channel."
    );
    assert_eq!((green.embeds.len(), green.components.clone()), (0, json!([])));
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // An old message's button does no harm.
    let again = house.discord.use_unseen(admin(guild), &connected, "verify:GA-1", None).await;
    assert!(again.is_err(), "the button is gone: {again:?}");
    let taken = connect(&house, guild).await;
    assert!(taken.content.starts_with("I know another account by the name **GA-1** already."), "{}", taken.content);
    if matches!(database, Database::Sqlite) {
        let seed = seed_in_database(&house).await;
        assert_eq!(KeyPair::from_seed(&seed).unwrap().public_key(), key);
        assert_nowhere(&house, &bot, &[&connected, &green], &seed);
    }
}

async fn an_empty_stream_turns_green_by_itself_with_its_first_event(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let connected = connect(&house, guild).await;
    house.nats.reload(&config(&printed(&connected).0, "")).unwrap();
    let waiting = verify(&house, guild, &connected).await;
    let wanted = "🕓 I may read **GA-1**: nothing is missing. Stream `EVENTS` has no event below `v0.*.servers.>` yet, so I \
                  am **waiting for a first event**. I look for 15 minutes and say so here when one has come through; after \
                  that, press **Verify** again.";
    assert_eq!(waiting.content, wanted);
    // Pressed again, it waits once.
    let waiting = verify(&house, guild, &waiting).await;
    assert_eq!(waiting.content, wanted);
    publisher.publish("eu.west.1.events.chat", "{}").await.unwrap();
    let message = waiting.message.unwrap();
    let is_green = |discord: &discord_sim::Sim| {
        discord.message_as_reply(message).is_some_and(|reply| reply.content.starts_with("✅ An event of **GA-1**"))
    };
    house.discord.wait_until(PATIENCE, "it turns green", is_green).await.unwrap();
    assert!(says(&house, guild, "account list", &[]).await.contains("**GA-1**"));
}

async fn whatever_is_missing_is_named(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let mut page = connect(&house, guild).await;
    let (entry, commands) = printed(&page);
    let key = key_in(&entry);
    let mut compare = Comparisons::default();
    let mut look = async |house: &House, page: &mut Reply, what: &str, wanted: &str| {
        *page = verify(house, guild, page).await;
        let wanted = format!("🔴 Not yet. {wanted} Then press **Verify** again.");
        compare.equal(what, &page.content, &wanted);
        assert_eq!(printed(page), (entry.clone(), commands.clone()), "what is to be copied stays: {what}");
    };

    let refused = format!(
        "nats-server does not let me in: it knows no user with my public key `{key}`. Add it as told below, and reload \
         nats-server."
    );
    look(&house, &mut page, "no user", &refused).await;
    house.nats.reload(&config("", &entry)).unwrap();
    let other = "The account that my user is in has no JetStream: enable it there, or move my user to the account that has \
                 the stream.";
    look(&house, &mut page, "another account", other).await;
    house.nats.reload(&config(&entry, "")).unwrap();
    let no_stream = "The account that my user is in has no stream `EVENTS`: make it there, or move my user to the account \
                     that has it.";
    look(&house, &mut page, "no stream", no_stream).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();

    let subjects: Vec<&str> =
        entry.lines().filter_map(|line| line.trim().strip_prefix('"')?.strip_suffix('"')).collect();
    assert_eq!(subjects.len(), 8, "{entry}");
    // nats-server does not use the other form of acknowledgements yet, so what it takes can't be missing. Reading goes
    // without seeing who is connected.
    for subject in subjects.iter().filter(|subject| !subject.starts_with("$JS.ACK.*.") && **subject != CONNECTIONS) {
        let line = format!("      \"{subject}\"\n");
        house.nats.reload(&config(&entry.replace(&line, ""), "")).unwrap();
        let denied = format!(
            "My user may not publish to `{subject}`: allow that subject in its permissions, and reload nats-server."
        );
        look(&house, &mut page, subject, &denied).await;
    }
    house.nats.reload(&config(&entry.replace("_INBOX_guildwire.>", "_INBOX_other.>"), "")).unwrap();
    let denied = "My user may not subscribe to `_INBOX_guildwire.>`: allow that subject in its permissions, and reload \
                  nats-server.";
    look(&house, &mut page, "inbox", denied).await;
    house.nats.kill().unwrap();
    let unreachable = "Nothing answers as nats-server at that address: see that it runs, and that its port can be reached \
                       from the internet.";
    look(&house, &mut page, "no server", unreachable).await;
    house.nats.reload(&config(&entry, "")).unwrap();
    house.nats.start_again().unwrap();
    let green = verify(&house, guild, &page).await;
    assert!(green.content.starts_with("✅ An event of **GA-1** has come through"), "{}", green.content);
}

/// A server in operator mode, and the owner's account there.
fn operator_mode() -> (NatsServer, KeyPair) {
    let (operator, account, system) = (KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_account());
    let operator_jwt = jwt(&operator, &operator, "guildwire", &json!({ "type": "operator", "version": 2 }));
    let limits = json!({
        "subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
        "mem_storage": 1_048_576, "disk_storage": 1_073_741_824, "streams": 10, "consumer": 10,
    });
    let account_jwt = jwt(&operator, &account, "GA-1", &json!({ "type": "account", "version": 2, "limits": limits }));
    let system_jwt = jwt(&operator, &system, "SYS", &json!({ "type": "account", "version": 2 }));
    let config = NatsConfig::open().raw(&format!(
        "operator: {operator_jwt}\nsystem_account: {system}\nresolver: MEMORY\n\
         resolver_preload: {{ {account}: {account_jwt}, {system}: {system_jwt} }}",
        account = account.public_key(),
        system = system.public_key(),
    ));
    (NatsServer::start(&config).unwrap(), account)
}

async fn a_server_in_operator_mode_takes_the_pasted_jwt(database: Database) {
    let (nats, account) = operator_mode();
    let house = self_service(nats, database).await;
    let game_server = KeyPair::new_user();
    let user = json!({ "type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1 });
    let creds = Credential::Nkey(game_server.seed().unwrap().into());
    let game_server_jwt = jwt(&account, &game_server, "game-server", &user);
    let creds = creds.with_jwt(&game_server_jwt, guildwire::clock::now()).unwrap();
    let options = ConnectOptions::with_credentials(creds.to_secret().expose_secret()).unwrap();
    let client = options.connect(house.nats.url()).await.unwrap();
    let publisher = Publisher { jetstream: async_nats::jetstream::new(client) };
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();

    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let connected = connect(&house, guild).await;
    let (entry, commands) = printed(&connected);
    let key = key_in(&entry);
    // The public key alone is not enough there.
    let refused = verify(&house, guild, &connected).await;
    assert!(refused.content.starts_with("🔴 Not yet. nats-server does not let me in: "), "{}", refused.content);

    let allowed = |option: &str| {
        let list = commands.split_once(&format!("{option} '")).unwrap().1.split_once('\'').unwrap().0;
        list.split(',').map(str::to_owned).collect::<Vec<_>>()
    };
    let mut user = user;
    user["pub"] = json!({ "allow": allowed("--allow-pub") });
    user["sub"] = json!({ "allow": allowed("--allow-sub") });
    let our_jwt = jwt(&account, &KeyPair::from_public_key(&key).unwrap(), "guildwire", &user);
    let expired =
        crate::credentials::expiring_jwt(&account, &KeyPair::from_public_key(&key).unwrap(), "x", &user, 1_700_000_001);
    let mut open = user.clone();
    open["bearer_token"] = true.into();
    let bearer = jwt(&account, &KeyPair::from_public_key(&key).unwrap(), "guildwire", &open);
    let whole_file = creds.to_secret().expose_secret().to_owned();
    let mut page = refused;
    for (pasted, wanted) in [
        ("nothing of the kind", "That is no JWT of a NATS user: one is a single long word that begins with eyJ and"),
        (&game_server_jwt, "That JWT is for the user `U"),
        (&expired, "That JWT has expired already."),
        (&bearer, "⚠️ That JWT is a **bearer token**: whoever sees it can use it without a key"),
        (&whole_file, "⚠️ That holds a **seed**, which is a secret, and you have just sent it through Discord."),
    ] {
        let form = house.discord.press(admin(guild), &page, "jwt:GA-1").await.unwrap();
        assert_eq!(form.content, "The user's JWT");
        page = house.discord.submit(admin(guild), &form, &[("text", pasted)]).await.unwrap();
        assert!(page.content.starts_with(wanted), "{}", page.content);
        assert_eq!(printed(&page).0, entry);
    }
    let form = house.discord.press(admin(guild), &page, "jwt:GA-1").await.unwrap();
    let with_lines = format!("-----BEGIN NATS USER JWT-----\n{our_jwt}\n------END NATS USER JWT------\n");
    let taken = house.discord.submit(admin(guild), &form, &[("text", with_lines.as_str())]).await.unwrap();
    assert_eq!(taken.content, "🔑 The JWT for **GA-1** fits my key. Press **Verify**.");
    let green = verify(&house, guild, &taken).await;
    assert!(green.content.starts_with("✅ An event of **GA-1** has come through"), "{}", green.content);
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    let seed = seed_in_database(&house).await;
    assert_nowhere(&house, &bot, &[&connected, &page, &taken, &green], &seed);
}

async fn only_hosts_that_the_operator_allows_are_connected_to(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    house.bot = house.bot.setting("accounts.hosts", "*.example.org, *");
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let port = house.nats.address().port();
    let mut compare = Comparisons::default();
    for host in ["127.0.0.1", "localhost", "0x7f.1", "[::1]", "169.254.169.254", "10.0.0.1", "0.0.0.0"] {
        let url = format!("nats://{host}:{port}");
        let options = [("name", "GA-1".into()), ("url", url.into()), ("stream", "EVENTS".into())];
        let shown = host.trim_matches(['[', ']']);
        let wanted = format!(
            "Nothing was stored. The address of `{shown}` is not a public one, and I connect to no other unless whoever \
             operates me allows that host by its name."
        );
        compare.equal(host, &says(&house, guild, "account connect", &options).await, &wanted);
    }
    drop(bot);
    house.bot = house.bot.setting("accounts.hosts", "nats.example.org");
    let bot = house.start().await.unwrap();
    let options = [("name", "GA-1".into()), ("url", house.nats.url().into()), ("stream", "EVENTS".into())];
    let wanted = "Nothing was stored. Whoever operates me does not allow the host `127.0.0.1`. Ask them for it, or for a \
                  one-time code.";
    compare.equal("not listed", &says(&house, guild, "account connect", &options).await, wanted);
    drop(bot);

    // What was allowed once is looked at again at each connection.
    house.bot = house.bot.setting("accounts.hosts", "127.0.0.0/8");
    let bot = house.start().await.unwrap();
    let connected = connect(&house, guild).await;
    house.nats.reload(&config(&printed(&connected).0, "")).unwrap();
    assert!(verify(&house, guild, &connected).await.content.starts_with('✅'));
    let channel = house.channel(guild, "status");
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    drop(bot);
    house.bot = house.bot.setting("accounts.hosts", "*");
    let _bot = house.start().await.unwrap();
    let wanted = "The address of its nats-server is not a public one, and I connect to no other unless whoever operates me \
                  allows it.";
    crate::installation::wait_for_account_list(&house, guild, PATIENCE, wanted).await;
}

async fn nobody_connects_where_the_operator_does_not_let_them(database: Database) {
    let House { nats, discord, bot } = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let bot = bot.setting("accounts.self_service", "false");
    let house = House { nats, discord, bot };
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let options = [("name", "GA-1".into()), ("url", house.nats.url().into()), ("stream", "EVENTS".into())];
    assert_eq!(
        says(&house, guild, "account connect", &options).await,
        "Whoever operates me lets nobody connect accounts here. Ask them for a one-time code, and use it with `/account \
         link`."
    );
    assert!(!says(&house, guild, "help", &[]).await.contains("/account connect"));
    let member = house.discord.add_member(guild.id, "member", 0);
    let by = Actor { guild: guild.id, channel: guild.lobby, user: member };
    let refused = house.discord.command_unchecked(by, "account connect", &options).await.unwrap();
    assert!(refused.content.starts_with("You need the permission **Manage Server** here"), "{}", refused.content);
}

async fn what_was_typed_wrong_is_told(database: Database) {
    let house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let url = house.nats.url();
    let with_user = url.replace("nats://", "nats://user:password@");
    let mut compare = Comparisons::default();
    for (name, url, stream, root, wanted) in [
        ("a b", url.as_str(), "EVENTS", "v0", "An account's name has 1 to 32 of the characters A-Z a-z 0-9 _ and -."),
        (
            "GA-1",
            "http://127.0.0.1",
            "EVENTS",
            "v0",
            "I can't connect to that: the address has to begin with nats:// or tls://.",
        ),
        (
            "GA-1",
            &with_user,
            "EVENTS",
            "v0",
            "I can't connect to that: the address must not hold a user or a password.",
        ),
        (
            "GA-1",
            "nats://127.0.0.1/x",
            "EVENTS",
            "v0",
            "I can't connect to that: behind nats:// or tls:// come a host and a port, such as nats.example.org:4222, and \
             nothing else.",
        ),
        (
            "GA-1",
            &url,
            "E\"; x",
            "v0",
            "A stream's name has 1 to 64 of the characters A-Z a-z 0-9 _ and -. `nats stream ls` shows yours.",
        ),
        (
            "GA-1",
            &url,
            "EVENTS",
            "v0..servers",
            "That can't be what your events' subjects begin with: a root is tokens joined by single dots, such as \
             v0\\.\\*\\.servers, and \"v0\\.\\.servers\" has an empty token.",
        ),
    ] {
        let options: [(&str, Value); 4] =
            [("name", name.into()), ("url", url.into()), ("stream", stream.into()), ("root", root.into())];
        compare.equal(wanted, &says(&house, guild, "account connect", &options).await, wanted);
    }
    for number in 1..=4 {
        let options =
            [("name", format!("GA-{number}").into()), ("url", url.as_str().into()), ("stream", "EVENTS".into())];
        let said = house.command(guild, "account connect", &options).await.unwrap().content;
        let wanted =
            "You have connected 3 accounts that I was not let in to yet. Verify one of them first, or wait a day.";
        assert_eq!(said == wanted, number == 4, "{said}");
    }
    // Whoever else comes has their own, up to the guild's.
    for (person, wanted) in [("second", false), ("third", false), ("fourth", true)] {
        let user = house.discord.add_member(guild.id, person, MANAGE_SERVER);
        let by = Actor { guild: guild.id, channel: guild.lobby, user };
        let options = [("name", person.into()), ("url", url.as_str().into()), ("stream", "EVENTS".into())];
        let said = house.discord.command(by, "account connect", &options).await.unwrap().content;
        assert_eq!(said.starts_with("In this Discord server 5 accounts were connected"), wanted, "{said}");
    }
}

async fn only_the_owner_may_press_where_it_was_connected(database: Database) {
    let mut house = self_service(NatsServer::start(&config("", "")).unwrap(), database).await;
    let publisher = publisher(&house).await;
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let elsewhere = house.guild("Elsewhere");
    let connected = connect(&house, guild).await;
    house.nats.reload(&config(&printed(&connected).0, "")).unwrap();

    let colleague = house.discord.add_member(guild.id, "colleague", MANAGE_SERVER);
    let colleague = Actor { guild: guild.id, channel: guild.lobby, user: colleague };
    let not_yours = "The account GA\\-1 is not yours: only who owns an account may do that. No account here is yours. Codes \
                     for accounts that nobody owns in Discord are made by whoever operates me.";
    let elsewhere_waits = "Your account **GA-1** does not wait in this Discord server: go on where you connected it. One \
                           that I am not let in to within 24 hours is forgotten, and `/account connect` begins anew.";
    let owner_elsewhere = Actor { user: guild.admin, ..admin(elsewhere) };
    house.discord.join_guild(elsewhere.id, guild.admin, "guest", MANAGE_SERVER);
    for (by, wanted) in [(colleague, not_yours), (admin(elsewhere), not_yours), (owner_elsewhere, elsewhere_waits)] {
        // What waits is shown again to its owner, where it waits.
        let page = house.command(guild, "account rotate", &[("account", "GA-1".into())]).await.unwrap();
        assert_eq!(printed(&page), printed(&connected));
        let refused = house.discord.use_unseen(by, &page, "verify:GA-1", None).await.unwrap();
        assert_eq!(refused.content, wanted);
        let rotated = house.discord.command(by, "account rotate", &[("account", "GA-1".into())]).await.unwrap();
        assert_eq!(rotated.content, wanted);
    }
    // A link to what may be forgotten tomorrow would be worth nothing.
    let invite = says(&house, guild, "account invite", &[("account", "GA-1".into())]).await;
    let wanted = "**GA-1** is not verified yet, and has no codes before that. Let me in and press **Verify** first: `/account \
                  rotate`, where you connected it, shows that again.";
    assert_eq!(invite, wanted);
    let invite = refused(&house.bot, 1, &["account", "invite", "GA-1"]).await;
    assert!(
        invite.contains("the account GA-1 is not verified yet, and has no codes before that: its owner"),
        "{invite}"
    );
    let rotated = refused(&house.bot, 1, &["account", "rotate", "GA-1"]).await;
    assert!(rotated.starts_with("error: the account GA-1 waits for its owner to let guildwire in"), "{rotated}");
    let list = house.operate(&["account", "list"]).await.unwrap();
    assert!(list.ends_with("  GA-1: waits for its owner to let guildwire in\n"), "{list}");
    let doctor = house.bot.command(&["doctor"]).await.unwrap().stdout;
    assert!(doctor.contains("– account GA-1: waits for its owner to let guildwire in\n"), "{doctor}");
    let help = says(&house, elsewhere, "help", &[]).await;
    let wanted = "\nAre the game servers your own? `/account connect` connects their account without a code.";
    assert!(help.ends_with(wanted), "{help}");

    let member = house.discord.add_member(guild.id, "member", 0);
    let by = Actor { guild: guild.id, channel: guild.lobby, user: member };
    let refused = house.discord.use_unseen(by, &connected, "verify:GA-1", None).await.unwrap();
    assert!(refused.content.starts_with("You need the permission **Manage Server** here"), "{}", refused.content);
    let linked = says(&house, elsewhere, "account list", &[]).await;
    assert!(linked.starts_with("No game-server account is linked here yet."), "{linked}");
}
