//! What can go wrong, in words for the person or program that meets it.

use serde::{Deserialize, Serialize};

macro_rules! fault_codes {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $graphql:literal, $retry:expr;)*) => {
        /// Every error a user can meet, with a number that never changes. `docs/errors.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum FaultCode { $($(#[$doc])* $name),* }

        impl FaultCode {
            /// All codes, in order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The printed number, such as `RG-0107`.
            #[must_use]
            pub const fn number(self) -> &'static str {
                match self { $(Self::$name => concat!("RG-", $number)),* }
            }

            /// The `extensions.code` of a GraphQL error.
            #[must_use]
            pub const fn graphql(self) -> &'static str {
                match self { $(Self::$name => $graphql),* }
            }

            /// Whether the same request may succeed when sent again unchanged.
            #[must_use]
            pub const fn retry(self) -> bool {
                match self { $(Self::$name => $retry),* }
            }
        }
    };
}

fault_codes! {
    /// The line is not valid JSON (or not valid in its named format).
    Syntax = "0101", "BAD_USER_INPUT", false;
    /// A field has a wrong type or value.
    Field = "0102", "BAD_USER_INPUT", false;
    /// The event kind is unknown.
    UnknownKind = "0103", "BAD_USER_INPUT", false;
    /// A required field is missing.
    Missing = "0104", "BAD_USER_INPUT", false;
    /// The line is longer than a line may be.
    LineTooLong = "0105", "BAD_USER_INPUT", false;
    /// The line is nested deeper than a line may be.
    TooDeep = "0106", "BAD_USER_INPUT", false;
    /// The event's time lies too far from now.
    TimeOutOfRange = "0107", "BAD_USER_INPUT", false;
    /// The named format is unknown.
    UnknownFormat = "0108", "BAD_USER_INPUT", false;
    /// The line is not text in UTF-8.
    NotUtf8 = "0109", "BAD_USER_INPUT", false;
    /// The body or its decompressed form is larger than allowed.
    BodyTooLarge = "0110", "BAD_USER_INPUT", false;
    /// The body cannot be decompressed.
    BadCompression = "0111", "BAD_USER_INPUT", false;
    /// The service takes no more input right now.
    Overloaded = "0120", "RATE_LIMITED", true;
    /// The caller sends more than its share.
    RateLimited = "0121", "RATE_LIMITED", true;
    /// No valid token was sent.
    Unauthenticated = "0201", "UNAUTHENTICATED", false;
    /// The token's role may not do this.
    Forbidden = "0202", "FORBIDDEN", false;
    /// The thing asked for does not exist, or may not be seen.
    NotFound = "0203", "NOT_FOUND", false;
    /// The argument is wrong.
    BadInput = "0204", "BAD_USER_INPUT", false;
    /// The change contradicts what is there.
    Conflict = "0205", "CONFLICT", false;
    /// The cursor is older than what is kept, or no cursor at all.
    StaleCursor = "0206", "STALE_CURSOR", false;
    /// The query is deeper than allowed.
    DepthExceeded = "0301", "DEPTH_EXCEEDED", false;
    /// The query costs more than allowed.
    CostExceeded = "0302", "COST_EXCEEDED", false;
    /// The query has more aliases than allowed.
    TooManyAliases = "0303", "TOO_MANY_ALIASES", false;
    /// The query took longer than allowed.
    QueryTimeout = "0304", "QUERY_TIMEOUT", true;
    /// The configuration is wrong.
    Configuration = "0401", "INTERNAL", false;
    /// The database answered with an error.
    Store = "0501", "INTERNAL", true;
    /// The service is stopping.
    Stopping = "0502", "INTERNAL", true;
    /// Another system did not answer, or failed at what it was asked.
    Upstream = "0601", "UPSTREAM", true;
    /// Another system refused what it was asked.
    UpstreamRefused = "0602", "UPSTREAM", false;
    /// Something that cannot happen did.
    Internal = "0599", "INTERNAL", false;
}

/// An error with its code, one sentence, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.number())]
pub struct Fault {
    pub code: FaultCode,
    /// One sentence that says what is wrong and what to do. Never holds secrets, card numbers, paths or SQL.
    pub message: String,
    /// Seconds after which a retry makes sense, when the code is one to retry.
    pub retry_after_s: Option<u32>,
}

impl Fault {
    #[must_use]
    pub fn new(code: FaultCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_s: None }
    }

    /// The thing was not found; the same words whether it is absent or not for this caller.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(FaultCode::NotFound, format!("no such {what}"))
    }
}

/// A line that could not be used; the others of its batch go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Line of the batch, from 1.
    pub line: u64,
    /// `FaultCode::number`.
    pub code: String,
    /// What is wrong with it and the remedy; quotes at most a few masked characters of the line.
    pub reason: String,
}

impl Reject {
    #[must_use]
    pub fn new(line: u64, code: FaultCode, reason: impl Into<String>) -> Self {
        Self { line, code: code.number().to_owned(), reason: reason.into() }
    }
}
