//! Versioned documents. It must not know what is in them.

use async_trait::async_trait;
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, Order};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big, from_json, to_json, unsigned};
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::document;
use crate::state::SqlState;

type Result<T> = std::result::Result<T, StoreError>;

/// Bytes of a body as text: many times the longest playbook.
const BODY_BYTES_MAX: usize = 256 << 10;
/// Bytes of an id.
const ID_BYTES_MAX: usize = 128;
/// Versions listed of one document.
const VERSIONS_MAX: u64 = 1_000;
/// Documents of one page.
const PAGE_MAX: usize = 1_000;
/// The row of the newest version.
const NEWEST: &str =
    "version = (SELECT MAX(n.version) FROM document n WHERE n.kind = document.kind AND n.id = document.id)";

#[async_trait]
impl DocumentStore for SqlState {
    async fn put(&self, document: Document) -> std::result::Result<(), Fault> {
        let row = row(&document)?;
        if document.id.len() > ID_BYTES_MAX || row.body.len() > BODY_BYTES_MAX {
            let message = format!(
                "{} '{}': an id has at most {ID_BYTES_MAX} bytes and a body {BODY_BYTES_MAX}; this body has {}",
                document.kind,
                document.id,
                row.body.len()
            );
            return Err(Fault::new(FaultCode::BadInput, message));
        }
        let newest = self.put_row(row).await?;
        if newest + 1 == document.version {
            return Ok(());
        }
        let message = format!(
            "{} '{}': version {newest} is the newest, so {} cannot be made; read it again and repeat the change",
            document.kind, document.id, document.version
        );
        Err(Fault::new(FaultCode::Conflict, message))
    }

    async fn get(&self, kind: &str, id: &str) -> std::result::Result<Option<Document>, Fault> {
        Ok(self.versions_of(kind, id, None, 1).await?.into_iter().next())
    }

    async fn version(&self, kind: &str, id: &str, version: u64) -> std::result::Result<Option<Document>, Fault> {
        Ok(self.versions_of(kind, id, Some(version), 1).await?.into_iter().next())
    }

    async fn versions(&self, kind: &str, id: &str) -> std::result::Result<Vec<Document>, Fault> {
        Ok(self.versions_of(kind, id, None, VERSIONS_MAX).await?)
    }

    async fn list(&self, kind: &str, after: Option<&str>, max: usize) -> std::result::Result<Vec<Document>, Fault> {
        Ok(self.newest_of(kind, after, max.min(PAGE_MAX)).await?)
    }

    async fn remove(&self, kind: &str, id: &str) -> std::result::Result<bool, Fault> {
        Ok(self.remove_rows(kind, id).await?)
    }
}

impl SqlState {
    /// Writes the version when it is next; gives the newest there was before.
    async fn put_row(&self, row: document::Model) -> Result<u64> {
        let tx = self.db.write_tx().await?;
        let newest = document::Entity::find()
            .filter(document::Column::Kind.eq(&row.kind))
            .filter(document::Column::Id.eq(&row.id))
            .order_by_desc(document::Column::Version)
            .one(&tx)
            .await?
            .map_or(0, |newest| newest.version);
        if newest + 1 == row.version {
            insert_all::<document::Entity>(&tx, vec![row], Clash::Fail).await?;
            tx.commit().await?;
            self.db.sync().await?;
        }
        unsigned(newest, "document")
    }

    async fn versions_of(&self, kind: &str, id: &str, version: Option<u64>, max: u64) -> Result<Vec<Document>> {
        let mut found = document::Entity::find()
            .filter(document::Column::Kind.eq(kind))
            .filter(document::Column::Id.eq(id))
            .order_by_desc(document::Column::Version)
            .limit(max);
        if let Some(version) = version {
            found = found.filter(document::Column::Version.eq(big(version)));
        }
        found.all(self.db.reader()).await?.iter().map(read).collect()
    }

    async fn newest_of(&self, kind: &str, after: Option<&str>, max: usize) -> Result<Vec<Document>> {
        let mut found = document::Entity::find()
            .filter(document::Column::Kind.eq(kind))
            .filter(Expr::cust(NEWEST))
            .order_by(document::Column::Id, Order::Asc)
            .limit(max as u64);
        if let Some(after) = after {
            found = found.filter(document::Column::Id.gt(after));
        }
        found.all(self.db.reader()).await?.iter().map(read).collect()
    }

    async fn remove_rows(&self, kind: &str, id: &str) -> Result<bool> {
        let tx = self.db.write_tx().await?;
        let gone = document::Entity::delete_many()
            .filter(document::Column::Kind.eq(kind))
            .filter(document::Column::Id.eq(id))
            .exec(&tx)
            .await?;
        tx.commit().await?;
        self.db.sync().await?;
        Ok(gone.rows_affected > 0)
    }
}

fn row(document: &Document) -> Result<document::Model> {
    Ok(document::Model {
        kind: document.kind.to_string(),
        id: document.id.to_string(),
        version: big(document.version),
        body: to_json(&document.body, "document")?,
        by: document.by.to_string(),
        at: document.at.millis(),
        note: document.note.clone(),
    })
}

fn read(row: &document::Model) -> Result<Document> {
    Ok(Document {
        kind: Text::from(row.kind.as_str()),
        id: Text::from(row.id.as_str()),
        version: unsigned(row.version, "document")?,
        body: from_json(&row.body, "document")?,
        by: Text::from(row.by.as_str()),
        at: Timestamp(row.at),
        note: row.note.clone(),
    })
}
