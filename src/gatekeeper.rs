//! Tokens and sessions: made from the system's randomness, kept as hashes, checked on every request.

mod attempts;
mod sessions;

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use riskgraph_domain::access::{Role, Token, Viewer};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{Gatekeeper, TokenStore};
use riskgraph_domain::session::SessionStore;
use riskgraph_domain::time::{Clock, MINUTE_MS, SECOND_MS};
use riskgraph_domain::{Text, Timestamp, TokenId};
use subtle::ConstantTimeEq;

use attempts::Attempts;
pub use sessions::{Link, SessionLimits};

/// What every token begins with; `mask` knows it, so that none is ever kept in clear.
const PREFIX: &str = "rg_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// How long a checked token is believed without asking the store. A revocation here takes effect at once; one by
/// another process (`riskgraph token revoke`) after this long.
const BELIEVED_MS: i64 = 5 * SECOND_MS;
/// Tokens believed at the same time.
const BELIEVED_MAX: usize = 4_096;
/// `last_used_at` is exact to this.
const TOUCH_EVERY_MS: i64 = MINUTE_MS;

/// Checks and makes tokens and sessions.
pub struct Guard {
    store: Arc<dyn TokenStore>,
    sessions: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    limits: SessionLimits,
    attempts: Attempts,
    /// Sum of a bearer or a session's secret -> who it is and when that was checked.
    believed: Mutex<HashMap<Sum, Believed>>,
}

/// What a guard is made of.
pub struct GuardParts {
    pub tokens: Arc<dyn TokenStore>,
    pub sessions: Arc<dyn SessionStore>,
    pub clock: Arc<dyn Clock>,
    pub limits: SessionLimits,
}

#[derive(Clone)]
struct Believed {
    viewer: Viewer,
    checked_at: Timestamp,
    touched_at: Timestamp,
}

impl Guard {
    #[must_use]
    pub fn new(parts: GuardParts) -> Self {
        Self {
            store: parts.tokens,
            sessions: parts.sessions,
            clock: parts.clock,
            limits: parts.limits,
            attempts: Attempts::default(),
            believed: Mutex::new(HashMap::new()),
        }
    }

    /// Makes the admin token of a first start, when there is no token yet; the secret is shown once.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn first_token(&self) -> Result<Option<(Token, String)>, Fault> {
        if !self.store.list().await?.is_empty() {
            return Ok(None);
        }
        self.create("first start", Role::Admin, None).await.map(Some)
    }

    async fn check(&self, bearer: &str, key: Sum, now: Timestamp) -> Result<Believed, Fault> {
        let (id, secret) = parse(bearer).ok_or_else(refused)?;
        let token = self.live_token(id, now).await?.ok_or_else(refused)?;
        let matches = hash(secret).as_bytes().ct_eq(token.secret_hash.as_bytes());
        if !bool::from(matches) {
            return Err(refused());
        }
        let touched_at = token.last_used_at.unwrap_or(Timestamp(i64::MIN));
        let believed = Believed { viewer: viewer_of(token), checked_at: now, touched_at };
        self.believe(key, &believed);
        Ok(believed)
    }

    /// The token, unless it is unknown, revoked or over.
    async fn live_token(&self, id: TokenId, now: Timestamp) -> Result<Option<Token>, Fault> {
        let token = self.store.get(id).await?;
        Ok(token.filter(|token| token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > now)))
    }

    fn believe(&self, key: Sum, believed: &Believed) {
        let mut all = self.believed.lock();
        if all.len() >= BELIEVED_MAX {
            all.clear();
        }
        all.insert(key, believed.clone());
    }

    /// Who this is, when it was checked a moment ago.
    fn known(&self, key: Sum, now: Timestamp) -> Option<Believed> {
        let known = self.believed.lock().get(&key).cloned()?;
        // A clock that was set back makes nobody believed for longer.
        let is_fresh = (0..BELIEVED_MS).contains(&(now - known.checked_at));
        (is_fresh && known.viewer.expires_at.is_none_or(|at| at > now)).then_some(known)
    }

    /// Whether the last use has to be written again; it is noted as written.
    fn is_touch_due(&self, key: Sum, believed: &Believed, now: Timestamp) -> bool {
        let is_due = now - believed.touched_at > TOUCH_EVERY_MS;
        if is_due && let Some(known) = self.believed.lock().get_mut(&key) {
            known.touched_at = now;
        }
        is_due
    }
}

