//! Conversations with devices, polite ones first. What they say is the standard's layout, or a device's own capture
//! (device-profiles); what they do is their maker's sample program, or a report of somebody who has one.

mod clocks;
mod cuffs;
mod lives;
mod meters;
mod remote;
mod rude;
mod scales;
mod talk;
