//! What a message says to people, before it gets the look of a chat or a letter.

use riskgraph_domain::alert::{Alert, AlertChange, AlertStatus};
use riskgraph_domain::delivery::{AlertMessage, Digest, Message, Notice, one_line};
use riskgraph_domain::signal::{Severity, technique};

use super::trim::cut;
use super::{Letter, Letterhead};

/// Entities, steps and pieces of advice that are shown.
const ENTITIES_SHOWN: usize = 8;
const STEPS_SHOWN: usize = 5;
const ADVICE_SHOWN: usize = 5;
/// Alerts of a digest that are shown.
const DIGEST_SHOWN: usize = 30;
/// Characters of one line, and of a text.
const LINE_CHARS: usize = 300;
const TEXT_CHARS: usize = 2_000;

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) subject: String,
    pub(crate) lead: String,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) lists: Vec<(&'static str, Vec<String>)>,
    pub(crate) link: Option<String>,
    pub(crate) severity: Option<Severity>,
}

/// The message in words.
pub(crate) fn words(letter: &Letter<'_>, head: &Letterhead) -> Words {
    match letter.message {
        Message::Alert(message) => alert(message, letter.changes, head),
        Message::Digest(message) => digest(message, head),
        Message::Notice(message) => notice(message),
    }
    .with_subject(letter.message.subject())
}

impl Words {
    fn with_subject(mut self, subject: String) -> Self {
        self.subject = subject;
        self
    }

    /// The message as plain text.
    pub(crate) fn plain(&self) -> String {
        let mut text = format!("{}\n\n{}\n", self.subject, self.lead);
        for (name, value) in &self.facts {
            text.push_str(&format!("\n{name}: {value}"));
        }
        for (title, lines) in &self.lists {
            text.push_str(&format!("\n\n{title}\n"));
            for line in lines {
                text.push_str(&format!("- {line}\n"));
            }
        }
        if let Some(link) = &self.link {
            text.push_str(&format!("\n\n{link}\n"));
        }
        text.push('\n');
        text
    }
}

fn alert(message: &AlertMessage, changes: &[AlertChange], head: &Letterhead) -> Words {
    let alert = &message.alert;
    let mut facts = vec![
        ("Severity", alert.severity.as_str().to_owned()),
        ("Score", format!("{:.0} of 100", alert.score)),
        ("Status", status(alert)),
        ("Opened", alert.opened_at.to_rfc3339()),
        ("Last change", alert.updated_at.to_rfc3339()),
        ("Signals", alert.count.to_string()),
    ];
    if changes.len() > 1 {
        facts.push(("Happened", joined(changes)));
    }
    if let Some(assignee) = &alert.assignee {
        facts.push(("Assigned to", one_line(assignee, LINE_CHARS)));
    }
    if !alert.techniques.is_empty() {
        let named = alert.techniques.iter().take(ENTITIES_SHOWN).map(|id| match technique(id) {
            Some(known) => format!("{} {}", known.id, known.name),
            None => one_line(id, 20),
        });
        facts.push(("Techniques", named.collect::<Vec<_>>().join(", ")));
    }
    let entities = alert.entities.iter().take(ENTITIES_SHOWN);
    let entities = entities.map(|entity| one_line(&format!("{} {}", entity.kind.as_str(), entity.key), LINE_CHARS));
    let old = alert.timeline.len().saturating_sub(STEPS_SHOWN);
    let steps = alert.timeline.iter().skip(old);
    let steps = steps.map(|entry| one_line(&format!("{}  {}", entry.time, entry.text), LINE_CHARS));
    let advice = alert.recommendations.iter().take(ADVICE_SHOWN).map(|text| one_line(text, LINE_CHARS));
    let mut lists: Vec<(&'static str, Vec<String>)> =
        vec![("What to do", advice.collect()), ("Latest steps", steps.collect()), ("Involved", entities.collect())];
    lists.retain(|(_, lines)| !lines.is_empty());
    Words {
        subject: String::new(),
        lead: cut(&alert.summary, TEXT_CHARS),
        facts,
        lists,
        link: head.alert_url(alert.id),
        severity: Some(alert.severity),
    }
}

fn status(alert: &Alert) -> String {
    match (alert.status, alert.verdict) {
        (AlertStatus::Resolved, Some(verdict)) => format!("RESOLVED ({})", verdict.as_str()),
        (status, _) => status.as_str().to_owned(),
    }
}

fn joined(changes: &[AlertChange]) -> String {
    changes.iter().map(|change| change.as_str()).collect::<Vec<_>>().join(", ")
}

fn digest(digest: &Digest, head: &Letterhead) -> Words {
    let lines = digest.alerts.iter().take(DIGEST_SHOWN).map(|entry| {
        let alert = &entry.alert;
        let what = format!("[{}] {} ({})", alert.severity.as_str(), alert.title, joined(&entry.changes));
        one_line(&what, LINE_CHARS)
    });
    let mut lines: Vec<String> = lines.collect();
    let more = usize::try_from(digest.alerts_total).unwrap_or(usize::MAX).saturating_sub(lines.len());
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Words {
        subject: String::new(),
        lead: format!("From {} to {}.", digest.since, digest.until),
        facts: vec![("Alerts", digest.alerts_total.to_string()), ("Changes", digest.changes_total.to_string())],
        lists: vec![("Alerts, worst first", lines)],
        link: (!head.base_url.is_empty()).then(|| format!("{}/alerts", head.base_url)),
        severity: digest.alerts.iter().map(|entry| entry.alert.severity).max(),
    }
}

fn notice(notice: &Notice) -> Words {
    let files: Vec<String> = notice.attachments.iter().map(|file| one_line(&file.name, LINE_CHARS)).collect();
    Words {
        subject: String::new(),
        lead: cut(&notice.text, TEXT_CHARS),
        facts: Vec::new(),
        lists: if files.is_empty() { Vec::new() } else { vec![("Files", files)] },
        link: (!notice.link.is_empty()).then(|| notice.link.clone()),
        severity: None,
    }
}
