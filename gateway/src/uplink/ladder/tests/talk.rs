//! Conversations that show what is asked, in which order.

use crate::store::{Consignment, OutboxNo, Settlement};
use crate::uplink::ladder::{Call, Ladder, Manner, Memory, Method, Step, Way};
use crate::uplink::tests::readings::{head, mapped, pressure, retraction, weight};
use hearth_core::delivery::{Answer, Body, Receipt, Sent, TlsFault, Transport};
use hearth_core::map::fhir::{Kind, Rung, if_none_exist};
use hearth_core::parcel::Policy;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The other side of a ladder, spoken by the test.
struct Talk(Ladder);

impl Talk {
    fn start(rung: Rung, bundle: usize, work: &[Consignment]) -> Talk {
        let cleared = BTreeSet::new();
        let manner = Manner {
            base: "https://record.example/fhir/".into(),
            rung,
            bundle,
            kind: Kind::Transaction,
            policy: Policy::default(),
            cleared,
        };
        Talk(Ladder::new(manner, Memory::new(1), work, Timestamp::UNIX_EPOCH))
    }

    fn asks(&mut self) -> Call {
        match self.0.step() {
            Step::Ask(call) => call,
            step => panic!("{step:?}"),
        }
    }

    /// `GET path`, nothing else.
    fn asks_for(&mut self, path: &str) {
        let call = self.asks();
        assert_eq!((call.method, call.path.as_str(), call.body.as_str()), (Method::Get, path, ""));
    }

    fn starts(&mut self) -> Vec<OutboxNo> {
        match self.0.step() {
            Step::Start(attempts) => attempts.iter().map(|attempt| attempt.row).collect(),
            step => panic!("{step:?}"),
        }
    }

    fn may_go(&mut self, rows: &[i64]) {
        self.0.started(rows.iter().map(|row| OutboxNo(*row)).collect(), Timestamp::UNIX_EPOCH);
    }

    fn hears(&mut self, status: u16, body: Value) {
        let body = if body.is_null() { Body::Empty } else { Body::of(body) };
        self.0.answer(Receipt::Answer(Answer::new(status, body)), Timestamp::UNIX_EPOCH);
    }

    fn hears_nothing(&mut self, transport: Transport) {
        self.0.answer(Receipt::Transport(transport), Timestamp::UNIX_EPOCH);
    }

    fn settles(&mut self) -> Vec<(OutboxNo, Settlement)> {
        match self.0.step() {
            Step::Settle(rows) => rows,
            step => panic!("{step:?}"),
        }
    }

    fn is_done(&mut self) -> Way {
        match self.0.step() {
            Step::Done(end) => end.way,
            step => panic!("{step:?}"),
        }
    }
}

fn absent() -> Value {
    json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-found"}]})
}

#[test]
fn first_asked_then_written_down_then_put() {
    let work = [weight(1)];
    let all = mapped(&work[0], Rung::UpdateAsCreate);
    let mut talk = Talk::start(Rung::UpdateAsCreate, 1, &work);
    // Devices and the measurement; of the provenance nothing, since nothing of it ever left.
    for resource in all.iter().filter(|resource| resource.kind != "Provenance") {
        talk.asks_for(&format!("{}/{}", resource.kind, resource.id));
        talk.hears(404, absent());
    }
    assert_eq!(talk.starts(), [OutboxNo(1)]);
    talk.may_go(&[1]);
    for resource in &all {
        let call = talk.asks();
        assert_eq!(call.method, Method::Put);
        assert_eq!(call.path, format!("{}/{}", resource.kind, resource.id));
        assert_eq!(call.body, resource.json);
        talk.hears(201, Value::Null);
    }
    assert!(matches!(talk.settles().as_slice(), [(OutboxNo(1), Settlement::Delivered { raised: None, .. })]));
    assert_eq!(talk.is_done(), Way::Open);
}

