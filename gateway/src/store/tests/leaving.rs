//! What leaves, when, and what comes of it. CLINICAL 4, 22, 24, 29.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, News};
use hearth_core::delivery::PointsAt;
use hearth_core::identity::{Labels, Permission, Revision, Who, Window};
use jiff::Timestamp;

/// A cuff's frame taken at an instant of that day in UTC (the binding's zone is UTC): 118 over 79.
pub(super) fn frame(day: u8, hour: u8, minute: u8) -> String {
    format!("027600 4F00 5C00 EA0701{day:02X}{hour:02X}{minute:02X}00").replace(' ', "")
}

/// Ada's cuff, at noon of 20 January 2026.
pub(super) fn cuff() -> World {
    let mut w = World::of(catalog(&[]), PRESSURE);
    w.hub_time("2026-01-20T12:00:00Z");
    w.bind("Etc/UTC");
    w
}

pub(super) fn taken(w: &mut World, frames: &[String]) {
    let contact = w.contact();
    for frame in frames {
        w.cuff_says(contact, frame);
    }
    w.ends(contact, End::Lost);
}

fn times(due: &[Consignment]) -> Vec<String> {
    due.iter().map(|c| c.parcel.reading.when.effective.to_string()).collect()
}

/// CLINICAL 4: under one hour old first, then the backlog, oldest first.
#[test]
fn the_fresh_lane_goes_first() {
    let mut w = cuff();
    taken(
        &mut w,
        &[frame(20, 11, 30), frame(18, 9, 0), frame(19, 9, 0), frame(20, 11, 10), frame(20, 11, 0)],
    );
    let due = w.due("2026-01-20T12:00:00Z");
    assert_eq!(
        times(&due),
        [
            "2026-01-20T11:10:00Z",
            "2026-01-20T11:30:00Z",
            // Exactly an hour old: backlog.
            "2026-01-18T09:00:00Z",
            "2026-01-19T09:00:00Z",
            "2026-01-20T11:00:00Z",
        ]
    );
    let clinic = w.clinic;
    let first = w.store().due(clinic, instant("2026-01-20T12:00:00Z"), 2).unwrap();
    assert_eq!(times(&first), times(&due[..2]));
    // Later, the same ones are backlog, too.
    assert_eq!(times(&w.due("2026-01-20T13:00:00Z"))[0], "2026-01-18T09:00:00Z");
}

/// Never by value: the order does not know it.
#[test]
fn an_extreme_value_waits_its_turn() {
    let mut w = cuff();
    let extreme = frame(19, 9, 0).replace("027600", "023601"); // 310 mmHg
    taken(&mut w, &[extreme, frame(18, 9, 0)]);
    assert_eq!(times(&w.due("2026-01-20T12:00:00Z")), ["2026-01-18T09:00:00Z", "2026-01-19T09:00:00Z"]);
}

#[test]
fn issued_is_fixed_when_it_is_first_due() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let first = w.due("2026-01-20T12:00:05Z");
    w.restart();
    let second = w.due("2026-01-20T18:00:00Z");
    assert_eq!(first[0].parcel.issued, instant("2026-01-20T12:00:05Z"));
    assert_eq!(second[0].parcel.issued, first[0].parcel.issued);
}

pub(super) fn retry_at(when: &str, in_doubt: bool, counts: bool) -> Settlement {
    Settlement::RetryAt { when: instant(when), counts, in_doubt, acts: None, said: "busy".into() }
}

#[test]
fn a_row_waits_for_its_time() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30), frame(20, 11, 40)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    let clinic = w.clinic;
    assert_eq!(w.store().earliest_retry(clinic), Ok(None));
    w.settle(due[0].row, retry_at("2026-01-20T12:05:00Z", true, false), "2026-01-20T12:00:01Z");
    w.settle(due[1].row, retry_at("2026-01-20T12:03:00Z", false, true), "2026-01-20T12:00:01Z");
    assert_eq!(w.store().earliest_retry(clinic), Ok(Some(instant("2026-01-20T12:03:00Z"))));
    assert!(w.due("2026-01-20T12:02:59Z").is_empty());
    let later = w.due("2026-01-20T12:03:00Z");
    assert_eq!(later.len(), 1);
    // It is known not to be there: encoded anew. The failure counts.
    assert!(!later[0].in_doubt && later[0].octets.is_none());
    assert_eq!((later[0].attempts, later[0].counted), (1, 1));
    let both = w.due("2026-01-20T12:05:00Z");
    assert!(both[0].in_doubt && both[0].octets.is_some());
    assert_eq!((both[0].attempts, both[0].counted), (1, 0));
}

