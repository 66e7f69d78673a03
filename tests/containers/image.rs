//! The Dockerfile, read as text: what it copies is there, and its steps work on what they have at that point.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use crate::files::{DOCKERFILE, read, root};

/// A Dockerfile's instructions, each with the rest of its line, continued lines joined.
pub(crate) fn instructions(path: &str) -> Vec<(String, String)> {
    let text = read(path);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let line = |line: &str| line.split_once(' ').map(|(word, rest)| (word.to_owned(), rest.trim().to_owned()));
    joined.lines().filter_map(line).collect()
}

/// What the last such instruction says.
pub(crate) fn value_of<'a>(instructions: &'a [(String, String)], word: &str) -> &'a str {
    &instructions.iter().rev().find(|(known, _)| known == word).unwrap_or_else(|| panic!("there is no {word}")).1
}

/// The variables that an image sets.
pub(crate) fn variables(path: &str) -> BTreeMap<String, String> {
    let instructions = instructions(path);
    let pairs = value_of(&instructions, "ENV").split_whitespace();
    pairs.map(|pair| pair.split_once('=').unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What is copied from the build context, each source by itself.
fn copied(instructions: &[(String, String)]) -> Vec<&str> {
    let from_context = instructions.iter().filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from"));
    from_context.flat_map(|(_, rest)| rest.rsplit_once(' ').unwrap().0.split_whitespace()).collect()
}

#[test]
fn what_is_copied_goes_into_the_build_and_nothing_else() {
    let image = instructions(DOCKERFILE);
    let mut copied = copied(&image);
    copied.sort_unstable();
    let ignore = read(".dockerignore");
    let mut lines = ignore.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"), "first of all nothing");
    let let_in: Vec<&str> = lines.clone().filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(copied, let_in);
    assert!(copied.iter().all(|path| root().join(path).exists()), "{copied:?}");
    assert!(lines.any(|line| line == "**/node_modules"));
}

#[test]
fn its_label_has_the_programs_version() {
    let default = concat!("VERSION=", env!("CARGO_PKG_VERSION"));
    assert!(instructions(DOCKERFILE).contains(&("ARG".to_owned(), default.to_owned())), "{default}");
}

#[test]
fn the_layer_of_dependencies_is_a_whole_workspace() {
    let image = instructions(DOCKERFILE);
    let folder = tempfile::tempdir().unwrap();
    let steps = image.iter().skip_while(|(word, _)| word != "WORKDIR");
    for (word, rest) in steps.take_while(|(_, rest)| !rest.starts_with("cargo ")) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        match (word.as_str(), words.split_last()) {
            ("COPY", Some((place, sources))) => sources.iter().for_each(|source| copy(source, place, folder.path())),
            ("RUN", _) => {
                let status = Command::new("sh").args(["-c", rest]).current_dir(&folder).status().unwrap();
                assert!(status.success(), "{rest}");
            }
            _ => {}
        }
    }
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap().stdout;
    let host = String::from_utf8(host).unwrap();
    // Of what fetches and builds nothing, only this looks for what the manifests name.
    let cargo = Command::new(env!("CARGO"))
        .args(["fetch", "--offline", "--locked", "--target", host.trim()])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
}

/// Copies as a `COPY` does: files into a folder, a folder's contents into a folder.
fn copy(source: &str, place: &str, folder: &Path) {
    let (source, place) = (root().join(source), folder.join(place));
    let (files, base) = if source.is_dir() {
        (files_below(&source), source.as_path())
    } else {
        (vec![source.clone()], source.parent().unwrap())
    };
    for file in files {
        let copied = place.join(file.strip_prefix(base).unwrap());
        std::fs::create_dir_all(copied.parent().unwrap()).unwrap();
        std::fs::copy(&file, copied).unwrap();
    }
}

#[test]
fn what_the_code_takes_in_is_copied() {
    let image = instructions(DOCKERFILE);
    let copied = copied(&image);
    let mut taken_in = vec![PathBuf::from("migrations")];
    for file in files_below(&root().join("src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for call in ["include_str!(\"", "include_bytes!(\""] {
            for after in code.split(call).skip(1) {
                let named = file.parent().unwrap().join(after.split('"').next().unwrap());
                taken_in.push(normal(&named).strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    assert!(taken_in.contains(&PathBuf::from("config/guildwire.toml")), "{taken_in:?}");
    for path in taken_in {
        assert!(copied.iter().any(|copied| path.starts_with(copied)), "{} is not copied", path.display());
    }
}

/// Every file below a folder that may go into a build.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| !path.ends_with("node_modules"));
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, component| {
        if component == Component::ParentDir {
            path.pop();
        } else {
            path.push(component);
        }
        path
    })
}

#[test]
fn the_image_runs_as_nobody_in_particular_and_without_a_shell() {
    let image = instructions(DOCKERFILE);
    let user = value_of(&image, "USER");
    assert!(user.split(':').all(|id| id.parse::<u32>().is_ok_and(|id| id > 0)), "{user}");
    let owned: Vec<&str> =
        image.iter().filter_map(|(_, rest)| rest.split_once("--chown=")?.1.split(' ').next()).collect();
    assert_eq!(owned, [user, user], "both volumes' folders");
    let exec = |word: &str| serde_json::from_str::<Vec<String>>(value_of(&image, word)).unwrap();
    assert_eq!(exec("ENTRYPOINT"), ["/usr/local/bin/guildwire"]);
    assert_eq!(exec("CMD"), ["run"]);
    let (options, command) = value_of(&image, "HEALTHCHECK").split_once(" CMD ").unwrap();
    let command: Vec<String> = serde_json::from_str(command.trim()).unwrap();
    assert_eq!(command, ["/usr/local/bin/guildwire", "health"]);
    // `guildwire health` itself gives up after four.
    assert!(options.contains("--timeout=6s"), "{options}");
}

#[test]
fn the_compiler_is_pinned_and_new_enough() {
    let image = instructions(DOCKERFILE);
    let rust = image.iter().find_map(|(_, rest)| rest.strip_prefix("RUST_IMAGE=rust:")).unwrap();
    let version = |text: &str| text.split(['.', '-']).map_while(|part| part.parse().ok()).collect::<Vec<u32>>();
    assert_eq!(version(rust).len(), 3, "{rust}");
    let manifest = read("Cargo.toml");
    let oldest = manifest.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap();
    assert!(version(rust) >= version(oldest.trim_matches('"')), "{rust}, {oldest}");
}
