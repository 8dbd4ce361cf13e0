//! Tells people through a channel of the delivery part, by the channel's name.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::AlertId;
use riskgraph_domain::delivery::{DeliveryDesk, Notice};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::playbook::Notifier;
use riskgraph_domain::time::Clock;

/// Pages of channels looked through for a name.
const PAGES_MAX: usize = 10;
/// Characters of a subject.
const SUBJECT_MAX: usize = 120;

/// Hands messages over to channels.
pub struct ChannelNotifier {
    pub desk: Arc<dyn DeliveryDesk>,
    pub clock: Arc<dyn Clock>,
    /// Where people reach the console, without a slash at the end.
    pub public_url: String,
}

#[async_trait]
impl Notifier for ChannelNotifier {
    async fn notify(&self, channel: &str, message_id: &str, text: &str, alert: AlertId) -> Result<(), Fault> {
        let mut page = PageRequest::first(PAGE_MAX);
        for _ in 0..PAGES_MAX {
            let found = self.desk.channels(page).await?;
            if let Some((_, view)) = found.items.iter().find(|(_, view)| *view.channel.name == *channel) {
                let notice = Notice {
                    kind: "playbook".into(),
                    at: self.clock.now(),
                    subject: text.lines().next().unwrap_or_default().chars().take(SUBJECT_MAX).collect(),
                    text: text.to_owned(),
                    link: format!("{}/alerts/{alert}", self.public_url),
                    data: serde_json::json!({ "alert": alert.to_string() }),
                    attachments: Vec::new(),
                };
                return self.desk.tell(view.channel.id, message_id.into(), notice).await.map(drop);
            }
            match found.items.last() {
                Some((cursor, _)) if found.has_next => {
                    page = PageRequest { first: PAGE_MAX, after: Some(cursor.clone()) };
                }
                _ => break,
            }
        }
        Err(Fault::new(FaultCode::NotFound, format!("there is no channel '{channel}'; make it or change the playbook")))
    }
}