/// Neither a record system nor a clock that was wrong makes a row wait for years.
#[test]
fn no_row_waits_for_years() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    let clinic = w.clinic;
    w.settle(due[0].row, retry_at("2036-01-20T12:00:00Z", true, false), "2026-01-20T12:00:00Z");
    assert_eq!(w.store().earliest_retry(clinic), Ok(Some(instant("2026-01-21T12:00:00Z"))));
    assert!(w.due("2026-01-20T12:00:01Z").is_empty());
    // Settled by a clock that ran ten years ahead, and was set right since.
    w.settle(due[0].row, retry_at("2036-01-20T12:05:00Z", true, false), "2036-01-20T12:00:00Z");
    assert_eq!(w.due("2026-01-20T12:10:00Z").len(), 1);
}

#[test]
fn a_parked_row_waits_for_a_person_and_is_encoded_anew() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30), frame(20, 11, 40)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    let parked =
        Settlement::Parked { said: "code not known here".into(), points_at: PointsAt::Us, doubt: None };
    w.settle(due[0].row, parked, "2026-01-20T12:00:01Z");
    w.settle(due[1].row, arrived("Observation/2"), "2026-01-20T12:00:01Z");
    assert!(w.due("2026-02-20T12:00:00Z").is_empty());
    let detail = w.store().outbox_row(due[0].row).unwrap();
    assert_eq!((detail.row.state.as_str(), detail.row.points_at.as_deref()), ("parked", Some("us")));
    assert_eq!(detail.said.as_deref(), Some("code not known here"));
    assert_eq!(w.store().retry(&[due[0].row], instant("2026-01-21T12:00:00Z")), Ok(vec![due[0].row]));
    let again = w.due("2026-01-21T12:00:01Z");
    assert_eq!(again.len(), 1);
    assert!(!again[0].in_doubt && again[0].octets.is_none());
    // What was delivered is never sent again, whoever asks.
    assert_eq!(w.store().retry(&[due[1].row], instant("2026-01-21T12:00:02Z")), Ok(vec![]));
    assert_eq!(w.due("2026-01-21T12:00:03Z").len(), 1);
}

/// Accepted without a word of where it is: closed, and told apart.
#[test]
fn unverified_is_closed_and_told_apart() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    let raised = Some("the record system holds this reading more than once".to_owned());
    let end = Settlement::Unverified { receipts: vec![], raised: raised.clone() };
    w.settle(due[0].row, end, "2026-01-20T12:00:01Z");
    assert!(w.due("2026-01-20T12:00:02Z").is_empty());
    assert_eq!(w.count("ledger_closed"), 1);
    let all = w.store().raised().unwrap();
    assert_eq!(all.iter().map(|r| Some(r.said.clone())).collect::<Vec<_>>(), [raised]);
    let now = w.now;
    assert_eq!(w.store().status(daemon(now)).unwrap().outbox[0].state, "unverified");
}

fn within(order: (&str, Option<&str>), consent: (&str, Option<&str>)) -> Permission {
    let window =
        |(from, until): (&str, Option<&str>)| Window { from: instant(from), until: until.map(instant) };
    Permission { order: window(order), consent: window(consent), revision: Revision(0) }
}

fn reasons(w: &mut World) -> Vec<(String, Option<String>)> {
    let rows = w.store().outbox(None, false).unwrap();
    rows.into_iter().map(|row| (row.state, row.reason)).collect()
}

