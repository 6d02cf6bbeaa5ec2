//! What was promised, checked against what was true. Each sentence names the promise that is broken.

use crate::home::{CUFF, DEVICES, Home, Measured, RECORDS, Told, kind, patient, value};
use crate::words::Who;
use crate::written::{unasked, written_over};
use gateway::demo::record::Version;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::BTreeSet;

/// How a case came out, so that nobody takes a model for good in which nothing happens.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Tally {
    pub(crate) measured: usize,
    pub(crate) delivered: usize,
    pub(crate) held: usize,
    pub(crate) taken_back: usize,
    pub(crate) clinicians: usize,
    /// Not there, since their words mean no instant, or two.
    pub(crate) ambiguous: usize,
    /// Given to the wrong person first, by a person's mistake.
    pub(crate) corrected: usize,
    /// There more than once, on a rung that can't prevent it.
    pub(crate) repeats: usize,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.measured += other.measured;
        self.delivered += other.delivered;
        self.held += other.held;
        self.taken_back += other.taken_back;
        self.clinicians += other.clinicians;
        self.ambiguous += other.ambiguous;
        self.corrected += other.corrected;
        self.repeats += other.repeats;
    }
}

/// A device that was compared: its clock is read to the second, the answer takes a moment, and clocks drift.
const EXACT: SignedDuration = SignedDuration::from_secs(3);
const DRIFT_PPM: i32 = 300;
/// What a boot heard that had no time of its own is dated between its neighbours, if those leave five minutes at most:
/// what is printed is the middle.
const LOOSE: SignedDuration = SignedDuration::from_secs(151);

/// By so much a stamp may be off where a comparison is too loose to date by it.
pub(crate) const UNCOMPARED: SignedDuration = SignedDuration::from_mins(5);

fn is_of(charted: &Charted, m: &Measured) -> bool {
    charted.device == m.device && value(charted.first(), m.device) == Some(m.value.into())
}

/// An observation at a record, with all its versions.
pub(crate) struct Charted {
    pub(crate) id: String,
    device: usize,
    pub(crate) versions: Vec<Version>,
}

impl Charted {
    fn first(&self) -> &Value {
        self.versions.first().and_then(|v| v.resource.as_ref()).unwrap_or(&Value::Null)
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
    let (raised, by_hand) = if home.is_plain() { home.raised().await } else { (BTreeSet::new(), vec![]) };
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
                Some(m) => said.extend(wrong_content(home, n, charted, m)),
            }
        }
        let unanswered = home.record(n).committed_unanswered();
        if home.is_by_id() {
            said.extend(unasked(home, n));
        }
        for (nth, m) in measured.iter().enumerate() {
            let charted: Vec<&Charted> = all.iter().filter(|c| is_of(c, m)).collect();
            let expected = patient(n, m.who).is_some();
            let name = format!("the {}'s reading of {} at the {}", DEVICES[m.device].name, m.at, there);
            let issues = m.taken_back.map_or(1, |t| t.issues) + m.untraced;
            // The last issue is for whom it is, and who is not known there has none there; what was only taken back since may
            // have been issued for somebody else.
            let last_is_theirs = m.taken_back.is_none_or(|t| t.stands == Some(true));
            let never_theirs = !expected && last_is_theirs && !nobodys(home, m);
            let issues = if never_theirs { issues.saturating_sub(1).max(1) } else { issues };
            // What a clinician deleted before the hub knew that it was there, no search shows (docs/delivery.md).
            let unseen = if home.is_by_id() || unanswered + home.doubts[n] == 0 {
                0
            } else {
                charted.iter().filter(|c| c.last().is_none()).count()
            };
            let repeats = charted.len().saturating_sub(issues + unseen);
            // What was written in the dark, nobody can take back, nor knows that it is there; so it is told.
            let told = home.is_plain() && raised.contains(&(n, nth));
            tally.repeats += repeats;
            if repeats > 0 && !told {
                said.push(format!("DUPLICATE: {name} is there {} times, issued {issues}", charted.len()));
            }
            let doubts = unanswered + home.doubts[n];
            if repeats > doubts {
                said.push(format!("REPEATED: {name} {repeats} times, with {doubts} times of doubt"));
            }
            let dark = if told { doubts } else { 0 };
            let stands = |c: &&&Charted| c.last().is_none_or(|r| r["status"] != "entered-in-error");
            let standing = charted.iter().filter(stands).count();
            let deleted = charted.iter().any(|c| c.last().is_none());
            let wrong = |c: &&&Charted| stands(c) && c.last().is_some() && !is_theirs(n, c.first(), m.who);
            let by_mistake = charted.iter().filter(wrong).count();
            if by_mistake > dark
                && !m.forgotten
                && m.taken_back.is_none_or(|t| t.stands.is_some())
                && !nobodys(home, m)
            {
                said.push(format!("NOT CORRECTED: {name} still stands for whom it is not"));
            }
            match m.taken_back.map(|t| t.stands) {
                // What may be there, where nothing can be searched, only a person takes back; so it is told.
                Some(Some(false)) if standing > dark && !deleted && !raised.contains(&(n, nth)) => {
                    said.push(format!("NOT TAKEN BACK: {name} still stands"));
                }
                Some(Some(true))
                    if expected
                        && standing == 0
                        && (must_be_delivered(home, m) || !home.corrected && !at_edge(home, m)) =>
                {
                    // A clock that was wrong, and believed, may leave it to nobody to say when it was: it is held then.
                    if home.deceived.is_none() {
                        said.push(format!("LOST: {name} was issued anew and does not stand"));
                    } else if n == 0 && !may_be_a_tests(home, m) {
                        doubted[m.device] += 1;
                    }
                }
                None if expected && !m.forgotten && m.told().next().is_some() && charted.is_empty() => {
                    if must_be_delivered(home, m) {
                        said.push(format!("LOST: {name} is not there, and there was no reason to hold it"));
                    } else if n == 0 && !may_be_a_tests(home, m) {
                        doubted[m.device] += 1;
                    }
                }
                None if standing < charted.len() && m.untraced == 0 => {
                    said.push(format!("OVERWRITTEN: nobody took {name} back, and it is marked so"));
                }
                _ => {}
            }
            if n == 0 {
                tally.ambiguous += usize::from(m.stated.is_none() && m.told().next().is_some());
                tally.corrected += usize::from(!m.was.is_empty() && charted.len() > 1);
                tally.measured += 1;
                tally.delivered += usize::from(!charted.is_empty());
                tally.taken_back += usize::from(m.taken_back.is_some());
            }
        }
    }
    let more = unheld(home, doubted, &by_hand, &mut tally, &said).await;
    said.extend(more);
    (said, tally)
}

