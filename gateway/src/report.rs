//! What the hub tells of itself: what the store and the radio know, as findings for whoever watches over it.

use crate::clock;
use crate::open::Inside;
use crate::store::{Concerned, Concerning, Waiting};
use crate::uplink::Look;
use hearth_core::map::fhir::{About, Finding, Report, Told, device_name};
use hearth_core::profile::Profile;
use hearth_core::radio::Matter;
use std::sync::Arc;

/// How a destination's task asks for it. Nothing, while nobody vouches for the hub's clock: a state needs a time.
pub(crate) fn look(inside: &Arc<Inside>) -> Look {
    let inside = Arc::clone(inside);
    Arc::new(move |store, destination| {
        if !inside.clock_believed() {
            return Ok(None);
        }
        let concerning = store.concerning(destination, inside.now())?;
        let catalog = store.catalog();
        let mut findings = vec![];
        findings.extend(inside.radio_trouble().map(|said| Finding {
            about: About::Radio,
            device: None,
            said: said.to_owned(),
            told: Told::Words,
        }));
        for concerned in &concerning.devices {
            let name = concerned.device.profile.as_ref();
            let profile = name.and_then(|name| catalog.get(name));
            findings.extend(device(concerned, profile));
        }
        findings.extend(waiting(&concerning));
        Ok(Some(Report { hub: store.hub().clone(), at: clock::now(), findings }))
    })
}

fn device(concerned: &Concerned, profile: Option<&Profile>) -> Vec<Finding> {
    let facts = &concerned.device.facts;
    let name = device_name(facts, profile.map(|profile| profile.kind));
    let finding = |about, said: &str, told| Finding {
        about,
        device: concerned.device.identity.clone(),
        said: format!("{name}: {said}"),
        told,
    };
    let last = concerned.last_heard;
    let consents = profile.is_some_and(|profile| profile.collect.consent);
    let matters = concerned.kept.as_ref().map_or_else(Vec::new, |kept| kept.matters(consents));
    let matters = matters.into_iter().map(|matter| match matter {
        Matter::Battery(percent) => finding(About::Battery, "its battery is low", Told::Percent(percent)),
        Matter::Refused(_) => finding(About::UserCode, "it refused a user's code", Told::Words),
        Matter::NoCode => finding(About::UserCode, "no user's code was given for it", Told::Words),
    });
    let heard = last.map(|last| finding(About::LastHeard, "last heard", Told::At(last)));
    let bond = concerned.kept.as_ref().zip(profile);
    let bond = bond.and_then(|(kept, profile)| kept.bond_trouble(profile.collect.pairing));
    let bond = bond.map(|said| finding(About::Bond, said, Told::Words));
    heard.into_iter().chain(bond).chain(matters).collect()
}

fn waiting(concerning: &Concerning) -> impl Iterator<Item = Finding> {
    let two = |waiting: Option<Waiting>, about, since, said: &str, oldest: &str| {
        let finding = |about, said: &str, told| Finding { about, device: None, said: said.to_owned(), told };
        waiting
            .into_iter()
            .flat_map(move |Waiting { many, oldest: then }| {
                [finding(about, said, Told::Count(many)), finding(since, oldest, Told::At(then))]
            })
            .collect::<Vec<_>>()
    };
    let held = two(
        concerning.held,
        About::Held,
        About::HeldSince,
        "Measurements wait on the hub for a person: whose they are, or when they were taken, is in doubt",
        "The oldest of them waits since",
    );
    let parked = two(
        concerning.parked,
        About::Parked,
        About::ParkedSince,
        "What this record system, or something before it, refused waits on the hub for a person",
        "The oldest of them was taken",
    );
    held.into_iter().chain(parked)
}
