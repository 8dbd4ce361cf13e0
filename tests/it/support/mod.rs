//! What the black-box tests share: a running service and a client.

pub mod client;
pub mod receiver;
pub mod server;
pub mod smtp;

use std::time::{Duration, Instant};

/// Longest wait for anything: a debug build on a busy machine with two cores.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Asks again and again until the answer is there.
pub async fn wait_for<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