/// What is not in the record, and may not be, must be held, with a reason that helps.
async fn unheld(
    home: &mut Home,
    doubted: [usize; 3],
    by_hand: &[Value],
    tally: &mut Tally,
    broken: &[String],
) -> Vec<String> {
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
    for group in
        held.iter().filter(|group| !group["outbox_row"].is_null() && !by_hand.contains(&group["outbox_row"]))
    {
        said.push(format!("STUCK: with everything well again: {group}"));
    }
    if !(said.is_empty() && broken.is_empty()) {
        let reason =
            |group: &Value| format!("{} {} held: {}", group["records"], group["record"], group["why"]);
        said.push(held.iter().map(reason).collect::<Vec<_>>().join("; "));
    }
    said
}

/// Whether nothing gives reason to doubt who it is, or when.
fn must_be_delivered(home: &Home, m: &Measured) -> bool {
    let Some(told) = m.told[0] else { return false };
    let doubted = if m.device == CUFF {
        at_edge(home, m) || !home.is_steady(m, told)
    } else {
        // Nobody compares these: in a home that moved, what they show may be meant in either zone.
        at_edge(home, m) || home.meanings(m).iter().any(|(at, there)| *there && *at != m.at)
    };
    // By a clock that is wrong it might be another's, who had the device when it told: a stamp from the future is nobody's.
    let doubted = doubted || home.means_later(m, told.at);
    told.in_time && !doubted && m.stated.is_some() && home.deceived.is_none()
}

/// Whether it was taken within seconds of its device changing hands, and its clock is compared, to seconds: also what was
/// given away at once is disputed once the other binding begins. A clock that nobody compares may be minutes off.
fn at_edge(home: &Home, m: &Measured) -> bool {
    let drift = m.told().map(|told| drift(m, told)).max().unwrap_or_default();
    // A clock that is wrong, and believed, moves it over an edge.
    let edge = EXACT + drift + home.wrong_by.iter().map(|by| by.abs()).max().unwrap_or_default();
    let edge = if m.device == CUFF { edge } else { edge + UNCOMPARED };
    home.worn[m.device].iter().any(|(since, ..)| m.at.duration_since(*since).abs() <= edge)
}

/// Whether nobody could say whose it was: the hub did not know when, or its clock was wrong by more than what lies between.
fn nobodys(home: &Home, m: &Measured) -> bool {
    !sure(home, m) || home.deceived.is_some() && at_edge(home, m)
}

/// Then it may have gone to a test, of which nothing is sent, and nothing held.
fn may_be_a_tests(home: &Home, m: &Measured) -> bool {
    nobodys(home, m) && home.worn[m.device].iter().any(|(_, who, _)| *who == Who::Test)
}

/// Whether the hub had a way to know the time: a boot that was deceived from its start on compared wrongly, too, so that
/// a clock that was set later is not seen to have been.
fn sure(home: &Home, m: &Measured) -> bool {
    home.deceived.is_none()
        || m.told().all(|told| told.rightly && home.is_steady(m, told) && !home.is_misled(m, told))
}

