//! Writes many narrow rows into PostgreSQL, one array a column. It must not know what the rows mean.
//!
//! `VALUES` with a bound value for each field makes the server look at thousands of parameters a statement; that was
//! half of what a row cost. Arrays are bound as their texts, which the server reads by itself: bytes twice as long that
//! way, so this is for ids, numbers and short texts, not for bodies.

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IdenStatic, IntoActiveModel, Iterable,
    PrimaryKeyToColumn, Statement, Value,
};

/// Rows a statement: some 600 KB of arrays for the graph's rows.
const ROWS_A_STATEMENT: usize = 4_096;

/// Inserts all rows; a new row takes the place of the one with its key. No key may be in `rows` twice.
pub(crate) async fn replace_all<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<(), DbErr>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    E::Model: IntoActiveModel<E::ActiveModel> + Send,
{
    let columns: Vec<E::Column> = E::Column::iter().collect();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let mut arrays: Vec<Array> = columns.iter().map(|_| Array::default()).collect();
        for row in rows.by_ref().take(ROWS_A_STATEMENT) {
            let row = row.into_active_model();
            for (array, column) in arrays.iter_mut().zip(&columns) {
                array.push(row.get(*column).into_value())?;
            }
        }
        let sql = statement::<E>(&columns, &arrays);
        let values = arrays.into_iter().map(|array| Value::from(array.close()));
        tx.execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values)).await?;
    }
    Ok(())
}

fn statement<E: EntityTrait>(columns: &[E::Column], arrays: &[Array]) -> String {
    let key: Vec<&str> = E::PrimaryKey::iter().map(|key| key.into_column().as_str()).collect();
    let names: Vec<&str> = columns.iter().map(|column| column.as_str()).collect();
    let given: Vec<String> = arrays.iter().zip(1..).map(|(array, n)| format!("${n}::text::{}[]", array.of)).collect();
    let changes: Vec<String> = names
        .iter()
        .filter(|name| !key.contains(name))
        .map(|name| format!("\"{name}\" = EXCLUDED.\"{name}\""))
        .collect();
    format!(
        "INSERT INTO \"{}\" ({}) SELECT * FROM unnest({}) ON CONFLICT ({}) DO UPDATE SET {}",
        E::default().table_name(),
        quoted(&names),
        given.join(", "),
        quoted(&key),
        changes.join(", "),
    )
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ")
}

/// The text of an array, as PostgreSQL reads it.
#[derive(Debug, Default)]
struct Array {
    /// Type of the elements.
    of: &'static str,
    text: String,
}

impl Array {
    fn push(&mut self, value: Option<Value>) -> Result<(), DbErr> {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        match value {
            Some(Value::BigInt(value)) => self.plain("bigint", value),
            Some(Value::SmallInt(value)) => self.plain("smallint", value),
            Some(Value::Double(value)) => self.plain("double precision", value),
            Some(Value::Bytes(value)) => self.bytes(value),
            Some(Value::String(value)) => self.quote(value),
            _ => return Err(DbErr::Type("no array is made of such a column".to_owned())),
        }
        Ok(())
    }

    fn plain<T: ToString>(&mut self, of: &'static str, value: Option<T>) {
        self.of = of;
        match value {
            Some(value) => self.text.push_str(&value.to_string()),
            None => self.text.push_str("NULL"),
        }
    }

    fn bytes(&mut self, value: Option<Vec<u8>>) {
        self.of = "bytea";
        let Some(bytes) = value else { return self.text.push_str("NULL") };
        self.text.push_str("\\\\x");
        for byte in bytes {
            self.text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            self.text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
    }

    fn quote(&mut self, value: Option<String>) {
        self.of = "text";
        let Some(text) = value else { return self.text.push_str("NULL") };
        self.text.push('"');
        for c in text.chars() {
            if matches!(c, '"' | '\\') {
                self.text.push('\\');
            }
            self.text.push(c);
        }
        self.text.push('"');
    }

    fn close(self) -> String {
        self.text + "}"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_written_as_the_server_reads_them() {
        let check = |values: Vec<Value>, of: &str, text: &str| {
            let mut array = Array::default();
            for value in values {
                assert_eq!(array.push(Some(value)), Ok(()), "{text}");
            }
            assert_eq!((array.of, array.close().as_str()), (of, text));
        };
        check(vec![Value::from(vec![0_u8, 0xa5]), Value::from(Vec::<u8>::new())], "bytea", r"{\\x00a5,\\x}");
        check(vec![Value::from(-1_i64), Value::BigInt(None)], "bigint", "{-1,NULL}");
        check(vec![Value::from(0.1_f64 + 0.2)], "double precision", "{0.30000000000000004}");
        check(
            vec![Value::from("plain"), Value::from(""), Value::from("NULL"), Value::from(r#"a"{\},"#)],
            "text",
            r#"{"plain","","NULL","a\"{\\},"}"#,
        );
    }

    #[test]
    fn other_columns_are_refused() {
        for value in [Some(Value::from(true)), None] {
            assert!(Array::default().push(value).is_err());
        }
    }
}
