//! Calls to other systems: one guarded client, templates for calls, and a responder made of templates.

mod caller;
mod runner;
mod template;

pub(super) use caller::{Answer, Call, Caller};
use caller::{Heard, Missed};
pub(super) use runner::{Backing, Templated, spec};
pub use template::{ActionTemplate, CallTemplate, Expectation, ParameterTemplate};
