//! The names of a reading: by its record, and by what it is in itself.

use crate::capture::{Key, Name, digest};
use crate::decode::{Measurement, Told};
use crate::identity::Identity;
use crate::when::Face;
use hearth_wire::Decimal;

/// Fixed where a record was first recorded, and never recomputed: device identity and the record's name.
pub fn key(identity: &Identity, name: &Name) -> Key {
    Key(digest([&b"key"[..], &identity.octets(), &name.0]))
}

/// Links the same measurement heard by two roads: which device, kind, the time it shows, value. Not the
/// slot: a maker's memory may leave it out, and one device measures one person at a time. Without a stamp there is no such
/// link.
pub(super) fn semantic(identity: &[u8], measure: &Measurement) -> Option<Key> {
    // The time that the user sees stands in both frames of a cuff that tells it; a meter's user may change it.
    let face = if measure.pressure().is_some() { Face::Shown } else { Face::Base };
    let Told::At(stamp) = measure.told(face) else { return None };
    let digits = |decimal: Option<Decimal>| decimal.map_or_else(String::new, plain);
    let (kind, values): (&[u8], String) = match measure {
        Measurement::Pressure(_) | Measurement::EnhancedPressure(_) => {
            let m = measure.pressure()?;
            (b"pressure", format!("{}/{}", digits(m.systolic.finite()), digits(m.diastolic.finite())))
        }
        Measurement::Weight(m) => (b"weight", digits(m.weight)),
        Measurement::Glucose(m) => (b"glucose", digits(m.concentration.and_then(|c| c.value.finite()))),
        Measurement::BodyComposition(_)
        | Measurement::Temperature(_)
        | Measurement::Oximetry(_)
        | Measurement::HeartRate(_)
        | Measurement::GlucoseContext(_) => return None,
    };
    Some(Key(digest([b"semantic", identity, kind, stamp.civil.to_string().as_bytes(), values.as_bytes()])))
}

/// The number without the zeros at its end: 124 by one road may be 124.0 by the other.
fn plain(decimal: Decimal) -> String {
    let Decimal { mut mantissa, mut exponent } = decimal;
    while mantissa != 0 && mantissa % 10 == 0 && exponent < 0 {
        mantissa /= 10;
        exponent += 1;
    }
    Decimal { mantissa, exponent }.to_string()
}
