//! Write transactions begin in one place: everything else would bring `SQLITE_BUSY_SNAPSHOT` back.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn only_write_tx_begins_a_transaction() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&source, &mut files);
    assert!(files.len() > 15, "found the sources");
    let mut begins = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if [".begin", ".transaction(", ".transaction_with", "BEGIN", "self.writer.execute", "writer: &Database"]
                .iter()
                .any(|word| code.contains(word))
            {
                let name = file.strip_prefix(&source).unwrap_or(&file).display().to_string();
                begins.push(format!("{name}:{}: {}", number + 1, code.trim()));
            }
        }
    }
    let expected = [
        "let tx = self.writer.begin_with_options(options).await?;",
        "self.writer.execute_unprepared(&format!(\"PRAGMA incremental_vacuum({pages_max})\")).await?;",
        "async fn bring_up_to_date(writer: &DatabaseConnection, part: Part) -> Result<()> {",
    ];
    assert_eq!(begins.len(), expected.len(), "{begins:#?}");
    for (found, expected) in begins.iter().zip(expected) {
        assert!(found.starts_with("db.rs:") && found.ends_with(expected), "{found}");
    }
}
