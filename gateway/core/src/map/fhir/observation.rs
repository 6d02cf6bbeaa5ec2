//! Observations written out: what is common to all, and how each outcome looks.

use super::content::{Absent, Charted, Content, Measured, Outcome, Part};
use super::identifier::{PHD_SYSTEM, READING_SYSTEM};
use super::instant::Coincident;
use super::scene::Scene;
use super::{Resource, Role, Rung, provenance};
use crate::identity::Labels;
use crate::map::bits::Bit;
use crate::map::codes::{self, Code, extension, system};
use crate::map::json::{Array, Object, document};
use crate::parcel::PatientSupplied;

/// A resource's JSON is rarely longer; growing costs a copy.
const ROOM: usize = 4_096;

/// An Observation of the reading.
pub(super) fn write(content: &Content, scene: &Scene<'_>) -> Resource {
    let id = scene.id(content.role);
    let depends_on = scene.depends_on(
        [Role::Meter, Role::Hub]
            .into_iter()
            .chain(scene.coincident.map(|_| Role::CoincidentTime))
            .chain(content.derived_from.iter().copied()),
    );
    let json = document(ROOM, |o| {
        o.plain("resourceType", "Observation");
        own_id(o, &id, scene.rung);
        meta(o, &scene.parcel.reading.labels, Some(&scene.policy.patient_supplied));
        contained(o, scene);
        extensions(o, scene);
        identifiers(o, &id, content, scene);
        o.plain("status", "final");
        categories(o, content.charted);
        o.object("code", |o| concept(o, &content.code, content.charted != Charted::Status));
        o.object("subject", |o| o.text("reference", &scene.patient));
        o.plain("effectiveDateTime", &scene.effective);
        o.plain("issued", &scene.issued);
        performer(o, scene);
        outcome(o, &content.outcome);
        if content.questionable {
            o.array("interpretation", |a| a.object(questionable));
        }
        o.array("note", |a| content.notes.iter().for_each(|note| a.object(|o| o.text("text", note))));
        body_site(o, content, scene);
        o.object("device", |o| o.plain("reference", &scene.reference(Role::Meter)));
        o.array("derivedFrom", |a| {
            let references = content.derived_from.iter().map(|role| scene.reference(*role));
            references.for_each(|to| a.object(|o| o.plain("reference", &to)));
        });
        components(o, content);
    });
    resource(content.role, id, json, depends_on, scene)
}

fn resource(role: Role, id: String, json: String, depends_on: Vec<Role>, scene: &Scene<'_>) -> Resource {
    let identifier = Some((READING_SYSTEM.to_owned(), id.clone()));
    let labels = scene.parcel.reading.labels.clone();
    Resource { role, kind: "Observation", id, identifier, json, depends_on, labels }
}

/// Only the first rung names ids; on the others the server does.
pub(super) fn own_id(o: &mut Object<'_>, id: &str, rung: Rung) {
    if rung == Rung::UpdateAsCreate {
        o.plain("id", id);
    }
}

/// Labels (CLINICAL 29), and that a patient supplied it (CLINICAL 16); `None`: not a patient's own data.
pub(super) fn meta(o: &mut Object<'_>, labels: &Labels, supplied: Option<&PatientSupplied>) {
    o.object("meta", |o| {
        security(o, labels);
        if matches!(supplied, Some(PatientSupplied::Tagged)) {
            o.array("tag", |a| {
                a.object(|o| {
                    o.plain("system", system::US_CORE_TAGS);
                    o.plain("code", "patient-supplied");
                });
            });
        }
    });
}

/// 42 CFR Part 2 is the basis of a confidentiality, not a label of its own (the standard, DS4P): it goes with the
/// confidentiality that the programme gave, or with `R`.
pub(super) fn security(o: &mut Object<'_>, labels: &Labels) {
    const PART_2: &str = "42CFRPart2";
    const CONFIDENTIALITIES: [&str; 6] = ["L", "M", "N", "R", "U", "V"];
    let part_2 = labels.0.contains(PART_2);
    let is_confidentiality = |label: &str| CONFIDENTIALITIES.contains(&label);
    let implied = (part_2 && !labels.0.iter().any(|l| is_confidentiality(l))).then_some("R");
    o.array("security", |a| {
        for label in implied.into_iter().chain(labels.0.iter().map(String::as_str)) {
            if label == PART_2 {
                continue;
            }
            a.object(|o| {
                if is_confidentiality(label) && part_2 {
                    o.array("extension", |a| a.object(label_basis));
                }
                let system = if is_confidentiality(label) { system::CONFIDENTIALITY } else { system::ACT };
                o.plain("system", system);
                o.text("code", label);
            });
        }
    });
}

