//! The bot's process, with shell scripts for a bot.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic, in its helpers, too")]

use std::any::Any;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

use guildwire_harness::Bot;

const BOUND: Duration = Duration::from_secs(10);

struct Script {
    folder: tempfile::TempDir,
}

impl Script {
    fn new(text: &str) -> Script {
        let script = Script { folder: tempfile::tempdir().unwrap() };
        std::fs::write(script.path(), format!("#!/bin/sh\n{text}")).unwrap();
        std::fs::set_permissions(script.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        script
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("bot")
    }
}

#[tokio::test]
async fn settings_become_variables_and_input_is_piped_in() {
    let script = Script::new("echo \"$@\" $GUILDWIRE__DATABASE__URL $LEFT; cat; pwd >&2; exit 3");
    let bot = Bot::new(script.path()).database_url("sqlite://x.db").environment("LEFT", "over");
    let output = bot.command_with_stdin(&["account", "add"], "yes\n").await.unwrap();
    assert_eq!(output.stdout, "account add sqlite://x.db over\nyes\n");
    assert_eq!(output.stderr.trim(), bot.home_folder().to_str().unwrap());
    assert_eq!(output.status.code(), Some(3));
}

#[tokio::test]
async fn the_log_is_awaited_and_a_stop_is_orderly() {
    let script = Script::new("trap 'echo stopping; exit 0' TERM\necho started >&2\nwhile :; do sleep 0.05; done");
    let mut bot = Bot::new(script.path()).run().await.unwrap();
    bot.wait_for_log("started", BOUND).await.unwrap();
    assert!(bot.terminate().await.unwrap().success());
    assert_eq!(bot.log(), "started\nstopping\n");
    assert_eq!(std::fs::read_to_string(bot.log_file()).unwrap(), "started\nstopping\n");
}

#[tokio::test]
async fn an_end_is_noticed_by_those_who_wait_for_more() {
    let script = Script::new("echo bad token >&2; exit 1");
    let mut bot = Bot::new(script.path()).run().await.unwrap();
    let error = bot.wait_ready(BOUND).await.unwrap_err();
    assert!(error.to_string().contains("bad token"), "{error:#}");
    assert!(bot.wait_for_log("never", BOUND).await.is_err());
}

#[tokio::test]
async fn a_killed_bot_is_gone_and_its_home_too() {
    let script = Script::new("touch file; exec sleep 600");
    let bot = Bot::new(script.path());
    let home = bot.home_folder().to_owned();
    let mut running = bot.run().await.unwrap();
    running.kill().await.unwrap();
    assert_eq!(running.wait(BOUND).await.unwrap().signal(), Some(9));
    drop(bot.run().await.unwrap());
    drop((running, bot));
    assert!(!home.exists());
}

/// What a panic says.
fn words(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_secret_in_a_log_fails_the_test() {
    let script = Script::new("echo \"using $DISCORD_TOKEN\" >&2; exec sleep 600");
    let run = async |token: &str| {
        let running = Bot::new(script.path()).environment("DISCORD_TOKEN", token).run().await.unwrap();
        running.wait_for_log("using", BOUND).await.unwrap();
        catch_unwind(AssertUnwindSafe(|| drop(running)))
    };
    let told = words(&*run("a-token-of-some-length").await.unwrap_err());
    assert_eq!(told, "the bot's log told the secret a-token-of-some-length:\nusing a-token-of-some-length");
    run("short").await.unwrap();
    // Nobody has to know of a seed for it to be found.
    let seed = nkeys::KeyPair::new_user().seed().unwrap();
    let script = Script::new(&format!("echo \"using '{seed}'\" >&2; exec sleep 600"));
    let running = Bot::new(script.path()).run().await.unwrap();
    running.wait_for_log("using", BOUND).await.unwrap();
    let told = words(&*catch_unwind(AssertUnwindSafe(|| drop(running))).unwrap_err());
    assert!(told.contains("the bot's log told a seed:"), "{told}");
}

#[tokio::test]
async fn a_secret_in_what_a_command_says_fails_the_test() {
    const SECRET: &str = "SECRET-OF-THE-TEST";
    let script = Script::new(&format!("test \"$1\" = hush && exit 0\necho it is {SECRET} >&2\necho {SECRET}"));
    // `None` when nothing was told that should not have been.
    let say = async |bot: &Bot, arguments: &[&str]| {
        let (bot, arguments) = (bot.clone(), arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>());
        let said = tokio::spawn(async move {
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            bot.command_with_stdin(&arguments, SECRET).await.unwrap();
        });
        said.await.err().map(|panic| words(&*panic.into_panic()))
    };
    for way in [&["--creds", "file"][..], &["--nkey-seed", "-"], &["--user", "ga", "--password-file", "file"]] {
        let bot = Bot::new(script.path());
        std::fs::write(bot.home_folder().join("file"), format!("# a comment\n{SECRET}\n")).unwrap();
        let arguments = [&["account", "add", "GA-1"], way].concat();
        let line = format!("guildwire {} told the secret {SECRET}:\n{SECRET}\nit is {SECRET}", arguments.join(" "));
        assert_eq!(say(&bot, &arguments).await, Some(line));
        assert_eq!(say(&bot, &["hush"]).await, None);
    }
    // What a command hands out is a secret from then on.
    let bot = Bot::new(script.path());
    assert_eq!(say(&bot, &["account", "invite", "GA-1"]).await, None);
    assert!(say(&bot, &["account", "list"]).await.is_some());
}
