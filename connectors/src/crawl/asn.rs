//! Which network announces an address, from a table on disk. No table, no answer: nothing is asked of anybody.
//!
//! Two public forms are read: ranges (`start<TAB>end<TAB>number...`, as iptoasn.com gives them) and prefixes
//! (`prefix<TAB>number`, as pyasn writes them). Lines that are neither are passed over.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::net::IpAddr;
use std::path::Path;

use ipnet::IpNet;

/// Bytes of a table that are read; the whole internet's is some 40 MiB.
const TABLE_MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Ranges kept; the internet has about a million prefixes.
const RANGES_MAX: usize = 4_000_000;

/// A table of networks, sorted.
#[derive(Debug, Default)]
pub(super) struct AsnTable {
    ranges: Vec<(u128, u128, u32)>,
}

impl AsnTable {
    /// Reads a table.
    ///
    /// # Errors
    /// The file cannot be opened or read.
    pub(super) fn read(path: &Path) -> std::io::Result<Self> {
        let file = BufReader::new(File::open(path)?.take(TABLE_MAX_BYTES));
        let mut ranges = Vec::new();
        for line in file.lines() {
            if ranges.len() >= RANGES_MAX {
                break;
            }
            ranges.extend(range(&line?));
        }
        ranges.sort_unstable();
        Ok(Self { ranges })
    }

    /// The number of the network the address belongs to: the narrowest range that holds it.
    pub(super) fn of(&self, address: IpAddr) -> Option<u32> {
        let key = number(address);
        let upto = self.ranges.partition_point(|(start, ..)| *start <= key);
        // Ranges may lie within one another; a handful of steps back finds the innermost.
        let near = &self.ranges[upto.saturating_sub(64)..upto];
        near.iter().rev().find(|(_, end, asn)| *end >= key && *asn != 0).map(|(.., asn)| *asn)
    }
}

/// Addresses as one line of numbers: IPv4 in its place within IPv6.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

fn range(line: &str) -> Option<(u128, u128, u32)> {
    let mut fields = line.split(['\t', ',', ' ']).filter(|field| !field.is_empty());
    let first = fields.next()?;
    let asn = |text: &str| text.trim_start_matches(['A', 'a']).trim_start_matches(['S', 's']).parse().ok();
    if let Ok(net) = first.parse::<IpNet>() {
        return Some((number(net.network()), number(net.broadcast()), asn(fields.next()?)?));
    }
    let (start, end) = (first.parse::<IpAddr>().ok()?, fields.next()?.parse::<IpAddr>().ok()?);
    Some((number(start), number(end), asn(fields.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_network_of_an_address() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("asn.tsv");
        let text = "192.0.2.0\t192.0.2.255\t64500\tZZ\tTEST\n198.51.100.0/24\t64501\n198.51.100.128/25\tAS64502\n\
                    2001:db8::/32 64503\n203.0.113.0\t203.0.113.255\t0\tNone\tNot routed\n; comment\n";
        std::fs::write(&path, text).expect("a file");
        let table = AsnTable::read(&path).expect("a table");
        let check = |address: &str, want: Option<u32>| {
            assert_eq!(table.of(address.parse().expect("an address")), want, "{address}");
        };
        check("192.0.2.53", Some(64500));
        check("198.51.100.1", Some(64501));
        check("198.51.100.200", Some(64502));
        check("2001:db8::53", Some(64503));
        check("203.0.113.7", None);
        check("10.0.0.1", None);
    }
}
