//! `riskgraph verify`: checks a report against its signature, without a service and without a network.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use riskgraph_report::sign::{PublicKey, verify};

use super::{Done, EXIT_DONE, EXIT_FINDINGS, Failure, SettingsArgs};

/// Bytes of a file that is checked; reports have some 100 KB.
const FILE_BYTES_MAX: u64 = 256 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code 0: valid. 1: not valid. 2: wrong use.

Examples:
  riskgraph verify riskgraph-board-20260302T080000Z.pdf
  riskgraph verify report.html --signature report.html.sig --key key.txt
  riskgraph verify --key                       (prints this installation's public key)
  curl https://riskgraph.example/reports/key   (the same, from a running service)")]
pub(super) struct Verify {
    /// The report's file.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Its signature; FILE.sig when not given.
    #[arg(long, value_name = "FILE.sig")]
    signature: Option<PathBuf>,
    /// The public key you trust: a file, or the key itself. Without it that of this installation, when it has one.
    /// Without FILE and without a value: prints this installation's.
    #[arg(long, value_name = "PUB", num_args = 0..=1)]
    key: Option<Option<String>>,
    #[command(flatten)]
    settings: SettingsArgs,
}

impl Verify {
    pub(super) async fn run(self) -> Done {
        match (&self.file, &self.key) {
            (None, Some(None)) => self.print_key().await,
            (None, _) => Err(Failure::Use(anyhow!("give the report's file; `riskgraph verify --key` prints the key"))),
            (Some(file), key) => {
                let given = match key {
                    Some(Some(text)) => Some(read_key(text)?),
                    Some(None) => return Err(Failure::Use(anyhow!("--key: give the key, or a file that holds it"))),
                    None => None,
                };
                self.check(file, given).await
            }
        }
    }

    async fn print_key(&self) -> Done {
        let own = self.own_key().await?;
        let key = own.ok_or_else(|| {
            Failure::Use(anyhow!("this installation has no signing key yet: it is made with the first report"))
        })?;
        println!("{}", key.to_text());
        eprintln!("key id {}", key.id());
        Ok(EXIT_DONE)
    }

    async fn check(&self, path: &Path, given: Option<PublicKey>) -> Done {
        let file = read(path)?;
        let mut beside = path.as_os_str().to_owned();
        beside.push(".sig");
        let signature = read(self.signature.as_deref().unwrap_or(Path::new(&beside)))?;
        let trusted = match given {
            Some(key) => Some(key),
            None => self.own_key().await?,
        };
        match verify(&file, &signature, trusted.as_ref()) {
            Ok(valid) => {
                let manifest = valid.manifest;
                println!("valid: {}", path.display());
                println!("  {} as of {}, since {}", manifest.title, manifest.as_of, manifest.since);
                println!("  report {}, {}, signed with key {}", manifest.report, valid.format.as_str(), valid.key_id);
                if trusted.is_none() {
                    println!("  the key came with the signature: compare its id with the sender's, or give --key");
                }
                Ok(EXIT_DONE)
            }
            Err(invalid) => {
                println!("NOT VALID: {}", path.display());
                println!("  {invalid}");
                Ok(EXIT_FINDINGS)
            }
        }
    }

    /// The key of this installation; none when there is no data here.
    async fn own_key(&self) -> Result<Option<PublicKey>, Failure> {
        let config = self.settings.load()?;
        if config.store.url.is_empty() && !config.store.data_dir.join("riskgraph.db").exists() {
            return Ok(None);
        }
        let store = crate::app::open_store(&config).await?;
        Ok(crate::reports::keys::public_key(store.documents().as_ref()).await?)
    }
}

/// The key in a file of this name, or the text itself.
fn read_key(given: &str) -> Result<PublicKey, Failure> {
    let text = match std::fs::read_to_string(given) {
        Ok(text) => text,
        Err(_) => given.to_owned(),
    };
    PublicKey::parse(&text).map_err(|invalid| Failure::Use(anyhow!("--key: {invalid}")))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let cannot = || format!("{} cannot be read", path.display());
    let size = std::fs::metadata(path).with_context(cannot).map_err(Failure::Use)?.len();
    if size > FILE_BYTES_MAX {
        return Err(Failure::Use(anyhow!("{} is no report: it has {size} bytes", path.display())));
    }
    std::fs::read(path).with_context(cannot).map_err(Failure::Use)
}
