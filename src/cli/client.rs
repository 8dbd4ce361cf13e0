//! Talks to a running service.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;

use super::Failure;

/// Largest answer that is read, bytes: a full list of rejects.
const ANSWER_BYTES_MAX: usize = 8 << 20;
/// Largest file that is downloaded, bytes: many times the longest report.
const FILE_BYTES_MAX: usize = 256 << 20;

/// Where the service is and how to get in.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ServerArgs {
    /// URL of the service.
    #[arg(long, env = "RISKGRAPH_SERVER", default_value = "http://127.0.0.1:8480", value_name = "URL")]
    server: String,
    /// Access token.
    #[arg(long, env = "RISKGRAPH_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

/// A client of one service.
pub(super) struct Server {
    client: Client,
    base: String,
    token: String,
}

/// An answer: its status, `Retry-After` and JSON.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    pub(super) body: Value,
}

impl ServerArgs {
    /// A service at this URL.
    pub(super) fn at(server: String, token: Option<String>) -> Self {
        Self { server, token }
    }

    pub(super) fn connect(&self) -> Result<Server, Failure> {
        let token = self.token.clone().ok_or_else(|| {
            Failure::Use(anyhow!(
                "no token: give --token or set RISKGRAPH_TOKEN; `riskgraph token create --role ingest` makes one"
            ))
        })?;
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .timeout(Duration::from_secs(120))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()?;
        Ok(Server { client, base: self.server.trim_end_matches('/').to_owned(), token })
    }
}

impl Server {
    /// Sends a body to a path.
    pub(super) async fn post(&self, path: &str, encoding: Option<&str>, body: Vec<u8>) -> anyhow::Result<Answer> {
        let mut request =
            self.client.post(format!("{}{path}", self.base)).header("content-type", "application/x-ndjson").body(body);
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        self.send(request).await
    }

    /// Runs a GraphQL document and gives its data.
    pub(super) async fn graphql(&self, query: &str, variables: Value) -> anyhow::Result<Value> {
        let request = self
            .client
            .post(format!("{}/graphql", self.base))
            .json(&serde_json::json!({ "query": query, "variables": variables }));
        let mut answer = self.send(request).await?;
        match answer.body.get("errors").and_then(|errors| errors.get(0)) {
            Some(error) => Err(anyhow!("{}", error.get("message").and_then(Value::as_str).unwrap_or("unknown error"))),
            None if !answer.status.is_success() => {
                Err(anyhow!("the service answered {}: {}", answer.status, answer.body))
            }
            None => Ok(answer.body["data"].take()),
        }
    }

    /// Downloads a file.
    pub(super) async fn download(&self, path: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token);
        let sent = request.send().await;
        let mut response =
            sent.with_context(|| format!("{} does not answer; is `riskgraph serve` running?", self.base))?;
        if !response.status().is_success() {
            return Err(anyhow!("the service answered {} for {path}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > FILE_BYTES_MAX {
                return Err(anyhow!("the file is larger than {FILE_BYTES_MAX} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }

    async fn send(&self, request: RequestBuilder) -> anyhow::Result<Answer> {
        let sent = request.bearer_auth(&self.token).send().await;
        let mut response =
            sent.with_context(|| format!("{} does not answer; is `riskgraph serve` running?", self.base))?;
        let retry_after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(anyhow!("the service's answer is larger than {ANSWER_BYTES_MAX} bytes"));
            }
            bytes.extend_from_slice(&chunk);
        }
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Answer { status, retry_after, body })
    }
}
