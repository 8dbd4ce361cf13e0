//! Mail authentication and transport. Knows nothing of the web.

pub(super) mod bimi;
pub(super) mod dmarc;
pub(super) mod hosts;
pub(super) mod keys;
pub(super) mod spf;
pub(super) mod transport;

use riskgraph_domain::observation::DnsAnswer;
use serde_json::json;

use super::check::{Case, Judged, Skip, Verdict};
use super::names::bare;

/// What a domain has to do with mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It receives mail: it has MX records.
    Receives,
    /// It has no MX, but its SPF record or its profile says that it sends.
    Sends,
    /// A null MX (RFC 7505), or neither MX nor a sender in SPF: nothing should come from it.
    Parked,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mx {
    pub(super) preference: u16,
    /// Empty for a null MX.
    pub(super) host: String,
}

/// Reads MX records in presentation form; what cannot be read is left out.
pub(super) fn mx_records(records: &[String]) -> Vec<Mx> {
    let read = |record: &String| {
        let (preference, host) = record.trim().split_once(char::is_whitespace)?;
        Some(Mx { preference: preference.parse().ok()?, host: bare(host) })
    };
    let mut all: Vec<Mx> = records.iter().filter_map(read).collect();
    all.sort_by(|a, b| (a.preference, &a.host).cmp(&(b.preference, &b.host)));
    all
}

/// The text of a TXT record: quoted strings are joined, bare text is taken as it is.
pub(super) fn txt(record: &str) -> String {
    let trimmed = record.trim_end();
    if !trimmed.starts_with('"') || !trimmed.ends_with('"') || trimmed.len() < 2 {
        return record.to_owned();
    }
    let (mut text, mut quoted, mut escaped) = (String::new(), false, false);
    for c in trimmed.chars() {
        match c {
            _ if escaped => {
                text.push(c);
                escaped = false;
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => text.push(c),
            _ => {}
        }
    }
    text
}

/// The mail exchangers, without a null MX.
pub(super) fn exchangers(case: &Case<'_>) -> Result<Vec<Mx>, Skip> {
    Ok(mx_records(case.records(case.domain(), "MX")?).into_iter().filter(|mx| !mx.host.is_empty()).collect())
}

/// What the domain has to do with mail; unknown when its MX could not be asked.
pub(super) fn role(case: &Case<'_>) -> Result<Role, Skip> {
    if case.seen.dns.answer(case.domain(), "MX") == Some(&DnsAnswer::NxDomain) {
        return Err(Skip::NotApplicable);
    }
    let records = case.records(case.domain(), "MX")?;
    if !exchangers(case)?.is_empty() {
        return Ok(Role::Receives);
    }
    if case.profile.mail {
        return Ok(Role::Sends);
    }
    let null_mx = mx_records(records).iter().any(|mx| mx.host.is_empty());
    let records_of_spf = spf::record::find(case.records(case.domain(), "TXT")?.iter());
    // A record that cannot be read was meant to say something.
    let sends =
        records_of_spf.iter().any(|text| spf::record::parse(text).map_or(true, |record| record.names_senders()));
    Ok(if null_mx || !sends { Role::Parked } else { Role::Sends })
}

/// MAIL-21: a domain without mail says so: nobody may send as it, and forgeries are rejected.
pub(super) fn parked(case: &Case<'_>) -> Judged {
    if role(case)? != Role::Parked {
        return Err(Skip::NotApplicable);
    }
    let records = spf::record::find(case.records(case.domain(), "TXT")?.iter());
    let closed = records.len() == 1
        && spf::record::parse(&records[0])
            .is_ok_and(|record| !record.names_senders() && record.all() == Some(spf::record::Qualifier::Fail));
    let policy = dmarc::effective(case)?;
    let rejects = policy.as_ref().is_some_and(|policy| policy.applied() == dmarc::record::Policy::Reject);
    let evidence = json!({
        "spf": records.first(), "dmarc": policy.as_ref().map(|policy| policy.record.text.as_str()),
        "nobody_may_send": closed, "forgeries_rejected": rejects,
    });
    Ok(if closed && rejects { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// The texts at a name: unknown when the lookup failed or was not made.
pub(super) fn texts(case: &Case<'_>, name: &str) -> Result<Vec<String>, Skip> {
    Ok(case.records(name, "TXT")?.iter().map(|record| txt(record)).collect())
}

#[cfg(test)]
mod conformance_tests;
#[cfg(test)]
mod tests;
