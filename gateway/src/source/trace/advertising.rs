//! Advertising data: length, type, octets, again and again. Core, Volume 3, Part C, 11; Assigned Numbers, 2.3.

use super::event::{Advertisement, Contact};
use super::mark::{Marks, Walk, What};
use hearth_core::identity::Address;

/// Services whose octets are a weighing that a scale broadcasts.
pub(super) const WEIGHED: [u16; 2] = [0x181D, 0x181B];

/// Reads what there is; what ends too early ends the reading.
pub(super) fn read(mut walk: Walk<'_>, address: Address, marks: &mut Marks) -> Advertisement {
    let mut told =
        Advertisement { address, name: None, services: vec![], service_octets: vec![], maker_octets: vec![] };
    // Nobody connected: all that is broadcast is one contact.
    marks.whose = Some(Contact { number: 0, peer: Some(address), channel: 0 });
    while element(&mut walk, &mut told, marks).is_some() {}
    marks.whose = None;
    told
}

fn element(walk: &mut Walk<'_>, told: &mut Advertisement, marks: &mut Marks) -> Option<()> {
    let record = walk.record;
    let length = usize::from(walk.u8()?);
    marks.record(record, walk.at - 1, 1, What::Plain);
    if length == 0 {
        return Some(());
    }
    let mut part = walk.part(length)?;
    let kind = part.u8()?;
    marks.record(record, part.at - 1, 1, What::Plain);
    let at = part.at;
    match kind {
        // Flags, TX power, appearance
        0x01 | 0x0A | 0x19 => marks.record(record, at, part.rest().len(), What::Plain),
        // 16-bit services, some or all
        0x02 | 0x03 => {
            marks.record(record, at, part.rest().len(), What::Plain);
            while let Some(service) = part.u16() {
                told.services.push(service);
            }
        }
        // Local name, shortened or whole
        0x08 | 0x09 => {
            marks.record(record, at, part.rest().len(), What::Name);
            let name = String::from_utf8_lossy(part.rest()).trim_matches('\0').to_owned();
            told.name = Some(name).filter(|name| !name.is_empty());
        }
        // Service octets, manufacturer's octets: who they belong to may be told; but of scales, what they say is not
        // known here
        0x16 | 0xFF => {
            let whose = part.u16()?;
            marks.record(record, at, 2, What::Plain);
            if kind == 0x16 && WEIGHED.contains(&whose) {
                marks.record(record, at + 2, part.rest().len(), What::Value(whose));
            }
            let list = if kind == 0x16 { &mut told.service_octets } else { &mut told.maker_octets };
            list.push((whose, part.rest().to_vec()));
        }
        _ => {}
    }
    Some(())
}
