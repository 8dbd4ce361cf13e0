//! The real binary as a child process.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::client::Client;

/// A running `riskgraph serve`; killed when dropped.
pub struct Server {
    child: Child,
    pub url: String,
    /// The admin token, when this start printed one.
    pub first_token: Option<String>,
    /// The sign-in link, when this start printed one.
    pub link: Option<String>,
}

impl Server {
    /// Starts on the data folder and waits until it listens.
    pub async fn start(data_dir: &Path) -> Self {
        Self::start_configured(data_dir, None).await
    }

    /// Starts with a configuration file.
    pub async fn start_configured(data_dir: &Path, config: Option<&Path>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_riskgraph"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--data-dir"]).arg(data_dir);
        if let Some(config) = config {
            command.arg("--config").arg(config);
        }
        let mut child = command
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout is piped")).lines();
        let (mut first_token, mut link) = (None, None);
        let url = loop {
            let line = lines.next_line().await.expect("stdout reads").expect("the service listens before it ends");
            if let Some(url) = line.strip_prefix("riskgraph listens on ") {
                break url.to_owned();
            }
            if line.trim_start().starts_with("rg_") {
                first_token = Some(line.trim().to_owned());
            }
            if line.contains("/#code=") {
                link = Some(line.trim().to_owned());
            }
        };
        Self { child, url, first_token, link }
    }

    /// A client with the token of the first start.
    pub fn admin(&self) -> Client {
        Client::new(&self.url, self.first_token.as_deref().expect("a first start prints a token"))
    }

    /// SIGKILL, in the middle of whatever it does.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("the child can be killed");
    }

    /// SIGTERM, and waits for the orderly end.
    pub async fn stop(mut self) {
        let pid = self.child.id().expect("the child runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await.expect("kill runs");
        assert!(sent.success());
        let status = tokio::time::timeout(super::PATIENCE, self.child.wait())
            .await
            .expect("it ends in time")
            .expect("it is waited for");
        assert!(status.success(), "an orderly stop exits with 0, not {status}");
    }
}
