//! The lab's shop as a sender: days of history at full speed, then a day of attacks faster than real, then real time.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use riskgraph_domain::Timestamp;
use riskgraph_domain::ports::{Intake, RawBatch};
use riskgraph_domain::time::{Clock, DAY_MS, HOUR_MS, MINUTE_MS};
use riskgraph_lab::{DayFlavour, Gate, Labelled, ScenarioId, Shop, ShopOptions, Truth, merge, shuffle_within};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Everyday days before the day of attacks: a week and a bit, so that every hour of the week was seen.
pub const HISTORY_DAYS: u32 = 9;
/// Events sent at once.
const BATCH_EVENTS: usize = 1_000;
/// Events arrive shuffled within this, as real senders' do.
const SHUFFLE_MS: i64 = 2_000;
/// Hours of events that may wait to be sent.
const QUEUE_HOURS: usize = 8;

/// The day of attacks: what begins when, as hours after midnight.
const ATTACKS: &[(ScenarioId, i64)] = &[
    (ScenarioId::S5, 0),
    (ScenarioId::S4, 2),
    (ScenarioId::S7, 4),
    (ScenarioId::S11, 5),
    (ScenarioId::S1, 10),
    (ScenarioId::S2, 14),
];
/// The twins, each on a day of the history that has learned enough by then: day, hour.
const TWINS: &[(ScenarioId, u32, i64)] = &[
    (ScenarioId::S1, 6, 10),
    (ScenarioId::S2, 6, 15),
    (ScenarioId::S4, 7, 2),
    (ScenarioId::S5, 7, 8),
    (ScenarioId::S7, 8, 8),
    (ScenarioId::S11, 8, 9),
];
/// The day of the history on which a sale begins.
const SALE_DAY: u32 = 5;

/// What the shop ships, and to whom.
pub struct Shipper {
    pub intake: Arc<dyn Intake>,
    pub clock: Arc<dyn Clock>,
    /// Simulated seconds a second, on the day of attacks.
    pub speed: f64,
    /// The edge and the shop's holds: what they refuse comes out as refused.
    pub gate: Gate,
    pub truth: Arc<Mutex<Truth>>,
    pub stop: CancellationToken,
}

/// The options of the demo's shop: its day of attacks ends now.
#[must_use]
pub fn shop_options(now: Timestamp) -> ShopOptions {
    // Days begin at midnight UTC in the generator; the day of attacks is the last whole one before now, or runs up to now.
    let start = (now - DAY_MS).floor(HOUR_MS) - i64::from(HISTORY_DAYS) * DAY_MS;
    ShopOptions { seed: 2026, start, n_users: 3_000, events_per_day: 30_000, ..ShopOptions::default() }
}

impl Shipper {
    /// Ships until stopped. `progress` hears of each simulated day.
    pub async fn run(self, shop: Shop, progress: mpsc::Sender<String>) {
        let (hours, mut queue) = mpsc::channel::<Vec<Labelled>>(QUEUE_HOURS);
        let stop = self.stop.clone();
        let generator = tokio::task::spawn_blocking(move || generate(shop, &hours, &stop));
        let fast_until = self.clock.now() - DAY_MS;
        let mut day = None;
        let mut pace: Option<(tokio::time::Instant, Timestamp)> = None;
        while let Some(events) = self.next_hour(&mut queue).await {
            let Some(first) = events.first().map(|labelled| labelled.event.time) else { continue };
            let this_day = first.floor(DAY_MS);
            if day != Some(this_day) {
                day = Some(this_day);
                let _ = progress.try_send(first.to_rfc3339());
            }
            if first < fast_until {
                self.ship_now(&events).await;
            } else {
                let (began, from) = *pace.get_or_insert_with(|| (tokio::time::Instant::now(), first));
                self.ship_paced(&events, began, from).await;
            }
            if self.stop.is_cancelled() {
                break;
            }
        }
        drop(queue);
        let _ = generator.await;
    }

