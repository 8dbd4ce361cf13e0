//! A request through the edge in the name of an address: the proof that a block holds. It must *not* know how it was made.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::Method;
use riskgraph_domain::error::Fault;
use tokio::time::{Instant, sleep};
use url::Url;

use super::config::NginxConfig;
use super::fault::configuration;
use super::http::{Call, Caller};

/// Between two looks while a reload is on its way.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Asks one URL with a header that names the address.
///
/// The edge must trust that header from where riskgraph runs (nginx: `set_real_ip_from`, `real_ip_header`).
pub(super) struct Probe {
    caller: Caller,
    url: Url,
    header: String,
    status: u16,
}

/// What was seen.
pub(super) struct Probed {
    pub refused: bool,
    pub text: String,
}

impl Probe {
    pub(super) fn new(name: &str, config: &NginxConfig) -> Result<Option<Self>, Fault> {
        if config.probe_url.is_empty() {
            return Ok(None);
        }
        let url = Url::parse(&config.probe_url)
            .map_err(|error| configuration(format!("connector {name}: probe_url: {error}")))?;
        let caller = Caller::new(name, &config.net)?;
        Ok(Some(Self { caller, url, header: config.probe_header.clone(), status: config.probe_status }))
    }

    /// Looks until the edge does as wanted or the time is up.
    ///
    /// # Errors
    /// When the edge does not answer at all.
    pub(super) async fn sees(&self, address: IpAddr, wanted: bool, patience: Duration) -> Result<Probed, Fault> {
        let deadline = Instant::now() + patience;
        loop {
            let call = Call::new(Method::GET, self.url.clone()).header(&self.header, &address.to_string())?;
            let answer = self.caller.call(call).await?;
            let refused = answer.status == self.status;
            if refused == wanted || Instant::now() >= deadline {
                let text = format!("a request as {address} was answered {}", answer.status);
                return Ok(Probed { refused, text });
            }
            sleep(LOOK_EVERY).await;
        }
    }
}
