//! Judgement without I/O: normalise, detect, check, score, resolve, spread, correlate.
//!
//! Every entry point has the shape `step(input, &mut state, now) -> outputs`. This crate must *not* know files, sockets,
//! databases, runtimes, the wall clock or randomness: the same inputs give the same outputs, byte for byte. Iteration over
//! hash maps is banned here because its order is not deterministic (look-ups are fine); use [`keyed::Keyed`] or an `IndexMap`.

#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that cannot go on should panic"))]
#![deny(clippy::iter_over_hash_type)]

pub mod baseline;
pub mod cases;
pub mod correlate;
pub mod decide;
pub mod detect;
pub mod facts;
pub mod graph;
pub mod keyed;
pub mod knowledge;
pub mod lookalike;
pub mod mask;
pub mod normalise;
pub mod policy;
pub mod posture;
pub mod replay;
pub mod resolve;
pub mod similar;
pub mod sketch;
pub mod spread;
pub mod stage;
pub mod window;
