//! A channel that was disabled says nothing any more: the other channels tell of it.

use riskgraph_domain::Text;
use riskgraph_domain::delivery::{Channel, ChannelPlan, Message, NewDelivery, Notice, Tries, When};
use riskgraph_domain::id::{DeliveryId, hash128};
use riskgraph_domain::time::Timestamp;

/// One delivery to each other channel; the ids follow from the channel and the instant, so that a repeat is none.
pub(super) fn tell_others(
    disabled: &Channel,
    reason: &str,
    at: Timestamp,
    all: &[impl AsRef<Channel>],
) -> Vec<ChannelPlan> {
    let notice = Notice {
        kind: Text::from("channel"),
        at,
        subject: format!("riskgraph channel '{}' is disabled", disabled.name),
        text: format!(
            "Nothing is sent to '{}' ({}) any more: {reason}. Its deliveries are kept; repair the receiver, then enable \
             the channel in the settings.",
            disabled.name, disabled.target_shown
        ),
        link: String::new(),
        data: serde_json::json!({ "channel": disabled.id.to_string(), "reason": reason }),
        attachments: Vec::new(),
    };
    let others = all.iter().map(AsRef::as_ref).filter(|channel| channel.id != disabled.id);
    others.map(|channel| plan(channel, disabled, &notice)).collect()
}

fn plan(channel: &Channel, disabled: &Channel, notice: &Notice) -> ChannelPlan {
    let what = [channel.id.to_string(), "disabled".to_owned(), disabled.id.to_string(), notice.at.to_rfc3339()];
    let id = DeliveryId(hash128(&[&what[0], &what[1], &what[2], &what[3]]));
    let new = NewDelivery {
        id,
        alert: None,
        change: None,
        message: Message::Notice(notice.clone()),
        wait_ms: 0,
        tries: Tries::Many,
        when: When::Always,
    };
    ChannelPlan {
        channel: channel.id,
        cursor: None,
        now: notice.at,
        deliveries: vec![new],
        told: Vec::new(),
        digest_at: None,
    }
}
