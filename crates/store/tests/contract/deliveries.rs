//! Deliveries: planned once, given out in order, folded, recovered, counted.

use std::sync::Arc;

use riskgraph_domain::alert::{Alert, AlertChange};
use riskgraph_domain::delivery::{
    AlertMessage, Attempt, ChannelPlan, Deliveries, DeliveryFilter, DeliveryState, Disabled, Message, NewDelivery,
    Outcome, Settled, Told, Tries, When, delivery_id,
};
use riskgraph_domain::id::{AlertId, ChannelId, DeliveryId};
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::time::Timestamp;

use crate::ground::Ground;

const NOW: Timestamp = Timestamp(1_000_000);

fn channel() -> ChannelId {
    ChannelId::of(&["channel"])
}

fn new(alert: &str, sequence: u64, wait_ms: i64) -> NewDelivery {
    let alert = Alert::new(AlertId::of(&[alert]), format!("nul\0 {alert} {sequence}"), NOW);
    let change = AlertChange::ALL[sequence as usize % AlertChange::ALL.len()];
    NewDelivery {
        id: delivery_id(channel(), "alert", sequence),
        alert: Some(alert.id),
        change: Some(change),
        message: Message::Alert(Box::new(AlertMessage { sequence, change, repeat: 0, alert, signals: Vec::new() })),
        wait_ms,
        tries: Tries::Many,
        when: When::Always,
    }
}

fn plan(cursor: (u64, u64), deliveries: Vec<NewDelivery>) -> ChannelPlan {
    ChannelPlan { channel: channel(), cursor: Some(cursor), now: NOW, deliveries, told: Vec::new(), digest_at: None }
}

async fn opened(ground: &Ground) -> (riskgraph_store::Store, Arc<dyn Deliveries>) {
    let store = ground.open().await;
    let deliveries = store.deliveries();
    deliveries.open_channel(channel(), 10, NOW).await.expect("opens");
    (store, deliveries)
}

async fn settle(store: &dyn Deliveries, delivery: DeliveryId, outcome: Outcome, now: Timestamp) -> i64 {
    let attempt = Attempt { at: now, duration_ms: 3, status: Some(500), error: None };
    let settled = Settled { delivery, channel: channel(), attempt, outcome, now, failing_step_max_ms: 100 };
    store.settle(settled).await.expect("settles")
}

async fn due(store: &dyn Deliveries, now: Timestamp) -> Vec<DeliveryId> {
    store.due(channel(), now, 100).await.expect("answers").into_iter().map(|due| due.id).collect()
}

fn id(sequence: u64) -> DeliveryId {
    delivery_id(channel(), "alert", sequence)
}

pub(crate) async fn plans_once_and_moves_the_cursor(ground: &Ground) {
    let (store, deliveries) = opened(ground).await;
    let told = Told { alert: AlertId::of(&["a"]), sequence: 11, at: NOW, repeats: true, n_repeats: 2 };
    let first = ChannelPlan { told: vec![told.clone()], ..plan((10, 12), vec![new("a", 11, 0), new("b", 12, 0)]) };
    deliveries.plan(vec![first.clone()]).await.expect("plans");
    deliveries.plan(vec![first]).await.expect("is no error");
    deliveries.plan(vec![plan((11, 13), vec![new("c", 13, 0)])]).await.expect("is no error");
    let other = ChannelId::of(&["gone"]);
    deliveries
        .plan(vec![ChannelPlan { channel: other, ..plan((0, 1), vec![new("a", 1, 0)]) }])
        .await
        .expect("is no error");
    deliveries.open_channel(channel(), 99, NOW).await.expect("changes nothing");
    let state = deliveries.channel_state(channel()).await.expect("reads").expect("is there");
    assert_eq!((state.cursor, state.waiting, state.dead), (12, 2, 0));
    assert_eq!(due(&*deliveries, NOW).await, [id(11), id(12)]);
    assert_eq!(deliveries.told(channel(), &[told.alert]).await, Ok(vec![told.clone()]));
    let repeats = |before: i64| deliveries.repeats_due(channel(), Timestamp(before), NOW, 9);
    assert_eq!(repeats(999_999).await, Ok(Vec::new()));
    assert_eq!(repeats(1_000_000).await, Ok(vec![told]));
    drop(deliveries);
    store.close().await.expect("closes");
    let (_store, deliveries) = opened(ground).await;
    assert_eq!(due(&*deliveries, NOW).await, [id(11), id(12)], "also after a restart");
    deliveries.close_channel(channel()).await.expect("closes");
    assert_eq!(deliveries.channel_states().await, Ok(Vec::new()));
    assert_eq!(deliveries.delivery(id(11)).await, Ok(None));
}

