//! What a guild calls its servers and which of them it sees, what is expected of them, and maintenance.

use discord_sim::Actor;
use guildwire::discord::words;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, SECOND_ACCOUNT};
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{Comparisons, offered, says, without_moments};
use crate::managing::admin;
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    a_guild_names_servers_and_hides_those_that_it_does_not_use,
    only_who_may_speak_for_an_account_says_what_to_expect,
    maintenance_is_announced_where_its_server_is_heard,
);

fn of(account: &str) -> (&'static str, Value) {
    ("account", account.into())
}

fn server(name: &str) -> (&'static str, Value) {
    ("server", name.into())
}

/// A house with a guild that hears everything of both accounts in one channel; each has a server `0` that has started.
async fn furnished(database: Database) -> (House, guildwire_harness::RunningBot, Guild, u64) {
    let mut house = build_house(database).await;
    // No second look within a story: from then on, `/status` may tell as well when the connection was seen.
    house.bot = house.bot.setting("status.presence_seconds", "300");
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "everything");
    for account in [FIRST_ACCOUNT, SECOND_ACCOUNT] {
        house.link(guild, account).await.unwrap();
        house.notify(guild, channel, "everything", &[of(account)]).await.unwrap();
        house.publisher(account).await.unwrap().publish("0.events.started", "{}").await.unwrap();
    }
    house.wait_for_shown(channel, 2).await.unwrap();
    (house, bot, guild, channel)
}

async fn a_guild_names_servers_and_hides_those_that_it_does_not_use(database: Database) {
    let (house, _bot, guild, channel) = furnished(database).await;
    let stranger = house.guild("Strangers");
    house.link(stranger, FIRST_ACCOUNT).await.unwrap();
    let mut compare = Comparisons::default();
    let told = async |name: &str, options: &[(&str, Value)]| without_moments(&says(&house, guild, name, options).await);
    let name = |name: &str| ("name", Value::from(name));

    let which = "Several accounts have a server 0: **GA-1**, **GA-2**. Say whose you mean with the option `account`.";
    compare.equal("whose", &told("server rename", &[server("0"), name("Main")]).await, which);
    let renamed = "✅ The server 0 of **GA-1** is called **Main** here from now on.";
    compare.equal("named", &told("server rename", &[server("0"), of(FIRST_ACCOUNT), name(" Main ")]).await, renamed);
    let taken = "Another server here goes by **MAIN** already. Choose a name that tells them apart.";
    compare.equal("taken", &told("server rename", &[server("0"), of(SECOND_ACCOUNT), name("MAIN")]).await, taken);
    let unseen = told("server rename", &[server("0"), of(SECOND_ACCOUNT), name("\u{200b}\u{202e}")]).await;
    compare.equal("nothing to see", &unseen, words::NOTHING_IN_THE_NAME);
    let hostile = told("server rename", &[server("0"), of(SECOND_ACCOUNT), name("@everyone <@&1> \u{202e}*x*")]).await;
    let renamed = "✅ The server 0 of **GA-2** is called **＠everyone \\<\\@&1\\> \\*x\\*** here from now on.";
    compare.equal("hostile", &hostile, renamed);

    // The name stands in what is told, offered and answered, and the id stays beside it.
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("0.events.wiped", "null").await.unwrap();
    let shown = house.wait_for_shown(channel, 3).await.unwrap();
    assert!(shown[2].contains("**Main**"), "{shown:?}");
    let footer = house.discord.messages(channel).last().unwrap().embeds[0].footer.clone().unwrap();
    assert!(footer.contains("GA-1 · 0"), "{footer}");
    let choices = offered(&house, guild, "status", &[], ("server", "mai")).await;
    assert_eq!(choices, [("Main (0) · GA-1".to_owned(), "0".to_owned())]);
    let main = "**Main** · GA-1\n🟢 online since <time>: it said that it started\nnobody on · wiped <time> · last heard <time>";
    compare.equal("by its name", &told("status", &[server("main")]).await, main);
    let theirs = without_moments(&says(&house, stranger, "status", &[]).await);
    assert!(theirs.starts_with("**0** · GA-1\n"), "it is this guild's own name: {theirs}");

    // An incident is told by that name, also where its message changes, and so is its end.
    let last = || house.discord.messages(channel).last().unwrap().embeds[0].description.clone().unwrap();
    publisher.publish("0.events.stopping", "{}").await.unwrap();
    house.wait_for_shown(channel, 4).await.unwrap();
    assert!(last().contains("**Main**"), "{}", last());
    let before = last();
    publisher.publish("0.events.stopped", "{}").await.unwrap();
    eventually("the message changes", async || last() != before).await;
    assert!(last().contains("**Main**"), "{}", last());
    publisher.publish("0.events.started", "{}").await.unwrap();
    house.wait_for_shown(channel, 5).await.unwrap();
    assert!(last().contains("**Main**"), "{}", last());

    // Hidden, until something is heard of it.
    let hidden = "🙈 **Main** is hidden here until it is heard of again. What goes to channels stays as it is: `/notify \
                  list` shows that.";
    compare.equal("hidden", &told("server forget", &[server("Main")]).await, hidden);
    let status = told("status", &[]).await;
    assert!(!status.contains("Main") && status.contains("＠everyone"), "{status}");
    assert!(offered(&house, guild, "status", &[], ("server", "mai")).await.is_empty());
    compare.equal("asked for", &told("status", &[server("main")]).await, main);
    let listed = told("server list", &[]).await;
    assert!(listed.starts_with("**Main** · GA-1 · id 0\n🟢 online") && listed.contains("🙈 hidden here"), "{listed}");
    assert!(without_moments(&says(&house, stranger, "status", &[]).await).contains("**0** · GA-1"));
    publisher.publish("0.players.7.events.connected", "{}").await.unwrap();
    eventually("it is back", async || told("status", &[]).await.contains("**Main** · GA-1")).await;
    assert!(!told("server list", &[]).await.contains('🙈'));

    let by_id = "✅ The server **0** of **GA-1** goes by its id again.";
    compare.equal("by its id", &told("server rename", &[server("0"), of(FIRST_ACCOUNT)]).await, by_id);
    let unknown = "I have heard of no server main yet. I know: **0**, **＠everyone \\<\\@&1\\> \\*x\\***.";
    compare.equal("no name", &told("status", &[server("main")]).await, unknown);
    for message in [channel, guild.lobby].iter().flat_map(|channel| house.discord.messages(*channel)) {
        let notified = (message.notified_roles.len(), message.notified_users.len(), message.notified_everyone);
        assert_eq!(notified, (0, 0, false), "{}", message.raw);
    }
}

