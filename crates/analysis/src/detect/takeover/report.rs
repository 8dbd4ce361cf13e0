//! The words of the detector's signals.

use riskgraph_domain::EntityKind;
use riskgraph_domain::signal::TouchRole;

use super::super::draft::{Draft, ramp};
use super::{Account, Field, NAME, Story, TakeoverConfig, Value, What};

pub(super) fn story(account: &Account, story: &Story<'_>, config: &TakeoverConfig) -> Draft {
    let who = account.login.as_str();
    let mut draft = Draft::new(NAME, format!("{who}/{}", story.target.id), title(who, story));
    let (has_change, has_value) = (!story.changes.is_empty(), matches!(story.target.what, What::Value(_)));
    if let What::Value(value) = story.target.what {
        let has_new_address = story.changes.contains(&Field::Address);
        let (weight, text) = match value {
            Value::GiftCard => (config.giftcard, "a gift card is bought"),
            Value::Payout => (config.payout, "the payout account is changed"),
            Value::Refund => (config.refund, "a refund goes to a gift card or bank account"),
            Value::Order if has_new_address => (config.order_new_address, "an order to the new address"),
            Value::Order => (config.order, "an order is placed"),
        };
        let amount = story.target.amount_minor;
        draft.reason(
            weight + if value == Value::Order { 0.0 } else { config.amount * ramp(amount as f64, 5_000.0, 30_000.0) },
            text,
            format!("{amount} minor units, {} within the day", story.n_values),
        );
    }
    if has_change {
        let weight: f64 = story.changes.iter().map(|field| of_change(*field, config)).sum();
        draft.reason(weight.min(config.changes_max), "the account was changed before", names(&story.changes));
    }
    // Strangeness counts in full only for the whole pattern: people do buy presents from new phones.
    let mut factor = match &story.target.what {
        What::Value(value) if has_change => share_of_strangeness(*value, &story.changes, config),
        _ => config.single_factor,
    };
    if story.is_confirmed {
        factor *= config.mfa_factor;
    }
    if story.compromise.is_some() || has_value {
        let strange = story.strange;
        draft
            .reason(
                factor * config.device * strange.device,
                "a device that is new for this person",
                told(strange.device),
            )
            .reason(
                factor * config.network * strange.network,
                "a network that is new for this person",
                told(strange.network),
            )
            .reason(
                factor * config.country * strange.country,
                "a country that is new for this person",
                told(strange.country),
            );
    }
    if let Some(What::Compromised(campaign)) = story.compromise.map(|fact| &fact.what) {
        draft
            .reason(
                config.compromised * story.share_of_compromise(config),
                "the login before was held to be compromised",
                campaign.as_deref().unwrap_or("a guessed password"),
            )
            .campaign(campaign.clone());
    } else if !has_value {
        draft.scale(0.0); // changes alone are what people do
    }
    draft
        .touch(TouchRole::Subject, if account.is_staff { EntityKind::Staff } else { EntityKind::User }, who)
        .touch(TouchRole::Involved, EntityKind::Address, account.ip.as_deref().unwrap_or_default())
        .touch(TouchRole::Involved, EntityKind::Device, account.device.as_deref().unwrap_or_default())
        .techniques(&["T1078", "T1098", "T1657"])
        .advice(&[
            "Hold what leaves the account (gift card, payout, order) until its owner confirms by the old contact data",
            "End its sessions, undo the changes and require a new password and a second factor",
        ])
        .evidence("facts", account.facts.iter().map(|fact| fact.id.as_str()).collect::<Vec<_>>())
        .evidence("changes", names(&story.changes))
        .evidence("values", story.n_values);
    draft
}

fn title(who: &str, story: &Story<'_>) -> String {
    match (&story.target.what, story.changes.is_empty()) {
        (What::Value(_), false) => format!("{who}: account changed, then value taken out"),
        (What::Value(_), true) => format!("{who}: value taken out"),
        _ => format!("{who}: account changed after a compromised login"),
    }
}

/// Strangeness counts in full when the owner is locked out and value leaves, or where the money goes is changed.
fn share_of_strangeness(value: Value, changes: &[Field], config: &TakeoverConfig) -> f64 {
    let is_move = changes == [Field::Address];
    match value {
        Value::Payout => 1.0,
        // Who only moves house, and orders there from a new phone, locks nobody out.
        Value::Order if is_move => config.move_factor,
        Value::Order if !changes.contains(&Field::Address) => config.single_factor,
        // A gift card goes to no address.
        Value::GiftCard | Value::Refund if is_move => config.single_factor,
        _ => 1.0,
    }
}

fn told(weight: f64) -> String {
    format!("{:.0} % new", weight * 100.0)
}

fn of_change(field: Field, config: &TakeoverConfig) -> f64 {
    match field {
        Field::Email => config.email,
        Field::Phone => config.phone,
        Field::Password => config.password,
        Field::Address => config.address,
        Field::Payout => config.payout,
        Field::Mfa => config.mfa,
    }
}

fn names(changes: &[Field]) -> String {
    changes.iter().map(|field| format!("{field:?}").to_lowercase()).collect::<Vec<_>>().join(", ")
}