/// CLINICAL 22: only what was taken inside order and consent; revocation stops the next send.
#[test]
fn revocation_stops_the_next_send() {
    let mut w = cuff();
    taken(&mut w, &[frame(18, 9, 0), frame(19, 9, 0), frame(20, 9, 0)]);
    let (ada, clinic) = (w.ada, w.clinic);
    let order = ("2026-01-19T00:00:00Z", None);
    let consent = ("2026-01-01T00:00:00Z", Some("2026-01-20T00:00:00Z"));
    w.store().permit(ada, clinic, &within(order, consent)).unwrap();
    let outside = |state: &str| (state.to_owned(), Some("outside-permission".to_owned()));
    assert_eq!(reasons(&mut w), [outside("withheld"), ("waiting".into(), None), outside("withheld")]);
    let due = w.due("2026-01-20T12:00:00Z");
    assert_eq!(times(&due), ["2026-01-19T09:00:00Z"]);
    // Between due and start.
    w.store().revoke(ada, clinic).unwrap();
    assert!(w.start(&due, "2026-01-20T12:00:01Z").is_empty(), "what was revoked must not go");
    assert!(w.due("2026-01-20T12:00:02Z").is_empty());
    assert_eq!(reasons(&mut w), vec![("withheld".to_owned(), Some("no-permission".to_owned())); 3]);
    w.store().permit(ada, clinic, &always()).unwrap();
    assert_eq!(w.due("2026-01-20T12:00:03Z").len(), 3);
    let revision = w.store().permission_of(ada, clinic).unwrap().unwrap().revision;
    assert_eq!(revision, Revision(3));
}

/// No permission at all: withheld, and visible. An attempt in doubt stays in doubt meanwhile.
#[test]
fn without_permission_nothing_goes_and_it_shows() {
    let mut w = cuff();
    let (ada, clinic) = (w.ada, w.clinic);
    taken(&mut w, &[frame(20, 9, 0)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    w.store().revoke(ada, clinic).unwrap();
    taken(&mut w, &[frame(20, 10, 0)]);
    assert!(w.due("2026-01-20T12:00:01Z").is_empty());
    assert_eq!(reasons(&mut w), vec![("withheld".to_owned(), Some("no-permission".to_owned())); 2]);
    w.store().permit(ada, clinic, &always()).unwrap();
    let again = w.due("2026-01-20T12:00:02Z");
    assert_eq!(again.iter().map(|c| c.in_doubt).collect::<Vec<_>>(), [true, false]);
}

/// CLINICAL 29: no answer mixes label sets, and a destination that is not cleared gets nothing.
#[test]
fn labels_never_mix() {
    let mut w = cuff();
    w.store().set_destinations(&[clears("clinic", &["ETH"]), clears("registry", &[])]).unwrap();
    let registry = w.store().destination("registry").unwrap();
    let ada = w.ada;
    w.store().also_at(ada, registry, &patient("reg-1"), None).unwrap();
    w.store().permit(ada, registry, &always()).unwrap();
    let mut labelled = w.bound("Etc/UTC");
    labelled.labels = labels_of(&["ETH"]);
    labelled.from = instant("2026-01-19T00:00:00Z");
    let mut plain = w.bound("Etc/UTC");
    plain.until = Some(labelled.from);
    w.take(News::Bindings(vec![plain, labelled]));
    taken(&mut w, &[frame(17, 9, 0), frame(19, 9, 0), frame(18, 9, 0), frame(20, 9, 0), frame(20, 11, 30)]);

    let mut sets = vec![];
    loop {
        let due = w.due("2026-01-20T12:00:00Z");
        let Some(labels) = due.first().map(|c| c.labels.clone()) else { break };
        assert!(due.iter().all(|c| c.labels == labels && c.parcel.reading.labels == labels), "mixed");
        sets.push((labels, times(&due).len()));
        for row in w.start(&due, "2026-01-20T12:00:00Z") {
            w.settle(row, arrived("Observation/1"), "2026-01-20T12:00:01Z");
        }
    }
    // The fresh one decides the first answer.
    assert_eq!(sets, [(labels_of(&["ETH"]), 3), (Labels::default(), 2)]);

    let now = instant("2026-01-20T12:00:00Z");
    let due = w.store().due(registry, now, 100).unwrap();
    assert_eq!(times(&due), ["2026-01-17T09:00:00Z", "2026-01-18T09:00:00Z"]);
    let rows = w.store().outbox(Some(registry), false).unwrap();
    let withheld = rows.iter().filter(|row| row.reason.as_deref() == Some("labels"));
    assert_eq!(withheld.count(), 3);
    // Cleared later: they go.
    w.store().set_destinations(&[clears("clinic", &["ETH"]), clears("registry", &["ETH"])]).unwrap();
    let rows = w.store().outbox(Some(registry), false).unwrap();
    assert!(rows.iter().all(|row| row.state == "waiting"));
}

/// CLINICAL 24: a test is kept, and goes nowhere.
#[test]
fn a_test_goes_nowhere() {
    let mut w = cuff();
    let mut binding = w.bound("Etc/UTC");
    binding.who = Who::Test;
    w.take(News::Bindings(vec![binding]));
    taken(&mut w, &[frame(20, 9, 0)]);
    assert_eq!((w.count("reading"), w.count("outbox")), (1, 0));
}

/// One row for each destination that knows the person, and each goes its own way.
#[test]
fn every_destination_has_its_own_row() {
    let mut w = cuff();
    w.store()
        .set_destinations(&[clears("clinic", &[]), clears("registry", &[]), clears("study", &[])])
        .unwrap();
    let registry = w.store().destination("registry").unwrap();
    let ada = w.ada;
    w.store().also_at(ada, registry, &patient("reg-1"), None).unwrap();
    w.store().permit(ada, registry, &always()).unwrap();
    taken(&mut w, &[frame(20, 9, 0)]);
    assert_eq!(w.count("outbox"), 2, "the study does not know her");
    assert_eq!(w.deliver("2026-01-20T12:00:00Z"), 1);
    let due = w.store().due(registry, instant("2026-01-20T12:00:00Z"), 10).unwrap();
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].parcel.subject.id, "reg-1");
    // A destination that is left out of the configuration for a day finds its rows waiting.
    w.store().set_destinations(&[clears("clinic", &[])]).unwrap();
    taken(&mut w, &[frame(20, 10, 0)]);
    assert_eq!(w.count("outbox"), 4);
}

