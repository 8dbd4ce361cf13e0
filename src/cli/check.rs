//! `riskgraph check` and `riskgraph migrate`.

use std::sync::Arc;

use riskgraph_analysis::detect::DetectConfig;
use riskgraph_analysis::posture::PostureConfig;
use riskgraph_analysis::spread::RiskConfig;

use riskgraph_domain::error::{Fault, FaultCode};

use super::{Done, EXIT_DONE, EXIT_FAILED, Failure, SettingsArgs};
use crate::app::{crawler, open_store};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::responders;

/// Opens the store, which migrates it.
pub(super) async fn migrate(settings: &SettingsArgs) -> Done {
    let config = settings.load()?;
    if config.store.url.is_empty() {
        std::fs::create_dir_all(&config.store.data_dir)?;
    }
    open_store(&config).await.map_err(|fault| Failure::Run(fault.into()))?;
    println!("the database has this version's schema");
    Ok(EXIT_DONE)
}

/// Checks everything that can be checked without serving.
pub(super) async fn check(settings: &SettingsArgs) -> Done {
    let config = settings.load()?;
    let mut failed = false;
    for (what, result) in results(&config).await {
        match result {
            Ok(()) => println!("ok      {what}"),
            Err(problem) => {
                failed = true;
                println!("failed  {what}: {problem}");
            }
        }
    }
    Ok(if failed { EXIT_FAILED } else { EXIT_DONE })
}

async fn results(config: &Config) -> Vec<(String, Result<(), String>)> {
    let folder = if config.store.url.is_empty() { std::fs::create_dir_all(&config.store.data_dir) } else { Ok(()) };
    let mut results: Vec<(String, Result<(), String>)> = [
        ("configuration", Ok(())),
        ("detector quantities", DetectConfig::shipped().map(drop).map_err(|error| error.to_string())),
        ("risk quantities", RiskConfig::defaults().map(drop).map_err(|error| error.to_string())),
        ("posture quantities", PostureConfig::built_in().map(drop).map_err(|error| error.to_string())),
        ("alert policy", config.alert_policy().map(drop).map_err(|fault| fault.to_string())),
        ("crawler options", crawler(config).map(drop).map_err(|fault| fault.to_string())),
        ("connectors", responders::build(config, Arc::new(SystemClock)).map(drop).map_err(|fault| fault.to_string())),
        ("data folder", folder.map_err(|error| error.to_string())),
        ("delivery options", crate::notify::notifier(config).map(drop).map_err(|fault| fault.to_string())),
        ("database and channels", database(config).await.map_err(|fault| fault.to_string())),
    ]
    .into_iter()
    .map(|(what, result)| (what.to_owned(), result))
    .collect();
    results.extend(playbooks(config));
    results
}

/// Every playbook file, with the tests that stand in it.
fn playbooks(config: &Config) -> Vec<(String, Result<(), String>)> {
    match crate::respond::library::check(&config.respond.playbooks_dir, config.respond.caps.run) {
        Err(fault) => vec![("playbooks".to_owned(), Err(fault.to_string()))],
        Ok(judged) => judged
            .into_iter()
            .map(|(file, result)| match result {
                Ok(n_tests) => (format!("playbook {file}, {n_tests} tests"), Ok(())),
                Err(problem) => (format!("playbook {file}"), Err(problem)),
            })
            .collect(),
    }
}

/// Opens the database, which migrates it, and looks whether every channel can be used as it is set up.
async fn database(config: &Config) -> Result<(), Fault> {
    let store = open_store(config).await?;
    let problems = crate::notify::problems(config, &*store.documents(), &*store.deliveries()).await?;
    if problems.is_empty() { Ok(()) } else { Err(Fault::new(FaultCode::Configuration, problems.join("; "))) }
}
