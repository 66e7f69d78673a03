//! What guildwire costs and how fast it is, beside floors that are measured in the same run: `./dev bench [NAME…]`.
//!
//! Prints a table, which is also Markdown, and leaves each group's figures as JSON in `bench/` of cargo's target folder.

mod accounts;
mod boards;
mod bots;
mod figure;
mod installation;
mod intake;
mod lanes;
mod latency;
mod machine;
mod memory;
mod storm;
mod troubles;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use figure::Figure;
use troubles::Fact;

/// What can be named, in the order in which it is measured.
const GROUPS: [&str; 8] = ["latency", "lanes", "storm", "boards", "memory", "intake", "accounts", "troubles"];

#[tokio::main]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a table is what this is for, and it takes minutes")]
async fn main() -> Result<()> {
    // Cargo says `--bench` to every bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [first, url, count] = arguments.as_slice()
        && first == accounts::FLOOR
    {
        return accounts::floor(url, count.parse()?).await;
    }
    if let Some(unknown) = arguments.iter().find(|name| !GROUPS.contains(&name.as_str())) {
        bail!("there is no bench called {unknown:?}; there are {}", GROUPS.join(", "));
    }
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let machine = machine::describe()?;
    let mut all = Measured::default();
    for name in GROUPS.into_iter().filter(|name| wanted(name)) {
        eprintln!("bench: {name}");
        let began = Instant::now();
        let measured = measure(name).await.with_context(|| format!("measuring {name}"))?;
        eprintln!("bench: {name} took {:.0} s\n{}", began.elapsed().as_secs_f64(), in_full(&measured));
        save(name, &machine, &measured)?;
        all.figures.extend(measured.figures);
        all.facts.extend(measured.facts);
    }
    println!("{machine}\n\n{}", in_full(&all));
    Ok(())
}

/// What a group has measured.
#[derive(Default)]
struct Measured {
    figures: Vec<Figure>,
    facts: Vec<Fact>,
}

impl From<Vec<Figure>> for Measured {
    fn from(figures: Vec<Figure>) -> Self {
        Self { figures, facts: Vec::new() }
    }
}

async fn measure(name: &str) -> Result<Measured> {
    Ok(match name {
        "latency" => latency::measure().await?.into(),
        "lanes" => lanes::measure().await?.into(),
        "storm" => storm::measure().await?.into(),
        "boards" => boards::measure().await?.into(),
        "memory" => memory::measure().await?.into(),
        "intake" => intake::measure().await?.into(),
        "accounts" => accounts::measure().await?.into(),
        _ => Measured { figures: Vec::new(), facts: troubles::observe().await? },
    })
}

fn in_full(measured: &Measured) -> String {
    let figures = figure::table(&measured.figures);
    let facts = troubles::table(&measured.facts);
    [figures, facts].into_iter().filter(|table| !table.is_empty()).collect::<Vec<_>>().join("\n")
}

fn save(name: &str, machine: &str, measured: &Measured) -> Result<()> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().context("it lies in the target folder")?;
    let folder = target.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let figures: Vec<_> = measured.figures.iter().map(Figure::json).collect();
    let described = json!({ "bench": name, "machine": machine, "figures": figures, "facts": measured.facts });
    let file = folder.join(format!("{name}.json"));
    std::fs::write(&file, format!("{described:#}\n")).with_context(|| format!("writing {}", file.display()))
}
