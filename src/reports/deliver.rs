//! Reports to channels. It must *not* know how a channel speaks.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::delivery::{ATTACHMENTS_MAX_BYTES, Attachment, DeliveryDesk, Notice};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::ChannelId;
use riskgraph_domain::report::{Report, ReportFormat, ReportSender};
use serde_json::json;

use super::desk::file_name;

/// Tells channels of a report; mail brings the files along.
pub struct ToChannels {
    pub delivery: Arc<dyn DeliveryDesk>,
    /// Base URL of the console, without a slash at its end.
    pub public_url: String,
}

#[async_trait]
impl ReportSender for ToChannels {
    async fn send(
        &self,
        report: &Report,
        files: Vec<(ReportFormat, Vec<u8>)>,
        channels: &[ChannelId],
    ) -> Result<(), Fault> {
        let notice = self.notice(report, files);
        // The key is told once by each channel, so a repeat after a crash tells nobody twice.
        let key = format!("report/{}", report.id);
        for channel in channels {
            match self.delivery.tell(*channel, key.as_str().into(), notice.clone()).await {
                Ok(_) => {}
                // A channel that was removed after the schedule was made takes nothing from the others.
                Err(fault) if fault.code == FaultCode::NotFound => {
                    tracing::warn!(%channel, report = %report.id, "a schedule names a channel that is not there");
                }
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

impl ToChannels {
    fn notice(&self, report: &Report, files: Vec<(ReportFormat, Vec<u8>)>) -> Notice {
        let as_of: String = report.as_of.to_rfc3339().chars().take(16).collect();
        let stale = match report.stale.len() {
            0 => String::new(),
            _ => format!("\n\nOld or missing input:\n- {}", report.stale.join("\n- ")),
        };
        let mut room = ATTACHMENTS_MAX_BYTES;
        let mut attachments = Vec::with_capacity(files.len());
        for (format, bytes) in files {
            if let Some(left) = room.checked_sub(bytes.len()) {
                room = left;
                let name = file_name(report, format.extension());
                attachments.push(Attachment { name, content_type: format.media_type().to_owned(), bytes });
            }
        }
        let urls: serde_json::Map<String, serde_json::Value> = report
            .files
            .iter()
            .map(|file| (file.format.as_str().to_owned(), self.url(report, file.format).into()))
            .collect();
        Notice {
            kind: "report".into(),
            at: report.created_at,
            subject: format!("{}, as of {} UTC", report.title, as_of.replace('T', " ")),
            text: format!("{} is ready.{stale}", report.title),
            link: self.url(report, ReportFormat::Html),
            data: json!({
                "report": report.id, "kind": report.kind, "asOf": report.as_of, "since": report.since,
                "keyId": report.key_id, "files": urls,
            }),
            attachments,
        }
    }

    fn url(&self, report: &Report, format: ReportFormat) -> String {
        format!("{}/reports/{}.{}", self.public_url, report.id, format.extension())
    }
}
