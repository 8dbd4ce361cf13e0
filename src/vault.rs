//! The vault: secrets that must be known again lie in the store sealed with a key that does not.
//!
//! AES-256-GCM (NIST SP 800-38D) with a random nonce for each sealing, far below the 2^32 it allows for one key. The
//! purpose is authenticated along, so a sealed secret moved to another row does not open. The key is a file of the data
//! folder that only its owner reads; whoever has the database alone has no secret.

use std::io::Write as _;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::secret::{Secret, Vault};

/// Name of the key's file in the data folder.
const KEY_FILE: &str = "vault.key";
/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// What sealed texts begin with: names the method, for the day there is another.
const MARK: &str = "v1.";

/// A vault whose key is in a file.
pub struct FileVault {
    key: RandomizedNonceKey,
}

impl FileVault {
    /// Reads the key of this data folder, or makes one.
    ///
    /// # Errors
    /// When the file cannot be read or made, or holds no key.
    pub fn open(data_dir: &Path) -> Result<Self, Fault> {
        let path = data_dir.join(KEY_FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&path)?,
            Err(error) => return Err(unusable(&format!("cannot be read ({error})"))),
        };
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes)
            .map_err(|_| unusable(&format!("holds {} bytes instead of {KEY_BYTES}", bytes.len())))?;
        Ok(Self { key })
    }
}

impl Vault for FileVault {
    fn seal(&self, purpose: &str, secret: &Secret) -> Result<String, Fault> {
        let mut body = secret.expose().as_bytes().to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut body)
            .map_err(|_| Fault::new(FaultCode::Internal, "a secret cannot be sealed: no randomness"))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut body);
        Ok(format!("{MARK}{}", STANDARD_NO_PAD.encode(sealed)))
    }

    fn open(&self, purpose: &str, sealed: &str) -> Result<Secret, Fault> {
        let opened =
            sealed.strip_prefix(MARK).and_then(|text| STANDARD_NO_PAD.decode(text).ok()).and_then(|mut bytes| {
                let (nonce, body) = bytes.split_at_mut_checked(NONCE_LEN)?;
                let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
                let text = self.key.open_in_place(nonce, Aad::from(purpose.as_bytes()), body).ok()?;
                std::str::from_utf8(text).ok().map(Secret::new)
            });
        opened.ok_or_else(|| {
            let message = format!(
                "the stored secret of {purpose} does not open with this data folder's {KEY_FILE}; \
                 bring the file back from where the data came, or set the secret anew"
            );
            Fault::new(FaultCode::Configuration, message)
        })
    }
}

/// Makes the key and has it on disk before it is used; when another process was faster, its key is the one.
fn make_key(path: &Path) -> Result<Vec<u8>, Fault> {
    let mut key = vec![0_u8; KEY_BYTES];
    getrandom::fill(&mut key).map_err(|error| unusable(&format!("cannot be made: no randomness ({error})")))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let cannot = |error: std::io::Error| unusable(&format!("cannot be made ({error})"));
    let mut file = tempfile::Builder::new().prefix("vault").tempfile_in(folder).map_err(cannot)?;
    file.write_all(&key).map_err(cannot)?;
    file.as_file().sync_all().map_err(cannot)?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(key),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read(path).map_err(cannot),
        Err(error) => Err(cannot(error.error)),
    }
}

fn unusable(why: &str) -> Fault {
    Fault::new(FaultCode::Configuration, format!("the key file {KEY_FILE} of the data folder {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = FileVault::open(folder.path()).expect("opens");
        let again = FileVault::open(folder.path()).expect("opens");
        for text in ["", "whsec_abc", "größer ✓"] {
            let sealed = vault.seal("channel/a", &Secret::new(text)).expect("seals");
            assert!(text.is_empty() || !sealed.contains(text));
            assert_eq!(again.open("channel/a", &sealed).expect("opens").expose(), text);
            assert!(vault.open("channel/b", &sealed).is_err(), "another purpose");
            let mut bent = sealed.clone().into_bytes();
            let last = bent.len() - 1;
            bent[last] = if bent[last] == b'A' { b'Q' } else { b'A' };
            assert!(vault.open("channel/a", &String::from_utf8(bent).expect("text")).is_err(), "bent");
        }
        for wrong in ["", "v1.", "v1.AAAA", "v2.AAAA", "v1.%%%"] {
            assert!(vault.open("channel/a", wrong).is_err(), "{wrong}");
        }
        let other = tempfile::tempdir().expect("a folder");
        let stranger = FileVault::open(other.path()).expect("opens");
        let sealed = vault.seal("x", &Secret::new("s")).expect("seals");
        let fault = stranger.open("x", &sealed).expect_err("another key");
        assert!(fault.message.contains("vault.key"), "{fault}");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_the_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        FileVault::open(folder.path()).expect("opens");
        let mode = std::fs::metadata(folder.path().join(KEY_FILE)).expect("is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(folder.path().join(KEY_FILE), b"short").expect("writes");
        assert!(FileVault::open(folder.path()).is_err());
    }
}
