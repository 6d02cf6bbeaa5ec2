//! What in a characteristic's value names somebody or a day. GATT Specification Supplement, section by section.

use super::devices::Devices;
use super::mask::Mask;
use super::stamps::{self, Stamp};
use hearth_core::capture::Uuid16;
use hearth_core::decode::decode;
use hearth_core::quirk::Quirk;
use hearth_core::vendor::{OmronAdvertisement, OmronLayout};
use hearth_wire::crc::mcrf4xx;
use hearth_wire::gatt::{BloodPressureRecord, SystemId, device_information};

/// What to do with a value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Rule {
    /// It names nobody but by these stamps; behind so many octets nothing is known.
    Stamps(Vec<(usize, Stamp)>, usize),
    /// A maker's words of its model.
    Words,
    Name,
    Serial,
    SystemId,
    /// A stored record, or a piece of one, with a measurement inside.
    Stored,
    /// Not understood.
    Zeros,
}

/// The value as it may be shared, with the same length. `who`: the device that it is of.
pub(super) fn value(
    mask: &mut Mask,
    devices: &mut Devices,
    who: &str,
    characteristic: u16,
    octets: &[u8],
) -> Vec<u8> {
    let mut made = octets.to_vec();
    let device = devices.of(who);
    let rule = rule(characteristic, octets, &device.quirks, device.omron);
    if mask.learns && characteristic == Uuid16::OMRON_EEPROM_RECORD.0 {
        // Whose layout it is, nobody knows yet.
        for layout in [OmronLayout::LittleEndian, OmronLayout::BigEndian] {
            stamps::apply(&mut octets.to_vec(), 0, Stamp::Omron(layout), mask, devices, who);
        }
    }
    match rule {
        Rule::Name => return mask.name(octets),
        Rule::Serial => return mask.text(octets),
        Rule::Words => {
            if [device_information::MODEL_NUMBER, device_information::MANUFACTURER_NAME]
                .contains(&characteristic)
            {
                mask.word(octets);
            }
            return mask.scrubbed(octets);
        }
        Rule::SystemId => match octets.first_chunk::<8>() {
            Some(sent) => {
                let mut eui = mask.eui64(SystemId(*sent).eui64());
                eui.reverse();
                made.fill(0);
                made.splice(..8, eui);
            }
            None => made.fill(0),
        },
        Rule::Zeros => mask.number(characteristic, &mut made),
        Rule::Stored => stored(mask, devices, who, &mut made),
        Rule::Stamps(all, known) => {
            for (at, stamp) in all {
                stamps::apply(&mut made, at, stamp, mask, devices, who);
            }
            if let Some(unknown) = made.get_mut(known..) {
                unknown.fill(0);
            }
        }
    }
    made
}

/// Segmentation header, sequence number, characteristic; then that one's octets, of the first piece at least as many as
/// have its stamps. What continues in another message stays zeros. Blood Pressure Service 1.1, "Blood Pressure Record".
fn stored(mask: &mut Mask, devices: &mut Devices, who: &str, made: &mut [u8]) {
    const HEAD: usize = 5;
    let sent = made.to_vec();
    let Ok(record) = BloodPressureRecord::decode(&sent).map(|decoded| decoded.value) else {
        return made.fill(0);
    };
    let Some(part) = made.get_mut(HEAD..) else { return };
    let inside = [Uuid16::BLOOD_PRESSURE_MEASUREMENT, Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT];
    if !record.first || !inside.contains(&Uuid16(record.characteristic)) {
        return part.fill(0);
    }
    let inner = value(mask, devices, who, record.characteristic, record.part);
    part.copy_from_slice(&inner);
    // The checksum of a device that has the feature: over the record, or over what is inside.
    let Some(end) = sent.len().checked_sub(2).filter(|end| record.last && *end > HEAD) else { return };
    let told = sent.get(end..).and_then(|crc| crc.try_into().ok()).map(u16::from_le_bytes);
    for from in [0, HEAD] {
        let over = |octets: &[u8]| octets.get(from..end).map(mcrf4xx);
        if told.is_some() && over(&sent) == told {
            let crc = over(made).unwrap_or_default().to_le_bytes();
            if let Some(field) = made.get_mut(end..) {
                field.copy_from_slice(&crc);
            }
            return;
        }
    }
}