/// By so much clocks may have come apart from when it was taken until it was told.
fn drift(m: &Measured, told: Told) -> SignedDuration {
    told.at.duration_since(m.at).abs() * DRIFT_PPM / 1_000_000
}

fn is_theirs(n: usize, resource: &Value, who: Who) -> bool {
    let subject = resource["subject"]["reference"].as_str().unwrap_or_default();
    patient(n, who).is_some_and(|id| subject.strip_prefix("Patient/") == Some(id))
}

/// What a hub wrote, in each version: whose it is, and when it was.
fn wrong_content(home: &Home, n: usize, charted: &Charted, m: &Measured) -> Vec<String> {
    let mut said = vec![];
    let name = format!("the {}'s reading of {} at the {}", DEVICES[m.device].name, m.at, RECORDS[n]);
    let by_hub = |version: &&Version| !home.clinicians.contains(&(n, charted.id.clone(), version.number));
    for resource in charted.versions.iter().filter(by_hub).filter_map(|version| version.resource.as_ref()) {
        let at: Option<Timestamp> = resource["effectiveDateTime"].as_str().and_then(|at| at.parse().ok());
        if m.stated.is_none() && sure(home, m) {
            said.push(format!("GUESSED: {name} says {at:?}, and its words mean no instant, or two"));
        }
        // By a person's mistake it may have gone to another; whether that was mended is looked at elsewhere. Where nobody
        // could know when it was, it may go to whoever ever had the device.
        let had = home.had[m.device].iter().filter(|_| nobodys(home, m));
        if m.was.iter().chain([&m.who]).chain(had).all(|who| !is_theirs(n, resource, *who)) {
            let whose = if m.who == Who::Test { "nobody's".to_owned() } else { format!("{}'s", m.who) };
            said.push(format!(
                "WRONG PERSON: {name} is {whose}, and went to {}",
                resource["subject"]["reference"]
            ));
        }
        if !at.is_some_and(|at| is_when(home, m, at)) {
            said.push(format!("WRONG TIME: {name} says {at:?}"));
        }
    }
    said
}

/// Whether that is when it was taken, as far as anybody can know.
fn is_when(home: &Home, m: &Measured, at: Timestamp) -> bool {
    let off = |other: Timestamp| at.duration_since(other).abs();
    let drift = m.told().map(|told| drift(m, told)).max().unwrap_or_default();
    // A cuff that was set since is dated by an older comparison, which may have been in a boot without a time of its own.
    let known = m.told().all(|told| told.in_time && home.is_steady(m, told));
    let loose = if known { SignedDuration::ZERO } else { LOOSE };
    let exact = EXACT + drift + loose;
    // The device's own words, in a zone where it was.
    let words = |within| home.meanings(m).iter().any(|(said, _)| off(*said) <= EXACT && off(m.at) <= within);
    match (home.deceived.is_some(), sure(home, m)) {
        // What was heard in a boot without a time, after its cuff was set, nobody compared: it says so, and has the cuff's word.
        (false, _) => {
            let ahead = SignedDuration::from_secs(home.cuff_ahead().abs());
            let compared = m.told().all(|told| told.in_time || home.is_steady(m, told));
            off(m.at) <= exact || !compared && words(ahead + EXACT)
        }
        // A hub whose times contradict each other by less than five minutes takes the middle; else the device's own word,
        // if that is within five minutes, also of a time that is wrong, and believed: two who agree.
        (true, true) => {
            let agrees = home.wrong_by.iter().any(|by| off(m.at + *by) <= UNCOMPARED);
            off(m.at) <= exact + LOOSE || words(UNCOMPARED) || agrees && words(SignedDuration::MAX)
        }
        // Its clock was compared with one that was wrong, perhaps before it was set, perhaps after.
        (true, false) => {
            let set = home.offsets(home.began(), home.second(), home.cuff_ahead());
            let by = set
                .iter()
                .flat_map(|one| set.iter().map(move |other| SignedDuration::from_secs((one - other).into())));
            let wrong = by.flat_map(|set| {
                home.wrong_by.iter().chain([&SignedDuration::ZERO]).map(move |wrong| set + *wrong)
            });
            // What a boot without a time heard lies between neighbours, of which one may be wrong.
            let wrongs = || home.wrong_by.iter().copied().chain([SignedDuration::ZERO]);
            let (least, most) = (wrongs().min().unwrap_or_default(), wrongs().max().unwrap_or_default());
            let between = m.at + least - LOOSE <= at && at <= m.at + most + LOOSE;
            words(SignedDuration::MAX)
                || wrong.into_iter().any(|by| off(m.at + by) <= exact + LOOSE)
                || between
        }
    }
}
