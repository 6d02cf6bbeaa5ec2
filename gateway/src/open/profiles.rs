//! The profiles of a start: the built-in ones, and the site's own.

use crate::config::Config;
use crate::show::{Ending, complain, exit};
use hearth_core::profile::{Catalog, Problem, ProfileName};
use std::path::Path;

/// The built-in profiles and the site's own, or everything that is wrong with those.
pub(crate) fn catalog(config: &Config) -> Result<Catalog, Ending> {
    let catalog = catalog_of(config);
    match catalog.left_out() {
        [] => Ok(catalog),
        wrong => Err(Ending::new(exit::CONFIG, wrong.join("\n"))),
    }
}

/// One bad profile must not keep the hub from hearing every other device: it is left out, and whoever opens the catalogue
/// says so.
pub(crate) fn catalog_of(config: &Config) -> Catalog {
    let standard = Catalog::standard();
    let Some(folder) = &config.profiles else { return standard };
    let mut files = vec![];
    let mut wrong: Vec<(Option<ProfileName>, String)> = vec![];
    profiles(folder, folder, &mut files, &mut wrong);
    let mut catalog = loop {
        match standard.clone().overridden(files.iter().map(|(name, text)| (name.clone(), text))) {
            Ok(catalog) => break catalog,
            Err(problems) => {
                let said = |problem: &Problem| format!("{}/{problem}", folder.display());
                wrong.extend(problems.iter().map(|problem| (Some(problem.profile.clone()), said(problem))));
                let before = files.len();
                files.retain(|(name, _)| problems.iter().all(|problem| problem.profile != *name));
                if files.len() == before {
                    break standard;
                }
            }
        }
    };
    for (name, said) in wrong {
        catalog.leave_out(name, said);
    }
    catalog
}

/// What is left out is said on standard error, by every command that goes on without it.
pub(crate) fn say_left_out(catalog: &Catalog) {
    for said in catalog.left_out() {
        complain(format_args!("a profile is left out: {said}"));
    }
}

/// `maker/model.toml` below a folder, by its name without the ending. What can't be read is named.
fn profiles(
    root: &Path,
    folder: &Path,
    found: &mut Vec<(ProfileName, String)>,
    wrong: &mut Vec<(Option<ProfileName>, String)>,
) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) => return wrong.push((None, format!("{}: {e}; check [hub] profiles", folder.display()))),
    };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            profiles(root, &path, found, wrong);
        } else if path.extension().is_some_and(|e| e == "toml") {
            let name = path.strip_prefix(root).unwrap_or(&path).with_extension("");
            let name = ProfileName(name.to_string_lossy().into_owned());
            match std::fs::read_to_string(&path) {
                Ok(text) => found.push((name, text)),
                Err(e) => {
                    let said = format!("{}: {e}; a profile is a file of UTF-8 text", path.display());
                    wrong.push((Some(name), said));
                }
            }
        }
    }
}
