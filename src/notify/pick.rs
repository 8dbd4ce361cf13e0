//! Which changes a channel is told. Pure: it sees one change and what the channel was told before.

use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent, AlertStatus};
use riskgraph_domain::delivery::{Channel, Told};

/// Whether the channel is told of this change.
///
/// Who was told that an alert began is told how it ends, also when it has become mild or muted since. Who was not told,
/// because it was too mild or muted, hears of it once it is not: that first news counts as its opening.
pub(super) fn is_told(channel: &Channel, event: &AlertEvent, told: Option<&Told>) -> bool {
    let filter = &channel.filter;
    let wanted = |change| filter.changes.is_empty() || filter.changes.contains(&change);
    let ends = matches!(event.change, AlertChange::Resolved | AlertChange::Retracted);
    if told.is_some() && ends {
        return wanted(event.change);
    }
    if is_hushed(channel, &event.alert) || !filter.wants(&event.alert) {
        return false;
    }
    let comes_up = told.is_none()
        && event.alert.status != AlertStatus::Resolved
        && (event.cause == AlertCause::Unmuted || event.change == AlertChange::Escalated);
    wanted(event.change) || (comes_up && wanted(AlertChange::Opened))
}

/// Whether the alert is muted for this channel.
pub(super) fn is_hushed(channel: &Channel, alert: &Alert) -> bool {
    alert.muted.is_some() && !channel.filter.include_muted
}

/// Whether the alert may be told again after a while.
pub(super) fn repeats(channel: &Channel, alert: &Alert) -> bool {
    channel.repeat_s.is_some() && alert.status == AlertStatus::Open && !is_hushed(channel, alert)
}

#[cfg(test)]
#[path = "pick/tests.rs"]
mod tests;
