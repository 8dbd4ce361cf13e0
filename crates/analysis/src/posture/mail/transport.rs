//! Mail arrives encrypted: MTA-STS (RFC 8461) and TLS reporting (RFC 8460).

use riskgraph_domain::observation::ProbeFailure;
use serde_json::json;

use super::{Role, exchangers, role, texts};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut, describe, unknown};
use crate::posture::names::bare;

/// Lines of a policy that are read, at most.
const LINES_MAX: usize = 1_000;
/// RFC 8461 3.2: the longest allowed age.
const MAX_AGE_MAX_S: u64 = 31_557_600;

/// What a policy asks senders to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::posture) enum Mode {
    Enforce,
    Testing,
    None,
}

impl Mode {
    pub(in crate::posture) const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Testing => "testing",
            Self::None => "none",
        }
    }
}

/// A valid policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::posture) struct StsPolicy {
    pub(in crate::posture) mode: Mode,
    pub(in crate::posture) max_age_s: u64,
    pub(in crate::posture) mx: Vec<String>,
}

/// Why a record or policy is broken, in checkdmarc's words where it has some.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::posture) enum StsError {
    #[error("{0} records where one is allowed")]
    Several(usize),
    #[error("Line {0}: Not a key: value pair.")]
    NotAPair(usize),
    #[error("Line {line}: Duplicate key: {key}")]
    Duplicate { line: usize, key: String },
    #[error("Line {line}: Invalid version: {value}")]
    Version { line: usize, value: String },
    #[error("Line {line}: Invalid mode: {value}")]
    Mode { line: usize, value: String },
    #[error("max_age must be an integer value between 0 and 31557600.")]
    MaxAge,
    #[error("Missing required key: {0}")]
    Missing(&'static str),
    #[error("{0} mode requires at least one mx value.")]
    NoMx(&'static str),
    #[error("Line {line}: Invalid mx value: {value}")]
    Mx { line: usize, value: String },
    #[error("'{0}' is not a tag of the record")]
    Tag(String),
    #[error("Duplicate {0} tags are not permitted")]
    DuplicateTag(String),
    #[error("the id is not 1 to 32 letters and digits")]
    Id,
    #[error("{0}")]
    File(String),
    #[error("the MX host {0} is not in the policy")]
    Mismatch(String),
}

/// Reads a policy file.
pub(in crate::posture) fn parse_policy(text: &str) -> Result<StsPolicy, StsError> {
    let (mut version, mut mode, mut age, mut mx) = (None, None, None, Vec::new());
    let mut seen: Vec<String> = Vec::new();
    for (place, line) in text.split('\n').take(LINES_MAX).enumerate() {
        let (number, line) = (place + 1, line.trim_end_matches('\r').trim());
        if line.is_empty() {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { return Err(StsError::NotAPair(number)) };
        let (key, value) = (key.trim(), value.trim());
        let short = || value.chars().take(100).collect::<String>();
        if key != "mx" && seen.iter().any(|known| known == key) {
            return Err(StsError::Duplicate { line: number, key: key.chars().take(40).collect() });
        }
        seen.push(key.to_owned());
        match key {
            "version" if value == "STSv1" => version = Some(()),
            "version" => return Err(StsError::Version { line: number, value: short() }),
            "mode" => {
                let known = [Mode::Enforce, Mode::Testing, Mode::None].into_iter().find(|mode| mode.as_str() == value);
                mode = Some(known.ok_or_else(|| StsError::Mode { line: number, value: short() })?);
            }
            "max_age" => {
                let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
                let seconds = value.parse::<u64>().ok().filter(|&s| digits && s <= MAX_AGE_MAX_S);
                age = Some(seconds.ok_or(StsError::MaxAge)?);
            }
            "mx" if is_pattern(value) => mx.push(value.to_ascii_lowercase()),
            "mx" => return Err(StsError::Mx { line: number, value: short() }),
            _ => {}
        }
    }
    version.ok_or(StsError::Missing("version"))?;
    let mode = mode.ok_or(StsError::Missing("mode"))?;
    if mx.is_empty() && mode != Mode::None {
        return Err(StsError::NoMx(mode.as_str()));
    }
    let max_age_s = age.ok_or(StsError::Missing("max_age"))?;
    Ok(StsPolicy { mode, max_age_s, mx })
}

/// A host name, or `*.` and a host name; a wildcard anywhere else is no pattern (RFC 8461 4.1).
fn is_pattern(value: &str) -> bool {
    let host = value.strip_prefix("*.").unwrap_or(value).trim_end_matches('.');
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// Whether a host matches a pattern; a wildcard stands for exactly one label.
pub(in crate::posture) fn matches(host: &str, pattern: &str) -> bool {
    let (host, pattern) = (bare(host), bare(pattern));
    match pattern.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, parent)| parent == rest),
        None => host == pattern,
    }
}

