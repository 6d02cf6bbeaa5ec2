//! All profiles of the house: load, check, recognize.

use super::{Profile, ProfileName};
use crate::identity::Facts;
use std::collections::BTreeMap;

/// Profiles by name.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Catalog {
    profiles: BTreeMap<ProfileName, Profile>,
}

impl Catalog {
    /// Adds a profile, or replaces the one of its name.
    pub fn insert(&mut self, profile: Profile) {
        self.profiles.insert(profile.name.clone(), profile);
    }

    pub fn get(&self, name: &ProfileName) -> Option<&Profile> {
        self.profiles.get(name)
    }

    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values()
    }

    /// The most specific profile that all known facts allow.
    pub fn recognize(&self, _facts: &Facts) -> Option<&Profile> {
        None
    }
}
