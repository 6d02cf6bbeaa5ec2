//! A home with many readings, and what a record has of them in the end.

use jiff::civil::{DateTime, date};
use jiff::{Span, ToSpan};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::Range;

/// One Observation: patient, code, time, values.
pub type Row = [String; 4];

/// Three persons with a cuff and a thermometer each, and what these measured in one winter.
#[derive(Debug)]
pub struct Home {
    pub patients: [String; 3],
    /// Who they are and whose; and each reading with its device.
    devices: Vec<String>,
    heard: Vec<(String, String)>,
    rows: Vec<Vec<Row>>,
}

impl Home {
    /// `tag`: in the names of patients and addresses of devices, so that no other home has them.
    pub fn new(tag: u8, readings: usize) -> Home {
        let patients = ["a", "b", "c"].map(|person| format!("storm-{tag}-{person}"));
        let mut devices = vec![];
        for (n, patient) in patients.iter().enumerate() {
            for (last, kind, service) in [(0, "cuff", "1810"), (1, "thermometer", "1809")] {
                let device = format!("{kind}-{n}");
                let address = format!("C0:FF:EE:02:{tag:02X}:{:02X}", 2 * n + last);
                devices.push(
                    json!({ "met": { "device": device, "address": address, "services": [service] } })
                        .to_string(),
                );
                devices.push(
                    json!({ "bind": { "device": device, "slot": null, "patient": { "clinic": patient },
                        "zone": "America/New_York", "from": "2018-01-01T00:00:00Z" } })
                    .to_string(),
                );
            }
        }
        let (mut heard, mut rows) = (vec![], vec![]);
        // 41 minutes apart: a thousand are a month. More of them come closer, so that all are in one winter.
        let apart = (60 * 86_400 / readings.max(1)).min(41 * 60);
        for n in 0..readings {
            let (device, frame, own) = reading(n, apart, &patients[n % 3]);
            let line = json!({ "heard": { "device": device, "contact": 1, "characteristic": frame.0, "hex": frame.1 } });
            heard.push((device, line.to_string()));
            rows.push(own);
        }
        Home { patients, devices, heard, rows }
    }

    /// A log of these readings, for a hub that is not running.
    pub fn log(&self, readings: Range<usize>) -> String {
        let clock = [json!({ "boot": true }), json!({ "at": 0, "hub_time": "2026-05-13T12:00:00Z" })];
        clock.iter().map(|line| format!("{line}\n")).collect::<String>() + &self.news(readings)
    }

    /// The same for a daemon, which has a clock of its own. Each contact is lost in the end: what a drained memory did not
    /// have cannot be older than that (CLINICAL 19), and these devices have more of that month to tell.
    pub fn news(&self, readings: Range<usize>) -> String {
        let mut lines = self.devices.join("\n") + "\n";
        let heard = &self.heard[readings];
        heard.iter().for_each(|(_, line)| lines += &format!("{line}\n"));
        let mut devices: Vec<&String> = heard.iter().map(|(device, _)| device).collect();
        devices.sort();
        devices.dedup();
        for device in devices {
            lines += &format!("{}\n", json!({ "ended": { "device": device, "contact": 1, "how": "lost" } }));
        }
        lines
    }

    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

/// The n-th, so many seconds after the one before: its device, its frame, and the Observations that it is.
fn reading(n: usize, apart: usize, patient: &str) -> (String, (&'static str, String), Vec<Row>) {
    let seconds: Span = i64::try_from(n * apart).expect("as it was written").seconds();
    let at = date(2024, 1, 1).at(0, 30, 0, 0) + seconds;
    let cuff = (n / 3).is_multiple_of(4);
    let device = format!("{}-{}", if cuff { "cuff" } else { "thermometer" }, n % 3);
    let (frame, rows) = measured(n, cuff, at, "-05:00", patient);
    (device, frame, rows)
}

/// What a cuff, or else a thermometer, says of its n-th measurement: characteristic and octets; and the Observations that it is.
pub fn measured(
    n: usize,
    cuff: bool,
    at: DateTime,
    offset: &str,
    patient: &str,
) -> ((&'static str, String), Vec<Row>) {
    let [low, high] = at.year().to_le_bytes();
    let clock = format!(
        "{low:02X}{high:02X}{:02X}{:02X}{:02X}{:02X}{:02X}",
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    let row = |code: &str, value: String| -> Row {
        [patient.to_owned(), code.to_owned(), format!("{at}{offset}"), value]
    };
    if cuff {
        let [systolic, diastolic, mean, pulse] = [100 + n % 60, 60 + n % 25, 80 + n % 15, 50 + n % 40];
        let frame = format!("16{systolic:02X}00{diastolic:02X}00{mean:02X}00{clock}{pulse:02X}000000");
        let rows =
            vec![row("85354-9", format!("{systolic} {diastolic} {mean}")), row("8867-4", pulse.to_string())];
        return (("2A35", frame), rows);
    }
    // Hundredths, of which each tenth ends in a zero that was measured.
    let hundredths = 3_500 + n * 7 % 500;
    let [low, high, ..] = hundredths.to_le_bytes();
    let frame = format!("06{low:02X}{high:02X}00FE{clock}02");
    let value = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    (("2A1C", frame), vec![row("8310-5", value)])
}

/// An Observation as a record holds it.
///
/// # Panics
/// On what is none.
pub fn told(observation: &Value) -> Row {
    let codes: Vec<&str> = observation["code"]["coding"]
        .as_array()
        .expect("as it was written")
        .iter()
        .filter_map(|c| c["code"].as_str())
        .collect();
    let code = ["85354-9", "8310-5", "8867-4"].into_iter().find(|code| codes.contains(code)).unwrap_or("?");
    let number = |value: &Value| value["valueQuantity"]["value"].to_string();
    let values = match observation["component"].as_array() {
        Some(parts) => parts.iter().map(number).collect::<Vec<_>>().join(" "),
        None => number(observation),
    };
    let subject = observation["subject"]["reference"].as_str().expect("as it was written");
    let time = observation["effectiveDateTime"].as_str().expect("as it was written");
    [subject.trim_start_matches("Patient/").to_owned(), code.to_owned(), time.to_owned(), values]
}

/// What the chart has of what was measured.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Found {
    pub lost: usize,
    pub doubled: usize,
    /// There, and measured by nobody: another person's, another time, another value.
    pub wrong: usize,
    /// Some of the rows that are meant.
    pub odd: Vec<Row>,
}

/// How many rows are shown.
const SHOWN: usize = 5;

/// `digits`: what the record makes of a number's.
pub fn compare(home: &Home, chart: &[Row], digits: fn(&str) -> String) -> Found {
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
                found.wrong += 1;
                found.odd.push(row);
            }
        }
    }
    for (row, times) in seen {
        found.lost += usize::from(times == 0);
        found.doubled += times.saturating_sub(1);
        if times != 1 {
            found.odd.push(row);
        }
    }
    found.odd.truncate(SHOWN);
    found
}
