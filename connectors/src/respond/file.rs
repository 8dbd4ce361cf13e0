//! Files that others read while we change them: read whole, replaced at once. It must *not* know what is in them.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use riskgraph_domain::error::Fault;

use super::fault::{conflict, file, upstream};

/// Largest file read, bytes: 50,000 lines of a deny list are 4 MiB; more belongs into a firewall's set.
const FILE_MAX_BYTES: u64 = 4 << 20;

/// The file's text; empty when there is none.
///
/// # Errors
/// When it is larger than any such file is, no UTF-8, or cannot be read.
pub(super) async fn read(path: &Path) -> Result<String, Fault> {
    let path = path.to_owned();
    blocking(move || read_now(&path)).await
}

/// Replaces the file if it still says `before`.
///
/// # Errors
/// When somebody else changed it since, or it cannot be written; both may be tried again.
pub(super) async fn replace(path: &Path, before: &str, after: String) -> Result<(), Fault> {
    let (path, before) = (path.to_owned(), before.to_owned());
    blocking(move || {
        if read_now(&path)? != before {
            return Err(upstream(format!("{} was changed by somebody else just now", name(&path))));
        }
        write_now(&path, after.as_bytes()).map_err(|error| file(&name(&path), &error))
    })
    .await
}

/// The file's name, for people.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// Runs work that may wait for the disk.
///
/// # Errors
/// Those of the work; `Upstream` when it ended without an answer.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(upstream("work on a file ended without an answer")))
}

pub(super) fn read_now(path: &Path) -> Result<String, Fault> {
    let opened = match std::fs::File::open(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(file(&name(path), &error)),
    };
    let mut text = String::new();
    opened.take(FILE_MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| file(&name(path), &error))?;
    if text.len() as u64 > FILE_MAX_BYTES {
        return Err(conflict(format!("{} is larger than {} MiB: it is left alone", name(path), FILE_MAX_BYTES >> 20)));
    }
    Ok(text)
}

/// Writes beside the file and renames over it, so that a reader sees the old or the new and a crash leaves one of them.
///
/// A symbolic link stays one: the file it points to is replaced. Rights and, where allowed, owner stay as they were.
pub(super) fn write_now(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside = beside(&path);
    let written = write_beside(&path, &beside, bytes).and_then(|()| std::fs::rename(&beside, &path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
        return written;
    }
    // The rename is durable only when the folder is.
    std::fs::File::open(folder)?.sync_all()
}

fn write_beside(path: &Path, beside: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut out = std::fs::File::create(beside)?;
    if let Ok(old) = std::fs::metadata(path) {
        out.set_permissions(old.permissions())?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;
            // Only root may give files away; whoever else writes here owns the file already.
            let _ = std::os::unix::fs::fchown(&out, Some(old.uid()), Some(old.gid()));
        }
    }
    out.write_all(bytes)?;
    out.sync_all()
}

/// A name in the same folder that an `include *.conf` does not match.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".riskgraph-new");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn replaces_at_once_and_only_what_was_read() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("deny.conf");
        assert_eq!(read(&path).await.expect("none yet"), "");
        replace(&path, "", "a\n".into()).await.expect("written");
        let fault = replace(&path, "", "b\n".into()).await.expect_err("somebody wrote");
        assert!(fault.code.retry(), "{fault}");
        assert_eq!(read(&path).await.expect("read"), "a\n");
        let names: Vec<_> =
            std::fs::read_dir(dir.path()).expect("list").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["deny.conf"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn keeps_links_and_rights() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().expect("dir");
        let (real, link) = (dir.path().join("real.conf"), dir.path().join("link.conf"));
        std::fs::write(&real, "x").expect("write");
        std::fs::set_permissions(&real, std::fs::Permissions::from_mode(0o640)).expect("rights");
        std::os::unix::fs::symlink(&real, &link).expect("link");
        replace(&link, "x", "y".into()).await.expect("written");
        assert_eq!(std::fs::read_to_string(&real).expect("read"), "y");
        assert!(std::fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(std::fs::metadata(&real).expect("there").permissions().mode() & 0o777, 0o640);
    }

    #[tokio::test]
    async fn leaves_what_is_no_list_alone() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("x");
        std::fs::write(&path, [0xff, 0xfe]).expect("write");
        assert!(read(&path).await.is_err());
        std::fs::write(&path, vec![b'a'; (FILE_MAX_BYTES + 1) as usize]).expect("write");
        assert!(read(&path).await.is_err());
    }
}
