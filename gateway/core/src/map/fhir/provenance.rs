//! Who says so: author and assembler (CLINICAL 16; R4 and US Core), and what a re-issue replaces (CLINICAL 26).

use super::identifier::{READING_SYSTEM, reading_id};
use super::observation::{meta, own_id};
use super::scene::Scene;
use super::{Resource, Role};
use crate::map::codes::system;
use crate::map::json::{Array, Object, document};

const ROOM: usize = 1_536;

/// A resource of its own, for all Observations of the reading.
pub(super) fn resource(targets: &[Role], scene: &Scene<'_>) -> Resource {
    let id = scene.id(Role::Provenance);
    let labels = scene.parcel.reading.labels.clone();
    let json = document(ROOM, |o| {
        o.plain("resourceType", "Provenance");
        own_id(o, &id, scene.rung);
        meta(o, &labels, None);
        o.array("target", |a| {
            targets.iter().for_each(|role| a.object(|o| o.plain("reference", &scene.reference(*role))));
        });
        body(o, scene);
    });
    let depends_on = [&[Role::Meter, Role::Hub], targets].concat();
    Resource { role: Role::Provenance, kind: "Provenance", id, identifier: None, json, depends_on, labels }
}

/// Inside the one Observation that it speaks of.
pub(super) fn contained(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.plain("resourceType", "Provenance");
    o.plain("id", &Role::Provenance.text());
    o.array("target", |a| a.object(|o| o.plain("reference", "#")));
    body(o, scene);
}

fn body(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.plain("recorded", &scene.issued);
    o.array("agent", |a| {
        match scene.parcel.reading.sole_use {
            Some(_) => agent(a, "author", &scene.patient),
            None => agent(a, "author", &scene.reference(Role::Meter)),
        }
        agent(a, "assembler", &scene.reference(Role::Hub));
    });
    let Some((issue, place)) = &scene.parcel.replaces else { return };
    o.array("entity", |a| {
        a.object(|o| {
            o.plain("role", "revision");
            o.object("what", |o| match place {
                Some(place) => o.text("reference", place),
                // It may never have come here: a name that must not resolve.
                None => o.object("identifier", |o| {
                    o.plain("system", READING_SYSTEM);
                    o.plain("value", &reading_id(&scene.parcel.reading, *issue, Role::Measurement));
                }),
            });
        });
    });
}

fn agent(a: &mut Array<'_>, kind: &'static str, who: &str) {
    a.object(|o| {
        o.object("type", |o| {
            o.array("coding", |a| {
                a.object(|o| {
                    o.plain("system", system::PARTICIPANT);
                    o.plain("code", kind);
                });
            });
        });
        o.object("who", |o| o.text("reference", who));
    });
}
