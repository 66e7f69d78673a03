//! Who did what: told to owners in Discord and to the operator at the command line, and forgotten after a while.

use guildwire::store::Store;
use guildwire_harness::house::{FIRST_ACCOUNT, PATIENCE, SECOND_ACCOUNT};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, refused, says, usual_house, without_moments};
use crate::managing::{admin, binding_ids};
use crate::support::{Database, on_both_databases};

on_both_databases!(who_did_what_is_told_to_owner_and_operator);

async fn who_did_what_is_told_to_owner_and_operator(database: Database) {
    let (house, url) = usual_house(database).await;
    let mut compare = Comparisons::default();
    compare.equal("nothing", &house.operate(&["audit"]).await.unwrap(), "Nothing is noted so far.\n");
    house.add_accounts().await.unwrap();
    let bot = house.start().await.unwrap();
    let (home, friends) = (house.guild("Home"), house.guild("Friends"));
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--owner", &home.admin.to_string()]).await.unwrap();
    house.link(friends, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(friends, "status");
    house.notify(friends, channel, "lifecycle", &[]).await.unwrap();
    let id = binding_ids(&house, friends).await.remove(0);
    says(&house, friends, "notify remove", &[("binding", id.into())]).await;
    let account = [("account", Value::from(FIRST_ACCOUNT))];
    let said = says(&house, home, "account audit", &account).await;
    assert!(said.contains("(in **Friends**) **linked a Discord server** · **Friends**"), "{said}");
    let shown = house.command(home, "account guilds", &account).await.unwrap();
    let friend = friends.id.to_string();
    let asked = house.discord.select(admin(home), &shown, "unlink_which:GA-1", &[&friend]).await.unwrap();
    house.discord.press(admin(home), &asked, &format!("unlink_guild:{friend}:GA-1")).await.unwrap();

    // One that is not linked any more is not named.
    let said = without_moments(&says(&house, home, "account audit", &account).await);
    let (owner, theirs) = (home.admin, friends.admin);
    let binding = format!("channel {channel}: server.started server.stopping server.stopped server.wiped, each");
    let url_shown = house.nats.url();
    let wanted = [
        format!("<time> · <@{owner}> (in **Home**) **unlinked a Discord server** · Discord server {friend}"),
        format!(
            "<time> · <@{theirs}> (in Discord server {friend}) **removed an entry of `/notify list`** · Discord server {friend}\n{binding}"
        ),
        format!(
            "<time> · <@{theirs}> (in Discord server {friend}) **added an entry of `/notify list`** · Discord server {friend}\n{binding}"
        ),
        format!(
            "<time> · <@{theirs}> (in Discord server {friend}) **linked a Discord server** · Discord server {friend}"
        ),
        "<time> · Whoever operates me **made a one-time code**".to_owned(),
        format!("<time> · Whoever operates me **changed whose it is**\nuser {owner}"),
        format!("<time> · Whoever operates me **added the account**\n{url_shown}"),
    ];
    let told = said.replace("\\_", "_").replace("\\-", "-").replace("\\.", ".").replace("\\/", "/").replace("\\:", ":");
    compare.equal("to the owner", &told, &format!("{}\nThe latest first; no more than 500.", wanted.join("\n\n")));
    let reply = house.command(home, "account audit", &account).await.unwrap();
    assert_eq!(reply.raw["mentions"].as_array().map(Vec::len).unwrap_or_default(), 0, "nobody is called: {reply:?}");

    let told = house.operate(&["audit", "--account", FIRST_ACCOUNT, "--limit", "2"]).await.unwrap();
    let lines: Vec<_> = told.lines().map(|line| line.split_once(" UTC  ").unwrap().1).collect();
    assert_eq!(
        lines,
        [
            format!("user {owner} in guild {}  guild unlinked  account GA-1  guild {friend}", home.id),
            format!("user {theirs} in guild {friend}  binding removed  account GA-1  guild {friend}  ({binding})"),
        ]
    );
    let told = house.operate(&["audit", "--json"]).await.unwrap();
    let told: Vec<Value> = serde_json::from_str(&told).unwrap();
    assert_eq!(told.len(), 8, "with the second account's: {told:#?}");
    let mut first = told[0].clone();
    assert!(first["at"].take().as_str().unwrap().ends_with('Z'));
    let wanted = json!({
        "at": null, "actor": "person", "user": owner.to_string(), "from_guild": home.id.to_string(),
        "action": "guild unlinked", "account": FIRST_ACCOUNT, "guild": friend, "details": "",
    });
    assert_eq!(first, wanted);
    assert_eq!((&told[7]["actor"], &told[7]["user"]), (&json!("operator"), &Value::Null));

    // One that is gone has left its lines to the operator.
    house.operate(&["account", "remove", SECOND_ACCOUNT, "--yes"]).await.unwrap();
    let told = house.operate(&["audit", "--account", SECOND_ACCOUNT]).await.unwrap();
    assert!(told.contains("account removed  account GA-2") && told.contains("account added"), "{told}");
    let told = house.operate(&["audit", "--account", "GA-9"]).await.unwrap();
    compare.equal("of none", &told, "Nothing that was done to GA-9 is noted.\n");
    refused(&house.bot, 2, &["audit", "--limit", "0"]).await;

    let store = Store::open(&url).await.unwrap();
    let mut transaction = store.write().await.unwrap();
    let aged =
        sqlx::query("UPDATE audit SET done_at = 0 WHERE account = 'GA-2'").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(aged.rows_affected(), 2);
    bot.signal("HUP").unwrap();
    bot.wait_for_log("forgot what was kept for long enough", PATIENCE).await.unwrap();
    eventually("it is forgotten", async || {
        house.operate(&["audit", "--account", SECOND_ACCOUNT]).await.unwrap().starts_with("Nothing")
    })
    .await;
}
