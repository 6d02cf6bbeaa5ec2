//! What was written over what: by a hub never but a status, and never where it had not looked.

use crate::home::{Home, RECORDS, kind};
use crate::promises::Charted;
use gateway::demo::record::Version;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// After its first version, the hub changes a status and nothing else; what a clinician deleted stays so. Only where two
/// hubs raced may the second one's version follow the first one's: each looked, and neither was there. HAPI ignores
/// `If-None-Match`, so that nobody can prevent it (CLINICAL 27). It says the same, as that hub knows it: its own name, when
/// it was ready, whether it compared the clock, and so what time it was, which is looked at as the first one's is.
pub(crate) fn written_over(home: &Home, n: usize, charted: &Charted) -> Vec<String> {
    let mut said = vec![];
    for pair in charted.versions.windows(2) {
        let [before, after] = pair else { continue };
        let by_clinician =
            |version: &Version| home.clinicians.contains(&(n, charted.id.clone(), version.number));
        if by_clinician(after) {
            continue;
        }
        let raced =
            home.has_two_hubs() && after.number == 2 && !by_clinician(before) && hub(before) != hub(after);
        let own: &[&str] = match raced {
            true => &["meta", "extension", "issued", "note", "effectiveDateTime"],
            false => &["status", "meta"],
        };
        let without = |version: &Version| {
            let mut resource = version.resource.clone().unwrap_or_default();
            for name in own {
                resource.as_object_mut().map(|fields| fields.remove(*name));
            }
            resource
        };
        let marked = after.resource.as_ref().is_some_and(|r| r["status"] == "entered-in-error");
        if before.resource.is_none() || !(marked || raced) || without(before) != without(after) {
            said.push(format!(
                "OVERWRITTEN: version {} of {} at the {} is neither a clinician's nor a retraction",
                after.number, charted.id, RECORDS[n]
            ));
        }
    }
    said
}

/// Which hub wrote it.
fn hub(version: &Version) -> Option<&str> {
    let extensions = version.resource.as_ref()?["extension"].as_array()?;
    let gateway = extensions.iter().find(|e| e["url"].as_str().is_some_and(|u| u.ends_with("gatewayDevice")));
    gateway?["valueReference"]["reference"].as_str()
}

/// Before it writes an Observation by its id, a hub asks whether it is there; what it saw there, it does not write
/// (CLINICAL 27).
pub(crate) fn unasked(home: &Home, n: usize) -> Vec<String> {
    let mut said = vec![];
    let (mut there, mut asked) = (BTreeSet::new(), BTreeMap::new());
    for logged in home.record(n).log() {
        let body: Value = serde_json::from_slice(&logged.octets).unwrap_or_default();
        let entries = body["entry"].as_array().into_iter().flatten();
        let parts = entries.filter_map(|entry| {
            let request = &entry["request"];
            Some((
                request["method"].as_str()?.to_owned(),
                request["url"].as_str()?.to_owned(),
                &entry["resource"],
            ))
        });
        let whole = (logged.seen.method.clone(), logged.seen.path.clone(), &body);
        for (method, path, resource) in parts.chain([whole]) {
            if !path.starts_with("Observation/") {
                continue;
            }
            let of_whom = (logged.client.clone(), path.clone());
            match method.as_str() {
                "GET" if logged.done => _ = asked.insert(of_whom, there.contains(&path)),
                // What accompanies a measurement goes after it, and is asked for only once something left.
                "PUT" if kind(resource).is_some() && resource["status"] != "entered-in-error" => {
                    match asked.get(&of_whom) {
                        Some(false) => {}
                        Some(true) => said.push(format!(
                            "OVERWRITTEN: a hub saw {path} at the {}, and wrote it",
                            RECORDS[n]
                        )),
                        None => said.push(format!(
                            "OVERWRITTEN: a hub wrote {path} at the {} and had not asked",
                            RECORDS[n]
                        )),
                    }
                    if logged.done {
                        there.insert(path);
                    }
                }
                _ => {}
            }
        }
    }
    said
}
