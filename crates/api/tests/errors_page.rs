//! `docs/errors.md` has every code, with the class GraphQL shows.

use riskgraph_domain::FaultCode;

#[test]
fn every_code_has_its_line() {
    let page = include_str!("../../../docs/errors.md");
    let lacks = |code: &&FaultCode| {
        let begins = format!("| {} | {} | ", code.number(), code.graphql());
        page.lines().filter(|line| line.starts_with(&begins)).count() != 1
    };
    let missing: Vec<&str> = FaultCode::ALL.iter().filter(lacks).map(|code| code.number()).collect();
    assert!(missing.is_empty(), "docs/errors.md lacks {missing:?}");
    let rows = page.lines().filter(|line| line.starts_with("| RG-")).count();
    assert_eq!(rows, FaultCode::ALL.len(), "a line for a code that does not exist");
}
