//! One measurement by two roads: the standard's characteristic, and the maker's own memory.

use super::world::*;
use hearth_core::admit::{End, Fate, News};
use hearth_core::capture::Uuid16;
use hearth_core::reading::Issue;

const NEW_YORK: &str = "America/New_York";
/// 124/86, 51 /min at 2024-06-15T17:17:27, as BP_03, in the memory of an Omron cuff.
const MEMORY: &str = "63563318F1195B04000000000000";
/// The same a minute later.
const LATER: &str = "63563318F1199B04000000000000";

fn cuff() -> World {
    let mut w = World::of(cuffs(&[("via = \"notify\"", "via = \"vendor\"")]), PRESSURE);
    w.hub_time("2024-06-15T21:18:00Z");
    w.bind(NEW_YORK);
    w
}

impl World {
    fn remembers(&mut self, hex: &str) -> usize {
        let contact = self.contact();
        let admitted = self.hears(contact, Uuid16::OMRON_EEPROM_RECORD, hex).admitted.len();
        admitted + self.ends(contact, End::Drained).admitted.len()
    }

    fn indicates(&mut self, hex: &str) -> usize {
        let contact = self.contact();
        let admitted = self.cuff_says(contact, hex).admitted.len();
        admitted + self.ends(contact, End::Drained).admitted.len()
    }
}

#[test]
fn the_second_road_makes_no_second_reading() {
    for memory_first in [false, true] {
        let mut w = cuff();
        let one = if memory_first { w.remembers(MEMORY) } else { w.indicates(BP_03) };
        let two = if memory_first { w.indicates(BP_03) } else { w.remembers(MEMORY) };
        assert_eq!((one, two), (1, 0), "memory first: {memory_first}");
        assert_eq!(w.fate(2), Fate::Repeat);
        assert_eq!((w.count("reading"), w.count("outbox"), w.count("ledger")), (1, 1, 2));
        // Another minute is another measurement, by whichever road.
        assert_eq!(w.remembers(LATER), 1);
    }
}

/// By one road, equal values of one minute may be two measurements: only their names tell.
#[test]
fn one_road_is_not_two() {
    let mut w = cuff();
    assert_eq!(w.indicates(BP_03), 1);
    // The same pressure of the same second with another pulse: another record of the same road.
    assert_eq!(w.indicates("167C0056006100E807060F11111B34000000"), 1);
}

/// CLINICAL 26: what was taken back stays so, also when the other road tells it for the first time.
#[test]
fn clinical_26_a_retraction_holds_on_both_roads() {
    let mut w = cuff();
    w.indicates(BP_03);
    let key = w.sql("SELECT count(*) FROM ledger");
    assert_eq!(key, 1);
    let reading = w.store().readings(crate::store::ReadingNo(0), 1).unwrap().remove(0);
    w.take(News::Retract(reading.key, Issue(0)));
    assert_eq!(w.remembers(MEMORY), 0);
    assert_eq!(w.sql("SELECT count(*) FROM reading WHERE retracted = 0"), 0);
}

/// Long delivered and forgotten: the memory is read again, and nothing is written twice.
#[test]
fn what_was_pruned_is_known_by_both_roads() {
    let mut w = cuff();
    w.indicates(BP_03);
    w.remembers(MEMORY);
    w.remembers(LATER);
    w.deliver("2024-06-15T21:20:00Z");
    let pruned = w.store().prune(instant("2025-07-01T00:00:00Z")).unwrap();
    assert_eq!((pruned.records >= 2, w.count("ledger")), (true, 3), "{pruned:?}");
    let readings = w.count("reading");
    assert_eq!((w.remembers(MEMORY), w.indicates(BP_03)), (0, 0));
    assert_eq!(w.count("reading"), readings);
}

/// Cuffs tell their user in a measurement, and their memory may leave it out; one cuff measures one person at a time.
#[test]
fn the_slot_makes_no_second_reading() {
    for memory_first in [false, true] {
        let mut w = cuff();
        let with_user = "1E7C0056006100E807060F11111B3300010000";
        let one = if memory_first { w.remembers(MEMORY) } else { w.indicates(with_user) };
        let two = if memory_first { w.indicates(with_user) } else { w.remembers(MEMORY) };
        assert_eq!((one, two), (1, 0), "memory first: {memory_first}");
    }
}

/// An enhanced measurement has the cuff's own time, in UTC, and the one that the user sees; a plain one has that alone.
#[test]
fn the_time_that_the_user_sees_joins_both_frames() {
    // 124/86 at 2024-06-15T21:17:27, shown as 17:17:27; seconds since 2000.
    let enhanced = "667C0056006100 67C1002E 3300 2789002E".replace(' ', "");
    for enhanced_first in [false, true] {
        let mut w = World::of(cuffs(&[]), PRESSURE);
        w.hub_time("2024-06-15T21:18:00Z");
        w.bind(NEW_YORK);
        let mut told = |first: bool| {
            let contact = w.contact();
            let admitted = match first {
                true => w.hears(contact, Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT, &enhanced),
                false => w.cuff_says(contact, BP_03),
            };
            admitted.admitted.len() + w.ends(contact, End::Drained).admitted.len()
        };
        assert_eq!((told(enhanced_first), told(!enhanced_first)), (1, 0), "enhanced first: {enhanced_first}");
    }
}
