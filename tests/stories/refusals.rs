//! Bad input in Discord: each is answered by words that say what to do next, and changes nothing.

use std::time::Duration;

use discord_sim::{Actor, ChannelKind, CommandError};
use guildwire::clock;
use guildwire::domain::audit::By;
use guildwire::domain::invite::InviteCode;
use guildwire::store::Store;
use guildwire_harness::house::{FIRST_ACCOUNT, SECOND_ACCOUNT};
use serde_json::Value;

use crate::installation::{Comparisons, DISCORD_WAITS, MANAGE_SERVER, on_sqlite, says, usual_house};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    codes_that_are_no_good_link_nothing,
    what_can_not_be_bound_is_refused_and_not_bound,
    another_guilds_binding_can_not_be_removed,
);
on_sqlite!(nobody_without_manage_server_configures_the_bot);

const NOT_LINKED: &str = "No game-server account is linked here yet. Ask the account's owner for a one-time code and use \
                          it with `/account link`.";
const NOTHING_BOUND: &str = "No channel hears anything yet. `/notify add` changes that.";

async fn codes_that_are_no_good_link_nothing(database: Database) {
    let (house, url) = usual_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (first, second) = (house.guild("First"), house.guild("Second"));
    let store = Store::open(&url).await.unwrap();
    let invite = async || {
        let printed = house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
        printed.lines().last().unwrap().to_owned()
    };
    let mut compare = Comparisons::default();
    let unknown = "I don't know that code. Check it for typing mistakes, or ask the account's owner for a new one.";
    let used = "That code was used already; each works once. Ask the account's owner for a new one.";
    let expired = "That code has expired. Ask the account's owner for a new one.";
    let linked = "✅ This Discord server is linked to **GA-1**. Next: `/notify add` to choose which of its events go to \
                  which channel.";
    let again = "This Discord server is linked to **GA-1** already. The code was not used up.";

    // Made by hand an hour ago and good for half an hour, as nobody wants to wait for the shortest there is.
    let old = InviteCode::from_random([7; 20]);
    let hour = Duration::from_hours(1).as_nanos();
    let made = guildwire::domain::timestamp::Timestamp::from_nanoseconds(
        clock::now().nanoseconds() - i64::try_from(hour).unwrap(),
    );
    let account = FIRST_ACCOUNT.parse().unwrap();
    store.add_invite(&account, &old.hash(), made.plus(Duration::from_mins(30)), &By::operator(made)).await.unwrap();

    let code = invite().await;
    for (what, typed, wanted) in [
        ("wrong", "2345-6789-ABCD-EFGH-JKLM", unknown),
        ("no code at all", "@everyone", unknown),
        ("nothing but spaces", "   ", unknown),
        ("expired", old.as_str(), expired),
    ] {
        compare.equal(what, &says(&house, first, "account link", &[("code", typed.into())]).await, wanted);
    }
    compare.equal("before", &says(&house, first, "account list", &[]).await, NOT_LINKED);

    // However it is typed.
    let typed = format!(" {} ", code.to_lowercase().replace('-', " "));
    compare.equal("good", &says(&house, first, "account link", &[("code", typed.into())]).await, linked);
    for guild in [first, second] {
        let said = says(&house, guild, "account link", &[("code", code.clone().into())]).await;
        compare.equal("used", &said, used);
    }
    compare.equal("not the second guild", &says(&house, second, "account list", &[]).await, NOT_LINKED);

    let code = invite().await;
    compare.equal("again", &says(&house, first, "account link", &[("code", code.clone().into())]).await, again);
    compare.equal("still good", &says(&house, second, "account link", &[("code", code.into())]).await, linked);
    let list = house.operate(&["account", "list"]).await.unwrap();
    let line = list.lines().find(|line| line.starts_with("GA-1")).unwrap();
    compare.equal("two guilds and no bindings", &line.split_whitespace().skip(6).collect::<Vec<_>>().join(" "), "2 0");
}

