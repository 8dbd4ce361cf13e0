//! Signatures of reports: Ed25519 (RFC 8032) over a manifest that names every file by its SHA-256.
//!
//! A signature file holds the manifest as the exact text that was signed, the signature and the public key, so it can be
//! checked with nothing else. The key inside only says who claims to have signed: compare its id, or give the key you
//! trust. Signing has no chance in it: the same report has the same signature. It must *not* know where keys are kept.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use riskgraph_domain::Timestamp;
use riskgraph_domain::report::{ReportFile, ReportFormat, ReportKind};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Name and version of the manifest, and of the signature file.
const MANIFEST: &str = "riskgraph-report-manifest/1";
const SIGNATURE: &str = "riskgraph-report-signature/1";
/// What a public key in a file begins with, for people who find one.
const KEY_MARK: &str = "riskgraph-ed25519 ";
/// Bytes of a seed and of a public key.
pub const SEED_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
/// Hex digits of a key's id.
const KEY_ID_CHARS: usize = 16;

/// Why a signature says nothing good, in words for the one who checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("the signature file is none of ours: {0}")]
    Unreadable(&'static str),
    #[error("the signature does not belong to this manifest: the signature file was changed")]
    Signature,
    #[error("it was signed with the key {found}, and not with the key {wanted} you trust")]
    OtherKey { found: String, wanted: String },
    #[error(
        "the signature is of other files: nothing in it has the length and SHA-256 of this one, so the file was changed"
    )]
    OtherFile,
    #[error("the key is none: it must be 32 bytes in base64, as `riskgraph verify --key` prints it")]
    Key,
}

/// A key that signs.
pub struct Signer {
    pair: Ed25519KeyPair,
}

/// A key that checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    pub schema: String,
    pub report: String,
    pub kind: ReportKind,
    pub title: String,
    pub since: Timestamp,
    pub as_of: Timestamp,
    /// Id of the key.
    pub key: String,
    pub files: Vec<ReportFile>,
}

/// A signature file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignatureFile {
    pub schema: String,
    /// The exact text that was signed.
    pub manifest: String,
    pub signature: String,
    pub public_key: String,
}

/// What a valid signature says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid {
    pub manifest: Manifest,
    pub format: ReportFormat,
    pub key_id: String,
}

impl Signer {
    /// The key of this seed.
    ///
    /// # Errors
    /// [`Invalid::Key`] when the seed has another length than [`SEED_BYTES`].
    pub fn from_seed(seed: &[u8]) -> Result<Self, Invalid> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(|pair| Self { pair }).map_err(|_| Invalid::Key)
    }

    /// The key to check with.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; KEY_BYTES];
        // Ed25519 keys have 32 bytes; one that had not would check nothing.
        if let Some(known) = self.pair.public_key().as_ref().get(..KEY_BYTES) {
            bytes.copy_from_slice(known);
        }
        PublicKey(bytes)
    }

    /// The signature of a text, in base64.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        STANDARD.encode(self.pair.sign(text.as_bytes()).as_ref())
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.public_key().id())
    }
}

impl PublicKey {
    /// Reads what [`PublicKey::to_text`] wrote, with or without its mark.
    ///
    /// # Errors
    /// [`Invalid::Key`].
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let text = text.trim();
        let bytes = STANDARD.decode(text.strip_prefix(KEY_MARK.trim_end()).unwrap_or(text).trim());
        bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(Invalid::Key)
    }

    /// One line for a file.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{KEY_MARK}{}", STANDARD.encode(self.0))
    }

    /// The first digits of its SHA-256: what people compare.
    #[must_use]
    pub fn id(&self) -> String {
        sha256(&self.0).chars().take(KEY_ID_CHARS).collect()
    }

    /// Whether the signature is this key's over this text.
    #[must_use]
    pub fn checks(&self, text: &str, signature: &str) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        STANDARD.decode(signature).is_ok_and(|signature| key.verify(text.as_bytes(), &signature).is_ok())
    }
}

/// Lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The file as a manifest names it.
#[must_use]
pub fn file_of(format: ReportFormat, bytes: &[u8]) -> ReportFile {
    ReportFile { format, bytes: bytes.len() as u64, sha256: sha256(bytes) }
}

impl Manifest {
    /// The manifest of these files under this key.
    #[must_use]
    pub fn new(report: String, model: &crate::ReportModel, files: Vec<ReportFile>, key: &PublicKey) -> Self {
        Self {
            schema: MANIFEST.to_owned(),
            report,
            kind: model.kind,
            title: model.title.clone(),
            since: model.since,
            as_of: model.as_of,
            key: key.id(),
            files,
        }
    }

