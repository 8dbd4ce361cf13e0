//! The port of sessions: a code that works once, and sessions that end with their token.

use std::net::IpAddr;

use async_trait::async_trait;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::Gatekeeper as _;
use riskgraph_domain::secret::Secret;
use riskgraph_domain::session::{Credential, Sessions, SignedIn};

use super::World;

/// The code that signs in as the admin, once.
pub(crate) const CODE: &str = "code-of-admin";

fn over() -> Fault {
    Fault::new(FaultCode::Unauthenticated, "the session is over")
}

fn key_of(secret: &str) -> Sum {
    Sum::of(&[secret.as_bytes()])
}

#[async_trait]
impl Sessions for World {
    async fn sign_in(&self, credential: Credential, _: Option<IpAddr>) -> Result<SignedIn, Fault> {
        let viewer = match &credential {
            Credential::Token(token) => self.authenticate(token.expose()).await?,
            Credential::Code(code) => {
                let taken = code.expose() == CODE && !std::mem::replace(&mut self.tables.lock().code_taken, true);
                if !taken {
                    return Err(over());
                }
                self.authenticate(super::super::ADMIN).await?
            }
        };
        let mut tables = self.tables.lock();
        tables.n_sessions += 1;
        let secret = format!("{:064x}", tables.n_sessions);
        tables.sessions.insert(secret.clone(), viewer.clone());
        Ok(SignedIn { key: key_of(&secret), secret: Secret::new(secret), viewer, lasts_s: 43_200 })
    }

    async fn resume(&self, secret: &str) -> Result<(Sum, Viewer), Fault> {
        let tables = self.tables.lock();
        let viewer = tables.sessions.get(secret).ok_or_else(over)?;
        let lives = tables.viewers.values().any(|known| known.token == viewer.token);
        lives.then(|| (key_of(secret), viewer.clone())).ok_or_else(over)
    }

    async fn still_open(&self, key: Sum) -> bool {
        self.tables.lock().sessions.keys().any(|secret| key_of(secret) == key)
    }

    async fn sign_out(&self, key: Sum) -> Result<bool, Fault> {
        let mut tables = self.tables.lock();
        let n_before = tables.sessions.len();
        tables.sessions.retain(|secret, _| key_of(secret) != key);
        Ok(tables.sessions.len() < n_before)
    }
}
