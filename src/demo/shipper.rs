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

/// The attack that comes slowly enough to be watched and stopped.
const WATCHED: ScenarioId = ScenarioId::S2;
/// How long it takes, s: an alert, a look at it, a dry run, a playbook, and a minute in which it bounces off.
const WATCHED_S: f64 = 100.0;

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
        let mut pace = Pace::new(self.speed, watched(&shop));
        let (hours, mut queue) = mpsc::channel::<Vec<Labelled>>(QUEUE_HOURS);
        let stop = self.stop.clone();
        let generator = tokio::task::spawn_blocking(move || generate(shop, &hours, &stop));
        let fast_until = self.clock.now() - DAY_MS;
        let mut day = None;
        while let Some(events) = self.next_hour(&mut queue).await {
            let Some(first) = events.first().map(|labelled| labelled.event.time) else { continue };
            let this_day = first.floor(DAY_MS);
            if day != Some(this_day) {
                day = Some(this_day);
                let _ = progress.try_send(format!("{}  simulated", first.to_rfc3339()));
            }
            if first < fast_until {
                self.ship_now(&events).await;
            } else {
                self.ship_paced(&events, &mut pace, &progress).await;
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
    async fn ship_paced(&self, events: &[Labelled], pace: &mut Pace, progress: &mpsc::Sender<String>) {
        for minute in events.chunk_by(|a, b| a.event.time.floor(MINUTE_MS) == b.event.time.floor(MINUTE_MS)) {
            let Some(first) = minute.first().map(|labelled| labelled.event.time) else { continue };
            let (due, passed) = pace.reach(first);
            if let Some(passed) = passed {
                let _ = progress.try_send(self.tell(passed));
            }
            let real = Duration::from_millis((first - self.clock.now()).max(0) as u64);
            tokio::select! {
                () = async {
                    tokio::time::sleep_until(due).await;
                    tokio::time::sleep(real).await;
                } => {}
                () = self.stop.cancelled() => return,
            }
            self.ship_now(minute).await;
        }
    }

    fn tell(&self, passed: Passed) -> String {
        match (passed, self.gate.n_refused()) {
            (Passed::Begin, _) => format!(
                "card testers come now, for {WATCHED_S:.0} s: open the alert on card testing, run its playbook, see them refused"
            ),
            (Passed::End, 0) => "the card testers are through with their list: nothing was in their way".to_owned(),
            (Passed::End, n) => format!("the card testers are gone: the shop's edge refused {n} requests"),
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

/// When the watched attack begins and ends.
fn watched(shop: &Shop) -> (Timestamp, Timestamp) {
    let hour = ATTACKS.iter().find(|(id, _)| *id == WATCHED).map_or(0, |(_, hour)| *hour);
    let begin = shop.midnight(HISTORY_DAYS) + hour * HOUR_MS;
    let times: Vec<Timestamp> = shop
        .scenario(WATCHED, begin, 1.0)
        .iter()
        // What comes of it weeks later (chargebacks) is nothing to wait for.
        .filter(|labelled| labelled.event.time < begin + DAY_MS)
        .map(|labelled| labelled.event.time)
        .collect();
    let first = times.iter().min().copied().unwrap_or(begin).floor(MINUTE_MS);
    (first, times.iter().max().copied().unwrap_or(begin))
}

/// What the simulated clock has just passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passed {
    /// The beginning of the watched attack.
    Begin,
    End,
}

/// The simulated clock of the day of attacks: fast, but for the attack that is watched.
struct Pace {
    /// Simulated seconds a second.
    speed: f64,
    watched: (Timestamp, Timestamp),
    /// Where it stands: an instant, and the simulated time that belongs to it.
    at: Option<(tokio::time::Instant, Timestamp)>,
}

impl Pace {
    fn new(speed: f64, watched: (Timestamp, Timestamp)) -> Self {
        Self { speed, watched, at: None }
    }

    /// The instant at which the clock shows this time (times come in order), and what it passes on the way.
    fn reach(&mut self, time: Timestamp) -> (tokio::time::Instant, Option<Passed>) {
        let (instant, from) = self.at.unwrap_or_else(|| (tokio::time::Instant::now(), time));
        let (begin, end) = self.watched;
        let seconds = |from: Timestamp, to: Timestamp| ((to - from).max(0) as f64) / 1e3;
        let slow_s = seconds(from.max(begin), time.min(end));
        let slow = self.speed.min((seconds(begin, end) / WATCHED_S).max(1.0));
        let real = (seconds(from, time) - slow_s) / self.speed + slow_s / slow;
        let due = instant + Duration::from_secs_f64(real);
        self.at = Some((due, time));
        let passed = if from < begin && begin <= time {
            Some(Passed::Begin)
        } else {
            (from <= end && end < time).then_some(Passed::End)
        };
        (due, passed)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_watched_attack_takes_its_time_and_the_rest_is_fast() {
        let (begin, end) = (Timestamp(3_600_000), Timestamp(3_600_000 + 1_000_000));
        let mut pace = Pace::new(1_000.0, (begin, end));
        let (start, passed) = pace.reach(Timestamp(0));
        assert_eq!(passed, None);
        let (due, passed) = pace.reach(begin);
        assert_eq!((passed, (due - start).as_millis()), (Some(Passed::Begin), 3_600));
        let (half, passed) = pace.reach(begin + 500_000);
        assert_eq!((passed, (half - due).as_millis()), (None, 50_000));
        let (after, passed) = pace.reach(end + 1_000_000);
        assert_eq!((passed, (after - half).as_millis()), (Some(Passed::End), 51_000));
        // Slower than the watched attack would be: nothing is made faster.
        let mut pace = Pace::new(2.0, (begin, end));
        let (start, _) = pace.reach(begin);
        assert_eq!((pace.reach(end).0 - start).as_millis(), 500_000);
    }
}
