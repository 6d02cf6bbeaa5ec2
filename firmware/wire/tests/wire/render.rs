//! Decoded values in the names and strings of the vectors' `expected`. Lives here only: the crate itself
//! gives values, not words.

use hearth_wire::gatt::{
    BloodPressureMeasurement, BloodPressureStatus, ConcentrationUnit, CurrentTime, DateTime,
    GlucoseMeasurement, GlucoseMeasurementContext, GlucoseStatus, MedicationUnit, PressureUnit, PulseRange,
    SystemId, TimeOffset, WeightMeasurement, WeightUnit,
};
use hearth_wire::racp::{Operand, RecordAccessControlPoint};
use hearth_wire::{Decoded, Malformed, NoRoom, Value};
use serde_json::{Map, Value as Json, json};

/// Everything that a frame says, without its type.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) rendered: Json,
    pub(crate) trailing: Vec<u8>,
    pub(crate) reserved_flags: u8,
    /// By `encode`, from what was decoded.
    pub(crate) encoded: Vec<u8>,
    /// By `encode`, into a buffer of each size that is too small.
    pub(crate) cramped: Vec<NoRoom>,
}

pub(crate) const CHARACTERISTICS: [&str; 8] =
    ["2A35", "2A18", "2A34", "2A52", "2A9D", "2A08", "2A2B", "2A23"];

pub(crate) fn decode(characteristic: &str, octets: &[u8]) -> Result<Seen, Malformed> {
    type Bp = BloodPressureMeasurement;
    type Glucose = GlucoseMeasurement;
    type Context = GlucoseMeasurementContext;
    type Racp<'a> = RecordAccessControlPoint<'a>;
    type Weight = WeightMeasurement;
    Ok(match characteristic {
        "2A35" => seen(&Bp::decode(octets)?, blood_pressure, |v| v.reserved_flags, |v, b| v.encode(b)),
        "2A18" => seen(&Glucose::decode(octets)?, glucose, |v| v.reserved_flags, |v, b| v.encode(b)),
        "2A34" => seen(&Context::decode(octets)?, context, |_| 0, |v, b| v.encode(b)),
        "2A52" => seen(&Racp::decode(octets)?, control_point, |_| 0, |v, b| v.encode(b)),
        "2A9D" => seen(&Weight::decode(octets)?, weight, |v| v.reserved_flags, |v, b| v.encode(b)),
        "2A08" => seen(&DateTime::decode(octets)?, date_time, |_| 0, |v, b| v.encode(b)),
        "2A2B" => seen(&CurrentTime::decode(octets)?, current_time, |_| 0, |v, b| v.encode(b)),
        "2A23" => seen(&SystemId::decode(octets)?, system_id, |_| 0, |v, b| v.encode(b)),
        other => panic!("no codec for {other}"),
    })
}

fn seen<T>(
    decoded: &Decoded<'_, T>,
    render: fn(&T, &mut Map<String, Json>),
    reserved_flags: fn(&T) -> u8,
    encode: for<'b> fn(&T, &'b mut [u8]) -> Result<&'b [u8], NoRoom>,
) -> Seen {
    let mut fields = Map::new();
    render(&decoded.value, &mut fields);
    let reserved_flags = reserved_flags(&decoded.value);
    if reserved_flags != 0 {
        fields.insert("reserved_flag_bits".into(), json!(reserved_flags));
    }
    if !decoded.trailing.is_empty() {
        fields.insert("trailing_octets".into(), json!(super::hex(decoded.trailing).to_lowercase()));
    }
    let encoded = encode(&decoded.value, &mut [0; 64]).unwrap().to_vec();
    let cramped = (0..encoded.len()).map(|size| encode(&decoded.value, &mut vec![0; size]).unwrap_err());
    Seen {
        rendered: Json::Object(fields),
        trailing: decoded.trailing.to_vec(),
        reserved_flags,
        cramped: cramped.collect(),
        encoded,
    }
}

fn blood_pressure(bp: &BloodPressureMeasurement, to: &mut Map<String, Json>) {
    let unit = match bp.unit {
        PressureUnit::MillimetreOfMercury => "mmHg",
        PressureUnit::Kilopascal => "kPa",
    };
    to.insert("unit".into(), json!(unit));
    to.insert("systolic".into(), text(bp.systolic));
    to.insert("diastolic".into(), text(bp.diastolic));
    to.insert("map".into(), text(bp.mean_arterial_pressure));
    insert(to, "timestamp", bp.time_stamp.map(time));
    insert(to, "pulse", bp.pulse_rate.map(text));
    insert(to, "user_id", bp.user_id.map(user));
    if let Some(status) = bp.status {
        to.insert("status_raw".into(), json!(status.0));
        to.insert("status".into(), json!(blood_pressure_status(status)));
    }
}

