//! The uplink against the record of the demonstration, over real mutual TLS on loopback.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

mod carry;
mod dark;
mod entries;
mod faults;
mod gzip;
mod http;
pub(crate) mod readings;
mod report;
mod retract;
pub(crate) mod rig;
mod run;
mod search;
mod table;
