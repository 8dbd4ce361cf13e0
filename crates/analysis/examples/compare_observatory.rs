//! Compares Observatory verdicts with recorded ones: NDJSON of `{"har": ..., "expected": {score, grade, tests}}` on standard
//! input, where `tests` is by Observatory's class name or by ours. Argument: the algorithm (4, 5 or 6).

use std::collections::BTreeMap;
use std::io::BufRead as _;

use riskgraph_domain::Timestamp;
use riskgraph_pages::har::Recording;
use serde_json::Value;

const NAMES: &[(&str, &str)] = &[
    ("CspOutput", "content-security-policy"),
    ("CookiesOutput", "cookies"),
    ("CorsOutput", "cross-origin-resource-sharing"),
    ("RedirectionOutput", "redirection"),
    ("ReferrerOutput", "referrer-policy"),
    ("StrictTransportSecurityOutput", "strict-transport-security"),
    ("SubresourceIntegrityOutput", "subresource-integrity"),
    ("XContentTypeOptionsOutput", "x-content-type-options"),
    ("XFrameOptionsOutput", "x-frame-options"),
    ("CrossOriginResourcePolicyOutput", "cross-origin-resource-policy"),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let part = match std::env::args().nth(1).as_deref() {
        Some("4") => "observatory-v4",
        Some("5") => "observatory-v5",
        _ => "observatory",
    };
    let (mut n, mut wrong) = (0, BTreeMap::<String, Vec<String>>::new());
    for line in std::io::stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        let recording = Recording::read(case["har"].to_string().as_bytes())?;
        let all = riskgraph_analysis::posture::compat(&recording.observations(Timestamp(0)));
        let got = &all[part];
        n += 1;
        for (name, want) in case["expected"]["tests"].as_object().into_iter().flatten() {
            let ours = NAMES.iter().find(|(theirs, _)| theirs == name).map_or(name.as_str(), |(_, ours)| ours);
            for key in ["result", "pass", "modifier"] {
                let (got, want) = (&got["tests"][ours][key], &want[key]);
                if got != want {
                    wrong.entry(format!("{ours}: {want} is {got}")).or_default().push(case["har"].to_string());
                }
            }
        }
        for key in ["score", "grade"] {
            if got[key] != case["expected"][key] {
                wrong.entry(key.to_owned()).or_default().push(case["har"].to_string());
            }
        }
    }
    for (what, cases) in &wrong {
        let shortest = cases.iter().min_by_key(|case| case.len()).map_or("", String::as_str);
        println!("{} x {what}\n    {shortest}", cases.len());
    }
    println!("{n} cases, {} kinds of difference", wrong.len());
    Ok(())
}