#[test]
fn what_is_there_is_not_even_begun() {
    let work = [weight(1)];
    let all = mapped(&work[0], Rung::UpdateAsCreate);
    let mut talk = Talk::start(Rung::UpdateAsCreate, 1, &work);
    // The provenance last: whoever wrote the measurement may have come no further.
    for resource in &all {
        talk.asks_for(&format!("{}/{}", resource.kind, resource.id));
        talk.hears(200, serde_json::from_str(&resource.json).unwrap());
    }
    assert!(matches!(talk.settles().as_slice(), [(OutboxNo(1), Settlement::Delivered { raised: None, .. })]));
    assert_eq!(talk.is_done(), Way::Open);
}

/// What may not leave any more is not sent, alone or in a bundle.
#[test]
fn who_may_not_leave_is_left_out() {
    let mut talk = Talk::start(Rung::PlainCreate, 1, &[weight(1)]);
    assert_eq!(talk.starts(), [OutboxNo(1)]);
    talk.may_go(&[]);
    assert_eq!(talk.is_done(), Way::Open);

    let mut talk = Talk::start(Rung::PlainCreate, 100, &[weight(1), weight(2)]);
    assert_eq!(talk.starts(), [OutboxNo(1), OutboxNo(2)]);
    talk.may_go(&[2]);
    let sent: Value = serde_json::from_str(&talk.asks().body).unwrap();
    let identifiers = sent["entry"].to_string();
    assert!(identifiers.contains(&head(&weight(2))) && !identifiers.contains(&head(&weight(1))));
}

/// A dead destination costs no row anything.
#[test]
fn a_way_that_is_not_open_begins_nothing() {
    for rung in [Rung::ConditionalCreate, Rung::PlainCreate] {
        let mut talk = Talk::start(rung, 100, &[weight(1)]);
        assert_eq!(talk.starts(), [OutboxNo(1)]);
        talk.hears_nothing(Transport::Tls(TlsFault::NotTrusted));
        assert!(matches!(talk.is_done(), Way::Held { .. }));
    }
}

/// Until somebody answers, the question stands.
#[test]
fn a_question_stands_until_it_is_answered() {
    let mut talk = Talk::start(Rung::UpdateAsCreate, 1, &[weight(1)]);
    assert_eq!(talk.asks(), talk.asks());
    talk.hears_nothing(Transport::Timeout { sent: Sent::Maybe });
    assert!(matches!(talk.is_done(), Way::Busy { .. }));
    assert!(matches!(talk.is_done(), Way::Busy { .. }), "and so does the end");
}

/// The second rung: even one reading goes as a transaction, with conditions that no server mistakes.
#[test]
fn a_condition_for_each_that_can_have_one() {
    let work = [pressure(1)];
    let mut talk = Talk::start(Rung::ConditionalCreate, 100, &work);
    talk.starts();
    talk.may_go(&[1]);
    let call = talk.asks();
    assert_eq!((call.method, call.path.as_str()), (Method::Post, ""));
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    assert_eq!(sent["type"], "transaction");
    for resource in mapped(&work[0], Rung::ConditionalCreate) {
        let Some((system, value)) = &resource.identifier else { continue };
        let condition = if_none_exist(system, value);
        let entries = sent["entry"].as_array().unwrap();
        assert!(
            entries.iter().any(|entry| entry["request"]["ifNoneExist"] == condition.as_str()),
            "{condition}"
        );
    }
    let singles = Talk::start(Rung::ConditionalCreate, 1, &work);
    let mut talk = singles;
    talk.starts();
    talk.may_go(&[1]);
    let first = talk.asks();
    assert_eq!((first.method, first.path.as_str()), (Method::Post, "Device"));
    assert!(first.if_none_exist.unwrap().starts_with("identifier=urn:hearth:device%7C"));
}

/// CLINICAL 26: the version that was read guards the one that is written.
#[test]
fn a_retraction_names_the_version_that_it_read() {
    let work = [retraction(weight(1))];
    let ours = mapped(&work[0], Rung::UpdateAsCreate);
    let measurement = ours.iter().find(|resource| resource.kind == "Observation").unwrap();
    let mut theirs: Value = serde_json::from_str(&measurement.json).unwrap();
    theirs["meta"]["versionId"] = json!("7");
    let mut talk = Talk::start(Rung::UpdateAsCreate, 100, &work);
    talk.asks_for(&format!("Observation/{}", measurement.id));
    talk.hears(200, theirs.clone());
    talk.starts();
    talk.may_go(&[1]);
    let call = talk.asks();
    assert_eq!((call.method, call.if_match.as_deref()), (Method::Put, Some("W/\"7\"")));
    let sent: Value = serde_json::from_str(&call.body).unwrap();
    theirs["status"] = json!("entered-in-error");
    assert_eq!(sent, theirs);
}

