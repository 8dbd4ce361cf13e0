//! The import table: which crate may depend on what.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What a crate must not know, beside every workspace crate that is not in `may_use`.
struct Wall {
    name: &'static str,
    may_use: &'static [&'static str],
    must_not_use: &'static [&'static str],
}

/// design section 3. Dev-dependencies are free: tests may stand on real servers.
const WALLS: &[Wall] = &[
    Wall {
        name: "riskgraph-domain",
        may_use: &[],
        must_not_use: &["tokio", "sea-orm", "sqlx", "reqwest", "async-graphql", "axum", "rand", "getrandom", "tracing"],
    },
    Wall {
        name: "riskgraph-analysis",
        may_use: &["riskgraph-domain", "riskgraph-pages"],
        must_not_use: &[
            "tokio",
            "tokio-util",
            "futures",
            "sea-orm",
            "sqlx",
            "reqwest",
            "hickory-resolver",
            "rustls",
            "async-graphql",
            "axum",
            "rand",
            "getrandom",
            "async-trait",
            "tracing",
            "parking_lot",
        ],
    },
    Wall {
        name: "riskgraph-pages",
        may_use: &["riskgraph-domain"],
        must_not_use: &["tokio", "sea-orm", "sqlx", "reqwest", "async-graphql", "axum", "rand", "getrandom", "tracing"],
    },
    Wall {
        name: "riskgraph-report",
        may_use: &["riskgraph-domain"],
        must_not_use: &["tokio", "sea-orm", "sqlx", "reqwest", "async-graphql", "axum", "rand", "getrandom", "tracing"],
    },
    Wall {
        name: "riskgraph-store",
        may_use: &["riskgraph-domain", "riskgraph-migrations"],
        must_not_use: &["async-graphql", "axum", "reqwest", "hickory-resolver"],
    },
    Wall {
        name: "riskgraph-connectors",
        may_use: &["riskgraph-domain", "riskgraph-pages"],
        must_not_use: &["sea-orm", "sqlx", "async-graphql"],
    },
    Wall {
        name: "riskgraph-api",
        may_use: &["riskgraph-domain"],
        must_not_use: &["sea-orm", "sqlx", "reqwest", "hickory-resolver"],
    },
    Wall { name: "riskgraph-migrations", may_use: &[], must_not_use: &["tokio", "axum", "reqwest", "async-graphql"] },
    Wall { name: "riskgraph-console", may_use: &[], must_not_use: &["sea-orm", "sqlx", "reqwest", "async-graphql"] },
    Wall { name: "riskgraph-lab", may_use: &["riskgraph-domain"], must_not_use: &["sea-orm", "sqlx", "async-graphql"] },
];

/// Never in the tree: a second crypto provider, a second TLS, crates with open advisories.
const BANNED: &[(&str, &str)] = &[
    ("ring", "one crypto provider: aws-lc-rs"),
    ("openssl-sys", "TLS is rustls"),
    ("native-tls", "TLS is rustls"),
    ("rsa", "RUSTSEC-2023-0071 has no patch"),
    ("trust-dns-resolver", "renamed to hickory-resolver; the old one is unmaintained"),
];

pub(super) fn problems(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata =
        MetadataCommand::new().manifest_path(root.join("Cargo.toml")).exec().context("cargo metadata failed")?;
    let members: BTreeMap<&str, &Package> =
        metadata.workspace_packages().into_iter().map(|package| (package.name.as_str(), package)).collect();
    let mut problems = Vec::new();
    for wall in WALLS {
        match members.get(wall.name) {
            Some(package) => problems.extend(broken(wall, package, &members)),
            None => problems
                .push(format!("{}: the crate is gone, but its wall stands in xtask/src/tidy/walls.rs", wall.name)),
        }
    }
    for (name, package) in &members {
        if package.dependencies.iter().any(|dependency| dependency.name == "riskgraph") {
            problems.push(format!("{name}: nothing may depend on the root package"));
        }
        let known = WALLS.iter().any(|wall| wall.name == *name) || matches!(*name, "riskgraph" | "xtask");
        if !known {
            problems.push(format!("{name}: a new crate needs a row in the import table of xtask/src/tidy/walls.rs"));
        }
    }
    let linked = linked_crates(root)?;
    for (name, why) in BANNED.iter().filter(|(name, _)| linked.contains(*name)) {
        problems.push(format!("{name}: banned from the tree: {why}"));
    }
    Ok(problems)
}

fn broken(wall: &Wall, package: &Package, members: &BTreeMap<&str, &Package>) -> Vec<String> {
    let used: BTreeSet<&str> = package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind == DependencyKind::Normal)
        .map(|dependency| dependency.name.as_str())
        .collect();
    let forbidden_member = |name: &&&str| members.contains_key(**name) && !wall.may_use.contains(*name);
    let members_used = used.iter().filter(forbidden_member).map(|name| format!("{} must not know {name}", wall.name));
    let banned_used = used
        .iter()
        .filter(|name| wall.must_not_use.contains(*name))
        .map(|name| format!("{} must not use {name}", wall.name));
    members_used.chain(banned_used).collect()
}

/// Names of all crates that are really built in. `cargo metadata` also lists what optional features would bring.
fn linked_crates(root: &Path) -> anyhow::Result<BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = std::process::Command::new(cargo)
        .args(["tree", "--workspace", "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(root)
        .output()
        .context("cargo tree cannot be run")?;
    anyhow::ensure!(output.status.success(), "cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}
