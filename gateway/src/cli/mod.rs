//! Commands: what a person types, and what they read. Every command ends in [`Shown`] or an [`Ending`].

pub(crate) mod decode;
pub(crate) mod show;

pub(crate) use show::{Ending, Shown, exit};
