//! Heads of the audit log, noted in a file beside the database: who cuts the log's tail, or makes the log anew, lacks
//! them. The same heads go to the service's log, from where operators ship them to another machine.

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use riskgraph_domain::Timestamp;
use riskgraph_domain::audit::Head;
use riskgraph_domain::digest::Sum;
use serde::{Deserialize, Serialize};

/// Name of the file in the data folder.
const FILE: &str = "audit-heads.jsonl";
/// Lines that are read: one an hour for a century. Others are somebody else's.
const LINES_MAX: usize = 1_000_000;

/// The file of noted heads.
#[derive(Debug, Clone)]
pub struct Heads {
    file: PathBuf,
}

/// One line of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    pub at: Timestamp,
    pub sequence: u64,
    pub hash: Sum,
}

impl Heads {
    /// The file in this folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join(FILE) }
    }

    /// Appends a head and makes it durable.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn note(&self, head: Head, at: Timestamp) -> std::io::Result<()> {
        let noted = Noted { at, sequence: head.sequence, hash: head.hash };
        let mut line = serde_json::to_vec(&noted).map_err(std::io::Error::other)?;
        line.push(b'\n');
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(&self.file)?;
        // One write of one line: two services on the same folder do not mix theirs.
        file.write_all(&line)?;
        file.sync_data()
    }

    /// All noted heads, oldest first; lines that are none (a crash cuts the last one) are left out. Empty without a file.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn all(&self) -> std::io::Result<Vec<Noted>> {
        let file = match std::fs::File::open(&self.file) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut found = Vec::new();
        for line in std::io::BufReader::new(file).split(b'\n').take(LINES_MAX) {
            found.extend(serde_json::from_slice::<Noted>(&line?));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_read_back_and_torn_lines_left_out() {
        let dir = tempfile::tempdir().expect("a folder");
        let heads = Heads::in_folder(&dir.path().join("deep"));
        assert_eq!(heads.all().expect("no file yet"), []);
        let head = |n: u64| Head { sequence: n, hash: Sum::of(&[&n.to_be_bytes()]), at: Timestamp(5) };
        heads.note(head(1), Timestamp(9)).expect("writes");
        let torn = std::fs::OpenOptions::new().append(true).open(&heads.file).expect("opens").write_all(b"{\"at\":\n");
        torn.expect("writes");
        heads.note(head(2), Timestamp(10)).expect("writes");
        let found = heads.all().expect("reads");
        assert_eq!(found.iter().map(|noted| noted.sequence).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(found[1], Noted { at: Timestamp(10), sequence: 2, hash: head(2).hash });
    }
}
