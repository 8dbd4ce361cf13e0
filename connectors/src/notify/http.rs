//! What goes by HTTP, and what an answer means.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use riskgraph_domain::delivery::{Outgoing, PayloadFormat, Sent};
use riskgraph_domain::time::{HOUR_MS, SECOND_MS, Timestamp};
use url::Url;

use super::address::url_of;
use super::shape::{Letter, Letterhead, body_for, fitting, pagerduty, slack, splunk, teams};
use super::sign::sign;
use crate::net::{Answer, Call, Outside};

/// Bytes of a webhook's body: the specification advises less than 20 kB.
pub(super) const WEBHOOK_MAX_BYTES: usize = 20_000;
/// Bytes of an answer that are read, so that a connection can be used again. Nobody looks at them.
const ANSWER_MAX_BYTES: usize = 4 << 10;
/// The longest a receiver is left alone because it asked for it.
const RETRY_AFTER_MAX_MS: i64 = HOUR_MS;

/// Signs and posts by the Standard Webhooks specification.
pub(super) async fn webhook(outside: &Outside, head: &Letterhead, outgoing: &Outgoing) -> Sent {
    let body = body_for(outgoing.channel.format, &Letter::of(outgoing), head, WEBHOOK_MAX_BYTES);
    let seconds = outgoing.now.millis().div_euclid(SECOND_MS);
    let Some(signature) = sign(&outgoing.secrets, &outgoing.message_id, seconds, &body) else {
        return refused("the channel's secret cannot be used; rotate it");
    };
    let kind = match outgoing.channel.format {
        PayloadFormat::Cloudevents => "application/cloudevents+json; charset=utf-8",
        PayloadFormat::Native | PayloadFormat::Ocsf => "application/json",
    };
    let headers = [
        ("content-type", kind.to_owned()),
        ("webhook-id", outgoing.message_id.clone()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ];
    post(outside, outgoing, body, &headers).await
}

/// Bytes of a Slack message: 50 blocks of 3,000 characters are allowed, but nobody reads them.
const SLACK_MAX_BYTES: usize = 40_000;

/// Posts blocks to an incoming webhook of Slack.
pub(super) async fn slack(outside: &Outside, head: &Letterhead, outgoing: &Outgoing) -> Sent {
    let body = fitting(&Letter::of(outgoing), SLACK_MAX_BYTES, |letter| slack::message(letter, head));
    post(outside, outgoing, body, &[]).await
}

/// Posts a card to a Teams workflow.
pub(super) async fn teams(outside: &Outside, head: &Letterhead, outgoing: &Outgoing) -> Sent {
    let body = fitting(&Letter::of(outgoing), teams::MESSAGE_MAX_BYTES, |letter| teams::message(letter, head));
    post(outside, outgoing, body, &[]).await
}

/// Posts an event to PagerDuty. It answers 400 to an event it will never take.
pub(super) async fn pagerduty(outside: &Outside, head: &Letterhead, outgoing: &Outgoing) -> Sent {
    let Some(key) = &outgoing.token else { return refused("the channel has no routing key; set its token") };
    let body = fitting(&Letter::of(outgoing), pagerduty::EVENT_MAX_BYTES, |letter| {
        let mut event = pagerduty::event(letter, head);
        event["routing_key"] = key.expose().into();
        event
    });
    match post(outside, outgoing, body, &[]).await {
        Sent::Failed { status: Some(400), .. } => {
            Sent::Refused { status: Some(400), error: "answered 400: it does not take this event".to_owned() }
        }
        other => other,
    }
}

/// Posts an event to Splunk's collector.
pub(super) async fn splunk(outside: &Outside, head: &Letterhead, outgoing: &Outgoing) -> Sent {
    let Some(token) = &outgoing.token else { return refused("the channel has no collector token; set its token") };
    let format = outgoing.channel.format;
    let body = fitting(&Letter::of(outgoing), splunk::EVENT_MAX_BYTES, |letter| splunk::envelope(format, letter, head));
    post(outside, outgoing, body, &[("authorization", format!("Splunk {}", token.expose()))]).await
}

/// Posts a body to the channel's URL.
pub(super) async fn post(
    outside: &Outside,
    outgoing: &Outgoing,
    body: Vec<u8>,
    headers: &[(&'static str, String)],
) -> Sent {
    let url = match url_of(outgoing.channel.kind, outgoing.target.expose()) {
        Ok(url) => url,
        Err(_) => return refused("the channel's URL cannot be used; set it anew"),
    };
    let mut map = HeaderMap::new();
    map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in headers {
        let Ok(mut value) = HeaderValue::from_str(value) else {
            return refused("the channel's token has characters a header cannot have; set it anew");
        };
        value.set_sensitive(true);
        map.insert(HeaderName::from_static(name), value);
    }
    call(outside, url, map, body, outgoing.now).await
}

async fn call(outside: &Outside, url: Url, headers: HeaderMap, body: Vec<u8>, now: Timestamp) -> Sent {
    let call = Call { method: Method::POST, url, headers, body: Bytes::from(body), answer_bytes_max: ANSWER_MAX_BYTES };
    match outside.call(call).await {
        Ok(answer) => meaning(&answer, now),
        Err(none) => failed(None, none.to_string()),
    }
}

/// What an answer means by the Standard Webhooks specification: only 2xx is a yes.
fn meaning(answer: &Answer, now: Timestamp) -> Sent {
    let status = answer.status;
    match status {
        200..=299 => Sent::Taken { status },
        300..=399 => failed(Some(status), format!("answered {status}: redirects are not followed; set the new URL")),
        410 => Sent::Gone { status, error: "answered 410: it wants no more messages".to_owned() },
        429 | 502 | 503 | 504 => Sent::Failed {
            status: Some(status),
            error: format!("answered {status}: overloaded"),
            slow_down: true,
            retry_after_ms: retry_after(&answer.headers, now),
        },
        _ => failed(Some(status), format!("answered {status}")),
    }
}

/// Milliseconds of `Retry-After`, in seconds or as a date (RFC 9110 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse::<u32>() {
        Ok(seconds) => i64::from(seconds) * SECOND_MS,
        Err(_) => chrono::DateTime::parse_from_rfc2822(text).ok()?.timestamp_millis().saturating_sub(now.millis()),
    };
    Some(asked.clamp(0, RETRY_AFTER_MAX_MS))
}

fn failed(status: Option<u16>, error: String) -> Sent {
    Sent::Failed { status, error, slow_down: false, retry_after_ms: None }
}

pub(super) fn refused(error: &str) -> Sent {
    Sent::Refused { status: None, error: error.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert(RETRY_AFTER, retry.parse().expect("a value"));
        }
        Answer { status, headers, body: Vec::new() }
    }

    #[test]
    fn only_2xx_is_a_yes() {
        let now = Timestamp(784_111_777_000);
        for status in [200, 201, 202, 204, 299] {
            assert!(matches!(meaning(&answer(status, None), now), Sent::Taken { .. }), "{status}");
        }
        for status in [301, 302, 307, 308, 400, 401, 403, 404, 409, 418, 500, 501] {
            assert!(matches!(meaning(&answer(status, None), now), Sent::Failed { slow_down: false, .. }), "{status}");
        }
        for status in [429, 502, 503, 504] {
            assert!(matches!(meaning(&answer(status, None), now), Sent::Failed { slow_down: true, .. }), "{status}");
        }
        assert!(matches!(meaning(&answer(410, None), now), Sent::Gone { .. }));
    }

    #[test]
    fn retry_after_is_bounded() {
        // RFC 9110's own example date is 1994-11-06T08:49:37Z.
        let now = Timestamp(784_111_777_000 - 5_000);
        let check = |text: &str, want: Option<i64>| {
            let Sent::Failed { retry_after_ms, .. } = meaning(&answer(503, Some(text)), now) else { panic!("{text}") };
            assert_eq!(retry_after_ms, want, "{text}");
        };
        check("0", Some(0));
        check("120", Some(120_000));
        check("4294967295", Some(RETRY_AFTER_MAX_MS));
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(5_000));
        check("Tue, 06 Nov 1990 08:49:37 GMT", Some(0));
        check("soon", None);
        check("-1", None);
    }
}
