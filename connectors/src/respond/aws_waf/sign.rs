//! AWS Signature Version 4, as far as a JSON API at one path needs it. Pure. It must *not* know what is asked.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>; checked against the
//! published test suite (`aws-sig-v4-test-suite`).

use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::secret::Secret;
use sha2::{Digest as _, Sha256};

use crate::respond::fault::configuration;
use crate::respond::mark::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Who signs, where.
pub(super) struct Signer<'a> {
    pub access_key: &'a str,
    pub secret: &'a Secret,
    pub region: &'a str,
    pub service: &'a str,
}

/// What is signed: headers with lower-case names, `host` and `x-amz-date` among them.
pub(super) struct Request<'a> {
    pub method: &'a str,
    /// Absolute and encoded.
    pub path: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

/// The instant as AWS writes it: `20150830T123600Z`.
pub(super) fn amz_date(now: Timestamp) -> String {
    DateTime::from_timestamp_millis(now.millis()).unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

impl Signer<'_> {
    /// The `Authorization` header for the request.
    ///
    /// # Errors
    /// `Configuration` when the secret cannot be a key.
    pub(super) fn authorization(&self, request: &Request<'_>, amz_date: &str) -> Result<String, Fault> {
        let mut headers: Vec<(&str, String)> = request
            .headers
            .iter()
            .map(|(name, value)| (*name, value.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect();
        headers.sort();
        let mut query: Vec<_> = request.query.to_vec();
        query.sort_unstable();
        let signed = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let canonical = [
            request.method.to_owned(),
            request.path.to_owned(),
            query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&"),
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<String>(),
            signed.clone(),
            hex(&Sha256::digest(request.body)),
        ]
        .join("\n");
        let day = amz_date.get(..8).unwrap_or(amz_date);
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
        let mut key = hmac(format!("AWS4{}", self.secret.expose()).as_bytes(), day)?;
        for part in [self.region, self.service, "aws4_request"] {
            key = hmac(&key, part)?;
        }
        let signature = hex(&hmac(&key, &to_sign)?);
        Ok(format!("{ALGORITHM} Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}", self.access_key))
    }
}

fn hmac(key: &[u8], text: &str) -> Result<Vec<u8>, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| configuration("the AWS secret cannot be a key"))?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_as_the_published_suite() {
        let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
        let signer = Signer { access_key: "AKIDEXAMPLE", secret: &secret, region: "us-east-1", service: "service" };
        let date = amz_date(Timestamp::parse_rfc3339("2015-08-30T12:36:00Z").expect("a date"));
        assert_eq!(date, "20150830T123600Z");
        let host = ("host", "example.amazonaws.com");
        let dated = ("x-amz-date", date.as_str());
        let form = ("content-type", "application/x-www-form-urlencoded");
        let check = |name: &str, request: Request<'_>, signed: &str, signature: &str| {
            let want = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={signed}, Signature={signature}"
            );
            assert_eq!(signer.authorization(&request, &date).expect("signs"), want, "{name}");
        };
        let (plain, with_form) = ([dated, host], [form, host, dated]);
        let base = |method, query, headers, body| Request { method, path: "/", query, headers, body };
        check(
            "get-vanilla",
            base("GET", &[], &plain, b""),
            "host;x-amz-date",
            "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
        );
        check(
            "post-vanilla",
            base("POST", &[], &plain, b""),
            "host;x-amz-date",
            "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
        );
        check(
            "get-vanilla-query-order-key-case",
            base("GET", &[("Param2", "value2"), ("Param1", "value1")], &plain, b""),
            "host;x-amz-date",
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        );
        check(
            "post-x-www-form-urlencoded",
            base("POST", &[], &with_form, b"Param1=value1"),
            "content-type;host;x-amz-date",
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        );
    }
}
