//! What there is too much of: long lists have pages, a guild and a person have limits, and typing never waits.

use std::path::Path;
use std::time::{Duration, Instant};

use discord_sim::{Actor, Reply};
use guildwire::clock;
use guildwire::domain::account::Account;
use guildwire::domain::audit::By;
use guildwire::domain::binding::Binding;
use guildwire::domain::event::Group;
use guildwire::domain::ids::{AccountName, ChannelId, GuildId, UserId};
use guildwire::domain::style::Style;
use guildwire::store::Store;
use guildwire::store::accounts::SealedCredential;
use guildwire::store::recording::HeardServer;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, PATIENCE, SECOND_ACCOUNT};
use guildwire_harness::{Postgres, TcpProxy};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, DISCORD_WAITS, MANAGE_SERVER, offered, on_sqlite, says, usual_house};
use crate::managing::{admin, binding_ids};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(long_lists_have_pages);
on_sqlite!(a_guild_has_so_many_entries_and_accounts, who_is_too_quick_or_guesses_codes_waits);

/// A guild with 100 bindings of an account with 100 servers, and with 60 more accounts.
async fn crowd(store: &Store, guild: Guild) {
    let now = clock::now();
    let guild_id = GuildId(guild.id);
    let link = async |account: &AccountName| {
        let code = account.as_str().as_bytes();
        store.add_invite(account, code, now.plus(Duration::from_hours(1)), &By::operator(now)).await.unwrap();
        store.redeem_invite(code, guild_id, UserId(guild.admin), now).await.unwrap();
    };
    let first: AccountName = FIRST_ACCOUNT.parse().unwrap();
    link(&first).await;
    for number in 0..60 {
        let name: AccountName = format!("Z-{number:02}").parse().unwrap();
        let account = Account {
            name: name.clone(),
            url: "nats://127.0.0.1:9".to_owned(),
            stream: None,
            root: "v0.*.servers".parse().unwrap(),
            wide_filter: false,
            owner: None,
            connected_in: None,
            is_declared: false,
            revision: 0,
        };
        let credential = SealedCredential { kind: "nkey".to_owned(), sealed: vec![0] };
        assert!(store.add_account(&account, &credential, &By::operator(now)).await.unwrap());
        link(&name).await;
    }
    for number in 0..100 {
        let binding = Binding {
            id: store.next_number(),
            guild: guild_id,
            channel: ChannelId(number + 1),
            account: first.clone(),
            server: None,
            kinds: Group::Lifecycle.kinds(),
            mention: None,
            style: Style::Each,
            // Else the gateway would show that none of these channels is there.
            is_thread: None,
            created_by: UserId(guild.admin),
            created_at: now,
            covered_from: None,
            later_kinds: std::collections::BTreeMap::new(),
            paused_at: None,
            is_declared: false,
        };
        assert!(store.add_binding(&binding).await.unwrap());
    }
    let heard: Vec<_> = (0..100)
        .map(|number| HeardServer {
            server_id: format!("Survival-{number:02}").into(),
            last_event_at: now.nanoseconds(),
            wiped_at: None,
        })
        .collect();
    let mut transaction = store.write().await.unwrap();
    store.hear_servers(&mut transaction, &first, &heard).await.unwrap();
    transaction.commit().await.unwrap();
}

/// The description and the footer of a list's page.
fn page(reply: &Reply) -> (String, String) {
    assert!(reply.took < DISCORD_WAITS, "{reply:?}");
    let embed = &reply.embeds[0];
    (embed.description.clone().unwrap_or_default(), embed.footer.clone().unwrap_or_default())
}

