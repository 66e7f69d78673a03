//! What the bot says of itself at `/metrics`, as far as the page shows it. docs/metrics.md has the whole of it.

use serde_json::{Value, json};

/// The series of one answer: name with labels, and value.
#[derive(Debug)]
pub(crate) struct Metrics(Vec<(String, f64)>);

impl Metrics {
    /// Reads `OpenMetrics`' text form (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).
    pub(crate) fn parse(text: &str) -> Metrics {
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            // No label here has a space in its value.
            let mut words = line.split(' ');
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        });
        Metrics(series.collect())
    }

    /// The sum of all series of a name, whatever their labels.
    pub(crate) fn sum(&self, name: &str) -> f64 {
        let of_name =
            |series: &str| series == name || series.strip_prefix(name).is_some_and(|rest| rest.starts_with('{'));
        self.0.iter().filter(|(series, _)| of_name(series)).map(|(_, value)| value).fold(0.0, |sum, value| sum + value)
    }

    /// The values of a name with one label, by that label.
    fn by(&self, name: &str, label: &str) -> Vec<(&str, f64)> {
        let before = format!("{name}{{{label}=\"");
        self.0
            .iter()
            .filter_map(|(series, value)| Some((series.strip_prefix(&before)?.strip_suffix("\"}")?, *value)))
            .collect()
    }

    /// One series, where it is there.
    fn one(&self, series: &str) -> Option<f64> {
        self.0.iter().find(|(name, _)| name == series).map(|(_, value)| *value)
    }

    /// So many of all events came to Discord within the answer, in seconds: within the bucket that holds it, the events
    /// are taken to lie evenly, as Prometheus' `histogram_quantile` does.
    fn quantile(&self, quantile: f64) -> Option<f64> {
        let buckets: Vec<(f64, f64)> = self
            .by("guildwire_delivery_seconds_bucket", "le")
            .into_iter()
            .filter_map(|(bound, count)| Some((bound.parse().ok()?, count)))
            .collect();
        let all = buckets.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        let rank = quantile * all;
        let mut below = (0.0, 0.0);
        for (bound, count) in buckets {
            if count >= rank {
                if bound.is_infinite() {
                    return Some(below.0);
                }
                let share = if count > below.1 { (rank - below.1) / (count - below.1) } else { 1.0 };
                return Some(below.0 + (bound - below.0) * share);
            }
            below = (bound, count);
        }
        None
    }

    /// For the page; what the bot did not say is null.
    pub(crate) fn to_json(&self) -> Value {
        let mut sends: Vec<(&str, f64)> = self
            .by("guildwire_sends_total", "outcome")
            .into_iter()
            .filter(|(outcome, count)| *count > 0.0 || *outcome == "delivered")
            .collect();
        sends.sort_by_key(|(outcome, _)| *outcome != "delivered");
        let states = self.by("guildwire_accounts", "state");
        let account = states.into_iter().find(|(_, count)| *count > 0.0).map(|(state, _)| state);
        json!({
            "recorded": self.sum("guildwire_events_recorded_total"),
            "rejected": self.sum("guildwire_events_rejected_total"),
            "outbox": self.one("guildwire_outbox_events"),
            "lag": self.one("guildwire_intake_lag_events{of=\"max\"}"),
            "sends": sends,
            "limited": self.sum("guildwire_rate_limited_total"),
            "p50": self.quantile(0.5), "p99": self.quantile(0.99),
            "account": account,
            "gateway": self.sum("guildwire_gateway_shards_connected") > 0.0,
        })
    }
}
