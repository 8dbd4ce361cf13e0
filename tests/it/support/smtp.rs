//! A small mail server on loopback: takes mail, or refuses it as it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail as it came.
#[derive(Debug, Clone, Default)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
}

/// What it does with the next conversation.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    Good,
    /// Says nothing for so long before it greets.
    SlowGreeting(Duration),
    /// Answers a recipient so.
    Recipient(u16),
    /// Answers the end of the mail so.
    Data(u16),
    /// Hangs up after the greeting.
    HangUp,
}

/// The server; stops when dropped.
pub struct Smtp {
    pub address: SocketAddr,
    mails: Arc<Mutex<Vec<Mail>>>,
    moods: Arc<Mutex<Vec<Mood>>>,
    task: JoinHandle<()>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Smtp {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mails: Arc<Mutex<Vec<Mail>>> = Arc::default();
        let moods: Arc<Mutex<Vec<Mood>>> = Arc::default();
        let (record, next) = (Arc::clone(&mails), Arc::clone(&moods));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mood = {
                    let mut moods = next.lock();
                    if moods.is_empty() { Mood::Good } else { moods.remove(0) }
                };
                let record = Arc::clone(&record);
                tokio::spawn(async move {
                    // A peer that goes away ends its conversation.
                    let _ = talk(stream, mood, record).await;
                });
            }
        });
        Self { address, mails, moods, task }
    }

    /// The moods of the next conversations; afterwards it is good.
    pub fn moods(&self, moods: &[Mood]) {
        self.moods.lock().extend_from_slice(moods);
    }

    pub async fn wait(&self, n: usize) -> Vec<Mail> {
        super::wait_for(&format!("{n} mails"), || async {
            Some(self.mails.lock().clone()).filter(|mails| mails.len() >= n)
        })
        .await
    }
}

async fn talk(stream: TcpStream, mood: Mood, record: Arc<Mutex<Vec<Mail>>>) -> std::io::Result<()> {
    if let Mood::SlowGreeting(wait) = mood {
        tokio::time::sleep(wait).await;
    }
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.test ESMTP\r\n").await?;
    if matches!(mood, Mood::HangUp) {
        return Ok(());
    }
    let mut mail = Mail::default();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let command = line.trim_end().to_owned();
        let upper = command.to_uppercase();
        let answer = match () {
            () if upper.starts_with("EHLO") => "250-mail.test\r\n250 8BITMIME".to_owned(),
            () if upper.starts_with("MAIL FROM:") => {
                mail = Mail { from: address(&command), ..Mail::default() };
                "250 ok".to_owned()
            }
            () if upper.starts_with("RCPT TO:") => match mood {
                Mood::Recipient(code) => format!("{code} <{}> is not here", address(&command)),
                _ => {
                    mail.to.push(address(&command));
                    "250 ok".to_owned()
                }
            },
            () if upper == "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.text = read_data(&mut stream).await?;
                match mood {
                    Mood::Data(code) => format!("{code} no"),
                    _ => {
                        record.lock().push(std::mem::take(&mut mail));
                        "250 taken".to_owned()
                    }
                }
            }
            () if upper == "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            () => "250 ok".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

fn address(command: &str) -> String {
    command.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

async fn read_data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 || line == b".\r\n" {
            return Ok(text);
        }
        text.push_str(&String::from_utf8_lossy(&line));
    }
}
