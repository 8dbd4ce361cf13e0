//! Reads the operator's files: vulnerabilities, scans, lists. Knows where they are, not what they mean.

use std::io::Read as _;
use std::path::Path;

use riskgraph_analysis::knowledge::{
    Buckets, DeliveryNetworks, EndOfLifeList, EpssList, KevList, Knowledge, NvdIndex, Technologies, breaches,
    code_leaks, extortions, scorecards,
};
use riskgraph_domain::{Fault, FaultCode};

use crate::config::KnowledgeConfig;

/// Largest file read, unpacked. A year of NVD has some 200 MB.
const FILE_BYTES_MAX: u64 = 1 << 30;

/// The bytes of a file, unpacked when it is gzip.
///
/// # Errors
/// When it cannot be read or is too large; the message names the key of the configuration.
pub fn read_file(key: &str, file: &Path) -> Result<Vec<u8>, Fault> {
    let wrong = |problem: String| Fault::new(FaultCode::Configuration, format!("{key}: {}: {problem}", file.display()));
    let open = std::fs::File::open(file).map_err(|error| wrong(format!("cannot be read ({error})")))?;
    let mut bytes = Vec::new();
    let mut packed = open.take(FILE_BYTES_MAX + 1);
    packed.read_to_end(&mut bytes).map_err(|error| wrong(format!("cannot be read ({error})")))?;
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let mut unpacked = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(FILE_BYTES_MAX + 1);
        reader.read_to_end(&mut unpacked).map_err(|error| wrong(format!("cannot be unpacked ({error})")))?;
        bytes = unpacked;
    }
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(wrong(format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Everything the configuration names, read and parsed.
///
/// # Errors
/// When a file cannot be read or is not of its form; the message names the key. Nothing is half loaded.
pub fn load(config: &KnowledgeConfig) -> Result<Knowledge, Fault> {
    let mut all = Knowledge::default();
    if let Some(bytes) = optional("knowledge.technologies_file", &config.technologies_file)? {
        let (technologies, n_bad) = formed("knowledge.technologies_file", Technologies::parse(&bytes))?;
        if n_bad > 0 {
            tracing::warn!(n_bad, "patterns of technologies_file need look-around or are too large and are not used");
        }
        all.technologies = Some(technologies);
    }
    load_vulnerabilities(config, &mut all)?;
    load_exposure(config, &mut all)?;
    load_incidents(config, &mut all)?;
    Ok(all)
}

fn load_vulnerabilities(config: &KnowledgeConfig, all: &mut Knowledge) -> Result<(), Fault> {
    if !config.nvd_files.is_empty() {
        let products = all.products();
        let mut index = NvdIndex::default();
        for file in &config.nvd_files {
            formed("knowledge.nvd_files", index.add(&read_file("knowledge.nvd_files", file)?, &products))?;
        }
        all.nvd = Some(index);
    }
    if let Some(bytes) = optional("knowledge.kev_file", &config.kev_file)? {
        all.kev = Some(formed("knowledge.kev_file", KevList::parse(&bytes))?);
    }
    let mut lists = Vec::new();
    for file in config.epss_files.iter().rev().take(2) {
        lists.push(EpssList::parse(&text(&read_file("knowledge.epss_files", file)?)));
    }
    let mut lists = lists.into_iter();
    (all.epss, all.epss_before) = (lists.next(), lists.next());
    if let Some(bytes) = optional("knowledge.end_of_life_file", &config.end_of_life_file)? {
        all.end_of_life = Some(formed("knowledge.end_of_life_file", EndOfLifeList::parse(&bytes))?);
    }
    for entry in &config.scorecard_files {
        let key = "knowledge.scorecard_files";
        let Some((domain, file)) = entry.split_once('=') else {
            return Err(Fault::new(FaultCode::Configuration, format!("{key}: '{entry}' is not DOMAIN=FILE")));
        };
        let cards = scorecards(&text(&read_file(key, Path::new(file.trim()))?));
        all.scorecards.entry(domain.trim().to_ascii_lowercase()).or_default().extend(cards);
    }
    Ok(())
}

fn load_exposure(config: &KnowledgeConfig, all: &mut Knowledge) -> Result<(), Fault> {
    for file in &config.scan_files {
        let scan = all.scan.get_or_insert_default();
        let n_bad = scan.add(&text(&read_file("knowledge.scan_files", file)?));
        if n_bad > 0 {
            tracing::warn!(n_bad, file = %file.display(), "lines of the imported scan could not be read");
        }
    }
    if let Some(bytes) = optional("knowledge.buckets_file", &config.buckets_file)? {
        all.buckets = Some(Buckets::parse(&text(&bytes)));
    }
    for file in &config.address_lists {
        let name = file.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let list = text(&read_file("knowledge.address_lists", file)?);
        all.lists.get_or_insert_default().add(&name, &list);
    }
    if let Some(bytes) = optional("knowledge.routes_file", &config.routes_file)? {
        all.routes.get_or_insert_default().add_announced(&text(&bytes));
    }
    if let (Some(bytes), Some(routes)) = (optional("knowledge.roas_file", &config.roas_file)?, &mut all.routes) {
        formed("knowledge.roas_file", routes.add_authorised(&bytes))?;
    }
    if let Some(bytes) = optional("knowledge.delivery_networks_file", &config.delivery_networks_file)? {
        all.delivery = Some(DeliveryNetworks::parse(&text(&bytes)));
    }
    Ok(())
}

fn load_incidents(config: &KnowledgeConfig, all: &mut Knowledge) -> Result<(), Fault> {
    if let Some(bytes) = optional("knowledge.breaches_file", &config.breaches_file)? {
        all.breaches = Some(formed("knowledge.breaches_file", breaches(&bytes))?);
    }
    if let Some(bytes) = optional("knowledge.extortions_file", &config.extortions_file)? {
        all.extortions = Some(formed("knowledge.extortions_file", extortions(&bytes))?);
    }
    if let Some(bytes) = optional("knowledge.code_leaks_file", &config.code_leaks_file)? {
        all.code_leaks = Some(formed("knowledge.code_leaks_file", code_leaks(&bytes))?);
    }
    Ok(())
}

fn optional(key: &str, file: &Path) -> Result<Option<Vec<u8>>, Fault> {
    if file.as_os_str().is_empty() { Ok(None) } else { read_file(key, file).map(Some) }
}

fn formed<T>(key: &str, parsed: Result<T, serde_json::Error>) -> Result<T, Fault> {
    parsed.map_err(|error| Fault::new(FaultCode::Configuration, format!("{key}: the file is not of its form: {error}")))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn files_are_read_and_faults_name_the_key() {
        let dir = tempfile::tempdir().expect("dir");
        let write = |name: &str, bytes: &[u8]| -> PathBuf {
            let file = dir.path().join(name);
            std::fs::write(&file, bytes).expect("write");
            file
        };
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"#x\ncve,epss,percentile\nCVE-2021-1,0.5,0.9\n").expect("pack");
        let epss = write("epss.csv.gz", &packed.finish().expect("pack"));
        let kev = write("kev.json", br#"{"catalogVersion":"1","vulnerabilities":[{"cveID":"CVE-2021-1"}]}"#);
        let config = KnowledgeConfig { kev_file: kev, epss_files: vec![epss], ..KnowledgeConfig::default() };
        let all = load(&config).expect("loads");
        assert_eq!(all.epss.and_then(|list| list.of("CVE-2021-1")), Some(0.5));
        assert!(all.kev.is_some_and(|list| list.of("CVE-2021-1").is_some()) && all.nvd.is_none());
        let wrong = KnowledgeConfig { kev_file: write("no.json", b"no"), ..KnowledgeConfig::default() };
        assert!(load(&wrong).expect_err("no form").to_string().contains("knowledge.kev_file"));
        let gone = KnowledgeConfig { nvd_files: vec![dir.path().join("gone")], ..KnowledgeConfig::default() };
        assert!(load(&gone).expect_err("no file").to_string().contains("knowledge.nvd_files"));
    }
}
