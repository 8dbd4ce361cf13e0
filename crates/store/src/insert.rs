//! Writes many rows at once. It must not know what they mean.

use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait, DatabaseTransaction, DbErr, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    PrimaryKeyToColumn,
};

/// Rows a statement. 500 is where bulk inserts stop getting faster and, with at most 12 columns a row, far below the
/// 32,766 bound values SQLite allows. Only these sizes are used, so that the statement cache holds all of them.
const ROWS_A_STATEMENT: [usize; 4] = [500, 64, 8, 1];

/// What happens to a row whose key is there already.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clash {
    /// The statement fails.
    Fail,
    /// The old row stays.
    Keep,
    /// The new row takes its place.
    Replace,
    /// The new row takes its place, but these columns stay.
    ReplaceBut(&'static [&'static str]),
}

/// Inserts all rows. With [`Clash::Replace`] no key may be in `rows` twice (PostgreSQL refuses that).
pub(crate) async fn insert_all<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>, clash: Clash) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    E::Model: IntoActiveModel<E::ActiveModel> + Send,
{
    let mut left = rows.len();
    let mut rows = rows.into_iter();
    for size in ROWS_A_STATEMENT {
        while left >= size {
            let chunk: Vec<E::ActiveModel> = rows.by_ref().take(size).map(IntoActiveModel::into_active_model).collect();
            left -= size;
            let statement = E::insert_many(chunk);
            let statement = match on_conflict::<E>(clash) {
                Some(rule) => statement.on_conflict(rule),
                None => statement,
            };
            statement.exec_without_returning(tx).await?;
        }
    }
    Ok(())
}

fn on_conflict<E: EntityTrait>(clash: Clash) -> Option<OnConflict> {
    let key: Vec<E::Column> = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column).collect();
    let stays: &[&str] = match clash {
        Clash::Fail => return None,
        Clash::Keep => return Some(OnConflict::columns(key).do_nothing().to_owned()),
        Clash::Replace => &[],
        Clash::ReplaceBut(columns) => columns,
    };
    let changes: Vec<E::Column> = E::Column::iter()
        .filter(|column| !key.iter().any(|k| k.as_str() == column.as_str()) && !stays.contains(&column.as_str()))
        .collect();
    Some(OnConflict::columns(key).update_columns(changes).to_owned())
}

/// The last of the items with each key, in order of their keys: later ones replace earlier ones, and rows in order of
/// their keys touch the fewest index pages.
pub(crate) fn last_of_each<T, K: Ord>(mut items: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    items.sort_by_key(|item| key(item));
    let mut kept: Vec<T> = Vec::with_capacity(items.len());
    for item in items {
        match kept.last_mut() {
            Some(last) if key(last) == key(&item) => *last = item,
            _ => kept.push(item),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_keys_wins() {
        let items = vec![(2, 'a'), (1, 'b'), (2, 'c'), (1, 'd'), (3, 'e')];
        assert_eq!(last_of_each(items, |item| item.0), vec![(1, 'd'), (2, 'c'), (3, 'e')]);
    }
}
