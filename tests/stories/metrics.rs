//! What an operator's Prometheus sees: the metrics that docs/metrics.md explains, no others, and counted right.

use std::collections::{BTreeMap, BTreeSet};

use discord_sim::{Route, Scope, Trouble};
use guildwire_harness::RunningBot;

use crate::fire::{Fire, eventually};
use crate::support::{Database, on_both_databases};

on_both_databases!(what_happens_is_counted);

/// A metric as it is explained or as it is answered: its type and its labels' names.
type Explained = BTreeMap<String, (String, BTreeSet<String>)>;

/// `/metrics` of a running bot.
pub(crate) async fn scrape(bot: &RunningBot) -> String {
    let response = reqwest::get(format!("{}/metrics", bot.http_url())).await.unwrap();
    assert!(response.status().is_success());
    let form = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(form.starts_with("application/openmetrics-text"), "{form}");
    response.text().await.unwrap()
}

/// One series' value.
pub(crate) fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// Waits until a series has a value.
pub(crate) async fn wait_for_value(bot: &RunningBot, series: &str, wanted: f64) {
    eventually(&format!("{series} is {wanted}"), async || (value(&scrape(bot).await, series) - wanted).abs() < 0.5)
        .await;
}

async fn what_happens_is_counted(database: Database) {
    let mut fire = Fire::lay(database).await;
    fire.set("http.metrics_per_account", "true");
    let bot = fire.light().await;
    let before = scrape(&bot).await;
    assert_eq!(documented(), answered(&before), "docs/metrics.md and what the bot answers");

    fire.come_up(3).await;
    // What is no event only comes where everything below the root is read.
    fire.house.operate(&["account", "edit", "GA-1", "--wide-filter"]).await.unwrap();
    fire.servers.publish("s001.nonsense", "{}").await.unwrap();
    eventually("what is no event is counted", async || {
        value(&scrape(&bot).await, "guildwire_events_rejected_total{reason=\"not_an_event\"}") >= 1.0
    })
    .await;
    fire.check().await;
    let sent = "guildwire_sends_total{outcome=\"delivered\"}";
    eventually("all messages are settled", async || {
        value(&scrape(&bot).await, "guildwire_delivery_seconds_count") >= 4.0
    })
    .await;
    let text = scrape(&bot).await;
    for (series, wanted) in [
        ("guildwire_events_recorded_total{kind=\"server.started\"}", 4.0),
        ("guildwire_events_recorded_total{kind=\"server.stopped\"}", 0.0),
        ("guildwire_delivery_seconds_count", 4.0),
        ("guildwire_accounts{state=\"running\"}", 1.0),
        ("guildwire_accounts{state=\"connecting\"}", 0.0),
        ("guildwire_intake_lag_events{of=\"max\"}", 0.0),
        ("guildwire_intake_account_lag_events{account=\"GA-1\"}", 0.0),
        ("guildwire_gateway_shards", 1.0),
        ("guildwire_gateway_shards_connected", 1.0),
        ("guildwire_ready", 1.0),
    ] {
        assert!((value(&text, series) - wanted).abs() < 0.5, "{series} is not {wanted}: {text}");
    }
    let seconds = value(&text, "guildwire_delivery_seconds_sum");
    assert!((0.0..4.0 * 60.0).contains(&seconds), "{seconds}");
    assert!(value(&text, sent) >= 1.0, "{text}");

    for scope in [Scope::User, Scope::Shared] {
        fire.house.discord.trouble(Route::MessageCreate, Trouble::RateLimited { scope, retry_after: 0.3 }, Some(1));
        fire.check().await;
    }
    let text = scrape(&bot).await;
    for (series, wanted) in [
        ("guildwire_rate_limited_total{scope=\"user\"}", 1.0),
        ("guildwire_rate_limited_total{scope=\"shared\"}", 1.0),
        ("guildwire_rate_limited_total{scope=\"global\"}", 0.0),
        ("guildwire_sends_total{outcome=\"limited\"}", 2.0),
        // Those that are about everybody are not held against the bot.
        ("guildwire_invalid_responses_total{status=\"429\"}", 1.0),
    ] {
        assert!((value(&text, series) - wanted).abs() < 0.5, "{series} is not {wanted}: {text}");
    }

    // A channel that refuses stops its lane.
    let message = "Missing Permissions".to_owned();
    let trouble = Trouble::Error { status: 403, code: 50_013, message };
    fire.house.discord.trouble(Route::MessageCreateIn(fire.channel), trouble, Some(1));
    let name = fire.next_name();
    fire.publish(&name).await;
    wait_for_value(&bot, "guildwire_lanes{state=\"stopped\"}", 1.0).await;
    let text = scrape(&bot).await;
    for (series, wanted) in [
        ("guildwire_sends_total{outcome=\"refused\"}", 1.0),
        ("guildwire_invalid_responses_total{status=\"403\"}", 1.0),
        ("guildwire_outbox_events", 1.0),
        ("guildwire_sending_stopped", 0.0),
    ] {
        assert!((value(&text, series) - wanted).abs() < 0.5, "{series} is not {wanted}: {text}");
    }
}

/// The table in docs/metrics.md.
fn documented() -> Explained {
    let text = include_str!("../../docs/metrics.md");
    let rows = text.lines().filter(|line| line.starts_with("| `guildwire_"));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, _unit, _meaning, _watch] = cells[..] else { panic!("{row}") };
        let label = labels.split('`').nth(1).map(str::to_owned);
        (name.trim_matches('`').to_owned(), (kind.to_owned(), label.into_iter().collect()))
    })
    .collect()
}

/// What an answer holds: names as Prometheus stores them, but for the parts of a histogram.
fn answered(text: &str) -> Explained {
    let mut found = Explained::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        let series = format!("{name}{suffix}");
        let samples = text.lines().filter(|line| line.starts_with(&series)).filter(|line| {
            let rest = &line[series.len()..];
            rest.starts_with(['{', ' ']) || rest.starts_with("_bucket")
        });
        let labels = samples.filter_map(|line| line.split_once('{')?.1.split_once('='));
        let labels: BTreeSet<_> = labels.map(|(label, _)| label.to_owned()).filter(|label| label != "le").collect();
        found.insert(series, (kind.to_owned(), labels));
    }
    found
}

/// The example alerts speak of metrics, labels and values that there are.
#[test]
fn alerts_name_what_there_is() {
    let text = include_str!("../../docs/metrics.md");
    let table = documented();
    let alerts: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(alerts.len() >= 5, "{alerts:?}");
    for alert in alerts {
        for name in
            alert.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("guildwire_"))
        {
            assert!(table.contains_key(name.trim_end_matches("_bucket")), "{name} in {alert}");
        }
    }
}
