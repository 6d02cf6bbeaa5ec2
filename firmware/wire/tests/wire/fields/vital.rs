//! Thermometer, oximeter, heart rate: bits in their order, and values that no field can hold.

use hearth_wire::gatt::{
    HeartRateMeasurement, PlxMeasurementStatus, PlxSensorStatus, PlxSpotCheckMeasurement, RrIntervals,
    SensorContact, TemperatureMeasurement,
};
use hearth_wire::{Decimal, Value};

use super::no_room;
use crate::octets;

/// GATT Specification Supplement, "PLX Spot-Check Measurement", Measurement Status field: from bit 5 on.
#[test]
fn measurement_status_bit_by_bit() {
    type Status = PlxMeasurementStatus;
    let in_order = [
        Status::MEASUREMENT_ONGOING,
        Status::EARLY_ESTIMATED_VALUE,
        Status::VALIDATED_VALUE,
        Status::FULLY_QUALIFIED_VALUE,
        Status::FROM_MEASUREMENT_STORAGE,
        Status::FOR_DEMONSTRATION,
        Status::FOR_TESTING,
        Status::CALIBRATION_ONGOING,
        Status::MEASUREMENT_UNAVAILABLE,
        Status::QUESTIONABLE_MEASUREMENT,
        Status::INVALID_MEASUREMENT,
    ];
    for (bit, mask) in (5..).zip(in_order) {
        assert_eq!(mask, 1 << bit);
        assert!(PlxMeasurementStatus(mask).has(mask) && !PlxMeasurementStatus(!mask).has(mask), "bit {bit}");
    }
    assert_eq!(PlxMeasurementStatus(0xFFFF).reserved_bits(), 0x001F);
    assert_eq!(PlxMeasurementStatus(0xFFE0).reserved_bits(), 0);
}

/// GATT Specification Supplement, "PLX Spot-Check Measurement", Device and Sensor Status field.
#[test]
fn sensor_status_bit_by_bit() {
    type Status = PlxSensorStatus;
    let in_order = [
        Status::EXTENDED_DISPLAY_UPDATE_ONGOING,
        Status::EQUIPMENT_MALFUNCTION,
        Status::SIGNAL_PROCESSING_IRREGULARITY,
        Status::INADEQUATE_SIGNAL,
        Status::POOR_SIGNAL,
        Status::LOW_PERFUSION,
        Status::ERRATIC_SIGNAL,
        Status::NONPULSATILE_SIGNAL,
        Status::QUESTIONABLE_PULSE,
        Status::SIGNAL_ANALYSIS_ONGOING,
        Status::SENSOR_INTERFERENCE,
        Status::SENSOR_UNCONNECTED_TO_USER,
        Status::UNKNOWN_SENSOR_CONNECTED,
        Status::SENSOR_DISPLACED,
        Status::SENSOR_MALFUNCTIONING,
        Status::SENSOR_DISCONNECTED,
    ];
    for (bit, mask) in in_order.into_iter().enumerate() {
        assert_eq!(mask, 1 << bit);
        assert!(PlxSensorStatus(mask).has(mask) && !PlxSensorStatus(!mask).has(mask), "bit {bit}");
    }
    assert_eq!(PlxSensorStatus(0x00FF_FFFF).reserved_bits(), 0x00FF_0000);
    assert_eq!(PlxSensorStatus(0x0000_FFFF).reserved_bits(), 0);
}

#[test]
fn a_value_that_its_field_cannot_hold_is_not_written() {
    let temperature = TemperatureMeasurement::decode(&octets("006C0100FF")).unwrap().value;
    // 8,388,607 would be read as not a number
    let value = Value::Finite(Decimal::new(0x007F_FFFF, 0));
    let temperature = TemperatureMeasurement { temperature: value, ..temperature };
    assert_eq!(temperature.encode(&mut [0; 20]), no_room("temperature"));

    let plx = PlxSpotCheckMeasurement::decode(&octets("0461004B00200000")).unwrap().value;
    let wide = PlxSpotCheckMeasurement { sensor_status: Some(PlxSensorStatus(0x0100_0000)), ..plx };
    assert_eq!(wide.encode(&mut [0; 20]), no_room("device and sensor status"));
    let spo2_percent = Value::Finite(Decimal::new(9_750, -2));
    assert_eq!(PlxSpotCheckMeasurement { spo2_percent, ..plx }.encode(&mut [0; 20]), no_room("SpO2"));

    let heart = HeartRateMeasurement::decode(&octets("0048")).unwrap().value;
    let fast = HeartRateMeasurement { beats_per_minute: 256, ..heart };
    assert_eq!(fast.encode(&mut [0; 20]), no_room("heart rate"));
    let fast = HeartRateMeasurement { two_octets: true, ..fast };
    assert_eq!(fast.encode(&mut [0; 20]), Ok(octets("010001").as_slice()));
}

/// GATT Specification Supplement, "Heart Rate Measurement", Flags field: bits 1 and 2.
#[test]
fn contact_needs_a_sensor_for_it() {
    let rows = [
        ("0048", SensorContact::NotSupported, "0048"),
        ("0248", SensorContact::NotSupported, "0048"),
        ("0448", SensorContact::NotDetected, "0448"),
        ("0648", SensorContact::Detected, "0648"),
    ];
    for (sent, contact, written) in rows {
        let heart = HeartRateMeasurement::decode(&octets(sent)).unwrap().value;
        assert_eq!(heart.sensor_contact, contact, "{sent}");
        assert_eq!(heart.encode(&mut [0; 20]), Ok(octets(written).as_slice()), "{sent}");
    }
}

#[test]
fn intervals_without_end_are_handed_back() {
    let seconds = "0004".repeat(20);
    let sent = octets(&format!("1048{seconds}"));
    let heart = HeartRateMeasurement::decode(&sent).unwrap();
    assert_eq!(heart.value.rr_intervals.unwrap().as_slice(), [1024; 18]);
    assert_eq!(heart.trailing, octets("00040004"));
    assert_eq!(heart.value.encode(&mut [0; 38]), Ok(&sent[..38]));

    assert_eq!(heart.value.rr_intervals, RrIntervals::new(&[1024; 18]));
    assert_eq!(RrIntervals::new(&[1024; 19]), None);
    assert_eq!(format!("{:?}", RrIntervals::new(&[1024, 819]).unwrap()), "[1024, 819]");
}
