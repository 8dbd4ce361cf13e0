//! Access tokens as GraphQL shows them: never their secret, except once to the one who makes it.

use async_graphql::{ID, Object, SimpleObject};
use riskgraph_domain::access as model;

use super::words::{DateTime, Role};

/// An access token; its secret is kept nowhere.
pub(crate) struct Token(pub(crate) model::Token);

#[Object]
impl Token {
    async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    async fn role(&self) -> Role {
        self.0.role.into()
    }

    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// Null when it does not expire.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    async fn revoked_at(&self) -> Option<DateTime> {
        self.0.revoked_at.map(DateTime)
    }
}

/// A token just made, with its secret.
#[derive(SimpleObject)]
pub(crate) struct CreatedToken {
    pub(crate) token: Token,
    /// Shown once: keep it now.
    pub(crate) secret: String,
}