async fn long_lists_have_pages(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let guild = house.guild("Rustaceans");
    let store = Store::open(&url).await.unwrap();
    crowd(&store, guild).await;
    let _bot = house.start().await.unwrap();
    // Entries become shorter at that moment.
    eventually("the entries are covered", async || {
        store.bindings_of_guild(GuildId(guild.id)).await.unwrap().iter().all(Binding::is_covered)
    })
    .await;
    let player = Actor { user: house.discord.add_member(guild.id, "player", 0), ..admin(guild) };
    for (command, list, count, by) in [
        ("notify list", "bindings", 100, admin(guild)),
        ("account list", "accounts", 61, admin(guild)),
        ("status", "servers", 100, player),
    ] {
        let first = house.discord.command(by, command, &[]).await.unwrap();
        let (description, footer) = page(&first);
        let pages: usize = footer.strip_prefix("Page 1 of ").unwrap().trim_end_matches('.').parse().unwrap();
        let mut entries: Vec<_> = description.split("\n\n").map(str::to_owned).collect();
        let mut reply = first.clone();
        for number in 2..=pages {
            reply = house.discord.press(by, &reply, &format!("page:{list}:{}", number - 1)).await.unwrap();
            let (description, footer) = page(&reply);
            assert_eq!(footer, format!("Page {number} of {pages}."), "/{command}");
            assert_eq!((reply.message, reply.ephemeral), (first.message, command != "status"), "in the same place");
            entries.extend(description.split("\n\n").map(str::to_owned));
        }
        let buttons = reply.components[0]["components"].as_array().unwrap();
        let ends: Vec<_> = buttons.iter().map(|button| (&button["label"], &button["disabled"])).collect();
        assert_eq!(ends, [(&json!("◀"), &json!(false)), (&json!("▶"), &json!(true))], "/{command}");
        assert_eq!(entries.len(), count, "/{command}: every entry once: {entries:#?}");
        let mut distinct = entries.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), count, "/{command}");
    }
    // A page is made anew at each press; one that has gone is the last that is left.
    let shown = house.command(guild, "notify list", &[]).await.unwrap();
    for binding in store.bindings_of_guild(GuildId(guild.id)).await.unwrap().iter().skip(3) {
        store.remove_binding(binding.guild, binding.id, &By::operator(clock::now())).await.unwrap();
    }
    let turned = house.discord.press(admin(guild), &shown, "page:bindings:1").await.unwrap();
    assert_eq!((page(&turned).0.matches(" hears ").count(), page(&turned).1.as_str()), (3, ""));
    assert_eq!(turned.components, json!([]), "what fits has no buttons");
}

async fn a_guild_has_so_many_entries_and_accounts(database: Database) {
    let mut house = build_house(database).await;
    house.bot = house.bot.clone().setting("limits.bindings_per_guild", "2").setting("limits.accounts_per_guild", "1");
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    let mut compare = Comparisons::default();
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let printed = house.operate(&["account", "invite", SECOND_ACCOUNT]).await.unwrap();
    let code = [("code", Value::from(printed.lines().last().unwrap()))];
    let said = says(&house, guild, "account link", &code).await;
    let full = "Accounts linked here: 1, and whoever operates me allows no more. End one with `/account unlink`. The code \
                was not used up.";
    compare.equal("accounts", &said, full);

    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.notify(guild, channel, "players", &[]).await.unwrap();
    let add = async |events: &str| {
        let options = [("channel", Value::from(channel.to_string())), ("events", events.into())];
        says(&house, guild, "notify add", &options).await
    };
    let full = "There are 2 entries in `/notify list`, and whoever operates me allows no more here. Let one hear more with \
                `/notify edit`, or end one with `/notify remove`.";
    compare.equal("entries", &add("chat").await, full);
    let equal = format!(
        "<#{channel}> hears exactly that already. If it refused me, I try again now; `/notify list` shows everything."
    );
    compare.equal("one that is there", &add("players").await, &equal);
    let ids = binding_ids(&house, guild).await;
    says(&house, guild, "notify remove", &[("binding", ids[0].as_str().into())]).await;
    house.notify(guild, channel, "chat", &[]).await.unwrap();
    // Another guild has its own, and the code is good there.
    let other = house.guild("Others");
    let said = says(&house, other, "account link", &code).await;
    assert!(said.contains("is linked to **GA-2**"), "{said}");
}

