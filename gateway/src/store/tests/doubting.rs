//! What may have arrived stays in doubt until somebody knows.

use super::leaving::{cuff, frame, retry_at, taken};
use super::world::*;
use crate::store::*;
use hearth_core::delivery::PointsAt;

/// The attempt is on disk before its first octet leaves; after a crash the octets are there for the repeat.
#[test]
fn an_attempt_that_was_cut_off_is_in_doubt_with_its_octets() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:05Z");
    assert!(!due[0].in_doubt && due[0].octets.is_none() && due[0].phd_identifier.is_none());
    assert_eq!(w.start(&due, "2026-01-20T12:00:06Z"), [due[0].row]);
    w.power_cut();
    let again = w.due("2026-01-20T12:10:00Z");
    assert_eq!(again[0].row, due[0].row);
    assert!(again[0].in_doubt);
    assert_eq!(again[0].attempts, 1);
    assert_eq!(again[0].octets.as_deref(), Some(&b"octets of row 1"[..]));
    assert_eq!(again[0].phd_identifier.as_deref(), Some("phd of row 1"));
    // The PHD identifier is fixed at the first encoding.
    let other = Attempt { phd_identifier: Some("another".into()), ..attempt(&again[0]) };
    w.store().start(&[other], instant("2026-01-20T12:10:01Z")).unwrap();
    assert_eq!(w.due("2026-01-20T12:10:02Z")[0].phd_identifier.as_deref(), Some("phd of row 1"));
    w.settle(due[0].row, arrived("Observation/7"), "2026-01-20T12:10:03Z");
    assert!(w.due("2026-01-20T12:11:00Z").is_empty());
    assert_eq!(w.sql("SELECT count(*) FROM outbox WHERE octets IS NOT NULL"), 0, "the octets went");
    assert_eq!(w.count("ledger_closed"), 1);
    let detail = w.store().outbox_row(due[0].row).unwrap();
    assert_eq!(detail.row.state, "delivered");
    assert_eq!(detail.receipts[0].location.as_deref(), Some("Observation/7"));
}

/// A refusal says nothing of an earlier attempt.
#[test]
fn what_was_in_doubt_when_it_was_refused_stays_in_doubt() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    let parked = Settlement::Parked {
        said: "not now".into(),
        points_at: PointsAt::Record,
        doubt: Some(b"by this rung".to_vec()),
    };
    w.settle(due[0].row, parked, "2026-01-20T12:00:01Z");
    assert!(w.due("2026-01-20T13:00:00Z").is_empty());
    let detail = w.store().outbox_row(due[0].row).unwrap();
    assert_eq!(
        (detail.row.state.as_str(), detail.row.points_at.as_deref()),
        ("parked", Some("record-system"))
    );
    assert_eq!(detail.said.as_deref(), Some("not now"));
    let now = w.now;
    let status = w.store().status(daemon(now)).unwrap();
    assert_eq!(
        status.outbox.iter().map(|row| (row.state.as_str(), row.rows)).collect::<Vec<_>>(),
        [("parked", 1)]
    );
    assert_eq!(w.store().retry(&[due[0].row], instant("2026-01-20T13:00:00Z")), Ok(vec![due[0].row]));
    let again = w.due("2026-01-20T13:00:01Z");
    assert!(again[0].in_doubt);
    assert_eq!(again[0].octets.as_deref(), Some(b"by this rung".as_slice()));
}

#[test]
fn a_row_parked_by_hand_stays_in_doubt() {
    let mut w = cuff();
    taken(&mut w, &[frame(20, 11, 30)]);
    let due = w.due("2026-01-20T12:00:00Z");
    w.start(&due, "2026-01-20T12:00:00Z");
    w.store().park(due[0].row, "asked by the clinic", instant("2026-01-20T12:00:01Z")).unwrap();
    // A late answer that decides nothing changes nothing.
    w.settle(due[0].row, retry_at("2026-01-20T12:05:00Z", true, false), "2026-01-20T12:00:02Z");
    assert!(w.due("2026-01-20T13:00:00Z").is_empty());
    assert_eq!(w.store().retry(&[due[0].row], instant("2026-01-20T13:00:00Z")), Ok(vec![due[0].row]));
    assert!(w.due("2026-01-20T13:00:01Z")[0].in_doubt);
    // A late arrival does: it is there.
    w.store().park(due[0].row, "again", instant("2026-01-20T13:00:02Z")).unwrap();
    w.settle(due[0].row, arrived("Observation/1"), "2026-01-20T13:00:03Z");
    assert_eq!(w.store().outbox_row(due[0].row).unwrap().row.state, "delivered");
    // And then nothing does.
    let parked = Settlement::Parked { said: "not here".into(), points_at: PointsAt::Record, doubt: None };
    for late in [retry_at("2026-01-20T12:05:00Z", false, true), parked, Settlement::Withdrawn] {
        w.settle(due[0].row, late, "2026-01-20T13:00:03Z");
        assert_eq!(w.store().outbox_row(due[0].row).unwrap().row.state, "delivered");
    }
    let closed = w.store().park(due[0].row, "too late", instant("2026-01-20T13:00:04Z"));
    assert!(matches!(closed, Err(StoreError::Refused(_))));
}
