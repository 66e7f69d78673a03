//! The process: what was typed is handed to the part that does it, and how that went becomes the exit code.
//!
//! 0 when it was done, 1 when it failed, 2 when what was typed makes no sense.

use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use guildwire::app;
use guildwire::cli::{Cli, Command};
use guildwire::lifecycle::Outcome;
use guildwire::operator::{self, Told};
use guildwire::settings::Settings;

fn main() -> ExitCode {
    match carry_out(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where standard error is gone, nobody is left to be told.
            io::stderr().write_all(told(&error).as_bytes()).ok();
            ExitCode::FAILURE
        }
    }
}

fn carry_out(cli: Cli) -> anyhow::Result<()> {
    let settings = Settings::load(cli.config.as_deref())?;
    let file = cli.config.clone();
    let command = cli.into_command();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the operating system gives no threads to run on")?;
    let result = runtime.block_on(async {
        match command {
            Command::Run => match app::run(&settings, file).await? {
                Outcome::Stopped => Ok(()),
                Outcome::Failed(reason) => Err(anyhow::Error::msg(reason)),
            },
            Command::Account(command) => tell(operator::account(command, &settings).await?),
            Command::Operator(command) => print(&operator::operator(command, &settings).await?),
            Command::Publish(publish) => print(&operator::publish(&settings, publish).await?),
            Command::Watch(watch) => operator::watch(&settings, &watch).await,
            Command::Doctor => tell(operator::doctor(&settings).await.into()),
            Command::Backup(backup) => print(&operator::backup(&settings, &backup.file).await?),
            Command::Health(health) => print(&operator::health(settings.http.listen, health.ready).await?),
            Command::Nkey(nkey) => print(&operator::nkey(&nkey.file)?),
            Command::Audit(audit) => print(&operator::audit(&settings, &audit).await?),
            Command::Privacy(privacy) => print(&operator::privacy(&settings, privacy).await?),
            Command::Secrets(command) => print(&operator::secrets(command, &settings).await?),
            Command::Config => print(&settings.render_redacted()),
        }
    });
    // Not dropped: that would wait for whatever blocks its thread.
    runtime.shutdown_background();
    result
}

fn tell(Told { text, failure }: Told) -> anyhow::Result<()> {
    print(&text)?;
    failure.map_or(Ok(()), |failure| Err(anyhow::Error::msg(failure)))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever reads has seen enough, as `head` does.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("can't write to standard output"),
    }
}

/// An error with its causes, a line each, but for those that the line above tells already.
fn told(error: &anyhow::Error) -> String {
    let mut text = format!("error: {error}\n");
    let mut above = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !above.contains(&cause) {
            text = format!("{text}  because: {cause}\n");
            above = cause;
        }
    }
    text
}
