//! Mail over SMTP: a letter in plain text and HTML.

use askama::Template;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use riskgraph_domain::delivery::{Message as Told, Outgoing, Sent, one_line};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::{Fault, FaultCode};

use super::shape::{Letter, Letterhead, Words, words};

/// Addresses of one channel.
const ADDRESSES_MAX: usize = 20;
/// Characters of a file's name.
const FILE_NAME_CHARS_MAX: usize = 120;

/// The mail server, as configured.
#[derive(Debug, Clone)]
pub struct SmtpOptions {
    /// Empty when there is none.
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Empty for none.
    pub username: String,
    pub password: Option<Secret>,
    pub from: String,
    pub extra_ca_pem: Option<Vec<u8>>,
    pub timeout: std::time::Duration,
}

/// How the connection to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Begins in the clear and must change to TLS.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Never: for a server on this machine.
    None,
}

/// Sends mail.
pub(super) struct Mailer {
    transport: Option<AsyncSmtpTransport<Tokio1Executor>>,
    from: Mailbox,
    timeout: std::time::Duration,
}

impl Mailer {
    pub(super) fn new(options: SmtpOptions) -> Result<Self, Fault> {
        let wrong = |key: &str, error: String| {
            Fault::new(FaultCode::Configuration, format!("delivery.smtp.{key} cannot be used: {error}"))
        };
        let from: Mailbox = options.from.parse().map_err(|error| wrong("from", format!("{error}")))?;
        let timeout = options.timeout;
        let transport = (!options.host.is_empty()).then(|| transport(options)).transpose();
        Ok(Self { transport: transport.map_err(|error| wrong("host", error.to_string()))?, from, timeout })
    }

    /// Tries once.
    pub(super) async fn send(&self, head: &Letterhead, outgoing: &Outgoing) -> Sent {
        let failed = |status: Option<u16>, error: &str| Sent::Failed {
            status,
            error: error.to_owned(),
            slow_down: false,
            retry_after_ms: None,
        };
        let Some(transport) = &self.transport else {
            return failed(None, "no mail server is configured; set delivery.smtp.host");
        };
        let mail = match self.letter(head, outgoing) {
            Ok(mail) => mail,
            Err(error) => return Sent::Refused { status: None, error },
        };
        // The library's limit is for one command; a server that is slow at each of them is limited here.
        match tokio::time::timeout(self.timeout, transport.send(mail)).await {
            Err(_) => failed(None, &format!("no answer within {} s", self.timeout.as_secs())),
            Ok(Ok(response)) => Sent::Taken { status: u16::from(response.code()) },
            Ok(Err(error)) => meaning(&error),
        }
    }

    fn letter(&self, head: &Letterhead, outgoing: &Outgoing) -> Result<Message, String> {
        let words = words(&Letter::of(outgoing), head);
        let html = Page { words: &words }.render().map_err(|_| "the mail cannot be written".to_owned())?;
        let domain = self.from.email.domain();
        let id = |local: &str| format!("<{local}@{domain}>");
        let seconds = u64::try_from(outgoing.created_at.millis() / 1_000).unwrap_or(0);
        let mut mail = Message::builder()
            .from(self.from.clone())
            .subject(&words.subject)
            .message_id(Some(id(&outgoing.message_id)))
            .date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Riskgraph-Message-Id", &outgoing.message_id));
        for address in addresses(outgoing.target.expose())? {
            mail = mail.to(Mailbox::new(None, address));
        }
        if let Told::Alert(message) = &outgoing.message {
            // All mails of one alert are one conversation.
            mail = mail.references(id(&message.alert.id.to_string()));
            mail = mail.in_reply_to(id(&message.alert.id.to_string()));
        }
        let both = MultiPart::alternative_plain_html(words.plain(), html);
        let files = match &outgoing.message {
            Told::Notice(notice) if !notice.attachments.is_empty() => notice.attachments.as_slice(),
            _ => return mail.multipart(both).map_err(|error| format!("the mail cannot be written ({error})")),
        };
        let mut parts = MultiPart::mixed().multipart(both);
        for file in files {
            let kind = ContentType::parse(&file.content_type)
                .or_else(|_| ContentType::parse("application/octet-stream"))
                .map_err(|_| "a file's type cannot be written".to_owned())?;
            let part: SinglePart =
                Attachment::new(one_line(&file.name, FILE_NAME_CHARS_MAX)).body(file.bytes.clone(), kind);
            parts = parts.singlepart(part);
        }
        mail.multipart(parts).map_err(|error| format!("the mail cannot be written ({error})"))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), one_line(value, 200))
}