fn label_basis(o: &mut Object<'_>) {
    o.plain("url", extension::LABEL_BASIS);
    o.object("valueCoding", |o| {
        o.plain("system", system::ACT);
        o.plain("code", "42CFRPart2");
    });
}

/// What has no life of its own on this rung. R4 has no identifier for a Provenance, so that only the first
/// rung could find it again: on all others it travels inside.
fn contained(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.array("contained", |a| {
        if scene.rung.is_plain() {
            a.json(&scene.devices.meter.json);
            a.json(&scene.devices.hub.json);
            if let Some(coincident) = &scene.coincident {
                a.object(|o| {
                    o.plain("resourceType", "Observation");
                    o.plain("id", &Role::CoincidentTime.text());
                    coincident_body(o, coincident, scene);
                });
            }
        }
        if scene.rung != Rung::UpdateAsCreate {
            a.object(|o| provenance::contained(o, scene));
        }
    });
}

fn extensions(o: &mut Object<'_>, scene: &Scene<'_>) {
    fn to(a: &mut Array<'_>, url: &'static str, reference: &str) {
        a.object(|o| {
            o.plain("url", url);
            o.object("valueReference", |o| o.plain("reference", reference));
        });
    }
    o.array("extension", |a| {
        to(a, extension::GATEWAY_DEVICE, &scene.reference(Role::Hub));
        if scene.coincident.is_some() {
            to(a, extension::COINCIDENT_TIME, &scene.reference(Role::CoincidentTime));
        }
    });
}

/// Ours, and on the measurement HL7's.
fn identifiers(o: &mut Object<'_>, id: &str, content: &Content, scene: &Scene<'_>) {
    o.array("identifier", |a| {
        a.object(|o| own_identifier(o, id));
        if let Some(value) = scene.phd_identifier.filter(|_| content.role == Role::Measurement) {
            a.object(|o| {
                o.plain("system", PHD_SYSTEM);
                o.text("value", value);
            });
        }
    });
}

/// With a type: PHD tells its own identifier by the type's absence.
fn own_identifier(o: &mut Object<'_>, id: &str) {
    o.object("type", |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.plain("system", system::IDENTIFIER_TYPE);
                o.plain("code", "FILL");
            });
        });
    });
    o.plain("system", READING_SYSTEM);
    o.plain("value", id);
}

fn categories(o: &mut Object<'_>, charted: Charted) {
    let beside = match charted {
        Charted::VitalSign => Some("vital-signs"),
        Charted::Laboratory => Some("laboratory"),
        Charted::Device | Charted::Status => None,
    };
    o.array("category", |a| {
        if let Some(beside) = beside {
            a.object(|o| coding(o, system::CATEGORY, beside));
        }
        a.object(|o| coding(o, system::PHD_CATEGORY, "phd"));
    });
}

/// A concept of one coding.
fn coding(o: &mut Object<'_>, system: &'static str, code: &'static str) {
    o.array("coding", |a| {
        a.object(|o| {
            o.plain("system", system);
            o.plain("code", code);
        });
    });
}

/// MDC, then LOINC where it is asked for and known, then words.
pub(super) fn concept(o: &mut Object<'_>, code: &Code, loinc: bool) {
    o.array("coding", |a| {
        a.object(|o| {
            o.plain("system", system::MDC);
            o.printed("code", code.mdc);
            o.plain("display", code.name);
        });
        for loinc in code.loinc.iter().chain(&code.second_loinc).filter(|_| loinc) {
            a.object(|o| {
                o.plain("system", system::LOINC);
                o.plain("code", loinc.code);
                o.plain("display", loinc.display);
            });
        }
    });
    o.plain("text", code.text);
}

/// The patient only where sole use of the device is attested (CLINICAL 16).
fn performer(o: &mut Object<'_>, scene: &Scene<'_>) {
    o.array("performer", |a| {
        a.object(|o| match scene.parcel.reading.sole_use {
            Some(_) => o.text("reference", &scene.patient),
            None => o.plain("display", "Home measurement, person not verified"),
        });
    });
}

