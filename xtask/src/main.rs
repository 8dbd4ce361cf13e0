//! `cargo xtask`: what keeps the tree in order. Not shipped.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;

mod tidy;

const USAGE: &str =
    "cargo xtask tidy   check walls, file sizes, bans\ncargo xtask gen    write the generated contracts to schema/";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let done = match task.as_str() {
        "tidy" => run_tidy(),
        "gen" => generate(),
        _ => Err(anyhow::anyhow!("usage:\n{USAGE}")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().map(PathBuf::from).unwrap_or_default()
}

fn run_tidy() -> anyhow::Result<()> {
    let problems = tidy::problems(&root())?;
    for problem in &problems {
        eprintln!("{problem}");
    }
    anyhow::ensure!(problems.is_empty(), "{} problems", problems.len());
    println!("tidy");
    Ok(())
}

/// The binary writes its own contracts and the pages of its checks, so they cannot differ from the code.
fn generate() -> anyhow::Result<()> {
    for (command, folder) in [("schema", "schema"), ("checks", "docs/checks")] {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let status = std::process::Command::new(cargo)
            .args(["run", "--quiet", "--bin", "riskgraph", "--", command, "--out", folder])
            .current_dir(root())
            .status()
            .context("cargo cannot be run")?;
        anyhow::ensure!(status.success(), "{folder} could not be generated");
    }
    Ok(())
}
