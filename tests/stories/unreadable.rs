//! Accounts that can't be read: each says why, touches no other, and recovers by itself.

use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE};
use guildwire_harness::{NatsConfig, NatsServer, NatsUser};
use serde_json::Value;

use crate::fire::eventually;
use crate::installation::{
    Comparisons, USER, file, house_around, on_sqlite, says, wait_for_account_list, without_moments,
};
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(
    an_account_that_can_not_be_reached_says_why_and_recovers_by_itself,
    a_subject_that_is_no_text_is_told_with_the_way_out,
);
on_sqlite!(a_user_who_may_not_reset_the_consumer_is_told_the_subject);

async fn an_account_that_can_not_be_reached_says_why_and_recovers_by_itself(database: Database) {
    let mut house = house_around(NatsServer::start(&NatsConfig::blog_post()).unwrap(), database).await;
    let other = NatsServer::start(&NatsConfig::open()).unwrap();
    let url = house.nats.url();
    house.nats.kill().unwrap();
    let healthy = async_nats::jetstream::new(async_nats::connect(other.url()).await.unwrap());
    let healthy = guildwire_harness::house::Publisher { jetstream: healthy };
    healthy.make_stream().await.unwrap();

    let printed =
        house.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER, "--no-check"]).await;
    assert!(printed.unwrap().contains(&format!("\nIt was not tried whether it can be reached at {url}.\n")));
    house.operate(&["account", "add", "HEALTHY", "--url", &other.url(), "--user", "anybody"]).await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let (sick, well) = (house.channel(guild, "sick"), house.channel(guild, "well"));
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.link(guild, "HEALTHY").await.unwrap();
    let account = |name: &str| ("account", Value::from(name));
    let mut compare = Comparisons::default();

    let unreachable = "Its nats-server can't be reached. Ask the account's owner whether it runs; if it does, whoever \
                       operates me has to check its address.";
    let bound = format!("<#{sick}> hears **lifecycle** of **GA-1** (all servers)");
    let options = [("channel", sick.to_string().into()), ("events", "lifecycle".into()), account(FIRST_ACCOUNT)];
    compare.equal(
        "begins later",
        &says(&house, guild, "notify add", &options).await,
        &format!("🕓 {bound}, as soon as the account can be read. It can't yet: {unreachable} I keep trying."),
    );
    house.notify(guild, well, "lifecycle", &[account("HEALTHY")]).await.unwrap();
    let list = without_moments(&says(&house, guild, "account list", &[]).await);
    compare.equal(
        "the same reason",
        &list,
        &format!(
            "**GA-1** · linked <time>\n🔴 {unreachable} I keep trying (it began <time>).\n\n\
             **HEALTHY** · linked <time>\n🟢 reading its events (connected <time>)"
        ),
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    let waits = "\n🕓 begins as soon as the account can be read: `/account list` says why it can't";
    compare.equal("waits", &listed.lines().take(2).skip(1).collect::<String>(), &waits[1..]);
    let reason = format!(
        "can't read the account; trying again account=GA-1 reason=\"nats-server can't be reached at {url} (IO error: \
         Connection refused (os error 111)): check that it runs there and that this address is right\""
    );
    bot.wait_for_log(&reason, PATIENCE).await.unwrap();

    // The other account hears nothing of that.
    healthy.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(well, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // One cause is gone, the next comes to light.
    house.nats.start_again().unwrap();
    let no_stream = "**GA-1** · linked <time>\n🔴 No stream keeps its events. Tell the account's owner that a stream for \
                     the subjects v0\\.\\*\\.servers\\.\\> is missing. I keep trying (it began <time>).";
    let list = wait_for_account_list(&house, guild, PATIENCE, "No stream").await;
    compare.equal("no stream", list.split("\n\n").next().unwrap(), no_stream);
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    let list = wait_for_account_list(&house, guild, PATIENCE, "**GA-1** · linked <time>\n🟢").await;
    compare.equal(
        "reads",
        list.split("\n\n").next().unwrap(),
        "**GA-1** · linked <time>\n🟢 reading its events (connected <time>)",
    );
    let listed = says(&house, guild, "notify list", &[]).await;
    compare.equal("no longer waits", &listed.matches('🕓').count().to_string(), "0");
    publisher.publish("main.events.started", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(sick, 1).await.unwrap(), ["🟢 Server **main** is up"]);

    // And once more, in the middle of things.
    house.nats.kill().unwrap();
    wait_for_account_list(&house, guild, PATIENCE, "can't be reached").await;
    healthy.publish("main.events.stopping", "{}").await.unwrap();
    assert_eq!(house.wait_for_shown(well, 2).await.unwrap()[1], "🟠 Server **main** is about to stop");
    house.nats.start_again().unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.wiped", "{}").await.unwrap();
    let shown = house.wait_for_shown(sick, 2).await.unwrap();
    assert_eq!(shown, ["🟢 Server **main** is up", "✨ Server **main** was wiped: a fresh world awaits"]);
}

/// An address as it stands in text that renders markdown.
fn escaped(text: &str) -> String {
    guildwire::domain::text::escape(text)
}

async fn a_user_who_may_not_reset_the_consumer_is_told_the_subject(database: Database) {
    let config = |user: NatsUser| {
        NatsConfig::open().account(FIRST_ACCOUNT, &[NatsUser::without_password(NatsConfig::BLOG_POST_USER), user])
    };
    let user = || NatsUser::password(USER.0, USER.1);
    let denied = config(user().publish_deny(&["$JS.API.CONSUMER.RESET.>"]));
    let mut house = house_around(NatsServer::start(&denied).unwrap(), database).await;
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.make_stream().await.unwrap();
    publisher.publish("main.events.started", "{}").await.unwrap();
    let password = file(&house, "password", USER.1);
    let add = ["account", "add", FIRST_ACCOUNT, "--user", USER.0, "--password-file", &password];
    house.operate(&add).await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    let mut compare = Comparisons::default();

    let options = [("channel", channel.to_string().into()), ("events", "lifecycle".into())];
    let said = says(&house, guild, "notify add", &options).await;
    let log = bot.log();
    let (_, rest) = log.split_once("durable=\"").unwrap();
    let durable = rest.split('"').next().unwrap();
    let subject = format!("$JS.API.CONSUMER.RESET.EVENTS.{durable}");
    let reason = format!("the user may not publish to {subject}: allow that subject in the user's permissions");
    let lacks = format!(
        "I lack a permission on its nats-server. Tell the account's owner: my user needs to publish to {}.",
        escaped(&subject)
    );
    let bound = format!("<#{channel}> hears **lifecycle** of **GA-1** (all servers)");
    compare.equal(
        "begins later",
        &said,
        &format!("🕓 {bound}, as soon as the account can be read. It can't yet: {lacks} I keep trying."),
    );
    let list = without_moments(&says(&house, guild, "account list", &[]).await);
    let wanted = format!("**GA-1** · linked <time>\n🔴 {lacks} I keep trying (it began <time>).");
    compare.equal("list", &list, &wanted);
    let logged = format!("can't read the account; trying again account=GA-1 reason=\"{reason}\"");
    bot.wait_for_log(&logged, PATIENCE).await.unwrap();

    // What is published meanwhile is kept in the stream, and shown once the permission is there.
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    house.nats.reload(&config(user())).unwrap();
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟠 Server **main** is about to stop"]);
    wait_for_account_list(&house, guild, PATIENCE, "🟢").await;
}

async fn a_subject_that_is_no_text_is_told_with_the_way_out(database: Database) {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "status");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "everything", &[]).await.unwrap();
    house.publisher(FIRST_ACCOUNT).await.unwrap().publish("main.events.started", "{}").await.unwrap();

    // No client library publishes that, but nats-server takes it from whoever may publish.
    let mut client = tokio::net::TcpStream::connect(house.nats.address()).await.unwrap();
    let mut lines =
        format!("CONNECT {{\"verbose\":false,\"user\":\"{}\"}}\r\n", NatsConfig::BLOG_POST_USER).into_bytes();
    for server in [&b"\xff\xfe"[..], b"main\xff", b"ma\x01in"] {
        lines.extend_from_slice(b"PUB v0.rust.servers.");
        lines.extend_from_slice(server);
        lines.extend_from_slice(b".events.started 2\r\n{}\r\n");
    }
    lines.extend_from_slice(b"PING\r\n");
    client.write_all(&lines).await.unwrap();
    let mut said = String::new();
    while !said.contains("PONG") {
        let mut bytes = [0; 4096];
        let read = client.read(&mut bytes).await.unwrap();
        assert!(read > 0, "{said}");
        said.push_str(&String::from_utf8_lossy(&bytes[..read]));
    }
    assert!(!said.contains("-ERR"), "{said}");
    let publisher = house.publisher(FIRST_ACCOUNT).await.unwrap();
    publisher.publish("main.events.stopping", "{}").await.unwrap();
    // What came before it was read.
    assert_eq!(house.wait_for_shown(channel, 1).await.unwrap(), ["🟢 Server **main** is up"]);
    let stream = publisher.jetstream.get_stream("EVENTS").await.unwrap();
    // Deleting the first leaves a gap in the numbers, no more.
    let reason = "the connection to nats-server is lost whenever events are asked for: most likely a subject in stream EVENTS \
                  is not UTF-8, behind message 1; find it with `nats stream view EVENTS` and delete it with `nats stream rmm \
                  EVENTS NUMBER`";
    let told = "🔴 A message in its stream can't be read. Tell the account's owner: in stream EVENTS, behind message 1, \
                a subject is not UTF-8, and that message has to be deleted. I keep trying";
    let mut seen = 0;
    for number in [2, 3] {
        wait_for_account_list(&house, guild, PATIENCE, told).await;
        // An attempt that was under way as the one before was deleted may have met that.
        eventually("it is met", async || bot.log()[seen..].matches(reason).count() >= 2).await;
        stream.delete_message(number).await.unwrap();
        seen = bot.log().len();
    }
    let shown = house.wait_for_shown(channel, 3).await.unwrap();
    assert_eq!(shown[1..], ["🟢 Server **main** is up", "🟠 Server **main** is about to stop"]);
    let lost = bot.log().matches("WARN guildwire::intake").count();
    assert!(lost < 40, "{lost} warnings");
}
