//! The profile loader, and the drafts that it must be able to read.

use hearth_core::identity::Facts;
use hearth_core::profile::{Catalog, Problem, Profile, ProfileName, draft};
use std::collections::BTreeSet;

/// Texts between NULs: the first two are profiles, then what a device says of itself.
pub fn profile(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    let mut texts = text.split('\0');
    let mut profiles = vec![];
    for (name, text) in ["site/one", "site/two"].into_iter().zip(texts.by_ref()) {
        let name = ProfileName(name.to_owned());
        if let Err(problem) = Profile::parse(&name, text) {
            placed(&problem, text);
        }
        profiles.push((name, text));
    }
    let facts = facts(&mut texts);
    match Catalog::build(profiles.iter().cloned()) {
        Ok(catalog) => {
            assert_eq!(catalog.all().count(), profiles.len());
            if let Some(fits) = catalog.recognize(&facts) {
                _ = fits.matches.found_in(&facts);
            }
            let tied = catalog.fitting(&facts);
            _ = draft(&facts, &BTreeSet::new(), &tied);
        }
        Err(problems) => assert!(!problems.is_empty(), "a refusal without a reason"),
    }
    let draft = draft(&facts, &BTreeSet::new(), &[]);
    // As a person fills it in.
    let text = draft.text.replace("FILL IN", "known");
    if let Err(problem) = Profile::parse(&draft.name, &text) {
        panic!("{problem}, in a draft for {facts:?}\n{text}");
    }
}

fn placed(problem: &Problem, text: &str) {
    assert!(!problem.says.is_empty());
    assert!((1..=text.matches('\n').count() + 1).contains(&problem.line), "{problem}");
    assert!(problem.column >= 1, "{problem}");
}

fn facts<'t>(texts: &mut impl Iterator<Item = &'t str>) -> Facts {
    let mut told = || texts.next().filter(|text| !text.is_empty()).map(str::to_owned);
    let mut facts = Facts {
        advertised_name: told(),
        manufacturer: told(),
        model: told(),
        firmware: told(),
        ..Facts::default()
    };
    facts.services = texts.filter_map(|text| u16::from_str_radix(text, 16).ok()).take(32).collect();
    facts
}
