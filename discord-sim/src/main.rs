//! The simulator as a program: Discord on a port of 127.0.0.1, with a page and the control interface beside it.

use std::num::ParseIntError;
use std::time::Duration;

use clap::Parser;
use discord_sim::{Options, Sim};

/// A stand-in for Discord's REST and gateway. Not affiliated with Discord.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 8930)]
    port: u16,
    /// Varies what Discord leaves open: bucket sizes, the nonce window.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The bot token that is accepted.
    #[arg(long, default_value = "sim-token")]
    token: String,
    /// How many shards are recommended to the bot.
    #[arg(long, default_value_t = 1)]
    shards: u32,
    /// Past so many guilds a shard is refused with 4011.
    #[arg(long, default_value_t = 2500)]
    guilds_per_shard: u32,
    /// How many shards may identify at the same time; Discord gives an ordinary bot 1.
    #[arg(long, default_value_t = 16)]
    max_concurrency: u32,
    /// For how many milliseconds an IDENTIFY fills its place in max-concurrency; Discord takes 5000.
    #[arg(long, default_value = "0", value_parser = milliseconds)]
    identify_interval: Duration,
    /// Grants the privileged intents: members, presences, message content.
    #[arg(long)]
    privileged_intents: bool,
    /// How many milliseconds every REST request takes at least.
    #[arg(long, default_value = "0", value_parser = milliseconds)]
    latency: Duration,
    /// How many requests per second the bot may make in all.
    #[arg(long, default_value_t = 50)]
    global_per_second: u32,
}

fn milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let options = Options {
        port: arguments.port,
        seed: arguments.seed,
        token: arguments.token,
        shards: arguments.shards,
        guilds_per_shard: arguments.guilds_per_shard,
        max_concurrency: arguments.max_concurrency,
        identify_interval: arguments.identify_interval,
        privileged_intents: arguments.privileged_intents,
        latency: arguments.latency,
        global_per_second: arguments.global_per_second,
        control: true,
        ..Options::default()
    };
    let sim = Sim::start(options).await?;
    println!("Discord is simulated at {}; its control interface is {}/sim/state", sim.url(), sim.url());
    tokio::signal::ctrl_c().await?;
    sim.stop().await;
    Ok(())
}
