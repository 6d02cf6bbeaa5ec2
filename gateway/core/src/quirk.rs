//! The closed list of named device fixes. A profile may call one; each has a capture that shows it
//! (`device-profiles/quirks/<name>/`): a quirk without a capture does not exist.

use crate::decode::{Cause, Measurement, NotAReading, Parsed};
use crate::profile::Kind;
use crate::vendor::{self, OmronLayout};
use hearth_wire::gatt::{BloodPressureMeasurement, BodyCompositionMeasurement};
use hearth_wire::{Decimal, Decoded, Special, Value};

/// Odd things devices do. The name in a profile is the kebab-case one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Quirk {
    /// Beurer BM48, BM59, BM85 and "Elite 900": pulse rate and status are sent most significant octet first, a user
    /// index is sent though its flag is clear, the mean arterial pressure is always 0, and reserved flag bit 6 is
    /// set. The one octet too many gives it away (blood-pressure-monitor-fl PR #735; BM96 is conformant).
    BeurerBigEndian,
    /// Glucose and ketone meters: a ketone result is stored as glucose with the concentration 0xFFFF, which is -0.1
    /// and no special value. The meter that sent the capture is not known.
    KetonePseudoRecord,
    /// i-SENS CareSens: January is sent as month 13 (Tidepool's uploader; no capture of a device is public).
    Month13IsJanuary,
    /// Xiaomi Mi Scale, first model: the reserved flag bits are a state. Bit 5: the weight has settled; bit 7: the
    /// load was removed (openScale, ble_monitor, Theengs decoder). A frame of an unsettled or empty scale is no reading.
    /// Bit 4 (jin) needs no fix: a hundredth of a jin is 0.005 kg.
    XiaomiMiScaleV1,
    /// Xiaomi Mi Scale 2: in the octet of state, bit 5 says that the weight has settled, bit 7 that the load was removed
    /// (openScale, ble_monitor, Theengs decoder). A frame of an unsettled or empty scale is no reading.
    XiaomiMiScaleV2,
    /// Soehnle Shape Style Connect: masses are sent in tenths of a kilogram, and what was not measured is 0
    /// (openScale #1303). The water mass fits no unit: it is left out.
    SoehnleTenths,
    /// Beurer BF720 and relatives: a stored weighing without bare feet comes with a composition of zeros
    /// (ble-scale-sync).
    ZeroCompositionIsNone,
    /// Omron HEM-7600T and relatives: the record of the memory has its fields in another order, and its words most
    /// significant octet first (hass-omron).
    OmronBigEndian,
}

impl Quirk {
    pub const ALL: [Quirk; 8] = [
        Quirk::BeurerBigEndian,
        Quirk::KetonePseudoRecord,
        Quirk::Month13IsJanuary,
        Quirk::XiaomiMiScaleV1,
        Quirk::XiaomiMiScaleV2,
        Quirk::SoehnleTenths,
        Quirk::ZeroCompositionIsNone,
        Quirk::OmronBigEndian,
    ];

    /// As a profile and `hearth decode --quirk` write it.
    pub fn name(self) -> &'static str {
        match self {
            Quirk::BeurerBigEndian => "beurer-be",
            Quirk::KetonePseudoRecord => "ketone-pseudo-record",
            Quirk::Month13IsJanuary => "month-13-is-january",
            Quirk::XiaomiMiScaleV1 => "xiaomi-mi-scale-v1",
            Quirk::XiaomiMiScaleV2 => "xiaomi-mi-scale-v2",
            Quirk::SoehnleTenths => "soehnle-0.1kg",
            Quirk::ZeroCompositionIsNone => "zero-composition-is-none",
            Quirk::OmronBigEndian => "omron-eeprom-be",
        }
    }

    /// `None`: no such quirk.
    pub fn parse(name: &str) -> Option<Quirk> {
        Quirk::ALL.into_iter().find(|quirk| quirk.name() == name)
    }

    /// What devices do this.
    pub fn kind(self) -> Kind {
        match self {
            Quirk::BeurerBigEndian | Quirk::OmronBigEndian => Kind::BloodPressureMonitor,
            Quirk::KetonePseudoRecord | Quirk::Month13IsJanuary => Kind::GlucoseMeter,
            Quirk::XiaomiMiScaleV1 => Kind::WeightScale,
            Quirk::XiaomiMiScaleV2 | Quirk::SoehnleTenths | Quirk::ZeroCompositionIsNone => {
                Kind::BodyCompositionAnalyzer
            }
        }
    }
}

