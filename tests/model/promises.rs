//! What was promised, checked against what was true. Each sentence names the promise that is broken.

use crate::home::{DEVICES, Home, Measured, RECORDS, kind, patient, value};
use crate::words::Who;
use gateway::demo::record::Version;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How a case came out, so that nobody takes a model for good in which nothing happens.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) measured: usize,
    pub(crate) delivered: usize,
    pub(crate) held: usize,
    pub(crate) taken_back: usize,
    pub(crate) clinicians: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.measured += other.measured;
        self.delivered += other.delivered;
        self.held += other.held;
        self.taken_back += other.taken_back;
        self.clinicians += other.clinicians;
    }
}

/// Near the edge of a binding, or of a boot without a time, the hub may doubt; else it has no reason to.
const EDGE: SignedDuration = SignedDuration::from_mins(10);

/// A device that was compared: its clock is read to the second, the answer takes a moment, and clocks drift.
const EXACT: SignedDuration = SignedDuration::from_secs(3);
const DRIFT_PPM: i32 = 300;
/// What a boot heard that had no time of its own is dated between its neighbours, if those leave five minutes at most:
/// what is printed is the middle.
const LOOSE: SignedDuration = SignedDuration::from_secs(151);

fn is_of(charted: &Charted, m: &Measured) -> bool {
    charted.device == m.device && value(charted.first(), m.device) == Some(m.value.into())
}

/// An observation at a record, with all its versions.
struct Charted {
    id: String,
    device: usize,
    versions: Vec<Version>,
}

impl Charted {
    fn first(&self) -> &Value {
        self.versions.first().and_then(|v| v.resource.as_ref()).unwrap_or(&Value::Null)
    }

    fn at(&self) -> Option<Timestamp> {
        self.first()["effectiveDateTime"].as_str()?.parse().ok()
    }

    fn last(&self) -> Option<&Value> {
        self.versions.last()?.resource.as_ref()
    }
}

pub(crate) async fn broken(home: &mut Home) -> (Vec<String>, Tally) {
    let mut said = std::mem::take(&mut home.wrong);
    let mut tally = Tally { clinicians: home.clinicians.len(), ..Tally::default() };
    let measured: Vec<Measured> = home.measured.clone();
    let mut doubted = [0_usize; 3];
    for (n, there) in RECORDS.into_iter().enumerate() {
        let all = home.record(n).all("Observation").into_iter().filter_map(|(place, versions)| {
            let device = kind(versions.first()?.resource.as_ref()?)?;
            Some(Charted { id: place.1, device, versions })
        });
        let all: Vec<Charted> = all.collect();
        for charted in &all {
            said.extend(written_over(home, n, charted));
            match measured.iter().find(|m| is_of(charted, m)) {
                None => said.push(format!(
                    "STRANGER: the {} has a reading of the {} that nobody took: {}",
                    there,
                    DEVICES[charted.device].name,
                    charted.first()
                )),
                Some(m) => said.extend(wrong_content(n, charted, m)),
            }
        }
        for m in &measured {
            let charted: Vec<&Charted> = all.iter().filter(|c| is_of(c, m)).collect();
            let expected = patient(n, m.who).is_some();
            let name = format!("the {}'s reading of {} at the {}", DEVICES[m.device].name, m.at, there);
            let issues = m.taken_back.map_or(1, |t| t.issues);
            if charted.len() > issues {
                said.push(format!("DUPLICATE: {name} is there {} times, issued {issues}", charted.len()));
            }
            let stands = |c: &&&Charted| c.last().is_none_or(|r| r["status"] != "entered-in-error");
            let standing = charted.iter().filter(stands).count();
            let deleted = charted.iter().any(|c| c.last().is_none());
            match m.taken_back.map(|t| t.stands) {
                Some(Some(false)) if standing > 0 && !deleted => {
                    said.push(format!("NOT TAKEN BACK: {name} still stands"));
                }
                Some(Some(true)) if expected && standing == 0 => {
                    said.push(format!("LOST: {name} was issued anew and does not stand"));
                }
                None if expected && m.told_at.is_some() && charted.is_empty() => {
                    if must_be_delivered(home, m) {
                        said.push(format!("LOST: {name} is not there, and there was no reason to hold it"));
                    } else if n == 0 {
                        doubted[m.device] += 1;
                    }
                }
                None if standing < charted.len() => {
                    said.push(format!("OVERWRITTEN: nobody took {name} back, and it is marked so"));
                }
                _ => {}
            }
            if n == 0 {
                tally.measured += 1;
                tally.delivered += usize::from(!charted.is_empty());
                tally.taken_back += usize::from(m.taken_back.is_some());
            }
        }
    }
    said.extend(unheld(home, doubted, &mut tally).await);
    (said, tally)
}

