//! The machine that the figures are from, in a sentence.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

/// Cores, processor, memory, kernel, and what is measured along with guildwire.
#[expect(
    clippy::disallowed_methods,
    reason = "it says which nats-server is measured; guildwire's settings are another matter"
)]
pub(crate) fn describe() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let processor = line_of("/proc/cpuinfo", "model name")?;
    let kilobytes: u64 = line_of("/proc/meminfo", "MemTotal")?.trim_end_matches(" kB").parse()?;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).unwrap_or("Linux").trim_matches('"');
    let nats_server = std::env::var("GUILDWIRE_NATS_SERVER").unwrap_or_else(|_| tool("nats-server"));
    Ok(format!(
        "{cores} cores ({processor}), {} GB of memory, {system} with kernel {}, {}, Node.js {}",
        kilobytes.div_ceil(1024 * 1024),
        kernel.trim(),
        version_of(&nats_server)?.replace(": v", " "),
        version_of(&tool("node"))?,
    ))
}

/// A program that `./dev tools` has put in its place.
pub(crate) fn tool(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin").join(name).display().to_string()
}

fn line_of(file: &str, name: &str) -> Result<String> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {file}"))?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix(':'));
    Ok(value.with_context(|| format!("{file} has a line {name}"))?.trim().to_owned())
}

fn version_of(program: &str) -> Result<String> {
    let output = Command::new(program).arg("--version").output().with_context(|| format!("starting {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
