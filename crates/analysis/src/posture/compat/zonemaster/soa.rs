//! What the SOA records of the servers say: CONSISTENCY01 to 03 and 06, ZONE02 to 06.

use std::collections::BTreeSet;

use riskgraph_domain::observation::DomainObservations;

use super::Tags;

/// The engine's default profile, in seconds.
const REFRESH_MIN: u32 = 14_400;
const RETRY_MIN: u32 = 3_600;
const EXPIRE_MIN: u32 = 604_800;
const MINIMUM_MAX: u32 = 86_400;
const MINIMUM_MIN: u32 = 300;

/// One SOA record.
struct Soa {
    mname: String,
    rname: String,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
}

fn read(record: &str) -> Option<Soa> {
    let fields: Vec<&str> = record.split_whitespace().collect();
    let number = |place: usize| fields.get(place)?.parse().ok();
    Some(Soa {
        mname: fields.first()?.to_ascii_lowercase(),
        rname: fields.get(1)?.to_ascii_lowercase(),
        serial: number(2)?,
        refresh: number(3)?,
        retry: number(4)?,
        expire: number(5)?,
        minimum: number(6)?,
    })
}

pub(super) fn tags(tags: &mut Tags, seen: &DomainObservations) {
    let shown = seen.dns.name_servers.iter().filter_map(|server| server.probes.as_ref()?.soa.as_deref());
    let mut records: Vec<Soa> = shown.filter_map(read).collect();
    if records.is_empty() {
        records = seen.dns.records(&seen.domain, "SOA").iter().filter_map(|record| read(record)).collect();
    }
    let Some(first) = records.first() else { return };
    timers(tags, first);
    tags.add("ONE_SOA");
    let serials: BTreeSet<u32> = records.iter().map(|soa| soa.serial).collect();
    tags.add("SOA_SERIAL");
    if serials.len() == 1 {
        tags.add("ONE_SOA_SERIAL");
    } else {
        tags.add("MULTIPLE_SOA_SERIALS");
        tags.add("SOA_SERIAL_VARIATION");
    }
    let count = |of: fn(&Soa) -> String| records.iter().map(of).collect::<BTreeSet<_>>().len();
    match count(|soa| soa.rname.clone()) {
        1 => tags.add("ONE_SOA_RNAME"),
        _ => {
            tags.add("MULTIPLE_SOA_RNAMES");
            tags.add("SOA_RNAME");
        }
    }
    match count(|soa| format!("{} {} {} {}", soa.refresh, soa.retry, soa.expire, soa.minimum)) {
        1 => tags.add("ONE_SOA_TIME_PARAMETER_SET"),
        _ => {
            tags.add("MULTIPLE_SOA_TIME_PARAMETER_SET");
            tags.add("SOA_TIME_PARAMETER_SET");
        }
    }
    tags.either((count(|soa| soa.mname.clone()) == 1).into(), "ONE_SOA_MNAME", "MULTIPLE_SOA_MNAMES");
}

fn timers(tags: &mut Tags, soa: &Soa) {
    tags.either((soa.refresh < REFRESH_MIN).into(), "REFRESH_MINIMUM_VALUE_LOWER", "REFRESH_MINIMUM_VALUE_OK");
    tags.either((soa.retry >= soa.refresh).into(), "REFRESH_LOWER_THAN_RETRY", "REFRESH_HIGHER_THAN_RETRY");
    tags.either((soa.retry < RETRY_MIN).into(), "RETRY_MINIMUM_VALUE_LOWER", "RETRY_MINIMUM_VALUE_OK");
    if soa.expire < EXPIRE_MIN {
        tags.add("EXPIRE_MINIMUM_VALUE_LOWER");
    }
    if soa.expire < soa.refresh {
        tags.add("EXPIRE_LOWER_THAN_REFRESH");
    }
    if soa.expire >= EXPIRE_MIN && soa.expire >= soa.refresh {
        tags.add("EXPIRE_MINIMUM_VALUE_OK");
    }
    tags.add(match soa.minimum {
        minimum if minimum > MINIMUM_MAX => "SOA_DEFAULT_TTL_MAXIMUM_VALUE_HIGHER",
        minimum if minimum < MINIMUM_MIN => "SOA_DEFAULT_TTL_MAXIMUM_VALUE_LOWER",
        _ => "SOA_DEFAULT_TTL_MAXIMUM_VALUE_OK",
    });
}
