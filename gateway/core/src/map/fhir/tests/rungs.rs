//! What each rung sends: references, containment, requests.

use super::super::{Kind, MixedLabels, Resource, Role, Rung, ask, bundle, located, resources, urn};
use super::support::*;
use crate::parcel::{Parcel, Policy};
use serde_json::Value;

/// A pressure with pulse and status, dated by a sample.
fn parcel() -> Parcel {
    sampled(pressure("14 7C00 5600 6100 3300 0100"), "2018-11-11T11:38:10", 18_005)
}

fn sent(rung: Rung) -> Vec<Resource> {
    resources(&parcel(), &Policy::default(), rung, None)
}

fn roles(resources: &[Resource]) -> Vec<Role> {
    resources.iter().map(|resource| resource.role).collect()
}

fn id(resources: &[Resource], role: Role) -> &str {
    &resources.iter().find(|resource| resource.role == role).unwrap().id
}

#[test]
fn rung_1_names_everything_and_points_at_names() {
    let all = sent(Rung::UpdateAsCreate);
    assert_eq!(
        roles(&all),
        [
            Role::Meter,
            Role::Hub,
            Role::CoincidentTime,
            Role::Measurement,
            Role::Pulse,
            Role::Status,
            Role::Provenance
        ]
    );
    let read = by_role(&all);
    let at = |role: Role| format!("{}/{}", role.kind(), id(&all, role));
    for resource in &all {
        assert_eq!(read[&resource.role]["id"], resource.id.as_str());
        assert_eq!(read[&resource.role]["resourceType"], resource.kind);
        assert_eq!(read[&resource.role].get("contained"), None);
    }
    let pulse = &read[&Role::Pulse];
    assert_eq!(pulse["derivedFrom"][0]["reference"], at(Role::Measurement));
    assert_eq!(pulse["device"]["reference"], at(Role::Meter));
    assert_eq!(pulse["extension"][0]["valueReference"]["reference"], at(Role::Hub));
    assert_eq!(pulse["extension"][1]["valueReference"]["reference"], at(Role::CoincidentTime));
    let targets: Vec<_> =
        read[&Role::Provenance]["target"].as_array().unwrap().iter().map(|t| &t["reference"]).collect();
    assert_eq!(
        targets,
        [&at(Role::CoincidentTime), &at(Role::Measurement), &at(Role::Pulse), &at(Role::Status)]
    );
    let depends: Vec<_> = all.iter().map(|resource| resource.depends_on.clone()).collect();
    let of_all = vec![Role::Meter, Role::Hub, Role::CoincidentTime];
    let companion = [of_all.clone(), vec![Role::Measurement]].concat();
    assert_eq!(
        depends,
        [
            vec![],
            vec![],
            vec![Role::Meter, Role::Hub],
            of_all.clone(),
            companion.clone(),
            companion,
            [of_all, vec![Role::Measurement, Role::Pulse, Role::Status]].concat()
        ]
    );
}

#[test]
fn rung_2_names_nothing_and_points_at_urns() {
    let all = sent(Rung::ConditionalCreate);
    assert_eq!(
        roles(&all),
        [Role::Meter, Role::Hub, Role::CoincidentTime, Role::Measurement, Role::Pulse, Role::Status]
    );
    let read = by_role(&all);
    for resource in &all {
        assert_eq!(read[&resource.role].get("id"), None);
        assert!(resource.identifier.is_some(), "{:?} can be found again", resource.role);
    }
    let pulse = &read[&Role::Pulse];
    assert_eq!(pulse["derivedFrom"][0]["reference"], urn(id(&all, Role::Measurement)));
    assert_eq!(pulse["device"]["reference"], urn(id(&all, Role::Meter)));
    // A Provenance has no identifier in R4: it travels inside, and points at what it is in.
    assert_eq!(pulse["contained"][0]["resourceType"], "Provenance");
    assert_eq!(pulse["contained"][0]["target"][0]["reference"], "#");
    assert_eq!(pulse["contained"][0]["agent"][1]["who"]["reference"], urn(id(&all, Role::Hub)));
    assert_eq!(pulse["contained"].as_array().unwrap().len(), 1);
}

