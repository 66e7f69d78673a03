//! The simulator as a program: Discord on a port of 127.0.0.1, with the control interface under `/sim`.

use clap::Parser;
use discord_sim::{Options, Sim};

/// A stand-in for Discord's REST and gateway. Not affiliated with Discord.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The port on 127.0.0.1.
    #[arg(long, default_value_t = 8930)]
    port: u16,
    /// Varies what Discord leaves open: bucket sizes, the nonce window.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The bot token that is accepted.
    #[arg(long, default_value = "sim-token")]
    token: String,
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let Arguments { port, seed, token } = arguments;
    let sim = Sim::start(Options { port, seed, token, control: true, ..Options::default() }).await?;
    println!("Discord is simulated at {}; its control interface is {}/sim/state", sim.url(), sim.url());
    tokio::signal::ctrl_c().await?;
    sim.stop().await;
    Ok(())
}
