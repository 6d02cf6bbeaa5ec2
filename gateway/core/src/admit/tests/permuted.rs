//! The same news in every order, and a reboot after every step: one end.

use super::world::*;
use crate::admit::*;
use std::collections::BTreeMap;

fn tell(w: &mut World, step: usize, contact: u64) {
    match step {
        0 => w.meter_says(contact, GLU_01),
        1 => w.context(contact, CONTEXT_OF_15),
        2 => w.clock_shows(contact, "2024-01-30T11:40:00"),
        3 => w.hub_time("2024-01-30T06:10:00Z"),
        4 => w.system_id(),
        5 => w.bindings([bound(ADA, KOLKATA)]),
        _ => w.silence_until(w.now.ms),
    };
}

/// Heap's algorithm, without a list of all orders.
fn permute(steps: &mut [usize], n: usize, visit: &mut impl FnMut(&[usize])) {
    if n <= 1 {
        return visit(steps);
    }
    for i in 0..n {
        permute(steps, n - 1, visit);
        steps.swap(if n.is_multiple_of(2) { i } else { 0 }, n - 1);
    }
}

#[test]
fn five_thousand_orders_of_the_same_news() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut steps = [0, 1, 2, 3, 4, 5, 6];
    permute(&mut steps, 7, &mut |order| {
        let mut w = World::new(by_system_id(telling(meter())));
        w.at(500);
        order.iter().for_each(|step| tell(&mut w, *step, 1));
        let mut reading = w.only().clone();
        // A clock sample knows nearest by ticks alone; nothing else may depend on the order.
        reading.doubts.sort();
        *ends.entry(format!("{reading:?}")).or_default() += 1;
    });
    assert_eq!(ends.values().copied().collect::<Vec<_>>(), [5_040], "{:#?}", ends.keys());
}

/// One or two reboots after every step; then the meter repeats what it has.
#[test]
fn a_reboot_after_every_step() {
    for first in 0..8 {
        for second in first..8 {
            let mut w = World::new(by_system_id(telling(meter())));
            let mut contact = 1;
            for (i, step) in [3, 0, 2, 1, 4, 5, 7, 6].into_iter().enumerate() {
                w.at(w.now.ms + 1_000);
                if step == 7 {
                    w.ends(contact, End::Drained);
                } else {
                    tell(&mut w, step, contact);
                }
                if i == first || i == second {
                    w.boot();
                    contact += 1;
                }
            }
            w.at(w.now.ms + 1_000).hub_time("2024-01-30T06:30:00Z");
            w.meter_says(contact + 1, GLU_01)
                .context(contact + 1, CONTEXT_OF_15)
                .ends(contact + 1, End::Drained);
            w.silence_until(w.now.ms + 700_000);
            assert_eq!(w.all().len(), 1, "reboots after {first} and {second}");
            let waiting = w.opens[&DEVICE]
                .records
                .values()
                .filter(|r| matches!(r.fate, Fate::New | Fate::Await { .. }));
            assert_eq!(waiting.count(), 0, "reboots after {first} and {second}");
        }
    }
}
