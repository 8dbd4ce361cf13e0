//! The words of the detector's signals.

use riskgraph_domain::event::Event;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{EntityKind, Text};

use super::super::Case;
use super::super::draft::{Draft, log_ramp, ramp};
use super::memory::{Excess, Past};
use super::{Dimension, NAME};

/// Characters of a user agent in a campaign's name.
const NAME_MAX: usize = 80;

/// All that a report of an attack tells.
pub(super) struct Told<'a> {
    pub(super) case: &'a Case<'a>,
    pub(super) name: &'a str,
    pub(super) excess: &'a Excess,
    pub(super) samples: &'a [(Text, Text)],
    pub(super) outage: bool,
    pub(super) n_guesses: u32,
    pub(super) campaign: &'a Text,
}

/// Why a success is held to be the attacker's.
pub(super) struct Suspicion {
    pub(super) campaign: Text,
    pub(super) group: Option<(Dimension, f64)>,
    /// Other users its address had failed for.
    pub(super) others: u16,
    pub(super) is_leaked: bool,
}

/// The group's name in campaigns, such as `ja4:t13d...`.
pub(super) fn group_name(dimension: Dimension, event: &Event) -> String {
    let client = &event.client;
    match dimension {
        Dimension::Ja4 => format!("ja4:{}", client.ja4.as_deref().unwrap_or_default()),
        Dimension::Agent => {
            let agent = client.user_agent.as_deref().unwrap_or_default();
            format!("agent:{}", agent.chars().take(NAME_MAX).collect::<String>())
        }
        Dimension::Network => format!("AS{}", client.asn.unwrap_or_default()),
        Dimension::Everybody => "login".to_owned(),
    }
}

/// Above which score an outage is never reported: LOW.
const OUTAGE_SCORE_MAX: f64 = 0.3;

pub(super) fn attack(told: &Told<'_>) -> Draft {
    let Told { excess, .. } = told;
    let counts = &excess.counts;
    let (users, addresses) = (excess.span.users(counts), excess.span.addresses(counts));
    let guesses = counts.open_guesses();
    let tries = guesses / f64::from(users).max(1.0);
    let title = match told.outage {
        true => "Logins fail for everybody".to_owned(),
        false => format!("Credential stuffing: {users} users tried from {addresses} addresses"),
    };
    let mut draft = Draft::new(NAME, told.name, title);
    let window = match excess.span {
        super::Span::Fast => "in a minute",
        super::Span::Slow => "in ten minutes",
    };
    draft
        .reason(
            0.30 + 0.15 * log_ramp(excess.excess, 40.0, 2_000.0),
            format!("failed logins by strangers {window} exceed what the successes let expect"),
            format!("{guesses:.0} of {}", counts.guesses + counts.familiar + counts.successes),
        )
        .expected(format!("{:.0} (normally {:.1} for 100 successes)", excess.expected, excess.normal * 100.0))
        .reason(
            0.14 * ramp(3.0 - tries, 0.5, 1.5),
            "many users, few tries each",
            format!("{users} users, {tries:.1} tries each"),
        )
        .reason(
            0.12 * ramp(f64::from(addresses), 5.0, 20.0),
            "spread over many addresses, so that none stands out",
            format!("{addresses} addresses"),
        )
        .reason(
            match excess.dimension {
                Dimension::Ja4 | Dimension::Agent => 0.08,
                Dimension::Network => 0.06,
                Dimension::Everybody => 0.05,
            },
            match excess.dimension {
                Dimension::Everybody => "beyond the shop's own normal",
                _ => "one kind of client makes them",
            },
            told.name,
        )
        .reason(
            0.06 * ramp(f64::from(counts.unknown_users) / f64::from(counts.guesses).max(1.0), 0.1, 0.5),
            "many of the logins do not exist here",
            format!("{} unknown users", counts.unknown_users),
        );
    if told.outage {
        draft.cap(OUTAGE_SCORE_MAX);
    }
    let subject = match excess.dimension {
        Dimension::Network => EntityKind::Network,
        Dimension::Everybody => EntityKind::Asset,
        Dimension::Ja4 | Dimension::Agent => EntityKind::Indicator,
    };
    draft.touch(TouchRole::Subject, subject, told.name);
    for (address, user) in told.samples {
        draft.touch(TouchRole::Involved, EntityKind::Address, address).touch(
            TouchRole::Context,
            EntityKind::User,
            user,
        );
    }
    draft
        .techniques(&["T1110.004", "T1589.001", "T1090.002"])
        .advice(&[
            "Challenge logins of this client group (second factor or proof of work); do not block by address",
            "Reset the passwords and end the sessions of users who logged in within the group",
            "Check new failures against lists of leaked passwords",
        ])
        .evidence("group", told.name)
        .evidence("attempts", counts.guesses + counts.familiar + counts.successes)
        .evidence("failures_by_strangers", counts.guesses)
        .evidence("slips", counts.resolved)
        .evidence("successes", counts.successes)
        .evidence("users", users)
        .evidence("addresses", addresses)
        .evidence("unknown_users", counts.unknown_users)
        .evidence("failures_since_start", told.n_guesses)
        .evidence("sample_addresses", told.samples.iter().map(|(address, _)| address.as_str()).collect::<Vec<_>>())
        .campaign(Some(told.campaign.clone()));
    debug_assert!(told.case.event.outcome.refused(), "only failures decide an attack");
    draft
}

pub(super) fn compromised(past: &Past, suspicion: &Suspicion) -> Draft {
    let who = past.user.as_ref().or(past.staff.as_ref()).map_or("", Text::as_str);
    let mut draft =
        Draft::new(NAME, format!("{who}/{}", past.id), format!("{who} logged in within a credential stuffing attack"));
    let likelihood = suspicion.group.map_or(0.0, |(_, likelihood)| likelihood);
    draft
        .reason(0.45, "a success by a stranger while credentials are being stuffed", suspicion.campaign.as_str())
        .reason(
            0.22 * likelihood,
            "the kind of client that attacks, and so few of its strangers succeed",
            format!("likelihood {likelihood:.2}"),
        )
        .reason(
            0.22 * f64::from(u8::from(suspicion.others > 0)),
            "its address just failed for other users",
            format!("{} failures for others", suspicion.others),
        )
        .reason(0.15 * f64::from(u8::from(suspicion.is_leaked)), "the password is known from a leak", "labels.leaked")
        .cap(0.79);
    let kind = if past.user.is_some() { EntityKind::User } else { EntityKind::Staff };
    draft
        .touch(TouchRole::Subject, kind, who)
        .touch(TouchRole::Involved, EntityKind::Address, past.ip.as_deref().unwrap_or_default())
        .touch(TouchRole::Involved, EntityKind::Device, past.device.as_deref().unwrap_or_default())
        .techniques(&["T1078", "T1110.004"])
        .advice(&[
            "End the user's sessions and require a new password and a second factor",
            "Hold gift cards, payouts and orders of this user until they confirm",
        ])
        .evidence("login_event", past.id.as_str())
        .evidence("likelihood", likelihood)
        .evidence("address_failures_for_others", suspicion.others)
        .campaign(Some(suspicion.campaign.clone()));
    draft
}
