//! Faults of responders, in words for the person who reads a run. Never holds a body, a header or a secret.

use riskgraph_domain::error::{Fault, FaultCode};

/// The request cannot be done as it stands.
pub(super) fn bad_input(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::BadInput, message)
}

/// What is there contradicts the request.
pub(super) fn conflict(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::Conflict, message)
}

/// The connector is set up wrongly.
pub(super) fn configuration(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::Configuration, message)
}

/// The other side did not answer or failed; the same may succeed later.
pub(super) fn upstream(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::Upstream, message)
}

/// The other side refused; asking again changes nothing.
pub(super) fn refused(message: impl Into<String>) -> Fault {
    Fault::new(FaultCode::UpstreamRefused, message)
}

/// A file of the connector's cannot be read or written.
pub(super) fn file(what: &str, error: &std::io::Error) -> Fault {
    upstream(format!("{what}: {}; check the file and riskgraph's rights to it", error.kind()))
}