async fn only_who_may_speak_for_an_account_says_what_to_expect(database: Database) {
    let (house, _bot, guild, _) = furnished(database).await;
    let owner = house.guild("Owners");
    house.link(owner, FIRST_ACCOUNT).await.unwrap();
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--owner", &owner.admin.to_string()]).await.unwrap();
    let mut compare = Comparisons::default();
    let silence = |of: &str| ("silence", Value::from(of));
    let zero = |account| [server("0"), of(account), silence("30m")];

    let refused = "That concerns everybody who hears **GA-1**, so only its owner may say it; and it has one. Ask them, or \
                   whoever operates me.";
    compare.equal("not theirs", &says(&house, guild, "server expect", &zero(FIRST_ACCOUNT)).await, refused);
    let start = [server("0"), of(FIRST_ACCOUNT), ("duration", "1h".into())];
    compare.equal("nor that", &says(&house, guild, "maintenance start", &start).await, refused);
    let end = [server("0"), of(FIRST_ACCOUNT)];
    compare.equal("nor its end", &says(&house, guild, "maintenance end", &end).await, refused);
    let expected = "✅ Where its connection can't be seen, **0** counts as out of contact once nothing was heard of it for \
                    more than 30 minutes.";
    compare.equal("the owner", &says(&house, owner, "server expect", &zero(FIRST_ACCOUNT)).await, expected);
    compare.equal("nobody's", &says(&house, guild, "server expect", &zero(SECOND_ACCOUNT)).await, expected);
    let listed = says(&house, guild, "server list", &[]).await;
    assert_eq!(listed.matches("silent for more than 30 minutes means contact lost").count(), 2, "{listed}");
    let off = says(&house, guild, "server expect", &[server("0"), of(SECOND_ACCOUNT), silence("off")]).await;
    compare.equal("off", &off, "✅ **0** may be silent for as long as it likes.");
    let shown = without_moments(&says(&house, guild, "server expect", &[server("0"), of(SECOND_ACCOUNT)]).await);
    assert!(shown.ends_with("may be silent for as long as it likes"), "{shown}");

    // A connection that nobody has can't be chosen, and what is connected is offered to those who may choose it alone.
    let connection = [server("0"), of(SECOND_ACCOUNT), ("connection", "nobody/".into())];
    let said = says(&house, guild, "server expect", &connection).await;
    assert!(said == words::NO_SUCH_CONNECTION || said == words::connections_unseen("GA-2"), "{said}");
    let choices = offered(&house, guild, "server expect", &[server("0"), of(FIRST_ACCOUNT)], ("connection", "")).await;
    assert_eq!(choices, [(words::NO_CONNECTION_CHOICE.to_owned(), "none".to_owned())]);

    let audit = house.operate(&["audit", "--account", FIRST_ACCOUNT]).await.unwrap();
    let line = "server expected";
    assert!(audit.contains(line) && audit.contains("server 0: silent for at most 30 minutes"), "{audit}");
    assert!(!audit.contains("server maintained"), "{audit}");
}

