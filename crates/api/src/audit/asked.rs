//! What an operation asks for, as the log tells it: its root fields with their arguments, redacted. Must not know what
//! the fields do.

use std::convert::Infallible;

use async_graphql::parser::types::{
    Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
};
use async_graphql::{Positioned, Value, Variables};
use serde_json::{Map, Value as Json};

use super::redact::{self, Keep};

/// Characters of an operation's name that are kept.
const NAME_LENGTH_MAX: usize = 100;
/// Root fields that are told, beyond what the limits let through.
const ROOTS_MAX: usize = 64;
/// Fragments inside each other that are followed; the limits have refused cycles.
const FRAGMENTS_DEEP_MAX: usize = 32;

/// An operation in the log's words.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) kind: OperationType,
    pub(crate) operation: Option<String>,
    pub(crate) roots: Vec<Root>,
}

/// One root field of an operation.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// Its name in the answer.
    pub(crate) key: String,
    pub(crate) name: String,
    pub(crate) arguments: Json,
    /// Its argument `id`.
    pub(crate) target: Option<String>,
    /// Some other argument that is an id.
    pub(crate) names: Option<String>,
}

/// Reads the operation that would run; the document is within its limits.
pub(crate) fn read(document: &ExecutableDocument, name: Option<&str>, variables: &Variables) -> Option<Asked> {
    let mut operations = document.operations.iter();
    let (own_name, operation) = match name {
        Some(wanted) => operations.find(|(name, _)| name.is_none_or(|name| name.as_str() == wanted)),
        None => operations.next(),
    }?;
    let operation = &operation.node;
    let mut walk = Walk { document, operation, variables, roots: Vec::new() };
    walk.selection(&operation.selection_set.node, 0);
    let operation_name = own_name.map(|name| name.as_str()).or(name);
    let operation_name = operation_name.map(|name| name.chars().take(NAME_LENGTH_MAX).collect());
    Some(Asked { kind: operation.ty, operation: operation_name, roots: walk.roots })
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    roots: Vec<Root>,
}

impl<'a> Walk<'a> {
    fn selection(&mut self, set: &'a SelectionSet, depth: usize) {
        if depth > FRAGMENTS_DEEP_MAX {
            return;
        }
        for item in &set.items {
            match &item.node {
                Selection::Field(field) if self.runs(&field.node.directives) => self.field(&field.node),
                Selection::InlineFragment(inline) if self.runs(&inline.node.directives) => {
                    self.selection(&inline.node.selection_set.node, depth + 1);
                }
                Selection::FragmentSpread(spread) if self.runs(&spread.node.directives) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if let Some(fragment) = self.document.fragments.get(name) {
                        self.selection(&fragment.node.selection_set.node, depth + 1);
                    }
                }
                _ => {}
            }
        }
    }

    fn field(&mut self, field: &Field) {
        let name = field.name.node.as_str();
        if name.starts_with("__") || self.roots.len() >= ROOTS_MAX {
            return;
        }
        let keep = if self.operation.ty == OperationType::Mutation { Keep::Texts } else { Keep::Words };
        let (mut arguments, mut target, mut names) = (Map::new(), None, None);
        for (argument, value) in &field.arguments {
            let value = json(value.node.clone().into_const_with(|name| Ok(self.variable(&name))));
            let id = value.as_str().filter(|text| redact::is_id(text)).map(str::to_owned);
            match argument.node.as_str() {
                "id" => target = id,
                _ => names = names.or(id),
            }
            arguments.insert(argument.node.to_string(), redact::argument(&argument.node, &value, keep));
        }
        self.roots.push(Root {
            key: field.response_key().node.to_string(),
            name: name.to_owned(),
            arguments: redact::bounded(Json::Object(arguments)),
            target,
            names,
        });
    }

    /// Whether `@skip` and `@include` let it run.
    fn runs(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().all(|directive| {
            let wanted = match directive.node.name.node.as_str() {
                "skip" => false,
                "include" => true,
                _ => return true,
            };
            let given = directive.node.get_argument("if").map(|value| value.node.clone());
            let given = given.map(|value| json(value.into_const_with(|name| Ok(self.variable(&name)))));
            given.and_then(|value| value.as_bool()).is_none_or(|given| given == wanted)
        })
    }

    fn variable(&self, name: &str) -> Value {
        if let Some(given) = self.variables.get(name) {
            return given.clone();
        }
        let definitions = self.operation.variable_definitions.iter();
        let own =
            definitions.map(|definition| &definition.node).find(|definition| definition.name.node.as_str() == name);
        own.and_then(|definition| definition.default_value.as_ref()).map_or(Value::Null, |value| value.node.clone())
    }
}

fn json(known: Result<Value, Infallible>) -> Json {
    known.unwrap_or(Value::Null).into_json().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;

    fn roots(query: &str, variables: Json) -> Vec<(String, Json)> {
        let document = parse_query(query).expect("a document");
        let asked = read(&document, None, &Variables::from_json(variables)).expect("an operation");
        asked.roots.into_iter().map(|root| (format!("{}={}", root.key, root.name), root.arguments)).collect()
    }

    #[test]
    fn finds_every_root_field_however_it_is_written() {
        let id = format!("alr_{}", "0".repeat(26));
        let query = "mutation M($n: String = \"why\", $no: Boolean!) { a: one(id: $id) ...F ... on Mutation { three }
                     four @include(if: $no) five @skip(if: true) __typename }
                     fragment F on Mutation { two(note: $n, token: \"t0p\") }";
        let found = roots(query, json!({ "id": id, "no": false }));
        let expected = [
            ("a=one".to_owned(), json!({ "id": id })),
            ("two=two".to_owned(), json!({ "note": "why", "token": "[redacted]" })),
            ("three=three".to_owned(), json!({})),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn texts_of_queries_are_not_kept() {
        let found = roots(
            "{ entity(kind: USER, key: \"mia@shop.example\") { id } alerts(first: 3) { totalCount } }",
            json!({}),
        );
        assert_eq!(found[0].1, json!({ "kind": "USER", "key": "text of 16 characters" }));
        assert_eq!(found[1].1, json!({ "first": 3 }));
    }
}
