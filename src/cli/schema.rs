//! `riskgraph schema`: the contracts that `schema/` holds, from the code itself.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};

use super::{Done, EXIT_DONE, Failure};
use crate::contracts;

#[derive(Debug, clap::Args)]
pub(super) struct Schema {
    /// Which one; without it, their names are listed.
    name: Option<String>,
    /// Write all of them into this folder.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Schema {
    pub(super) fn run(self) -> Done {
        let all = contracts::all()?;
        if let Some(dir) = self.out {
            std::fs::create_dir_all(&dir).with_context(|| format!("{} cannot be made", dir.display()))?;
            for (name, text) in &all {
                std::fs::write(dir.join(name), text).with_context(|| format!("{name} cannot be written"))?;
            }
            return Ok(EXIT_DONE);
        }
        match self.name {
            None => all.iter().for_each(|(name, _)| println!("{name}")),
            Some(wanted) => {
                let found = all.iter().find(|(name, _)| *name == wanted || name.starts_with(&format!("{wanted}.")));
                let (_, text) = found
                    .ok_or_else(|| Failure::Use(anyhow!("no contract '{wanted}'; `riskgraph schema` lists them")))?;
                print!("{text}");
            }
        }
        Ok(EXIT_DONE)
    }
}
