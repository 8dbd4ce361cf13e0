//! Access tokens. It must not know secrets: only their hashes come here.
//!
//! A token is no function of the journal, so what makes or ends one is on disk before the call returns: a revoked
//! token must not live again after a power loss.

use async_trait::async_trait;
use riskgraph_domain::access::Token;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::TokenId;
use riskgraph_domain::ports::TokenStore;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::token;
use crate::state::{SqlState, convert};

type Result<T> = std::result::Result<T, StoreError>;

/// Tokens listed, newest first; more than people can look through.
const LIST_MAX: u64 = 1_000;

#[async_trait]
impl TokenStore for SqlState {
    async fn insert(&self, token: Token) -> std::result::Result<(), Fault> {
        Ok(self.insert_token(&token).await?)
    }

    async fn get(&self, id: TokenId) -> std::result::Result<Option<Token>, Fault> {
        Ok(self.token(id).await?)
    }

    async fn list(&self) -> std::result::Result<Vec<Token>, Fault> {
        Ok(self.all_tokens().await?)
    }

    /// The last use never goes back. It may be lost in a power loss.
    async fn touch(&self, id: TokenId, at: Timestamp) -> std::result::Result<(), Fault> {
        Ok(self.touch_token(id, at).await?)
    }

    /// Says whether this call ended it: `false` when it is unknown or was revoked before.
    async fn revoke(&self, id: TokenId, at: Timestamp) -> std::result::Result<bool, Fault> {
        Ok(self.revoke_token(id, at).await?)
    }
}

impl SqlState {
    async fn insert_token(&self, token: &Token) -> Result<()> {
        let row = convert::token_row(token)?;
        let tx = self.db.write_tx().await?;
        insert_all::<token::Entity>(&tx, vec![row], Clash::Fail).await?;
        tx.commit().await?;
        self.db.sync().await
    }

    async fn token(&self, id: TokenId) -> Result<Option<Token>> {
        let row = token::Entity::find_by_id(id.to_bytes().to_vec()).one(self.db.reader()).await?;
        row.as_ref().map(convert::token).transpose()
    }

    async fn all_tokens(&self) -> Result<Vec<Token>> {
        let found = token::Entity::find()
            .order_by_desc(token::Column::CreatedAt)
            .order_by_asc(token::Column::Id)
            .limit(LIST_MAX)
            .all(self.db.reader())
            .await?;
        found.iter().map(convert::token).collect()
    }

    async fn touch_token(&self, id: TokenId, at: Timestamp) -> Result<()> {
        let tx = self.db.write_tx().await?;
        let older = token::Column::LastUsedAt.is_null().or(token::Column::LastUsedAt.lt(at.millis()));
        token::Entity::update_many()
            .col_expr(token::Column::LastUsedAt, Expr::val(at.millis()))
            .filter(token::Column::Id.eq(id.to_bytes().to_vec()))
            .filter(older)
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn revoke_token(&self, id: TokenId, at: Timestamp) -> Result<bool> {
        let tx = self.db.write_tx().await?;
        let done = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, Expr::val(at.millis()))
            .filter(token::Column::Id.eq(id.to_bytes().to_vec()))
            .filter(token::Column::RevokedAt.is_null())
            .exec(&tx)
            .await?;
        tx.commit().await?;
        // Also when it was revoked before: that write may not be on disk yet.
        self.db.sync().await?;
        Ok(done.rows_affected > 0)
    }
}
