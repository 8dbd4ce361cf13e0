//! Changes to access tokens.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::node::parse_id;
use crate::graphql::token::{CreatedToken, Token};
use crate::graphql::vendor::label;
use crate::graphql::words::{DateTime, Role};
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct TokenMutations;

#[Object]
impl TokenMutations {
    /// Makes a token; its secret is in this answer only. For admins.
    async fn create_token(
        &self,
        ctx: &Context<'_>,
        name: String,
        role: Role,
        expires_at: Option<DateTime>,
    ) -> Result<CreatedToken, Fault> {
        let administrator = may::create_token(ctx)?;
        let name = label("name", &name)?;
        let (token, secret) = administrator.create_token(&name, role.into(), expires_at.map(|at| at.0)).await?;
        Ok(CreatedToken { token: Token(token), secret })
    }

    /// Revokes a token at once, also for open streams; false when there was no valid one. For admins.
    async fn revoke_token(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let administrator = may::revoke_token(ctx)?;
        administrator.revoke_token(parse_id(&id)?).await
    }
}
