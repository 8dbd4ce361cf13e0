//! Runs the lab's internet until interrupted: `internet SEED FOLDER`.
//!
//! Writes `ca.pem` and `anchor.zone` into the folder, and prints the vendors and the flags that let
//! `riskgraph posture` see them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use riskgraph_lab::{Internet, InternetOptions};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().map_or(Ok(1), |text| text.parse()).context("SEED is a number")?;
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let internet = Internet::start(InternetOptions { seed, ..InternetOptions::default() }).await?;
    tokio::fs::write(folder.join("ca.pem"), &internet.ca_pem).await?;
    tokio::fs::write(folder.join("anchor.zone"), &internet.dnssec_anchor).await?;
    for vendor in &internet.vendors {
        println!("{:<28} {:<20} {}", vendor.domain, format!("{:?}", vendor.profile), vendor.expected);
    }
    print!("flags: --resolver {} --ca {}", internet.resolver, folder.join("ca.pem").display());
    for (host, address) in &internet.connect {
        print!(" --connect {host}={address}");
    }
    println!();
    tokio::signal::ctrl_c().await?;
    internet.stop().await;
    Ok(())
}
