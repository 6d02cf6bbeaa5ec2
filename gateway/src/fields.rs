//! A characteristic's value, field by field: names and exact digits, as `hearth decode` prints them.

use crate::show::Fields;
use hearth_core::capture::Uuid16;
use hearth_core::decode::{self, Cause, Measurement};
use hearth_core::quirk::Quirk;
use hearth_wire::gatt::{
    BloodPressureMeasurement, BloodPressureStatus, ConcentrationUnit, CurrentTime, DateTime,
    GlucoseMeasurement, GlucoseMeasurementContext, MedicationUnit, PressureUnit, PulseRange, SystemId,
    TimeOffset, WeightMeasurement, WeightUnit, device_information,
};
use hearth_wire::racp::{Opcode, Operand, RecordAccessControlPoint};
use hearth_wire::{Decimal, Decoded, Malformed, Value};
use serde_json::{Map, Value as Json, json};

/// Names and strings of each field, or the reason why there are none.
pub(crate) fn fields(characteristic: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    let malformed = |e: Malformed| e.to_string();
    match characteristic.0 {
        DateTime::UUID => {
            DateTime::decode(octets).map(|d| with_trailing(one("time", time(d.value)), d)).map_err(malformed)
        }
        CurrentTime::UUID => {
            CurrentTime::decode(octets).map(|d| with_trailing(current_time(&d.value), d)).map_err(malformed)
        }
        SystemId::UUID => {
            SystemId::decode(octets).map(|d| with_trailing(system_id(d.value), d)).map_err(malformed)
        }
        RecordAccessControlPoint::UUID => RecordAccessControlPoint::decode(octets)
            .map(|d| with_trailing(control_point(&d.value), d))
            .map_err(malformed),
        device_information::MODEL_NUMBER
        | device_information::SERIAL_NUMBER
        | device_information::FIRMWARE_REVISION
        | device_information::MANUFACTURER_NAME => {
            device_information::text(octets).map(|text| one("text", json!(text))).map_err(malformed)
        }
        _ => measurement(characteristic, octets, quirks),
    }
}

fn measurement(characteristic: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    let parsed = decode::decode(characteristic, octets, quirks).map_err(|cause| match cause {
        Cause::Malformed(e) => e.to_string(),
        Cause::UnknownCharacteristic(unknown) => {
            format!("characteristic {unknown} has no codec here; docs/profiles.md names the known ones")
        }
    })?;
    // What a quirk says was not measured is left out; what the device itself calls not-a-number is shown.
    let letter = decode::decode(characteristic, octets, &[]).map_or(parsed, |letter| letter);
    let unmeasured = |m: &BloodPressureMeasurement| {
        let nan = Value::Special(hearth_wire::Special::NotANumber);
        m.mean_arterial_pressure == nan
            && !matches!(letter.measurement, Measurement::Pressure(l) if l.mean_arterial_pressure == nan)
    };
    let mut fields = match &parsed.measurement {
        Measurement::Pressure(m) => pressure(m, unmeasured(m)),
        Measurement::Glucose(m) => glucose(m),
        Measurement::GlucoseContext(m) => context(m),
        Measurement::Weight(m) => weight(m),
    };
    if let Some(what) = parsed.not_a_reading {
        fields.insert("not_a_reading".into(), json!(what.because));
    }
    trailing(&mut fields, &octets[octets.len() - parsed.trailing.min(octets.len())..]);
    Ok(fields)
}

fn one(name: &str, value: Json) -> Fields {
    Map::from_iter([(name.to_owned(), value)])
}

fn with_trailing<T>(mut fields: Fields, decoded: Decoded<'_, T>) -> Fields {
    trailing(&mut fields, decoded.trailing);
    fields
}

fn trailing(fields: &mut Fields, octets: &[u8]) {
    if !octets.is_empty() {
        fields.insert("trailing_octets".into(), json!(data_encoding::HEXLOWER.encode(octets)));
    }
}

fn digits(value: impl std::fmt::Display) -> Json {
    json!(value.to_string())
}

fn time(sent: DateTime) -> Json {
    let raw = sent.to_string();
    if sent.is_unknown() {
        json!({ "unknown": true, "raw": raw })
    } else if sent.is_date() {
        json!(raw)
    } else {
        json!({ "invalid": true, "raw": raw })
    }
}