    /// The text that is signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        // Strings, numbers and lists of them always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The signature file of a manifest.
#[must_use]
pub fn signature_file(manifest: &str, signature: &str, key: &PublicKey) -> Vec<u8> {
    let file = SignatureFile {
        schema: SIGNATURE.to_owned(),
        manifest: manifest.to_owned(),
        signature: signature.to_owned(),
        public_key: STANDARD.encode(key.0),
    };
    let mut bytes = serde_json::to_vec_pretty(&file).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Checks one file of a report against a signature file; `trusted` is the key the caller knows, when it knows one.
///
/// # Errors
/// Why it is not valid.
pub fn verify(file: &[u8], signature: &[u8], trusted: Option<&PublicKey>) -> Result<Valid, Invalid> {
    let signature: SignatureFile =
        serde_json::from_slice(signature).map_err(|_| Invalid::Unreadable("it does not read as one"))?;
    if signature.schema != SIGNATURE {
        return Err(Invalid::Unreadable("its version is not known here"));
    }
    let key = PublicKey::parse(&signature.public_key)?;
    if let Some(trusted) = trusted
        && *trusted != key
    {
        return Err(Invalid::OtherKey { found: key.id(), wanted: trusted.id() });
    }
    if !key.checks(&signature.manifest, &signature.signature) {
        return Err(Invalid::Signature);
    }
    let manifest: Manifest =
        serde_json::from_str(&signature.manifest).map_err(|_| Invalid::Unreadable("its manifest does not read"))?;
    if manifest.schema != MANIFEST {
        return Err(Invalid::Unreadable("the manifest's version is not known here"));
    }
    let seen = (file.len() as u64, sha256(file));
    let format = manifest.files.iter().find(|named| (named.bytes, &named.sha256) == (seen.0, &seen.1));
    let format = format.map(|named| named.format).ok_or(Invalid::OtherFile)?;
    Ok(Valid { format, key_id: key.id(), manifest })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> (Vec<u8>, Vec<u8>, PublicKey) {
        let signer = Signer::from_seed(&[7; SEED_BYTES]).expect("a seed");
        let key = signer.public_key();
        let file = b"<!doctype html><p>one report</p>".to_vec();
        let manifest = Manifest {
            schema: MANIFEST.to_owned(),
            report: "rep_1".to_owned(),
            kind: ReportKind::Board,
            title: "One page".to_owned(),
            since: Timestamp(0),
            as_of: Timestamp(86_400_000),
            key: key.id(),
            files: vec![file_of(ReportFormat::Html, &file)],
        };
        let text = manifest.to_text();
        let signature = signature_file(&text, &signer.sign(&text), &key);
        (file, signature, key)
    }

    #[test]
    fn a_signed_file_is_valid_under_its_key_only() {
        let (file, signature, key) = signed();
        let valid = verify(&file, &signature, Some(&key)).expect("valid");
        assert_eq!((valid.format, valid.key_id.as_str()), (ReportFormat::Html, key.id().as_str()));
        assert_eq!(verify(&file, &signature, None).map(|valid| valid.key_id), Ok(key.id()));
        let other = Signer::from_seed(&[8; SEED_BYTES]).expect("a seed").public_key();
        assert!(matches!(verify(&file, &signature, Some(&other)), Err(Invalid::OtherKey { .. })));
        assert_eq!(PublicKey::parse(&key.to_text()), Ok(key));
        assert_eq!(PublicKey::parse("riskgraph-ed25519 AAAA"), Err(Invalid::Key));
    }

    #[test]
    fn every_changed_byte_is_found() {
        let (file, signature, key) = signed();
        for place in 0..file.len() {
            let mut changed = file.clone();
            changed[place] ^= 1;
            assert_eq!(verify(&changed, &signature, Some(&key)), Err(Invalid::OtherFile), "byte {place}");
        }
        let whole = verify(&file, &signature, Some(&key)).expect("valid");
        for place in 0..signature.len() {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            // White space of the file around the signed text may change; what it says may not.
            if let Ok(valid) = verify(&file, &changed, Some(&key)) {
                assert_eq!(valid, whole, "byte {place}");
            }
        }
        assert!(verify(&file[..file.len() - 1], &signature, Some(&key)).is_err());
        assert!(verify(&file, b"{}", Some(&key)).is_err());
    }

    /// RFC 8032, 7.1, test 2.
    #[test]
    fn signs_as_the_standard_does() {
        let bytes = |hex: &str| -> Vec<u8> {
            (0..hex.len() / 2).filter_map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).ok()).collect()
        };
        let seed = bytes("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let signer = Signer::from_seed(&seed).expect("a seed");
        assert_eq!(
            signer.public_key().0.to_vec(),
            bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        );
        let want = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(signer.sign("r"), STANDARD.encode(bytes(want)));
    }
}