#[test]
fn a_person_is_the_same_for_the_same_id() {
    let mut w = cuff();
    let (ada, clinic) = (w.ada, w.clinic);
    assert_eq!(w.store().person_for(clinic, &patient("ada-1"), None), Ok(ada));
    let ben = w.store().person_for(clinic, &patient("ben-2"), None).unwrap();
    assert_ne!(ben, ada);
    // What is not said anew stays.
    let bare = hearth_core::parcel::Subject { id: "ada-1".into(), identifier: None };
    w.store().person_for(clinic, &bare, None).unwrap();
    assert_eq!(w.store().subject(ada, clinic), Ok(Some(patient("ada-1"))));
    // What is on its way must not change its target.
    for other in ["ben-2", "ada-9"] {
        let said = w.store().also_at(ada, clinic, &patient(other), None);
        assert!(matches!(said, Err(StoreError::Refused(_))), "{other}: {said:?}");
    }
    let stranger = hearth_core::identity::PersonNo(5);
    assert_eq!(w.store().also_at(stranger, clinic, &patient("x"), None), Err(StoreError::Unknown("person")));
    let nowhere = DestinationNo(99);
    assert!(matches!(w.store().person_for(nowhere, &patient("x"), None), Err(StoreError::Unknown(_))));
    assert!(matches!(w.store().due(nowhere, Timestamp::UNIX_EPOCH, 1), Ok(due) if due.is_empty()));
}

/// A create in doubt that was retracted is not what the uplink waits for: its retraction is.
#[test]
fn the_next_try_is_of_what_may_be_sent() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:00Z");
    let (key, issue) = (due[0].parcel.reading.key, due[0].parcel.reading.issue);
    w.start(&due, "2026-01-20T12:00:00Z");
    w.settle(due[0].row, retry_at("2026-01-20T12:00:05Z", true, false), "2026-01-20T12:00:01Z");
    w.take(News::Retract(key, issue));
    let due = w.due("2026-01-20T12:00:10Z");
    assert_eq!(due.len(), 1, "the retraction");
    w.start(&due, "2026-01-20T12:00:10Z");
    w.settle(due[0].row, retry_at("2026-01-20T12:30:00Z", false, true), "2026-01-20T12:00:11Z");
    assert!(w.due("2026-01-20T12:00:12Z").is_empty());
    let clinic = w.clinic;
    let next = w.store().earliest_retry(clinic).unwrap();
    assert_eq!(next, Some(instant("2026-01-20T12:30:00Z")), "else the uplink asks without pause");
}
