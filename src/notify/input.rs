//! What people may set up: channels checked and sealed.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use riskgraph_domain::delivery::{Channel, ChannelInput, ChannelKind, PayloadFormat};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::secret::{Secret, Vault};
use riskgraph_domain::{ChannelId, Timestamp};

/// What a sealed secret of a channel is.
pub(super) const TARGET: &str = "target";
pub(super) const TOKEN: &str = "token";

/// Longest wait in which changes are folded, seconds: an hour; beyond it a digest is meant.
const GROUP_WAIT_MAX_S: u32 = 3_600;
/// Bounds of the pause between two tellings of an open alert, seconds: up to 30 days.
const REPEAT_MAX_S: u32 = 30 * 86_400;
/// People are told of an alert's first signals together; programs are told at once.
const GROUP_WAIT_PEOPLE_S: u32 = 10;
/// Entries of one list of a filter.
const FILTER_ITEMS_MAX: usize = 64;
/// Characters of a name, bytes of a token.
const NAME_CHARS_MAX: usize = 100;
const TOKEN_BYTES_MAX: usize = 512;

/// What a channel's secret is sealed for.
pub(super) fn purpose(channel: ChannelId, what: &str) -> String {
    format!("channel/{channel}/{what}")
}

pub(super) fn secret_purpose(channel: ChannelId) -> String {
    purpose(channel, "secret")
}

/// The channel with what a person gave put in; `shown` is the target as it may be shown.
///
/// # Errors
/// `BadInput` with what is wrong and what to do.
pub(super) fn apply(
    mut channel: Channel,
    input: ChannelInput,
    shown: String,
    vault: &dyn Vault,
) -> Result<Channel, Fault> {
    check(&input)?;
    if input.target.expose().trim() != channel.target_shown || channel.target.is_empty() {
        channel.target = vault.seal(&purpose(channel.id, TARGET), &input.target)?;
        channel.target_shown = shown;
    }
    if let Some(token) = input.token.as_ref().filter(|token| !token.expose().trim().is_empty()) {
        let token = Secret::new(token.expose().trim());
        channel.token = Some(vault.seal(&purpose(channel.id, TOKEN), &token)?);
    }
    if channel.token.is_none() && needs_token(input.kind) {
        return Err(bad("token: this kind of channel needs one (routing key or collector token)"));
    }
    channel.name = input.name;
    channel.format = input.format.unwrap_or(PayloadFormat::Native);
    channel.filter = input.filter;
    channel.digest = input.digest.filter(|digest| !digest.trim().is_empty());
    channel.time_zone = input.time_zone.filter(|zone| !zone.is_empty());
    channel.group_wait_s = input.group_wait_s.unwrap_or_else(|| group_wait(input.kind));
    channel.repeat_s = input.repeat_s;
    Ok(channel)
}

const fn needs_token(kind: ChannelKind) -> bool {
    matches!(kind, ChannelKind::Pagerduty | ChannelKind::Splunk)
}

const fn group_wait(kind: ChannelKind) -> u32 {
    match kind {
        ChannelKind::Email | ChannelKind::Slack | ChannelKind::Teams => GROUP_WAIT_PEOPLE_S,
        ChannelKind::Webhook | ChannelKind::Pagerduty | ChannelKind::Splunk | ChannelKind::File => 0,
    }
}

fn check(input: &ChannelInput) -> Result<(), Fault> {
    let name = input.name.trim();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control) {
        return Err(bad(&format!("name: give 1 to {NAME_CHARS_MAX} characters on one line")));
    }
    let format = input.format.unwrap_or(PayloadFormat::Native);
    if format != PayloadFormat::Native && !input.kind.has_formats() {
        return Err(bad("format: only WEBHOOK, SPLUNK and FILE channels have formats; leave it out"));
    }
    if input.token.as_ref().is_some_and(|token| {
        token.expose().len() > TOKEN_BYTES_MAX || !token.expose().trim().bytes().all(|byte| byte.is_ascii_graphic())
    }) {
        return Err(bad(&format!("token: at most {TOKEN_BYTES_MAX} printable ASCII characters without spaces")));
    }
    let filter = &input.filter;
    if [filter.changes.len(), filter.detectors.len(), filter.techniques.len()].iter().any(|&n| n > FILTER_ITEMS_MAX) {
        return Err(bad(&format!("filter: a list has at most {FILTER_ITEMS_MAX} entries")));
    }
    if input.group_wait_s.is_some_and(|wait| wait > GROUP_WAIT_MAX_S) {
        return Err(bad(&format!("groupWaitSeconds: 0 to {GROUP_WAIT_MAX_S}; for longer use a digest")));
    }
    if input.repeat_s.is_some_and(|every| !(1..=REPEAT_MAX_S).contains(&every)) {
        return Err(bad(&format!("repeatSeconds: 1 to {REPEAT_MAX_S}")));
    }
    check_digest(input, format)
}

fn check_digest(input: &ChannelInput, format: PayloadFormat) -> Result<(), Fault> {
    let zone = input.time_zone.as_deref().filter(|zone| !zone.is_empty());
    if zone.is_some_and(|zone| zone.parse::<Tz>().is_err()) {
        return Err(bad("timeZone: no IANA time zone such as Europe/Berlin"));
    }
    let Some(digest) = input.digest.as_deref().filter(|digest| !digest.trim().is_empty()) else { return Ok(()) };
    if digest.len() > 200 || Cron::from_str(digest).is_err() {
        return Err(bad("digest: no cron expression such as '0 8 * * MON-FRI' (minute hour day month weekday)"));
    }
    if input.kind == ChannelKind::Pagerduty || format == PayloadFormat::Ocsf {
        return Err(bad("digest: PagerDuty and OCSF tell of single alerts; use another kind or format"));
    }
    Ok(())
}

/// The last instant of the channel's digest at or before `now`.
pub(super) fn last_instant(channel: &Channel, now: Timestamp) -> Option<Timestamp> {
    let cron = Cron::from_str(channel.digest.as_deref()?).ok()?;
    let zone: Tz = channel.time_zone.as_deref().unwrap_or("UTC").parse().ok()?;
    let local = DateTime::<Utc>::from_timestamp_millis(now.millis())?.with_timezone(&zone);
    let previous = cron.find_previous_occurrence(&local, true).ok()?;
    Some(Timestamp(previous.timestamp_millis()))
}

pub(super) fn bad(problem: &str) -> Fault {
    Fault::new(FaultCode::BadInput, problem)
}