/// What is not in the record, and may not be, must be held, with a reason that helps.
async fn unheld(home: &mut Home, doubted: [usize; 3], tally: &mut Tally) -> Vec<String> {
    let (devices, held) = (home.device_rows().await, home.held().await);
    let mut said = vec![];
    for (device, doubted) in doubted.into_iter().enumerate() {
        let address = format!("C0FFEE0000{:02}", device + 1);
        let row = devices.iter().find(|row| row["identity"].as_str().is_some_and(|i| i.contains(&address)));
        let Some(no) = row.map(|row| row["device"].clone()) else { continue };
        let mut records = 0;
        for group in held.iter().filter(|group| group["device"] == no) {
            records += group["records"].as_u64().unwrap_or(0) as usize;
            if group["why"].as_str().is_none_or(str::is_empty) {
                said.push(format!("SILENT: held without a reason: {group}"));
            }
        }
        tally.held += records;
        if records < doubted {
            said.push(format!(
                "LOST: {doubted} readings of the {} are in no record, and {records} are held",
                DEVICES[device].name
            ));
        }
    }
    for group in held.iter().filter(|group| !group["outbox_row"].is_null()) {
        said.push(format!("STUCK: with everything well again: {group}"));
    }
    said
}

/// Whether nothing gives reason to doubt who it is, or when.
fn must_be_delivered(home: &Home, m: &Measured) -> bool {
    let near_edge = home.worn[m.device].iter().any(|(edge, _)| m.at.duration_since(*edge).abs() < EDGE);
    m.told_in_time && !near_edge
}

fn wrong_content(n: usize, charted: &Charted, m: &Measured) -> Vec<String> {
    let mut said = vec![];
    let name = format!("the {}'s reading of {} at the {}", DEVICES[m.device].name, m.at, RECORDS[n]);
    let subject = charted.first()["subject"]["reference"].as_str().unwrap_or_default().to_owned();
    if patient(n, m.who).is_none_or(|id| subject != format!("Patient/{id}")) {
        let whose = if m.who == Who::Test { "nobody's".to_owned() } else { format!("{}'s", m.who) };
        said.push(format!("WRONG PERSON: {name} is {whose}, and went to {subject}"));
    }
    let off = charted.at().map_or(SignedDuration::MAX, |at| at.duration_since(m.at).abs());
    let waited = m.told_at.map_or(SignedDuration::ZERO, |told| told.duration_since(m.at).abs());
    if off
        > EXACT + waited * DRIFT_PPM / 1_000_000 + if m.told_in_time { SignedDuration::ZERO } else { LOOSE }
    {
        said.push(format!("WRONG TIME: {name} says {:?}", charted.at()));
    }
    said
}

/// After its first version, the hub changes a status and nothing else; what a clinician deleted stays so.
fn written_over(home: &Home, n: usize, charted: &Charted) -> Vec<String> {
    let mut said = vec![];
    for pair in charted.versions.windows(2) {
        let [before, after] = pair else { continue };
        if home.clinicians.contains(&(n, charted.id.clone(), after.number)) {
            continue;
        }
        let without = |version: &Version| {
            let mut resource = version.resource.clone().unwrap_or_default();
            for name in ["status", "meta"] {
                resource.as_object_mut().map(|fields| fields.remove(name));
            }
            resource
        };
        let marked = after.resource.as_ref().is_some_and(|r| r["status"] == "entered-in-error");
        if before.resource.is_none() || !marked || without(before) != without(after) {
            said.push(format!(
                "OVERWRITTEN: version {} of {} at the {} is neither a clinician's nor a retraction",
                after.number, charted.id, RECORDS[n]
            ));
        }
    }
    said
}
