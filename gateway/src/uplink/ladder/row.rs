//! One reading on its way: its resources, and what was tried before.

use crate::store::{Attempt, Consignment, OutboxNo, Receipt};
use hearth_core::delivery::Line;
use hearth_core::identity::Labels;
use hearth_core::map::fhir::{self, Mapper, Marked, Resource, Role, Rung};
use hearth_core::parcel::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A reading that is to be written, or taken back.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) no: OutboxNo,
    /// Logical id of the person at the destination.
    pub(super) subject: String,
    /// In the order of their dependency.
    pub(super) resources: Vec<Resource>,
    /// As this row was, or will be, encoded: while an attempt is in doubt its rung stands.
    pub(super) rung: Rung,
    pub(super) attempts: u32,
    pub(super) counted: u32,
    pub(super) in_doubt: bool,
    /// By an earlier carry: then what a search does not find yet may still come to light.
    pub(super) doubted: bool,
    /// Whether octets of it ever left.
    pub(super) attempted: bool,
    /// Where the measurement is, as learned by an earlier row.
    pub(super) location: Option<String>,
    pub(super) phd_identifier: Option<String>,
}

impl Row {
    /// Encodes a consignment; one in doubt is what it was.
    pub(super) fn of(consignment: &Consignment, mapper: &mut Mapper, policy: &Policy, rung: Rung) -> Row {
        let Consignment { row, parcel, attempts, counted, in_doubt, octets, labels, location, .. } =
            consignment;
        let phd = consignment.phd_identifier.clone().or_else(|| fhir::phd_identifier(parcel));
        let before = octets.as_deref().filter(|_| *in_doubt).and_then(|octets| kept(octets, labels));
        let (rung, mut resources) = before.unwrap_or((rung, vec![]));
        if resources.is_empty() {
            resources = mapper.resources(parcel, policy, rung, phd.as_deref());
        }
        Row {
            no: *row,
            subject: parcel.subject.id.clone(),
            resources,
            rung,
            attempts: *attempts,
            counted: *counted,
            in_doubt: *in_doubt,
            doubted: *in_doubt,
            attempted: *in_doubt || *attempts > 0,
            location: location.clone(),
            phd_identifier: phd,
        }
    }

    /// What the store must know before octets leave.
    pub(super) fn attempt(&self) -> Attempt {
        Attempt {
            row: self.no,
            octets: keep(self.rung, &self.resources),
            phd_identifier: self.phd_identifier.clone(),
            mapping: fhir::VERSION,
        }
    }

    /// What the store must know of a row that a person looks at: by which rung it is looked for. Its octets were refused,
    /// and are encoded anew.
    pub(super) fn doubt(&self) -> Option<Vec<u8>> {
        self.in_doubt.then(|| keep(self.rung, &[]))
    }

    /// As it is after octets of it left.
    pub(super) fn tried(self) -> Row {
        Row { attempted: true, ..self }
    }

    /// The measurement itself, by which the rest is told.
    pub(super) fn head(&self) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.role == Role::Measurement)
    }
}

/// A device belongs to many readings, and nothing in it is a reading's.
pub(super) fn is_shared(resource: &Resource) -> bool {
    resource.kind == "Device"
}

/// How an answer can name a resource that was sent.
pub(super) fn line<'a>(resource: &'a Resource, rung: Rung, urn: &'a str) -> Line<'a> {
    let ours = rung == Rung::UpdateAsCreate;
    Line {
        kind: resource.kind,
        id: ours.then_some(resource.id.as_str()),
        identifier: resource.identifier.as_ref().map(|(_, value)| value.as_str()),
        full_url: (!ours).then_some(urn),
    }
}

/// What is kept of an answer about a resource.
pub(super) fn receipt(
    resource: &Resource,
    location: Option<String>,
    etag: Option<String>,
    verdict: impl Into<String>,
) -> Receipt {
    Receipt {
        role: resource.role.text().into_owned(),
        location,
        etag,
        digest: Sha256::digest(resource.json.as_bytes()).into(),
        verdict: verdict.into(),
    }
}

/// The version that a resource says of itself, as an ETag (R4 http 3.1.0.5).
pub(super) fn version(resource: &Value) -> Option<String> {
    resource.pointer("/meta/versionId")?.as_str().map(|version| format!("W/\"{version}\""))
}

#[derive(Serialize, Deserialize)]
struct Kept {
    rung: u8,
    resources: Vec<KeptResource>,
}

