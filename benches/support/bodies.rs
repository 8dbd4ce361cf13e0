//! Request bodies for the benches.

use riskgraph_domain::event::Event;

/// NDJSON bodies of `batch` events each, ids made unique by a prefix so that they can be sent again as new.
pub(crate) fn bodies(events: &[Event], batch: usize, prefix: &str) -> Vec<Vec<u8>> {
    events
        .chunks(batch)
        .map(|chunk| {
            let mut body = Vec::new();
            for event in chunk {
                let mut event = event.clone();
                event.id = format!("{prefix}{}", event.id).into();
                serde_json::to_writer(&mut body, &event).expect("events write");
                body.push(b'\n');
            }
            body
        })
        .collect()
}