    async fn next_hour(&self, queue: &mut mpsc::Receiver<Vec<Labelled>>) -> Option<Vec<Labelled>> {
        tokio::select! {
            hour = queue.recv() => hour,
            () = self.stop.cancelled() => None,
        }
    }

    async fn ship_now(&self, events: &[Labelled]) {
        for chunk in events.chunks(BATCH_EVENTS) {
            self.send(chunk).await;
        }
    }

    /// Ships each minute's events when the simulated clock reaches it; that clock never overtakes the real one.
    async fn ship_paced(&self, events: &[Labelled], began: tokio::time::Instant, from: Timestamp) {
        for minute in events.chunk_by(|a, b| a.event.time.floor(MINUTE_MS) == b.event.time.floor(MINUTE_MS)) {
            let Some(due) = minute.first().map(|labelled| labelled.event.time) else { continue };
            let simulated = Duration::from_secs_f64(((due - from).max(0) as f64 / 1e3) / self.speed);
            let real = Duration::from_millis((due - self.clock.now()).max(0) as u64);
            tokio::select! {
                () = async {
                    tokio::time::sleep_until(began + simulated).await;
                    tokio::time::sleep(real).await;
                } => {}
                () = self.stop.cancelled() => return,
            }
            self.ship_now(minute).await;
        }
    }

    async fn send(&self, events: &[Labelled]) {
        let mut body = Vec::with_capacity(events.len() * 400);
        {
            let mut truth = self.truth.lock();
            for labelled in events {
                truth.note(&labelled.event, labelled.label);
                let mut event = labelled.event.clone();
                self.gate.pass(&mut event);
                if serde_json::to_writer(&mut body, &event).is_ok() {
                    body.push(b'\n');
                }
            }
        }
        let body = bytes::Bytes::from(body);
        while !self.stop.is_cancelled() {
            let batch = RawBatch { format: "native".into(), body: body.clone(), sender: "shop".into() };
            match self.intake.accept(batch).await {
                Ok(_) => return,
                Err(fault) if fault.code.retry() => tokio::time::sleep(Duration::from_millis(100)).await,
                Err(fault) => {
                    tracing::warn!(%fault, "the lab's batch was refused");
                    return;
                }
            }
        }
    }
}

/// Makes the days in order and hands them on by the hour.
fn generate(mut shop: Shop, hours: &mpsc::Sender<Vec<Labelled>>, stop: &CancellationToken) {
    for day in 0_u32.. {
        let midnight = shop.midnight(day);
        let stories = stories(&shop, day);
        let flavour = if day == SALE_DAY { DayFlavour::SaleDay } else { DayFlavour::Normal };
        let mut hour: Vec<Labelled> = Vec::new();
        let mut hour_ends = midnight + HOUR_MS;
        let everything = merge(shop.day(day, flavour), stories);
        for labelled in everything {
            while labelled.event.time >= hour_ends {
                let events = shuffle_within(std::mem::take(&mut hour), SHUFFLE_MS, u64::from(day));
                if stop.is_cancelled() || hours.blocking_send(events).is_err() {
                    return;
                }
                hour_ends = hour_ends + HOUR_MS;
            }
            hour.push(labelled);
        }
        if hours.blocking_send(shuffle_within(hour, SHUFFLE_MS, u64::from(day))).is_err() {
            return;
        }
    }
}

/// The stories that begin on this day, in time order.
fn stories(shop: &Shop, day: u32) -> Vec<Labelled> {
    let midnight = shop.midnight(day);
    let mut events: Vec<Labelled> = Vec::new();
    for &(id, on, hour) in TWINS {
        if on == day {
            events.extend(shop.twin(id, midnight + hour * HOUR_MS, 1.0));
        }
    }
    if day == HISTORY_DAYS {
        for &(id, hour) in ATTACKS {
            events.extend(shop.scenario(id, midnight + hour * HOUR_MS, 1.0));
        }
    }
    // Chargebacks come weeks later: they would wait in the demo's future.
    let until = midnight + 2 * DAY_MS;
    events.retain(|labelled| labelled.event.time < until);
    events.sort_by_key(|labelled| labelled.event.time);
    events
}
