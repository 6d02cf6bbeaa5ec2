//! Names: ours, which follow from the reading alone, and HL7's, for other vendors' gateways.

use super::Role;
use crate::capture::digest;
use crate::decode::{Measurement, Told};
use crate::identity::{AddressKind, Facts, Identity};
use crate::map::codes;
use crate::parcel::{Parcel, Subject};
use crate::reading::{Issue, Quantity, Reading};
use crate::when::{Face, as_utc};
use data_encoding::{Encoding, Specification};
use hearth_wire::gatt::SystemId;
use jiff::{Timestamp, civil};
use std::fmt::{self, Display, Write as _};
use std::sync::LazyLock;

/// `Identifier.system` of every Observation of ours.
pub const READING_SYSTEM: &str = "urn:hearth:reading";
/// `Identifier.system` of every Device of ours.
pub const DEVICE_SYSTEM: &str = "urn:hearth:device";
/// `Identifier.system` of what a hub tells of itself, and the system of its codes.
pub const REPORT_SYSTEM: &str = "urn:hearth:report";
/// `Identifier.system` of HL7's conditional-create identifier (PHD 2.0, PhdBaseObservation).
pub const PHD_SYSTEM: &str = "http://hl7.org/fhir/uv/phd/StructureDefinition/PhdBaseObservation";

/// Lower-case base32 without padding: 52 characters for a digest, a valid FHIR id.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut letters = Specification::new();
    letters.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
    letters.encoding().expect("thirty-two distinct ASCII letters are a base32 alphabet")
});

/// Id of a resource that belongs to one reading: key, issue and role, and no patient.
pub(super) fn reading_id(reading: &Reading, issue: Issue, role: Role) -> String {
    let role = role.text();
    BASE32.encode(&digest([
        READING_SYSTEM.as_bytes(),
        &reading.key.0,
        &issue.0.to_be_bytes(),
        role.as_bytes(),
    ]))
}

/// Id of the measuring device: shared by all of its readings.
pub(super) fn meter_id(identity: &Identity) -> String {
    BASE32.encode(&digest([DEVICE_SYSTEM.as_bytes(), b"meter", &identity.octets()]))
}

/// Id of the hub: shared by all readings that it sends.
pub(super) fn hub_id(system_id: [u8; 8]) -> String {
    BASE32.encode(&digest([DEVICE_SYSTEM.as_bytes(), b"hub", &system_id]))
}

/// Id of what a hub tells of itself: one for all, or of its own by when it was so.
pub(super) fn report_id(system_id: [u8; 8], at: Option<Timestamp>) -> String {
    let at = at.map_or(0, Timestamp::as_second);
    BASE32.encode(&digest([REPORT_SYSTEM.as_bytes(), &system_id, &at.to_be_bytes()]))
}

/// `urn:uuid:` of a resource of ours: RFC 9562 version 8 over the first sixteen octets of the digest that
/// `id` spells. An id that is not of ours gives one all the same.
pub fn urn(id: &str) -> String {
    let digest = BASE32.decode(id.as_bytes()).unwrap_or_else(|_| digest([id.as_bytes()]).to_vec());
    let mut octets = [0u8; 16];
    octets.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    octets[6] = 0x80 | octets[6] & 0x0F;
    octets[8] = 0x80 | octets[8] & 0x3F;
    let mut urn = data_encoding::HEXLOWER.encode(&octets);
    [20, 16, 12, 8].into_iter().for_each(|place| urn.insert(place, '-'));
    urn.insert_str(0, "urn:uuid:");
    urn
}

/// The query of a conditional create: `identifier=system%7Cvalue`.
///
/// FHIR R4, search, "Escaping Search Parameters": `\`, `$`, `,` and `|` inside a value take a backslash first.
/// Then everything but unreserved characters, `:` and `/` is percent-encoded, octet by octet of UTF-8: a `+`
/// sent bare is a blank, and a query that never matches makes a duplicate each time (PHD 2.0, conditional create).
pub fn if_none_exist(system: &str, value: &str) -> String {
    let mut query = String::with_capacity(system.len() + value.len() + 16);
    query.push_str("identifier=");
    token(&mut query, system, value);
    query
}

/// The query of a search for any of these (system, value): R4 search 3.1.1.3 joins alternatives by a comma.
pub fn identifier_query(names: &[&(String, String)]) -> String {
    let mut query = String::with_capacity(names.len() * 80);
    for (n, (system, value)) in names.iter().enumerate() {
        query.push_str(if n == 0 { "identifier=" } else { "," });
        token(&mut query, system, value);
    }
    query
}

fn token(query: &mut String, system: &str, value: &str) {
    escape(query, system);
    query.push_str("%7C");
    escape(query, value);
}