#[derive(Serialize, Deserialize)]
struct KeptResource {
    role: String,
    id: String,
    identifier: Option<(String, String)>,
    json: String,
    depends_on: Vec<String>,
}

const RUNGS: [Rung; 4] =
    [Rung::UpdateAsCreate, Rung::ConditionalCreate, Rung::SearchThenCreate, Rung::PlainCreate];
const KINDS: [&str; 3] = ["Observation", "Device", "Provenance"];

/// Resources as octets, exactly as they will leave.
fn keep(rung: Rung, resources: &[Resource]) -> Vec<u8> {
    let kept = Kept {
        rung: RUNGS
            .iter()
            .position(|known| *known == rung)
            .and_then(|at| u8::try_from(at).ok())
            .unwrap_or_default(),
        resources: resources
            .iter()
            .map(|resource| KeptResource {
                role: resource.role.text().into_owned(),
                id: resource.id.clone(),
                identifier: resource.identifier.clone(),
                json: resource.json.clone(),
                depends_on: resource.depends_on.iter().map(|role| role.text().into_owned()).collect(),
            })
            .collect(),
    };
    postcard::to_stdvec(&kept).expect("strings and numbers are always written to memory")
}

/// `None`: octets of another version of this software. The row is encoded anew then.
fn kept(octets: &[u8], labels: &Labels) -> Option<(Rung, Vec<Resource>)> {
    let kept: Kept = postcard::from_bytes(octets).ok()?;
    let resources = kept.resources.into_iter().map(|resource| {
        let value: Value = serde_json::from_str(&resource.json).ok()?;
        Some(Resource {
            role: role(&resource.role)?,
            kind: KINDS.into_iter().find(|kind| value["resourceType"] == *kind)?,
            id: resource.id,
            identifier: resource.identifier,
            json: resource.json,
            depends_on: resource.depends_on.iter().map(|text| role(text)).collect::<Option<_>>()?,
            labels: labels.clone(),
        })
    });
    Some((*RUNGS.get(usize::from(kept.rung))?, resources.collect::<Option<_>>()?))
}

fn role(text: &str) -> Option<Role> {
    use Marked::{Carbohydrate, Hba1c, Health, Meal, Medication, Tester};
    let plain = [
        Role::Meter,
        Role::Hub,
        Role::CoincidentTime,
        Role::Measurement,
        Role::Pulse,
        Role::Status,
        Role::BodyMassIndex,
        Role::BodyHeight,
        Role::Provenance,
    ];
    let marks = [Meal, Carbohydrate, Medication, Hba1c, Tester, Health];
    let contexts = (0..=u8::MAX).flat_map(|number| marks.map(|mark| Role::Context(number, mark)));
    plain.into_iter().chain(contexts).find(|role| role.text() == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_was_sent_comes_back_octet_by_octet() {
        let labels = Labels(["R".to_owned()].into());
        let resource = |role, kind, json: &str, depends_on| Resource {
            role,
            kind,
            id: format!("{role:?}"),
            identifier: (kind != "Provenance").then(|| ("urn:x".to_owned(), "y".to_owned())),
            json: json.to_owned(),
            depends_on,
            labels: labels.clone(),
        };
        let resources = vec![
            resource(Role::Meter, "Device", r#"{"resourceType":"Device"}"#, vec![]),
            resource(
                Role::Context(255, Marked::Health),
                "Observation",
                r#"{"resourceType":"Observation","valueQuantity":{"value":5.0}}"#,
                vec![Role::Meter],
            ),
            resource(
                Role::Provenance,
                "Provenance",
                r#"{ "resourceType": "Provenance" }"#,
                vec![Role::Measurement],
            ),
        ];
        for rung in RUNGS {
            assert_eq!(kept(&keep(rung, &resources), &labels), Some((rung, resources.clone())));
        }
    }

    #[test]
    fn damaged_octets_are_encoded_anew() {
        let labels = Labels::default();
        let whole = keep(
            Rung::PlainCreate,
            &[Resource {
                role: Role::Measurement,
                kind: "Observation",
                id: "id".into(),
                identifier: None,
                json: r#"{"resourceType":"Observation"}"#.into(),
                depends_on: vec![Role::Meter],
                labels: labels.clone(),
            }],
        );
        assert!(kept(&whole, &labels).is_some());
        for end in 0..whole.len() {
            assert_eq!(kept(&whole[..end], &labels), None, "the first {end}");
        }
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                // Whatever it says now, it says it without ending the hub.
                let _ = kept(&damaged, &labels);
            }
        }
    }
}
