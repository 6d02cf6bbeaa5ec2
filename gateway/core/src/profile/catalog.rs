//! All profiles of the house: load, check, recognize.

use super::{Match, Problem, Profile, ProfileName, standard};
use crate::identity::Facts;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Profiles by name, no two of which fit a device equally well by the same words.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Catalog {
    profiles: BTreeMap<ProfileName, Profile>,
    /// Names whose file in the site's folder is refused: its author said that what is built in under the name is wrong.
    refused: BTreeSet<ProfileName>,
    left_out: Vec<String>,
}

impl Catalog {
    /// The profiles that this hub was built with. They are read once in a process.
    pub fn standard() -> Catalog {
        static STANDARD: LazyLock<Catalog> = LazyLock::new(|| {
            let files = standard::FILES.iter().map(|(name, text)| (ProfileName((*name).to_owned()), *text));
            Catalog::build(files).expect("every compiled-in profile is sound, which a test holds")
        });
        STANDARD.clone()
    }

    /// Reads all files, or tells every one that is refused.
    pub fn build<T: AsRef<str>>(
        files: impl IntoIterator<Item = (ProfileName, T)>,
    ) -> Result<Catalog, Vec<Problem>> {
        Catalog::default().overridden(files)
    }

    /// This catalogue, with the profiles of a site's own folder added to it: one of the same name takes its place.
    pub fn overridden<T: AsRef<str>>(
        mut self,
        files: impl IntoIterator<Item = (ProfileName, T)>,
    ) -> Result<Catalog, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut texts = BTreeMap::new();
        for (name, text) in files {
            match Profile::parse(&name, text.as_ref()) {
                Err(problem) => problems.push(problem),
                Ok(profile) => _ = self.profiles.insert(name.clone(), profile),
            }
            if let Some(earlier) = texts.insert(name.clone(), text) {
                let says = "there are two files of this name; remove one".to_owned();
                problems.push(Problem::at(&name, earlier.as_ref(), 0, "", says));
            }
        }
        for (name, text) in &texts {
            let Some(new) = self.profiles.get(name) else { continue };
            // A tie of two new ones is told once, at the later name.
            let others = self.all().filter(|other| other.name < *name || !texts.contains_key(&other.name));
            problems.extend(others.filter(|other| other.matches.ties(&new.matches)).map(|other| {
                let place = text.as_ref().find("[match]").unwrap_or(0);
                let says = format!(
                    "fits the same devices as {}, equally well; say what tells them apart",
                    other.name.0
                );
                Problem::at(name, text.as_ref(), place, "match", says)
            }));
        }
        if problems.is_empty() { Ok(self) } else { Err(problems) }
    }

    /// Adds a profile that no file holds, or replaces the one of its name.
    #[cfg(test)]
    pub(crate) fn insert(&mut self, profile: Profile) {
        self.profiles.insert(profile.name.clone(), profile);
    }

    /// Goes on without a file of the site. A built-in profile of its name is withdrawn with it: read by what somebody
    /// found wrong, a value could be wrong, so that device's records are held (CLINICAL 1). `said`: why, and the cure.
    pub fn leave_out(&mut self, name: Option<ProfileName>, said: String) {
        self.refused.extend(name);
        self.left_out.push(said);
    }

    /// What was left out, a sentence for each file.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub fn get(&self, name: &ProfileName) -> Option<&Profile> {
        self.profiles.get(name).filter(|_| !self.refused.contains(name))
    }

    pub fn all(&self) -> impl Iterator<Item = &Profile> {
        self.profiles.values().filter(|profile| !self.refused.contains(&profile.name))
    }

    /// The most specific profile that all known facts allow. `None`: no profile fits, or two fit equally well, as
    /// the two generic ones do a device that is both cuff and meter: it needs a profile of its own. Nor does one fit whose
    /// own is withdrawn: a less specific one knows even less.
    pub fn recognize(&self, facts: &Facts) -> Option<&Profile> {
        match self.fitting(facts).as_slice() {
            [only] => self.get(&only.name),
            _ => None,
        }
    }

    /// All profiles that fit best, and equally well: none, one, or several that nothing told apart yet. One that is
    /// withdrawn is among them, and [`Catalog::get`] does not have it.
    pub fn fitting(&self, facts: &Facts) -> Vec<&Profile> {
        let fits = || self.profiles.values().filter_map(|p| p.matches.fit(facts).map(|fit| (fit, p)));
        let best = fits().map(|(fit, _)| fit).max();
        fits().filter(|(fit, _)| Some(*fit) == best).map(|(_, profile)| profile).collect()
    }
}

/// How closely a profile fits a device. Compared field by field, the first one that differs decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Fit {
    model: bool,
    /// Octets of the longest prefix that the name has.
    name: usize,
    manufacturer: bool,
    services: usize,
}

impl Match {
    /// `None`: something given does not hold, or is not known yet.
    fn fit(&self, facts: &Facts) -> Option<Fit> {
        let holds = |given: &Option<String>, fact: &Option<String>| given.is_none() || given == fact;
        let name = facts.advertised_name.as_deref().unwrap_or("");
        let longest = self
            .name_prefixes
            .iter()
            .filter(|prefix| name.starts_with(prefix.as_str()))
            .map(String::len)
            .max();
        let fits = holds(&self.model, &facts.model)
            && holds(&self.manufacturer, &facts.manufacturer)
            && self.services.iter().all(|service| facts.services.contains(service))
            && (self.name_prefixes.is_empty() || longest.is_some());
        fits.then_some(Fit {
            model: self.model.is_some(),
            name: longest.unwrap_or(0),
            manufacturer: self.manufacturer.is_some(),
            services: self.services.len(),
        })
    }

    /// What of this match a device is known to have, in words. Empty: it does not fit, or not yet.
    pub fn found_in(&self, facts: &Facts) -> Vec<String> {
        if self.fit(facts).is_none() {
            return Vec::new();
        }
        let name = facts.advertised_name.as_deref().unwrap_or("");
        let prefixes = self.name_prefixes.iter().filter(|prefix| name.starts_with(prefix.as_str()));
        let longest = prefixes.max_by_key(|prefix| prefix.len());
        let services: Vec<String> = self.services.iter().map(|s| format!("{s:04X}")).collect();
        [
            self.model.as_ref().map(|model| format!("its model is {model:?}")),
            longest.map(|prefix| format!("its name begins with {prefix:?}")),
            self.manufacturer.as_ref().map(|maker| format!("its maker is {maker:?}")),
            (!services.is_empty()).then(|| format!("it offers {}", services.join(" and "))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether some device fits both, and no fact about it can ever tell which.
    fn ties(&self, other: &Match) -> bool {
        let a_name_in_both = self.name_prefixes.iter().any(|prefix| other.name_prefixes.contains(prefix));
        let no_names = self.name_prefixes.is_empty() && other.name_prefixes.is_empty();
        self.model == other.model
            && self.manufacturer == other.manufacturer
            && self.services == other.services
            && (a_name_in_both || no_names)
    }
}

#[cfg(test)]
mod tests;
