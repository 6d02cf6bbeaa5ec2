//! The built gateway against record systems and a judge that nobody here wrote.
//!
//! [`e2e::servers`] builds and starts them, once for all tests of this binary: HAPI FHIR's JPA server (`java/`), Medplum's FHIR engine
//! (`node/`), nginx before both as it stands before a hospital's server, and HL7's validator (`java/`).
#![allow(clippy::unwrap_used)]

mod delivery;
mod drain;
mod emitted;
mod judge;
mod judged;
mod killed;
mod reasons;
mod reports;
mod storm;
mod twins;
