//! The devices that were heard, and by which profile each of them works.

use super::{Answer, Asked, trouble};
use crate::control::words::{self, Row};
use crate::show::{Ending, Shown, count};
use hearth_core::capture::DeviceNo;
use hearth_core::profile::{Profile, draft};
use serde_json::json;

impl Asked<'_> {
    pub(super) fn devices(&mut self) -> Answer {
        let mut rows = vec![];
        for device in self.store.devices().map_err(trouble)? {
            let ask_from = self.store.cursor(device.device).map_err(trouble)?;
            rows.push(words::device(&device, ask_from));
        }
        let said = match rows.len() {
            0 => "No device was heard yet.".to_owned(),
            n => count(n as u64, "device") + ".",
        };
        Ok(Shown::rows(rows, said))
    }

    /// Which profile a device has and why; for one that has none, a draft and what helps.
    pub(super) fn devices_explain(&mut self, device: DeviceNo) -> Answer {
        let all = self.store.devices().map_err(trouble)?;
        let view = all.into_iter().find(|view| view.device == device).ok_or_else(|| {
            Ending::usage(format!("no device has row {}; `hearth devices` lists them", device.0))
        })?;
        let heard = self.store.heard_of(device).map_err(trouble)?;
        let catalog = self.store.catalog();
        let fitting = catalog.fitting(&view.facts);
        let row = Row::new().with("device", device.0);
        let [profile] = fitting.as_slice() else {
            let draft = draft(&view.facts, &heard, &fitting);
            let tied: Vec<&str> = fitting.iter().map(|profile| profile.name.0.as_str()).collect();
            let file = format!("{}.toml", draft.name.0);
            let said = format!("{}\n\n{file}:\n\n{}", draft.helps, draft.text.trim_end());
            let row = row
                .with("profile", json!(null))
                .with("fits_as_well", tied)
                .with("draft", json!({ "file": file, "text": draft.text, "helps": draft.helps }));
            return Ok(Shown::rows(vec![row.0], said));
        };
        if catalog.get(&profile.name).is_none() {
            let said = format!(
                "The site's own {}.toml can't be used, and without it nobody knows how to read this device: its records \
                 are held. Mend the file, or remove it, and start the hub again: {}",
                profile.name.0,
                catalog.left_out().join("; ")
            );
            return Ok(Shown::rows(vec![row.with("profile", json!(null)).0], said));
        }
        let row = row
            .with("profile", profile.name.0.as_str())
            .with("because", profile.matches.found_in(&view.facts))
            .with("kind", profile.kind.name())
            .with("evidence", profile.evidence.level.name())
            .with("by", profile.evidence.by.as_str())
            .with("quirks", profile.quirks.iter().map(|quirk| quirk.name()).collect::<Vec<_>>())
            .with("generic", profile.name.is_generic());
        Ok(Shown::rows(vec![row.0], works(profile)))
    }
}

fn works(profile: &Profile) -> &'static str {
    match profile.name.is_generic() {
        true => {
            "It has no profile of its own, and works by the generic one of its service: what is odd about the model is \
             not known here. docs/profiles.md says how to describe it."
        }
        false => "It works by the profile of its model.",
    }
}
