//! The examples for publishers, run as their README says: what each tells is shown, and that it stops is told last.

use std::path::Path;
use std::process::Stdio;

use guildwire_harness::NatsConfig;
use guildwire_harness::house::{FIRST_ACCOUNT, House, PATIENCE};
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::installation::on_sqlite;
use crate::publishing::house_with_publisher;
use crate::support::Database;

on_sqlite!(the_one_in_rust, the_one_in_typescript, the_one_in_c_sharp);

async fn the_one_in_rust(database: Database) {
    // Beside this very test's folder. `cargo test` builds it; part of the tests do without.
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("examples/publish");
    let changed = |file: &Path| std::fs::metadata(file).and_then(|file| file.modified()).ok();
    let is_current = changed(&program) >= changed(&root().join("examples/publish/main.rs"));
    assert!(is_current, "{} is missing or old: `cargo build --example publish`", program.display());
    tells_its_servers_life(database, Command::new(program)).await;
}

async fn the_one_in_typescript(database: Database) {
    let (folder, node) = (root().join("examples/typescript"), root().join(".tools/bin/node"));
    done(Command::new(&node).arg("node_modules/typescript/bin/tsc").current_dir(&folder)).await;
    let mut publish = Command::new(node);
    publish.arg(folder.join("build/publish.js"));
    tells_its_servers_life(database, publish).await;
}

async fn the_one_in_c_sharp(database: Database) {
    let folder = root().join("examples/csharp");
    if Command::new("dotnet").arg("--version").output().await.is_err() {
        println!("NOT RUN: examples/csharp, because there is no dotnet");
        return;
    }
    done(Command::new("dotnet").args(["build", "--nologo"]).current_dir(&folder)).await;
    let mut publish = Command::new("dotnet");
    publish.args(["run", "--no-build", "--project"]).arg(folder).arg("--");
    tells_its_servers_life(database, publish).await;
}

/// Runs a publisher twice: once until there is nothing more to tell, once until it is told to end.
async fn tells_its_servers_life(database: Database, mut publish: Command) {
    let (house, seed) = house_with_publisher(database).await;
    house.operate(&["account", "add", FIRST_ACCOUNT, "--user", NatsConfig::BLOG_POST_USER]).await.unwrap();
    let _bot = house.start().await.unwrap();
    let guild = house.guild("Rustaceans");
    let channel = house.channel(guild, "everything");
    house.link(guild, FIRST_ACCOUNT).await.unwrap();
    house.notify(guild, channel, "everything", &[]).await.unwrap();
    publish.args([&house.nats.url(), &seed, "main"]).stdin(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);

    let mut first = publish.spawn().unwrap();
    let mut stdin = first.stdin.take().unwrap();
    stdin.write_all(b"join 76561198000000001 Ada L\nnonsense\nleave 76561198000000001 Ada L\n").await.unwrap();
    drop(stdin);
    let said = ends(first).await;
    assert!(said.contains("nonsense") && !said.contains("attempt"), "{said}");

    let second = publish.spawn().unwrap();
    house.wait_for_shown(channel, 5).await.unwrap();
    let pid = second.id().unwrap().to_string();
    done(Command::new("kill").args(["-TERM", &pid])).await;
    assert_eq!(ends(second).await, "");
    let wanted = [
        "🟢 Server **main** is up",
        "📥 **Ada L** joined **main**",
        "📤 **Ada L** left **main**",
        "🟢 Server **main** is back",
        "🟢 Server **main** is back",
        "🔴 Server **main** has stopped",
    ];
    let shown =
        || house.shown(channel).into_iter().map(|line| line.split(" after ").next().unwrap_or_default().to_owned());
    // What is shown then says more than that time is up.
    house.discord.wait_until(PATIENCE, "the life of a server is told", |_| shown().eq(wanted)).await.ok();
    assert!(shown().eq(wanted), "{:#?}", house.shown(channel));
    each_event_has_an_id_of_its_own(&house, 8).await;
}

async fn each_event_has_an_id_of_its_own(house: &House, events: usize) {
    let stream = house.publisher(FIRST_ACCOUNT).await.unwrap().jetstream.get_stream("EVENTS").await.unwrap();
    let mut ids = std::collections::BTreeSet::new();
    for sequence in 1..=events as u64 {
        let message = stream.get_raw_message(sequence).await.unwrap();
        ids.insert(message.headers.get("Nats-Msg-Id").expect("a message id").to_string());
    }
    assert_eq!(ids.len(), events);
}

/// Waits until a publisher ended well, and answers with what it said beside.
async fn ends(process: Child) -> String {
    let output = timeout(PATIENCE, process.wait_with_output()).await.expect("it ends in time").unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

async fn done(command: &mut Command) {
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
