//! The words of the detector's signals.

use riskgraph_domain::EntityKind;
use riskgraph_domain::signal::TouchRole;

use super::super::accounts::Case;
use super::super::draft::{Draft, log_ramp, ramp};
use super::cluster::{Attack, Cluster, Dimension};
use super::{Excess, NAME};

/// Minor units below which an amount is small: testers avoid the owner's attention.
const SMALL_MINOR: i64 = 1_000;

pub(super) fn attack(case: &Case<'_>, excess: &Excess, cluster: &Cluster, attack: &Attack) -> Draft {
    let dimension = excess.dimension;
    let name = dimension.name(case.event);
    let name = name.as_str();
    let counts = &excess.counts;
    let declines = f64::from(counts.declines).max(1.0);
    let tries = declines / f64::from(counts.cards).max(1.0);
    let mut draft = Draft::new(NAME, name, format!("Card testing: {} cards declined, {name}", counts.cards));
    draft
        .reason(
            0.34 + 0.12 * log_ramp(excess.excess, 12.0, 400.0),
            format!("declines of unknown cards in {} minutes exceed what the approvals let expect", excess.span_s / 60),
            format!("{} declines, {} approvals", counts.declines, counts.approvals),
        )
        .expected(format!("{:.1} declines", excess.expected))
        .reason(
            0.12 * ramp(3.0 - tries, 0.5, 1.5),
            match dimension {
                Dimension::Bin => "many cards of one BIN, few tries each",
                _ => "many cards, few tries each",
            },
            format!("{} cards, {tries:.1} tries each", counts.cards),
        )
        .reason(
            0.08 * ramp(f64::from(counts.guests) / declines, 0.4, 0.9),
            "guests and accounts that never logged in before",
            format!("{:.0} %", 100.0 * f64::from(counts.guests) / declines),
        )
        .reason(
            0.07 * ramp(f64::from(counts.wrong_data) / declines, 0.3, 0.8),
            "the numbers, CVCs or dates are wrong",
            format!("{} of {}", counts.wrong_data, counts.declines),
        )
        .reason(
            0.07 * ramp(f64::from(counts.cards) / f64::from(counts.sources).max(1.0), 1.2, 3.0),
            "few devices and addresses for so many cards",
            format!("{} sources for {} cards", counts.sources, counts.cards),
        )
        .reason(
            0.06 * ramp(cluster.majority.lead(), 0.3, 0.8),
            "the same amount again and again",
            format!("{}", cluster.majority.amount),
        )
        .reason(
            if cluster.majority.amount <= SMALL_MINOR { 0.03 * ramp(cluster.majority.lead(), 0.3, 0.8) } else { 0.0 },
            "small amounts",
            format!("{} minor units", cluster.majority.amount),
        );
    let subject = match dimension {
        Dimension::Device => (EntityKind::Device, case.event.client.device.as_deref().unwrap_or_default()),
        Dimension::Address => (EntityKind::Address, case.event.client.ip.as_deref().unwrap_or_default()),
        Dimension::Everybody => (EntityKind::Asset, name),
        Dimension::Bin | Dimension::Cart | Dimension::Client => (EntityKind::Indicator, name),
    };
    draft.touch(TouchRole::Subject, subject.0, subject.1);
    for (card, address) in &cluster.samples {
        draft.touch(TouchRole::Involved, EntityKind::Card, card).touch(
            TouchRole::Involved,
            EntityKind::Address,
            address,
        );
    }
    draft
        .techniques(&["T1657", "T1583.005", "T1090.003"])
        .advice(&[
            "Challenge this combination of BIN and cart (3-D Secure or proof of work); do not block the BIN everywhere",
            "Limit new cards for each device, address and account while it lasts",
            "Void approvals within the cluster before they are captured",
        ])
        .evidence("cluster", name)
        .evidence("declines", counts.declines)
        .evidence("wrong_data", counts.wrong_data)
        .evidence("other_declines", counts.others)
        .evidence("approvals", counts.approvals)
        .evidence("cards", counts.cards)
        .evidence("sources", counts.sources)
        .evidence("declines_since_start", attack.n_declines)
        .evidence("sample_cards", cluster.samples.iter().map(|(card, _)| card.as_str()).collect::<Vec<_>>())
        .campaign(Some(attack.campaign.clone()));
    draft
}

/// How likely an approval is the tester's, and how many cards of others were declined from its source.
pub(super) struct Odds {
    pub(super) likelihood: f64,
    pub(super) n_cards: u16,
}

pub(super) fn found(case: &Case<'_>, name: &str, attack: &Attack, odds: Odds) -> Draft {
    let Odds { likelihood, n_cards } = odds;
    let card = case.event.card.as_ref().and_then(|card| card.fingerprint.as_deref()).unwrap_or_default();
    let mut draft = Draft::new(NAME, format!("{name}/{card}"), format!("A tested card was approved, {name}"));
    draft
        .reason(0.60, "an unknown card is approved while cards are being tested", name)
        .reason(
            0.25 * likelihood,
            "so few strangers are approved there otherwise",
            format!("likelihood {likelihood:.2}, {} approved so far", attack.n_approvals),
        )
        .reason(
            0.05 * log_ramp(f64::from(attack.n_declines), 10.0, 300.0),
            "declines before it",
            format!("{}", attack.n_declines),
        )
        .reason(
            if n_cards > 0 { 0.05 } else { 0.0 },
            "other unknown cards were declined from the same device or address",
            format!("{n_cards}"),
        );
    draft
        .touch(TouchRole::Subject, EntityKind::Card, card)
        .touch_actor(case.event, TouchRole::Involved, TouchRole::Involved)
        .techniques(&["T1657"])
        .advice(&[
            "Void this payment before capture and tell the acquirer: the card's number is known to criminals",
            "Refund at once if it was captured; a dispute costs more",
        ])
        .evidence("cluster", name)
        .evidence("declines_since_start", attack.n_declines)
        .evidence("approvals_since_start", attack.n_approvals)
        .campaign(Some(attack.campaign.clone()));
    draft
}
