//! Conditions and expressions of playbooks, in the Common Expression Language.
//!
//! The only file that knows the `cel` crate. An expression is bounded before it runs: its length, its nesting, how many
//! loops it has and how deep they nest; with the bound on the lists of the facts that bounds the time it can take.

use std::collections::BTreeSet;
use std::sync::Arc;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, Env, ExecutionError, Program};
use serde_json::Value;

/// Characters of one expression.
pub const SOURCE_MAX: usize = 2_000;
/// Brackets within brackets.
const NESTING_MAX: usize = 16;
/// Loops (`exists`, `all`, `filter`, `map`) of one expression, and loops within loops. With lists of
/// [`super::facts::LIST_MAX`] entries that is at most two million evaluations of a term.
const LOOPS_MAX: usize = 8;
const LOOP_DEPTH_MAX: usize = 2;
/// Characters of an error of the library that are passed on.
const ERROR_MAX: usize = 200;

/// What an expression can call by name; operators besides.
const FUNCTIONS: &[&str] =
    &["size", "contains", "startsWith", "endsWith", "matches", "int", "double", "string", "bool", "min", "max", "type"];

/// An expression that can be evaluated over facts. There is one language; this trait is the wall around its library.
pub trait Condition: Send + Sync {
    /// The value over these variables (a JSON object).
    ///
    /// # Errors
    /// One sentence, when it meets a value it cannot handle.
    fn value(&self, facts: &Value) -> Result<Value, String>;

    /// Whether it holds.
    ///
    /// # Errors
    /// The same, and when its value is neither true nor false.
    fn holds(&self, facts: &Value) -> Result<bool, String> {
        match self.value(facts)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(format!("it gives {}, not true or false", kind_of(&other))),
        }
    }
}

/// Compiles an expression over these variables.
///
/// # Errors
/// One sentence that says what is wrong and what to do.
pub fn compile(source: &str, variables: &[&str]) -> Result<Box<dyn Condition>, String> {
    if source.trim().is_empty() {
        return Err("it is empty; write an expression such as severity >= HIGH".to_owned());
    }
    if source.chars().count() > SOURCE_MAX {
        return Err(format!("it is longer than {SOURCE_MAX} characters; split it over steps"));
    }
    if nesting(source) > NESTING_MAX {
        return Err(format!("its brackets are nested deeper than {NESTING_MAX}; make it flatter"));
    }
    let env = Arc::new(Env::stdlib());
    let program = env.compile(source).map_err(|errors| cut(&format!("it cannot be read: {}", first_line(&errors))))?;
    let mut walk = Walk { known: variables.iter().map(|name| (*name).to_owned()).collect(), n_loops: 0 };
    walk.visit(program.expression(), 0)?;
    Ok(Box::new(Compiled { env, program }))
}

/// Brackets open at once. Negations, questions and signs nest the parser as brackets do and are counted as such, up to the
/// next comma or logical operator.
fn nesting(source: &str) -> usize {
    let (mut brackets, mut prefixes, mut deepest) = (0_usize, 0_usize, 0_usize);
    for byte in source.bytes() {
        match byte {
            b'(' | b'[' | b'{' => brackets += 1,
            b')' | b']' | b'}' => brackets = brackets.saturating_sub(1),
            b'?' | b'!' | b'-' => prefixes += 1,
            b',' | b'&' | b'|' => prefixes = 0,
            _ => {}
        }
        deepest = deepest.max(brackets + prefixes);
    }
    deepest
}

struct Compiled {
    env: Arc<Env>,
    program: Program,
}

impl Condition for Compiled {
    fn value(&self, facts: &Value) -> Result<Value, String> {
        let mut context = Context::with_env(Arc::clone(&self.env));
        let given = facts.as_object().ok_or("there are no facts")?;
        for (name, value) in given {
            context.add_variable_from_value(name.clone(), to_cel(value));
        }
        let value = self.program.execute(&context).map_err(|error| cut(&explain(&error)))?;
        value.json().map_err(|_| "its value is of no kind a playbook can use".to_owned())
    }
}

fn explain(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("there is no field '{key}'; test it with has() first"),
        ExecutionError::UndeclaredReference(name) => format!("'{name}' is not known"),
        ExecutionError::NoSuchOverload(overload) => overload.to_string(),
        // The others may print values of the alert.
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".to_owned(),
        ExecutionError::Overflow(..) => "a number gets too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "a list is shorter than its index".to_owned(),
        _ => "it compares or calls something with values of the wrong kind".to_owned(),
    }
}

/// Refuses what is unknown or unbounded.
struct Walk {
    known: BTreeSet<String>,
    n_loops: usize,
}