/// What was meant by octets that `parsed` is the letter of. What a quirk does not recognize stays as it was sent.
pub fn apply(quirk: Quirk, octets: &[u8], parsed: Parsed) -> Parsed {
    match quirk {
        Quirk::BeurerBigEndian => beurer_big_endian(octets, parsed),
        Quirk::KetonePseudoRecord => ketone_pseudo_record(parsed),
        Quirk::Month13IsJanuary => month_13_is_january(parsed),
        Quirk::XiaomiMiScaleV1 => xiaomi_mi_scale(quirk, parsed),
        Quirk::XiaomiMiScaleV2 => xiaomi_mi_scale(quirk, parsed),
        Quirk::SoehnleTenths => soehnle_tenths(parsed),
        Quirk::ZeroCompositionIsNone => zero_composition_is_none(parsed),
        Quirk::OmronBigEndian => omron_big_endian(octets, parsed),
    }
}

/// flags 0x56: time stamp, pulse rate, status, and reserved bit 6; no user index.
const BEURER_FLAGS: u8 = 0b0101_0110;
/// Blood Pressure Measurement flag: User ID present.
const USER_ID: u8 = 1 << 3;

fn beurer_big_endian(octets: &[u8], parsed: Parsed) -> Parsed {
    // Only the shape that the captures have, or a conformant frame of a later firmware would be turned round.
    let [BEURER_FLAGS, fields @ .., pulse_high, pulse_low, user, status_high, status_low] = octets else {
        return parsed;
    };
    let mut said = vec![BEURER_FLAGS | USER_ID];
    said.extend_from_slice(fields);
    said.extend([*pulse_low, *pulse_high, *user, *status_low, *status_high]);
    let Ok(Decoded { value: mut meant, trailing: [] }) = BloodPressureMeasurement::decode(&said) else {
        return parsed;
    };
    if matches!(meant.mean_arterial_pressure, Value::Finite(Decimal { mantissa: 0, .. })) {
        // The standard's own word for "not measured".
        meant.mean_arterial_pressure = Value::Special(Special::NotANumber);
    }
    Parsed { measurement: Measurement::Pressure(meant), trailing: 0, ..parsed }
}

fn ketone_pseudo_record(parsed: Parsed) -> Parsed {
    const SENT_FOR_KETONES: Value = Value::Finite(Decimal { mantissa: -1, exponent: -1 });
    match parsed.measurement {
        Measurement::Glucose(m) if m.concentration.is_some_and(|c| c.value == SENT_FOR_KETONES) => {
            refused(Quirk::KetonePseudoRecord, "ketone-pseudo-record", parsed)
        }
        _ => parsed,
    }
}

fn month_13_is_january(mut parsed: Parsed) -> Parsed {
    if let Measurement::Glucose(m) = &mut parsed.measurement
        && m.base_time.month == 13
    {
        m.base_time.month = 1;
    }
    parsed
}

/// Both models have their state in the same bits.
fn xiaomi_mi_scale(quirk: Quirk, parsed: Parsed) -> Parsed {
    const SETTLED: u8 = 1 << 5;
    const REMOVED: u8 = 1 << 7;
    let Measurement::Weight(m) = parsed.measurement else { return parsed };
    if m.reserved_flags & REMOVED != 0 {
        refused(quirk, "weight-removed", parsed)
    } else if m.reserved_flags & SETTLED == 0 {
        refused(quirk, "weight-unsettled", parsed)
    } else {
        parsed
    }
}

fn soehnle_tenths(mut parsed: Parsed) -> Parsed {
    if let Measurement::BodyComposition(m) = &mut parsed.measurement {
        *m = vendor::in_tenths(*m);
        m.body_water_mass = None;
        without_zeros(m);
    }
    parsed
}

fn zero_composition_is_none(mut parsed: Parsed) -> Parsed {
    let Measurement::BodyComposition(m) = &mut parsed.measurement else { return parsed };
    if m.body_fat_percent.is_none_or(|fat| fat.mantissa != 0) {
        return parsed;
    }
    without_zeros(m);
    let measured =
        [m.muscle_percent, m.muscle_mass, m.fat_free_mass, m.soft_lean_mass, m.body_water_mass, m.weight];
    if measured.iter().all(Option::is_none) {
        return refused(Quirk::ZeroCompositionIsNone, "nothing-measured", parsed);
    }
    parsed
}

/// A body of which something is 0 was not measured.
fn without_zeros(m: &mut BodyCompositionMeasurement) {
    let measured = |decimal: Option<Decimal>| decimal.filter(|d| d.mantissa != 0);
    m.body_fat_percent = measured(m.body_fat_percent);
    m.muscle_percent = measured(m.muscle_percent);
    m.muscle_mass = measured(m.muscle_mass);
    m.fat_free_mass = measured(m.fat_free_mass);
    m.soft_lean_mass = measured(m.soft_lean_mass);
    m.body_water_mass = measured(m.body_water_mass);
    m.impedance_ohm = measured(m.impedance_ohm);
    m.basal_metabolism_kilojoule = m.basal_metabolism_kilojoule.filter(|kilojoule| *kilojoule != 0);
}

