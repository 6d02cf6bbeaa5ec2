//! What is forgotten, and what the ledger still knows.

use super::world::*;
use crate::store::*;
use hearth_core::admit::{End, Fate, News};
use hearth_core::identity::{Binding, Who};
use hearth_core::reading::Issue;
use jiff::Timestamp;

const LATER: &str = "2019-01-01T00:00:00Z";

/// Two readings with their contexts, heard on 7 October 2018, and a later hearing of something else, so that
/// nothing of them is the newest.
fn heard() -> World {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    w.bind(LOS_ANGELES);
    memory(&mut w);
    newer(&mut w);
    w
}

fn memory(w: &mut World) -> (usize, usize) {
    let contact = w.contact();
    let mut admitted = 0;
    let mut heard = 0;
    for (measurement, context) in [(GLU_04, CTX_01), (GLU_05, CTX_02)] {
        for said in [w.meter_says(contact, measurement), w.context(contact, context)] {
            admitted += said.admitted.len();
            heard += usize::from(said.heard.is_some());
        }
    }
    admitted += w.ends(contact, End::Lost).admitted.len();
    (admitted, heard)
}

fn newer(w: &mut World) {
    let contact = w.contact();
    w.meter_says(contact, "024000E20709140B1B0778B0F8");
    w.ends(contact, End::Drained);
}

fn prune(w: &mut World, older_than: &str) -> Pruned {
    w.store().prune(instant(older_than)).unwrap()
}

#[test]
fn what_is_delivered_is_forgotten_and_never_written_twice() {
    let mut w = heard();
    assert_eq!(w.deliver("2018-10-07T12:00:10Z"), 3);
    let permissions = w.count("permission");
    assert_eq!(prune(&mut w, LATER), Pruned { records: 2, readings: 2 });
    let left = ["record", "capture", "reading", "outbox", "receipt"].map(|table| w.count(table));
    assert_eq!(left, [1, 1, 1, 1, 1], "only the newest is left");
    assert_eq!((w.count("ledger"), w.count("ledger_closed"), w.count("binding")), (3, 3, 1));
    assert_eq!(w.count("permission"), permissions);
    let device = w.device;
    assert_eq!(w.store().cursor(device), Ok(Some(65)));

    // The meter says it all again, in this boot and in another one.
    w.restart();
    let (admitted, _) = memory(&mut w);
    assert_eq!(admitted, 0);
    w.power_cut();
    w.hub_time("2019-01-02T12:00:00Z");
    let (admitted, _) = memory(&mut w);
    assert_eq!(admitted, 0);
    assert!(w.due("2019-01-02T12:00:10Z").is_empty());
    assert_eq!(w.sql("SELECT sum(heard_since) FROM ledger"), 4);
    let now = w.now;
    let status = w.store().status(daemon(now)).unwrap();
    assert_eq!((status.readings, status.heard_after_pruning), (1, 4));
}

/// Numbers are given once: what logs and lists called by a number is never something else.
#[test]
fn numbers_never_come_again() {
    let mut w = heard();
    w.deliver("2018-10-07T12:00:10Z");
    let newest = ["record", "reading", "outbox", "contact", "boot"]
        .map(|table| (table, w.sql(&format!("SELECT max(no) FROM {table}"))));
    prune(&mut w, LATER);
    for (table, newest) in newest {
        assert_eq!(w.sql(&format!("SELECT max(no) FROM {table}")), newest, "{table}");
    }
}

#[test]
fn what_is_young_stays() {
    let mut w = heard();
    w.deliver("2018-10-07T12:00:10Z");
    // Settled at noon, delivered ten seconds later.
    assert_eq!(prune(&mut w, "2018-10-07T11:59:00Z"), Pruned::default());
    assert_eq!(prune(&mut w, "2018-10-07T12:00:05Z"), Pruned::default());
    assert_eq!(prune(&mut w, "2018-10-07T12:00:11Z").readings, 2);
}

/// Whatever somebody still has to do something about stays, however old.
#[test]
fn what_is_open_stays() {
    type Leave = fn(&mut World, &[Consignment]);
    let leaves: &[(&str, Leave)] = &[
        ("waiting", |_, _| {}),
        ("in doubt", |w, due| _ = w.start(due, "2018-10-07T12:00:10Z")),
        ("parked", |w, due| {
            for c in due {
                w.store().park(c.row, "because", instant("2018-10-07T12:00:10Z")).unwrap();
            }
        }),
        ("withheld", |w, _| {
            let (ada, clinic) = (w.ada, w.clinic);
            w.store().revoke(ada, clinic).unwrap();
        }),
    ];
    for (how, leave) in leaves {
        let mut w = heard();
        let due = w.due("2018-10-07T12:00:10Z");
        assert_eq!(due.len(), 3);
        leave(&mut w, &due);
        assert_eq!(prune(&mut w, LATER), Pruned::default(), "{how}");
        assert_eq!((w.count("reading"), w.count("record")), (3, 5), "{how}");
    }
    // Held.
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    memory(&mut w);
    newer(&mut w);
    assert_eq!(prune(&mut w, LATER), Pruned::default());
    assert_eq!(w.count("hold"), 5);
    w.bind(LOS_ANGELES);
    assert_eq!(w.count("reading"), 3);
}

