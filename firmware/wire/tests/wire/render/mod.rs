//! Decoded values in the names and strings of the vectors' `expected`. Lives here only: the crate itself
//! gives values, not words.

mod clock;
mod control;
mod device;
mod glucose;
mod pressure;
mod vital;
mod weight;

use hearth_wire::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord,
    BodyCompositionFeature, BodyCompositionMeasurement, CgmMeasurement, CurrentElapsedTime, CurrentTime,
    DatabaseChangeIncrement, DateTime, EnhancedBloodPressureMeasurement, GlucoseFeature, GlucoseMeasurement,
    GlucoseMeasurementContext, HeartRateMeasurement, IntermediateCuffPressure, LocalTimeInformation,
    PlxSpotCheckMeasurement, PnpId, RegulatoryCertificationDataList, SystemId, TemperatureMeasurement,
    UserControlPoint, WeightMeasurement, WeightScaleFeature,
};
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::{Decoded, Malformed, NoRoom, Value};
use serde_json::{Map, Value as Json, json};

/// Everything that a frame says, without its type.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) rendered: Json,
    pub(crate) trailing: Vec<u8>,
    pub(crate) reserved_flags: u16,
    /// By `encode`, from what was decoded.
    pub(crate) encoded: Vec<u8>,
    /// By `encode`, into a buffer of each size that is too small.
    pub(crate) cramped: Vec<NoRoom>,
}

pub(crate) const CHARACTERISTICS: [&str; 27] = [
    "2A35", "2A18", "2A34", "2A52", "2A9D", "2A08", "2A2B", "2A23", "2A9C", "2A1C", "2A5E", "2A37", "2A36",
    "2A49", "2B34", "2B36", "2A51", "2A9E", "2A9B", "2A0F", "2BF2", "2A2A", "2A50", "2A19", "2A9F", "2A99",
    "2AA7",
];

pub(crate) fn decode(characteristic: &str, octets: &[u8]) -> Result<Seen, Malformed> {
    /// `UUID: type, how it is rendered, its reserved flags` for each.
    macro_rules! codecs {
        ($($uuid:literal: $type:ty, $render:expr, $reserved:expr;)*) => {
            match characteristic {
                $($uuid => seen(&<$type>::decode(octets)?, $render, $reserved, |v, b| v.encode(b)),)*
                other => panic!("no codec for {other}"),
            }
        };
    }
    Ok(codecs! {
        "2A35": BloodPressureMeasurement, pressure::blood_pressure, |v| v.reserved_flags.into();
        "2A18": GlucoseMeasurement, glucose::glucose, |v| v.reserved_flags.into();
        "2A34": GlucoseMeasurementContext, glucose::context, |_| 0;
        "2A52": RecordAccessControlPoint<'_>, control::control_point, |_| 0;
        "2A9D": WeightMeasurement, weight::weight, |v| v.reserved_flags.into();
        "2A08": DateTime, clock::date_time, |_| 0;
        "2A2B": CurrentTime, clock::current_time, |_| 0;
        "2A23": SystemId, device::system_id, |_| 0;
        "2A9C": BodyCompositionMeasurement, weight::body_composition, |v| v.reserved_flags;
        "2A1C": TemperatureMeasurement, vital::temperature, |v| v.reserved_flags.into();
        "2A5E": PlxSpotCheckMeasurement, vital::spot_check, |v| v.reserved_flags.into();
        "2A36": IntermediateCuffPressure, pressure::cuff, |v| v.reserved_flags.into();
        "2A49": BloodPressureFeature, pressure::feature, |_| 0;
        "2B34": EnhancedBloodPressureMeasurement, pressure::enhanced, |v| v.reserved_flags.into();
        "2B36": BloodPressureRecord<'_>, pressure::record, |_| 0;
        "2A51": GlucoseFeature, glucose::feature, |_| 0;
        "2AA7": CgmMeasurement, glucose::continuous, |v| v.reserved_flags.into();
        "2A9E": WeightScaleFeature, weight::feature, |_| 0;
        "2A9B": BodyCompositionFeature, weight::body_composition_feature, |_| 0;
        "2A0F": LocalTimeInformation, clock::local_time, |_| 0;
        "2BF2": CurrentElapsedTime, clock::elapsed, |v| v.reserved_flags.into();
        "2A2A": RegulatoryCertificationDataList<'_>, device::certification, |_| 0;
        "2A50": PnpId, device::pnp, |_| 0;
        "2A19": BatteryLevel, device::battery, |_| 0;
        "2A9F": UserControlPoint<'_>, control::user, |_| 0;
        "2A99": DatabaseChangeIncrement, control::change, |_| 0;
        "2A37": HeartRateMeasurement, vital::heart_rate, |v| v.reserved_flags.into();
    })
}

fn seen<T>(
    decoded: &Decoded<'_, T>,
    render: fn(&T, &mut Map<String, Json>),
    reserved_flags: fn(&T) -> u16,
    encode: for<'b> fn(&T, &'b mut [u8]) -> Result<&'b [u8], NoRoom>,
) -> Seen {
    let mut fields = Map::new();
    render(&decoded.value, &mut fields);
    let reserved_flags = reserved_flags(&decoded.value);
    if reserved_flags != 0 {
        fields.insert("reserved_flag_bits".into(), json!(reserved_flags));
    }
    if !decoded.trailing.is_empty() {
        fields.insert("trailing_octets".into(), json!(crate::hex(decoded.trailing).to_lowercase()));
    }
    let encoded = encode(&decoded.value, &mut [0; 512]).unwrap().to_vec();
    let cramped = (0..encoded.len()).map(|size| encode(&decoded.value, &mut vec![0; size]).unwrap_err());
    Seen {
        rendered: Json::Object(fields),
        trailing: decoded.trailing.to_vec(),
        reserved_flags,
        cramped: cramped.collect(),
        encoded,
    }
}

fn insert(to: &mut Map<String, Json>, name: &str, value: Option<Json>) {
    to.extend(value.map(|value| (name.to_owned(), value)));
}

fn text(value: Value) -> Json {
    json!(value.to_string())
}

fn user(id: u8) -> Json {
    if id == 255 { json!("unknown") } else { json!(id) }
}

fn time(time: DateTime) -> Json {
    let raw = time.to_string();
    if time.is_unknown() {
        json!({"unknown": true, "raw": raw})
    } else if time.is_date() {
        json!(raw)
    } else {
        json!({"invalid": true, "raw": raw})
    }
}

/// The names of the bits that are set, from bit `first` on.
fn named(bits: u32, first: u32, names: &[&'static str]) -> Vec<&'static str> {
    let known = (first..).zip(names).filter(|(bit, _)| bits & 1 << bit != 0).map(|(_, name)| *name);
    let reserved = !(((1 << names.len()) - 1) << first);
    known.chain((bits & reserved != 0).then_some("reserved-bits")).collect()
}

fn features(to: &mut Map<String, Json>, raw: u32, reserved: u32, names: &[&'static str]) {
    let flags = (1 << names.len()) - 1;
    to.insert("features_raw".into(), json!(raw));
    to.insert("features".into(), json!(named(raw & (flags | reserved), 0, names)));
}