/// Octets of a memory record are those of no characteristic that the letter gives: told by their number of octets, and
/// by the letter having read them as such a record.
fn omron_big_endian(octets: &[u8], parsed: Parsed) -> Parsed {
    let letter = vendor::omron_record(octets, OmronLayout::LittleEndian);
    match vendor::omron_record(octets, OmronLayout::BigEndian) {
        Ok(meant) if letter == Ok(parsed) => meant,
        // The mark of an empty place stands where the letter reads a diastolic pressure.
        Err(Cause::EmptySlot) if letter == Ok(parsed) => refused(Quirk::OmronBigEndian, "empty-slot", parsed),
        _ => parsed,
    }
}

fn refused(quirk: Quirk, because: &'static str, parsed: Parsed) -> Parsed {
    Parsed { not_a_reading: Some(NotAReading { quirk, because }), ..parsed }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::capture::Uuid16;
    use crate::decode::decode;
    use data_encoding::HEXUPPER;

    /// What a quirk does is shown by its captures in `device-profiles/quirks`; this is what it leaves alone.
    #[test]
    fn what_a_quirk_does_not_recognize_stays() {
        let rows = [
            // BM85's flags without an octet too many, with two; an octet too many under other flags; a short frame.
            (Quirk::BeurerBigEndian, 0x2A35, "566A0047005300EA07080B121F003F000000"),
            (Quirk::BeurerBigEndian, 0x2A35, "566A0047000000EA07080B121F00003F00000000"),
            (Quirk::BeurerBigEndian, 0x2A35, "166A0047000000EA07080B121F00003F000000"),
            (Quirk::BeurerBigEndian, 0x2A35, "00780050006400"),
            (Quirk::BeurerBigEndian, 0x2A9D, "00B036"),
            // -10 x 10^-2 kg/L is the same number in other digits.
            (Quirk::KetonePseudoRecord, 0x2A18, "020100E407030E171700F6EF11"),
            (Quirk::KetonePseudoRecord, 0x2A18, "000100E407030E171700"),
            (Quirk::Month13IsJanuary, 0x2A18, "020100EA070C0C12353678B0F8"),
            (Quirk::Month13IsJanuary, 0x2A18, "020100EA070E0C12353678B0F8"),
            (Quirk::Month13IsJanuary, 0x2A35, "02780050006400EA070D0C123536"),
            (Quirk::XiaomiMiScaleV1, 0x2A9D, "223E30E607020E10293A"),
            (Quirk::XiaomiMiScaleV1, 0x2A35, "E0780050006400"),
            (Quirk::XiaomiMiScaleV1, 0x181D, "223E30E607020E10293A"),
            // Settled; and a composition that a device sent as the standard has it.
            (Quirk::XiaomiMiScaleV2, 0x181B, "0226B20705040F0201AC018642"),
            (Quirk::XiaomiMiScaleV2, 0x2A9C, "0000C200"),
            (Quirk::XiaomiMiScaleV2, 0x2A35, "E0780050006400"),
            (Quirk::SoehnleTenths, 0x2A9D, "00B036"),
            // Body fat alone, without zeros and without masses: nothing to count anew.
            (Quirk::SoehnleTenths, 0x2A9C, "0000C200"),
            // Some of it is 0, and the body fat is not; an unsuccessful one is no 0.
            (Quirk::ZeroCompositionIsNone, 0x2A9C, "9803C200000000000000000000000000"),
            (Quirk::ZeroCompositionIsNone, 0x2A9C, "0000FFFF"),
            (Quirk::ZeroCompositionIsNone, 0x2A9D, "000000"),
            (Quirk::OmronBigEndian, 0x2A35, "167C0056006100E807060F11111B33000000"),
            (Quirk::OmronBigEndian, 0x2A35, "0078005000640000000000000000"),
        ];
        for (quirk, characteristic, hex) in rows {
            let octets = HEXUPPER.decode(hex.as_bytes()).unwrap();
            let read = |quirks: &[Quirk]| decode(Uuid16(characteristic), &octets, quirks).unwrap();
            assert_eq!(read(&[quirk]), read(&[]), "{} changes {hex}", quirk.name());
        }
    }

    #[test]
    fn names() {
        for quirk in Quirk::ALL {
            assert_eq!(Quirk::parse(quirk.name()), Some(quirk));
        }
        assert_eq!(Quirk::parse("Beurer-BE"), None);
    }
}