impl Walk {
    fn visit(&mut self, node: &IdedExpr, depth: usize) -> Result<(), String> {
        match &node.expr {
            Expr::Ident(name) if !self.known.contains(name) && !name.starts_with('@') => {
                let names: Vec<&str> = self.known.iter().map(String::as_str).collect();
                Err(format!("'{name}' is not known; there are {}", names.join(", ")))
            }
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Ok(()),
            Expr::Call(call) => {
                let is_name = call.func_name.starts_with(|first: char| first.is_ascii_alphabetic());
                if is_name && !FUNCTIONS.contains(&call.func_name.as_str()) {
                    return Err(format!(
                        "there is no function '{}'; there are {}",
                        call.func_name,
                        FUNCTIONS.join(", ")
                    ));
                }
                self.all(call.target.as_deref().into_iter().chain(&call.args), depth)
            }
            Expr::List(list) => self.all(&list.elements, depth),
            Expr::Select(select) => self.visit(&select.operand, depth),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(pair) => self.all([&pair.key, &pair.value], depth),
                EntryExpr::StructField(field) => self.visit(&field.value, depth),
            }),
            Expr::Struct(_) => Err("it makes a message; playbooks have maps and lists".to_owned()),
            Expr::Comprehension(comprehension) => {
                self.n_loops += 1;
                if self.n_loops > LOOPS_MAX || depth >= LOOP_DEPTH_MAX {
                    return Err(format!(
                        "it has more than {LOOPS_MAX} loops or loops nested deeper than {LOOP_DEPTH_MAX}; make it simpler"
                    ));
                }
                self.visit(&comprehension.iter_range, depth)?;
                let added: Vec<String> = std::iter::once(&comprehension.iter_var)
                    .chain(&comprehension.iter_var2)
                    .chain([&comprehension.accu_var])
                    .filter(|name| self.known.insert((*name).clone()))
                    .cloned()
                    .collect();
                let inner = [
                    &comprehension.accu_init,
                    &comprehension.loop_cond,
                    &comprehension.loop_step,
                    &comprehension.result,
                ];
                let visited = self.all(inner, depth + 1);
                for name in added {
                    self.known.remove(&name);
                }
                visited
            }
        }
    }

    fn all<'a>(&mut self, nodes: impl IntoIterator<Item = &'a IdedExpr>, depth: usize) -> Result<(), String> {
        nodes.into_iter().try_for_each(|node| self.visit(node, depth))
    }
}

/// Whole numbers are CEL's signed ones, so that they compare with literals.
fn to_cel(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(value) => cel::Value::Bool(*value),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => cel::Value::Int(whole),
            None => cel::Value::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => cel::Value::String(Arc::new(text.clone())),
        Value::Array(items) => cel::Value::List(Arc::new(items.iter().map(to_cel).collect())),
        Value::Object(fields) => {
            let map = fields.iter().map(|(name, value)| (name.clone().into(), to_cel(value))).collect();
            cel::Value::Map(cel::objects::Map { map: Arc::new(map) })
        }
    }
}

/// What a value is, for an error.
pub(super) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a map",
    }
}

fn first_line(error: &impl ToString) -> String {
    error.to_string().lines().next().unwrap_or_default().trim_start_matches("ERROR: ").to_owned()
}

fn cut(text: &str) -> String {
    text.chars().take(ERROR_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn evaluates_within_bounds() {
        let facts = json!({ "severity": 3, "HIGH": 3, "score": 71.5, "detectors": ["card_testing"],
            "entities": [{ "kind": "USER", "key": "mia" }, { "kind": "ADDRESS", "key": "203.0.113.7" }] });
        let names = ["severity", "HIGH", "score", "detectors", "entities"];
        let value = |source: &str| compile(source, &names).and_then(|condition| condition.value(&facts));
        let check = |source: &str, want: Value| assert_eq!(value(source), Ok(want), "{source}");
        check("severity >= HIGH && \"card_testing\" in detectors", json!(true));
        check("score > 70", json!(true));
        check("entities.filter(e, e.kind == 'USER').map(e, e.key)", json!(["mia"]));
        check("entities.exists(e, e.kind == 'ADDRESS' && e.key.startsWith('203.'))", json!(true));
        check("size(entities) == 2 ? 'two' : 'other'", json!("two"));
        let refused = |source: &str, says: &str| {
            let told = value(source).expect_err(source);
            assert!(told.contains(says), "{source}: {told}");
        };
        refused("", "empty");
        refused("severity >=", "cannot be read");
        refused("sevrity >= HIGH", "'sevrity' is not known");
        refused("e.kind == 'USER'", "'e' is not known");
        refused("system('x')", "no function 'system'");
        refused("entities[0].nokey == 1", "no field 'nokey'");
        refused("entities[9].kind == 'x'", "shorter");
        refused(&"(".repeat(500), "nested deeper");
        refused(&"!".repeat(1_500), "nested deeper");
        refused(&format!("{}1", "1+".repeat(2_000)), "longer than");
        refused("entities.all(a, entities.all(b, entities.all(c, true)))", "loops");
        refused("score + detectors", "");
    }

    #[test]
    fn says_when_it_is_no_condition() {
        let condition = compile("1 + 1", &[]).expect("compiles");
        assert!(condition.holds(&json!({})).expect_err("a number").contains("a number"));
    }
}