fn rule(characteristic: u16, octets: &[u8], quirks: &[Quirk], omron: Option<OmronLayout>) -> Rule {
    let flags = octets.first().copied().unwrap_or(0);
    let known = known(characteristic, octets, quirks);
    let civil = |there: bool, at| {
        let january = quirks.contains(&Quirk::Month13IsJanuary) && characteristic == 0x2A18;
        Rule::Stamps(if there { vec![(at, Stamp::Civil { january })] } else { vec![] }, known)
    };
    match characteristic {
        0x2A00 => Rule::Name,
        0x2A25 => Rule::Serial,
        0x2A23 => Rule::SystemId,
        // Model, firmware, manufacturer
        0x2A24 | 0x2A26 | 0x2A29 => Rule::Words,
        // Date Time; Current Time
        0x2A08 | 0x2A2B => civil(true, 0),
        // Glucose Measurement: flags, sequence u16, base time
        0x2A18 => civil(true, 3),
        // Blood Pressure Measurement, Intermediate Cuff Pressure: flags, three pressures
        0x2A35 | 0x2A36 => civil(flags & 0b10 != 0, 7),
        // Weight Measurement: flags, weight
        0x2A9D => civil(flags & 0b10 != 0, 3),
        // What a scale broadcasts: laid out as the characteristic of its service; two octets of state, and the stamp
        0x181D => civil(flags & 0b10 != 0, 3),
        0x181B => civil(true, 2),
        // Body Composition Measurement, in whatever it counts: flags u16, fat
        0x2A9C | 0x00F2 => civil(flags & 0b10 != 0, 4),
        // Temperature Measurement, Intermediate Temperature: flags, FLOAT
        0x2A1C | 0x2A1E => civil(flags & 0b10 != 0, 5),
        // PLX Spot-Check Measurement: flags, two SFLOATs
        0x2A5E => civil(flags & 0b1 != 0, 5),
        // Record Access Control Point: op code, operator, filter by user-facing time, one or two of them
        0x2A52 => match octets.get(2) {
            Some(2) if flags <= 4 => {
                let stamp = Stamp::Civil { january: false };
                let both = octets.get(1) == Some(&4);
                let all = [(3, stamp), (10, stamp)].into_iter().take(if both { 2 } else { 1 });
                Rule::Stamps(all.collect(), if both { 17 } else { 10 })
            }
            _ => Rule::Stamps(vec![], 7),
        },
        // Enhanced Blood Pressure Measurement and its intermediate: pressures, [time], [pulse], [user], [status],
        // [user-facing time]
        0x2B34 | 0x2B35 => {
            let has = |bit: u8| flags >> bit & 1 == 1;
            let size = |bit, octets| if has(bit) { octets } else { 0 };
            let stamp = Stamp::Seconds { since: if has(6) { 2000 } else { 1900 } };
            let time = has(1).then_some((7, stamp));
            let facing = 7 + size(1, 4) + size(2, 2) + size(3, 1) + size(4, 2);
            Rule::Stamps(time.into_iter().chain(has(5).then_some((facing, stamp))).collect(), known)
        }
        // Current Elapsed Time: flags, u48; a tick counter tells no day
        0x2BF2 => {
            let each = [1, 10, 1_000, 10_000][usize::from(flags >> 2 & 0b11)];
            Rule::Stamps(if flags & 1 == 1 { vec![] } else { vec![(1, Stamp::Elapsed { each })] }, 9)
        }
        0x2B36 => Rule::Stored,
        // One record of an Omron cuff's memory: by whose layout, its profile says
        0x00F1 => {
            let read = decode(Uuid16(characteristic), octets, quirks);
            match omron {
                _ if octets.len() < 14 => Rule::Zeros,
                // Whose layout it is, nobody knows.
                None => Rule::Zeros,
                // A place that holds nothing: what says so are the pressures.
                Some(_) if !read.is_ok_and(|read| read.not_a_reading.is_none()) => Rule::Stamps(vec![], 2),
                Some(layout) => Rule::Stamps(vec![(0, Stamp::Omron(layout))], 8),
            }
        }
        // Company, type, flags, and of each user the number of the last record and how many there are
        0x00F3 => match OmronAdvertisement::decode(octets) {
            Ok(told) => Rule::Stamps(vec![], 4 + 3 * told.users.len()),
            Err(_) => Rule::Zeros,
        },
        _ if plain(characteristic) => Rule::Stamps(vec![], known),
        _ => Rule::Zeros,
    }
}

/// So many octets are explained, by the layout or by a quirk. Of what can't be read, all that there is: its flags, which
/// say why, are the measurement's, and its stamps are looked for where they would be.
fn known(characteristic: u16, octets: &[u8], quirks: &[Quirk]) -> usize {
    let as_if = match characteristic {
        // The same layouts.
        0x2A36 => 0x2A35,
        0x2A1E => 0x2A1C,
        0x2B35 => 0x2B34,
        other => other,
    };
    let trailing = decode(Uuid16(as_if), octets, quirks).map_or(0, |parsed| parsed.trailing);
    let fixed = match characteristic {
        0x2A19 | 0x2A1D | 0x2A38 | 0x2A9A => 1,
        0x2A01 | 0x2A0F | 0x2A21 | 0x2A49 | 0x2A51 | 0x2902 => 2,
        0x2A05 | 0x2A14 | 0x2A9B | 0x2A9E => 4,
        0x2A08 | 0x2A50 | 0x2904 => 7,
        0x2A04 => 8,
        0x2A2B => 10,
        _ => usize::MAX,
    };
    fixed.min(octets.len().saturating_sub(trailing))
}

/// Neither a name nor a day in it, and known here.
fn plain(characteristic: u16) -> bool {
    matches!(
        characteristic,
        // Declarations; client configuration, presentation format
        0x2800..=0x2803 | 0x2902 | 0x2904
        // Appearance, preferred connection parameters, service changed
        | 0x2A01 | 0x2A04 | 0x2A05
        // Local time information, reference time information, battery
        | 0x2A0F | 0x2A14 | 0x2A19
        // Temperature type, measurement interval, PnP
        | 0x2A1D | 0x2A21 | 0x2A50
        // Glucose context and feature, cuff feature, heart rate and where
        | 0x2A34 | 0x2A51 | 0x2A49 | 0x2A37 | 0x2A38
        // Oximetry, continuous, and its features; scale and body composition features
        | 0x2A5F | 0x2A60 | 0x2A9E | 0x2A9B
        // User index, database change
        | 0x2A9A | 0x2A99
        // CGM measurement, feature, status, session run time
        | 0x2AA7..=0x2AA9 | 0x2AAB
    )
}