fn viewer_of(token: Token) -> Viewer {
    Viewer { token: token.id, name: token.name, role: token.role, expires_at: token.expires_at }
}

/// The id and secret of `rg_<id>_<secret>`.
fn parse(bearer: &str) -> Option<(TokenId, &str)> {
    let (id, secret) = bearer.strip_prefix(PREFIX)?.split_once('_')?;
    let id = format!("{}_{id}", TokenId::PREFIX).parse().ok()?;
    (secret.len() == 2 * SECRET_BYTES).then_some((id, secret))
}

/// Lower-case hex of the SHA-256.
fn hash(secret: &str) -> String {
    Sum::of(&[secret.as_bytes()]).to_string()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refused() -> Fault {
    Fault::new(
        FaultCode::Unauthenticated,
        "no valid token: send 'Authorization: Bearer rg_...' as the first start printed it",
    )
}

/// Fills from the system's randomness.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|_| Fault::new(FaultCode::Internal, "the system gives no randomness"))?;
    Ok(bytes)
}

#[async_trait]
impl Gatekeeper for Guard {
    async fn authenticate(&self, bearer: &str) -> Result<Viewer, Fault> {
        let now = self.clock.now();
        let key = Sum::of(&[bearer.as_bytes()]);
        let believed = match self.known(key, now) {
            Some(believed) => believed,
            None => self.check(bearer, key, now).await?,
        };
        if self.is_touch_due(key, &believed, now) {
            self.store.touch(believed.viewer.token, now).await?;
        }
        Ok(believed.viewer)
    }

    async fn still_valid(&self, viewer: &Viewer) -> bool {
        let now = self.clock.now();
        match self.store.get(viewer.token).await {
            Ok(Some(token)) => token.revoked_at.is_none() && token.expires_at.is_none_or(|at| at > now),
            Ok(None) => false,
            // A store that does not answer is no reason to cut everybody off.
            Err(_) => viewer.expires_at.is_none_or(|at| at > now),
        }
    }

    async fn create(&self, name: &str, role: Role, expires_at: Option<Timestamp>) -> Result<(Token, String), Fault> {
        let name = name.trim();
        if name.is_empty() || name.len() > 120 {
            return Err(Fault::new(FaultCode::BadInput, "a token's name has 1 to 120 bytes"));
        }
        let id = TokenId(u128::from_be_bytes(random()?));
        let secret = hex(&random::<SECRET_BYTES>()?);
        let token = Token {
            id,
            name: Text::from(name),
            role,
            secret_hash: hash(&secret),
            created_at: self.clock.now(),
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        self.store.insert(token.clone()).await?;
        let printed = id.to_string();
        let short = printed.trim_start_matches(TokenId::PREFIX).trim_start_matches('_');
        Ok((token, format!("{PREFIX}{short}_{secret}")))
    }

    async fn tokens(&self) -> Result<Vec<Token>, Fault> {
        self.store.list().await
    }

    async fn revoke(&self, id: TokenId) -> Result<bool, Fault> {
        let revoked = self.store.revoke(id, self.clock.now()).await?;
        self.believed.lock().retain(|_, believed| believed.viewer.token != id);
        Ok(revoked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_only_whole_tokens() {
        let id = TokenId(77).to_string();
        let short = id.trim_start_matches("tok_");
        let bearer = format!("rg_{short}_{}", "a".repeat(64));
        assert_eq!(parse(&bearer).map(|(id, _)| id), Some(TokenId(77)));
        for wrong in ["", "rg_", "rg_x_y", &bearer[..bearer.len() - 1], &bearer[1..]] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
        assert_ne!(riskgraph_analysis::mask::mask_text(&bearer), bearer, "a token is masked wherever it turns up");
    }
}
