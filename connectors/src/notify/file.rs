//! Files of JSON lines in one folder: for collectors that tail, and for tests.

use std::io::Write as _;
use std::path::Path;

use riskgraph_domain::delivery::{Outgoing, Sent};

use super::shape::{Letter, Letterhead, body_for};

/// Characters of a file name.
const NAME_CHARS_MAX: usize = 100;
/// Bytes of a line: what a message may have at most in any shape.
const LINE_MAX_BYTES: usize = 1 << 20;

/// Checks a file name: one part, nothing hidden, nothing that leaves the folder.
pub(super) fn check(name: &str) -> Result<String, String> {
    let name = name.trim();
    let fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > NAME_CHARS_MAX || name.starts_with(['.', '-']) || !name.chars().all(fine) {
        return Err("a file name has letters, digits, '.', '-' and '_' only, such as alerts.jsonl".to_owned());
    }
    Ok(name.to_owned())
}

/// Appends the message as one line that is on disk when this returns.
pub(super) async fn append(folder: &Path, head: &Letterhead, outgoing: Outgoing) -> Sent {
    let failed = |error: String| Sent::Failed { status: None, error, slow_down: false, retry_after_ms: None };
    let name = match check(outgoing.target.expose()) {
        Ok(name) => name,
        Err(error) => return Sent::Refused { status: None, error },
    };
    let mut line = body_for(outgoing.channel.format, &Letter::of(&outgoing), head, LINE_MAX_BYTES);
    line.push(b'\n');
    let folder = folder.to_owned();
    let written = tokio::task::spawn_blocking(move || append_line(&folder, &name, &line)).await;
    match written {
        Ok(Ok(())) => Sent::Taken { status: 0 },
        // The kind tells enough; the text of the error could hold the path.
        Ok(Err(error)) => failed(format!("the file cannot be written ({})", error.kind())),
        Err(_) => failed("the file cannot be written".to_owned()),
    }
}

/// A line torn by a crash is ended first, so that it spoils no other.
fn append_line(folder: &Path, name: &str, line: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(name);
    if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
        return Err(std::io::Error::from(std::io::ErrorKind::InvalidInput));
    }
    let is_new = !path.exists();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).read(true).open(&path)?;
    if !ends_with_newline(&mut file)? {
        file.write_all(b"\n")?;
    }
    file.write_all(line)?;
    file.sync_data()?;
    if is_new { std::fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

fn ends_with_newline(file: &mut std::fs::File) -> std::io::Result<bool> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    let mut last = [0_u8];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken() {
        for good in ["alerts.jsonl", "a", "A-1_b.log"] {
            assert!(check(good).is_ok(), "{good}");
        }
        let long = "x".repeat(NAME_CHARS_MAX + 1);
        for bad in ["", " ", ".", "..", ".hidden", "a/b", "../a", "/etc/passwd", "a\\b", "a\0b", "-rf", "ä", &long] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_torn_line_spoils_no_other_and_links_are_not_followed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, b"{\"torn\":").expect("writes");
        append_line(folder.path(), "f", b"{\"a\":1}\n").expect("appends");
        append_line(folder.path(), "f", b"{\"b\":2}\n").expect("appends");
        assert_eq!(std::fs::read_to_string(&path).expect("reads"), "{\"torn\":\n{\"a\":1}\n{\"b\":2}\n");
        let outside = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(outside.path().join("x"), folder.path().join("link")).expect("links");
        assert!(append_line(folder.path(), "link", b"x\n").is_err());
        assert!(!outside.path().join("x").exists());
    }
}