/// Reads the `_mta-sts` record: `v=STSv1; id=...;`.
pub(in crate::posture) fn parse_record(text: &str) -> Result<String, StsError> {
    let mut tags: Vec<(&str, &str)> = Vec::new();
    for item in text.split(';').map(str::trim).filter(|item| !item.is_empty()).take(64) {
        let (name, value) = item.split_once('=').ok_or_else(|| StsError::Tag(item.chars().take(40).collect()))?;
        if tags.iter().any(|(known, _)| *known == name.trim()) {
            return Err(StsError::DuplicateTag(name.trim().chars().take(40).collect()));
        }
        tags.push((name.trim(), value.trim()));
    }
    let id = tags.iter().find(|(name, _)| *name == "id").map_or("", |(_, value)| value);
    let valid = (1..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if valid { Ok(id.to_owned()) } else { Err(StsError::Id) }
}

/// The one record at a name that begins with this version.
fn record(case: &Case<'_>, name: &str, version: &str) -> Result<Option<Result<String, StsError>>, Skip> {
    let texts = texts(case, name)?;
    let is_version = |text: &&String| text.split(';').next().is_some_and(|v| v.trim().replace(' ', "") == version);
    let found: Vec<&String> = texts.iter().filter(is_version).collect();
    Ok(match found.as_slice() {
        [] => None,
        [one] => Some(Ok((*one).clone())),
        several => Some(Err(StsError::Several(several.len()))),
    })
}

/// The id and policy of MTA-STS, or what is wrong with them.
pub(in crate::posture) type Sts = Result<(String, StsPolicy), StsError>;

/// What MTA-STS of the domain is: `None` without a record.
pub(in crate::posture) fn sts(case: &Case<'_>) -> Result<Option<Sts>, Skip> {
    let Some(text) = record(case, &format!("_mta-sts.{}", case.domain()), "v=STSv1")? else { return Ok(None) };
    let id = match text.and_then(|text| parse_record(&text)) {
        Ok(id) => id,
        Err(error) => return Ok(Some(Err(error))),
    };
    let place = format!("https://mta-sts.{}/.well-known/mta-sts.txt", case.domain());
    let Some(file) = case.seen.files.iter().find(|file| file.url == place) else {
        return unknown("the MTA-STS policy was not fetched");
    };
    if file.failure == Some(ProbeFailure::Unresolved) {
        return Ok(Some(Err(StsError::File("the policy host does not resolve".to_owned()))));
    }
    if let Some(failure) = &file.failure {
        return unknown(format!("MTA-STS policy: {}", describe(failure)));
    }
    let Some(hop) = file.last() else { return unknown("the MTA-STS policy gave no answer") };
    if matches!(hop.status, 403 | 429 | 500..=599) {
        return unknown(format!("the MTA-STS policy answered with status {}", hop.status));
    }
    // RFC 8461 3.3: redirects must not be followed.
    if hop.status != 200 || file.hops.len() > 1 {
        let status = file.hops.first().map_or(hop.status, |first| first.status);
        return Ok(Some(Err(StsError::File(format!("the policy file answered with status {status}")))));
    }
    let Some(text) = file.body.as_ref().and_then(|body| body.text.as_deref()) else {
        return unknown("the text of the MTA-STS policy was not kept");
    };
    let policy = match parse_policy(text) {
        Ok(policy) => policy,
        Err(error) => return Ok(Some(Err(error))),
    };
    let missing = |host: &&str| policy.mode != Mode::None && !policy.mx.iter().any(|pattern| matches(host, pattern));
    let exchangers = exchangers(case)?;
    match exchangers.iter().map(|mx| mx.host.as_str()).find(missing) {
        Some(host) => Ok(Some(Err(StsError::Mismatch(cut(host))))),
        None => Ok(Some(Ok((id, policy)))),
    }
}

fn receives(case: &Case<'_>) -> Result<(), Skip> {
    if role(case)? == Role::Receives { Ok(()) } else { Err(Skip::NotApplicable) }
}

/// MAIL-16: senders can know that the mail servers speak TLS, and which they are.
pub(in crate::posture) fn mta_sts(case: &Case<'_>) -> Judged {
    receives(case)?;
    Ok(match sts(case)? {
        None => Verdict::warn(json!({ "state": "absent" })),
        Some(Err(error)) => Verdict::fail(json!({ "state": "broken", "error": cut(&error.to_string()) })),
        Some(Ok((_, policy))) => {
            let evidence = json!({ "mode": policy.mode.as_str(), "mx": policy.mx.iter().take(10).collect::<Vec<_>>() });
            if policy.mode == Mode::None { Verdict::warn(evidence) } else { Verdict::pass(evidence) }
        }
    })
}

/// MAIL-17: the policy is enforced, for long enough.
pub(in crate::posture) fn mta_sts_strength(case: &Case<'_>) -> Judged {
    receives(case)?;
    let Some(Ok((_, policy))) = sts(case)? else { return Err(Skip::NotApplicable) };
    let evidence = json!({ "mode": policy.mode.as_str(), "max_age_s": policy.max_age_s });
    let strong = policy.mode == Mode::Enforce && policy.max_age_s >= case.config.mail.mta_sts_max_age_min_s;
    Ok(if strong { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// What TLS reporting of the domain is: the report URIs, or what is wrong.
pub(in crate::posture) fn reporting(case: &Case<'_>) -> Result<Option<Result<Vec<String>, String>>, Skip> {
    let text = match record(case, &format!("_smtp._tls.{}", case.domain()), "v=TLSRPTv1")? {
        None => return Ok(None),
        Some(Err(error)) => return Ok(Some(Err(error.to_string()))),
        Some(Ok(text)) => text,
    };
    let rua = text.split(';').find_map(|item| item.trim().strip_prefix("rua=").map(str::trim));
    let uris: Vec<String> = rua.unwrap_or("").split(',').map(|uri| uri.trim().to_owned()).collect();
    let valid = |uri: &String| {
        let lower = uri.to_ascii_lowercase();
        lower.strip_prefix("mailto:").is_some_and(|address| address.contains('@')) || lower.starts_with("https://")
    };
    Ok(Some(if uris.iter().all(valid) { Ok(uris) } else { Err("rua is no list of mailto: or https: URIs".to_owned()) }))
}

/// MAIL-18: senders can report failed encryption.
pub(in crate::posture) fn tls_reports(case: &Case<'_>) -> Judged {
    receives(case)?;
    Ok(match reporting(case)? {
        Some(Ok(uris)) => Verdict::pass(json!({ "rua": uris.iter().take(10).map(|uri| cut(uri)).collect::<Vec<_>>() })),
        Some(Err(error)) => Verdict::warn(json!({ "state": "broken", "error": error })),
        None => Verdict::warn(json!({ "state": "absent" })),
    })
}
