//! Traffic for the benches.

use riskgraph::clock::SystemClock;
use riskgraph_domain::event::Event;
use riskgraph_domain::time::{Clock as _, DAY_MS};
use riskgraph_lab::{DayFlavour, Shop, ShopOptions};

/// A normal day of a mid-size shop, cut to `n` events; times end near now.
pub(crate) fn traffic(n: usize) -> Vec<Event> {
    let start = SystemClock.now() - 2 * DAY_MS;
    let mut shop = Shop::new(ShopOptions { seed: 7, start, ..ShopOptions::default() });
    let mut events = Vec::with_capacity(n);
    let mut day = 0;
    while events.len() < n {
        events.extend(shop.day(day, DayFlavour::Normal).map(|labelled| labelled.event).take(n - events.len()));
        day += 1;
    }
    events
}
