//! Sign-in sessions: what a browser holds instead of a token. It must *not* know cookies, HTTP or how rows are kept.
//!
//! A session belongs to a token and has its rights, nothing more: when the token ends, the session has ended. Only sums
//! of the secrets are kept, of sessions as of one-time codes; they are 256 random bits, so a slow hash would protect
//! nothing more.

use std::net::IpAddr;

use async_trait::async_trait;

use crate::access::Viewer;
use crate::digest::Sum;
use crate::error::Fault;
use crate::id::TokenId;
use crate::secret::Secret;
use crate::time::Timestamp;

type Result<T> = std::result::Result<T, Fault>;

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Sum of the secret the browser holds.
    pub key: Sum,
    pub token: TokenId,
    pub created_at: Timestamp,
    /// Exact to a minute.
    pub last_used_at: Timestamp,
    /// However much it is used, it ends here.
    pub expires_at: Timestamp,
}

/// A one-time code as it is kept: whoever brings its secret first gets a session of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignInCode {
    /// Sum of the secret in the link.
    pub key: Sum,
    pub token: TokenId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What somebody signs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// An access token.
    Token(Secret),
    /// The code of a link; it works once.
    Code(Secret),
}

impl Credential {
    /// What kind it is, for the audit log.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Code(_) => "code",
        }
    }
}

/// A session just begun.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// Goes to the browser and is kept nowhere.
    pub secret: Secret,
    pub key: Sum,
    pub viewer: Viewer,
    /// Seconds until it ends, however much it is used.
    pub lasts_s: u64,
}

/// Begins, checks and ends sessions.
#[async_trait]
pub trait Sessions: Send + Sync {
    /// Exchanges a credential for a new session. `from` is where the attempt comes from: who fails too often is told to
    /// wait (`FaultCode::RateLimited`), alone and, when many addresses fail, together.
    async fn sign_in(&self, credential: Credential, from: Option<IpAddr>) -> Result<SignedIn>;
    /// Who a session's secret belongs to; `FaultCode::Unauthenticated` when neither it nor its token is valid now.
    async fn resume(&self, secret: &str) -> Result<(Sum, Viewer)>;
    /// Whether the session still lives; counts as use, for it is asked by open streams.
    async fn still_open(&self, key: Sum) -> bool;
    /// Ends the session; says whether there was one.
    async fn sign_out(&self, key: Sum) -> Result<bool>;
}

/// Keeps sessions and codes.
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Keeps a session. Of the same token at most `max_of_token` stay, the oldest go; those that ended before
    /// `created_at` go too.
    async fn insert_session(&self, session: Session, max_of_token: usize) -> Result<()>;
    async fn session(&self, key: Sum) -> Result<Option<Session>>;
    /// The last use never goes back. It may be lost in a power loss.
    async fn touch_session(&self, key: Sum, at: Timestamp) -> Result<()>;
    /// Says whether this call removed it.
    async fn remove_session(&self, key: Sum) -> Result<bool>;
    /// Keeps a code; those that ended before `created_at` go.
    async fn insert_code(&self, code: SignInCode) -> Result<()>;
    /// Takes a code away: of any number of callers exactly one gets it.
    async fn take_code(&self, key: Sum) -> Result<Option<SignInCode>>;
}
