//! Folders for what servers write, gone when the test process is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::watchdog::Watchdog;

/// A temporary folder and the watchdog that removes it.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    /// Told about the process that works in the folder, so that the process ends first.
    pub(crate) watchdog: Watchdog,
}

impl Scratch {
    /// Makes a folder whose name begins with `guildwire-` and `purpose`.
    pub(crate) fn new(purpose: &str) -> Result<Scratch> {
        Scratch::inside(&std::env::temp_dir(), purpose)
    }

    /// The same, in a place of the caller's choice.
    pub(crate) fn inside(parent: &Path, purpose: &str) -> Result<Scratch> {
        let path = tempfile::Builder::new()
            .prefix(&format!("guildwire-{purpose}-"))
            .tempdir_in(parent)
            .with_context(|| format!("making a folder in {}", parent.display()))?
            .keep();
        let watchdog = Watchdog::start(Some(&path))?;
        Ok(Scratch { path, watchdog })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Copies a folder with all that is in it; `to` is made, what it held before is gone.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        fs::remove_dir_all(to).with_context(|| format!("removing {}", to.display()))?;
    }
    copy_into(from, to).with_context(|| format!("copying {} to {}", from.display(), to.display()))
}

fn copy_into(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        // Links are followed: a copy must not depend on what it was copied from.
        if entry.path().is_dir() {
            copy_into(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// The last lines of a log, for an error message.
pub(crate) fn tail(log: &str) -> String {
    const LINES: usize = 20;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
