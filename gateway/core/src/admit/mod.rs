//! One device's open business in, what is not yet so out: the middle of the walk.
mod open;
pub use open::*;
