//! Where news comes from. A source knows no patient; what it hears it may forget only once it is committed.
//!
//! Two sources so far: [`lines`], news written as JSON, one a line, from a file or over the control socket; and
//! [`trace`], which makes such lines of what other programs recorded of Bluetooth.

pub(crate) mod ble;
pub mod lines;
pub mod trace;
