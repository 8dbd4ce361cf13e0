//! What a domain's registry says of it (RDAP, RFC 9082 and 9083), from a service the operator names.

use riskgraph_domain::observation::{ProbeFailure, Registration, WebFacts};
use riskgraph_domain::{Text, Timestamp};
use serde::Deserialize;

/// Status values kept; registries give at most a dozen.
const STATUSES_MAX: usize = 32;

/// The part of an RDAP answer that is read.
#[derive(Deserialize)]
struct Domain {
    #[serde(default)]
    status: Vec<String>,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Deserialize)]
struct Event {
    #[serde(default, rename = "eventAction")]
    action: String,
    #[serde(default, rename = "eventDate")]
    date: String,
}

/// Where a service tells of a domain.
pub(super) fn url(base: &str, domain: &str) -> String {
    format!("{}/domain/{domain}", base.trim_end_matches('/'))
}

/// Reads a fetched answer.
pub(super) fn read(fetched: &WebFacts) -> Result<Registration, ProbeFailure> {
    if let Some(failure) = &fetched.failure {
        return Err(failure.clone());
    }
    let broken = |what: &str| ProbeFailure::Protocol(what.to_owned());
    let hop = fetched.last().ok_or_else(|| broken("no answer"))?;
    if hop.status != 200 {
        return Err(broken(&format!("the RDAP service answered with status {}", hop.status)));
    }
    let text = fetched.body.as_ref().and_then(|body| body.text.as_deref()).ok_or_else(|| broken("no text"))?;
    // By way of a map: serde takes a list for an object whose members all have defaults.
    let object: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| broken("the answer is no RDAP object"))?;
    let domain: Domain = serde_json::from_value(object.into()).map_err(|_| broken("the answer is no RDAP object"))?;
    let expires = domain.events.iter().find(|event| event.action.eq_ignore_ascii_case("expiration"));
    Ok(Registration {
        source: fetched.url.clone(),
        expires_at: expires.and_then(|event| Timestamp::parse_rfc3339(&event.date)),
        statuses: domain.status.iter().take(STATUSES_MAX).map(|status| Text::from(status.to_lowercase())).collect(),
    })
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::observation::{BodyFacts, Hop, Peer};

    use super::*;

    fn answer(status: u16, text: &str) -> WebFacts {
        WebFacts {
            url: url("https://rdap.example/v1/", "shop.example"),
            peer: Peer::Verified,
            hops: vec![Hop { url: String::new(), status, headers: Vec::new() }],
            failure: None,
            body: Some(BodyFacts {
                sha256: Text::default(),
                size_bytes: 0,
                truncated: false,
                content_type: None,
                text: Some(text.to_owned()),
            }),
            page: None,
        }
    }

    #[test]
    fn reads_expiry_and_locks() {
        let text = r#"{"objectClassName":"domain","status":["client transfer prohibited","active"],"events":[
            {"eventAction":"registration","eventDate":"2001-01-01T00:00:00Z"},
            {"eventAction":"expiration","eventDate":"2027-03-02T08:00:00Z"}]}"#;
        let read = read(&answer(200, text)).expect("a registration");
        assert_eq!(read.source, "https://rdap.example/v1/domain/shop.example");
        assert_eq!(read.expires_at, Timestamp::parse_rfc3339("2027-03-02T08:00:00Z"));
        assert_eq!(read.statuses, ["client transfer prohibited", "active"].map(Text::from));
    }

    #[test]
    fn anything_else_is_no_registration() {
        for (status, text) in [(404, "{}"), (200, "<html>"), (200, "[]"), (503, "")] {
            assert!(read(&answer(status, text)).is_err(), "{status} {text}");
        }
        assert_eq!(read(&answer(200, "{}")).expect("an empty object").expires_at, None);
    }
}
