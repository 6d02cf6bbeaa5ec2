//! Retraction and re-issue. CLINICAL 26.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, Fate, News, RecordNo};
use hearth_core::capture::Key;
use hearth_core::delivery::PointsAt;
use hearth_core::identity::Who;
use hearth_core::parcel::Intent;
use hearth_core::reading::Issue;

const NOW: &str = "2018-10-07T12:00:10Z";

/// One glucose reading with its context, admitted and not yet sent.
fn one_reading() -> (World, Key) {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    let contact = w.contact();
    w.context(contact, CTX_01);
    let (key, _) = first(&w.meter_says(contact, GLU_04));
    w.ends(contact, End::Drained);
    (w, key)
}

fn rows(w: &mut World) -> Vec<(Intent, String)> {
    let rows = w.store().outbox(None, true).unwrap();
    rows.into_iter().map(|row| (row.intent, row.state)).collect()
}

fn of(intent: Intent, state: &str) -> (Intent, String) {
    (intent, state.to_owned())
}

#[test]
fn retracted_before_it_was_sent() {
    let (mut w, key) = one_reading();
    let said = w.take(News::Retract(key, Issue(0)));
    assert_eq!(said.changes, [(RecordNo(2), Fate::Retracted(key, Issue(0)))]);
    assert_eq!(rows(&mut w), [of(Intent::Create, "withdrawn")]);
    assert!(w.due(NOW).is_empty());
    // Told twice, it is so once.
    assert!(w.take(News::Retract(key, Issue(0))).changes.is_empty());
    // Heard again, it stays retracted.
    w.restart();
    let contact = w.contact();
    let heard = w.meter_says(contact, GLU_04);
    w.ends(contact, End::Drained);
    assert!(heard.admitted.is_empty());
    assert_eq!(w.fate(2), Fate::Retracted(key, Issue(0)));
    assert_eq!(w.count("outbox"), 1);
}

#[test]
fn retracted_after_it_arrived() {
    let (mut w, key) = one_reading();
    let created = w.due(NOW);
    w.start(&created, NOW);
    w.settle(created[0].row, arrived("Observation/77"), NOW);
    w.take(News::Retract(key, Issue(0)));
    assert_eq!(rows(&mut w), [of(Intent::Create, "delivered"), of(Intent::Retract, "waiting")]);
    let due = w.due(NOW);
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].parcel.intent, Intent::Retract);
    assert_eq!(
        (due[0].location.as_deref(), due[0].etag.as_deref()),
        (Some("Observation/77"), Some("W/\"1\""))
    );
    // Said in the words in which it was written.
    assert_eq!(due[0].parcel.issued, created[0].parcel.issued);
    assert_eq!(due[0].phd_identifier.as_deref(), Some("phd of row 1"));
    assert!(!due[0].in_doubt);
    assert_eq!(w.deliver(NOW), 1);
    assert!(w.due(NOW).is_empty());
}

/// Nobody knows whether it arrived: the retraction goes, and the attempt to write it does not go again.
#[test]
fn retracted_while_in_doubt() {
    let (mut w, key) = one_reading();
    let created = w.due(NOW);
    w.start(&created, NOW);
    w.power_cut();
    w.take(News::Retract(key, Issue(0)));
    let due = w.due(NOW);
    assert_eq!(due.iter().map(|c| c.parcel.intent).collect::<Vec<_>>(), [Intent::Retract]);
    assert!(due[0].in_doubt && due[0].octets.is_none() && due[0].location.is_none());
    w.start(&due, NOW);
    w.settle(due[0].row, Settlement::Withdrawn, NOW);
    assert_eq!(rows(&mut w), [of(Intent::Create, "withdrawn"), of(Intent::Retract, "withdrawn")]);

    // It was there, and is marked now: with that, the attempt to write it is over.
    let (mut w, key) = one_reading();
    let created = w.due(NOW);
    w.start(&created, NOW);
    w.take(News::Retract(key, Issue(0)));
    assert!(w.start(&created, NOW).is_empty(), "what was retracted since it was due must not go");
    assert_eq!(w.deliver(NOW), 1);
    assert_eq!(rows(&mut w), [of(Intent::Create, "withdrawn"), of(Intent::Retract, "delivered")]);
}

/// The answer comes after the retraction.
#[test]
fn retracted_while_on_its_way() {
    for (answer, rest) in [
        (arrived("Observation/5"), vec![of(Intent::Create, "delivered"), of(Intent::Retract, "waiting")]),
        (
            Settlement::RetryAt {
                when: instant(NOW),
                counts: false,
                in_doubt: false,
                acts: None,
                said: "busy".into(),
            },
            vec![of(Intent::Create, "withdrawn"), of(Intent::Retract, "withdrawn")],
        ),
        (
            Settlement::RetryAt {
                when: instant(NOW),
                counts: false,
                in_doubt: true,
                acts: None,
                said: "cut".into(),
            },
            vec![of(Intent::Create, "in-doubt"), of(Intent::Retract, "waiting")],
        ),
        (
            Settlement::Parked { said: "not now".into(), points_at: PointsAt::Record, doubt: None },
            vec![of(Intent::Create, "withdrawn"), of(Intent::Retract, "withdrawn")],
        ),
        (
            Settlement::Parked {
                said: "not now".into(),
                points_at: PointsAt::Record,
                doubt: Some(b"rung".to_vec()),
            },
            vec![of(Intent::Create, "in-doubt"), of(Intent::Retract, "waiting")],
        ),
    ] {
        let (mut w, key) = one_reading();
        let created = w.due(NOW);
        w.start(&created, NOW);
        w.take(News::Retract(key, Issue(0)));
        w.settle(created[0].row, answer.clone(), NOW);
        assert_eq!(rows(&mut w), rest, "{answer:?}");
    }
}

