//! Links that open one report without an account: 256 random bits, kept as a hash, until a day or until revoked.

use riskgraph_domain::access::Viewer;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::report::{ReportFormat, ReportKind, ReportShare, ServedFile};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{ReportId, ReportShareId, Timestamp};
use riskgraph_report::sign::sha256;

use super::desk::{ReportDesk, file_name};
use crate::gatekeeper::random;

/// Random bytes of a secret, and the hex digits they are.
const SECRET_BYTES: usize = 32;
const SECRET_CHARS: usize = 2 * SECRET_BYTES;
/// Longest life of a link: a vendor has a quarter to look, and a quarter for holidays.
const LIFE_MAX_MS: i64 = 184 * DAY_MS;

impl ReportDesk {
    pub(super) async fn make_share(
        &self,
        viewer: &Viewer,
        id: ReportId,
        expires_at: Timestamp,
    ) -> Result<(ReportShare, String), Fault> {
        let report = self.found(id).await?;
        let bad = |message: &str| Err(Fault::new(FaultCode::BadInput, message));
        if report.kind != ReportKind::Vendor {
            return bad(
                "only a vendor's own report can be shared by a link; the others tell of the shop and of all vendors",
            );
        }
        let now = self.clock.now();
        if expires_at <= now || expires_at - now > LIFE_MAX_MS {
            return bad("expiresAt: a link lives until an instant in the next 184 days");
        }
        let secret: String = random::<SECRET_BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let share = ReportShare {
            id: ReportShareId(u128::from_be_bytes(random()?)),
            report: id,
            secret_hash: sha256(secret.as_bytes()),
            expires_at,
            created_by: viewer.name.clone(),
            created_at: now,
            opened: 0,
            revoked: false,
        };
        self.store.insert_share(share.clone()).await?;
        Ok((share, format!("{}/shared/{secret}", self.gatherer.public_url)))
    }

    /// What the link opens; the same words whether it never was, has expired or was revoked.
    pub(super) async fn open_share(&self, secret: &str, format: ReportFormat) -> Result<ServedFile, Fault> {
        let gone = || {
            Fault::new(
                FaultCode::NotFound,
                "this link opens nothing, or nothing any more; ask its sender for a new one",
            )
        };
        if secret.len() != SECRET_CHARS || !secret.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(gone());
        }
        let share = self.store.open_share(&sha256(secret.as_bytes()), self.clock.now()).await?.ok_or_else(gone)?;
        let report = self.store.report(share.report).await?.ok_or_else(gone)?;
        let body = self.bytes(&report, format).await?;
        Ok(ServedFile { name: file_name(&report, format.extension()), media_type: format.media_type(), body })
    }
}
