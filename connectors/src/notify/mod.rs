//! Telling others of alerts: the shape of every message, and the ways it goes.
//!
//! Shapes are pure functions of the message; they do no I/O and read no clock, so a repeat is the same bytes. Senders try
//! once and say what came of it. Must *not* know when something is sent or kept.

mod address;
mod email;
mod file;
mod http;
mod options;
pub mod shape;
mod sign;

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::delivery::{ChannelKind, Outgoing, Sender, Sent};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::{Fault, FaultCode};

pub use email::{Security, SmtpOptions};
pub use options::NotifyOptions;
pub use sign::{new_secret, sign};

use crate::net::{Outside, Resolver};
use shape::Letterhead;

/// Sends by every kind of channel.
pub struct Notifier {
    outside: Outside,
    head: Letterhead,
    folder: std::path::PathBuf,
    mailer: email::Mailer,
}

impl Notifier {
    /// # Errors
    /// `FaultCode::Configuration` when an option cannot be used.
    pub fn new(options: NotifyOptions, resolver: Arc<dyn Resolver>) -> Result<Self, Fault> {
        let outside = Outside::new(options.outside, resolver)?;
        let mailer = email::Mailer::new(options.smtp)?;
        Ok(Self { outside, head: options.head, folder: options.folder, mailer })
    }
}

#[async_trait]
impl Sender for Notifier {
    async fn send(&self, outgoing: Outgoing) -> Sent {
        match outgoing.channel.kind {
            ChannelKind::Webhook => http::webhook(&self.outside, &self.head, &outgoing).await,
            ChannelKind::File => file::append(&self.folder, &self.head, outgoing).await,
            ChannelKind::Email => self.mailer.send(&self.head, &outgoing).await,
            ChannelKind::Slack => http::slack(&self.outside, &self.head, &outgoing).await,
            ChannelKind::Teams => http::teams(&self.outside, &self.head, &outgoing).await,
            ChannelKind::Pagerduty => http::pagerduty(&self.outside, &self.head, &outgoing).await,
            ChannelKind::Splunk => http::splunk(&self.outside, &self.head, &outgoing).await,
        }
    }

    fn check_target(&self, kind: ChannelKind, target: &Secret) -> Result<String, Fault> {
        let checked = match kind {
            ChannelKind::File => file::check(target.expose()),
            ChannelKind::Email => email::check(target.expose()),
            _ => address::check_url(&self.outside, kind, target.expose()),
        };
        checked.map_err(|problem| Fault::new(FaultCode::BadInput, format!("target: {problem}")))
    }
}
