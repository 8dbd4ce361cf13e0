//! The installation's signing key: made at first use, kept sealed. It must *not* know what is signed.

use riskgraph_domain::Timestamp;
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::secret::{Secret, Vault};
use riskgraph_report::sign::{PublicKey, SEED_BYTES, Signer};
use serde_json::json;

/// Kind and id of the document.
const KIND: &str = "signing_key";
const ID: &str = "reports";
/// What the sealed seed is for.
const PURPOSE: &str = "signing_key/reports";

/// The key that signs reports; one is made when there is none.
///
/// # Errors
/// When the stored key does not open with this installation's vault, or the system gives no randomness.
pub async fn signer(documents: &dyn DocumentStore, vault: &dyn Vault, now: Timestamp) -> Result<Signer, Fault> {
    if let Some(document) = documents.get(KIND, ID).await? {
        return open(&document, vault);
    }
    let seed = hex(&crate::gatekeeper::random::<SEED_BYTES>()?);
    let signer = of_seed(&seed)?;
    let document = Document {
        kind: KIND.into(),
        id: ID.into(),
        version: 1,
        body: json!({
            "public": signer.public_key().to_text(),
            "sealed": vault.seal(PURPOSE, &Secret::new(seed))?,
        }),
        by: "reports".into(),
        at: now,
        note: None,
    };
    match documents.put(document).await {
        Ok(()) => Ok(signer),
        // Somebody else was faster: theirs is the key.
        Err(fault) if fault.code == FaultCode::Conflict => match documents.get(KIND, ID).await? {
            Some(document) => open(&document, vault),
            None => Err(fault),
        },
        Err(fault) => Err(fault),
    }
}

/// The public half of the key, when one was ever made.
///
/// # Errors
/// When the store cannot be read, or what it holds is no key.
pub async fn public_key(documents: &dyn DocumentStore) -> Result<Option<PublicKey>, Fault> {
    let Some(document) = documents.get(KIND, ID).await? else { return Ok(None) };
    let text = document.body.get("public").and_then(serde_json::Value::as_str).unwrap_or_default();
    PublicKey::parse(text).map(Some).map_err(|_| damaged())
}

fn open(document: &Document, vault: &dyn Vault) -> Result<Signer, Fault> {
    let sealed = document.body.get("sealed").and_then(serde_json::Value::as_str).ok_or_else(damaged)?;
    of_seed(vault.open(PURPOSE, sealed)?.expose())
}

fn of_seed(hex: &str) -> Result<Signer, Fault> {
    let digit = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let seed: Option<Vec<u8>> = hex.as_bytes().chunks(2).map(digit).collect();
    seed.and_then(|seed| Signer::from_seed(&seed).ok()).ok_or_else(damaged)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn damaged() -> Fault {
    Fault::new(FaultCode::Configuration, "the stored signing key of reports is damaged; restore it from a backup")
}