/// What is known to be another's, a person has to take back, however late.
#[test]
fn what_is_disputed_stays() {
    let mut w = heard();
    w.deliver("2018-10-07T12:00:10Z");
    let (was, clinic) = (w.bound(LOS_ANGELES), w.clinic);
    let ben = w.store().person_for(clinic, &patient("ben-2"), None).unwrap();
    w.take(News::Bindings(vec![Binding { who: Who::Person(ben), ..was }]));
    assert_eq!(w.store().disputed().unwrap().len(), 3);
    assert_eq!(prune(&mut w, LATER), Pruned::default());
    for no in [1, 2] {
        let (key, issue) = w.store().key_of(ReadingNo(no)).unwrap();
        w.take(News::Retract(key, issue));
    }
    w.deliver("2018-10-07T12:00:20Z");
    assert_eq!(prune(&mut w, LATER), Pruned { records: 1, readings: 1 }, "the newest row keeps its number");
}

/// Refused records and mere repeats have no reading, and go with their age.
#[test]
fn the_refused_go_with_their_age() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2018-10-07T12:00:00Z");
    let contact = w.contact();
    w.meter_says(contact, "02");
    w.context(contact, CTX_01);
    w.ends(contact, End::Drained);
    assert!(matches!(w.fate(2), Fate::Refused(..)));
    assert_eq!(prune(&mut w, LATER), Pruned { records: 1, readings: 0 }, "the newest keeps its number");
    newer(&mut w);
    assert_eq!(w.sql("SELECT max(no) FROM record"), 3);
    assert_eq!(prune(&mut w, LATER), Pruned { records: 1, readings: 0 });
}

/// Settled while the hub did not know the time: nobody can say that it is old.
#[test]
fn without_a_time_nothing_is_old() {
    let mut w = World::new(catalog(&[]));
    let contact = w.contact();
    w.meter_says(contact, "02");
    w.ends(contact, End::Drained);
    newer(&mut w);
    assert_eq!(w.store().prune(Timestamp::MAX).unwrap(), Pruned::default());
    w.hub_time("2018-10-07T12:00:00Z");
    assert_eq!(prune(&mut w, LATER).records, 1);
}

/// CLINICAL 26: the tombstone outlives the reading.
#[test]
fn a_retracted_reading_stays_retracted_when_it_is_forgotten() {
    let mut w = heard();
    let views = w.store().readings(ReadingNo(0), 10).unwrap();
    w.take(News::Retract(views[0].key, Issue(0)));
    w.deliver("2018-10-07T12:00:10Z");
    assert_eq!(prune(&mut w, LATER).readings, 2);
    let (admitted, _) = memory(&mut w);
    assert_eq!(admitted, 0);
    assert_eq!(w.sql("SELECT count(*) FROM ledger WHERE tombstone = 1"), 1);
}

/// Nobody could be told any more where it is: then nobody is told that it is done.
#[test]
fn a_forgotten_reading_is_not_retracted_in_silence() {
    let mut w = heard();
    let key = w.store().readings(ReadingNo(0), 10).unwrap()[0].key;
    w.deliver("2018-10-07T12:00:10Z");
    assert_eq!(prune(&mut w, LATER).readings, 2);
    let now = w.now;
    let Err(StoreError::Refused(said)) = w.store().take(&News::Retract(key, Issue(0)), now) else {
        panic!("it was taken for retracted")
    };
    assert!(said.ends_with("mark it as entered in error at the record system, by hand"), "{said}");
    assert_eq!(w.sql("SELECT count(*) FROM ledger WHERE tombstone = 1"), 0);
    assert_eq!(w.store().broken(), None);
}

/// Contacts and boots go with what was heard in them; clocks that later ones are compared with stay.
#[test]
fn contacts_and_boots_go_with_their_records() {
    let mut w = heard();
    w.deliver("2018-10-07T12:00:10Z");
    for _ in 0..3 {
        w.power_cut();
        w.hub_time("2018-11-07T12:00:00Z");
        let contact = w.contact();
        w.clock_shows(contact, "2018-11-07T04:00:00");
        w.ends(contact, End::Drained);
    }
    newer(&mut w);
    w.power_cut();
    prune(&mut w, LATER);
    assert_eq!(w.sql("SELECT count(*) FROM contact WHERE samples > 0"), 3);
    assert_eq!(w.sql("SELECT min(no) FROM boot"), 1, "the newest record was first heard in the first boot");
    assert_eq!(w.sql("SELECT count(*) FROM contact WHERE no = 1"), 0);
}

/// A cuff was an hour fast until its memory was drained; what it measured since is issued anew long after, by the same
/// evidence: that draining is kept for as long as the record is.
#[test]
fn what_is_issued_anew_is_judged_by_the_same_evidence() {
    let mut w = World::of(cuffs(&[TELLING]), PRESSURE);
    w.hub_time("2024-06-15T20:00:00Z");
    w.bind("America/New_York");
    // The daemon was killed in the middle of this contact.
    let contact = w.contact();
    w.clock_shows(contact, "2024-06-15T17:00:00");
    let contact = w.at(3_600_000).contact();
    w.clock_shows(contact, "2024-06-15T17:00:00");
    w.ends(contact, End::Drained);
    let contact = w.at(4_650_000).contact();
    w.clock_shows(contact, "2024-06-15T17:17:30");
    let (key, issue) = w.cuff_says(contact, BP_03).admitted[0];
    w.ends(contact, End::Drained);
    for day in 1..=6 {
        let contact = w.at(4_650_000 + day * 86_400_000).contact();
        w.clock_shows(contact, &format!("2024-06-{}T17:17:30", 15 + day));
        w.ends(contact, End::Drained);
    }
    let contacts = w.count("contact");
    prune(&mut w, "2024-06-01T00:00:00Z");
    assert!(w.count("contact") < contacts, "contacts that nothing is compared with go");
    assert_eq!(w.take(News::Replace(key, issue)).admitted, [(key, Issue(1))]);
}
