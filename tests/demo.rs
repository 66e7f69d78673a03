//! The demo as somebody new meets it: in a browser, with every button pressed; and as the run that checks itself.
#![expect(clippy::unwrap_used, reason = "what can't be started or read here is a failure")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use guildwire_harness::{Watchdog, send_signal};

/// What GitHub shows of a picture at once, in bytes: `./dev screenshot` puts it into the README.
const LARGEST_PICTURE: u64 = 400_000;

/// A program that ends with this test, however that ends.
struct Program {
    process: Child,
    watchdog: Watchdog,
}

impl Program {
    fn start(command: &mut Command) -> Program {
        let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut watchdog = Watchdog::start(None).unwrap();
        watchdog.watch(process.id(), "TERM").unwrap();
        Program { process, watchdog }
    }

    /// What it printed from now on, once it has ended well.
    fn finish(mut self) -> String {
        let mut printed = String::new();
        self.process.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        let status = self.process.wait().unwrap();
        self.watchdog.forget();
        assert!(status.success(), "{status}:\n{printed}");
        printed
    }
}

/// The demo, which cargo builds beside the tests.
fn demo(arguments: &[&str]) -> Command {
    let beside = std::env::current_exe().unwrap();
    let built = beside.parent().and_then(Path::parent).unwrap().join("examples/demo");
    assert!(built.is_file(), "there is no {}: `cargo test` without a filter on targets builds it", built.display());
    let mut command = Command::new(built);
    command.args(["--bot", env!("CARGO_BIN_EXE_guildwire")]).args(arguments);
    command
}

#[test]
fn everything_on_the_page_does_what_it_says() {
    let mut demo = Program::start(&mut demo(&["--port", "0", "--no-browser"]));
    let mut lines = BufReader::new(demo.process.stdout.take().unwrap()).lines().map(Result::unwrap);
    let opening = lines.find(|line| line.contains("http://")).expect("it says where the page is");
    let url = opening.split_whitespace().find(|word| word.starts_with("http://")).unwrap();

    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let picture = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("demo.png");
    let mut node = Command::new(root.join(".tools/bin/node"));
    let seen = Program::start(node.arg(root.join("tests/demo/watch.mjs")).arg(url).arg(&picture)).finish();
    println!("{seen}");
    let size = picture.metadata().unwrap().len();
    assert!(size <= LARGEST_PICTURE, "{} has {size} bytes", picture.display());

    // As Ctrl-C does.
    send_signal(demo.process.id(), "INT").unwrap();
    let rest: Vec<String> = lines.collect();
    let status = demo.process.wait().unwrap();
    demo.watchdog.forget();
    assert!(status.success(), "{status}: {rest:#?}");
    assert!(rest.iter().any(|line| line.contains("First message after")), "{rest:#?}");
    assert!(rest.last().unwrap().contains("nothing is left"), "{rest:#?}");
}

#[test]
fn the_run_that_checks_itself_finds_nothing() {
    let printed = Program::start(&mut demo(&["--once"])).finish();
    assert!(printed.trim_end().lines().last().unwrap().ends_with("checks passed"), "{printed}");
}