fn transport(options: SmtpOptions) -> Result<AsyncSmtpTransport<Tokio1Executor>, lettre::transport::smtp::Error> {
    let mut parameters = TlsParameters::builder(options.host.clone());
    if let Some(pem) = &options.extra_ca_pem {
        parameters = parameters.add_root_certificate(Certificate::from_pem(pem)?);
    }
    let tls = match options.security {
        Security::Starttls => Tls::Required(parameters.build()?),
        Security::Tls => Tls::Wrapper(parameters.build()?),
        Security::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(options.host)
        .port(options.port)
        .timeout(Some(options.timeout))
        .tls(tls);
    if let Some((_, domain)) = options.from.trim_end_matches('>').rsplit_once('@') {
        builder = builder.hello_name(ClientId::Domain(domain.to_owned()));
    }
    if let Some(password) = options.password.filter(|_| !options.username.is_empty()) {
        builder = builder.credentials(Credentials::new(options.username, password.expose().to_owned()));
    }
    Ok(builder.build())
}

/// What a refusal means. Only a no to this very mail is final (RFC 5321 4.2.1: 5yz that are about mailbox or content);
/// a wrong password or a server in trouble may be put right.
fn meaning(error: &lettre::transport::smtp::Error) -> Sent {
    let status = error.status().map(u16::from);
    let text = match status {
        Some(status) => format!("the mail server answered {status}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "TLS with the mail server failed".to_owned(),
        None => "the mail server cannot be reached or broke off".to_owned(),
    };
    match status {
        Some(550..=554) => Sent::Refused { status, error: text },
        _ => Sent::Failed {
            status,
            error: text,
            slow_down: matches!(status, Some(421 | 450..=452)),
            retry_after_ms: None,
        },
    }
}

fn addresses(target: &str) -> Result<Vec<Address>, String> {
    let given: Vec<&str> = target.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if given.is_empty() || given.len() > ADDRESSES_MAX {
        return Err(format!("give 1 to {ADDRESSES_MAX} mail addresses, separated by commas"));
    }
    given
        .into_iter()
        .map(|address| {
            address.parse::<Address>().map_err(|_| "this is no mail address such as ops@shop.example".to_owned())
        })
        .collect()
}

/// Checks mail addresses; shows the first letter and the domain of each.
pub(super) fn check(target: &str) -> Result<String, String> {
    let shown = addresses(target)?.into_iter().map(|address| {
        let first: String = address.user().chars().take(1).collect();
        format!("{first}…@{}", address.domain())
    });
    Ok(shown.collect::<Vec<_>>().join(", "))
}

/// The HTML part; askama escapes what is put in.
#[derive(Template)]
#[template(
    source = r#"<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{ words.subject }}</title></head>
<body style="font-family:sans-serif;color:#1a1a1a;max-width:640px;margin:0 auto;padding:16px">
<h1 style="font-size:18px;margin:0 0 12px">{{ words.subject }}</h1>
<p style="white-space:pre-line">{{ words.lead }}</p>
{% if !words.facts.is_empty() %}<table style="border-collapse:collapse">{% for (name, value) in words.facts %}
<tr><th style="text-align:left;padding:2px 16px 2px 0;vertical-align:top">{{ name }}</th><td style="padding:2px 0">{{ value }}</td></tr>
{% endfor %}</table>{% endif %}
{% for (title, lines) in words.lists %}<h2 style="font-size:15px;margin:16px 0 4px">{{ title }}</h2>
<ul style="margin:0;padding-left:20px">{% for line in lines %}<li>{{ line }}</li>{% endfor %}</ul>
{% endfor %}{% if let Some(link) = words.link %}<p><a href="{{ link }}">Open in riskgraph</a></p>{% endif %}
<p style="color:#777;font-size:12px">Sent by riskgraph.</p>
</body></html>
"#,
    ext = "html"
)]
struct Page<'a> {
    words: &'a Words,
}
