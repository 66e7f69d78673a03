//! Whoever owns an account makes codes for it, sees which Discord servers are linked, and unlinks them; nobody else does.

use discord_sim::Actor;
use guildwire::discord::words;
use guildwire_harness::house::{FIRST_ACCOUNT, Guild, House, SECOND_ACCOUNT};
use serde_json::{Value, json};

use crate::fire::eventually;
use crate::installation::{Comparisons, DISCORD_WAITS, MANAGE_SERVER, offered, refused, says, without_moments};
use crate::managing::admin;
use crate::support::{Database, build_house, on_both_databases};

on_both_databases!(an_owner_invites_looks_and_unlinks, codes_are_made_by_owners_alone_and_not_too_many);

async fn give(house: &House, account: &str, user: u64) -> String {
    house.operate(&["account", "edit", account, "--owner", &user.to_string()]).await.unwrap()
}

fn account(name: &str) -> (&str, Value) {
    ("account", name.into())
}

/// The code in an answer, which is its first line.
fn code_in(said: &str) -> String {
    let (_, code) = said.lines().next().unwrap().split_once("🔑 `").unwrap_or_else(|| panic!("no code in: {said}"));
    code.trim_end_matches('`').to_owned()
}

async fn link(house: &House, guild: Guild, code: &str) -> String {
    says(house, guild, "account link", &[("code", code.into())]).await
}

async fn an_owner_invites_looks_and_unlinks(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (home, friends) = (house.guild("Home"), house.guild("Friends of *Ferris*"));
    let mut compare = Comparisons::default();
    let given = give(&house, FIRST_ACCOUNT, home.admin).await;
    let wanted = format!(
        "Account GA-1 belongs to the Discord user {}, who may use /account invite, /account guilds and /account audit for \
         it wherever they have the permission Manage Server.\n",
        home.admin
    );
    compare.equal("given", &given, &wanted);
    let guilds = async || without_moments(&says(&house, home, "account guilds", &[account(FIRST_ACCOUNT)]).await);
    let nobody = "No Discord server is linked to **GA-1**. `/account invite` makes a code for one.";
    compare.equal("nobody", &guilds().await, nobody);

    let said = says(&house, home, "account invite", &[account(FIRST_ACCOUNT), ("expires", "1h".into())]).await;
    let code = code_in(&said);
    let wanted = format!(
        "🔑 `{code}`\nThis code links one Discord server to **GA-1**. It can be used once, until <time> (<time>). Whoever \
         uses it can show the account's events: give it to the admin of that Discord server and to nobody else, who types \
         there: `/account link`. I don't show it again."
    );
    compare.equal("code", &without_moments(&said), &wanted);
    let linked = "✅ This Discord server is linked to **GA-1**. Next: `/notify add` to choose which of its events go to \
                  which channel.";
    compare.equal("linked", &link(&house, friends, &code).await, linked);
    compare.equal("once", &link(&house, home, &code).await, words::CODE_USED);
    house.link(home, FIRST_ACCOUNT).await.unwrap();
    let channel = house.channel(friends, "status");
    house.notify(friends, channel, "lifecycle", &[]).await.unwrap();

    let list = "**Friends of \\*Ferris\\*** · linked <time> · 1 entry in its `/notify list`\n\n**Home** · linked <time> · no \
                channel there hears it\nLinked in all: 2.";
    compare.equal("list", &guilds().await, list);
    let shown = house.command(home, "account guilds", &[account(FIRST_ACCOUNT)]).await.unwrap();
    let options = &shown.components[0]["components"][0]["options"];
    assert_eq!(options[0], json!({ "label": "Friends of *Ferris*", "value": friends.id.to_string() }));

    // Another admin of the same guild owns nothing, whatever they press.
    let admins = Actor { user: house.discord.add_member(home.id, "other admin", MANAGE_SERVER), ..admin(home) };
    let theirs = "The account GA\\-1 is not yours: only who owns an account may do that. No account here is yours. Codes for \
                  accounts that nobody owns in Discord are made by whoever operates me.";
    let friend = friends.id.to_string();
    let own = house.discord.command(admins, "help", &[]).await.unwrap();
    let answer = house.discord.forge_component(admins, &own, "unlink_which:GA-1", Some(&[&friend])).await.unwrap();
    compare.equal("another's select", &answer.content, theirs);

    let asked = house.discord.select(admin(home), &shown, "unlink_which:GA-1", &[&friend]).await.unwrap();
    let question = "Unlink **Friends of \\*Ferris\\*** from **GA-1**? 1 entry of its `/notify list` goes with it. To link it \
                    again takes a new one-time code.";
    compare.equal("question", &asked.content, question);
    let button = format!("unlink_guild:{}:GA-1", friends.id);
    let answer = house.discord.forge_component(admins, &own, &button, None).await.unwrap();
    compare.equal("another's button", &answer.content, theirs);
    let done = house.discord.press(admin(home), &asked, &button).await.unwrap();
    assert!(done.ephemeral && done.took < DISCORD_WAITS && done.components == json!([]), "{done:?}");
    let unlinked = "🗑️ **Friends of \\*Ferris\\*** is no longer linked to **GA-1**, and 1 entry of its `/notify list` went \
                    with it. What was due there already is still shown.";
    compare.equal("unlinked", &done.content, unlinked);
    compare.equal("there", &says(&house, friends, "notify list", &[]).await, words::NOTHING_BOUND);
    compare.equal(
        "list of one",
        &guilds().await,
        "**Home** · linked <time> · no channel there hears it\nLinked in all: 1.",
    );
    let gone = format!("Discord server {friend} is not linked to **GA-1** any more.");
    let again = house.discord.forge_component(admin(home), &done, &button, None).await.unwrap();
    compare.equal("again", &again.content, &gone);

    // What was shown to an owner is worth nothing once the account is somebody else's.
    let shown = house.command(home, "account guilds", &[account(FIRST_ACCOUNT)]).await.unwrap();
    house.operate(&["account", "edit", FIRST_ACCOUNT, "--no-owner"]).await.unwrap();
    let late = house.discord.select(admin(home), &shown, "unlink_which:GA-1", &[&home.id.to_string()]).await.unwrap();
    let of_nobody = "Nobody owns **GA-1** in Discord. Whoever operates me makes its codes, and can say whose it is.";
    compare.equal("late", &late.content, of_nobody);
}

