//! The generated contracts in `schema/` are fresh.

use std::path::Path;

#[test]
fn generated_contracts_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    for (name, text) in riskgraph::contracts::all().expect("contracts can be written") {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(kept == text, "schema/{name} is stale: run `make gen` and commit it");
    }
}
