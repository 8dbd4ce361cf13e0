//! The names an SPF record makes a receiver look up (RFC 7208). Only names: the record's meaning is judged elsewhere.

/// Terms read of one record; a record has at most 10 that look anything up (4.6.4), more is a broken record.
const TERMS_MAX: usize = 60;

/// A lookup a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Another record: `include:` or `redirect=`.
    Record(String),
    /// Addresses of a host: `a`.
    Addresses(String),
    /// Mail exchangers of a domain and their addresses: `mx`.
    Exchangers(String),
    /// Whether a name exists: `exists:`.
    Exists(String),
    /// Text for refused senders: `exp=`.
    Explanation(String),
}

/// Whether this TXT record is an SPF record (4.5).
pub(super) fn is_record(text: &str) -> bool {
    let Some(version) = text.get(..6) else { return false };
    version.eq_ignore_ascii_case("v=spf1") && text[6..].chars().next().is_none_or(|next| next == ' ')
}

/// What the record of `domain` asks for. Names with macros depend on the sender and are left out.
pub(super) fn targets(domain: &str, record: &str) -> Vec<Target> {
    record.split_ascii_whitespace().skip(1).take(TERMS_MAX).filter_map(|term| target(domain, term)).collect()
}

fn target(domain: &str, term: &str) -> Option<Target> {
    let term = term.trim_start_matches(['+', '-', '~', '?']);
    let lower = term.to_ascii_lowercase();
    if let Some(name) = lower.strip_prefix("redirect=") {
        return name_of(name).map(Target::Record);
    }
    if let Some(name) = lower.strip_prefix("exp=") {
        return name_of(name).map(Target::Explanation);
    }
    let (mechanism, rest) = match lower.find([':', '/']) {
        Some(at) => lower.split_at(at),
        None => (lower.as_str(), ""),
    };
    let whole = matches!(mechanism, "include" | "exists" | "ptr");
    let name = rest.strip_prefix(':').map_or(Some(domain.to_owned()), |name| {
        name_of(if whole { name } else { name.split('/').next().unwrap_or_default() })
    })?;
    match mechanism {
        "include" if rest.starts_with(':') => Some(Target::Record(name)),
        "exists" if rest.starts_with(':') => Some(Target::Exists(name)),
        "a" | "ptr" => Some(Target::Addresses(name)),
        "mx" => Some(Target::Exchangers(name)),
        _ => None,
    }
}

fn name_of(name: &str) -> Option<String> {
    let name = name.trim_end_matches('.');
    (!name.is_empty() && !name.contains('%') && name.len() <= 253).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_names_of_a_record() {
        use Target::{Addresses, Exchangers, Exists, Explanation, Record};
        let check = |record: &str, want: Vec<Target>| assert_eq!(targets("shop.example", record), want, "{record}");
        let name = |text: &str| text.to_owned();
        check(
            "v=spf1 include:_spf.Mail.example a mx:other.example/24 ~all",
            vec![Record(name("_spf.mail.example")), Addresses(name("shop.example")), Exchangers(name("other.example"))],
        );
        check(
            "v=spf1 a/24 -mx//64 ?a:h.example.",
            vec![Addresses(name("shop.example")), Exchangers(name("shop.example")), Addresses(name("h.example"))],
        );
        check("v=spf1 exists:e.example redirect=r.example", vec![Exists(name("e.example")), Record(name("r.example"))]);
        check("v=spf1 exists:%{i}._spf.example include:%{d}.x ip4:192.0.2.0/24 ip6:2001:db8::/32 all", vec![]);
        check("v=spf1 ptr -all exp=e.example", vec![Addresses(name("shop.example")), Explanation(name("e.example"))]);
        check("v=spf1 include: exists include redirect= all", vec![]);
    }

    #[test]
    fn knows_a_record() {
        let check = |text: &str, want: bool| assert_eq!(is_record(text), want, "{text}");
        check("v=spf1", true);
        check("V=SPF1 -all", true);
        check("v=spf10 -all", false);
        check("v=spf", false);
        check("é=spf1", false);
        check("google-site-verification=x", false);
    }
}
