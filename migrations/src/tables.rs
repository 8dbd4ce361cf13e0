//! Shorthand for tables that are the same on both engines. It must not know any particular table.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds {
    /// 16 bytes of an id, or a compressed body.
    Bytes,
    /// Short text, or a JSON body.
    Text,
    /// Milliseconds, positions, counts.
    Big,
    /// Ranks of severities, grades, tiers.
    Small,
    Double,
}

impl Holds {
    fn define(self, name: &'static str) -> ColumnDef {
        let mut column = ColumnDef::new(name);
        match self {
            Self::Bytes => column.blob(),
            Self::Text => column.text(),
            Self::Big => column.big_integer(),
            Self::Small => column.small_integer(),
            Self::Double => column.double(),
        };
        column
    }
}

/// How SQLite keeps the rows; PostgreSQL has one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// In order of arrival, with the key as an index beside: random ids of many rows then dirty few pages.
    Heap,
    /// In order of the key (`WITHOUT ROWID`): for link tables, whose rows are nothing but key.
    Clustered,
}

/// A table under construction.
#[derive(Debug)]
pub(crate) struct NewTable {
    pub(crate) name: &'static str,
    pub(crate) key: &'static [&'static str],
    pub(crate) required: &'static [(&'static str, Holds)],
    pub(crate) optional: &'static [(&'static str, Holds)],
    pub(crate) layout: Layout,
}

impl NewTable {
    /// Creates it.
    pub(crate) async fn create(self, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
        let mut table = Table::create();
        table.table(self.name);
        for (name, holds) in self.required {
            table.col(holds.define(name).not_null());
        }
        for (name, holds) in self.optional {
            table.col(holds.define(name).null());
        }
        let mut key = Index::create();
        for &column in self.key {
            key.col(column);
        }
        table.primary_key(&mut key);
        if self.layout == Layout::Clustered && manager.get_database_backend() == DbBackend::Sqlite {
            table.extra("WITHOUT ROWID");
        }
        manager.create_table(table).await
    }
}

/// Creates an index named after its table and columns.
pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    let mut index = Index::create();
    index.name(format!("{table}_by_{}", columns.join("_"))).table(table);
    for &column in columns {
        index.col(column);
    }
    manager.create_index(index).await
}
