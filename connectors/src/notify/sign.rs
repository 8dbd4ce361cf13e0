//! Signatures of the Standard Webhooks specification 1.0: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use riskgraph_domain::secret::Secret;
use sha2::Sha256;

/// What a secret begins with.
const PREFIX: &str = "whsec_";

/// The secret in the form people get it, from random bytes (the specification wants 24 to 64).
#[must_use]
pub fn new_secret(random: &[u8; 32]) -> Secret {
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(random)))
}

/// The value of `webhook-signature`: one signature for each secret, separated by spaces; `None` when one is no secret.
#[must_use]
pub fn sign(secrets: &[Secret], id: &str, timestamp_s: i64, body: &[u8]) -> Option<String> {
    let head = format!("{id}.{timestamp_s}.");
    let signatures: Option<Vec<String>> = secrets
        .iter()
        .map(|secret| {
            let key = STANDARD.decode(secret.expose().strip_prefix(PREFIX)?).ok()?;
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
            mac.update(head.as_bytes());
            mac.update(body);
            Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
        })
        .collect();
    signatures.map(|all| all.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's own libraries.
    #[test]
    fn signs_as_the_specification_does() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        let want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign(std::slice::from_ref(&secret), id, 1_614_265_330, body).as_deref(), Some(want));
        let two = sign(&[new_secret(&[7; 32]), secret], id, 1_614_265_330, body).expect("signs");
        assert!(two.ends_with(&format!(" {want}")) && two.matches("v1,").count() == 2, "{two}");
        assert!(sign(&[Secret::new("nothing")], id, 0, body).is_none());
        assert_eq!(new_secret(&[0; 32]).expose().len(), PREFIX.len() + 44);
    }
}
