use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

use super::*;

/// Root fields of our SDL as `Query.vendors`.
fn root_fields() -> BTreeSet<String> {
    let document = parse_schema(crate::sdl()).expect("our own SDL parses");
    let mut names = BTreeSet::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let root = ty.node.name.node.to_string();
        let TypeKind::Object(object) = ty.node.kind else { continue };
        if ["Query", "Mutation", "Subscription"].contains(&root.as_str()) {
            names.extend(object.fields.iter().map(|field| format!("{root}.{}", field.node.name.node)));
        }
    }
    names
}

#[test]
fn lists_every_root_field_of_the_sdl_and_no_other() {
    let listed: BTreeSet<String> = surface()
        .iter()
        .filter(|item| item.name.contains('.') && !item.name.contains('/'))
        .map(|i| i.name.into())
        .collect();
    assert_eq!(listed, root_fields());
}

#[test]
fn names_nothing_twice() {
    let names: Vec<&str> = surface().iter().map(|item| item.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// The router is built by one loop over [`ROUTES`]; a route added past it would not be in the table.
#[test]
fn routes_are_added_in_one_place_only() {
    let mut adding = Vec::new();
    let mut folders = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the source is there") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("surface/tests.rs") {
                let text = std::fs::read_to_string(&path).expect("source is text");
                let calls = [".route(", ".route_service(", ".nest(", "router.merge(", ".fallback_service("];
                let n_calls: usize = calls.iter().map(|call| text.matches(call).count()).sum();
                adding.extend(std::iter::repeat_n(path.file_name().map(|n| n.to_os_string()), n_calls));
            }
        }
    }
    assert_eq!(adding.len(), 1, "routes are added in {adding:?}; put them into surface::ROUTES");
}

#[test]
fn only_harmless_routes_are_open() {
    let open: Vec<&str> = surface().iter().filter(|item| item.capability.is_none()).map(|item| item.name).collect();
    let expected = [
        "GET /graphiql",
        "GET /graphiql.js",
        "GET /graphiql.css",
        "GET /health/live",
        "GET /health/ready",
        "POST /session",
        "DELETE /session",
        "GET /reports/key",
        "GET /shared/{secret}",
    ];
    assert_eq!(open, expected);
}