#[expect(clippy::too_many_lines, reason = "a list of refusals, each in its full words")]
async fn what_can_not_be_bound_is_refused_and_not_bound(database: Database) {
    const VIEW: u64 = 1 << 10;
    const SEND: u64 = 1 << 11;
    const EMBED: u64 = 1 << 14;
    const SEND_IN_THREADS: u64 = 1 << 38;
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = |name: &str, denied: u64| {
        let channel = house.channel(guild, name);
        if denied != 0 {
            house.discord.deny(channel, denied);
        }
        channel
    };
    let thread = |parent: u64| house.discord.add_channel(guild.id, "thread", ChannelKind::PublicThread { parent });
    let add = async |channel: u64, events: &str, more: &[(&str, Value)]| {
        let mut options = vec![("channel", channel.to_string().into()), ("events", events.into())];
        options.extend_from_slice(more);
        says(&house, guild, "notify add", &options).await
    };
    let mut compare = Comparisons::default();

    let open = channel("open", 0);
    compare.equal("no account is linked", &add(open, "lifecycle", &[]).await, NOT_LINKED);
    let named = add(open, "lifecycle", &[("account", FIRST_ACCOUNT.into())]).await;
    compare.equal("nor the one that is named", &named, NOT_LINKED);
    house.link(guild, FIRST_ACCOUNT).await.unwrap();

    let hidden = channel("hidden", VIEW);
    let said = add(hidden, "lifecycle", &[]).await;
    compare.equal("hidden", &said, &missing(hidden, "**View Channel**"));
    let mute = channel("mute", SEND);
    compare.equal("mute", &add(mute, "lifecycle", &[]).await, &missing(mute, "**Send Messages**"));
    let bare = channel("bare", EMBED);
    compare.equal("bare", &add(bare, "lifecycle", &[]).await, &missing(bare, "**Embed Links**"));
    let both = channel("both", SEND | EMBED);
    let said = add(both, "lifecycle", &[]).await;
    compare.equal("both", &said, &missing(both, "**Send Messages**, **Embed Links**"));

    let quiet = thread(channel("threads are quiet", SEND_IN_THREADS));
    let said = add(quiet, "lifecycle", &[]).await;
    compare.equal("quiet thread", &said, &missing(quiet, "**Send Messages in Threads**"));
    let unseen = thread(hidden);
    let said = add(unseen, "lifecycle", &[]).await;
    compare.equal("thread of a hidden channel", &said, &missing(unseen, "**View Channel**"));

    let said = add(open, "lifecycle", &[("server", "@everyone *main*".into())]).await;
    compare.equal(
        "no server so far",
        &said,
        "I have heard of no server ＠everyone \\*main\\* yet: none of the account's servers has sent an event so far. \
         Leave the option `server` out to hear all of them.",
    );
    let said = add(open, "lifecycle", &[("account", SECOND_ACCOUNT.into())]).await;
    compare.equal("not linked", &said, "The account GA\\-2 is not linked here. Linked are: **GA-1**.");
    let said = add(open, "lifecycle", &[("account", "ga-1".into())]).await;
    compare.equal("typed by hand", &said, "The account ga\\-1 is not linked here. Linked are: **GA-1**.");

    let everyone = ("mention", guild.id.to_string().into());
    compare.equal("everyone", &add(open, "lifecycle", &[everyone]).await, "I don't mention @everyone. Choose a role.");
    let role = house.discord.add_role(guild.id, "Raiders", false);
    let mention = ("mention", role.to_string().into());
    let wanted = format!(
        "I may not mention <@&{role}>: allow anyone to mention that role in its settings, or give me **Mention \
         @everyone, @here, and All Roles** in the channel."
    );
    compare.equal("a role of others", &add(open, "lifecycle", std::slice::from_ref(&mention)).await, &wanted);
    compare.equal("nothing so far", &says(&house, guild, "notify list", &[]).await, NOTHING_BOUND);

    // What was refused works once its cause is gone.
    house.discord.set_role_mentionable(guild.id, role, true);
    let said = add(open, "lifecycle", std::slice::from_ref(&mention)).await;
    let bound = format!(
        "✅ <#{open}> hears **lifecycle** of **GA-1** (all servers), mentioning <@&{role}>, from this moment on."
    );
    compare.equal("mentionable now", &said, &bound);
    let again = format!(
        "<#{open}> hears exactly that already. If it refused me, I try again now; `/notify list` shows everything."
    );
    compare.equal("equal", &add(open, "lifecycle", &[mention]).await, &again);
    house.discord.deny(mute, 0);
    let said = add(mute, "lifecycle", &[]).await;
    compare.equal(
        "no longer mute",
        &said,
        &format!("✅ <#{mute}> hears **lifecycle** of **GA-1** (all servers), from this moment on."),
    );
    // In a thread the permission to send in channels means nothing.
    let open_thread = thread(both);
    house.discord.deny(both, SEND);
    let said = add(open_thread, "lifecycle", &[]).await;
    compare.equal(
        "a thread",
        &said,
        &format!("✅ <#{open_thread}> hears **lifecycle** of **GA-1** (all servers), from this moment on."),
    );

    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();
    house.wait_for_shown(open, 1).await.unwrap();
    let said = add(open, "lifecycle", &[("server", "other".into())]).await;
    compare.equal("another server", &said, "I have heard of no server other yet. I know: **main**.");
    house.link(guild, SECOND_ACCOUNT).await.unwrap();
    let said = add(open, "players", &[]).await;
    compare.equal(
        "which of two",
        &said,
        "Several accounts are linked here: **GA-1**, **GA-2**. Say whose events you mean with the option `account`.",
    );
    let said = add(open, "players", &[("account", SECOND_ACCOUNT.into()), ("server", "main".into())]).await;
    compare.equal(
        "the other account's server",
        &said,
        "I have heard of no server main yet: none of the account's servers has sent an event so far. Leave the option \
         `server` out to hear all of them.",
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    compare.equal("three are bound", &listed.matches(" hears ").count().to_string(), "3");
}

fn missing(channel: u64, permissions: &str) -> String {
    format!(
        "I can't post in <#{channel}>: I am missing {permissions} there. Add that in the channel's settings under \
         Permissions, for my role, and try again."
    )
}

async fn nobody_without_manage_server_configures_the_bot(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let bound = says(&house, guild, "notify list", &[]).await;
    let id = bound.split(['#', '`']).nth(2).unwrap().to_owned();
    let printed = house.operate(&["account", "invite", SECOND_ACCOUNT]).await.unwrap();
    let code = printed.lines().last().unwrap().to_owned();

    // Somebody who may do a lot, but not that.
    let moderator = house.discord.add_member(guild.id, "moderator", !MANAGE_SERVER & !0x8 & ((1 << 50) - 1));
    let by = Actor { guild: guild.id, channel: guild.lobby, user: moderator };
    let mut compare = Comparisons::default();
    for (name, options) in [
        ("account link", vec![("code", Value::from(code.as_str()))]),
        ("account list", vec![]),
        ("notify add", vec![("channel", channel.to_string().into()), ("events", "chat".into())]),
        ("notify list", vec![]),
        ("account unlink", vec![("account", FIRST_ACCOUNT.into())]),
        ("notify edit", vec![("binding", id.as_str().into())]),
        ("notify pause", vec![("binding", id.as_str().into())]),
        ("notify resume", vec![("binding", id.as_str().into())]),
        ("notify remove", vec![("binding", id.into())]),
    ] {
        assert_eq!(house.discord.command(by, name, &options).await, Err(CommandError::NotPermitted));
        // A guild's admins can open a command to everybody.
        let reply = house.discord.command_unchecked(by, name, &options).await.unwrap();
        assert!(reply.ephemeral && reply.took < DISCORD_WAITS, "{reply:?}");
        let wanted = "You need the permission **Manage Server** here for that. Ask somebody who has it.";
        compare.equal(name, &reply.content, wanted);
    }
    for (name, option) in [
        ("account unlink", "account"),
        ("notify add", "account"),
        ("notify add", "server"),
        ("notify edit", "binding"),
        ("notify remove", "binding"),
    ] {
        let choices = house.discord.autocomplete_unchecked(by, name, &[], option, "").await.unwrap();
        assert_eq!(choices, vec![], "/{name} {option}");
    }
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &bound);
    let list = says(&house, guild, "account list", &[]).await;
    compare.equal("one account", &list.matches("linked").count().to_string(), "1");
    // The code was not used up.
    house.command(guild, "account link", &[("code", code.into())]).await.unwrap();
    compare.equal(
        "two accounts",
        &says(&house, guild, "account list", &[]).await.matches("linked").count().to_string(),
        "2",
    );
}

