//! The tags of a DMARC record as checkdmarc 6 reads and judges them.

use serde_json::{Map, Value, json};

use super::{BLANKS, MARKER, marked, position, separator, skip_space};

/// Tags of RFC 9989.
const KNOWN: [&str; 11] = ["adkim", "aspf", "fo", "np", "p", "psd", "rua", "ruf", "sp", "t", "v"];
/// Tags of RFC 7489 that RFC 9989 removed.
const REMOVED: [&str; 3] = ["pct", "rf", "ri"];

/// One tag with its value in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) explicit: bool,
}

/// The tags in checkdmarc's order, and what it has to say of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tags {
    pub(super) tags: Vec<Tag>,
    pub(super) warnings: Vec<String>,
}

impl Tags {
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.value.as_str())
    }

    fn put(&mut self, name: &str, value: &str) {
        if self.value(name).is_none() {
            self.tags.push(Tag { name: name.to_owned(), value: value.to_owned(), explicit: false });
        }
    }

    /// The values by name.
    pub(super) fn values(&self) -> Map<String, Value> {
        self.tags.iter().map(|tag| (tag.name.clone(), json!(tag.value))).collect()
    }
}

/// `v=DMARC1`, blanks allowed, then a semicolon or the end.
pub(super) fn is_record(text: &str) -> bool {
    version(text).is_some_and(|end| {
        let rest = text[end..].trim_start_matches(BLANKS);
        rest.is_empty() || rest.starts_with(';')
    })
}

/// The value of the `psd` tag, in lower case.
pub(super) fn psd(text: &str) -> Option<char> {
    text.split(';').skip(1).find_map(|item| {
        let (name, value) = item.split_once('=')?;
        let value = value.trim_matches(BLANKS);
        let letter = value.chars().next().filter(|c| value.len() == 1 && c.is_ascii_alphabetic())?;
        name.trim_matches(BLANKS).eq_ignore_ascii_case("psd").then(|| letter.to_ascii_lowercase())
    })
}

fn version(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(['v', 'V'])?.trim_start_matches(BLANKS).strip_prefix('=')?;
    let rest = rest.trim_start_matches(BLANKS).strip_prefix("DMARC1")?;
    Some(text.len() - rest.len())
}

/// `name=value` at the start of a text: the name, the value as written, and its length.
fn tag_value(text: &str) -> Option<(&str, &str, usize)> {
    let length = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let rest = text[length..].trim_start_matches(BLANKS).strip_prefix('=')?;
    // A blank may be all there is to the value.
    let blanks = rest.len() - rest.trim_start_matches(BLANKS).len();
    let in_value = |c: char| matches!(c, ' '..='~') && c != ';';
    let end = rest[blanks..].find(|c| !in_value(c)).map_or(rest.len(), |end| blanks + end);
    let start = if end > blanks { blanks } else { rest[..blanks].rfind(' ')? };
    (length > 0).then(|| (&text[..length], &rest[start..end], text.len() - rest.len() + end))
}

/// The grammar of RFC 9989 4.8; the error names the place.
fn grammar(record: &str) -> Result<(), String> {
    let expected = |what: &str, byte: usize| {
        let place = position(record, byte);
        Err(format!("Error: Expected {what} at position {place} (marked with {MARKER}) in: {}", marked(record, place)))
    };
    let Some(end) = version(record) else { return expected("version_tag", 0) };
    let mut at = skip_space(record, end);
    if at == record.len() {
        return Ok(());
    }
    match separator(record, at) {
        Some(next) => at = skip_space(record, next),
        None => return expected("end_of_statement or Regex", at),
    }
    while let Some((_, _, length)) = tag_value(&record[at..]) {
        at = skip_space(record, at + length);
        if at == record.len() {
            return Ok(());
        }
        match separator(record, at) {
            Some(next) => at = skip_space(record, next),
            None => return expected("Regex", at),
        }
    }
    if at == record.len() { Ok(()) } else { expected("tag_value or end_of_statement", at) }
}

