//! Mixing streams of events, and disturbing them the way networks do.

use std::io::{self, Write};

use riskgraph_domain::Event;

use crate::dice::Dice;
use crate::emit::sort;
use crate::label::Labelled;

/// Merges two time-ordered streams into one; at the same instant the first stream's event comes first.
pub fn merge<A, B>(first: A, second: B) -> impl Iterator<Item = Labelled>
where
    A: IntoIterator<Item = Labelled>,
    B: IntoIterator<Item = Labelled>,
{
    let (mut first, mut second) = (first.into_iter().peekable(), second.into_iter().peekable());
    std::iter::from_fn(move || match (first.peek(), second.peek()) {
        (Some(a), Some(b)) if b.event.time < a.event.time => second.next(),
        (Some(_), _) => first.next(),
        (None, _) => second.next(),
    })
}

/// Brings the events out of order: each arrives up to `within_ms` later than it happened.
#[must_use]
pub fn shuffle_within(events: Vec<Labelled>, within_ms: i64, seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::of(seed, &["shuffle"]);
    rearrange(events, |_| dice.range(0, within_ms.max(0)))
}

/// Sends a share of the events a second time, up to a minute after the first; ids stay the same.
#[must_use]
pub fn duplicate(events: Vec<Labelled>, share: f64, seed: u64) -> Vec<Labelled> {
    const AGAIN_MS_MAX: i64 = 60_000;
    let mut dice = Dice::of(seed, &["duplicate"]);
    let mut arrivals: Vec<(i64, Labelled)> = Vec::with_capacity(events.len());
    for labelled in events {
        let at = labelled.event.time.0;
        if dice.chance(share) {
            arrivals.push((at + dice.range(1, AGAIN_MS_MAX), labelled.clone()));
        }
        arrivals.push((at, labelled));
    }
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals.into_iter().map(|(_, labelled)| labelled).collect()
}

/// Delays a share of the events by up to `by_ms`, as a source that was cut off and sends later.
#[must_use]
pub fn late(events: Vec<Labelled>, share: f64, by_ms: i64, seed: u64) -> Vec<Labelled> {
    let mut dice = Dice::of(seed, &["late"]);
    rearrange(events, |_| if dice.chance(share) { dice.range(0, by_ms.max(0)) } else { 0 })
}

fn rearrange(mut events: Vec<Labelled>, mut delay: impl FnMut(&Labelled) -> i64) -> Vec<Labelled> {
    sort(&mut events);
    let mut arrivals: Vec<(i64, Labelled)> =
        events.into_iter().map(|labelled| (labelled.event.time.0 + delay(&labelled), labelled)).collect();
    arrivals.sort_by_key(|(at, _)| *at);
    arrivals.into_iter().map(|(_, labelled)| labelled).collect()
}

/// Writes events as newline-delimited JSON, the native format.
///
/// # Errors
/// When the writer fails.
pub fn write_ndjson<'a>(events: impl IntoIterator<Item = &'a Event>, mut out: impl Write) -> io::Result<u64> {
    let mut n = 0;
    for event in events {
        serde_json::to_writer(&mut out, event)?;
        out.write_all(b"\n")?;
        n += 1;
    }
    Ok(n)
}

/// Writes labels as `id,label` lines for the backtest: 1 for an event of an attack, else 0.
///
/// # Errors
/// When the writer fails.
pub fn write_labels<'a>(events: impl IntoIterator<Item = &'a Labelled>, mut out: impl Write) -> io::Result<()> {
    out.write_all(b"id,label\n")?;
    for labelled in events {
        let attack = u8::from(labelled.label.role == crate::Role::Attack);
        writeln!(out, "{},{attack}", labelled.event.id)?;
    }
    Ok(())
}