async fn another_guilds_binding_can_not_be_removed(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (guild, others) = (house.guild("Rustaceans"), house.guild("Others"));
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(others, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "lifecycle", &[]).await.unwrap();
    let bound = says(&house, guild, "notify list", &[]).await;
    let id = bound.split(['#', '`']).nth(2).unwrap();
    let mut compare = Comparisons::default();

    let none = "There is no such entry here. `/notify list` shows what there is.";
    for by in [guild, others] {
        for typed in ["", "#", "0", "-1", "999999", "first", "1 OR 1=1", "99999999999999999999", "１"] {
            let said = says(&house, by, "notify remove", &[("binding", typed.into())]).await;
            compare.equal(typed, &said, none);
        }
    }
    let said = says(&house, others, "notify remove", &[("binding", id.into())]).await;
    compare.equal("another guild's", &said, none);
    compare.equal("as before", &says(&house, guild, "notify list", &[]).await, &bound);

    // As it stands in the list.
    let said = says(&house, guild, "notify remove", &[("binding", format!(" #{id} ").into())]).await;
    let removed = format!(
        "🗑️ Removed: <#{channel}> hears **lifecycle** of **GA-1** (all servers). What was due already is still shown."
    );
    compare.equal("its own", &said, &removed);
    let said = says(&house, guild, "notify remove", &[("binding", id.into())]).await;
    compare.equal("gone", &said, none);
}