fn escape(query: &mut String, part: &str) {
    for octet in part.bytes() {
        if matches!(octet, b'\\' | b'$' | b',' | b'|') {
            query.push_str("%5C");
        }
        if octet.is_ascii_alphanumeric() || b"-._~:/".contains(&octet) {
            query.push(char::from(octet));
        } else {
            write!(query, "%{octet:02X}").expect("a String takes every write");
        }
    }
}

/// The parts of HL7's conditional-create identifier (PHD 2.0, PhdBaseObservation notes; PHD 2.0, conditional create). It prints
/// as its value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PhdIdentifier<'a> {
    /// Capital hexadecimal without dashes: 16 digits of a System ID, else 12 of a Bluetooth address.
    pub device: &'a str,
    /// `identifier value "-" identifier system`, or the logical id that the server gave.
    pub patient: &'a str,
    /// MDC code of the Observation.
    pub kind: u32,
    /// What the device's clock showed; never the corrected time.
    pub time: civil::DateTime,
    /// Digits after the second, where the device's resolution has them.
    pub fraction: Option<&'a str>,
    /// Offset from UTC that the device itself reported, in quarter hours.
    pub offset: Option<i8>,
    /// Duration that the device reported, in the resolution of its time stamp.
    pub duration: Option<&'a str>,
    /// MDC codes of the supplemental types.
    pub supplemental: &'a [u32],
}

/// 2000-01-01T00:00:00 in Unix seconds.
const PHD_EPOCH: i64 = 946_684_800;

impl Display for PhdIdentifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PhdIdentifier { device, patient, kind, time, fraction, offset, duration, supplemental } = *self;
        // No zone arithmetic: the stamp is counted as it reads.
        let seconds = as_utc(time).as_second() - PHD_EPOCH;
        write!(f, "{device}-{patient}-{kind}-{seconds}")?;
        if let Some(fraction) = fraction {
            write!(f, ".{fraction}")?;
        }
        if let Some(offset) = offset {
            write!(f, "{offset:+}")?;
        }
        if let Some(duration) = duration {
            write!(f, "..{duration}")?;
        }
        supplemental.iter().try_for_each(|code| write!(f, "-{code}"))
    }
}

/// HL7's identifier of the measurement. `None`: the device gave no time stamp, or nothing that the identifier
/// could name it by.
///
/// It holds the destination's patient and is stored at the first encoding. A glucose record is keyed by its
/// base time, which survives a change of the meter's displayed clock (PHD 2.0 is silent on it).
pub fn phd_identifier(parcel: &Parcel) -> Option<String> {
    let measure = &parcel.reading.measure;
    let Told::At(stamp) = measure.told(Face::Base) else { return None };
    let kind = match measure {
        Measurement::Pressure(_) | Measurement::EnhancedPressure(_) => codes::BLOOD_PRESSURE.mdc,
        Measurement::Glucose(m) => {
            m.concentration.map_or(codes::of(Quantity::Glucose), |c| codes::glucose(c.kind, c.unit, None)).mdc
        }
        Measurement::Weight(_) => codes::of(Quantity::BodyWeight).mdc,
        Measurement::BodyComposition(m) if m.weight.is_some() => codes::of(Quantity::BodyWeight).mdc,
        Measurement::BodyComposition(_) => codes::of(Quantity::BodyFat).mdc,
        Measurement::Temperature(_) => codes::of(Quantity::BodyTemperature).mdc,
        Measurement::Oximetry(_) => codes::of(Quantity::OxygenSaturation).mdc,
        Measurement::HeartRate(_) => codes::of(Quantity::HeartRate).mdc,
        Measurement::GlucoseContext(_) => return None,
    };
    let Subject { id, identifier } = &parcel.subject;
    let patient = match identifier {
        Some((value, system)) => format!("{value}-{system}"),
        None => id.clone(),
    };
    let identifier = PhdIdentifier {
        device: &phd_device(&parcel.facts)?,
        patient: &patient,
        kind,
        time: stamp.civil,
        fraction: None,
        offset: None,
        duration: None,
        supplemental: &[],
    };
    Some(identifier.to_string())
}

fn phd_device(facts: &Facts) -> Option<String> {
    if let Some(eui) = system_id(facts) {
        return Some(hexadecimal(&eui, ""));
    }
    let address = facts.address.filter(|a| a.kind != AddressKind::Private)?;
    Some(hexadecimal(&address.octets, ""))
}

/// EUI-64, most significant octet first, where the device has one that was ever set.
pub(super) fn system_id(facts: &Facts) -> Option<[u8; 8]> {
    facts.system_id.as_ref().filter(|s| s.is_plausible()).map(SystemId::eui64)
}

/// Capital hexadecimal digits, with something between the octets or nothing.
pub(super) fn hexadecimal(octets: &[u8], between: &str) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(between)
}
