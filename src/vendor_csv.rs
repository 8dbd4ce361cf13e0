//! Vendors from a CSV file.

use riskgraph_domain::Text;
use riskgraph_domain::error::{Fault, FaultCode, Reject};
use riskgraph_domain::vendor::{VendorInput, VendorRows, VendorTable, VendorTier};
use serde::Deserialize;

/// Rows read from one file: more vendors than that are an export gone wrong.
const ROWS_MAX: usize = 100_000;

/// One row; lists are separated by `;`.
#[derive(Debug, Deserialize)]
struct Row {
    name: String,
    #[serde(default)]
    domains: String,
    #[serde(default)]
    tier: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    integrations: String,
}

/// The table for the API.
#[derive(Debug, Clone, Copy)]
pub struct Table;

impl VendorTable for Table {
    fn read(&self, csv: &[u8]) -> Result<VendorRows, Fault> {
        let (rows, rejected) =
            read(csv).map_err(|problem| Fault::new(FaultCode::BadInput, format!("csv: {problem}")))?;
        Ok(VendorRows { rows, rejected })
    }
}

/// Usable rows with their lines, and what could not be used.
pub type Imported = (Vec<(u64, VendorInput)>, Vec<Reject>);

/// Reads the rows; bad ones are rejects with their line, good ones go on.
///
/// # Errors
/// When the file has no usable header.
pub fn read(bytes: &[u8]) -> Result<Imported, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(bytes);
    let headers = reader.headers().map_err(|error| format!("the header cannot be read: {error}"))?.clone();
    if !headers.iter().any(|column| column == "name") {
        return Err("the first line must be the header name,domains,tier,owner,integrations".to_owned());
    }
    let mut inputs = Vec::new();
    let mut rejects = Vec::new();
    for record in reader.records().take(ROWS_MAX) {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                rejects.push(Reject::new(line, FaultCode::Syntax, format!("the line is no CSV: {error}")));
                continue;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        match record.deserialize::<Row>(Some(&headers)).map_err(|error| error.to_string()).and_then(input_of) {
            Ok(input) => inputs.push((line, input)),
            Err(reason) => rejects.push(Reject::new(line, FaultCode::Field, reason)),
        }
    }
    Ok((inputs, rejects))
}

fn input_of(row: Row) -> Result<VendorInput, String> {
    if row.name.is_empty() {
        return Err("the name is empty; every vendor needs one".to_owned());
    }
    let tier = match row.tier.to_uppercase().as_str() {
        "" => None,
        tier => Some(
            VendorTier::parse(tier)
                .ok_or_else(|| format!("tier '{}' is unknown; use CRITICAL, HIGH, MEDIUM or LOW", row.tier))?,
        ),
    };
    let list = |text: &str| -> Vec<Text> {
        text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(Text::from).collect()
    };
    let integrations = list(&row.integrations);
    Ok(VendorInput {
        name: row.name.into(),
        domains: list(&row.domains),
        tier,
        owner: (!row.owner.is_empty()).then(|| row.owner.into()),
        integrations: (!integrations.is_empty()).then_some(integrations),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_rows_go_on_and_bad_ones_say_why() {
        let csv = "name,domains,tier,owner,integrations\nAcme,acme.example;acme.test,high,Mia,acme-ship\n,x.example,,,\nB,b.example,SOMETIMES,,\n\"C, Inc\",,,,\n";
        let (inputs, rejects) = read(csv.as_bytes()).expect("header is there");
        assert_eq!(inputs.len(), 2);
        assert_eq!(inputs[0].1.domains.len(), 2);
        assert_eq!(inputs[0].1.tier, Some(VendorTier::High));
        assert_eq!(inputs[1].1.name.as_str(), "C, Inc");
        assert_eq!(rejects.iter().map(|reject| reject.line).collect::<Vec<_>>(), vec![3, 4]);
        assert!(rejects[1].reason.contains("CRITICAL, HIGH"));
        assert!(read(b"a,b\n1,2\n").is_err());
    }
}
