//! Sessions of browsers: begun with a token or a one-time code, ended by time, by signing out or with their token.

use std::net::IpAddr;

use async_trait::async_trait;
use riskgraph_domain::access::{Capability, Role, Viewer};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::Gatekeeper as _;
use riskgraph_domain::secret::Secret;
use riskgraph_domain::session::{Credential, Session, Sessions, SignInCode, SignedIn};
use riskgraph_domain::time::MINUTE_MS;
use riskgraph_domain::{Timestamp, TokenId};

use super::{Believed, Guard, SECRET_BYTES, hex, random, viewer_of};

/// Sessions of one token at the same time: browsers and private windows of a small team. The oldest end first.
const OF_TOKEN_MAX: usize = 64;
/// What a token made for a link is called.
const LINK_NAME: &str = "sign-in link";

/// How long sessions and codes live.
#[derive(Debug, Clone, Copy)]
pub struct SessionLimits {
    /// Without use a session ends after this.
    pub idle_ms: i64,
    /// However much it is used, it ends after this.
    pub absolute_ms: i64,
    /// A one-time code works for this long.
    pub code_ms: i64,
}

/// A one-time code and the token it signs in as.
pub struct Link {
    pub token: TokenId,
    pub code: Secret,
    pub expires_at: Timestamp,
}

impl Link {
    /// The link to open, for a service that is reached at `base`. The code stands behind `#`: browsers send that part to
    /// nobody, neither in the request nor as a referrer.
    #[must_use]
    pub fn url(&self, base: &str) -> String {
        format!("{base}/#code={}", self.code.expose())
    }
}

impl Guard {
    /// Makes a one-time code that signs in as this token.
    ///
    /// # Errors
    /// When there is no such token or the store cannot be written.
    pub async fn code_for(&self, token: TokenId) -> Result<Link, Fault> {
        let now = self.clock.now();
        self.live_token(token, now).await?.ok_or_else(|| Fault::not_found("token, or it is no longer valid"))?;
        let secret = hex(&random::<SECRET_BYTES>()?);
        let expires_at = now + self.limits.code_ms;
        let key = Sum::of(&[secret.as_bytes()]);
        self.sessions.insert_code(SignInCode { key, token, created_at: now, expires_at }).await?;
        Ok(Link { token, code: Secret::new(secret), expires_at })
    }

    /// Makes a one-time code with a token of its own, which ends with the longest session the code can begin.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn link(&self, role: Role) -> Result<Link, Fault> {
        let until = self.clock.now() + self.limits.code_ms + self.limits.absolute_ms;
        // Nobody is told the token's secret: the code is the only way in.
        let (token, _) = self.create(LINK_NAME, role, Some(until)).await?;
        self.code_for(token.id).await
    }

    async fn viewer_by(&self, credential: &Credential) -> Result<Viewer, Fault> {
        match credential {
            Credential::Token(bearer) => self.authenticate(bearer.expose()).await,
            Credential::Code(secret) => {
                let now = self.clock.now();
                let key = sum_of(secret.expose()).ok_or_else(spent)?;
                let code = self.sessions.take_code(key).await?.ok_or_else(spent)?;
                if code.expires_at <= now || code.created_at > now + MINUTE_MS {
                    return Err(spent());
                }
                let token = self.live_token(code.token, now).await?.ok_or_else(spent)?;
                Ok(viewer_of(token))
            }
        }
    }

    /// The session and its viewer from the store, when both session and token live.
    async fn session_of(&self, key: Sum, now: Timestamp) -> Result<Option<Believed>, Fault> {
        let Some(session) = self.sessions.session(key).await? else { return Ok(None) };
        let is_idle = now - session.last_used_at > self.limits.idle_ms;
        if is_idle || session.expires_at <= now {
            self.sessions.remove_session(key).await?;
            return Ok(None);
        }
        let Some(token) = self.live_token(session.token, now).await? else { return Ok(None) };
        let viewer = viewer_of(token);
        let ends = viewer.expires_at.map_or(session.expires_at, |at| at.min(session.expires_at));
        let viewer = Viewer { expires_at: Some(ends), ..viewer };
        Ok(Some(Believed { viewer, checked_at: now, touched_at: session.last_used_at }))
    }
}

#[async_trait]
impl Sessions for Guard {
    async fn sign_in(&self, credential: Credential, from: Option<IpAddr>) -> Result<SignedIn, Fault> {
        self.attempts.admit(from)?;
        let viewer = match self.viewer_by(&credential).await {
            Ok(viewer) => viewer,
            Err(fault) if fault.code == FaultCode::Unauthenticated => {
                let n_unseen = self.attempts.fail(from);
                if n_unseen > 0 {
                    tracing::warn!(n_unseen, "failed sign-ins were sent away");
                }
                return Err(fault);
            }
            Err(fault) => return Err(fault),
        };
        if !viewer.role.may(Capability::Read) {
            let message = format!("a token of the role {} only sends events; it cannot sign in", viewer.role.as_str());
            return Err(Fault::new(FaultCode::Forbidden, message));
        }
        let now = self.clock.now();
        let secret = hex(&random::<SECRET_BYTES>()?);
        let key = Sum::of(&[secret.as_bytes()]);
        let latest = now + self.limits.absolute_ms;
        let expires_at = viewer.expires_at.map_or(latest, |at| at.min(latest));
        let session = Session { key, token: viewer.token, created_at: now, last_used_at: now, expires_at };
        self.sessions.insert_session(session, OF_TOKEN_MAX).await?;
        let lasts_s = u64::try_from((expires_at - now) / 1_000).unwrap_or(0);
        let viewer = Viewer { expires_at: Some(expires_at), ..viewer };
        Ok(SignedIn { secret: Secret::new(secret), key, viewer, lasts_s })
    }

    async fn resume(&self, secret: &str) -> Result<(Sum, Viewer), Fault> {
        let now = self.clock.now();
        let key = sum_of(secret).ok_or_else(over)?;
        let believed = match self.known(key, now) {
            Some(believed) => believed,
            None => {
                let believed = self.session_of(key, now).await?.ok_or_else(over)?;
                self.believe(key, &believed);
                believed
            }
        };
        if self.is_touch_due(key, &believed, now) {
            self.sessions.touch_session(key, now).await?;
            self.store.touch(believed.viewer.token, now).await?;
        }
        Ok((key, believed.viewer))
    }

    async fn still_open(&self, key: Sum) -> bool {
        let now = self.clock.now();
        match self.session_of(key, now).await {
            Ok(Some(_)) => {
                if let Err(fault) = self.sessions.touch_session(key, now).await {
                    tracing::warn!(%fault, "a session's use could not be noted");
                }
                true
            }
            Ok(None) => false,
            // A store that does not answer is no reason to cut everybody off.
            Err(_) => true,
        }
    }

    async fn sign_out(&self, key: Sum) -> Result<bool, Fault> {
        let removed = self.sessions.remove_session(key).await?;
        self.believed.lock().remove(&key);
        Ok(removed)
    }
}

/// The sum of a secret that has the form of ours.
fn sum_of(secret: &str) -> Option<Sum> {
    let is_ours = secret.len() == 2 * SECRET_BYTES && secret.bytes().all(|b| b.is_ascii_hexdigit());
    is_ours.then(|| Sum::of(&[secret.as_bytes()]))
}

fn spent() -> Fault {
    let message = "the code is not valid: it works once and for a few minutes; `riskgraph token link` makes another";
    Fault::new(FaultCode::Unauthenticated, message)
}

fn over() -> Fault {
    Fault::new(FaultCode::Unauthenticated, "the session is over; sign in again")
}
