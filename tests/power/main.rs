//! Power cuts, failing disks: the store itself, on a disk that forgets, in a home whose meter forgets too.
#![allow(clippy::unwrap_used)]

mod cuts;
mod faults;
mod home;
mod outside;
