//! Everything breaks for a moment, with one seed on each database: nothing is lost, doubled or out of order.
#![expect(clippy::unwrap_used, reason = "what can't be started here is a failure")]

use std::path::Path;
use std::process::Command;

/// Runs the chaos program, which cargo builds beside the tests.
fn chaos(seed: &str, database: &str) {
    let beside = std::env::current_exe().unwrap();
    let built = beside.parent().and_then(Path::parent).unwrap().join("examples/chaos");
    assert!(built.is_file(), "there is no {}: `cargo test` without a filter on targets builds it", built.display());
    let output = Command::new(built)
        .args(["--bot", env!("CARGO_BIN_EXE_guildwire"), "--minutes", "0.3", "--seed", seed, "--database", database])
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    println!("{printed}");
    assert!(output.status.success(), "{}:\n{printed}", output.status);
}

#[test]
fn nothing_is_lost_doubled_or_disordered_on_sqlite() {
    chaos("1", "sqlite");
}

#[test]
fn nothing_is_lost_doubled_or_disordered_on_postgres() {
    chaos("2", "postgres");
}
