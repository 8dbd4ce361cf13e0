//! Where a case runs: a folder of its own, or a schema of its own.

use riskgraph_store::{Store, StoreOptions};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tempfile::TempDir;

const POSTGRES: &str = "RISKGRAPH_TEST_POSTGRES";

pub(crate) struct Ground {
    pub(crate) options: StoreOptions,
    folder: Option<TempDir>,
    schema: Option<(String, DatabaseConnection)>,
}

impl Ground {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}/deep/rg.db", folder.path().display());
        Self { options: StoreOptions::new(url), folder: Some(folder), schema: None }
    }

    pub(crate) async fn postgres(case: &str) -> Option<Self> {
        let Ok(url) = std::env::var(POSTGRES) else {
            println!("skipped: {POSTGRES} is not set");
            return None;
        };
        let schema = format!("rg_{}_{case}", std::process::id());
        let admin = Database::connect(&url).await.expect("PostgreSQL answers");
        for sql in [format!("DROP SCHEMA IF EXISTS {schema} CASCADE"), format!("CREATE SCHEMA {schema}")] {
            admin.execute_unprepared(&sql).await.expect("may make schemas");
        }
        let join = if url.contains('?') { '&' } else { '?' };
        let options = StoreOptions::new(format!("{url}{join}options[search_path]={schema}"));
        Some(Self { options, folder: None, schema: Some((schema, admin)) })
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.options.clone()).await.expect("the store opens")
    }

    /// A connection beside the store's own, to the state.
    pub(crate) async fn connect(&self) -> DatabaseConnection {
        Database::connect(&self.options.url).await.expect("the database answers")
    }

    /// The same, to the audit log.
    pub(crate) async fn connect_audit(&self) -> DatabaseConnection {
        let url = self.options.url.replace("/rg.db", "/rg.audit.db");
        Database::connect(url).await.expect("the database answers")
    }

    pub(crate) async fn clear(self) {
        if let Some((schema, admin)) = &self.schema {
            admin.execute_unprepared(&format!("DROP SCHEMA {schema} CASCADE")).await.expect("may drop schemas");
        }
        drop(self.folder);
    }
}
