//! Opening a page for the person at this machine, if there is one.

use std::path::Path;
use std::process::{Command, Stdio};

/// Asks the desktop to show the page. Where there is none, or it does not want to, nothing happens: the address was
/// printed.
pub(crate) fn open(url: &str) {
    let Some(opener) = opener() else { return };
    let quiet =
        |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Ok(mut child) = quiet(Command::new(opener).arg(url)) {
        // Openers end at once, having told the browser; this waits for one that doesn't.
        std::thread::spawn(move || child.wait());
    }
}

fn opener() -> Option<&'static str> {
    if cfg!(target_os = "macos") {
        return Some("open");
    }
    #[expect(clippy::disallowed_methods, reason = "the demo has no settings; desktops say so in the environment")]
    let (display, path) = (
        ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().any(|name| std::env::var_os(name).is_some_and(|at| !at.is_empty())),
        std::env::var_os("PATH").unwrap_or_default(),
    );
    let is_there = |folder: std::path::PathBuf| Path::new(&folder).join("xdg-open").is_file();
    (display && std::env::split_paths(&path).any(is_there)).then_some("xdg-open")
}
