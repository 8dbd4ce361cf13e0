use std::path::PathBuf;

use super::*;

/// The repository, when the folder of development data is there.
fn repository() -> Option<(Repository, String)> {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(root.join("posture/jsrepository-v4.json")) else {
        println!("skipped: no repository (set RISKGRAPH_DATA)");
        return None;
    };
    let cases = std::fs::read_to_string(root.join("posture/testcases.json")).ok()?;
    Some((Repository::read(&text).expect("a repository"), cases))
}

const SMALL: &str = r#"{"lib":{"vulnerabilities":[
    {"below":"2.0.0","severity":"high","identifiers":{"CVE":["CVE-2020-1"],"summary":"bad"},"excludes":["1.12.4-aem"]},
    {"atOrAbove":"1.5.0","below":"1.6.0","identifiers":{"issue":"7"}}],
    "extractors":{"uri":["/lib/(§§version§§)/lib\\.js"],"filename":["lib-(§§version§§)(\\.min)?\\.js"],
    "filecontent":["/\\* lib v(§§version§§)"],"filecontentreplace":["/major:([0-9]+),minor:([0-9]+)/$1.$2.0/"],
    "hashes":{"aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d":"1.0.0"},"func":["lib.version"]}},
    "odd":{"extractors":{"filecontent":["(?<=x)a"]}}}"#;

#[test]
fn recognises_libraries_by_each_extractor() {
    let repository = Repository::read(SMALL).expect("a repository");
    assert_eq!(repository.unreadable.len(), 1);
    let check = |url: Option<&str>, text: Option<&str>, want: &[(&str, &str, usize)]| {
        let found = repository.scan(Script { url, text });
        let got: Vec<_> =
            found.iter().map(|l| (l.version.as_str(), l.detections[0].as_str(), l.vulnerabilities.len())).collect();
        assert_eq!(got, want, "{url:?} {text:?}");
    };
    check(Some("https://c.example/lib/1.5.1/lib.js?x"), None, &[("1.5.1", "uri", 2)]);
    check(Some("https://c.example/lib-1.2.0.min.js"), None, &[("1.2.0", "filename", 1)]);
    check(Some("https://c.example/lib-2.0.0.js"), None, &[("2.0.0", "filename", 0)]);
    check(None, Some("/* lib v1.12.4-aem */"), &[("1.12.4-aem", "filecontent", 0)]);
    check(None, Some("/* lib v1.12.4 */"), &[("1.12.4", "filecontent", 1)]);
    check(None, Some("{major:3,minor:1}"), &[("3.1.0", "filecontent", 0)]);
    check(None, Some("hello"), &[("1.0.0", "hash", 1)]);
    check(None, Some("nothing"), &[]);
    let one = repository.scan(Script { url: Some("https://c.example/lib-1.5.1.js"), text: Some("/* lib v1.5.1") });
    assert_eq!(one[0].detections, ["filename", "filecontent"]);
    assert_eq!(one[0].vulnerabilities[0].ids, ["CVE-2020-1"]);
    assert_eq!(one[0].vulnerabilities[1].ids, ["issue 7"]);
    assert!(Repository::read("[]").is_err());
}

#[test]
fn reads_the_whole_repository() {
    let Some((repository, _)) = repository() else { return };
    println!("{} patterns cannot be read: {:#?}", repository.unreadable.len(), repository.unreadable);
    assert!(repository.unreadable.len() <= 3, "{:#?}", repository.unreadable);
    let always = repository.content.always.len();
    println!("{} content patterns, {always} without a needle", repository.content.patterns.len());
    assert!(always * 4 < repository.content.patterns.len());
}

#[test]
fn recognises_published_addresses() {
    let Some((repository, cases)) = repository() else { return };
    let cases: serde_json::Value = serde_json::from_str(&cases).expect("cases");
    let (mut n, mut wrong) = (0, Vec::new());
    for (component, urls) in cases.as_object().into_iter().flatten() {
        for (template, case) in urls.as_object().into_iter().flatten() {
            // These are recognised by what stands in them.
            let by_content = case.get("contentOnly").is_some_and(|flag| flag == true);
            let sub = case["subversions"].get(0).and_then(serde_json::Value::as_str).unwrap_or("");
            for version in case["versions"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
                let url = template.replace("§§version§§", version).replace("§§subversion§§", sub);
                let found = repository.scan(Script { url: Some(&url), text: None });
                n += 1;
                let hit = found.iter().any(|library| &library.component == component && library.version == version);
                if !found.is_empty() && !hit && !by_content {
                    wrong.push(format!("{component} {url}: {found:?}"));
                }
            }
        }
    }
    println!("{n} addresses, {} wrong", wrong.len());
    assert!(n > 100);
    // `jquery.ui` and its parts share addresses: the part is told by content alone.
    assert!(wrong.len() * 20 < n, "{wrong:#?}");
}
