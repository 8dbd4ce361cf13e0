//! From the configuration's words to the senders' options and the dispatcher's rules.

use std::time::Duration;

use riskgraph_connectors::net::{OutsideOptions, PlainHttp};
use riskgraph_connectors::notify::shape::Letterhead;
use riskgraph_connectors::notify::{NotifyOptions, Security, SmtpOptions};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::secret::Secret;

use super::worker::Rules;
use crate::config::{Config, DeliveryConfig, SmtpSecurity};

/// Folder of the files of `FILE` channels below the data folder, when none is named.
const FOLDER: &str = "delivery";

/// # Errors
/// When a network or the authority file is wrong.
pub(super) fn notify(config: &Config) -> Result<NotifyOptions, Fault> {
    let delivery = &config.delivery;
    let network = |text: &String| {
        text.parse().map_err(|_| wrong("allow_networks", format!("'{text}' is no network such as 10.20.0.0/16")))
    };
    let folder = match delivery.folder.as_os_str().is_empty() {
        true => config.store.data_dir.join(FOLDER),
        false => delivery.folder.clone(),
    };
    Ok(NotifyOptions {
        outside: OutsideOptions {
            allow_networks: delivery.allow_networks.iter().map(network).collect::<Result<_, _>>()?,
            plain_http: if delivery.allow_http { PlainHttp::Everywhere } else { PlainHttp::Listed },
            extra_ca_pem: authorities(delivery)?,
            timeout: seconds(delivery.timeout_s),
        },
        head: Letterhead {
            base_url: config.public_url().trim_end_matches('/').to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        folder,
        smtp: smtp(config)?,
    })
}

fn smtp(config: &Config) -> Result<SmtpOptions, Fault> {
    let smtp = &config.delivery.smtp;
    let password = match smtp.password_file.as_os_str().is_empty() {
        true => None,
        false => {
            let text = std::fs::read_to_string(&smtp.password_file)
                .map_err(|error| wrong("smtp.password_file", error.to_string()))?;
            Some(Secret::new(text.trim_end_matches(['\r', '\n'])))
        }
    };
    Ok(SmtpOptions {
        host: smtp.host.clone(),
        port: smtp.port,
        security: match smtp.security {
            SmtpSecurity::Starttls => Security::Starttls,
            SmtpSecurity::Tls => Security::Tls,
            SmtpSecurity::None => Security::None,
        },
        username: smtp.username.clone(),
        password,
        from: smtp.from.clone(),
        extra_ca_pem: authorities(&config.delivery)?,
        timeout: seconds(config.delivery.timeout_s),
    })
}

fn authorities(delivery: &DeliveryConfig) -> Result<Option<Vec<u8>>, Fault> {
    if delivery.ca_file.as_os_str().is_empty() {
        return Ok(None);
    }
    std::fs::read(&delivery.ca_file).map(Some).map_err(|error| wrong("ca_file", error.to_string()))
}

pub(super) fn rules(config: &DeliveryConfig) -> Rules {
    let timeout = seconds(config.timeout_s);
    Rules {
        schedule_ms: config.schedule_s.iter().map(|&s| millis(s)).collect(),
        disable_after_ms: millis(config.disable_after_s),
        parallel: config.parallel,
        // A sender keeps to its own limits; this one is for what it cannot see, such as a file system that hangs.
        send_limit: timeout * 4 + Duration::from_secs(5),
        test_patience: timeout + Duration::from_secs(2),
    }
}

fn seconds(given: f64) -> Duration {
    Duration::try_from_secs_f64(given).unwrap_or_default()
}

fn millis(seconds: f64) -> i64 {
    (seconds * 1_000.0) as i64
}

fn wrong(key: &str, problem: String) -> Fault {
    Fault::new(FaultCode::Configuration, format!("delivery.{key}: {problem}"))
}
