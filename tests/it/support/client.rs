//! A client of the service's HTTP interfaces.

use futures::StreamExt as _;
use futures::stream::BoxStream;
use serde_json::{Value, json};

/// One base URL and token.
#[derive(Clone)]
pub struct Client {
    pub url: String,
    pub token: String,
    http: reqwest::Client,
}

/// Status and JSON of an answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

impl Client {
    pub fn new(url: &str, token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("client builds");
        Self { url: url.to_owned(), token: token.to_owned(), http }
    }

    /// The same client with another token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    pub async fn try_post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> reqwest::Result<Answer> {
        let mut request = self.http.post(format!("{}{path}", self.url)).body(body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await?).await
    }

    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> Answer {
        self.try_post(path, &[], body.into()).await.expect("the service answers")
    }

    pub async fn get(&self, path: &str) -> Answer {
        let mut request = self.http.get(format!("{}{path}", self.url));
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        answer(request.send().await.expect("the service answers")).await.expect("the answer reads")
    }

    pub async fn delete(&self, path: &str) -> Answer {
        let request = self.http.delete(format!("{}{path}", self.url)).bearer_auth(&self.token);
        answer(request.send().await.expect("the service answers")).await.expect("the answer reads")
    }

    /// Runs a document and gives `data`; errors of GraphQL fail the test.
    pub async fn graphql(&self, query: &str, variables: Value) -> Value {
        let answer = self.graphql_raw(query, variables).await;
        assert!(answer.body.get("errors").is_none(), "{query}: {}", answer.body);
        answer.body["data"].clone()
    }

    /// Runs a document and gives the whole answer.
    pub async fn graphql_raw(&self, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.try_post("/graphql", &[("content-type", "application/json")], body.into_bytes())
            .await
            .expect("the service answers")
    }

    /// Value of a metric without labels.
    pub async fn metric(&self, name: &str) -> Option<f64> {
        let text = self.get("/metrics").await.body;
        let line = text.as_str()?.lines().find(|line| line.starts_with(&format!("{name} ")))?.to_owned();
        line.split(' ').nth(1)?.parse().ok()
    }

    /// Waits until everything accepted is judged.
    pub async fn wait_judged(&self) {
        super::wait_for("the pipeline to catch up", || async {
            (self.metric("riskgraph_events_lag").await == Some(0.0)).then_some(())
        })
        .await;
    }

    /// Payloads of a subscription over server-sent events; ends when the connection does.
    pub async fn subscribe(&self, query: &str, variables: Value) -> reqwest::Result<BoxStream<'static, Value>> {
        let response = self
            .http
            .post(format!("{}/graphql", self.url))
            .bearer_auth(&self.token)
            .header("accept", "text/event-stream")
            .header("content-type", "application/json")
            .body(json!({ "query": query, "variables": variables }).to_string())
            .send()
            .await?
            .error_for_status()?;
        let bytes = response.bytes_stream();
        let events = futures::stream::unfold((bytes, String::new()), |(mut bytes, mut buffer)| async move {
            loop {
                if let Some(end) = buffer.find("\n\n") {
                    let event: String = buffer.drain(..end + 2).collect();
                    let data: String =
                        event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim_start).collect();
                    let is_next = event.lines().any(|line| line == "event: next" || line == "event:next");
                    match serde_json::from_str(&data) {
                        Ok(value) if is_next => return Some((value, (bytes, buffer))),
                        _ => continue,
                    }
                }
                buffer.push_str(&String::from_utf8_lossy(&bytes.next().await?.ok()?));
            }
        });
        Ok(events.boxed())
    }
}

#[expect(clippy::disallowed_methods, reason = "the peer is our own service")]
async fn answer(response: reqwest::Response) -> reqwest::Result<Answer> {
    let status = response.status().as_u16();
    let text = response.text().await?;
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Ok(Answer { status, body })
}