/// A re-issue has its own issue, says what it replaces, and comes after the retraction.
#[test]
fn a_reissue_follows_its_retraction() {
    let (mut w, key) = one_reading();
    let created = w.due(NOW);
    w.start(&created, NOW);
    w.settle(created[0].row, arrived("Observation/77"), NOW);
    // It was somebody else's: Ben's.
    let clinic = w.clinic;
    let ben = w.store().person_for(clinic, &patient("ben-2"), None).unwrap();
    w.store().permit(ben, clinic, &always()).unwrap();
    let mut binding = w.bound(LOS_ANGELES);
    binding.who = Who::Person(ben);
    w.take(News::Bindings(vec![binding]));
    // In one step: nothing can come between.
    let again = w.take(News::Replace(key, Issue(0)));
    assert_eq!(again.admitted, [(key, Issue(1))]);
    assert_eq!(w.fate(1), Fate::Companion(RecordNo(2)));
    assert_eq!(w.fate(2), Fate::Admitted(key, Issue(1)));

    let due = w.due(NOW);
    assert_eq!(due.iter().map(|c| c.parcel.intent).collect::<Vec<_>>(), [Intent::Retract], "one at a time");
    w.start(&due, NOW);
    let later = "2018-10-07T12:30:00Z";
    let busy = Settlement::RetryAt {
        when: instant(later),
        counts: false,
        in_doubt: true,
        acts: None,
        said: "busy".into(),
    };
    w.settle(due[0].row, busy, NOW);
    assert!(w.due(NOW).is_empty(), "the re-issue must not overtake it");
    assert_eq!(w.due(later).len(), 1);
    w.settle(due[0].row, arrived("Observation/77"), NOW);
    let due = w.due(NOW);
    assert_eq!(due.len(), 1);
    let reissued = &due[0].parcel;
    assert_eq!((reissued.intent, reissued.reading.issue), (Intent::Create, Issue(1)));
    assert_eq!(reissued.replaces, Some((Issue(0), Some("Observation/77".into()))));
    assert_eq!(reissued.subject.id, "ben-2");
    assert_eq!(reissued.reading.companions.len(), 1);
    assert_eq!(due[0].location, None, "it is not there yet itself");
    assert_eq!(w.deliver(NOW), 1);
    // And that one can be retracted, too.
    w.take(News::Retract(key, Issue(1)));
    assert_eq!(w.take(News::Reissue(key)).admitted, [(key, Issue(2))]);
}

/// A parked retraction needs a person; the right reading does not wait for that.
#[test]
fn a_parked_retraction_does_not_hold_the_reissue() {
    let (mut w, key) = one_reading();
    assert_eq!(w.deliver(NOW), 1);
    w.take(News::Retract(key, Issue(0)));
    w.take(News::Reissue(key));
    let due = w.due(NOW);
    w.store().park(due[0].row, "the clinic marks it by hand", instant(NOW)).unwrap();
    assert_eq!(w.due(NOW)[0].parcel.reading.issue, Issue(1));
}

/// What was disclosed may be taken back without a permission of its own; to whom labels forbid it, never.
#[test]
fn a_retraction_needs_no_permission() {
    let (mut w, key) = one_reading();
    assert_eq!(w.deliver(NOW), 1);
    let (ada, clinic) = (w.ada, w.clinic);
    w.store().revoke(ada, clinic).unwrap();
    w.take(News::Retract(key, Issue(0)));
    assert_eq!(w.due(NOW).len(), 1);
}

/// Another hub retracted it before this one heard it, and before this one knew which meter it is.
#[test]
fn a_tombstone_may_come_first() {
    let heard = |w: &mut World| {
        w.hub_time("2018-10-07T12:00:00Z");
        w.bind(LOS_ANGELES);
        let contact = w.contact();
        w.meter_says(contact, GLU_04);
        w.ends(contact, End::Drained);
        w.system_id()
    };
    let (key, _) = first(&heard(&mut World::new(catalog(&[BY_SYSTEM_ID]))));
    let mut w = World::new(catalog(&[BY_SYSTEM_ID]));
    w.take(News::Retract(key, Issue(0)));
    let known = heard(&mut w);
    assert_eq!(known.changes, [(RecordNo(1), Fate::Retracted(key, Issue(0)))]);
    assert_eq!((w.count("reading"), w.count("outbox")), (0, 0));
    assert_eq!(w.take(News::Reissue(key)).admitted, [(key, Issue(1))]);
}

#[test]
fn only_what_was_retracted_is_issued_again() {
    let (mut w, key) = one_reading();
    let now = w.now;
    let said = w.store().take(&News::Reissue(key), now);
    assert_eq!(said.unwrap_err(), StoreError::Unknown("retracted reading"));
    assert_eq!(w.store().broken(), None);
}
