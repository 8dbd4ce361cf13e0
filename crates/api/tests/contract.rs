//! The schema we serve against the contract it must hold: everything in the contract is in ours with the same type.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

use std::collections::BTreeMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{FieldDefinition, InputValueDefinition, TypeKind, TypeSystemDefinition};

const CONTRACT: &str = include_str!("contract.graphql");

/// Every fact of a schema as `path -> type`: `Query.vendors -> VendorConnection!`, `Query.vendors(first) -> Int`,
/// `enum Grade.NR`, `type Vendor implements Node`.
fn facts(sdl: &str) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    for definition in parse_schema(sdl).expect("a schema").definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let name = definition.node.name.node.to_string();
        match definition.node.kind {
            TypeKind::Scalar => _ = facts.insert(format!("scalar {name}"), String::new()),
            TypeKind::Object(object) => {
                facts.insert(format!("type {name}"), String::new());
                for interface in object.implements {
                    facts.insert(format!("type {name} implements {}", interface.node), String::new());
                }
                object.fields.iter().for_each(|field| add_field(&mut facts, &name, &field.node));
            }
            TypeKind::Interface(interface) => {
                facts.insert(format!("interface {name}"), String::new());
                interface.fields.iter().for_each(|field| add_field(&mut facts, &name, &field.node));
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    facts.insert(format!("enum {name}.{}", value.node.value.node), String::new());
                }
            }
            TypeKind::InputObject(input) => {
                facts.insert(format!("input {name}"), String::new());
                input.fields.iter().for_each(|field| add_input(&mut facts, &format!("{name}."), &field.node));
            }
            TypeKind::Union(_) => _ = facts.insert(format!("union {name}"), String::new()),
        }
    }
    facts
}

fn add_field(facts: &mut BTreeMap<String, String>, owner: &str, field: &FieldDefinition) {
    let path = format!("{owner}.{}", field.name.node);
    for argument in &field.arguments {
        add_input(facts, &format!("{path}:"), &argument.node);
    }
    facts.insert(path, field.ty.node.to_string());
}

fn add_input(facts: &mut BTreeMap<String, String>, owner: &str, input: &InputValueDefinition) {
    facts.insert(format!("{owner}{}", input.name.node), input.ty.node.to_string());
}

/// The contract writes `<Type>Connection` without defining it; this is what it says of them in words.
fn connections(contract: &str) -> String {
    let mut names: Vec<&str> = contract
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter_map(|word| word.strip_suffix("Connection"))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .iter()
        .map(|name| {
            format!(
                "type {name}Connection {{ edges: [{name}Edge!]! pageInfo: PageInfo! totalCount: Int }}
                 type {name}Edge {{ cursor: String! node: {name}! }}\n"
            )
        })
        .collect()
}

#[test]
fn everything_of_the_contract_is_in_ours_with_the_same_type() {
    let ours = facts(&riskgraph_api::sdl());
    let wanted = facts(&(CONTRACT.to_owned() + &connections(CONTRACT)));
    let differing: Vec<String> = wanted
        .iter()
        .filter(|(path, ty)| ours.get(*path) != Some(ty))
        .map(|(path, ty)| format!("{path}: contract {ty:?}, ours {:?}", ours.get(path)))
        .collect();
    assert!(wanted.len() > 250, "the contract has {} facts only: was it read?", wanted.len());
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// An argument or input field beyond the contract must be optional, else a client of the contract could not call.
#[test]
fn what_we_add_to_the_contract_may_be_left_out() {
    let ours = facts(&riskgraph_api::sdl());
    let wanted = facts(CONTRACT);
    let is_input =
        |path: &str| path.contains(':') || ["VendorInput.", "AlertFilter."].iter().any(|input| path.starts_with(input));
    let demanding: Vec<&String> = ours
        .iter()
        .filter(|(path, ty)| is_input(path) && !wanted.contains_key(*path) && ty.ends_with('!'))
        .filter(|(path, _)| path.split(':').next().is_some_and(|field| wanted.contains_key(field)))
        .map(|(path, _)| path)
        .collect();
    assert!(demanding.is_empty(), "{demanding:?}");
}

#[test]
fn the_checked_in_schema_is_fresh() {
    let kept = include_str!("../../../schema/riskgraph.graphql");
    assert!(kept == riskgraph_api::sdl(), "run `cargo run -p riskgraph-api --example sdl > schema/riskgraph.graphql`");
}
