//! Frames that are no characteristic of the Bluetooth SIG, read as the standard's own measurements.

use crate::decode::{Cause, Measurement, Parsed};
use hearth_wire::gatt::{
    BloodPressureMeasurement, BloodPressureStatus, BodyCompositionMeasurement, DateTime, PressureUnit,
    WeightMeasurement, WeightUnit,
};
use hearth_wire::{Decimal, Malformed, Special, Value};

/// How an Omron cuff writes a record into its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OmronLayout {
    /// HEM-7142T2 and relatives: systolic, diastolic, pulse, year; two words, least significant octet first.
    LittleEndian,
    /// HEM-7600T and relatives: diastolic, systolic, year, pulse; two words, most significant octet first.
    BigEndian,
}

/// One 14-octet record of an Omron cuff's memory (hass-omron `test_record_parsers`, omblepy): systolic pressure less 25,
/// diastolic pressure, pulse rate, year since 2000 (6 bits, or 8 where the high octet comes first); then two 16-bit words, hour (bits 0 to 4), day (5 to 9) and month
/// (10 to 13), irregular pulse (14) and body movement (15); and second (0 to 5) and minute (6 to 11). Seconds above 59
/// are sent, and mean 59. The rest is not understood, and kept.
pub fn omron_record(octets: &[u8], layout: OmronLayout) -> Result<Parsed, Cause> {
    let (record, trailing) = whole::<14>("record", octets).map_err(Cause::Malformed)?;
    let [a, b, c, d, e, f, g, h, ..] = *record;
    let (systolic, diastolic, pulse, year, word) = match layout {
        OmronLayout::LittleEndian => (a, b, c, d & 0x3F, u16::from_le_bytes as fn([u8; 2]) -> u16),
        OmronLayout::BigEndian => (b, a, d, c, u16::from_be_bytes as fn([u8; 2]) -> u16),
    };
    /// More than a cuff can say: the mark of a place that holds nothing.
    const EMPTY: u8 = 0xE1;
    if record.iter().all(|octet| *octet == 0xFF) || record.iter().all(|octet| *octet == 0) || systolic > EMPTY
    {
        return Err(Cause::EmptySlot);
    }
    let (day, time) = (word([e, f]), word([g, h]));
    let bits = |word: u16, from: u32, mask: u16| (word >> from & mask) as u8;
    // The bits of the standard's Measurement Status.
    const BODY_MOVEMENT: u16 = 1;
    const IRREGULAR_PULSE: u16 = 1 << 2;
    let told = |bit: u32, status: u16| if day >> bit & 1 == 1 { status } else { 0 };
    let status = told(14, IRREGULAR_PULSE) | told(15, BODY_MOVEMENT);
    let number = |number: u16| Value::Finite(Decimal::new(number.into(), 0));
    Ok(Parsed {
        measurement: Measurement::Pressure(BloodPressureMeasurement {
            unit: PressureUnit::MillimetreOfMercury,
            systolic: number(u16::from(systolic) + 25),
            diastolic: number(diastolic.into()),
            mean_arterial_pressure: Value::Special(Special::NotANumber),
            time_stamp: Some(DateTime {
                year: 2000 + u16::from(year),
                month: bits(day, 10, 0x0F),
                day: bits(day, 5, 0x1F),
                hours: bits(day, 0, 0x1F),
                minutes: bits(time, 6, 0x3F),
                seconds: bits(time, 0, 0x3F).min(59),
            }),
            pulse_rate: Some(number(pulse.into())),
            user_id: None,
            status: (status != 0).then_some(BloodPressureStatus(status)),
            reserved_flags: 0,
        }),
        trailing,
        not_a_reading: None,
    })
}

/// The frame, and how many octets come after it.
fn whole<'a, const N: usize>(
    field: &'static str,
    octets: &'a [u8],
) -> Result<(&'a [u8; N], usize), Malformed> {
    match octets.split_first_chunk::<N>() {
        Some((frame, rest)) => Ok((frame, rest.len())),
        None if octets.is_empty() => Err(Malformed::Empty),
        None => Err(Malformed::Truncated { field, at: 0, needed: N, left: octets.len() }),
    }
}

