//! A made-up world to show the hub in. Behind the feature `demo`; packages leave it out.

pub mod pki;
pub mod record;

mod check;

use crate::cli::{Ending, Shown};
use clap::Args;

#[derive(Args, Debug)]
pub(crate) struct Demo {}

impl Demo {
    pub(crate) fn run(&self) -> Result<Shown, Ending> {
        Ok(Shown::default())
    }
}