fn user(id: u8) -> Json {
    if id == hearth_core::identity::UNKNOWN_USER { json!("unknown") } else { json!(id) }
}

/// Puts what is there; leaves out what the frame does not carry.
struct Put(Fields);

impl Put {
    fn always(mut self, name: &str, value: Json) -> Put {
        self.0.insert(name.into(), value);
        self
    }

    fn given<T>(self, name: &str, value: Option<T>, shown: impl FnOnce(T) -> Json) -> Put {
        match value {
            Some(value) => self.always(name, shown(value)),
            None => self,
        }
    }

    fn reserved(self, bits: u8) -> Put {
        self.given("reserved_flag_bits", (bits != 0).then_some(bits), |b| json!(b))
    }
}

fn pressure(m: &BloodPressureMeasurement, mean_unavailable: bool) -> Fields {
    let unit = match m.unit {
        PressureUnit::MillimetreOfMercury => "mmHg",
        PressureUnit::Kilopascal => "kPa",
    };
    Put(Map::new())
        .always("unit", json!(unit))
        .always("systolic", digits(m.systolic))
        .always("diastolic", digits(m.diastolic))
        .given("map", (!mean_unavailable).then_some(m.mean_arterial_pressure), digits)
        .given("timestamp", m.time_stamp, time)
        .given("pulse", m.pulse_rate, digits)
        .given("user_id", m.user_id, user)
        .given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(pressure_status(s)))
        .reserved(m.reserved_flags)
        .0
}

fn pressure_status(status: BloodPressureStatus) -> Vec<&'static str> {
    let range = match status.pulse_range() {
        PulseRange::Within => "",
        PulseRange::AboveUpperLimit => "pulse-over-limit",
        PulseRange::BelowLowerLimit => "pulse-under-limit",
        PulseRange::Reserved => "pulse-range-reserved",
    };
    [
        (status.body_movement(), "body-movement"),
        (status.cuff_too_loose(), "cuff-too-loose"),
        (status.irregular_pulse(), "irregular-pulse"),
        (!range.is_empty(), range),
        (status.improper_position(), "improper-position"),
        (status.reserved_bits() != 0, "reserved-bits"),
    ]
    .into_iter()
    .filter_map(|(set, name)| set.then_some(name))
    .collect()
}

const GLUCOSE_STATUS: [&str; 12] = [
    "battery-low",
    "sensor-malfunction",
    "sample-insufficient",
    "strip-insertion-error",
    "strip-type-incorrect",
    "result-too-high",
    "result-too-low",
    "temperature-too-high",
    "temperature-too-low",
    "read-interrupted",
    "general-fault",
    "time-fault",
];

fn glucose_status(bits: u16) -> Vec<&'static str> {
    let named =
        GLUCOSE_STATUS.iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0).map(|(_, name)| *name);
    named.chain((bits >> GLUCOSE_STATUS.len() != 0).then_some("reserved-bits")).collect()
}

fn glucose(m: &GlucoseMeasurement) -> Fields {
    let offset = m.time_offset.map(|offset| match offset {
        TimeOffset::Minutes(minutes) => json!(minutes),
        TimeOffset::Overrun => json!("overrun"),
        TimeOffset::Underrun => json!("underrun"),
    });
    let shown =
        m.time_offset.and_then(|_| match Measurement::Glucose(*m).told(hearth_core::when::Face::Shown) {
            decode::Told::At(stamp) => Some(stamp.civil),
            _ => None,
        });
    let mut put = Put(Map::new())
        .always("sequence", json!(m.sequence))
        .always("base_time", time(m.base_time))
        .given("time_offset_min", offset, |o| o)
        .given("user_facing_time", shown, digits);
    if let Some(c) = m.concentration {
        let (unit, shift) = match c.unit {
            ConcentrationUnit::KilogramPerLitre => ("mg/dL", 5),
            ConcentrationUnit::MolePerLitre => ("mmol/L", 3),
        };
        put = put
            .always("unit", json!(unit))
            .always("value", digits(shifted(c.value, shift)))
            .always("type", json!(c.kind))
            .always("location", json!(c.location));
    }
    put.given("status_raw", m.status, |s| json!(s.0))
        .given("status", m.status, |s| json!(glucose_status(s.0)))
        .always("context_follows", json!(m.context_follows))
        .reserved(m.reserved_flags)
        .0
}

