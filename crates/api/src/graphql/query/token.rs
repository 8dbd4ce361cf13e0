//! The queries for access tokens and for who asks.

use async_graphql::{Context, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::me::Me;
use crate::graphql::token::Token;
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct TokenQueries;

#[Object]
impl TokenQueries {
    /// All access tokens, also expired and revoked ones. For admins.
    async fn tokens(&self, ctx: &Context<'_>) -> Result<Vec<Token>, Fault> {
        let administrator = may::tokens(ctx)?;
        Ok(administrator.tokens().await?.into_iter().map(Token).collect())
    }

    /// Who asks, and what they may do.
    async fn me(&self, ctx: &Context<'_>) -> Result<Me, Fault> {
        may::me(ctx).map(|reader| Me::of(&reader))
    }
}
