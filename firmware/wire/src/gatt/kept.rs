//! Which octets of a record name it for ever, and which records have no name of their own.

use super::{
    BloodPressureMeasurement, BloodPressureRecord, BodyCompositionMeasurement, CgmMeasurement, DateTime,
    EnhancedBloodPressureMeasurement, GlucoseMeasurement, HeartRateMeasurement, PlxMeasurementStatus,
    PlxSpotCheckMeasurement, TemperatureMeasurement, WeightMeasurement,
};
use super::{
    blood_pressure_measurement, blood_pressure_record, body_composition_measurement,
    enhanced_blood_pressure_measurement, glucose_measurement, plx_spot_check_measurement,
    temperature_measurement, weight_measurement,
};

/// The octets that a record keeps for ever, in pieces: [`Kept::parts`] joined are the record's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept<'a> {
    pieces: [Piece<'a>; 4],
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Piece<'a> {
    Sent(&'a [u8]),
    /// An octet without the bits that may change.
    Cleared([u8; 1]),
}

const NOTHING: Piece<'_> = Piece::Sent(&[]);

impl<'a> Kept<'a> {
    fn whole(octets: &'a [u8]) -> Self {
        Kept { pieces: [Piece::Sent(octets), NOTHING, NOTHING, NOTHING] }
    }

    /// The pieces in their order; none is empty.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let octets = self.pieces.iter().map(|piece| match piece {
            Piece::Sent(octets) => octets,
            Piece::Cleared(octet) => octet.as_slice(),
        });
        octets.filter(|part| !part.is_empty())
    }
}

/// What a device cannot change later about the same record.
///
/// - Glucose Measurement: a meter's user may set the displayed clock, which alters the time offset of records
///   already stored (Glucose Service, "Time Offset Field"), and may mark a meal, which makes a context follow.
///   The offset is left out, with its flag and that of the context.
/// - PLX Spot-Check Measurement: sent live, then again from memory, it says the second time that it comes from
///   memory; and whether the clock is set may change in between (Pulse Oximeter Service, "PLX Spot-check
///   Measurement"). Both bits are left out.
/// - Enhanced Blood Pressure Measurement: beside its time stamp it may tell the time that the user sees, and the
///   user may set (Blood Pressure Service 1.1, "User Facing Time"). That time is left out, with its flag; if
///   there is no time stamp, it is all the date that there is, and kept.
/// - Blood Pressure Record, whole: the segments are counted through a connection, so the header is left out;
///   of the measurement inside is kept what this function keeps of it, without the checksum behind it. A part
///   of a record is no record: join the parts first.
///
/// All else is kept as it is; so are octets too short to hold what their flags promise.
pub fn kept(characteristic: u16, octets: &[u8]) -> Kept<'_> {
    let different = match characteristic {
        GlucoseMeasurement::UUID => glucose(octets),
        PlxSpotCheckMeasurement::UUID => spot_check(octets),
        EnhancedBloodPressureMeasurement::UUID => enhanced(octets),
        BloodPressureRecord::UUID => whole_record(octets),
        _ => None,
    };
    different.unwrap_or(Kept::whole(octets))
}

fn glucose(octets: &[u8]) -> Option<Kept<'_>> {
    let (flags, rest) = octets.split_first()?;
    let cleared =
        Piece::Cleared([flags & !(glucose_measurement::TIME_OFFSET | glucose_measurement::CONTEXT_FOLLOWS)]);
    if flags & glucose_measurement::TIME_OFFSET == 0 {
        return Some(Kept { pieces: [cleared, Piece::Sent(rest), NOTHING, NOTHING] });
    }
    // Sequence number and base time come before the offset: nine octets.
    let (before, after) = rest.split_at_checked(9)?;
    let (_offset, after) = after.split_first_chunk::<2>()?;
    Some(Kept { pieces: [cleared, Piece::Sent(before), Piece::Sent(after), NOTHING] })
}

fn spot_check(octets: &[u8]) -> Option<Kept<'_>> {
    let (flags, rest) = octets.split_first()?;
    let cleared = Piece::Cleared([flags & !plx_spot_check_measurement::CLOCK_NOT_SET]);
    if flags & plx_spot_check_measurement::MEASUREMENT_STATUS == 0 {
        return Some(Kept { pieces: [cleared, Piece::Sent(rest), NOTHING, NOTHING] });
    }
    // SpO2, pulse rate, the stamp if there is one, and the low octet of the status.
    let stamp = if flags & plx_spot_check_measurement::TIME_STAMP == 0 { 0 } else { 7 };
    let (before, after) = rest.split_at_checked(4 + stamp + 1)?;
    let (status, after) = after.split_first()?;
    let from_storage = PlxMeasurementStatus::FROM_MEASUREMENT_STORAGE.to_le_bytes()[1];
    let status = Piece::Cleared([status & !from_storage]);
    Some(Kept { pieces: [cleared, Piece::Sent(before), status, Piece::Sent(after)] })
}

