//! What people do with channels and deliveries.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use riskgraph_connectors::notify::new_secret;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::delivery::{
    ATTACHMENTS_MAX_BYTES, Channel, ChannelInput, ChannelKind, ChannelPlan, ChannelView, Deliveries, Delivery,
    DeliveryDesk, DeliveryFilter, DeliveryState, Disabled, Message, NewDelivery, Notice, PayloadFormat, Sender,
    SigningSecret, Tries, When,
};
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::hash128;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::Records;
use riskgraph_domain::secret::{Secret, Vault};
use riskgraph_domain::time::{Clock, DAY_MS};
use riskgraph_domain::{ChannelId, DeliveryId, Text, Timestamp};

use super::book::{Book, CHANNELS_MAX, KIND};
use super::input::{apply, bad, secret_purpose};

/// How long an old secret signs along after a rotation.
const OLD_SECRET_MS: i64 = DAY_MS;
/// Secrets that sign at once.
const SECRETS_MAX: usize = 5;
/// Deliveries one recovery sends again.
const RECOVER_MAX: usize = 10_000;
/// Characters of a secret that are shown.
const HINT_CHARS: usize = 4;
/// How often a test looks for its answer.
const TEST_LOOK: Duration = Duration::from_millis(50);
/// Characters of a notice's text.
const NOTICE_CHARS_MAX: usize = 20_000;

/// Channels and deliveries for people.
pub(super) struct Channels {
    pub(super) book: Book,
    pub(super) store: Arc<dyn Deliveries>,
    pub(super) records: Arc<dyn Records>,
    pub(super) documents: Arc<dyn DocumentStore>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) sender: Arc<dyn Sender>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) test_patience: Duration,
}

type Result<T> = std::result::Result<T, Fault>;

#[async_trait]
impl DeliveryDesk for Channels {
    async fn channels(&self, page: PageRequest) -> Result<Page<ChannelView>> {
        let all = self.book.all();
        let start = match &page.after {
            None => 0,
            Some(after) => {
                let place = all.iter().position(|channel| channel.id.to_string() == *after);
                let gone = || Fault::new(FaultCode::StaleCursor, "the cursor is none of this list; start again");
                place.ok_or_else(gone)? + 1
            }
        };
        let mut states = self.store.channel_states().await?;
        let mut items = Vec::new();
        for channel in all.iter().skip(start).take(page.first) {
            let Some(place) = states.iter().position(|state| state.channel == channel.id) else { continue };
            let view = ChannelView { channel: (**channel).clone(), state: states.swap_remove(place) };
            items.push((channel.id.to_string(), view));
        }
        Ok(Page { items, has_next: all.len() > start + page.first, total: Some(all.len() as u64) })
    }

    async fn channel(&self, id: ChannelId) -> Result<Option<ChannelView>> {
        let Some(channel) = self.book.get(id) else { return Ok(None) };
        let state = self.store.channel_state(id).await?;
        Ok(state.map(|state| ChannelView { channel: (*channel).clone(), state }))
    }

    async fn create(&self, viewer: &Viewer, input: ChannelInput) -> Result<(ChannelView, Option<Secret>)> {
        if self.book.all().len() >= CHANNELS_MAX {
            return Err(Fault::new(
                FaultCode::Conflict,
                format!("there are {CHANNELS_MAX} channels; remove one first"),
            ));
        }
        let shown = self.sender.check_target(input.kind, &input.target)?;
        let now = self.clock.now();
        let id = ChannelId(u128::from_be_bytes(random()?));
        let kind = input.kind;
        let mut channel = apply(blank(id, kind, viewer, now), input, shown, &*self.vault)?;
        let secret = (kind == ChannelKind::Webhook).then(|| self.add_secret(&mut channel)).transpose()?;
        let newest = self.records.alert_event_range().await?.map_or(0, |(_, newest)| newest);
        self.store.open_channel(id, newest, now).await?;
        self.put(viewer, channel, 1).await?;
        Ok((self.view(id).await?, secret))
    }

