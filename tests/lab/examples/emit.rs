//! Writes the lab's traffic as NDJSON: `emit SEED DAYS [FLAVOUR] [S1|twin:S1]... > events.ndjson`.
//!
//! Flavours: normal, sale, maintenance, outage, release. Stories begin at noon of the last day. Rates go to stderr.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::time::Instant;

use anyhow::{Context, Result};
use riskgraph_lab::{DayFlavour, Labelled, ScenarioId, Shop, ShopOptions, merge, write_ndjson};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let seed = arguments.first().map_or(Ok(1), |text| text.parse()).context("SEED is a number")?;
    let days: u32 = arguments.get(1).map_or(Ok(1), |text| text.parse()).context("DAYS is a number")?;
    let mut shop = Shop::new(ShopOptions { seed, ..ShopOptions::default() });
    let noon = shop.midnight(days.saturating_sub(1)) + 12 * 3_600_000;
    let mut stories: Vec<Labelled> = Vec::new();
    let mut flavour = DayFlavour::Normal;
    for word in arguments.iter().skip(2) {
        match word.as_str() {
            "normal" => {}
            "sale" => flavour = DayFlavour::SaleDay,
            "maintenance" => flavour = DayFlavour::VendorMaintenance,
            "outage" => flavour = DayFlavour::BankOutage,
            "release" => flavour = DayFlavour::AppRelease,
            story => {
                let name = story.trim_start_matches("twin:");
                let id = ScenarioId::ALL.iter().find(|id| id.as_str() == name).context("no such flavour or story")?;
                let events = if story == name { shop.scenario(*id, noon, 1.0) } else { shop.twin(*id, noon, 1.0) };
                let mut steps = BTreeMap::new();
                for labelled in &events {
                    *steps.entry(labelled.label.step).or_insert(0_u32) += 1;
                }
                eprintln!("{story}: {} events, by step {steps:?}", events.len());
                stories = merge(stories, events).collect();
            }
        }
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    for day in 0..days {
        let last = day + 1 == days;
        let begun = Instant::now();
        let extra = if last { std::mem::take(&mut stories) } else { Vec::new() };
        let events: Vec<Labelled> =
            merge(shop.day(day, if last { flavour } else { DayFlavour::Normal }), extra).collect();
        let made_s = begun.elapsed().as_secs_f64();
        eprintln!("day {day}: {} events, {:.0} events/s", events.len(), events.len() as f64 / made_s);
        write_ndjson(events.iter().map(|labelled| &labelled.event), &mut out)?;
    }
    out.flush()?;
    Ok(())
}
