use super::{BloodPressureMeasurement, DateTime, GlucoseMeasurement, WeightMeasurement};
use super::{blood_pressure_measurement, glucose_measurement, weight_measurement};

/// The octets that a record keeps for ever, in pieces: [`Kept::parts`] joined are the record's name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kept<'a> {
    flags: Option<[u8; 1]>,
    pieces: [&'a [u8]; 2],
}

impl Kept<'_> {
    /// The pieces in their order; none is empty.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let flags = self.flags.as_ref().map(<[u8; 1]>::as_slice);
        flags.into_iter().chain(self.pieces).filter(|part| !part.is_empty())
    }
}

/// What a device cannot change later about the same record.
///
/// A meter's user may set the displayed clock, which alters the time offset of records already stored
/// (Glucose Service, "Time Offset Field"), and may mark a meal, which makes a context follow. So of Glucose
/// Measurement the offset is left out, with its flag and that of the context. All else is kept as it is; so
/// are octets too short to hold the offset that they promise.
pub fn kept(characteristic: u16, octets: &[u8]) -> Kept<'_> {
    let whole = Kept { flags: None, pieces: [octets, &[]] };
    let (GlucoseMeasurement::UUID, Some((flags, rest))) = (characteristic, octets.split_first()) else {
        return whole;
    };
    let kept_flags =
        Some([flags & !(glucose_measurement::TIME_OFFSET | glucose_measurement::CONTEXT_FOLLOWS)]);
    if flags & glucose_measurement::TIME_OFFSET == 0 {
        return Kept { flags: kept_flags, pieces: [rest, &[]] };
    }
    // Sequence number and base time come before the offset: nine octets.
    let Some((before, after)) = rest.split_at_checked(9) else { return whole };
    match after.split_first_chunk::<2>() {
        Some((_offset, after)) => Kept { flags: kept_flags, pieces: [before, after] },
        None => whole,
    }
}

/// A record that its device did not date: no time stamp, or an unknown one, which names nothing.
///
/// Asked of Blood Pressure Measurement and Weight Measurement, which have no sequence number either; `false`
/// for every other characteristic. Octets that break off before the stamp ends are timeless.
pub fn timeless(characteristic: u16, octets: &[u8]) -> bool {
    // Where the stamp begins: after flags and three pressures, or flags and weight.
    let (flag, at) = match characteristic {
        BloodPressureMeasurement::UUID => (blood_pressure_measurement::TIME_STAMP, 7),
        WeightMeasurement::UUID => (weight_measurement::TIME_STAMP, 3),
        _ => return false,
    };
    let stamped = octets.first().is_some_and(|flags| flags & flag != 0);
    let stamp = octets.get(at..).and_then(|from_stamp| from_stamp.first_chunk::<7>());
    !stamped || stamp.is_none_or(|octets| DateTime::from_octets(*octets).is_unknown())
}