    async fn update(&self, viewer: &Viewer, id: ChannelId, input: ChannelInput) -> Result<ChannelView> {
        let (channel, version) = self.read(id).await?;
        if channel.kind != input.kind {
            return Err(bad("kind: a channel keeps its kind; make a new one"));
        }
        let same = input.target.expose().trim() == channel.target_shown;
        let shown =
            if same { channel.target_shown.clone() } else { self.sender.check_target(input.kind, &input.target)? };
        let channel = apply(channel, input, shown, &*self.vault)?;
        self.put(viewer, channel, version + 1).await?;
        self.view(id).await
    }

    async fn remove(&self, id: ChannelId) -> Result<bool> {
        let there = self.documents.remove(KIND, &id.to_string()).await?;
        self.book.reload().await?;
        if there {
            self.store.close_channel(id).await?;
        }
        Ok(there)
    }

    async fn enable(&self, id: ChannelId) -> Result<ChannelView> {
        self.view(id).await?;
        self.store.set_disabled(id, None).await?;
        self.book.reload().await?;
        self.view(id).await
    }

    async fn disable(&self, id: ChannelId, reason: String) -> Result<ChannelView> {
        self.view(id).await?;
        self.store.set_disabled(id, Some(Disabled { at: self.clock.now(), reason })).await?;
        self.book.ring();
        self.view(id).await
    }

    async fn rotate(&self, viewer: &Viewer, id: ChannelId) -> Result<(ChannelView, Option<Secret>)> {
        let (mut channel, version) = self.read(id).await?;
        if channel.kind != ChannelKind::Webhook {
            return Err(bad("only webhooks are signed; give another kind a new token with updateChannel"));
        }
        let now = self.clock.now();
        channel.secrets.retain(|secret| secret.retires_at.is_none_or(|at| at > now));
        if channel.secrets.len() >= SECRETS_MAX {
            let message = format!("{SECRETS_MAX} secrets sign already; wait until an old one retires");
            return Err(Fault::new(FaultCode::Conflict, message));
        }
        for old in channel.secrets.iter_mut().filter(|secret| secret.retires_at.is_none()) {
            old.retires_at = Some(now + OLD_SECRET_MS);
        }
        let secret = self.add_secret(&mut channel)?;
        self.put(viewer, channel, version + 1).await?;
        Ok((self.view(id).await?, Some(secret)))
    }

    async fn test(&self, viewer: &Viewer, id: ChannelId) -> Result<Delivery> {
        let view = self.view(id).await?;
        if view.state.disabled.is_some() {
            return Err(Fault::new(FaultCode::Conflict, "the channel is disabled; enable it first"));
        }
        let notice = Notice {
            kind: Text::from("test"),
            at: self.clock.now(),
            subject: format!("Test of the channel {}", view.channel.name),
            text: format!("{} asked riskgraph to send this. Nothing has happened.", viewer.name),
            link: String::new(),
            data: serde_json::Value::Null,
            attachments: Vec::new(),
        };
        let delivery = DeliveryId(u128::from_be_bytes(random()?));
        self.plan(id, delivery, Message::Notice(notice), Tries::One).await?;
        let look = async {
            loop {
                match self.store.delivery(delivery).await? {
                    Some(found) if !matches!(found.state, DeliveryState::Waiting | DeliveryState::Retrying) => {
                        return Ok(found);
                    }
                    _ => tokio::time::sleep(TEST_LOOK).await,
                }
            }
        };
        match tokio::time::timeout(self.test_patience, look).await {
            Ok(found) => found,
            Err(_) => self.known(delivery).await,
        }
    }

    async fn recover(&self, id: ChannelId, since: Timestamp) -> Result<u64> {
        self.view(id).await?;
        let n = self.store.recover(id, since, self.clock.now(), RECOVER_MAX).await?;
        self.book.ring();
        Ok(n)
    }

