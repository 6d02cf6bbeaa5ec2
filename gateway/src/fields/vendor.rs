//! Frames that are no characteristic of the Bluetooth SIG.

use super::{Put, cause_of, digits, hex, time};
use crate::show::Fields;
use hearth_core::capture::Uuid16;
use hearth_core::decode::{Cause, Measurement, decode};
use hearth_core::quirk::Quirk;
use hearth_core::vendor::{self, OmronAdvertisement, OmronLayout};
use hearth_wire::Value;
use hearth_wire::gatt::{BloodPressureMeasurement, WeightUnit};
use serde_json::json;

/// Both models say in the same bits whether the weight has settled, and whether the load was removed.
pub(super) fn xiaomi(what: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    let parsed = decode(what, octets, quirks).map_err(|cause| cause_of(&cause))?;
    let Measurement::Weight(m) = parsed.measurement else { return Err("no weight".into()) };
    let unit = match m.unit {
        WeightUnit::Si => "kg",
        WeightUnit::Imperial => "[lb_av]",
    };
    let is = |bit: u8| m.reserved_flags & 1 << bit != 0;
    let mut fields = Put::default()
        .always("weight", m.weight.map_or(json!("unsuccessful"), digits))
        .always("unit", json!(unit))
        .always("stabilised", json!(is(5)))
        .given("removed", is(7).then_some(true), |removed| json!(removed))
        .given("timestamp", m.time_stamp, time)
        .given("not_a_reading", parsed.not_a_reading, |what| json!(what.because))
        .0;
    super::trailing(&mut fields, &octets[octets.len() - parsed.trailing.min(octets.len())..]);
    Ok(fields)
}

/// So many octets are a record.
const RECORD: usize = 14;

/// Such cuffs are not older, and nobody reads one later without a newer decoder.
const YEARS: std::ops::Range<u16> = 2010..2050;

/// Without a quirk the layout is the one under which the record makes sense; where both do, somebody must say.
pub(super) fn omron_record(octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    let read = |layout| match vendor::omron_record(octets, layout) {
        Ok(parsed) => parsed.measurement.pressure().map(Ok),
        Err(cause) => Some(Err(cause)),
    };
    let (little, big) = (read(OmronLayout::LittleEndian), read(OmronLayout::BigEndian));
    let sensible = |record: &Option<Result<BloodPressureMeasurement, Cause>>| matches!(record, Some(Ok(m)) if m.time_stamp.is_some_and(|stamp| stamp.is_date() && YEARS.contains(&stamp.year)) && ordered(m));
    let (record, layout) = match (quirks.contains(&Quirk::OmronBigEndian), sensible(&little), sensible(&big))
    {
        (true, ..) | (false, false, true) => (big, Some("big-endian variant")),
        (false, true, true) if little != big => {
            return Err("the octets make sense in both layouts; name the cuff with --profile, or --quirk omron-eeprom-be".into());
        }
        _ => (little, None),
    };
    match record {
        Some(Ok(m)) => Ok(Put::default()
            .always("diastolic", number(m.diastolic))
            .always("systolic", number(m.systolic))
            .given("pulse", m.pulse_rate, number)
            .given("timestamp", m.time_stamp, time)
            .given("status", m.status, |status| json!(super::pressure::pressure_status(status)))
            .given("layout", layout, |layout| json!(layout))
            .given("trailing_octets", octets.get(RECORD..).filter(|rest| !rest.is_empty()), hex)
            .0),
        Some(Err(Cause::EmptySlot)) => Ok(Put::default().always("empty_slot", json!(true)).0),
        Some(Err(cause)) => Err(cause_of(&cause)),
        None => Err("no pressure".into()),
    }
}

fn ordered(m: &BloodPressureMeasurement) -> bool {
    let value = |value: Value| value.finite().map_or(0, |decimal| decimal.mantissa);
    value(m.systolic) > value(m.diastolic)
}

fn number(value: Value) -> serde_json::Value {
    value.finite().map_or(serde_json::Value::Null, |decimal| json!(decimal.mantissa))
}

pub(super) fn omron_advertisement(octets: &[u8]) -> Result<Fields, String> {
    let OmronAdvertisement { company, message_type, flags, users } =
        OmronAdvertisement::decode(octets).map_err(|e| e.to_string())?;
    let is = |bit: u8| json!(flags & 1 << bit != 0);
    let mut put = Put::default()
        .always("company", json!(company))
        .always("message_type", json!(message_type))
        .always("flags", json!(flags))
        .always("users", json!(users.len()))
        .always("time_set", json!(flags & 1 << 2 == 0))
        .always("pairing_mode", is(3))
        .always("streaming", is(4))
        .always("standard_services", is(5));
    for (n, (sequence, records)) in (1..).zip(&users) {
        put = put.always(&format!("user{n}"), json!({ "sequence": sequence, "records": records }));
    }
    let used = 4 + 3 * users.len();
    Ok(put.given("trailing_octets", octets.get(used..).filter(|rest| !rest.is_empty()), hex).0)
}
