//! `riskgraph token`.

use std::sync::Arc;

use anyhow::anyhow;
use riskgraph_domain::access::{Capability, Role, Token};
use riskgraph_domain::audit::{Outcome, Record, Recorder as _};
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::Gatekeeper as _;
use riskgraph_domain::time::{Clock as _, DAY_MS};
use riskgraph_domain::{Text, TokenId};
use serde_json::json;

use super::{Done, EXIT_DONE, EXIT_FAILED, Failure, Format, SettingsArgs};
use crate::app::open_store;
use crate::audit::{Ledger, local_actor};
use crate::clock::SystemClock;
use crate::gatekeeper::{Guard, GuardParts};

#[derive(Debug, clap::Args)]
pub(super) struct TokenCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token; its secret is shown once.
    Create {
        /// admin (all), analyst (reads and triages), reader (reads), ingest (only sends events).
        #[arg(long)]
        role: String,
        /// What it is for.
        #[arg(long, default_value = "command line")]
        name: String,
        /// Days it is valid; without it, until revoked.
        #[arg(long, value_name = "DAYS")]
        days: Option<u32>,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Print a link that signs a browser in once; the service need not be restarted.
    Link {
        /// What whoever opens it may do: admin, analyst or reader.
        #[arg(long, default_value = "admin")]
        role: String,
        /// Sign in as this token (tok_...) instead of one made for the link.
        #[arg(long, value_name = "ID", conflicts_with = "role")]
        token: Option<String>,
        /// Where the service is, as the browser reaches it; without it, where the configuration says it listens.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// List tokens (never their secrets).
    List {
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        #[command(flatten)]
        settings: SettingsArgs,
    },
    /// Revoke a token by its id (tok_...).
    Revoke {
        id: String,
        #[command(flatten)]
        settings: SettingsArgs,
    },
}

impl TokenCommand {
    pub(super) async fn run(self) -> Done {
        match self.action {
            Action::Create { role, name, days, settings } => create(&role, &name, days, &settings).await,
            Action::Link { role, token, url, settings } => link(&role, token.as_deref(), url, &settings).await,
            Action::List { format, settings } => list(format, &settings).await,
            Action::Revoke { id, settings } => revoke(&id, &settings).await,
        }
    }
}

/// The tokens of a store and the log of who changes them.
struct Office {
    guard: Guard,
    ledger: Ledger,
}

impl Office {
    /// Records a change before it is made and its outcome, as the service does.
    async fn recorded<T>(
        &self,
        (action, arguments): (&str, serde_json::Value),
        change: impl Future<Output = Result<(T, String), Fault>>,
    ) -> Result<T, Failure> {
        let begun = Record {
            detail: json!({ "arguments": arguments }),
            outcome: Outcome::Started,
            ..Record::of_system(SystemClock.now(), &local_actor(), action)
        };
        self.ledger.record(begun.clone()).await?;
        let done = change.await;
        let (outcome, target) = match &done {
            Ok((_, target)) => (Outcome::Done, Some(Text::from(target.as_str()))),
            Err(_) => (Outcome::Failed, None),
        };
        self.ledger.record(Record { at: SystemClock.now(), outcome, target, ..begun }).await?;
        Ok(done?.0)
    }
}

async fn open(settings: &SettingsArgs) -> Result<Office, Failure> {
    let config = settings.load()?;
    if config.store.url.is_empty() {
        std::fs::create_dir_all(&config.store.data_dir)?;
    }
    let store = open_store(&config).await?;
    let ledger = Ledger::new(store.audit(), Arc::new(SystemClock));
    let guard = Guard::new(GuardParts {
        tokens: store.tokens(),
        sessions: store.sessions(),
        clock: Arc::new(SystemClock),
        limits: config.session_limits(),
    });
    Ok(Office { guard, ledger })
}

fn role(given: &str) -> Result<Role, Failure> {
    Role::parse(given)
        .ok_or_else(|| Failure::Use(anyhow!("'{given}' is no role; use admin, analyst, reader or ingest")))
}

async fn link(given: &str, token: Option<&str>, url: Option<String>, settings: &SettingsArgs) -> Done {
    let role = role(given)?;
    if !role.may(Capability::Read) {
        return Err(Failure::Use(anyhow!("a token of the role {given} cannot sign in; use admin, analyst or reader")));
    }
    let base = match url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{}", settings.load()?.server.listen),
    };
    let token = token.map(parse).transpose()?;
    let office = open(settings).await?;
    let making = async {
        let link = match token {
            Some(id) => office.guard.code_for(id).await?,
            None => office.guard.link(role).await?,
        };
        let target = link.token.to_string();
        Ok((link, target))
    };
    let link = office.recorded(("createLink", json!({ "role": given })), making).await?;
    eprintln!("signs in once as {}, until {}:", link.token, link.expires_at);
    println!("{}", link.url(&base));
    Ok(EXIT_DONE)
}

fn parse(id: &str) -> Result<TokenId, Failure> {
    id.parse().map_err(|_| Failure::Use(anyhow!("'{id}' is no token id; see `riskgraph token list`")))
}

async fn create(given: &str, name: &str, days: Option<u32>, settings: &SettingsArgs) -> Done {
    let role = role(given)?;
    let expires_at = days.map(|days| SystemClock.now() + i64::from(days) * DAY_MS);
    let office = open(settings).await?;
    let making = async {
        let (token, bearer) = office.guard.create(name, role, expires_at).await?;
        let target = token.id.to_string();
        Ok(((token, bearer), target))
    };
    let arguments = json!({ "name": name, "role": given, "expiresAt": expires_at });
    let (token, bearer) = office.recorded(("createToken", arguments), making).await?;
    eprintln!("{} ({}), shown once:", token.id, token.role.as_str());
    println!("{bearer}");
    Ok(EXIT_DONE)
}

async fn list(format: Format, settings: &SettingsArgs) -> Done {
    let tokens = open(settings).await?.guard.tokens().await?;
    match format {
        Format::Json => {
            let rows: Vec<_> = tokens.iter().map(row).collect();
            println!("{}", serde_json::to_string_pretty(&rows)?);
        }
        Format::Text => {
            println!("{:<30} {:<8} {:<25} {:<25} NAME", "ID", "ROLE", "LAST USED", "EXPIRES");
            for token in &tokens {
                let shown =
                    |at: Option<riskgraph_domain::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339());
                let state = if token.revoked_at.is_some() { "revoked".to_owned() } else { shown(token.expires_at) };
                println!(
                    "{:<30} {:<8} {:<25} {state:<25} {}",
                    token.id.to_string(),
                    token.role.as_str(),
                    shown(token.last_used_at),
                    token.name
                );
            }
        }
    }
    Ok(EXIT_DONE)
}

fn row(token: &Token) -> serde_json::Value {
    serde_json::json!({
        "id": token.id, "name": token.name, "role": token.role.as_str(), "created_at": token.created_at,
        "expires_at": token.expires_at, "last_used_at": token.last_used_at, "revoked_at": token.revoked_at,
    })
}

async fn revoke(id: &str, settings: &SettingsArgs) -> Done {
    let id = parse(id)?;
    let office = open(settings).await?;
    let ending = async { Ok((office.guard.revoke(id).await?, id.to_string())) };
    if office.recorded(("revokeToken", json!({ "id": id })), ending).await? {
        println!("revoked {id}");
        Ok(EXIT_DONE)
    } else {
        eprintln!("riskgraph: no such token, or revoked already: {id}");
        Ok(EXIT_FAILED)
    }
}
