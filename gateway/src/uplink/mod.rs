//! Out of the house: one task per destination, one request in flight.
//!
//! ```text
//! due ─ Consignment ▶ ladder ─ Call ▶ fhir ─ octets ▶ http ─ TLS ▶ record system
//!                       ▲ judge: hearth_core::delivery      │
//! start, settle ◀───────┴────────────── Receipt ────────────┘
//! ```
//!
//! Readings under one hour old go first, then the backlog (CLINICAL 4). A destination that is busy or held
//! keeps nobody else waiting. Logs carry destinations and row numbers only. docs/delivery.md tells the rest.

pub mod ability;
mod credentials;
mod dial;
pub mod fhir;
pub mod http;
pub mod ladder;
mod report;
mod run;
mod standing;

pub use report::Look;
pub use run::{Uplink, Wake};
pub use standing::{Standing, State};

use crate::tls;
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
    /// Bundles are sent with `Content-Encoding: gzip`, until the record refuses that.
    pub gzip: bool,
    /// For one request, from its first octet to the answer's last.
    pub timeout: Duration,
    /// Security labels that this destination may see (CLINICAL 29).
    pub cleared: BTreeSet<String>,
    pub policy: Policy,
    /// It is told how the hub fares, at least so often. `None`: it is not.
    pub reports: Option<Duration>,
}

/// Which rung of the ladder a destination takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RungChoice {
    /// The highest that its CapabilityStatement names; plain create where it names none.
    Auto,
    UpdateAsCreate,
    ConditionalCreate,
    SearchThenCreate,
    PlainCreate,
}

impl Destination {
    pub fn files(&self) -> tls::Files {
        tls::Files { ca: self.ca.clone(), certificate: self.certificate.clone(), key: self.key.clone() }
    }
}

#[cfg(all(test, feature = "demo"))]
pub(crate) mod tests;
