//! Bringing in a table of vendors.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};
use riskgraph_domain::command::Change;
use riskgraph_domain::error::{Fault, FaultCode, Reject};
use riskgraph_domain::id::VendorId;
use riskgraph_domain::vendor::{Vendor, VendorInput};

use super::Administrator;
use crate::graphql::vendor::rechecked;

/// Rows of one import: they have to be judged within a request's time.
const ROWS_MAX: usize = 1_000;
/// Changes on their way at the same time; they share commits.
const CHANGES_MAX: usize = 32;

/// What became of the rows.
#[derive(Debug, Default)]
pub(crate) struct Imported {
    pub(crate) added: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    pub(crate) rejected: Vec<Reject>,
}

enum Became {
    Added,
    Updated,
    Unchanged,
}

impl Administrator {
    /// Adds the vendors of a CSV text and updates those that are there; bad lines are rejected, good ones go on.
    pub(crate) async fn import_vendors(&self, csv: &str) -> Result<Imported, Fault> {
        let table = self.services().vendor_table.read(csv.as_bytes())?;
        if table.rows.len() > ROWS_MAX {
            let message =
                format!("csv: at most {ROWS_MAX} vendors at once; split it, or use `riskgraph vendors import`");
            return Err(Fault::new(FaultCode::BadInput, message));
        }
        let mut imported = Imported { rejected: table.rejected, ..Imported::default() };
        let mut seen: BTreeMap<VendorId, u64> = BTreeMap::new();
        let mut rows = Vec::with_capacity(table.rows.len());
        for (line, input) in table.rows {
            match rechecked(input).and_then(|input| first_of(&mut seen, line, input)) {
                Ok(input) => rows.push((line, input)),
                Err(fault) => imported.rejected.push(Reject::new(line, fault.code, fault.message)),
            }
        }
        let changes = stream::iter(rows).map(|(line, input)| async move { (line, self.bring_in(input).await) });
        let mut changes = changes.buffered(CHANGES_MAX);
        while let Some((line, became)) = changes.next().await {
            match became {
                Ok(Became::Added) => imported.added += 1,
                Ok(Became::Updated) => imported.updated += 1,
                Ok(Became::Unchanged) => imported.unchanged += 1,
                // A store that fails or a service that stops will not take the next line either.
                Err(fault) if fault.code.graphql() == "INTERNAL" => return Err(fault),
                Err(fault) => imported.rejected.push(Reject::new(line, fault.code, fault.message)),
            }
        }
        imported.rejected.sort_by_key(|reject| reject.line);
        Ok(imported)
    }

    async fn bring_in(&self, input: VendorInput) -> Result<Became, Fault> {
        let id = input.vendor_id();
        match self.vendor(id).await? {
            None => self.change(Change::AddVendor { id, input }).await.map(|()| Became::Added),
            Some(known) if says_nothing_new(&input, &known) => Ok(Became::Unchanged),
            Some(_) => self.change(Change::UpdateVendor { id, input }).await.map(|()| Became::Updated),
        }
    }
}

fn first_of(seen: &mut BTreeMap<VendorId, u64>, line: u64, input: VendorInput) -> Result<VendorInput, Fault> {
    match seen.insert(input.vendor_id(), line) {
        None => Ok(input),
        Some(before) => Err(Fault::new(
            FaultCode::Conflict,
            format!("the vendor of line {before} has the same first domain or name"),
        )),
    }
}

fn says_nothing_new(input: &VendorInput, known: &Vendor) -> bool {
    input.name == known.name
        && input.domains == known.domains
        && input.tier.is_none_or(|tier| tier == known.tier)
        && (input.owner.is_none() || input.owner == known.owner)
        && input.integrations.as_ref().is_none_or(|names| *names == known.integrations)
}
