//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::Config;

mod audit;
mod check;
mod checks;
mod client;
mod demo;
mod ingest;
mod log_lines;
mod lookalikes;
mod pages;
mod posture;
mod report;
mod schema;
mod serve;
mod token;
mod vendors;
mod verify;

/// Done.
const EXIT_DONE: u8 = 0;
/// Findings at or above `--fail-on`.
const EXIT_FINDINGS: u8 = 1;
/// Wrong use or configuration.
const EXIT_USE: u8 = 2;
/// Failed while running.
const EXIT_FAILED: u8 = 3;

/// Watches what an online shop depends on: its vendors, its partners' API connections, its users and its payments, in one
/// risk graph with explained alerts.
///
/// Try `riskgraph demo` first: it runs the service on a small internet of its own, with attacks to look at.
#[derive(Debug, Parser)]
#[command(name = "riskgraph", version, arg_required_else_help = true, max_term_width = 110)]
struct Arguments {
    #[command(subcommand)]
    command: Subcommands,
}

#[derive(Debug, Subcommand)]
enum Subcommands {
    /// Run the service: API, ingest, assessments. No configuration is needed; the first start prints an admin token.
    Serve(serve::Serve),
    /// Run the service wired to a lab: vendors are assessed, traffic flows, attacks happen, alerts appear.
    Demo(demo::Demo),
    /// Send event or log files to a running service.
    Ingest(ingest::Ingest),
    /// Assess domains once, from outside, with evidence, grade and advice.
    Posture(posture::Posture),
    /// List the posture checks, or explain one.
    Checks(checks::Checks),
    /// List names that look like a domain, and which of them exist.
    Lookalikes(lookalikes::Lookalikes),
    /// Payment pages from recorded visits: inventory of scripts, what changed, evidence for PCI DSS 6.4.3 and 11.6.1.
    Pages(pages::Pages),
    /// Make a report: for the vendor manager, the head of risk, the board, or a vendor.
    Report(report::Report),
    /// Check a report against its signature, offline; or print the public key.
    Verify(verify::Verify),
    /// Manage vendors of a running service.
    Vendors(vendors::Vendors),
    /// Make, list and revoke access tokens.
    Token(token::TokenCommand),
    /// Prove and export the log of who did and read what.
    Audit(audit::AuditCommand),
    /// Print the contracts: GraphQL schema, JSON Schemas of events, configuration and rules.
    Schema(schema::Schema),
    /// Bring the database to this version's schema.
    Migrate(SettingsArgs),
    /// Check configuration, rules and connectivity.
    Check(SettingsArgs),
}

/// Where the configuration and the data are.
#[derive(Debug, Clone, clap::Args)]
pub struct SettingsArgs {
    /// Configuration file (TOML); overrides the shipped defaults key by key.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder of the data; made when missing.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
}

impl SettingsArgs {
    fn load(&self) -> Result<Config, Failure> {
        let mut config =
            Config::load(self.config.as_deref()).map_err(|error| Failure::Use(anyhow::Error::new(error)))?;
        if let Some(dir) = &self.data_dir {
            config.store.data_dir.clone_from(dir);
        }
        Ok(config)
    }
}

/// How a listing is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Why a command ended without success.
#[derive(Debug)]
enum Failure {
    /// The user or the configuration can mend it.
    Use(anyhow::Error),
    /// It went wrong while running.
    Run(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}

/// What a successful command exits with.
type Done = Result<u8, Failure>;

/// Reads the arguments and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_logging(&arguments.command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("riskgraph: the runtime cannot start: {error}");
            return ExitCode::from(EXIT_FAILED);
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Use(error)) => {
            eprintln!("riskgraph: {error:#}");
            ExitCode::from(EXIT_USE)
        }
        Err(Failure::Run(error)) => {
            eprintln!("riskgraph: {error:#}");
            ExitCode::from(EXIT_FAILED)
        }
    }
}

async fn run(command: Subcommands) -> Done {
    match command {
        Subcommands::Serve(command) => command.run().await,
        Subcommands::Demo(command) => command.run().await,
        Subcommands::Ingest(command) => command.run().await,
        Subcommands::Posture(command) => command.run().await,
        Subcommands::Checks(command) => command.run(),
        Subcommands::Lookalikes(command) => command.run().await,
        Subcommands::Pages(command) => command.run(),
        Subcommands::Report(command) => command.run().await,
        Subcommands::Verify(command) => command.run().await,
        Subcommands::Vendors(command) => command.run().await,
        Subcommands::Token(command) => command.run().await,
        Subcommands::Audit(command) => command.run().await,
        Subcommands::Schema(command) => command.run(),
        Subcommands::Migrate(settings) => check::migrate(&settings).await,
        Subcommands::Check(settings) => check::check(&settings).await,
    }
}

/// Logs go to standard error, so that standard output stays clean for pipes; `RUST_LOG` chooses what.
fn start_logging(command: &Subcommands) {
    let default = match command {
        Subcommands::Serve(_) => {
            "info,sqlx=warn,sea_orm_migration=warn,tokio_cron_scheduler=warn,hickory_resolver=error,hickory_net=error"
        }
        _ => "warn,hickory_resolver=error,hickory_net=error,hickory_server=error",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false).init();
}