fn outcome(o: &mut Object<'_>, outcome: &Outcome) {
    match outcome {
        Outcome::Measured(measured) => quantity(o, measured),
        Outcome::Absent(absent) => data_absent_reason(o, *absent),
        Outcome::Coded(code) => o.object("valueCodeableConcept", |o| concept(o, code, false)),
        Outcome::Parts(_) | Outcome::Bits(_) => {}
    }
}

fn quantity(o: &mut Object<'_>, measured: &Measured) {
    let Measured { value, comparator, unit } = *measured;
    o.object("valueQuantity", |o| {
        o.number("value", value);
        if let Some(comparator) = comparator {
            o.plain("comparator", comparator);
        }
        o.plain("unit", unit.text);
        o.plain("system", system::UCUM);
        o.plain("code", unit.code);
    });
}

fn data_absent_reason(o: &mut Object<'_>, absent: Absent) {
    let Absent { code, display, text } = absent;
    o.object("dataAbsentReason", |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.plain("system", system::ABSENT);
                o.plain("code", code);
                o.plain("display", display);
            });
        });
        if let Some(text) = text {
            o.plain("text", text);
        }
    });
}

/// CLINICAL 13: in PHD's coding, and nothing else.
fn questionable(o: &mut Object<'_>) {
    o.array("coding", |a| {
        a.object(|o| {
            o.plain("system", system::MEASUREMENT_STATUS);
            o.plain("code", "questionable");
            o.plain("display", "Questionable");
        });
    });
}

/// CLINICAL 15: where a cuff is worn, by its profile. It belongs to the pressure alone.
fn body_site(o: &mut Object<'_>, content: &Content, scene: &Scene<'_>) {
    let Some(site) = scene.parcel.profile.body_site.filter(|_| content.code == codes::BLOOD_PRESSURE) else {
        return;
    };
    let (code, text) = codes::body_site(site);
    o.object("bodySite", |o| {
        coding(o, system::SNOMED, code);
        o.plain("text", text);
    });
}

fn components(o: &mut Object<'_>, content: &Content) {
    let loinc = content.charted != Charted::Status;
    o.array("component", |a| match &content.outcome {
        Outcome::Parts(parts) => parts.iter().for_each(|part| a.object(|o| component(o, part, loinc))),
        Outcome::Bits(bits) => bits.iter().for_each(|bit| a.object(|o| status_bit(o, bit))),
        Outcome::Measured(_) | Outcome::Absent(_) | Outcome::Coded(_) => {}
    });
}

fn component(o: &mut Object<'_>, part: &Part, loinc: bool) {
    o.object("code", |o| concept(o, &part.code, loinc));
    match &part.outcome {
        Ok(measured) => quantity(o, measured),
        Err(absent) => data_absent_reason(o, *absent),
    }
}

/// PHD reports set bits only.
fn status_bit(o: &mut Object<'_>, bit: &Bit) {
    o.object("code", |o| {
        o.array("coding", |a| {
            a.object(|o| {
                o.plain("system", system::STATUS_BITS);
                o.plain("code", bit.code);
                o.plain("display", bit.display);
            });
        });
    });
    o.truth("valueBoolean", true);
}

/// PHD 2.0, coincident time stamp: what the device's clock showed, and the hub's time at that moment. About the device, by the hub.
pub(super) fn coincident_time(scene: &Scene<'_>) -> Option<Resource> {
    let coincident = scene.coincident.as_ref()?;
    let id = scene.id(Role::CoincidentTime);
    let json = document(ROOM, |o| {
        o.plain("resourceType", "Observation");
        own_id(o, &id, scene.rung);
        meta(o, &scene.parcel.reading.labels, None);
        o.array("identifier", |a| a.object(|o| own_identifier(o, &id)));
        coincident_body(o, coincident, scene);
    });
    Some(resource(Role::CoincidentTime, id, json, scene.depends_on([Role::Meter, Role::Hub]), scene))
}

fn coincident_body(o: &mut Object<'_>, coincident: &Coincident, scene: &Scene<'_>) {
    o.plain("status", "final");
    o.object("code", |o| concept(o, &codes::ABSOLUTE_TIME, false));
    o.object("subject", |o| o.plain("reference", &scene.reference(Role::Meter)));
    o.plain("effectiveDateTime", &coincident.hub.text());
    o.plain("valueDateTime", &coincident.shown.text());
    o.object("device", |o| o.plain("reference", &scene.reference(Role::Hub)));
}
