//! A characteristic's value, field by field: names and exact digits, as `hearth decode` prints them.

mod clock;
mod control;
mod device;
mod glucose;
mod known;
mod pressure;
mod vendor;
mod vital;
mod weight;

pub(crate) use known::is_known;

use crate::show::Fields;
use hearth_core::capture::Uuid16;
use hearth_core::decode::{self, Cause, Measurement};
use hearth_core::quirk::Quirk;
use hearth_wire::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord,
    BodyCompositionFeature, CgmMeasurement, CurrentElapsedTime, CurrentTime, DatabaseChangeIncrement,
    DateTime, GlucoseFeature, IntermediateCuffPressure, LocalTimeInformation, PnpId,
    RegulatoryCertificationDataList, SystemId, UserControlPoint, WeightScaleFeature, device_information,
};
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::{Decoded, Malformed, Value};
use serde_json::{Value as Json, json};

/// Names and strings of each field, or the reason why there are none.
pub(crate) fn fields(characteristic: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    match characteristic {
        Uuid16::WEIGHT_SCALE_SERVICE_DATA | Uuid16::BODY_COMPOSITION_SERVICE_DATA => {
            return vendor::xiaomi(characteristic, octets, quirks);
        }
        Uuid16::OMRON_EEPROM_RECORD => return vendor::omron_record(octets, quirks),
        Uuid16::OMRON_MANUFACTURER_DATA => return vendor::omron_advertisement(octets),
        _ => {}
    }
    match characteristic.0 {
        IntermediateCuffPressure::UUID => shown(IntermediateCuffPressure::decode(octets), pressure::cuff),
        BloodPressureRecord::UUID => shown(BloodPressureRecord::decode(octets), pressure::record),
        BloodPressureFeature::UUID => shown(BloodPressureFeature::decode(octets), pressure::feature),
        GlucoseFeature::UUID => shown(GlucoseFeature::decode(octets), glucose::feature),
        CgmMeasurement::UUID => glucose::continuous(octets),
        WeightScaleFeature::UUID => shown(WeightScaleFeature::decode(octets), weight::feature),
        BodyCompositionFeature::UUID => {
            shown(BodyCompositionFeature::decode(octets), weight::body_composition_feature)
        }
        DateTime::UUID => shown(DateTime::decode(octets), clock::date_time),
        CurrentTime::UUID => shown(CurrentTime::decode(octets), clock::current_time),
        LocalTimeInformation::UUID => shown(LocalTimeInformation::decode(octets), clock::local_time),
        CurrentElapsedTime::UUID => shown(CurrentElapsedTime::decode(octets), clock::elapsed),
        SystemId::UUID => shown(SystemId::decode(octets), device::system_id),
        PnpId::UUID => shown(PnpId::decode(octets), device::pnp),
        RegulatoryCertificationDataList::UUID => {
            shown(RegulatoryCertificationDataList::decode(octets), device::certification)
        }
        BatteryLevel::UUID => shown(BatteryLevel::decode(octets), device::battery),
        RecordAccessControlPoint::UUID => {
            shown(RecordAccessControlPoint::decode(octets), control::control_point)
        }
        UserControlPoint::UUID => shown(UserControlPoint::decode(octets), control::user),
        DatabaseChangeIncrement::UUID => shown(DatabaseChangeIncrement::decode(octets), control::change),
        device_information::MODEL_NUMBER
        | device_information::SERIAL_NUMBER
        | device_information::FIRMWARE_REVISION
        | device_information::HARDWARE_REVISION
        | device_information::SOFTWARE_REVISION
        | device_information::MANUFACTURER_NAME => device::text(octets),
        _ => measurement(characteristic, octets, quirks),
    }
}

fn shown<T>(
    decoded: Result<Decoded<'_, T>, Malformed>,
    fields: impl FnOnce(&T) -> Fields,
) -> Result<Fields, String> {
    let decoded = decoded.map_err(|e| e.to_string())?;
    let mut fields = fields(&decoded.value);
    trailing(&mut fields, decoded.trailing);
    Ok(fields)
}

fn measurement(characteristic: Uuid16, octets: &[u8], quirks: &[Quirk]) -> Result<Fields, String> {
    let parsed = decode::decode(characteristic, octets, quirks).map_err(|cause| cause_of(&cause))?;
    // What a quirk says was not measured is left out; what the device itself calls not-a-number is shown.
    let letter = decode::decode(characteristic, octets, &[]).map_or(parsed, |letter| letter);
    let unmeasured = |m: &BloodPressureMeasurement| {
        let nan = Value::Special(hearth_wire::Special::NotANumber);
        m.mean_arterial_pressure == nan
            && !matches!(letter.measurement, Measurement::Pressure(l) if l.mean_arterial_pressure == nan)
    };
    let mut fields = match &parsed.measurement {
        Measurement::Pressure(m) => pressure::pressure(m, unmeasured(m)),
        Measurement::Glucose(m) => glucose::glucose(m),
        Measurement::GlucoseContext(m) => glucose::context(m),
        Measurement::Weight(m) => weight::weight(m),
        Measurement::EnhancedPressure(m) => pressure::enhanced(m),
        Measurement::BodyComposition(m) => {
            let sent =
                matches!(letter.measurement, Measurement::BodyComposition(l) if l.body_fat_percent.is_none());
            weight::body_composition(m, sent)
        }
        Measurement::Temperature(m) => vital::temperature(m),
        Measurement::Oximetry(m) => vital::spot_check(m),
        Measurement::HeartRate(m) => vital::heart_rate(m),
    };
    if let Some(what) = parsed.not_a_reading {
        fields.insert("not_a_reading".into(), json!(what.because));
    }
    trailing(&mut fields, &octets[octets.len() - parsed.trailing.min(octets.len())..]);
    Ok(fields)
}

fn cause_of(cause: &Cause) -> String {
    match cause {
        Cause::Malformed(e) => e.to_string(),
        Cause::UnknownCharacteristic(unknown) => {
            format!("{unknown} has no codec here; docs/decode.md lists the known ones")
        }
        Cause::EmptySlot => "an erased place in the memory: no record".into(),
    }
}

fn trailing(fields: &mut Fields, octets: &[u8]) {
    if !octets.is_empty() {
        fields.insert("trailing_octets".into(), hex(octets));
    }
}

fn hex(octets: &[u8]) -> Json {
    json!(data_encoding::HEXLOWER.encode(octets))
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
#[derive(Default)]
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

    /// A feature's flags; `reserved` are those that the standard gives no name.
    fn features(self, raw: u32, reserved: u32, names: &[&'static str]) -> Put {
        let flags = (1 << names.len()) - 1;
        self.always("features_raw", json!(raw))
            .always("features", json!(named(raw & (flags | reserved), 0, names)))
    }

    fn reserved(self, bits: impl Into<u32>) -> Put {
        let bits = bits.into();
        self.given("reserved_flag_bits", (bits != 0).then_some(bits), |b| json!(b))
    }
}

/// The names of the bits that are set, from bit `first` on.
fn named(bits: u32, first: u32, names: &[&'static str]) -> Vec<&'static str> {
    let bit = |n: u32| bits.checked_shr(n).is_some_and(|from_bit| from_bit & 1 != 0);
    let known = (first..).zip(names).filter(|(n, _)| bit(*n)).map(|(_, name)| *name);
    let end = first + names.len() as u32;
    let reserved = (0..first).chain(end..u32::BITS).any(bit);
    known.chain(reserved.then_some("reserved-bits")).collect()
}
