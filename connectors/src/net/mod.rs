//! Going out on somebody else's word: which addresses may be connected, and a client that connects no others.

mod guard;
mod outside;

pub use guard::{Guard, WEB_PORTS};
pub use outside::{Answer, Call, NoAnswer, Outside, OutsideOptions, PlainHttp, Resolver, SystemResolver};