pub(crate) async fn gives_out_one_delivery_of_an_alert_at_a_time(ground: &Ground) {
    let (_store, deliveries) = opened(ground).await;
    let news = vec![new("a", 11, 0), new("b", 12, 0), new("a", 13, 0), new("a", 14, 0)];
    deliveries.plan(vec![plan((10, 14), news)]).await.expect("plans");
    let skipped = NewDelivery { when: When::NothingWaits, ..new("a", 15, 0) };
    deliveries.plan(vec![ChannelPlan { cursor: None, ..plan((0, 0), vec![skipped]) }]).await.expect("plans");
    assert_eq!(due(&*deliveries, NOW).await, [id(11), id(12)]);
    assert_eq!(settle(&*deliveries, id(11), Outcome::Retry { delay_ms: 50 }, NOW).await, 0);
    assert_eq!(due(&*deliveries, NOW).await, [id(12)], "the later ones of the alert wait");
    assert_eq!(due(&*deliveries, NOW + 50).await, [id(12), id(11)]);
    assert_eq!(
        due(&*deliveries, NOW - 1_000).await,
        [id(12), id(11)],
        "due further ahead than it was set: the clock was set back"
    );
    assert_eq!(settle(&*deliveries, id(11), Outcome::Retry { delay_ms: 50 }, NOW + 60).await, 60);
    assert_eq!(settle(&*deliveries, id(11), Outcome::Dead, NOW + 9_999).await, 160, "a step adds at most its bound");
    assert_eq!(due(&*deliveries, NOW + 9_999).await, [id(12), id(13)]);
    assert_eq!(settle(&*deliveries, id(13), Outcome::Delivered, NOW + 9_999).await, 0);
    settle(&*deliveries, id(12), Outcome::Delivered, NOW + 9_999).await;
    settle(&*deliveries, id(14), Outcome::Delivered, NOW + 9_999).await;
    assert_eq!(deliveries.next_due(channel()).await, Ok(None));
    assert_eq!(deliveries.retry(id(11), NOW + 10_000).await, Ok(true));
    assert_eq!(due(&*deliveries, NOW + 10_000).await, [id(11)]);
    assert_eq!(deliveries.retry(id(99), NOW).await, Ok(false));
    assert_eq!(deliveries.recover(channel(), NOW + 1, NOW, 100).await, Ok(0), "nothing is that young");
    assert_eq!(deliveries.recover(channel(), NOW, NOW + 10_000, 3).await, Ok(3), "bounded");
    assert_eq!(due(&*deliveries, NOW + 10_000).await, [id(11), id(12)], "in order, one an alert");
    settle(&*deliveries, id(11), Outcome::Delivered, NOW + 10_000).await;
    assert_eq!(due(&*deliveries, NOW + 10_000).await, [id(12), id(13)]);
    let one = deliveries.delivery(id(11)).await.expect("reads").expect("is there");
    assert_eq!((one.state, one.attempts.len(), one.subject.contains('\0')), (DeliveryState::Delivered, 4, false));
}

pub(crate) async fn folds_until_it_is_given_out(ground: &Ground) {
    let (_store, deliveries) = opened(ground).await;
    deliveries.plan(vec![plan((10, 11), vec![new("a", 11, 500)])]).await.expect("plans");
    deliveries.plan(vec![plan((11, 13), vec![new("a", 12, 500), new("b", 13, 500)])]).await.expect("plans");
    assert_eq!(due(&*deliveries, NOW + 499).await, []);
    let given = deliveries.due(channel(), NOW + 500, 1).await.expect("answers");
    assert_eq!((given[0].id, given[0].changes.len()), (id(11), 2));
    let Message::Alert(message) = &given[0].message else { panic!("an alert") };
    assert_eq!(message.sequence, 12, "as of the newest change");
    deliveries.plan(vec![plan((13, 14), vec![new("a", 14, 500)])]).await.expect("plans");
    let again = deliveries.due(channel(), NOW + 500, 9).await.expect("answers");
    assert_eq!(again[0], given[0], "what was given out says the same for ever");
    settle(&*deliveries, id(11), Outcome::Delivered, NOW + 600).await;
    settle(&*deliveries, id(13), Outcome::Delivered, NOW + 600).await;
    assert_eq!(due(&*deliveries, NOW + 1_100).await, [id(14)]);
}

pub(crate) async fn lists_and_counts(ground: &Ground) {
    let (_store, deliveries) = opened(ground).await;
    let news = (11..=30).map(|n| new(if n % 2 == 0 { "a" } else { "b" }, n, 0)).collect();
    deliveries.plan(vec![plan((10, 30), news)]).await.expect("plans");
    settle(&*deliveries, id(11), Outcome::Dead, NOW).await;
    settle(&*deliveries, id(12), Outcome::Delivered, NOW).await;
    let mut seen = Vec::new();
    let mut page = PageRequest::first(7);
    loop {
        let found = deliveries.deliveries(DeliveryFilter::default(), page).await.expect("lists");
        seen.extend(found.items.iter().map(|(_, one)| one.id));
        match found.items.last() {
            Some((cursor, _)) if found.has_next => page = PageRequest { first: 7, after: Some(cursor.clone()) },
            _ => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 20);
    let count = async |filter: DeliveryFilter| {
        deliveries.deliveries(filter, PageRequest::first(100)).await.expect("lists").items.len()
    };
    let alert = DeliveryFilter { alert: Some(AlertId::of(&["a"])), ..DeliveryFilter::default() };
    assert_eq!(count(alert).await, 10);
    let dead = DeliveryFilter { channel: Some(channel()), alert: None, states: vec![DeliveryState::Dead] };
    assert_eq!(count(dead).await, 1);
    deliveries.set_disabled(channel(), Some(Disabled { at: NOW, reason: "why\0".into() })).await.expect("disables");
    let census = deliveries.census().await.expect("counts");
    let of = |state| census.by_state.iter().find(|(known, _)| *known == state).map(|(_, n)| *n);
    assert_eq!((of(DeliveryState::Waiting), of(DeliveryState::Dead)), (Some(18), Some(1)));
    assert_eq!((census.oldest_waiting, census.channels_disabled), (Some(NOW), 1));
    let state = deliveries.channel_state(channel()).await.expect("reads").expect("is there");
    assert_eq!(state.disabled.map(|disabled| disabled.reason), Some("why\0".to_owned()));
    deliveries.set_disabled(channel(), None).await.expect("enables");
}
