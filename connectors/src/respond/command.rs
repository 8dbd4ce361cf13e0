//! Commands the operator listed, run as they stand: no shell, no part of a request in their arguments, nothing inherited.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use riskgraph_domain::error::Fault;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::fault::{configuration, refused, upstream};

/// A command that has not ended by then is killed; `nginx -t` with large certificates takes a second.
const COMMAND_MAX: Duration = Duration::from_secs(10);
/// Bytes kept of what a command prints: a set of 65,536 elements is near 8 MiB as JSON.
const OUTPUT_MAX_BYTES: u64 = 16 << 20;
/// Characters quoted of what it complains.
const COMPLAINT_CHARS: usize = 200;
/// Words of a command.
const WORDS_MAX: usize = 32;
/// Where commands look for helpers; the service's own environment may hold secrets and is not passed on.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A command as configured.
#[derive(Debug, Clone)]
pub(super) struct Argv(Vec<String>);

impl Argv {
    /// Takes a configured command; empty for none.
    ///
    /// # Errors
    /// `Configuration` unless its first word is an absolute path.
    pub(super) fn new(key: &str, words: &[String]) -> Result<Option<Self>, Fault> {
        let Some(program) = words.first() else { return Ok(None) };
        if !Path::new(program).is_absolute() || words.len() > WORDS_MAX {
            let message = format!("{key}: a command is an absolute path and at most {} words", WORDS_MAX - 1);
            return Err(configuration(message));
        }
        Ok(Some(Self(words.to_vec())))
    }

    /// The program's name, for people.
    pub(super) fn name(&self) -> String {
        self.0.first().map_or_else(String::new, |program| super::file::name(Path::new(program)))
    }

    /// Runs it with this input and gives what it printed.
    ///
    /// # Errors
    /// `Upstream` when it cannot be run or takes too long, `UpstreamRefused` with its complaint when it ends badly.
    pub(super) async fn run(&self, input: &[u8]) -> Result<Vec<u8>, Fault> {
        let name = self.name();
        let done = tokio::time::timeout(COMMAND_MAX, self.run_unbounded(input)).await;
        let (ended, out, complaint) = done
            .map_err(|_| upstream(format!("{name} did not end within {} s", COMMAND_MAX.as_secs())))?
            .map_err(|error| upstream(format!("{name} cannot be run: {}", error.kind())))?;
        if ended.success() {
            return Ok(out);
        }
        let complaint: String = String::from_utf8_lossy(&complaint)
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(COMPLAINT_CHARS)
            .collect();
        Err(refused(format!("{name} failed: {}", complaint.trim())))
    }

    async fn run_unbounded(&self, input: &[u8]) -> std::io::Result<(std::process::ExitStatus, Vec<u8>, Vec<u8>)> {
        let mut command = Command::new(self.0.first().map_or("", String::as_str));
        command
            .args(self.0.iter().skip(1))
            .env_clear()
            .env("PATH", PATH)
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async move {
            if let Some(mut stdin) = stdin {
                // A command that does not read its input is told apart by how it ends.
                let _ = stdin.write_all(input).await;
            }
        };
        let (mut out, mut complaint) = (Vec::new(), Vec::new());
        let read_out = async {
            if let Some(stdout) = stdout {
                let _ = stdout.take(OUTPUT_MAX_BYTES).read_to_end(&mut out).await;
            }
        };
        let read_complaint = async {
            if let Some(stderr) = stderr {
                let _ = stderr.take(64 << 10).read_to_end(&mut complaint).await;
            }
        };
        tokio::join!(feed, read_out, read_complaint);
        let ended = child.wait().await?;
        Ok((ended, out, complaint))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Argv {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Argv::new("x.reload", &words).expect("a command").expect("not empty")
    }

    #[tokio::test]
    async fn runs_what_is_listed_and_says_how_it_ended() {
        assert_eq!(argv(&["/bin/cat"]).run(b"hello").await.expect("runs"), b"hello");
        // No shell: what looks like one is an argument.
        let echoed = argv(&["/bin/echo", "$(id)", ";", "`id`"]).run(b"").await.expect("runs");
        assert_eq!(String::from_utf8_lossy(&echoed), "$(id) ; `id`\n");
        let fault = argv(&["/bin/sh", "-c", "echo 'bad\tthing' >&2; exit 3"]).run(b"").await.expect_err("fails");
        assert_eq!(fault.message, "sh failed: bad thing");
        assert!(!fault.code.retry());
        assert!(argv(&["/nowhere/nginx"]).run(b"").await.expect_err("is not there").code.retry());
        let seen = argv(&["/usr/bin/env"]).run(b"").await.expect("runs");
        assert!(!String::from_utf8_lossy(&seen).contains("CARGO"), "nothing of ours is inherited");
    }

    #[test]
    fn takes_absolute_programs_only() {
        assert!(Argv::new("k", &["nginx".to_owned()]).is_err());
        assert!(Argv::new("k", &[]).expect("none").is_none());
        assert!(Argv::new("k", &vec!["/x".to_owned(); 33]).is_err());
    }
}