fn shifted(value: Value, by: i8) -> Value {
    match value {
        Value::Finite(decimal) => Value::Finite(Decimal::shifted(decimal, by)),
        special => special,
    }
}

fn context(m: &GlucoseMeasurementContext) -> Fields {
    let (medication_unit, shift) = match m.medication.map(|x| x.unit) {
        Some(MedicationUnit::Litre) => ("mL", 3),
        _ => ("mg", 6),
    };
    Put(Map::new())
        .always("sequence", json!(m.sequence))
        .given("extended_flags", m.extended_flags, |f| json!(f))
        .given("carbohydrate_id", m.carbohydrate, |c| json!(c.id))
        .given("carbohydrate_g", m.carbohydrate, |c| digits(shifted(c.kilograms, 3)))
        .given("meal", m.meal, |meal| json!(meal))
        .given("tester", m.tester_health, |t| json!(t.tester))
        .given("health", m.tester_health, |t| json!(t.health))
        .given("exercise_s", m.exercise, |e| json!(e.seconds))
        .given("exercise_pct", m.exercise, |e| json!(e.intensity_percent))
        .given("medication_id", m.medication, |x| json!(x.id))
        .given("medication_unit", m.medication, |_| json!(medication_unit))
        .given("medication", m.medication, |x| digits(shifted(x.amount, shift)))
        .given("hba1c_pct", m.hba1c_percent, digits)
        .0
}

fn weight(m: &WeightMeasurement) -> Fields {
    let (unit, height_unit) = match m.unit {
        WeightUnit::Si => ("kg", "m"),
        WeightUnit::Imperial => ("[lb_av]", "[in_i]"),
    };
    let both = m.body_mass_index_height;
    Put(Map::new())
        .always("unit", json!(unit))
        .always("weight", m.weight.map_or(json!("unsuccessful"), digits))
        .given("timestamp", m.time_stamp, time)
        .given("user_id", m.user_id, user)
        .given("bmi", both, |b| digits(b.body_mass_index))
        .given("height", both, |b| digits(b.height))
        .given("height_unit", both, |_| json!(height_unit))
        .reserved(m.reserved_flags)
        .0
}

fn current_time(m: &CurrentTime) -> Fields {
    Put(Map::new())
        .always("time", time(m.date_time))
        .always("day_of_week", json!(m.day_of_week))
        .always("fractions256", json!(m.fractions256))
        .always("adjust_reason", json!(m.adjust_reason))
        .0
}

fn system_id(id: SystemId) -> Fields {
    let eui = id.eui64();
    let dashed: Vec<String> = eui.iter().map(|octet| format!("{octet:02X}")).collect();
    Put(Map::new()).always("eui64", json!(dashed.concat())).always("dashed", json!(dashed.join("-"))).0
}

fn control_point(m: &RecordAccessControlPoint<'_>) -> Fields {
    let put = Put(Map::new()).always("opcode", json!(m.opcode.0)).always("operator", json!(m.operator.0));
    match m.operand {
        Operand::None => put,
        Operand::Sequence(n) => put.always("filter_type", json!(1)).always("sequence", json!(n)),
        Operand::SequenceRange(a, b) => put.always("filter_type", json!(1)).always("sequence", json!([a, b])),
        Operand::UserFacingTime(t) => put.always("filter_type", json!(2)).always("time", time(t)),
        Operand::UserFacingTimeRange(a, b) => {
            put.always("filter_type", json!(2)).always("time", json!([time(a), time(b)]))
        }
        Operand::Count(n) => put.always("count", json!(n)),
        Operand::Response { request: Opcode(request), code } => {
            put.always("request_opcode", json!(request)).always("response_code", json!(code.0))
        }
        Operand::Other(octets) => {
            let filter = m.filter_type();
            let rest = octets.get(usize::from(filter.is_some())..).unwrap_or_default();
            put.given("filter_type", filter, |f| json!(f))
                .always("operand", json!(data_encoding::HEXLOWER.encode(rest)))
        }
    }
    .0
}