async fn who_is_too_quick_or_guesses_codes_waits(database: Database) {
    let mut house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let mut bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let second = Actor { user: house.discord.add_member(guild.id, "second", MANAGE_SERVER), ..admin(guild) };
    let third = Actor { user: house.discord.add_member(guild.id, "third", MANAGE_SERVER), ..admin(guild) };
    let printed = house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
    let good = printed.lines().last().unwrap().to_owned();
    let link = async |by: Actor, code: &str| {
        let reply = house.discord.command(by, "account link", &[("code", code.into())]).await.unwrap();
        crate::installation::without_moments(&reply.content)
    };
    let mut compare = Comparisons::default();
    let unknown = "I don't know that code. Check it for typing mistakes, or ask the account's owner for a new one.";
    let enough = "Too many codes were wrong, so I take none for a while, not even a good one. Check yours with the \
                  account's owner, and try again <time>.";
    for by in [admin(guild), second] {
        for number in 0..10 {
            compare.equal("wrong", &link(by, &format!("guess {number}")).await, unknown);
        }
        compare.equal("even a good one", &link(by, &good).await, enough);
    }
    compare.equal("nor by somebody else there", &link(third, &good).await, enough);
    let other = house.guild("Others");
    let elsewhere = link(admin(other), &good).await;
    assert!(elsewhere.contains("is linked to **GA-1**"), "{elsewhere}");

    assert!(bot.terminate().await.unwrap().success());
    house.bot = house.bot.clone().setting("limits.commands_per_minute", "2");
    let _bot = house.start().await.unwrap();
    let list = async |by: Actor| house.discord.command(by, "status", &[]).await.unwrap();
    assert!(!list(admin(guild)).await.ephemeral);
    assert!(!list(admin(guild)).await.ephemeral);
    let refused = list(admin(guild)).await;
    let quick = "You have used more commands in a minute than whoever operates me allows. Try again <time>.";
    compare.equal("too quick", &crate::installation::without_moments(&refused.content), quick);
    assert!(refused.ephemeral, "nobody else has to read that");
    assert!(!list(second).await.ephemeral, "others are not held up");
    // Typing is no command.
    for _ in 0..5 {
        assert_eq!(offered(&house, other, "notify add", &[], ("account", "")).await.len(), 1);
    }
    let asked = house.command(other, "account unlink", &[("account", FIRST_ACCOUNT.into())]).await.unwrap();
    house.discord.press(admin(other), &asked, "cancel").await.unwrap();
    let asked = house.discord.command(admin(other), "account list", &[]).await.unwrap();
    compare.equal("a press counts", &crate::installation::without_moments(&asked.content), quick);
}

/// `PostgreSQL` does not answer, and whoever types is answered at once all the same, and rightly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_typed_is_completed_while_the_database_stands_still() {
    let postgres = Postgres::shared();
    let proxy = TcpProxy::start(postgres.address()).await.unwrap();
    let direct = postgres.create_database("story").await.unwrap();
    let url = direct.replace(&postgres.address().to_string(), &proxy.addr().to_string());
    let house = House::build(Path::new(env!("CARGO_BIN_EXE_guildwire")), Some(&url)).await.unwrap();
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 1).await.unwrap();
    // A server that was just heard of for the first time is offered a moment after somebody began to type.
    let server = ("main · GA-1".to_owned(), "main".to_owned());
    let servers = async || offered(&house, guild, "status", &[], ("server", "")).await;
    eventually("the new server is offered", async || servers().await == std::slice::from_ref(&server)).await;
    let id = binding_ids(&house, guild).await.remove(0);

    proxy.hold_from_target();
    proxy.wait_until_holding(PATIENCE).await.unwrap();
    let mut fastest = Duration::MAX;
    for _ in 0..10 {
        let began = Instant::now();
        assert_eq!(servers().await, std::slice::from_ref(&server));
        fastest = fastest.min(began.elapsed());
        let binding = (format!("#{id} #status · lifecycle · GA-1"), id.clone());
        assert_eq!(offered(&house, guild, "notify pause", &[], ("binding", "")).await, [binding]);
        assert_eq!(offered(&house, guild, "account unlink", &[], ("account", "")).await.len(), 1);
    }
    assert!(fastest < Duration::from_millis(100), "the fastest answer took {fastest:?}");
    proxy.pass();
    drop(bot);
}
