use async_graphql::Variables;
use serde_json::json;

use super::*;

fn verdict(query: &str, variables: serde_json::Value) -> Option<FaultCode> {
    let limits = GraphqlLimits::default();
    check(query, None, &Variables::from_json(variables), &limits).err().map(|fault| fault.code)
}

#[test]
fn lets_ordinary_queries_through_and_refuses_the_rest() {
    let check = |query: &str, expected: Option<FaultCode>| {
        assert_eq!(verdict(query, json!({})), expected, "{}", query.chars().take(200).collect::<String>());
    };
    let nested = |depth: usize| "{ a ".repeat(depth) + &" }".repeat(depth);
    let aliases = |n: usize| format!("{{ v {{ {} }} }}", (0..n).map(|i| format!("a{i}: id ")).collect::<String>());
    let roots = |n: usize| format!("{{ {} }}", (0..n).map(|i| format!("f{i} ")).collect::<String>());

    check("{ vendors { edges { node { id name } } } }", None);
    check(
        "{ alerts(first: 100) { edges { node { id signals { edges { node { id reasons { text } } } } timeline { text }
           path { from { key } to { key } } entities { key } techniques { id } } } } }",
        None,
    );
    check(&nested(12), None);
    check(&nested(13), Some(FaultCode::DepthExceeded));
    check(&nested(900), Some(FaultCode::DepthExceeded));
    check(&aliases(15), None);
    check(&aliases(16), Some(FaultCode::TooManyAliases));
    check(&roots(10), None);
    check(&roots(11), Some(FaultCode::CostExceeded));
    check(
        "{ vendors(first: 100) { edges { node { findings(first: 100) { edges { node { id } } } } } } }",
        Some(FaultCode::CostExceeded),
    );
    check(&"a ".repeat(3_000), Some(FaultCode::CostExceeded));
    check(&format!("{{ a {} }}", "@skip(if: false) ".repeat(51)), Some(FaultCode::CostExceeded));
    check("{ a ", Some(FaultCode::BadInput));
    check("query A { a } query B { b }", Some(FaultCode::BadInput));
}

#[test]
fn counts_what_variables_and_fragments_stand_for() {
    let nested = "query Q($n: Int = 100) { vendors(first: $n) { edges { node { ...F } } } }
                  fragment F on Vendor { findings(first: $n) { edges { node { id } } } }";
    let check = |variables: serde_json::Value, expected: Option<FaultCode>| {
        assert_eq!(verdict(nested, variables.clone()), expected, "{variables}");
    };
    check(json!({}), Some(FaultCode::CostExceeded));
    check(json!({ "n": 100 }), Some(FaultCode::CostExceeded));
    check(json!({ "n": 10 }), None);
    check(json!({ "n": -1 }), Some(FaultCode::CostExceeded));
}

/// Thirty fragments that use each other twice would be a billion fields expanded.
#[test]
fn fragments_that_multiply_are_refused_at_once() {
    let mut query = String::from("{ ...F0 }");
    for i in 0..30 {
        query += &format!(" fragment F{i} on Query {{ ...F{next} ...F{next} }}", next = i + 1);
    }
    query += " fragment F30 on Query { node(id: 1) { id } }";
    assert_eq!(verdict(&query, json!({})), Some(FaultCode::CostExceeded));
    assert_eq!(verdict("{ ...A } fragment A on Query { ...A }", json!({})), Some(FaultCode::BadInput));
}

#[test]
fn introspection_has_its_own_bounds() {
    let of_type = "ofType { name ".repeat(9) + &"}".repeat(9);
    let standard = format!("{{ __schema {{ types {{ fields {{ args {{ type {{ name {of_type} }} }} }} }} }} }}");
    assert_eq!(verdict(&standard, json!({})), None);
    let cyclic = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    assert_eq!(verdict(cyclic, json!({})), Some(FaultCode::DepthExceeded));
}

#[test]
fn scans_tokens_without_parsing() {
    let check = |query: &str, tokens: usize, directives: usize, brackets: usize| {
        assert_eq!(scan::scan(query), scan::Scanned { tokens, directives, brackets }, "{query}");
    };
    check("{ a, b } # not this { ( \n{c}", 7, 0, 1);
    check("{ a(x: \"}}}\\\"}\", y: -1.5e+3) @skip(if: $v) }", 19, 1, 2);
    check("{ a(x: \"\"\"block } \\\"\"\" \"\"\") ...F }", 10, 0, 2);
    check("\"never closed", 1, 0, 0);
    check("ü", 2, 0, 0);
}
