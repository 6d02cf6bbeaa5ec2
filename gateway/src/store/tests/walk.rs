//! Steps 7 to 12: heard, admitted, due, started, settled.

use super::world::*;
use hearth_core::admit::{End, Hearing};

#[test]
fn from_a_frame_to_a_receipt() {
    let mut w = World::new(catalog(&[]));
    w.hub_time("2024-01-30T06:10:00Z");
    w.bind(KOLKATA);
    let contact = w.contact();
    let heard = w.meter_says(contact, GLU_01);
    assert_eq!(heard.heard.map(|(_, h)| h), Some(Hearing::New));
    assert!(heard.admitted.is_empty() && heard.due.is_some(), "{heard:?}");
    let joined = w.context(contact, CONTEXT_OF_15);
    assert_eq!(joined.admitted.len(), 1);
    w.ends(contact, End::Drained);
    let due = w.due("2024-01-30T06:10:01Z");
    assert_eq!(due.len(), 1);
    assert_eq!(due[0].parcel.reading.companions.len(), 1);
    assert_eq!(w.deliver("2024-01-30T06:10:02Z"), 1);
    assert_eq!(w.count("ledger_closed"), 1);
}
