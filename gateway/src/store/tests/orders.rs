//! The same news in many orders, each on a store of its own: one end. The core's tests go through all orders
//! with everything loaded; these look for what a store that loads only what is touched could overlook.

use super::world::*;
use hearth_core::admit::News;
use std::collections::BTreeMap;

fn tell(w: &mut World, step: usize, contact: hearth_core::when::ContactNo) {
    match step {
        0 => drop(w.meter_says(contact, GLU_01)),
        1 => drop(w.context(contact, CONTEXT_OF_15)),
        2 => drop(w.clock_shows(contact, "2024-01-30T11:40:00")),
        3 => drop(w.hub_time("2024-01-30T06:10:00Z")),
        4 => drop(w.system_id()),
        5 => drop(w.bind(KOLKATA)),
        _ => drop(w.take(News::Due)),
    }
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
fn one_end_in_every_order() {
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    let mut orders = 0;
    permute(&mut [0, 1, 2, 3, 4, 5, 6], 7, &mut |order| {
        orders += 1;
        // Every 23rd of 5,040 is 220 orders, and 23 divides no factorial: they are spread over all of them.
        if orders % 23 != 0 {
            return;
        }
        let mut w = World::new(catalog(&[BY_SYSTEM_ID, TELLING]));
        w.at(500);
        let contact = w.contact();
        order.iter().for_each(|step| tell(&mut w, *step, contact));
        let due = w.due("2024-01-30T06:11:00Z");
        assert_eq!(due.len(), 1, "{order:?}");
        let mut reading = due[0].parcel.reading.clone();
        reading.doubts.sort();
        // People and their numbers are random; the first person here is Ada.
        assert_eq!(reading.who, hearth_core::identity::Who::Person(w.ada));
        reading.who = hearth_core::identity::Who::Test;
        *ends.entry(format!("{reading:?}")).or_default() += 1;
    });
    assert_eq!(ends.len(), 1, "{:#?}", ends.keys());
    assert_eq!(ends.values().sum::<usize>(), 219);
}
