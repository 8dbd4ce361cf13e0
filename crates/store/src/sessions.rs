//! Sign-in sessions and one-time codes. It must not know secrets: only their sums come here.
//!
//! As tokens they are no function of the journal, so what begins or ends one is on disk before the call returns: a code
//! that was used must not work again after a power loss.

use async_trait::async_trait;
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::TokenId;
use riskgraph_domain::session::{Session, SessionStore, SignInCode};
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{session, sign_in_code};
use crate::state::SqlState;

type Result<T> = std::result::Result<T, StoreError>;

#[async_trait]
impl SessionStore for SqlState {
    async fn insert_session(&self, session: Session, max_of_token: usize) -> std::result::Result<(), Fault> {
        Ok(self.put_session(&session, max_of_token).await?)
    }

    async fn session(&self, key: Sum) -> std::result::Result<Option<Session>, Fault> {
        let row = session::Entity::find_by_id(bytes(key)).one(self.db.reader()).await.map_err(StoreError::Database)?;
        Ok(row.map(|row| read_session(&row)).transpose()?)
    }

    async fn touch_session(&self, key: Sum, at: Timestamp) -> std::result::Result<(), Fault> {
        Ok(self.touch_session_row(key, at).await?)
    }

    async fn remove_session(&self, key: Sum) -> std::result::Result<bool, Fault> {
        Ok(self.drop_session(key).await?)
    }

    async fn insert_code(&self, code: SignInCode) -> std::result::Result<(), Fault> {
        Ok(self.put_code(&code).await?)
    }

    async fn take_code(&self, key: Sum) -> std::result::Result<Option<SignInCode>, Fault> {
        Ok(self.take_code_row(key).await?)
    }
}

impl SqlState {
    async fn put_session(&self, given: &Session, max_of_token: usize) -> Result<()> {
        let row = session::Model {
            key: bytes(given.key),
            token_id: given.token.to_bytes().to_vec(),
            created_at: given.created_at.millis(),
            last_used_at: given.last_used_at.millis(),
            expires_at: given.expires_at.millis(),
        };
        let of_token = session::Column::TokenId.eq(row.token_id.clone());
        let tx = self.db.write_tx().await?;
        let ended = session::Column::ExpiresAt.lt(given.created_at.millis());
        session::Entity::delete_many().filter(ended).exec(&tx).await?;
        let surplus: Vec<Vec<u8>> = session::Entity::find()
            .select_only()
            .column(session::Column::Key)
            .filter(of_token)
            .order_by_desc(session::Column::CreatedAt)
            .order_by_asc(session::Column::Key)
            .offset(max_of_token.saturating_sub(1) as u64)
            .limit(max_of_token as u64)
            .into_tuple()
            .all(&tx)
            .await?;
        if !surplus.is_empty() {
            session::Entity::delete_many().filter(session::Column::Key.is_in(surplus)).exec(&tx).await?;
        }
        insert_all::<session::Entity>(&tx, vec![row], Clash::Fail).await?;
        tx.commit().await?;
        self.db.sync().await
    }

    async fn touch_session_row(&self, key: Sum, at: Timestamp) -> Result<()> {
        let tx = self.db.write_tx().await?;
        session::Entity::update_many()
            .col_expr(session::Column::LastUsedAt, Expr::val(at.millis()))
            .filter(session::Column::Key.eq(bytes(key)))
            .filter(session::Column::LastUsedAt.lt(at.millis()))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        Ok(())
    }

    async fn drop_session(&self, key: Sum) -> Result<bool> {
        let tx = self.db.write_tx().await?;
        let done = session::Entity::delete_by_id(bytes(key)).exec(&tx).await?;
        tx.commit().await?;
        self.db.sync().await?;
        Ok(done.rows_affected > 0)
    }

    async fn put_code(&self, given: &SignInCode) -> Result<()> {
        let row = sign_in_code::Model {
            key: bytes(given.key),
            token_id: given.token.to_bytes().to_vec(),
            created_at: given.created_at.millis(),
            expires_at: given.expires_at.millis(),
        };
        let tx = self.db.write_tx().await?;
        let ended = sign_in_code::Column::ExpiresAt.lt(given.created_at.millis());
        sign_in_code::Entity::delete_many().filter(ended).exec(&tx).await?;
        insert_all::<sign_in_code::Entity>(&tx, vec![row], Clash::Fail).await?;
        tx.commit().await?;
        self.db.sync().await
    }

    async fn take_code_row(&self, key: Sum) -> Result<Option<SignInCode>> {
        let tx = self.db.write_tx().await?;
        let Some(row) = sign_in_code::Entity::find_by_id(bytes(key)).one(&tx).await? else { return Ok(None) };
        sign_in_code::Entity::delete_by_id(bytes(key)).exec(&tx).await?;
        tx.commit().await?;
        self.db.sync().await?;
        Ok(Some(SignInCode {
            key,
            token: token_id(&row.token_id)?,
            created_at: Timestamp(row.created_at),
            expires_at: Timestamp(row.expires_at),
        }))
    }
}

fn bytes(key: Sum) -> Vec<u8> {
    key.0.to_vec()
}

fn read_session(row: &session::Model) -> Result<Session> {
    let key = row.key.as_slice().try_into().map_err(|_| StoreError::Corrupt { what: "session" })?;
    Ok(Session {
        key: Sum(key),
        token: token_id(&row.token_id)?,
        created_at: Timestamp(row.created_at),
        last_used_at: Timestamp(row.last_used_at),
        expires_at: Timestamp(row.expires_at),
    })
}

fn token_id(stored: &[u8]) -> Result<TokenId> {
    TokenId::from_bytes(stored).ok_or(StoreError::Corrupt { what: "session's token" })
}
