//! What outlives a loss of power, in NOR flash: written in words that were erased before, erased in pages, and torn wherever the
//! power fails.
//!
//! The rules that both stores here follow, whatever a chip does when it is interrupted: an entry counts only with its checksum, which
//! knows where it stands and which life of the page it belongs to; a page is erased right before it is used, never in advance, so that
//! an erase that was cut off is done again; and after a start nothing is written where the power may have failed in a write, since
//! cells that were half written can read as erased.

mod entry;
mod refused;
mod settings;
mod spool;

pub use refused::Refused;
pub use settings::Settings;
pub use spool::Spool;