/// Reads the tags of a record found for this domain.
pub(super) fn parse(record: &str, domain: &str) -> Result<Tags, String> {
    let record = record.trim_matches('"');
    grammar(record)?;
    let mut read = Tags::default();
    explicit(record, &mut read)?;
    for (name, value) in [("adkim", "r"), ("aspf", "r"), ("fo", "0"), ("psd", "u"), ("t", "n")] {
        read.put(name, value);
    }
    if read.value("p").is_none() {
        read.put("p", "none");
        read.warnings.push(
            "A missing p tag is equivalent to p=none in RFC 9989, but a p tag is required in older versions of DMARC."
                .to_owned(),
        );
    }
    let p = read.value("p").unwrap_or("none").to_owned();
    read.put("sp", &p);
    let sp = read.value("sp").unwrap_or(&p).to_owned();
    read.put("np", &sp);
    if read.tags.iter().any(|tag| tag.name == "p" && tag.explicit) && read.tags.get(1).is_some_and(|t| t.name != "p") {
        read.warnings.push(
            "The p tag does not immediately follow the v tag. RFC 9989 permits any ordering, but some older DMARC \
             implementations may require p to be the second tag."
                .to_owned(),
        );
    }
    for place in 0..read.tags.len() {
        judge(&mut read, place, domain)?;
    }
    Ok(read)
}

/// The tags that are written.
fn explicit(record: &str, read: &mut Tags) -> Result<(), String> {
    let mut at = 0;
    let mut seen: Vec<String> = Vec::new();
    while at < record.len() {
        let rest = &record[at..];
        let Some((name, value, length)) = tag_value(rest) else {
            // The next place a tag could begin: the grammar allows nothing else between tags.
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        at += length;
        let name = name.to_ascii_lowercase();
        let (known, removed) = (KNOWN.contains(&name.as_str()), REMOVED.contains(&name.as_str()));
        if !known && !removed {
            read.warnings.push(format!(
                "Unknown DMARC tag '{name}' was ignored (RFC 9989 requires unknown tags to be ignored)."
            ));
            continue;
        }
        if seen.contains(&name) {
            return Err(format!("Duplicate {name} tags are not permitted"));
        }
        seen.push(name.clone());
        if removed {
            read.warnings.push(format!("Support for the {name} tag was removed in RFC 9989"));
            continue;
        }
        let value = value.trim();
        let value = match name.as_str() {
            "rua" | "ruf" => value.to_owned(),
            "v" => value.to_uppercase(),
            _ => value.to_lowercase(),
        };
        read.tags.push(Tag { name, value, explicit: true });
    }
    Ok(())
}

/// Judges one value, and puts the default where RFC 9989 says to ignore it.
fn judge(read: &mut Tags, place: usize, domain: &str) -> Result<(), String> {
    let Some(Tag { name, value, explicit }) = read.tags.get(place).cloned() else { return Ok(()) };
    if name == "p" && value == "none" {
        read.warnings.push(format!("A p tag value of none makes DMARC unenforced on email sent as {domain}."));
    }
    if name == "sp" && value == "none" && explicit {
        read.warnings
            .push(format!("An sp tag value of none makes DMARC unenforced on email sent as a subdomain of {domain}."));
    }
    let allowed = match name.as_str() {
        "p" | "sp" | "np" => "none,quarantine,reject",
        "psd" => "y,n,u",
        "t" => "y,n",
        "adkim" | "aspf" if value != "r" && value != "s" => {
            read.warnings.push(format!(
                "{value} is not a valid {name} tag value (must be r or s); the default value r was used instead, because \
                 RFC 9989 § 4.8 requires discarding an invalid value in favor of the default."
            ));
            "r".clone_into(&mut read.tags[place].value);
            return Ok(());
        }
        "fo" => return options(read, place, &value),
        _ => return Ok(()),
    };
    if allowed.split(',').any(|known| known == value) {
        Ok(())
    } else {
        Err(format!("Tag {name} must have one of the following values: {allowed} - not {value}"))
    }
}

fn options(read: &mut Tags, place: usize, value: &str) -> Result<(), String> {
    let options: Vec<&str> = value.split(':').collect();
    if let Some(wrong) = options.iter().find(|option| !["0", "1", "d", "s"].contains(option)) {
        return Err(format!("{wrong} is not a valid option for the DMARC fo tag."));
    }
    let reason = if options.contains(&"0") && options.contains(&"1") {
        "the 0 and 1 values are mutually exclusive"
    } else if options.iter().enumerate().any(|(at, option)| options[..at].contains(option)) {
        "each value may appear at most once"
    } else {
        return Ok(());
    };
    read.warnings
        .push(format!("fo={value} is invalid ({reason} per RFC 9989 § 4.7); the default value fo=0 was used instead."));
    "0".clone_into(&mut read.tags[place].value);
    Ok(())
}
