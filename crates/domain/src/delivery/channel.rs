//! Channels: who is told of what, and how.

use serde::{Deserialize, Serialize};

use super::port::ChannelState;
use crate::alert::{Alert, AlertChange, words};
use crate::id::{ChannelId, EntityId, VendorId};
use crate::secret::Secret;
use crate::signal::Severity;
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// How a channel is reached.
    ChannelKind {
        Webhook = "WEBHOOK", Email = "EMAIL", Slack = "SLACK", Teams = "TEAMS", Pagerduty = "PAGERDUTY",
        Splunk = "SPLUNK", File = "FILE",
    }
}
words! {
    /// In which shape a webhook, an indexer or a file gets its messages.
    PayloadFormat { Native = "NATIVE", Cloudevents = "CLOUDEVENTS", Ocsf = "OCSF" }
}
words! {
    /// Whether a channel is told anything.
    ChannelStatus { Active = "ACTIVE", Disabled = "DISABLED" }
}

impl ChannelKind {
    /// Whether programs read it, which have a choice of formats; people's channels have their own look.
    #[must_use]
    pub const fn has_formats(self) -> bool {
        matches!(self, Self::Webhook | Self::Splunk | Self::File)
    }
}

/// A channel as it is kept; what is secret in it is sealed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Channel {
    pub id: ChannelId,
    pub name: Text,
    pub kind: ChannelKind,
    pub format: PayloadFormat,
    /// Sealed: URL, mail addresses or file name.
    pub target: String,
    /// The target as people may see it.
    pub target_shown: String,
    /// Sealed: routing key or token.
    pub token: Option<String>,
    /// Newest first; those that are retired no longer sign.
    pub secrets: Vec<SigningSecret>,
    pub filter: ChannelFilter,
    /// Cron expression: what happened is told at these instants, together.
    pub digest: Option<String>,
    /// IANA name of the zone the digest's instants are in.
    pub time_zone: Option<String>,
    /// Changes of one alert within so many seconds are told together.
    pub group_wait_s: u32,
    /// An open alert that nobody has acknowledged is told again after so many seconds.
    pub repeat_s: Option<u32>,
    pub created_by: Text,
    pub created_at: Timestamp,
}

/// A shared secret a webhook's messages are signed with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningSecret {
    pub sealed: String,
    /// The last characters, for people to tell secrets apart.
    pub hint: String,
    /// It signs until then; `None` for the one that is not replaced.
    pub retires_at: Option<Timestamp>,
}

/// Which changes a channel is told; what is left out wants all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ChannelFilter {
    pub min_severity: Option<Severity>,
    pub changes: Vec<AlertChange>,
    pub detectors: Vec<Text>,
    /// ATT&CK techniques; one without a sub-technique stands for all of them.
    pub techniques: Vec<Text>,
    pub vendor: Option<VendorId>,
    pub entity: Option<EntityId>,
    pub include_muted: bool,
}

impl ChannelFilter {
    /// Whether it is about this alert, muted or not.
    ///
    /// The entity is looked for among those the alert lists, the 64 that are touched most.
    #[must_use]
    pub fn wants(&self, alert: &Alert) -> bool {
        self.min_severity.is_none_or(|least| alert.severity >= least)
            && (self.detectors.is_empty() || alert.detectors.iter().any(|has| self.detectors.contains(has)))
            && self.vendor.is_none_or(|vendor| alert.vendors.contains(&vendor))
            && self.entity.is_none_or(|entity| alert.entities.iter().any(|key| key.id() == entity))
            && (self.techniques.is_empty()
                || alert.techniques.iter().any(|has| self.techniques.iter().any(|wanted| covers(wanted, has))))
    }
}

/// Whether a wanted technique is this one or the one above it.
fn covers(wanted: &str, has: &str) -> bool {
    has.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What a person gives when making or changing a channel.
#[derive(Debug, Clone)]
pub struct ChannelInput {
    pub name: Text,
    pub kind: ChannelKind,
    pub format: Option<PayloadFormat>,
    /// As given; what [`Channel::target_shown`] says leaves it as it is.
    pub target: Secret,
    /// `None` leaves it as it is.
    pub token: Option<Secret>,
    pub filter: ChannelFilter,
    pub digest: Option<String>,
    pub time_zone: Option<String>,
    pub group_wait_s: Option<u32>,
    pub repeat_s: Option<u32>,
}

/// A channel with how it does.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelView {
    pub channel: Channel,
    pub state: ChannelState,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_technique_covers_its_sub_techniques() {
        let check = |wanted: &str, has: &str, want: bool| assert_eq!(covers(wanted, has), want, "{wanted} {has}");
        check("T1110", "T1110", true);
        check("T1110", "T1110.004", true);
        check("T1110.004", "T1110.004", true);
        check("T1110.004", "T1110", false);
        check("T111", "T1110", false);
    }
}