fn blood_pressure_status(status: BloodPressureStatus) -> Vec<&'static str> {
    let range = match status.pulse_range() {
        PulseRange::Within => None,
        PulseRange::AboveUpperLimit => Some("pulse-over-limit"),
        PulseRange::BelowLowerLimit => Some("pulse-under-limit"),
        PulseRange::Reserved => Some("pulse-range-reserved"),
    };
    [
        status.body_movement().then_some("body-movement"),
        status.cuff_too_loose().then_some("cuff-too-loose"),
        status.irregular_pulse().then_some("irregular-pulse"),
        range,
        status.improper_position().then_some("improper-position"),
        (status.reserved_bits() != 0).then_some("reserved-bits"),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn glucose(glucose: &GlucoseMeasurement, to: &mut Map<String, Json>) {
    to.insert("sequence".into(), json!(glucose.sequence));
    to.insert("base_time".into(), time(glucose.base_time));
    insert(to, "time_offset_min", glucose.time_offset.map(offset));
    let base_is_date = glucose.base_time.is_date() && (1583..=9998).contains(&glucose.base_time.year);
    if let (Some(TimeOffset::Minutes(minutes)), true) = (glucose.time_offset, base_is_date) {
        to.insert("user_facing_time".into(), json!(later(glucose.base_time, minutes).to_string()));
    }
    if let Some(concentration) = glucose.concentration {
        let (unit, places) = match concentration.unit {
            ConcentrationUnit::KilogramPerLitre => ("mg/dL", 5),
            ConcentrationUnit::MolePerLitre => ("mmol/L", 3),
        };
        to.insert("unit".into(), json!(unit));
        to.insert("value".into(), shifted(concentration.value, places));
        to.insert("type".into(), json!(concentration.kind));
        to.insert("location".into(), json!(concentration.location));
    }
    if let Some(status) = glucose.status {
        to.insert("status_raw".into(), json!(status.0));
        to.insert("status".into(), json!(glucose_status(status)));
    }
    to.insert("context_follows".into(), json!(glucose.context_follows));
}

fn glucose_status(status: GlucoseStatus) -> Vec<&'static str> {
    [
        (GlucoseStatus::DEVICE_BATTERY_LOW, "battery-low"),
        (GlucoseStatus::SENSOR_MALFUNCTION, "sensor-malfunction"),
        (GlucoseStatus::SAMPLE_SIZE_INSUFFICIENT, "sample-insufficient"),
        (GlucoseStatus::STRIP_INSERTION_ERROR, "strip-insertion-error"),
        (GlucoseStatus::STRIP_TYPE_INCORRECT, "strip-type-incorrect"),
        (GlucoseStatus::RESULT_TOO_HIGH, "result-too-high"),
        (GlucoseStatus::RESULT_TOO_LOW, "result-too-low"),
        (GlucoseStatus::TEMPERATURE_TOO_HIGH, "temperature-too-high"),
        (GlucoseStatus::TEMPERATURE_TOO_LOW, "temperature-too-low"),
        (GlucoseStatus::READ_INTERRUPTED, "read-interrupted"),
        (GlucoseStatus::GENERAL_DEVICE_FAULT, "device-fault"),
        (GlucoseStatus::TIME_FAULT, "time-fault"),
    ]
    .into_iter()
    .filter_map(|(bit, name)| status.has(bit).then_some(name))
    .chain((status.reserved_bits() != 0).then_some("reserved-bits"))
    .collect()
}

fn context(context: &GlucoseMeasurementContext, to: &mut Map<String, Json>) {
    to.insert("sequence".into(), json!(context.sequence));
    insert(to, "extended_flags", context.extended_flags.map(Json::from));
    if let Some(carbohydrate) = context.carbohydrate {
        to.insert("carbohydrate_id".into(), json!(carbohydrate.id));
        to.insert("carbohydrate_g".into(), shifted(carbohydrate.kilograms, 3));
    }
    insert(to, "meal", context.meal.map(Json::from));
    if let Some(tester_health) = context.tester_health {
        to.insert("tester".into(), json!(tester_health.tester));
        to.insert("health".into(), json!(tester_health.health));
    }
    if let Some(exercise) = context.exercise {
        to.insert("exercise_s".into(), json!(exercise.seconds));
        to.insert("exercise_pct".into(), json!(exercise.intensity_percent));
    }
    if let Some(medication) = context.medication {
        let (unit, places) = match medication.unit {
            MedicationUnit::Kilogram => ("mg", 6),
            MedicationUnit::Litre => ("mL", 3),
        };
        to.insert("medication_id".into(), json!(medication.id));
        to.insert("medication_unit".into(), json!(unit));
        to.insert("medication".into(), shifted(medication.amount, places));
    }
    insert(to, "hba1c_pct", context.hba1c_percent.map(text));
}

