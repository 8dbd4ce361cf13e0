//! Measures a parsed document, each fragment once.

use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::parser::types::{ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Number, Value, Variables};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::PAGE_MAX;

use super::ROWS_UNASKED;

/// Lists of the introspection schema that multiply its answer, as in graphql-js (`MaxIntrospectionDepthRule`).
const INTROSPECTION_LISTS: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

/// What a selection costs, with its fragments expanded. Sums saturate.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Measure {
    pub(super) fields: u64,
    pub(super) aliases: u64,
    /// Fields directly in the selection.
    pub(super) root_fields: u64,
    pub(super) depth: usize,
    pub(super) cost: u64,
    pub(super) introspection_depth: usize,
    pub(super) introspection_lists: usize,
    /// Levels and lists counted as if this selection were inside an introspection field.
    levels: usize,
    lists: usize,
    /// The selection asks for `edges`: it is that of a connection.
    is_connection: bool,
}

impl Measure {
    /// Both selections side by side.
    fn and(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            aliases: self.aliases.saturating_add(other.aliases),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            depth: self.depth.max(other.depth),
            cost: self.cost.saturating_add(other.cost),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            levels: self.levels.max(other.levels),
            lists: self.lists.max(other.lists),
            is_connection: self.is_connection || other.is_connection,
        }
    }
}

/// Measures all operations of the document; of several, the widest root.
pub(super) fn measure(document: &ExecutableDocument, variables: &Variables) -> Result<Measure, Fault> {
    let mut walk = Walk { document, variables, fragments: HashMap::new() };
    let mut whole = Measure::default();
    let mut widest = 0;
    for (_, operation) in document.operations.iter() {
        let measured = walk.selection(&operation.node.selection_set.node)?;
        widest = measured.root_fields.max(widest);
        whole = whole.and(measured);
    }
    Ok(Measure { root_fields: widest, ..whole })
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    /// `None` while a fragment is being measured: meeting it then is a cycle.
    fragments: HashMap<&'a str, Option<Measure>>,
}

impl<'a> Walk<'a> {
    fn selection(&mut self, set: &'a SelectionSet) -> Result<Measure, Fault> {
        let mut sum = Measure::default();
        for item in &set.items {
            let measured = match &item.node {
                Selection::Field(field) => self.field(&field.node)?,
                Selection::InlineFragment(inline) => self.selection(&inline.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(spread.node.fragment_name.node.as_str())?,
            };
            sum = sum.and(measured);
        }
        Ok(sum)
    }

    fn fragment(&mut self, name: &'a str) -> Result<Measure, Fault> {
        match self.fragments.get(name) {
            Some(Some(measured)) => return Ok(*measured),
            Some(None) => {
                return Err(Fault::new(FaultCode::BadInput, "a fragment uses itself; take the cycle out"));
            }
            None => {}
        }
        // The validation names an unknown fragment better than we could.
        let Some(definition) = self.document.fragments.get(name) else { return Ok(Measure::default()) };
        self.fragments.insert(name, None);
        let measured = self.selection(&definition.node.selection_set.node)?;
        // A spread of nothing still is work to expand.
        let measured = Measure { fields: measured.fields.saturating_add(1), ..measured };
        self.fragments.insert(name, Some(measured));
        Ok(measured)
    }

    fn field(&mut self, field: &'a Field) -> Result<Measure, Fault> {
        let inner = self.selection(&field.selection_set.node)?;
        let name = field.name.node.as_str();
        let own = Measure {
            fields: inner.fields.saturating_add(1),
            aliases: inner.aliases.saturating_add(u64::from(field.alias.is_some())),
            root_fields: 1,
            is_connection: name == "edges",
            levels: inner.levels + 1,
            lists: inner.lists + usize::from(INTROSPECTION_LISTS.contains(&name)),
            introspection_depth: inner.introspection_depth,
            introspection_lists: inner.introspection_lists,
            depth: inner.depth + 1,
            cost: self.cost(field, &inner),
        };
        if matches!(name, "__schema" | "__type") {
            return Ok(Measure { introspection_depth: own.levels, introspection_lists: own.lists, depth: 1, ..own });
        }
        Ok(own)
    }

    fn cost(&self, field: &Field, inner: &Measure) -> u64 {
        if field.selection_set.node.items.is_empty() {
            return 0;
        }
        let own = u64::from(!matches!(field.name.node.as_str(), "edges" | "pageInfo"));
        let rows = if inner.is_connection { self.rows(field) } else { 1 };
        inner.cost.saturating_mul(rows).saturating_add(own)
    }

    /// Rows the field asks for; a number out of range counts as the most, its resolver refuses it.
    fn rows(&self, field: &Field) -> u64 {
        let Some(argument) = field.get_argument("first") else { return ROWS_UNASKED };
        let given = argument.node.clone().into_const_with(|name| Ok::<_, Infallible>(self.variable(&name)));
        match given {
            Ok(Value::Number(number)) => rows_of(&number),
            _ => ROWS_UNASKED,
        }
    }

    /// The variable's value, or the largest default any operation gives it.
    fn variable(&self, name: &str) -> Value {
        if let Some(given) = self.variables.get(name) {
            return given.clone();
        }
        let operations = self.document.operations.iter();
        let definitions = operations.flat_map(|(_, operation)| &operation.node.variable_definitions);
        let defaults = definitions
            .filter(|definition| definition.node.name.node.as_str() == name)
            .filter_map(|definition| definition.node.default_value.as_ref());
        let rows = defaults.filter_map(|value| match &value.node {
            Value::Number(number) => Some(rows_of(number)),
            _ => None,
        });
        rows.max().map_or(Value::Null, Value::from)
    }
}

fn rows_of(number: &Number) -> u64 {
    number.as_u64().unwrap_or(PAGE_MAX as u64).min(PAGE_MAX as u64)
}