#[test]
fn rungs_3_and_4_need_nobody_but_the_patient() {
    assert_eq!(sent(Rung::SearchThenCreate), sent(Rung::PlainCreate));
    let all = sent(Rung::PlainCreate);
    assert_eq!(roles(&all), [Role::Measurement, Role::Pulse, Role::Status]);
    let read = by_role(&all);
    for resource in &all {
        let observation = &read[&resource.role];
        assert_eq!(observation.get("id"), None);
        let contained: Vec<_> = observation["contained"].as_array().unwrap().iter().collect();
        let ids: Vec<_> = contained.iter().map(|c| c["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["meter", "hub", "coincident-time", "provenance"]);
        assert_eq!(observation["device"]["reference"], "#meter");
        assert_eq!(observation["extension"][0]["valueReference"]["reference"], "#hub");
        assert_eq!(observation["extension"][1]["valueReference"]["reference"], "#coincident-time");
        assert_eq!(contained[2]["subject"]["reference"], "#meter");
        assert_eq!(contained[2]["valueDateTime"], "2018-11-11T11:38:10-05:00");
        assert_eq!(contained[3]["agent"][0]["who"]["reference"], "#meter");
        // US Core: a contained Device needs a name. R4 dom-5: and no labels.
        for device in &contained[..2] {
            assert!(device["deviceName"][0]["name"].is_string());
            assert_eq!(device.get("meta"), None);
        }
    }
    assert_eq!(read[&Role::Pulse]["derivedFrom"][0]["reference"], urn(id(&all, Role::Measurement)));
    assert_eq!(all[1].depends_on, [Role::Measurement]);
}

#[test]
fn a_reference_is_replaced_by_the_place_that_the_server_gave() {
    let all = sent(Rung::PlainCreate);
    let [measurement, pulse, status] = &all[..] else { panic!("three") };
    let placed = json(&located(pulse, &[(measurement, "Observation/12")]));
    assert_eq!(placed["derivedFrom"][0]["reference"], "Observation/12");
    assert_eq!(located(measurement, &[(measurement, "Observation/12")]), measurement.json);
    assert_eq!(located(status, &[(pulse, "Observation/13")]), status.json);
}

fn entries(bundle: &str) -> Vec<Value> {
    json(bundle)["entry"].as_array().unwrap().clone()
}

#[test]
fn a_bundle_of_each_rung() {
    for (rung, kind, kind_text) in [
        (Rung::UpdateAsCreate, Kind::Batch, "batch"),
        (Rung::ConditionalCreate, Kind::Transaction, "transaction"),
        (Rung::SearchThenCreate, Kind::Transaction, "transaction"),
        (Rung::PlainCreate, Kind::Transaction, "transaction"),
    ] {
        let all = sent(rung);
        let text = bundle(std::slice::from_ref(&all), rung, kind).unwrap();
        let whole = json(&text);
        assert_eq!(
            (whole["resourceType"].as_str(), whole["type"].as_str()),
            (Some("Bundle"), Some(kind_text))
        );
        assert_eq!(whole.get("meta"), None);
        let entries = entries(&text);
        assert_eq!(entries.len(), all.len());
        for (entry, resource) in entries.iter().zip(&all) {
            assert_eq!(entry["resource"], json(&resource.json));
            let Resource { kind, id, identifier, .. } = resource;
            assert_eq!(entry["fullUrl"], urn(id));
            let request = &entry["request"];
            if rung == Rung::UpdateAsCreate {
                assert_eq!(*request, json(&format!(r#"{{"method":"PUT","url":"{kind}/{id}"}}"#)));
            } else {
                assert_eq!(
                    (request["method"].as_str(), request["url"].as_str()),
                    (Some("POST"), Some(*kind))
                );
                let (system, value) = identifier.as_ref().unwrap();
                let query =
                    (rung == Rung::ConditionalCreate).then(|| format!("identifier={system}%7C{value}"));
                assert_eq!(request.get("ifNoneExist").map(|q| q.as_str().unwrap().to_owned()), query);
            }
        }
    }
}

#[test]
fn a_bundle_holds_nothing_twice_and_devices_first() {
    let policy = Policy::default();
    let of = |key: u8| {
        let mut parcel = parcel();
        parcel.reading.key.0 = [key; 32];
        resources(&parcel, &policy, Rung::ConditionalCreate, None)
    };
    let text = bundle(&[of(1), of(2), of(1)], Rung::ConditionalCreate, Kind::Transaction).unwrap();
    let entries = entries(&text);
    let kinds: Vec<_> = entries.iter().map(|entry| entry["request"]["url"].as_str().unwrap()).collect();
    assert_eq!(kinds, [["Device"; 2].as_slice(), &["Observation"; 8]].concat());
    let mut queries: Vec<_> =
        entries.iter().map(|entry| entry["request"]["ifNoneExist"].as_str().unwrap()).collect();
    queries.sort_unstable();
    queries.dedup();
    assert_eq!(queries.len(), entries.len());
}

#[test]
fn clinical_29_a_bundle_has_one_label_set_and_carries_it() {
    let of = |labels: &[&str]| {
        resources(&labelled(parcel(), labels), &Policy::default(), Rung::UpdateAsCreate, None)
    };
    let text = bundle(&[of(&["SUD", "R"]), of(&["R", "SUD"])], Rung::UpdateAsCreate, Kind::Batch).unwrap();
    let codes: Vec<_> =
        json(&text)["meta"]["security"].as_array().unwrap().iter().map(|s| s["code"].clone()).collect();
    assert_eq!(codes, ["R", "SUD"]);
    for (one, other) in [(&["SUD"][..], &[][..]), (&[], &["R"]), (&["R"], &["R", "SUD"])] {
        assert_eq!(bundle(&[of(one), of(other)], Rung::UpdateAsCreate, Kind::Batch), Err(MixedLabels));
    }
}

#[test]
fn a_question_is_a_batch_of_reads() {
    assert_eq!(
        ask(&[("Observation", "a"), ("Device", "b")]),
        r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Observation/a"}},{"request":{"method":"GET","url":"Device/b"}}]}"#
    );
}
