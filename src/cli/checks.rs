//! `riskgraph checks`: what is checked about a vendor, and why.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use riskgraph_analysis::posture::{catalogue, check_page, pages};
use serde_json::json;

use super::{Done, EXIT_DONE, Failure, Format};

#[derive(Debug, clap::Args)]
pub(super) struct Checks {
    /// Check to explain, such as TLS-09; without it all are listed.
    #[arg(value_name = "ID")]
    id: Option<String>,
    /// Write the pages of all checks into this folder, as Markdown.
    #[arg(long, value_name = "FOLDER", conflicts_with = "id")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Checks {
    pub(super) fn run(self) -> Done {
        if let Some(folder) = &self.out {
            std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
            for (name, page) in pages() {
                let file = folder.join(name);
                std::fs::write(&file, page).with_context(|| format!("{} cannot be written", file.display()))?;
            }
            return Ok(EXIT_DONE);
        }
        match &self.id {
            Some(id) => {
                let page = check_page(id).ok_or_else(|| {
                    Failure::Use(anyhow!("there is no check '{id}'; `riskgraph checks` lists all of them"))
                })?;
                print!("{page}");
            }
            None if self.format == Format::Json => {
                let all: Vec<serde_json::Value> = catalogue()
                    .map(|check| {
                        json!({
                            "id": check.id, "severity": check.severity, "title": check.title, "observed": check.observed,
                            "rule": check.rule, "why": check.why, "recommendation": check.recommendation,
                            "reference": check.reference,
                        })
                    })
                    .collect();
                println!("{}", serde_json::to_string_pretty(&all)?);
            }
            None => {
                for check in catalogue() {
                    println!("{:<8} {:<8} {}", check.id, check.severity.as_str(), check.title);
                }
            }
        }
        Ok(EXIT_DONE)
    }
}