/// Searches that say nothing hold the third rung for an hour; then readings go as on the last one, until a search is
/// answered again.
#[test]
fn a_record_that_is_not_to_be_searched_is_written_to_all_the_same() {
    let refused = json!({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "not-supported"}]});
    let mut memory = Memory::new(1);
    let mut work = vec![weight(1)];
    let mut written = None;
    for round in 0..12 {
        let now = Timestamp::UNIX_EPOCH + round * SignedDuration::from_mins(10);
        let manner = Manner {
            base: String::new(),
            rung: Rung::SearchThenCreate,
            bundle: 100,
            kind: Kind::Transaction,
            policy: Policy::default(),
            cleared: BTreeSet::new(),
        };
        let mut ladder = Ladder::new(manner, memory.clone(), &work, now);
        loop {
            match ladder.step() {
                Step::Ask(call) if call.method == Method::Get => {
                    ladder.answer(Receipt::Answer(Answer::new(400, Body::of(refused.clone()))), now);
                }
                Step::Ask(_) => {
                    written.get_or_insert(round);
                    let cut = Transport::Cut { sent: Sent::Maybe, said: "lost".into() };
                    ladder.answer(Receipt::Transport(cut), now);
                }
                Step::Start(attempts) => {
                    let rows = attempts.iter().map(|attempt| attempt.row).collect();
                    work[0].octets = Some(attempts[0].octets.clone());
                    work[0].in_doubt = true;
                    ladder.started(rows, now);
                }
                Step::Settle(_) => {}
                Step::Done(end) => {
                    memory = end.memory;
                    break;
                }
            }
        }
        assert_eq!(memory.is_unsearchable(now), round >= 7, "eight times, over more than an hour");
        if written.is_some() {
            break;
        }
    }
    assert_eq!(written, Some(7));

    // Its answer was lost, and nobody can look: repeated, and listed. A search that is answered ends it.
    let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(3);
    let manner = |bundle| Manner {
        base: String::new(),
        rung: Rung::SearchThenCreate,
        bundle,
        kind: Kind::Transaction,
        policy: Policy::default(),
        cleared: BTreeSet::new(),
    };
    let mut ladder = Ladder::new(manner(1), memory.clone(), &work, now);
    let Step::Ask(call) = ladder.step() else { panic!() };
    assert_eq!(call.method, Method::Get);
    ladder.answer(Receipt::Answer(Answer::new(400, Body::of(refused))), now);
    assert!(matches!(ladder.step(), Step::Start(_)));
    ladder.started(vec![OutboxNo(1)], now);
    let Step::Ask(call) = ladder.step() else { panic!() };
    assert_eq!(call.method, Method::Post);
    let written = Answer { location: Some("Observation/1".into()), ..Answer::new(201, Body::Empty) };
    ladder.answer(Receipt::Answer(written), now);
    let Step::Settle(settled) = ladder.step() else { panic!() };
    let raised = match settled.as_slice() {
        [(_, Settlement::Delivered { raised, .. } | Settlement::Unverified { raised, .. })] => raised.clone(),
        other => panic!("{other:?}"),
    };
    assert!(raised.is_some_and(|raised| raised.contains("it may be there twice")));

    let mut ladder = Ladder::new(manner(1), memory, &[weight(2)], now);
    let nobody = json!({"resourceType": "Bundle", "type": "searchset"});
    assert!(matches!(ladder.step(), Step::Ask(_)));
    ladder.answer(Receipt::Answer(Answer::new(200, Body::of(nobody))), now);
    assert!(matches!(ladder.step(), Step::Start(_)));
    ladder.answer(Receipt::Transport(Transport::Connect("refused".into())), now);
    let Step::Done(end) = ladder.step() else { panic!() };
    assert!(!end.memory.is_unsearchable(now));
}
