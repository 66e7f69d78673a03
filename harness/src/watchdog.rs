//! A small shell beside us that cleans up when we are gone.
//!
//! A test process may be killed at any moment, and then runs no `Drop`. The watchdog reads from a
//! pipe that only we hold: whatever ends us closes it, and the watchdog then ends the server it was
//! told about and removes the server's folder. It runs in a process group of its own, so that
//! Ctrl-C at the terminal reaches the tests but not the one who cleans up after them.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use anyhow::{Context as _, Result, ensure};

/// Lines on stdin are `PROCESS SIGNAL`; the last one counts, and process 0 means none. The folder
/// is `$1`, and may be empty.
///
/// Where process 1 does not wait for orphans, as in many containers, a process that has ended stays
/// in the table for ever; `/proc` then shows no program for it.
const SCRIPT: &str = r#"
process=0
lives() {
    kill -s 0 "$process" && { [ ! -d /proc/self ] || [ -e "/proc/$process/exe" ]; }
}
while read -r number name; do process=$number signal=$name; done
if [ "$process" -ne 0 ]; then
    kill -s "$signal" "$process"
    left=50
    while [ "$left" -gt 0 ] && lives; do
        sleep 0.1
        left=$((left - 1))
    done
    kill -s KILL "$process"
fi
[ -z "$1" ] || rm -rf -- "$1"
"#;

/// Ends at most one process and removes at most one folder when it is dropped or when we die.
#[derive(Debug)]
pub struct Watchdog {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Watchdog {
    /// Starts the shell; with a folder, the folder goes too.
    pub fn start(folder: Option<&Path>) -> Result<Watchdog> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "guildwire-watchdog"])
            .arg(folder.unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("starting sh as a watchdog")?;
        let pipe = shell.stdin.take();
        Ok(Watchdog { shell, pipe })
    }

    /// From now on `process` is ended with `signal`, and with SIGKILL when that does not help.
    pub fn watch(&mut self, process: u32, signal: &str) -> Result<()> {
        let pipe = self.pipe.as_mut().expect("the pipe is open until we are dropped");
        writeln!(pipe, "{process} {signal}").context("telling the watchdog about a process")
    }

    /// The process has ended and was waited for; its number may belong to another one soon.
    pub fn forget(&mut self) {
        // A watchdog that died cannot be told, and does no harm either.
        let _ = self.watch(0, "KILL");
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // Waiting makes sure that the folder is gone when the test goes on.
        let _ = self.shell.wait();
    }
}

/// Sends a signal, by the shell's own `kill`: the standard library only knows SIGKILL.
pub fn send_signal(process: u32, signal: &str) -> Result<()> {
    let status = Command::new("sh")
        .args(["-c", r#"kill -s "$1" "$2""#, "sh", signal, &process.to_string()])
        .status()
        .context("starting sh to send a signal")?;
    ensure!(status.success(), "SIG{signal} did not reach process {process}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_ends_with_the_pipe() {
        let folder = tempfile::tempdir().unwrap().keep();
        std::fs::write(folder.join("file"), "left over").unwrap();
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let mut watchdog = Watchdog::start(Some(&folder)).unwrap();
        watchdog.watch(sleeper.id(), "TERM").unwrap();

        drop(watchdog.pipe.take());

        assert!(!sleeper.wait().unwrap().success());
        drop(watchdog);
        assert!(!folder.exists());
    }

    #[test]
    fn what_is_forgotten_is_left_alone() {
        let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
        let mut watchdog = Watchdog::start(None).unwrap();
        watchdog.watch(sleeper.id(), "KILL").unwrap();
        watchdog.forget();

        drop(watchdog);

        assert!(sleeper.try_wait().unwrap().is_none());
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    }
}
