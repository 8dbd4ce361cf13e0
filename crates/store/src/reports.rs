//! Reports: what was known when, and what was made of it. It must not know how a report looks.

mod history;
mod kept;
mod shares;
