//! Out of the house: one task per destination, one request in flight.

pub mod http;
mod shim;
pub use shim::*;

use hearth_core::parcel::Policy;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

/// A record system that readings go to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Lower-case letters, digits, hyphens: stands in logs and commands.
    pub name: String,
    /// FHIR base URL, `https://`, with its last slash.
    pub base_url: String,
    /// PEM: who may have signed the server's certificate.
    pub ca: PathBuf,
    /// PEM: our certificate and what is between it and a root.
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub rung: RungChoice,
    /// Readings in one Bundle; 1: singles.
    pub bundle: usize,
    /// For one request, from its first octet to the answer's last.
    pub timeout: Duration,
    /// Security labels that this destination may see (CLINICAL 29).
    pub cleared: BTreeSet<String>,
    pub policy: Policy,
}

/// Which rung of the ladder a destination takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RungChoice {
    /// The highest that its CapabilityStatement names.
    Auto,
    UpdateAsCreate,
    ConditionalCreate,
    PlainCreate,
}

#[cfg(all(test, feature = "demo"))]
pub(crate) mod tests;
