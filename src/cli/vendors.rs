//! `riskgraph vendors`.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use serde_json::json;

use super::client::ServerArgs;
use super::{Done, EXIT_DONE, EXIT_FAILED, Failure};
use crate::vendor_csv;

/// Adds one vendor; a vendor that exists is updated by `updateVendor`.
const ADD: &str = "mutation Add($input: VendorInput!) { addVendor(input: $input) { id name } }";

#[derive(Debug, clap::Args)]
pub(super) struct Vendors {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add vendors from a CSV file with the header `name,domains,tier,owner,integrations`; lists are separated by `;`.
    Import {
        file: PathBuf,
        #[command(flatten)]
        server: ServerArgs,
    },
}

impl Vendors {
    pub(super) async fn run(self) -> Done {
        let Action::Import { file, server } = self.action;
        let bytes =
            std::fs::read(&file).with_context(|| format!("{} cannot be read", file.display())).map_err(Failure::Use)?;
        let (inputs, rejects) =
            vendor_csv::read(&bytes).map_err(|error| Failure::Use(anyhow!("{}: {error}", file.display())))?;
        let server = server.connect()?;
        let mut n_failed = rejects.len();
        for reject in &rejects {
            eprintln!("{}:{}: {}", file.display(), reject.line, reject.reason);
        }
        let mut n_added = 0;
        for (line, input) in inputs {
            let variables = json!({ "input": {
                "name": input.name, "domains": input.domains, "tier": input.tier.map(|tier| tier.as_str()),
                "owner": input.owner, "integrations": input.integrations,
            }});
            match server.graphql(ADD, variables).await {
                Ok(_) => n_added += 1,
                Err(error) => {
                    n_failed += 1;
                    eprintln!("{}:{line}: {error:#}", file.display());
                }
            }
        }
        println!("{n_added} vendors added, {n_failed} lines failed");
        Ok(if n_added == 0 && n_failed > 0 { EXIT_FAILED } else { EXIT_DONE })
    }
}
