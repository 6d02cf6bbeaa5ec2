//! Seeded storms: a record that fails in every way at random, a clinician in between, and rows that are carried
//! again and again as the store would hand them over. In the end everything is there once, and nothing that a
//! clinician touched was written again.

use crate::demo::record::Behaviour;
use crate::demo::record::chart::Chart;
use crate::demo::record::rest::{self, Reply, Request};
use crate::store::{Consignment, OutboxNo, Settlement};
use crate::uplink::ladder::{Call, Ladder, Manner, Memory, Method, Step};
use crate::uplink::tests::readings::{head, mapped, pressure, weight};
use hearth_core::delivery::{Answer, Body, Receipt, Sent, Transport};
use hearth_core::map::fhir::{Kind, Rung};
use hearth_core::parcel::Policy;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// SplitMix64: the same seed, the same storm.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

struct World {
    dice: Dice,
    chart: Chart,
    behaviour: Behaviour,
    stormy: bool,
    /// Answers that were lost after everything was done.
    lost: usize,
    /// Versions of resources as a clinician left them.
    touched: BTreeMap<String, usize>,
}

impl World {
    fn hear(&mut self, call: &Call) -> Receipt {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let request = Request {
            method: match call.method {
                Method::Get => "GET",
                Method::Put => "PUT",
                Method::Post => "POST",
            }
            .into(),
            path: path.into(),
            query: rest::query(query),
            if_match: call.if_match.clone(),
            if_none_exist: call.if_none_exist.clone(),
            body: serde_json::from_str(&call.body).ok(),
        };
        let said = |status, code| {
            let body = if code == "html" { Body::NotFhir } else { Body::of(rest::outcome(code, "")) };
            Receipt::Answer(Answer::new(status, body))
        };
        let weather = if self.stormy { self.dice.throw(22) } else { u64::MAX };
        match weather {
            0 => Receipt::Transport(Transport::Connect("refused".into())),
            1 => Receipt::Transport(Transport::Cut { sent: Sent::Maybe, said: "before".into() }),
            2 => said(429, "throttled"),
            3 => said(503, "html"),
            4 => said(500, "html"),
            5 => said(500, "exception"),
            6 => said(409, "conflict"),
            7 => said(400, "html"),
            8 => said(403, "forbidden"),
            9 => said(200, "html"),
            17 => said(422, "processing"),
            18 => said(422, "business-rule"),
            10 | 11 => {
                self.done(&request);
                self.lost += 1;
                Receipt::Transport(Transport::Cut { sent: Sent::Maybe, said: "after".into() })
            }
            12 => {
                self.done(&request);
                self.lost += 1;
                Receipt::Transport(Transport::Timeout { sent: Sent::Maybe })
            }
            13 => {
                self.done(&request);
                said(500, "html")
            }
            14..=16 => {
                let mut reply = self.done(&request);
                // A search that hides one of two is believed: nobody could know better.
                let odd = reply.body.as_mut().filter(|body| body["type"] != "searchset");
                if let Some(entries) = odd.and_then(|body| body["entry"].as_array_mut()) {
                    match weather {
                        14 => entries.reverse(),
                        15 => _ = entries.pop(),
                        _ => entries.clear(),
                    }
                }
                receipt(reply)
            }
            _ => receipt(self.done(&request)),
        }
    }

    fn done(&mut self, request: &Request) -> Reply {
        rest::answer(&mut self.chart, &self.behaviour, request)
    }

    /// Somebody at the record marks one Observation as entered in error.
    fn clinician(&mut self) {
        let all: Vec<_> = self.chart.all("Observation").map(|(place, _)| place.clone()).collect();
        let Some(place) = all.get(usize::try_from(self.dice.throw(all.len().max(1) as u64)).unwrap()) else {
            return;
        };
        let mut resource = self.chart.current(place).unwrap().resource.clone().unwrap();
        resource["status"] = json!("entered-in-error");
        let number = self.chart.put(place.clone(), resource);
        self.touched.insert(place.1.clone(), usize::try_from(number).unwrap());
    }