/// Xiaomi Mi Scale 2, what it broadcasts as service data of 0x181B (openScale, ble_monitor, Theengs decoder): unit and
/// state, one octet each; year u16, month, day, hour, minute, second; impedance u16; weight u16. The state goes into the
/// reserved flags: [`crate::quirk`] says what it means. Impedance is in no record that this hub makes: it stays in the
/// octets.
pub fn xiaomi_mi_scale_v2(octets: &[u8]) -> Result<Parsed, Malformed> {
    let (frame, trailing) = whole::<13>("service data", octets)?;
    let [unit, state, year_low, year_high, month, day, hours, minutes, seconds, _, _, low, high] = *frame;
    const POUND: u8 = 1;
    const JIN: u8 = 1 << 6;
    let raw = u16::from_le_bytes([low, high]);
    // The standard's own word for a weighing that did not succeed, in the layout that the weight has from it.
    let succeeded = raw != 0xFFFF;
    let raw = i32::from(raw);
    // A hundredth of a jin, 500 g, is 0.005 kg, as is the unit of a weight in kg.
    let (unit, weight) = if unit & POUND != 0 && state & JIN == 0 {
        (WeightUnit::Imperial, Decimal::new(raw, -2))
    } else {
        (WeightUnit::Si, Decimal::new(raw * 5, -3))
    };
    let year = u16::from_le_bytes([year_low, year_high]);
    Ok(Parsed {
        measurement: Measurement::Weight(WeightMeasurement {
            unit,
            weight: succeeded.then_some(weight),
            time_stamp: Some(DateTime { year, month, day, hours, minutes, seconds }),
            user_id: None,
            body_mass_index_height: None,
            reserved_flags: state,
        }),
        trailing,
        not_a_reading: None,
    })
}

/// What an Omron cuff advertises (SpeziDevices `OmronManufacturerData`; ble_monitor #1003): whether anything is new can
/// be seen without connecting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OmronAdvertisement {
    pub company: u16,
    pub message_type: u8,
    /// b0-1 users less one, b2 time not set, b3 pairing, b4 streaming, b5 the standard's services.
    pub flags: u8,
    /// Of each user: the number of the last record, and how many there are.
    pub users: Vec<(u16, u8)>,
}

impl OmronAdvertisement {
    /// `octets`: the manufacturer data, with the company identifier before it.
    pub fn decode(octets: &[u8]) -> Result<OmronAdvertisement, Malformed> {
        let ([low, high, message_type, flags], _) =
            whole::<4>("manufacturer data", octets).map(|(head, rest)| (*head, rest))?;
        let company = u16::from_le_bytes([low, high]);
        if company != 0x020E {
            return Err(Malformed::Unexpected { field: "company", at: 0, value: company.into() });
        }
        if message_type != 1 {
            return Err(Malformed::Unexpected { field: "message type", at: 2, value: message_type.into() });
        }
        let mut rest = octets.get(4..).unwrap_or_default();
        let mut users = vec![];
        for _ in 0..=flags & 0b11 {
            let at = octets.len() - rest.len();
            let Some(([low, high, records], after)) = rest.split_first_chunk::<3>() else {
                return Err(Malformed::Truncated { field: "user", at, needed: 3, left: rest.len() });
            };
            users.push((u16::from_le_bytes([*low, *high]), *records));
            rest = after;
        }
        Ok(OmronAdvertisement { company, message_type, flags, users })
    }
}

/// Whether a composition's weight was counted in tenths of a kilogram. The standard's own counts are finer.
pub(crate) fn counts_tenths(m: &BodyCompositionMeasurement) -> bool {
    m.weight.is_some_and(|weight| weight.exponent == -1)
}

/// Octets that count 0.005 kg, read as tenths: the number stays, the unit is twenty times as large.
pub(crate) fn in_tenths(m: BodyCompositionMeasurement) -> BodyCompositionMeasurement {
    let tenths = |weight: Decimal| match m.unit {
        WeightUnit::Si => Decimal::new(weight.mantissa / 5, -1),
        WeightUnit::Imperial => weight,
    };
    BodyCompositionMeasurement { weight: m.weight.map(tenths), ..m }
}

/// The way back.
pub(crate) fn in_fives(m: BodyCompositionMeasurement) -> BodyCompositionMeasurement {
    let weight = m.weight.map(|weight| Decimal::new(weight.mantissa.saturating_mul(5), -3));
    BodyCompositionMeasurement { weight, ..m }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Found by fuzzing: 0xFFFF is no weight in the standard's octets, which is how a measurement is kept. Whatever
    /// anybody broadcasts can be kept.
    #[test]
    fn a_weighing_that_did_not_succeed_has_no_weight() {
        for (unit, low, high, weight) in [
            (2, 0xFF, 0xFF, None),
            (3, 0xFF, 0xFF, None),
            (2, 0xFE, 0xFF, Some(Decimal::new(327_670, -3))),
            (3, 0xFE, 0xFF, Some(Decimal::new(65_534, -2))),
        ] {
            let frame = [unit, 0x26, 0xE8, 7, 6, 15, 17, 17, 41, 0, 0, low, high];
            let Parsed { measurement, .. } = xiaomi_mi_scale_v2(&frame).unwrap();
            let kept = measurement.encode();
            let Measurement::Weight(m) = measurement else { panic!("{measurement:?}") };
            assert_eq!(m.weight, weight, "{frame:02X?}");
            assert_eq!(kept.get(1..3), Some(&[low, high][..]), "{frame:02X?}");
        }
    }
}
