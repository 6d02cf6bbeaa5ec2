//! What can be decoded, by name: the one list, which docs/decode.md repeats.

use hearth_core::capture::Uuid16;
use hearth_wire::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureRecord, BodyCompositionFeature, CgmMeasurement,
    CurrentElapsedTime, CurrentTime, DatabaseChangeIncrement, DateTime, GlucoseFeature,
    IntermediateCuffPressure, LocalTimeInformation, PnpId, RegulatoryCertificationDataList, SystemId,
    UserControlPoint, WeightScaleFeature, device_information,
};
use hearth_wire::racp::RecordAccessControlPoint;

/// Bluetooth's names of characteristics, by assigned number; then the frames that have none, as people write them.
pub(crate) const KNOWN: &[(u16, &str)] = &[
    (DateTime::UUID, "Date Time"),
    (LocalTimeInformation::UUID, "Local Time Information"),
    (Uuid16::GLUCOSE_MEASUREMENT.0, "Glucose Measurement"),
    (BatteryLevel::UUID, "Battery Level"),
    (Uuid16::TEMPERATURE_MEASUREMENT.0, "Temperature Measurement"),
    (SystemId::UUID, "System ID"),
    (device_information::MODEL_NUMBER, "Model Number String"),
    (device_information::SERIAL_NUMBER, "Serial Number String"),
    (device_information::FIRMWARE_REVISION, "Firmware Revision String"),
    (device_information::HARDWARE_REVISION, "Hardware Revision String"),
    (device_information::SOFTWARE_REVISION, "Software Revision String"),
    (device_information::MANUFACTURER_NAME, "Manufacturer Name String"),
    (RegulatoryCertificationDataList::UUID, "IEEE 11073-20601 Regulatory Certification Data List"),
    (CurrentTime::UUID, "Current Time"),
    (Uuid16::GLUCOSE_MEASUREMENT_CONTEXT.0, "Glucose Measurement Context"),
    (Uuid16::BLOOD_PRESSURE_MEASUREMENT.0, "Blood Pressure Measurement"),
    (IntermediateCuffPressure::UUID, "Intermediate Cuff Pressure"),
    (Uuid16::HEART_RATE_MEASUREMENT.0, "Heart Rate Measurement"),
    (BloodPressureFeature::UUID, "Blood Pressure Feature"),
    (PnpId::UUID, "PnP ID"),
    (GlucoseFeature::UUID, "Glucose Feature"),
    (RecordAccessControlPoint::UUID, "Record Access Control Point"),
    (Uuid16::PLX_SPOT_CHECK_MEASUREMENT.0, "PLX Spot-Check Measurement"),
    (DatabaseChangeIncrement::UUID, "Database Change Increment"),
    (BodyCompositionFeature::UUID, "Body Composition Feature"),
    (Uuid16::BODY_COMPOSITION_MEASUREMENT.0, "Body Composition Measurement"),
    (Uuid16::WEIGHT_MEASUREMENT.0, "Weight Measurement"),
    (WeightScaleFeature::UUID, "Weight Scale Feature"),
    (UserControlPoint::UUID, "User Control Point"),
    (CgmMeasurement::UUID, "CGM Measurement"),
    (Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT.0, "Enhanced Blood Pressure Measurement"),
    (BloodPressureRecord::UUID, "Blood Pressure Record"),
    (CurrentElapsedTime::UUID, "Current Elapsed Time"),
    (Uuid16::OMRON_MANUFACTURER_DATA.0, "what an Omron cuff broadcasts"),
    (Uuid16::BODY_COMPOSITION_SERVICE_DATA.0, "what a Xiaomi Mi Scale 2 broadcasts"),
    (Uuid16::WEIGHT_SCALE_SERVICE_DATA.0, "what the first Xiaomi Mi Scale broadcasts"),
    (Uuid16::OMRON_EEPROM_RECORD.0, "a record of an Omron cuff's memory"),
    (
        Uuid16::BODY_COMPOSITION_IN_TENTHS.0,
        "a Body Composition Measurement whose masses count tenths of a kilogram",
    ),
];

/// Whether its octets can be read here.
pub(crate) fn is_known(characteristic: Uuid16) -> bool {
    KNOWN.iter().any(|(known, _)| *known == characteristic.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::fields;

    /// The list has what the decoder has, and nothing else.
    #[test]
    fn what_is_listed_is_decoded() {
        for number in 0..=u16::MAX {
            let said = fields(Uuid16(number), &[], &[]);
            let unknown = said.is_err_and(|said| said.contains("has no codec here"));
            assert_eq!(is_known(Uuid16(number)), !unknown, "{number:04X}");
        }
    }

    /// docs/decode.md says the same, line by line.
    #[test]
    fn the_page_lists_what_can_be_decoded() {
        let page = include_str!("../../../docs/decode.md");
        let listed: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        let known = KNOWN.iter().map(|(number, name)| format!("| `{}` | {name} |", Uuid16(*number)));
        assert_eq!(listed, known.collect::<Vec<_>>());
    }
}