    async fn retry(&self, id: DeliveryId) -> Result<Delivery> {
        if !self.store.retry(id, self.clock.now()).await? {
            return Err(Fault::not_found("delivery"));
        }
        self.book.ring();
        self.known(id).await
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        self.store.delivery(id).await
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>> {
        self.store.deliveries(filter, page).await
    }

    async fn tell(&self, channel: ChannelId, key: Text, notice: Notice) -> Result<DeliveryId> {
        self.view(channel).await?;
        let bytes: usize = notice.attachments.iter().map(|file| file.bytes.len()).sum();
        if bytes > ATTACHMENTS_MAX_BYTES || notice.text.chars().count() > NOTICE_CHARS_MAX {
            return Err(bad(&format!(
                "a notice has at most {NOTICE_CHARS_MAX} characters and {ATTACHMENTS_MAX_BYTES} bytes of files"
            )));
        }
        let id = DeliveryId(hash128(&[&channel.to_string(), "notice", &key]));
        self.plan(channel, id, Message::Notice(notice), Tries::Many).await?;
        Ok(id)
    }
}

impl Channels {
    async fn view(&self, id: ChannelId) -> Result<ChannelView> {
        self.channel(id).await?.ok_or_else(|| Fault::not_found("channel"))
    }

    async fn known(&self, id: DeliveryId) -> Result<Delivery> {
        self.store.delivery(id).await?.ok_or_else(|| Fault::not_found("delivery"))
    }

    /// The channel and the version it is.
    async fn read(&self, id: ChannelId) -> Result<(Channel, u64)> {
        let document = self.documents.get(KIND, &id.to_string()).await?.ok_or_else(|| Fault::not_found("channel"))?;
        let channel = serde_json::from_value(document.body)
            .map_err(|error| Fault::new(FaultCode::Store, format!("the channel cannot be read: {error}")))?;
        Ok((channel, document.version))
    }

    async fn put(&self, viewer: &Viewer, channel: Channel, version: u64) -> Result<()> {
        let body = serde_json::to_value(&channel)
            .map_err(|error| Fault::new(FaultCode::Internal, format!("the channel cannot be written: {error}")))?;
        let document = Document {
            kind: Text::from(KIND),
            id: Text::from(channel.id.to_string()),
            version,
            body,
            by: viewer.name.clone(),
            at: self.clock.now(),
            note: None,
        };
        self.documents.put(document).await?;
        self.book.reload().await
    }

    fn add_secret(&self, channel: &mut Channel) -> Result<Secret> {
        let secret = new_secret(&random::<32>()?);
        let sealed = self.vault.seal(&secret_purpose(channel.id), &secret)?;
        let text = secret.expose().trim_end_matches('=');
        let hint = format!("…{}", &text[text.len().saturating_sub(HINT_CHARS)..]);
        channel.secrets.insert(0, SigningSecret { sealed, hint, retires_at: None });
        Ok(secret)
    }

    async fn plan(&self, channel: ChannelId, id: DeliveryId, message: Message, tries: Tries) -> Result<()> {
        let new = NewDelivery { id, alert: None, change: None, message, wait_ms: 0, tries, when: When::Always };
        let plan = ChannelPlan {
            channel,
            cursor: None,
            now: self.clock.now(),
            deliveries: vec![new],
            told: Vec::new(),
            digest_at: None,
        };
        self.store.plan(vec![plan]).await?;
        self.book.ring();
        Ok(())
    }
}

fn blank(id: ChannelId, kind: ChannelKind, viewer: &Viewer, now: Timestamp) -> Channel {
    Channel {
        id,
        name: Text::default(),
        kind,
        format: PayloadFormat::Native,
        target: String::new(),
        target_shown: String::new(),
        token: None,
        secrets: Vec::new(),
        filter: riskgraph_domain::delivery::ChannelFilter::default(),
        digest: None,
        time_zone: None,
        group_wait_s: 0,
        repeat_s: None,
        created_by: viewer.name.clone(),
        created_at: now,
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::new(FaultCode::Internal, format!("the system gives no randomness: {error}")))?;
    Ok(bytes)
}
