//! Decides about responses: reads playbooks, tells which alerts are theirs, plans runs, asks the rules, says what comes next.
//!
//! Pure like the rest of this crate: it is given what is known and gives back what is to be done. It must *not* know
//! responders, storage, delivery or time beyond what it is told.

pub mod admit;
pub mod cacao;
mod check;
pub mod condition;
pub mod duration;
pub mod facts;
pub mod machine;
pub mod plan;
pub mod rules;
pub mod source;
pub mod template;
pub mod trial;
pub mod trigger;
mod write;
