//! The structure that ARCHITECTURE.md draws is the one the code has: the document is the check.
#![expect(clippy::unwrap_used, reason = "a file of this repository that can't be read is a failure")]

mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sources::{root, rust_files};

/// What may be imported by which module, as the table in ARCHITECTURE.md says.
fn import_table() -> BTreeMap<String, BTreeSet<String>> {
    let document = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = document.split("## Who imports whom").nth(1).expect("ARCHITECTURE.md has the import table");
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| {
            let mut cells = line.trim_matches('|').split('|').map(in_backticks);
            let module = cells.next().unwrap().into_iter().next().expect("a row names its module");
            (module, cells.next().expect("a row says what the module imports"))
        })
        .collect()
}

fn in_backticks(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What each module at the top of `src` imports of the others.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in rust_files(&root().join("src")) {
        let module = module_of(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        let mut found: BTreeSet<String> =
            ["crate::", "guildwire::"].iter().flat_map(|prefix| named_after(&text, prefix)).collect();
        found.remove(&module);
        imports.entry(module).or_default().extend(found);
    }
    // The crate's root declares the modules; it uses none.
    imports.remove("lib");
    imports
}

/// The module that stands right behind each `prefix`, or each of those in the braces behind it.
fn named_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let is_name = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut found = BTreeSet::new();
    for rest in code.split(prefix).skip(1) {
        if let Some(list) = rest.strip_prefix('{') {
            let list = list.split_once('}').map_or(list, |(list, _)| list);
            found.extend(list.split(',').map(|name| name.trim().split("::").next().unwrap().to_owned()));
        } else {
            found.insert(rest.chars().take_while(|character| is_name(*character)).collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

fn module_of(file: &Path) -> String {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_what_the_document_says_and_nothing_else() {
    let (documented, real) = (import_table(), imports());
    assert_eq!(
        documented.keys().collect::<Vec<_>>(),
        real.keys().collect::<Vec<_>>(),
        "ARCHITECTURE.md's table and src name other modules"
    );
    for (module, imported) in &real {
        assert_eq!(imported, &documented[module], "what `{module}` imports, and what ARCHITECTURE.md says it does");
    }
}

#[test]
fn no_module_imports_one_that_imports_it() {
    let mut left = imports();
    while !left.is_empty() {
        let known: BTreeSet<String> = left.keys().cloned().collect();
        let lowest: Vec<String> = left
            .iter()
            .filter(|(_, imported)| imported.is_disjoint(&known))
            .map(|(module, _)| module.clone())
            .collect();
        assert!(!lowest.is_empty(), "these import one another in a circle: {left:#?}");
        left.retain(|module, _| !lowest.contains(module));
    }
}

#[test]
fn the_domain_is_pure() {
    for file in rust_files(&root().join("src/domain")) {
        let text = std::fs::read_to_string(&file).unwrap();
        for impure in ["async ", ".await", "std::fs", "std::net", "tokio", "SystemTime", "rand::"] {
            let found = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(impure));
            assert!(!found, "{} has {impure:?}", file.display());
        }
    }
}

#[test]
fn every_file_says_why_it_exists() {
    for folder in ["src", "discord-sim/src", "harness/src", "tests", "benches", "examples"] {
        let folder = root().join(folder);
        for file in if folder.is_dir() { rust_files(&folder) } else { Vec::new() } {
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} does not begin with //!", file.display());
        }
    }
}