fn control_point(racp: &RecordAccessControlPoint<'_>, to: &mut Map<String, Json>) {
    to.insert("opcode".into(), json!(racp.opcode.0));
    to.insert("operator".into(), json!(racp.operator.0));
    insert(to, "filter_type", racp.filter_type().map(Json::from));
    match racp.operand {
        Operand::None => {}
        Operand::Sequence(number) => insert(to, "sequence", Some(json!(number))),
        Operand::SequenceRange(from, until) => insert(to, "sequence", Some(json!([from, until]))),
        Operand::UserFacingTime(at) => insert(to, "time", Some(time(at))),
        Operand::UserFacingTimeRange(from, until) => {
            insert(to, "time", Some(json!([time(from), time(until)])))
        }
        Operand::Count(count) => insert(to, "count", Some(json!(count))),
        Operand::Response { request, code } => {
            insert(to, "request_opcode", Some(json!(request.0)));
            insert(to, "response_code", Some(json!(code.0)));
        }
        Operand::Other(octets) => {
            let after_filter = &octets[usize::from(racp.filter_type().is_some())..];
            insert(to, "operand", Some(json!(super::hex(after_filter).to_lowercase())));
        }
    }
}

fn weight(weight: &WeightMeasurement, to: &mut Map<String, Json>) {
    let (unit, height_unit) = match weight.unit {
        WeightUnit::Si => ("kg", "m"),
        WeightUnit::Imperial => ("[lb_av]", "[in_i]"),
    };
    to.insert("unit".into(), json!(unit));
    to.insert("weight".into(), weight.weight.map_or(json!("unsuccessful"), |kept| json!(kept.to_string())));
    insert(to, "timestamp", weight.time_stamp.map(time));
    insert(to, "user_id", weight.user_id.map(user));
    if let Some(both) = weight.body_mass_index_height {
        to.insert("bmi".into(), json!(both.body_mass_index.to_string()));
        to.insert("height".into(), json!(both.height.to_string()));
        to.insert("height_unit".into(), json!(height_unit));
    }
}

fn date_time(value: &DateTime, to: &mut Map<String, Json>) {
    to.insert("time".into(), time(*value));
}

fn current_time(value: &CurrentTime, to: &mut Map<String, Json>) {
    date_time(&value.date_time, to);
    to.insert("day_of_week".into(), json!(value.day_of_week));
    to.insert("fractions256".into(), json!(value.fractions256));
    to.insert("adjust_reason".into(), json!(value.adjust_reason));
}

fn system_id(value: &SystemId, to: &mut Map<String, Json>) {
    let eui64 = value.eui64().map(|octet| format!("{octet:02X}"));
    to.insert("eui64".into(), json!(eui64.concat()));
    to.insert("dashed".into(), json!(eui64.join("-")));
}

fn insert(to: &mut Map<String, Json>, name: &str, value: Option<Json>) {
    to.extend(value.map(|value| (name.to_owned(), value)));
}

fn text(value: Value) -> Json {
    json!(value.to_string())
}

fn shifted(value: Value, places: i8) -> Json {
    value.finite().map_or_else(|| text(value), |decimal| json!(decimal.shifted(places).to_string()))
}

fn user(id: u8) -> Json {
    if id == 255 { json!("unknown") } else { json!(id) }
}

fn offset(offset: TimeOffset) -> Json {
    match offset {
        TimeOffset::Minutes(minutes) => json!(minutes),
        TimeOffset::Overrun => json!("overrun"),
        TimeOffset::Underrun => json!("underrun"),
    }
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

/// Minute by minute, and day by day: slow, and plainly right.
fn later(mut time: DateTime, minutes: i16) -> DateTime {
    let step = minutes.signum();
    for _ in 0..minutes.unsigned_abs() {
        time = minute_beside(time, step);
    }
    time
}

fn minute_beside(mut time: DateTime, step: i16) -> DateTime {
    match (step, time.minutes, time.hours) {
        (1, 59, 23) => (time.minutes, time.hours) = (0, 0),
        (1, 59, hours) => (time.minutes, time.hours) = (0, hours + 1),
        (1, minutes, _) => time.minutes = minutes + 1,
        (_, 0, 0) => (time.minutes, time.hours) = (59, 23),
        (_, 0, hours) => (time.minutes, time.hours) = (59, hours - 1),
        (_, minutes, _) => time.minutes = minutes - 1,
    }
    match (step, time.minutes, time.hours) {
        (1, 0, 0) => day_after(time),
        (-1, 59, 23) => day_before(time),
        _ => time,
    }
}

fn day_after(time: DateTime) -> DateTime {
    let next = DateTime { day: time.day + 1, ..time };
    let month = DateTime { day: 1, month: time.month + 1, ..time };
    let year = DateTime { day: 1, month: 1, year: time.year + 1, ..time };
    [next, month, year].into_iter().find(DateTime::is_date).unwrap()
}

fn day_before(time: DateTime) -> DateTime {
    if time.day > 1 {
        return DateTime { day: time.day - 1, ..time };
    }
    let (year, month) = if time.month > 1 { (time.year, time.month - 1) } else { (time.year - 1, 12) };
    (28..=31).rev().map(|day| DateTime { year, month, day, ..time }).find(DateTime::is_date).unwrap()
}