async fn codes_are_made_by_owners_alone_and_not_too_many(database: Database) {
    let house = build_house(database).await;
    house.add_accounts().await.unwrap();
    let _bot = house.start().await.unwrap();
    let (home, other) = (house.guild("Home"), house.guild("Other"));
    house.link(home, SECOND_ACCOUNT).await.unwrap();
    give(&house, FIRST_ACCOUNT, home.admin).await;
    let mut compare = Comparisons::default();
    for name in ["account invite", "account guilds", "account audit"] {
        eventually("what is owned is offered", async || {
            offered(&house, home, name, &[], ("account", "")).await == [("GA-1".to_owned(), "GA-1".to_owned())]
        })
        .await;
        assert_eq!(offered(&house, other, name, &[], ("account", "")).await, [], "/{name}");
        let of_nobody =
            "Nobody owns **GA-2** in Discord. Whoever operates me makes its codes, and can say whose it is.";
        compare.equal(name, &says(&house, home, name, &[account(SECOND_ACCOUNT)]).await, of_nobody);
        // Where it is not linked, it is nobody's business whether it is there.
        for typed in [SECOND_ACCOUNT, "GA-9"] {
            let said = says(&house, other, name, &[account(typed)]).await;
            let wanted = format!(
                "The account {} is not yours: only who owns an account may do that. No account here is yours. Codes for \
                 accounts that nobody owns in Discord are made by whoever operates me.",
                typed.replace('-', "\\-")
            );
            compare.equal(name, &said, &wanted);
        }
    }
    let mut codes = Vec::new();
    for _ in 0..10 {
        codes.push(code_in(&says(&house, home, "account invite", &[account(FIRST_ACCOUNT)]).await));
    }
    let said = without_moments(&says(&house, home, "account invite", &[account(FIRST_ACCOUNT)]).await);
    compare.equal("too many", &said, "Too many codes were made of late. You can make the next one <time>.");
    // With another owner, the codes of the one before are worth nothing, and the other has their own to make. The
    // operator's count, too.
    give(&house, FIRST_ACCOUNT, other.admin).await;
    compare.equal("a code of before", &link(&house, home, &codes[0]).await, words::CODE_UNKNOWN);
    code_in(&says(&house, other, "account invite", &[account(FIRST_ACCOUNT)]).await);
    for _ in 0..9 {
        house.operate(&["account", "invite", FIRST_ACCOUNT]).await.unwrap();
    }
    let said = says(&house, other, "account invite", &[account(FIRST_ACCOUNT)]).await;
    let open = "**GA-1** has 10 codes that nobody has used so far, and may have no more. Use one of them, or wait until one \
                has expired.";
    compare.equal("too many open", &said, open);

    let error = refused(&house.bot, 2, &["account", "edit", FIRST_ACCOUNT, "--owner", "Ada"]).await;
    assert!(error.contains("must be the id of a Discord user"), "{error}");
    let error = refused(&house.bot, 1, &["account", "edit", "GA-9", "--no-owner"]).await;
    compare.equal("unknown", &error, "error: there is no account GA-9; the accounts are GA-1, GA-2\n");
}
