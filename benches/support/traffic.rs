//! Traffic for the benches.

use riskgraph::clock::SystemClock;
use riskgraph_domain::event::Event;
use riskgraph_domain::time::{Clock as _, DAY_MS};
use riskgraph_lab::{DayFlavour, Shop, ShopOptions};

/// A normal day of a mid-size shop, cut to `n` events; times end near now.
pub(crate) fn traffic(n: usize) -> Vec<Event> {
    // A normal day has some 60,000 events; none may lie in the future, where the service would refuse it.
    let days = n as i64 / 40_000 + 2;
    let start = SystemClock.now() - days * DAY_MS;
    let mut shop = Shop::new(ShopOptions { seed: 7, start, ..ShopOptions::default() });
    let mut events = Vec::with_capacity(n);
    let mut day = 0;
    while events.len() < n {
        events.extend(shop.day(day, DayFlavour::Normal).map(|labelled| labelled.event).take(n - events.len()));
        day += 1;
    }
    events
}
