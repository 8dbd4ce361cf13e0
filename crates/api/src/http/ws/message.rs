//! The messages and close codes of `graphql-transport-ws`.

use async_graphql::{Request, Response, ServerError};
use serde::{Deserialize, Serialize};

/// Bytes of a close reason, at most (RFC 6455 5.5: 125 with the code).
const REASON_BYTES_MAX: usize = 120;

/// What a client may say.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Client {
    ConnectionInit {
        payload: Option<serde_json::Value>,
    },
    Ping {
        #[expect(dead_code, reason = "part of the protocol; a pong need not repeat it")]
        payload: Option<serde_json::Value>,
    },
    Pong {
        #[expect(dead_code, reason = "part of the protocol, without meaning for us")]
        payload: Option<serde_json::Value>,
    },
    Subscribe {
        id: String,
        payload: Box<Request>,
    },
    Complete {
        id: String,
    },
}

/// What we say.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Server<'a> {
    ConnectionAck,
    Pong,
    Next { id: &'a str, payload: &'a Response },
    Error { id: &'a str, payload: &'a [ServerError] },
    Complete { id: &'a str },
}

/// Why we close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Close {
    GoingAway,
    Internal,
    BadMessage(String),
    Unauthorized,
    Forbidden(String),
    NotAcceptable,
    InitTimeout,
    Duplicate(String),
    TooManyInits,
}

impl Close {
    pub(super) const fn code(&self) -> u16 {
        match self {
            Self::GoingAway => 1001,
            Self::Internal => 1011,
            Self::BadMessage(_) => 4400,
            Self::Unauthorized => 4401,
            Self::Forbidden(_) => 4403,
            Self::NotAcceptable => 4406,
            Self::InitTimeout => 4408,
            Self::Duplicate(_) => 4409,
            Self::TooManyInits => 4429,
        }
    }

    pub(super) fn reason(&self) -> String {
        let mut reason = match self {
            Self::GoingAway => "the service is stopping; reconnect and resume by cursor".to_owned(),
            Self::Internal => "internal fault".to_owned(),
            Self::BadMessage(why) => format!("not a message of graphql-transport-ws: {why}"),
            Self::Unauthorized => "Unauthorized".to_owned(),
            Self::Forbidden(why) => format!("Forbidden: {why}"),
            Self::NotAcceptable => "Subprotocol not acceptable".to_owned(),
            Self::InitTimeout => "Connection initialisation timeout".to_owned(),
            Self::Duplicate(id) => format!("Subscriber for {id} already exists"),
            Self::TooManyInits => "Too many initialisation requests".to_owned(),
        };
        let end = (0..=REASON_BYTES_MAX.min(reason.len())).rev().find(|&at| reason.is_char_boundary(at));
        reason.truncate(end.unwrap_or(0));
        reason
    }
}

/// The token in the payload of `connection_init`: under `authorization` or `Authorization` (with or without `Bearer`),
/// or bare under `token`; also inside `headers`, where some clients put it.
pub(super) fn token(payload: Option<&serde_json::Value>) -> Option<String> {
    let payload = payload?;
    let found = ["authorization", "Authorization", "token"].iter().find_map(|key| payload.get(key)?.as_str());
    match found {
        Some(value) => Some(super::door::bearer_value(value).unwrap_or(value.trim()).to_owned()),
        None => token(payload.get("headers")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_token() {
        let check = |payload: &str, expected: Option<&str>| {
            let payload: serde_json::Value = serde_json::from_str(payload).expect("a payload");
            assert_eq!(token(Some(&payload)).as_deref(), expected, "{payload}");
        };
        check(r#"{"authorization":"Bearer abc"}"#, Some("abc"));
        check(r#"{"Authorization":"bearer abc"}"#, Some("abc"));
        check(r#"{"Authorization":"abc"}"#, Some("abc"));
        check(r#"{"token":"abc"}"#, Some("abc"));
        check(r#"{"headers":{"Authorization":"Bearer abc"}}"#, Some("abc"));
        check(r#"{"token":7}"#, None);
        check("{}", None);
    }

    #[test]
    fn a_close_reason_fits_its_frame() {
        let reason = Close::Duplicate("ü".repeat(500)).reason();
        assert!(reason.len() <= REASON_BYTES_MAX && reason.starts_with("Subscriber for"));
    }
}
