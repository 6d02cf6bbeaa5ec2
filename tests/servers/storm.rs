//! The real hub writes a thousand readings into each record system over a way on which more than a third of all writes
//! end in doubt ([`e2e::proxy`]). All of them are there, once, whose they are, when they were taken, with their digits.
//!
//! The hub's own waits are [`HURRY`] times shorter here, all in the same proportion.

use crate::rig::{Behind, Servers, curl};
use e2e::proxy::{Counts, Plan, Proxy, Searches};
use e2e::{Destination, Hub};
use gateway::demo::pki;
use jiff::civil::date;
use jiff::{Span, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Its patience with searches is then 3 s: longer than its timeout of 1 s, a request that comes late, and an index's lag.
pub(crate) const HURRY: u32 = 20;
const MORE: &str = "bundle = 4\ntimeout-s = 1";
const PATIENCE: Duration = Duration::from_secs(300);

/// One Observation: patient, code, time, values.
pub(crate) type Row = [String; 4];

/// Three persons with a cuff and a thermometer each, and what these measured in January 2024.
pub(crate) struct Home {
    pub(crate) patients: [String; 3],
    /// Who they are and whose; and each reading with its device.
    devices: Vec<String>,
    heard: Vec<(String, String)>,
    rows: Vec<Vec<Row>>,
}

impl Home {
    /// `tag`: in the names of patients and addresses of devices, so that no other home has them.
    pub(crate) fn new(tag: u8, readings: usize) -> Home {
        let patients = ["a", "b", "c"].map(|person| format!("storm-{tag}-{person}"));
        let mut devices = vec![
            json!({ "boot": true }).to_string(),
            json!({ "at": 0, "hub_time": "2026-05-13T12:00:00Z" }).to_string(),
        ];
        for (n, patient) in patients.iter().enumerate() {
            for (last, kind, service) in [(0, "cuff", "1810"), (1, "thermometer", "1809")] {
                let device = format!("{kind}-{n}");
                let address = format!("C0:FF:EE:02:{tag:02X}:{:02X}", 2 * n + last);
                devices.push(json!({ "met": { "device": device, "address": address, "services": [service] } }).to_string());
                devices.push(
                    json!({ "bind": { "device": device, "slot": null, "patient": { "clinic": patient },
                        "zone": "America/New_York", "from": "2018-01-01T00:00:00Z" } })
                    .to_string(),
                );
            }
        }
        let (mut heard, mut rows) = (vec![], vec![]);
        for n in 0..readings {
            let (device, frame, own) = reading(n, &patients[n % 3]);
            let line = json!({ "heard": { "device": device, "contact": 1, "characteristic": frame.0, "hex": frame.1 } });
            heard.push((device, line.to_string()));
            rows.push(own);
        }
        Home { patients, devices, heard, rows }
    }

    pub(crate) fn readings(&self) -> usize {
        self.rows.len()
    }

    /// What the home says of these readings.
    pub(crate) fn lines(&self, readings: std::ops::Range<usize>) -> String {
        let mut lines = self.devices.join("\n") + "\n";
        let heard = &self.heard[readings];
        heard.iter().for_each(|(_, line)| lines += &format!("{line}\n"));
        let mut devices: Vec<&String> = heard.iter().map(|(device, _)| device).collect();
        devices.sort();
        devices.dedup();
        for device in devices {
            lines += &format!("{}\n", json!({ "ended": { "device": device, "contact": 1, "how": "drained" } }));
        }
        lines
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

/// The n-th: its device, its frame, and the Observations that it is.
fn reading(n: usize, patient: &str) -> (String, (&'static str, String), Vec<Row>) {
    let minutes: Span = i64::try_from(n).unwrap().minutes();
    // 41 minutes apart: a thousand are a month, all in winter.
    let at = date(2024, 1, 1).at(0, 30, 0, 0) + minutes * 41;
    let clock = format!(
        "E807{:02X}{:02X}{:02X}{:02X}{:02X}",
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    let row = |code: &str, value: String| -> Row {
        [patient.to_owned(), code.to_owned(), format!("{at}-05:00"), value]
    };
    if (n / 3).is_multiple_of(4) {
        let [systolic, diastolic, mean, pulse] = [100 + n % 60, 60 + n % 25, 80 + n % 15, 50 + n % 40];
        let frame = format!("16{systolic:02X}00{diastolic:02X}00{mean:02X}00{clock}{pulse:02X}000000");
        let rows =
            vec![row("85354-9", format!("{systolic} {diastolic} {mean}")), row("8867-4", pulse.to_string())];
        return (format!("cuff-{}", n % 3), ("2A35", frame), rows);
    }
    // Hundredths, of which each tenth ends in a zero that was measured.
    let hundredths = 3_500 + n * 7 % 500;
    let [low, high, ..] = hundredths.to_le_bytes();
    let frame = format!("06{low:02X}{high:02X}00FE{clock}02");
    let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    (format!("thermometer-{}", n % 3), ("2A1C", frame), vec![row("8310-5", value)])
}

/// Every Observation of these patients, by a plain client.
pub(crate) fn chart(record: &Behind, patients: &[String]) -> Vec<Row> {
    let mut rows = vec![];
    for patient in patients {
        let mut page = Some(format!("{}/Observation?subject=Patient/{patient}&_count=1000", record.plain));
        while let Some(url) = page {
            let (status, body) = curl(&["-H", "Cache-Control: no-cache", &url]);
            assert_eq!(status, 200, "{url}: {body}");
            let bundle: Value = serde_json::from_str(&body).unwrap();
            rows.extend(bundle["entry"].as_array().into_iter().flatten().map(|entry| told(&entry["resource"])));
            let links = bundle["link"].as_array().into_iter().flatten();
            page = { links }
                .find(|link| link["relation"] == "next")
                .map(|link| link["url"].as_str().unwrap().to_owned());
        }
    }
    rows
}

fn told(observation: &Value) -> Row {
    let codes: Vec<&str> =
        observation["code"]["coding"].as_array().unwrap().iter().filter_map(|c| c["code"].as_str()).collect();
    let code = ["85354-9", "8310-5", "8867-4"].into_iter().find(|code| codes.contains(code)).unwrap_or("?");
    let number = |value: &Value| value["valueQuantity"]["value"].to_string();
    let values = match observation["component"].as_array() {
        Some(parts) => parts.iter().map(number).collect::<Vec<_>>().join(" "),
        None => number(observation),
    };
    let subject = observation["subject"]["reference"].as_str().unwrap();
    let time = observation["effectiveDateTime"].as_str().unwrap();
    [subject.trim_start_matches("Patient/").to_owned(), code.to_owned(), time.to_owned(), values]
}

/// What the chart has of what was measured.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct Found {
    pub(crate) lost: usize,
    pub(crate) doubled: usize,
    /// There, and measured by nobody: another person's, another time, another value.
    pub(crate) wrong: usize,
}

/// `digits`: what the record makes of them.
pub(crate) fn compare(home: &Home, chart: &[Row], digits: fn(&str) -> String) -> Found {
    let kept = |[patient, code, time, values]: &Row| -> Row {
        let values: Vec<String> = values.split(' ').map(digits).collect();
        [patient.clone(), code.clone(), time.clone(), values.join(" ")]
    };
    let mut seen: BTreeMap<Row, usize> = home.rows().map(|row| (kept(row), 0)).collect();
    assert_eq!(seen.len(), home.rows().count(), "two readings that nobody could tell apart");
    let mut found = Found::default();
    for row in chart.iter().map(kept) {
        match seen.get_mut(&row) {
            Some(times) => *times += 1,
            None => {
                println!("measured by nobody: {row:?}");
                found.wrong += 1;
            }
        }
    }
    for (row, times) in seen {
        if times == 0 {
            println!("lost: {row:?}");
        }
        found.lost += usize::from(times == 0);
        found.doubled += times.saturating_sub(1);
    }
    found
}

/// HAPI keeps the digits.
pub(crate) fn all_digits(digits: &str) -> String {
    digits.to_owned()
}

/// JavaScript's numbers know no zeros at the end.
fn by_value(digits: &str) -> String {
    match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    }
}

/// A patient whom the record knows.
pub(crate) fn known(record: &Behind, patient: &str) {
    let body = json!({ "resourceType": "Patient", "id": patient }).to_string();
    let url = format!("{}/Patient/{patient}", record.plain);
    let put = ["-X", "PUT", "-H", "Content-Type: application/fhir+json", "-d", &body, &url];
    let (status, said) = curl(&put);
    assert!(status == 200 || status == 201, "{url}: {status} {said}");
}

/// One storm, and what it left.
struct Storm {
    found: Found,
    counts: Counts,
    hub: Hub,
}

#[derive(Clone, Copy)]
struct Sky<'a> {
    record: &'a Behind,
    rung: &'a str,
    digits: fn(&str) -> String,
}

impl Sky<'_> {
    /// A home's readings go out in a storm that calms down when nine of ten have arrived, so that it ends.
    fn storm(self, tag: u8, readings: usize, plan: Plan) -> Storm {
        let since = Instant::now();
        let servers = Servers::get();
        let home = Home::new(tag, readings);
        home.patients.iter().for_each(|patient| known(self.record, patient));
        let proxy = servers.world.proxy(&self.record.wide, plan);
        let more = format!("rung = \"{}\"\n{MORE}", self.rung);
        let clinic = Destination { name: "clinic", url: proxy.url(), client: pki::CLIENT, more: &more };
        let hub = servers.world.hub_to(&[clinic]);
        hub.replay(&home.lines(0..readings));
        deliver(&hub, &proxy, readings);
        let found = compare(&home, &chart(self.record, &home.patients), self.digits);
        let counts = proxy.counts();
        println!(
            "{} readings by {}, seed {}: {found:?}, {} writes, {} in doubt, {} committed before the cut, {} after it, \
             slowest answer {:?}, {} s",
            readings,
            self.rung,
            plan.seed,
            counts.writes,
            counts.in_doubt,
            counts.committed_unheard,
            counts.committed_late,
            counts.slowest,
            since.elapsed().as_secs()
        );
        Storm { found, counts, hub }
    }
}

/// Runs the hub until all has arrived; and as a person would, has what is parked sent again.
fn deliver(hub: &Hub, proxy: &Proxy, readings: usize) {
    let daemon = hub.run_hurried(HURRY);
    let since = Instant::now();
    loop {
        let status = hub.json(&["status"]);
        let count = |name: &str| status[name].as_u64().unwrap() as usize;
        let arrived = count("delivered") + count("unverified");
        if arrived == readings {
            break;
        }
        assert!(since.elapsed() < PATIENCE, "it never arrived: {status:#}");
        if count("parked") > 0 {
            hub.says(&["outbox", "retry", "--all"]).ok();
        }
        if arrived * 10 >= readings * 9 {
            proxy.calm();
            let waiting: Vec<String> = hub
                .json(&["outbox", "list"])
                .as_array()
                .unwrap()
                .iter()
                .filter(|row| row["state"] == "waiting" || row["state"] == "in-doubt")
                .map(|row| row["row"].to_string())
                .collect();
            let arguments: Vec<&str> = ["outbox", "retry"].into_iter().chain(waiting.iter().map(String::as_str)).collect();
            // They may have arrived meanwhile.
            hub.says(&arguments);
        }
        std::thread::park_timeout(Duration::from_secs(1));
    }
    assert_eq!(daemon.stop(), 0);
    while !proxy.is_idle() {
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// How many readings each record gets, spread over the rungs; and from which seed on. In every run a third for each rung;
/// `HEARTH_STORM=READINGS:SEED` is for long ones.
fn slice() -> (usize, u64) {
    let said = std::env::var("HEARTH_STORM").unwrap_or_else(|_| "334:1".into());
    let (readings, seed) = said.split_once(':').expect("HEARTH_STORM=READINGS:SEED");
    (readings.parse().expect("a number of readings"), seed.parse().expect("a seed"))
}

const RUNGS: [&str; 3] = ["update-as-create", "conditional-create", "search-then-create"];

fn print_faults(counts: &[Counts]) {
    let mut all: BTreeMap<&str, u64> = BTreeMap::new();
    for (fault, times) in counts.iter().flat_map(|counts| &counts.faults) {
        *all.entry(fault).or_default() += times;
    }
    let list = all.iter().fold(String::new(), |mut list, (fault, times)| {
        _ = write!(list, "\n  {times:5} {fault}");
        list
    });
    println!("faults:{list}");
}

#[test]
fn a_thousand_readings_through_a_storm() {
    let servers = Servers::get();
    let (readings, seed) = slice();
    let records = [(&servers.hapi, all_digits as fn(&str) -> String), (&servers.medplum, by_value)];
    let storms: Vec<Storm> = std::thread::scope(|scope| {
        let both: Vec<_> = records
            .into_iter()
            .enumerate()
            .map(|(r, (record, digits))| {
                scope.spawn(move || {
                    let storm = |(n, rung)| {
                        let (tag, n) = (10 * r + n, n as u64);
                        let plan = Plan::new(seed * 100 + 10 * r as u64 + n);
                        Sky { record, rung, digits }.storm(tag as u8, readings, plan)
                    };
                    RUNGS.into_iter().enumerate().map(storm).collect::<Vec<_>>()
                })
            })
            .collect();
        both.into_iter().flat_map(|storms| storms.join().unwrap()).collect()
    });
    let counts: Vec<Counts> = storms.iter().map(|storm| storm.counts.clone()).collect();
    print_faults(&counts);
    for storm in &storms {
        assert_eq!(storm.found, Found::default());
        assert!(storm.counts.in_doubt * 10 >= storm.counts.writes * 3, "too fair a wind: {:?}", storm.counts);
    }
    let unheard: u64 = counts.iter().map(|counts| counts.committed_unheard).sum();
    println!("committed before the cut: {unheard}");
    assert!(unheard > 200, "{unheard}");
}

/// A record that knows no condition, cannot be searched and takes everything: a repeat may be there twice. Each that was
/// repeated is told, and nothing is lost.
#[test]
fn repeats_in_the_dark_are_told() {
    let sky = Sky { record: &Servers::get().hapi, rung: "plain-create", digits: all_digits };
    let plan = Plan { searches: Searches::Refused, ..Plan::new(41) };
    let storm = sky.storm(40, 60, plan);
    let raised = storm.hub.json(&["status"])["raised"].clone();
    let repeats = raised.as_array().unwrap().iter().filter(|said| said.as_str().unwrap().contains("it may be there twice"));
    let repeats = repeats.count();
    println!("plain-create: {:?}, {repeats} readings told as perhaps there twice", storm.found);
    assert_eq!((storm.found.lost, storm.found.wrong), (0, 0));
    assert!(storm.found.doubled > 0, "it was never dark");
}

/// The check finds what it looks for: a record that ignores the condition has readings twice, and nothing that the hub
/// could do prevents it.
#[test]
fn without_the_ladder_they_are_there_twice() {
    let sky = Sky { record: &Servers::get().hapi, rung: "conditional-create", digits: all_digits };
    let plan = Plan { searches: Searches::Empty, strips_conditions: true, ..Plan::new(43) };
    let storm = sky.storm(42, 60, plan);
    assert_eq!((storm.found.lost, storm.found.wrong), (0, 0));
    assert!(storm.found.doubled > 0, "the check can't see it");
}