    /// How often each of our identifiers is there.
    fn times(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for (_, versions) in self.chart.all("Observation") {
            let resource = versions.last().unwrap().resource.as_ref().unwrap();
            let identifiers = resource["identifier"].as_array().into_iter().flatten();
            for identifier in identifiers.filter(|identifier| identifier["system"] == "urn:hearth:reading") {
                *times.entry(identifier["value"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        times
    }
}

fn receipt(reply: Reply) -> Receipt {
    Receipt::Answer(Answer {
        location: reply.location.map(|location| format!("https://record.example/fhir/{location}")),
        etag: reply.version.map(|version| format!("W/\"{version}\"")),
        ..Answer::new(reply.status, reply.body.map_or(Body::Empty, Body::of))
    })
}

/// Applies an end as the store does. `false`: closed.
fn keep(consignment: &mut Consignment, end: &Settlement, told: &mut BTreeSet<OutboxNo>) -> bool {
    match end {
        Settlement::Delivered { raised, .. } | Settlement::Unverified { raised, .. } => {
            told.extend(raised.as_ref().map(|_| consignment.row));
            false
        }
        Settlement::RetryAt { in_doubt, counts, .. } => {
            consignment.counted += u32::from(*counts);
            forget_unless(consignment, *in_doubt);
            true
        }
        // Somebody replays it.
        Settlement::Parked { doubt, .. } => {
            consignment.counted = 0;
            (consignment.in_doubt, consignment.octets) = (doubt.is_some(), doubt.clone());
            true
        }
        Settlement::Withdrawn => panic!("nothing was withdrawn"),
    }
}

fn forget_unless(consignment: &mut Consignment, in_doubt: bool) {
    consignment.in_doubt = in_doubt;
    if !in_doubt {
        consignment.octets = None;
    }
}

/// The one door: a storm by its seed.
fn check(rung: Rung, bundle: usize, kind: Kind, seed: u64) {
    let context = format!("{rung:?}, bundles of {bundle}, {kind:?}, seed {seed}");
    let behaviour = Behaviour { conditional: rung == Rung::ConditionalCreate, ..Behaviour::default() };
    let mut world = World {
        dice: Dice(seed),
        chart: Chart::default(),
        behaviour,
        stormy: true,
        lost: 0,
        touched: BTreeMap::new(),
    };
    let all: Vec<Consignment> = (1..=7).map(|n| if n % 3 == 0 { pressure(n) } else { weight(n) }).collect();
    let mut open = all.clone();
    let (mut memory, mut told) = (Memory::new(seed), BTreeSet::new());
    let mut refused = BTreeSet::new();
    for round in 0..40 {
        world.stormy = round < 12;
        // As long as it takes until a search is believed that finds nothing.
        let now = Timestamp::UNIX_EPOCH + round * SignedDuration::from_mins(2);
        if open.is_empty() {
            break;
        }
        let manner = Manner {
            base: "https://record.example/fhir/".into(),
            rung,
            bundle,
            kind,
            policy: Policy::default(),
            cleared: BTreeSet::new(),
        };
        let mut ladder = Ladder::new(manner, memory.clone(), &open, now);
        let mut asked = 0;
        loop {
            match ladder.step() {
                Step::Ask(call) => {
                    asked += 1;
                    assert!(asked < 2_000, "{context}: no end of questions");
                    let receipt = world.hear(&call);
                    ladder.answer(receipt, now);
                    if world.stormy && world.dice.throw(40) == 0 {
                        world.clinician();
                    }
                }
                Step::Start(attempts) => {
                    for attempt in &attempts {
                        let row = open.iter_mut().find(|consignment| consignment.row == attempt.row).unwrap();
                        let is_new = row.octets.is_none() || refused.remove(&row.row);
                        assert!(
                            is_new || row.octets.as_ref() == Some(&attempt.octets),
                            "{context}: a repeat that is not identical"
                        );
                        row.attempts += 1;
                        row.in_doubt = true;
                        row.octets = Some(attempt.octets.clone());
                    }
                    ladder.started(attempts.iter().map(|attempt| attempt.row).collect(), now);
                }
                Step::Settle(rows) => {
                    for (no, end) in rows {
                        let at = open.iter().position(|consignment| consignment.row == no);
                        let at = at.unwrap_or_else(|| panic!("{context}: row {} ended twice", no.0));
                        refused.extend(matches!(end, Settlement::Parked { .. }).then_some(no));
                        if !keep(&mut open[at], &end, &mut told) {
                            open.remove(at);
                        }
                    }
                }
                Step::Done(end) => {
                    memory = end.memory;
                    break;
                }
            }
        }
    }
    let left: Vec<i64> = open.iter().map(|consignment| consignment.row.0).collect();
    assert!(left.is_empty(), "{context}: rows {left:?} never arrived");

    let times = world.times();
    for consignment in &all {
        let measurement = times.get(&head(consignment)).copied().unwrap_or_default();
        assert!(measurement >= 1, "{context}: row {} was lost", consignment.row.0);
    }
    if rung == Rung::PlainCreate {
        // Each repeat was listed.
        for consignment in &all {
            let ours = mapped(consignment, rung);
            let twice = ours.iter().find(|one| times.get(&one.id).is_some_and(|times| *times > 1));
            assert!(
                twice.is_none() || told.contains(&consignment.row),
                "{context}: row {} is there twice, and nobody was told",
                consignment.row.0
            );
        }
        return;
    }
    for (value, times) in &times {
        assert_eq!(*times, 1, "{context}: {value} is there {times} times");
    }
    for consignment in all.iter().filter(|_| world.touched.is_empty()) {
        for resource in
            mapped(consignment, Rung::UpdateAsCreate).iter().filter(|one| one.kind == "Observation")
        {
            assert!(
                times.contains_key(&resource.id),
                "{context}: {} of row {}",
                resource.role.text(),
                consignment.row.0
            );
        }
    }
    for (place, versions) in world.chart.all("Observation") {
        let expect = world.touched.get(&place.1).copied().unwrap_or(1);
        let at_last = versions.len();
        assert_eq!(at_last, expect, "{context}: Observation/{} was written again", place.1);
    }
}

/// How many seeds: a few, or `HEARTH_STORMS`.
fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("HEARTH_STORMS").ok().and_then(|count| count.parse().ok()).unwrap_or(40)
}

#[test]
fn storms_on_the_first_rung() {
    for seed in seeds() {
        check(Rung::UpdateAsCreate, 100, Kind::Transaction, seed);
        check(Rung::UpdateAsCreate, 100, Kind::Batch, seed);
        check(Rung::UpdateAsCreate, 1, Kind::Transaction, seed);
    }
}

#[test]
fn storms_on_the_second_rung() {
    for seed in seeds() {
        check(Rung::ConditionalCreate, 100, Kind::Transaction, seed);
        check(Rung::ConditionalCreate, 1, Kind::Transaction, seed);
    }
}

#[test]
fn storms_on_the_third_rung() {
    for seed in seeds() {
        check(Rung::SearchThenCreate, 100, Kind::Transaction, seed);
        check(Rung::SearchThenCreate, 1, Kind::Transaction, seed);
    }
}

#[test]
fn storms_on_the_last_rung() {
    for seed in seeds() {
        check(Rung::PlainCreate, 100, Kind::Transaction, seed);
        check(Rung::PlainCreate, 1, Kind::Transaction, seed);
    }
}