/// Of an enhanced measurement that tells both times.
fn enhanced(octets: &[u8]) -> Option<Kept<'_>> {
    use enhanced_blood_pressure_measurement::{TIME_STAMP, USER_FACING_TIME};
    let (flags, _) = octets.split_first()?;
    if flags & TIME_STAMP == 0 || flags & USER_FACING_TIME == 0 {
        return None;
    }
    let (before, after) = octets.split_at_checked(user_facing_time_at(*flags))?;
    let (_user_facing_time, after) = after.split_first_chunk::<4>()?;
    let before = before.split_first()?.1;
    let cleared = Piece::Cleared([flags & !USER_FACING_TIME]);
    Some(Kept { pieces: [cleared, Piece::Sent(before), Piece::Sent(after), NOTHING] })
}

/// Where the user-facing time of an enhanced measurement is, or would be.
fn user_facing_time_at(flags: u8) -> usize {
    use enhanced_blood_pressure_measurement::{PULSE_RATE, STATUS, TIME_STAMP, USER_ID};
    let optional = [(TIME_STAMP, 4), (PULSE_RATE, 2), (USER_ID, 1), (STATUS, 2)];
    // Flags and three pressures first.
    7 + optional.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, octets)| octets).sum::<usize>()
}

fn whole_record(octets: &[u8]) -> Option<Kept<'_>> {
    octets.first().filter(|header| is_whole(header))?;
    let record = BloodPressureRecord::decode(octets).ok()?.value;
    // Sequence number and UUID.
    let named = Piece::Sent(octets.get(1..5)?);
    let whole = |measurement| [Piece::Sent(measurement), NOTHING, NOTHING];
    let [first, second, third] = match record.characteristic {
        BloodPressureMeasurement::UUID => {
            let trailing = BloodPressureMeasurement::decode(record.part).ok()?.trailing;
            whole(without(record.part, trailing)?)
        }
        EnhancedBloodPressureMeasurement::UUID => {
            let trailing = EnhancedBloodPressureMeasurement::decode(record.part).ok()?.trailing;
            let measurement = without(record.part, trailing)?;
            enhanced(measurement).map_or(whole(measurement), |kept| {
                let [first, second, third, _] = kept.pieces;
                [first, second, third]
            })
        }
        _ => whole(record.part),
    };
    Some(Kept { pieces: [named, first, second, third] })
}

fn without<'a>(octets: &'a [u8], trailing: &[u8]) -> Option<&'a [u8]> {
    octets.get(..octets.len().checked_sub(trailing.len())?)
}

/// A record that its device did not date: no time stamp, or an unknown one, which names nothing.
///
/// Asked of the measurements that have no sequence number either; `false` for every other characteristic.
/// Octets that break off before the stamp ends are timeless. Always timeless:
///
/// - Heart Rate Measurement, which has no stamp.
/// - CGM Measurement, whose time counts from the start of a session that it does not name: the same octets
///   come again in the next one.
/// - A Blood Pressure Record in parts. A whole one has a sequence number.
///
/// The second of two indications of one Body Composition Measurement has no stamp of its own: it belongs to
/// the first, and the two are merged before either is named.
pub fn timeless(characteristic: u16, octets: &[u8]) -> bool {
    // Where the stamp begins: after the flags and the values that are always there.
    let (flag, at) = match characteristic {
        BloodPressureMeasurement::UUID => (blood_pressure_measurement::TIME_STAMP, 7),
        WeightMeasurement::UUID => (weight_measurement::TIME_STAMP, 3),
        // Of the two octets of flags the first has it.
        BodyCompositionMeasurement::UUID => (body_composition_measurement::TIME_STAMP as u8, 4),
        TemperatureMeasurement::UUID => (temperature_measurement::TIME_STAMP, 5),
        PlxSpotCheckMeasurement::UUID => (plx_spot_check_measurement::TIME_STAMP, 5),
        EnhancedBloodPressureMeasurement::UUID => return enhanced_is_timeless(octets),
        BloodPressureRecord::UUID => return !octets.first().is_some_and(is_whole) || octets.len() < 5,
        HeartRateMeasurement::UUID | CgmMeasurement::UUID => return true,
        _ => return false,
    };
    let stamped = octets.first().is_some_and(|flags| flags & flag != 0);
    let stamp = octets.get(at..).and_then(|from_stamp| from_stamp.first_chunk::<7>());
    !stamped || stamp.is_none_or(|octets| DateTime::from_octets(*octets).is_unknown())
}

fn is_whole(segmentation_header: &u8) -> bool {
    let both = blood_pressure_record::FIRST | blood_pressure_record::LAST;
    segmentation_header & both == both
}

/// Its time stamp, else its user-facing time. No seconds since the epoch are no time.
fn enhanced_is_timeless(octets: &[u8]) -> bool {
    use enhanced_blood_pressure_measurement::{TIME_STAMP, USER_FACING_TIME};
    let at = match octets.first() {
        Some(flags) if flags & TIME_STAMP != 0 => 7,
        Some(flags) if flags & USER_FACING_TIME != 0 => user_facing_time_at(*flags),
        _ => return true,
    };
    let seconds = octets.get(at..).and_then(|from_time| from_time.first_chunk::<4>());
    seconds.is_none_or(|seconds| *seconds == [0; 4])
}
