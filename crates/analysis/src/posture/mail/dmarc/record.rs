//! The grammar of DMARC records (RFC 9989 4.7, 4.8). Knows no DNS.

/// Tags that are read, at most.
const TAGS_MAX: usize = 64;
/// Tags of RFC 7489 that RFC 9989 removed.
pub(crate) const REMOVED: &[&str] = &["pct", "rf", "ri"];

/// What the owner asks receivers to do with forgeries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Policy {
    None,
    Quarantine,
    Reject,
}

impl Policy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::None, Self::Quarantine, Self::Reject].into_iter().find(|p| p.as_str().eq_ignore_ascii_case(text))
    }

    /// One level lower, as `t=y` asks (RFC 9989 4.7).
    pub(crate) const fn lowered(self) -> Self {
        match self {
            Self::Reject => Self::Quarantine,
            _ => Self::None,
        }
    }
}

/// Whether a record says it stands at a public suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Psd {
    Yes,
    /// It is an organisational domain.
    No,
    Unsaid,
}

/// Why a record cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DmarcError {
    #[error("the record does not begin with v=DMARC1")]
    Version,
    #[error("'{0}' is not tag=value")]
    NotATag(String),
    #[error("Duplicate {0} tags are not permitted")]
    Duplicate(String),
    #[error("Tag {tag} must have one of the following values: {allowed} - not {value}")]
    Value { tag: &'static str, allowed: &'static str, value: String },
    #[error("{0} is not a valid option for the DMARC fo tag.")]
    FailureOption(String),
    #[error("{0} is not a valid DMARC report URI")]
    ReportUri(String),
    #[error("too many tags")]
    TooMany,
}

/// A record that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) text: String,
    /// Tags as written, names in lower case, in order.
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) p: Option<Policy>,
    pub(crate) sp: Option<Policy>,
    pub(crate) np: Option<Policy>,
    pub(crate) psd: Psd,
    pub(crate) testing: bool,
    pub(crate) rua: Vec<String>,
    pub(crate) ruf: Vec<String>,
}

impl Record {
    pub(crate) fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str())
    }

    /// Policy for the domain of the record; a missing `p` is `none`.
    pub(crate) fn policy(&self) -> Policy {
        self.p.unwrap_or(Policy::None)
    }

    /// Policy for existing subdomains.
    pub(crate) fn subdomain_policy(&self) -> Policy {
        self.sp.unwrap_or(self.policy())
    }

    /// Policy for subdomains that do not exist.
    pub(crate) fn nonexistent_policy(&self) -> Policy {
        self.np.unwrap_or(self.subdomain_policy())
    }

    pub(crate) fn removed(&self) -> Vec<&'static str> {
        REMOVED.iter().copied().filter(|tag| self.tag(tag).is_some()).collect()
    }
}

/// Whether a text claims to be a DMARC record: `v=DMARC1`, blanks allowed, then a semicolon or the end.
pub(crate) fn is_dmarc(text: &str) -> bool {
    let Some((name, rest)) = text.split_once('=') else { return false };
    let value = rest.split(';').next().unwrap_or("").trim_matches([' ', '\t']);
    !text.starts_with([' ', '\t']) && name.trim_end_matches([' ', '\t']).eq_ignore_ascii_case("v") && value == "DMARC1"
}

/// Reads a record; strict where RFC 9989 says what a value may be, forgiving of unknown tags as it demands.
///
/// # Errors
/// The first tag that breaks the grammar.
pub(crate) fn parse(text: &str) -> Result<Record, DmarcError> {
    if !is_dmarc(text) {
        return Err(DmarcError::Version);
    }
    let mut tags: Vec<(String, String)> = Vec::new();
    for item in text.split(';').map(|item| item.trim_matches([' ', '\t'])).filter(|item| !item.is_empty()) {
        let Some((name, value)) = item.split_once('=') else { return Err(DmarcError::NotATag(short(item))) };
        let name = name.trim_end_matches([' ', '\t']).to_ascii_lowercase();
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(DmarcError::NotATag(short(item)));
        }
        if tags.iter().any(|(known, _)| *known == name) {
            return Err(DmarcError::Duplicate(name));
        }
        if tags.len() >= TAGS_MAX {
            return Err(DmarcError::TooMany);
        }
        tags.push((name, value.trim_matches([' ', '\t']).to_owned()));
    }
    let value = |name: &str| tags.iter().find(|(tag, _)| tag == name).map(|(_, value)| value.as_str());
    let policy = |tag: &'static str| match value(tag) {
        None => Ok(None),
        Some(text) => Policy::parse(text).map(Some).ok_or_else(|| DmarcError::Value {
            tag,
            allowed: "none,quarantine,reject",
            value: short(text),
        }),
    };
    let choice = |tag: &'static str, allowed: &'static str| match value(tag).map(str::to_ascii_lowercase) {
        None => Ok(None),
        Some(text) if allowed.split(',').any(|known| known == text) => Ok(Some(text)),
        Some(text) => Err(DmarcError::Value { tag, allowed, value: short(&text) }),
    };
    let (p, sp, np) = (policy("p")?, policy("sp")?, policy("np")?);
    choice("adkim", "r,s")?;
    choice("aspf", "r,s")?;
    let psd = match choice("psd", "y,n,u")?.as_deref() {
        Some("y") => Psd::Yes,
        Some("n") => Psd::No,
        _ => Psd::Unsaid,
    };
    let testing = choice("t", "y,n")?.as_deref() == Some("y");
    for option in value("fo").into_iter().flat_map(|list| list.split(':')).map(str::trim) {
        if !["0", "1", "d", "s"].iter().any(|known| known.eq_ignore_ascii_case(option)) {
            return Err(DmarcError::FailureOption(short(option)));
        }
    }
    let (rua, ruf) = (uris(value("rua"))?, uris(value("ruf"))?);
    Ok(Record { text: text.to_owned(), p, sp, np, psd, testing, rua, ruf, tags })
}

/// The URIs of a report list; each must have a scheme.
fn uris(list: Option<&str>) -> Result<Vec<String>, DmarcError> {
    let items = list.into_iter().flat_map(|list| list.split(',')).map(str::trim);
    items
        .map(|uri| match uri.split_once(':') {
            Some((scheme, rest))
                if !rest.is_empty()
                    && !uri.contains(char::is_whitespace)
                    && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && (!scheme.eq_ignore_ascii_case("mailto") || mailbox(rest)) =>
            {
                Ok(uri.to_owned())
            }
            _ => Err(DmarcError::ReportUri(short(uri))),
        })
        .collect()
}

/// `local@domain`, with an optional obsolete `!size`.
fn mailbox(text: &str) -> bool {
    let address = text.split('!').next().unwrap_or("");
    address.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
}

/// The domain of a `mailto:` report URI.
pub(crate) fn report_domain(uri: &str) -> Option<String> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("mailto") {
        return None;
    }
    let (_, domain) = rest.split(['!', '?']).next()?.rsplit_once('@')?;
    Some(crate::posture::names::bare(domain))
}

fn short(text: &str) -> String {
    text.chars().take(100).collect()
}
