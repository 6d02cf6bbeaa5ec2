//! The real hub writes into record systems that nobody here wrote, behind nginx as hospitals have it.

use e2e::servers::{Behind, Server, Servers, curl, known};
use e2e::{Destination, Hub};
use gateway::demo::pki;
use serde_json::{Value, json};
use std::time::Duration;

/// A home of its own: devices at addresses that no other has, bound to a patient that no other has.
pub(crate) fn home(n: u8, patient: &str) -> String {
    let bind = |device: &str, slot: Value| {
        json!({ "bind": { "device": device, "slot": slot, "patient": { "clinic": patient },
            "zone": "America/New_York", "from": "2018-01-01T00:00:00Z" } })
    };
    let met = |device: &str, last: u8, service: &str| json!({ "met": { "device": device, "address": format!("C0:FF:EE:01:{n:02X}:{last:02X}"), "services": [service] } });
    let heard = |device: &str, characteristic: &str, hex: &str| json!({ "heard": { "device": device, "contact": 1, "characteristic": characteristic, "hex": hex } });
    let ended = |device: &str| json!({ "ended": { "device": device, "contact": 1, "how": "drained" } });
    let lines = [
        json!({ "boot": true }),
        json!({ "at": 0, "hub_time": "2026-05-13T12:00:00Z" }),
        met("cuff", 1, "1810"),
        met("meter", 2, "1808"),
        met("scale", 3, "181D"),
        met("thermometer", 4, "1809"),
        bind("cuff", json!(null)),
        bind("meter", json!(null)),
        bind("scale", json!(1)),
        bind("thermometer", json!(null)),
        heard("cuff", "2A35", "167C0056006100E807060F11111B33000000"),
        heard("cuff", "2A35", "02780050006400E807060F0A0000"),
        ended("cuff"),
        heard("meter", "2A18", "1B0F00E807011E053A1B53016FB0F80000"),
        heard("meter", "2A34", "020F0002"),
        ended("meter"),
        heard("scale", "2A9D", "0E783EEA07050C12353601EE002607"),
        ended("scale"),
        heard("thermometer", "2A1C", "066F0100FFEA07050C12353602"),
        ended("thermometer"),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What that home measured, by the devices' own frames: code, time, values. Sorted.
const MEASURED: [[&str; 3]; 7] = [
    ["29463-7", "2026-05-12T18:53:54-04:00", "79.960"],
    ["8310-5", "2026-05-12T18:53:54-04:00", "36.7"],
    ["8417864", "2024-01-30T11:37:27-05:00", ""],
    ["85354-9", "2024-06-15T10:00:00-04:00", "120 80 100"],
    ["85354-9", "2024-06-15T17:17:27-04:00", "124 86 97"],
    ["8867-4", "2024-06-15T17:17:27-04:00", "51"],
    ["160368", "2024-01-30T11:37:27-05:00", "111"],
];

/// How many of those are readings, each with its companions.
const READINGS: u64 = 5;

/// A plain client's view: every Observation of a patient, with its number of versions.
fn chart(record: &Behind, patient: &str) -> Vec<(Vec<String>, Value)> {
    let url = format!("{}/Observation?subject=Patient/{patient}&_count=200", record.plain);
    let (status, body) = curl(&["-H", "Cache-Control: no-cache", &url]);
    assert_eq!(status, 200, "{body}");
    let bundle: Value = serde_json::from_str(&body).unwrap();
    let number = |value: &Value| value["valueQuantity"]["value"].to_string();
    let mut all = vec![];
    for entry in bundle["entry"].as_array().into_iter().flatten() {
        let o = &entry["resource"];
        let codes: Vec<&str> =
            o["code"]["coding"].as_array().unwrap().iter().filter_map(|c| c["code"].as_str()).collect();
        let known = MEASURED.iter().map(|row| row[0]).find(|code| codes.contains(code));
        let code = known.unwrap_or_else(|| panic!("what is {codes:?}? {o}"));
        let values = match o["component"].as_array() {
            Some(parts) => parts.iter().map(number).collect::<Vec<_>>().join(" "),
            None if o["valueQuantity"].is_object() => number(o),
            None => String::new(),
        };
        let time = o["effectiveDateTime"].as_str().unwrap();
        all.push((vec![code.into(), time.into(), values], o["meta"]["versionId"].clone()));
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[track_caller]
fn assert_measured(record: &Behind, patient: &str, digits: fn(&str) -> String) -> Vec<Value> {
    let (rows, versions): (Vec<_>, Vec<_>) = chart(record, patient).into_iter().unzip();
    let mut expected: Vec<Vec<String>> = MEASURED
        .iter()
        .map(|[code, time, values]| vec![(*code).into(), (*time).into(), digits(values)])
        .collect();
    expected.sort();
    assert_eq!(rows, expected, "in the chart of {patient}");
    versions
}

pub(crate) fn hub(url: &str, client: &str, more: &str) -> Hub {
    let clinic = Destination { name: "clinic", url: url.to_owned(), client, more };
    Servers::get().world.hub_to(&[clinic])
}

/// What is right of a record system: the digits that it keeps, and how often two hubs then have to say that it has its own.
struct Keeps {
    digits: fn(&str) -> String,
    raised: [usize; 2],
}

/// HAPI keeps the digits.
const HAPI: Keeps = Keeps { digits: |digits| digits.to_owned(), raised: [0, 0] };

/// JavaScript's numbers know no digits behind the last that counts. CLINICAL 17 and 27: `79.96` is not the `79.960` that the scale
/// said, so whoever finds it says so, and never writes over it. At rung 1 that is also the hub that wrote it, since a creation is
/// answered by 200 and what stands there.
fn medplum(raised: [usize; 2]) -> Keeps {
    Keeps { digits: |digits| digits.replace("79.960", "79.96"), raised }
}

/// Once, in two lives of one hub and by a second hub of the same home.
#[track_caller]
fn written_once(n: u8, patient: &str, record: &Behind, rung: &str, keeps: &Keeps) {
    known(record, patient);
    let more = format!("rung = \"{rung}\"");
    let first = hub(&record.wide, pki::CLIENT, &more);
    first.replay(&home(n, patient));
    first.deliver();
    let versions = assert_measured(record, patient, keeps.digits);
    first.replay(&home(n, patient));
    first.deliver();
    let second = hub(&record.wide, pki::CLIENT, &more);
    second.replay(&home(n, patient));
    second.deliver();
    assert_eq!(assert_measured(record, patient, keeps.digits), versions, "nothing was written over");
    for (hub, raised) in [first, second].iter().zip(keeps.raised) {
        let status = hub.json(&["status"]);
        assert_eq!((&status["delivered"], &status["parked"]), (&json!(READINGS), &json!(0)), "{status:#}");
        let said = status["raised"].as_array().unwrap();
        assert_eq!(said.len(), raised, "{status:#}");
        assert!(said.iter().all(|row| row.as_str().unwrap().contains("its own values")), "{status:#}");
    }
}

#[test]
fn hapi_update_as_create() {
    written_once(1, "one", &Servers::get().hapi, "update-as-create", &HAPI);
}

#[test]
fn hapi_conditional_create() {
    written_once(2, "two", &Servers::get().hapi, "conditional-create", &HAPI);
}

#[test]
fn medplum_update_as_create() {
    written_once(3, "three", &Servers::get().medplum, "update-as-create", &medplum([1, 1]));
}

#[test]
fn medplum_conditional_create() {
    written_once(4, "four", &Servers::get().medplum, "conditional-create", &medplum([0, 1]));
}

/// A clinician's mark in a record that is not ours stays, whatever hub comes with the same reading.
#[test]
fn entered_in_error_stays_so() {
    let record = &Servers::get().hapi;
    known(record, "five");
    let more = "rung = \"update-as-create\"";
    let first = hub(&record.wide, pki::CLIENT, more);
    first.replay(&home(5, "five"));
    first.deliver();
    let search = format!("{}/Observation?subject=Patient/five&code=29463-7", record.plain);
    let (_, found) = curl(&["-H", "Cache-Control: no-cache", &search]);
    let mut weight = serde_json::from_str::<Value>(&found).unwrap()["entry"][0]["resource"].clone();
    weight["status"] = json!("entered-in-error");
    let url = format!("{}/Observation/{}", record.plain, weight["id"].as_str().unwrap());
    let body = weight.to_string();
    assert_eq!(curl(&["-X", "PUT", "-H", "Content-Type: application/fhir+json", "-d", &body, &url]).0, 200);

    let second = hub(&record.wide, pki::CLIENT, more);
    second.replay(&home(5, "five"));
    second.deliver();
    let now: Value = serde_json::from_str(&curl(&[&url]).1).unwrap();
    assert_eq!(
        (&now["status"], &now["meta"]["versionId"]),
        (&json!("entered-in-error"), &json!("2")),
        "{now}"
    );
    let raised = second.json(&["status"])["raised"].clone();
    assert!(raised.to_string().contains("its own status"), "{raised}");
}

/// What a certificate is worth, as curl sees it.
fn through_nginx(client: Option<&str>, url: &str, more: &[&str]) -> (u16, String) {
    let pki = &Servers::get().world.pki;
    let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
    let mut arguments = vec!["--cacert".to_owned(), path(pki.ca())];
    if let Some(name) = client {
        arguments.extend(["--cert".into(), path(pki.certificate(name)), "--key".into(), path(pki.key(name))]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
    curl(&[&arguments[..], &[url]].concat())
}

/// nginx tells a missing and a revoked certificate as `400` with a web page. The hub holds the destination, parks nothing, and
/// writes once it has a certificate again.
#[test]
fn no_certificate_and_a_revoked_one() {
    let record = &Servers::get().hapi;
    let metadata = format!("{}/metadata", record.wide);
    for (client, status, said) in [
        (None, 400, "No required SSL certificate was sent"),
        (Some(pki::CLIENT_REVOKED), 400, "The SSL certificate error"),
        (Some(pki::CLIENT), 200, "CapabilityStatement"),
    ] {
        let answer = through_nginx(client, &metadata, &[]);
        assert!(answer.0 == status && answer.1.contains(said), "{client:?}: {answer:?}");
        assert_eq!(answer.1.contains("<html>"), status == 400, "{client:?}: {answer:?}");
    }

    for (n, patient, rung) in [(6, "six", "update-as-create"), (7, "seven", "conditional-create")] {
        known(record, patient);
        let hub = hub(&record.wide, pki::CLIENT_REVOKED, &format!("rung = \"{rung}\""));
        hub.replay(&home(n, patient));
        let daemon = hub.run();
        let told = hub.until(&["status"], |status| status["destinations"].to_string().contains("held"));
        assert!(told["destinations"].to_string().contains("certificate"), "{told:#}");
        assert_eq!((&told["parked"], &told["delivered"]), (&json!(0), &json!(0)), "{rung}: {told:#}");
        assert_eq!(daemon.stop(), 0);
        assert_eq!(chart(record, patient), []);
        let revoked = std::fs::read_to_string(&hub.config).unwrap();
        std::fs::write(&hub.config, revoked.replace(pki::CLIENT_REVOKED, pki::CLIENT)).unwrap();
        hub.deliver();
        assert_measured(record, patient, HAPI.digits);
    }
}

/// A bundle that is too large is halved, and whoever comes too fast waits as long as he is told: `413` and `429` are nginx's own
/// words, not the record's.
#[test]
fn too_large_and_too_fast() {
    let servers = Servers::get();
    let record = &servers.hapi;
    known(record, "eight");
    let large = servers.world.dir.join("large");
    std::fs::write(&large, vec![b' '; 100_000]).unwrap();
    let body = format!("@{}", large.display());
    let answer = through_nginx(Some(pki::CLIENT_RENEWED), &servers.narrow, &["--data-binary", &body]);
    assert!(answer.0 == 413 && answer.1.contains("too-long"), "{answer:?}");

    let hub = hub(&servers.narrow, pki::CLIENT, "rung = \"conditional-create\"");
    hub.replay(&home(8, "eight"));
    hub.deliver();
    assert_measured(record, "eight", HAPI.digits);
    let status = hub.json(&["status"]);
    assert_eq!((&status["delivered"], &status["parked"]), (&json!(READINGS), &json!(0)), "{status:#}");

    let asked = servers.asked(&servers.narrow);
    let times = |status: &str| asked.iter().filter(|asked| asked.status == status).count();
    assert!(times("413") >= 1, "nothing was too large: {asked:?}");
    assert!(times("429") >= 1, "nothing was too fast: {asked:?}");
    assert!(times("200") >= 2, "it was halved: {asked:?}");
    for pair in asked.windows(2).filter(|pair| pair[0].status == "429") {
        assert!(pair[1].ms - pair[0].ms >= 2_000, "Retry-After was undercut: {pair:?}");
    }
}

/// A person whom the record does not know: HAPI says `400`. Their readings wait, are not parked, and keep nobody else waiting.
#[test]
fn somebody_whom_the_record_does_not_know() {
    let record = &Servers::get().hapi;
    for (rung, n, patient) in [("update-as-create", 9, "nine"), ("conditional-create", 11, "eleven")] {
        known(record, patient);
        let hub = hub(&record.wide, pki::CLIENT, &format!("rung = \"{rung}\""));
        hub.replay(&home(n, "nobody"));
        hub.replay(&home(n + 1, patient));
        let daemon = hub.run();
        let told = hub.until(&["status"], |status| status["delivered"] == READINGS);
        assert_eq!((&told["parked"], &told["on_its_way"]), (&json!(0), &json!(READINGS)), "{told:#}");
        assert_eq!(daemon.stop(), 0);
        assert_measured(record, patient, HAPI.digits);
        let rows = hub.json(&["outbox", "list"]);
        let wait = |row: &&Value| row["state"] == "waiting" && row["who_must_act"] == "record-system";
        assert_eq!(rows.as_array().unwrap().iter().filter(wait).count() as u64, READINGS, "{rows:#}");
    }
}

/// The record's server is killed between two readings, and comes back with what it had. Nothing is lost, nothing twice.
#[test]
fn the_record_is_killed_and_comes_back() {
    let servers = Servers::get();
    let (url, port) = &servers.away;
    let (file, log) = (servers.world.dir.join("kept"), servers.world.dir.join("kept.log"));
    let start = || Server::hapi(Some((&file, *port)), &log).ready();
    let server = start();
    let record = Behind { plain: format!("http://127.0.0.1:{port}/fhir"), wide: url.clone() };
    known(&record, "thirteen");
    let hub = hub(url, pki::CLIENT, "rung = \"conditional-create\"\nbundle = 1");
    hub.replay(&home(13, "thirteen"));
    let daemon = hub.run();
    let answered = |status: &str| servers.asked(url).iter().any(|asked| asked.status == status);
    while !answered("201") && !answered("200") {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    server.kill_now();
    let told = hub.until(&["status"], |status| status["destinations"].to_string().contains("tried again"));
    assert_eq!(told["parked"], 0, "{told:#}");
    let _server = start();
    hub.says(&["outbox", "wait", "--timeout", "60"]).ok();
    assert_eq!(daemon.stop(), 0);
    assert_measured(&record, "thirteen", HAPI.digits);
    let status = hub.json(&["status"]);
    assert_eq!((&status["delivered"], &status["parked"]), (&json!(READINGS), &json!(0)), "{status:#}");
}