async fn maintenance_is_announced_where_its_server_is_heard(database: Database) {
    let (house, _bot, guild, channel) = furnished(database).await;
    let neighbours = house.guild("Neighbours");
    house.link(neighbours, FIRST_ACCOUNT).await.unwrap();
    let theirs = house.channel(neighbours, "theirs");
    house.notify(neighbours, theirs, "lifecycle", &[]).await.unwrap();
    let mut compare = Comparisons::default();
    let told = async |name: &str, options: &[(&str, Value)]| without_moments(&says(&house, guild, name, options).await);
    let zero = [server("0"), of(FIRST_ACCOUNT)];
    let start = [server("0"), of(FIRST_ACCOUNT), ("duration", "2h".into()), ("reason", "@everyone look".into())];

    let none = "**0** is not under maintenance. `/maintenance start` announces it.";
    compare.equal("none", &told("maintenance end", &zero).await, none);
    let begun = format!("🔧 **0** is under maintenance until <time>. I tell <#{channel}>.");
    compare.equal("begun", &told("maintenance start", &start).await, &begun);
    let already = "**0** is under maintenance already, until <time>. `/maintenance end` ends it.";
    compare.equal("already", &told("maintenance start", &start).await, already);
    house.wait_for_shown(channel, 3).await.unwrap();
    house.wait_for_shown(theirs, 1).await.unwrap();
    let message = house.discord.messages(channel).pop().unwrap();
    let text = message.embeds[0].description.clone().unwrap();
    assert!(text.starts_with("🔧 Server **0** is under maintenance") && text.contains("＠everyone look"), "{text}");
    assert!(!message.notified_everyone && message.notified_roles.is_empty(), "{}", message.raw);

    let ended = format!("🔧 The maintenance of **0** is over. I tell <#{channel}>.");
    compare.equal("ended", &told("maintenance end", &zero).await, &ended);
    house.wait_for_shown(channel, 4).await.unwrap();
    house.wait_for_shown(theirs, 2).await.unwrap();
    compare.equal("ended already", &told("maintenance end", &zero).await, none);
    let audit = house.operate(&["audit", "--account", FIRST_ACCOUNT]).await.unwrap();
    assert_eq!(audit.matches("server maintained").count(), 2, "{audit}");

    // One who may not manage the guild announces nothing.
    let member = Actor { user: house.discord.add_member(guild.id, "member", 0), ..admin(guild) };
    let reply = house.discord.command_unchecked(member, "maintenance start", &start).await.unwrap();
    compare.equal("a member", &reply.content, words::NEEDS_MANAGE_SERVER);
}
