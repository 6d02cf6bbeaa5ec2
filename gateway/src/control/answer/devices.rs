//! The devices that were heard, and by which profile each of them works.

use super::{Answer, Asked, trouble};
use crate::control::words::{self, Row};
use crate::show::{Ending, Shown, count};
use hearth_core::admit::Device;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Slot;
use hearth_core::profile::{Profile, draft};
use hearth_core::radio::Matter;
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
            .with("users_consent", profile.collect.consent)
            .with("generic", profile.name.is_generic());
        Ok(Shown::rows(vec![row.0], works(profile)))
    }
}

impl Asked<'_> {
    /// What somebody has to see to in devices of the house, each in a sentence.
    pub(super) fn attention(&mut self) -> Result<Vec<String>, Ending> {
        let mut all = vec![];
        for member in self.store.house().map_err(trouble)? {
            let (no, consents) = (member.device.no.0, self.consents(&member.device));
            all.extend(member.kept.matters(consents).into_iter().map(|matter| match matter {
                Matter::Battery(percent) => {
                    format!("device {no}: its battery is at {percent} %: change it, or charge it")
                }
                Matter::Refused(Slot(slot)) => format!(
                    "device {no}: it refused user {slot}'s code, and tells nothing of that user: read it on the scale, then \
                     hearth consent {no} --slot {slot}"
                ),
                Matter::NoCode => format!(
                    "device {no}: it tells a user's weighings only by that user's code: hearth consent {no} --slot NUMBER"
                ),
            }));
        }
        Ok(all)
    }

    /// Bonds that somebody has to see to, each in a sentence.
    pub(super) fn bonds(&mut self) -> Result<Vec<String>, Ending> {
        let mut all = vec![];
        for member in self.store.house().map_err(trouble)? {
            let said = self
                .profile(&member.device)
                .and_then(|profile| member.kept.bond_trouble(profile.collect.pairing));
            all.extend(said.map(|said| format!("device {}: {said}", member.device.no.0)));
        }
        Ok(all)
    }

    /// Whether its profile says that users have to consent.
    fn consents(&self, device: &Device) -> bool {
        self.profile(device).is_some_and(|profile| profile.collect.consent)
    }

    fn profile(&self, device: &Device) -> Option<&Profile> {
        self.store.catalog().get(device.profile.as_ref()?)
    }

    pub(super) fn consent(&mut self, no: DeviceNo, slot: Slot, code: Option<u16>) -> Answer {
        let house = self.store.house().map_err(trouble)?;
        let Some(mut member) = house.into_iter().find(|member| member.device.no == no) else {
            return Err(Ending::usage(format!("device {} is not of the house: hearth pair", no.0)));
        };
        if !self.consents(&member.device) {
            return Err(Ending::usage(format!("device {} has no users that have to consent", no.0)));
        }
        member.kept.consent(slot, code);
        self.store.keep(no, Some(&member.kept)).map_err(trouble)?;
        let said = match code {
            Some(_) => format!(
                "From its next connection on device {} is asked for user {}'s weighings.",
                no.0, slot.0
            ),
            None => format!("Device {} is no longer asked for user {}'s weighings.", no.0, slot.0),
        };
        Ok(Shown { said: Some(said), ..Shown::default() })
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
