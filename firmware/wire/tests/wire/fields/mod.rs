//! Single fields, bit by bit; and values that no field can hold.

mod body;
mod clock;
mod continuous;
mod feature;
mod vital;

use hearth_wire::gatt::device_information::{self, encode_text, text};
use hearth_wire::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord, BloodPressureStatus,
    BodyCompositionFeature, BodyCompositionMeasurement, BodyMassIndexHeight, CgmMeasurement,
    CurrentElapsedTime, CurrentTime, DatabaseChangeIncrement, DateTime, EnhancedBloodPressureMeasurement,
    GlucoseFeature, GlucoseMeasurement, GlucoseMeasurementContext, GlucoseStatus, HeartRateMeasurement,
    IntermediateCuffPressure, LocalTimeInformation, PlxSpotCheckMeasurement, PnpId, PulseRange,
    RegulatoryCertificationDataList, SystemId, TemperatureMeasurement, TesterHealth, TimeOffset,
    UserControlPoint, WeightMeasurement, WeightScaleFeature, WeightUnit,
};
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::{Decimal, Malformed, NoRoom, Value};

use crate::octets;

/// Bluetooth Assigned Numbers, "Characteristics by UUID".
#[test]
fn uuids_as_assigned() {
    let rows = [
        (BloodPressureMeasurement::UUID, 0x2A35),
        (GlucoseMeasurement::UUID, 0x2A18),
        (GlucoseMeasurementContext::UUID, 0x2A34),
        (RecordAccessControlPoint::UUID, 0x2A52),
        (WeightMeasurement::UUID, 0x2A9D),
        (BodyCompositionMeasurement::UUID, 0x2A9C),
        (TemperatureMeasurement::UUID, 0x2A1C),
        (PlxSpotCheckMeasurement::UUID, 0x2A5E),
        (HeartRateMeasurement::UUID, 0x2A37),
        (IntermediateCuffPressure::UUID, 0x2A36),
        (BloodPressureFeature::UUID, 0x2A49),
        (EnhancedBloodPressureMeasurement::UUID, 0x2B34),
        (BloodPressureRecord::UUID, 0x2B36),
        (GlucoseFeature::UUID, 0x2A51),
        (CgmMeasurement::UUID, 0x2AA7),
        (WeightScaleFeature::UUID, 0x2A9E),
        (BodyCompositionFeature::UUID, 0x2A9B),
        (LocalTimeInformation::UUID, 0x2A0F),
        (CurrentElapsedTime::UUID, 0x2BF2),
        (RegulatoryCertificationDataList::UUID, 0x2A2A),
        (PnpId::UUID, 0x2A50),
        (BatteryLevel::UUID, 0x2A19),
        (UserControlPoint::UUID, 0x2A9F),
        (DatabaseChangeIncrement::UUID, 0x2A99),
        (DateTime::UUID, 0x2A08),
        (CurrentTime::UUID, 0x2A2B),
        (SystemId::UUID, 0x2A23),
        (device_information::MODEL_NUMBER, 0x2A24),
        (device_information::SERIAL_NUMBER, 0x2A25),
        (device_information::FIRMWARE_REVISION, 0x2A26),
        (device_information::HARDWARE_REVISION, 0x2A27),
        (device_information::SOFTWARE_REVISION, 0x2A28),
        (device_information::MANUFACTURER_NAME, 0x2A29),
    ];
    for (ours, assigned) in rows {
        assert_eq!(ours, assigned);
    }
}

#[test]
fn device_information_strings() {
    let rows: [(&[u8], Result<&str, Malformed>); 10] = [
        (b"UA-651BLE", Ok("UA-651BLE")),
        (b"UA-651BLE\0\0\0", Ok("UA-651BLE")),
        (b"A&D Medical   ", Ok("A&D Medical")),
        (b"  1.03 \0 \0", Ok("1.03")),
        (b"Contour Next One\r\n", Ok("Contour Next One")),
        ("Ger\u{e4}t".as_bytes(), Ok("Ger\u{e4}t")),
        (b"", Ok("")),
        (b"\0\0\0\0", Ok("")),
        // ISO 8859-1, and a sequence that breaks off
        (b"Ger\xE4t", Err(Malformed::NotText { at: 3 })),
        (b"Ger\xC3", Err(Malformed::NotText { at: 3 })),
    ];
    for (sent, expected) in rows {
        assert_eq!(text(sent), expected, "{sent:?}");
        if let Ok(expected) = expected {
            assert_eq!(encode_text(expected, &mut [0; 20]), Ok(expected.as_bytes()));
        }
    }
    assert_eq!(encode_text("four", &mut [0; 3]), Err(NoRoom { field: "text" }));
}

#[test]
fn a_system_id_that_was_never_set_is_not_plausible() {
    let rows = [
        ("0000000000000000", false),
        ("FFFFFFFFFFFFFFFF", false),
        ("0100000000000000", true),
        ("001C05FFFEFFE874", true),
    ];
    for (sent, plausible) in rows {
        assert_eq!(SystemId::decode(&octets(sent)).unwrap().value.is_plausible(), plausible, "{sent}");
    }
}

/// GATT Specification Supplement, "Blood Pressure Measurement", Measurement Status field.
#[test]
fn blood_pressure_status_bit_by_bit() {
    use PulseRange::{AboveUpperLimit, BelowLowerLimit, Reserved, Within};
    let rows = [
        (0x0000, [false; 4], Within, 0),
        (0x0001, [true, false, false, false], Within, 0),
        (0x0002, [false, true, false, false], Within, 0),
        (0x0004, [false, false, true, false], Within, 0),
        (0x0008, [false; 4], AboveUpperLimit, 0),
        (0x0010, [false; 4], BelowLowerLimit, 0),
        (0x0018, [false; 4], Reserved, 0),
        (0x0020, [false, false, false, true], Within, 0),
        (0x0040, [false; 4], Within, 0x0040),
        (0xFFFF, [true; 4], Reserved, 0xFFC0),
    ];
    for (raw, bits, range, reserved) in rows {
        let status = BloodPressureStatus(raw);
        let named = [
            status.body_movement(),
            status.cuff_too_loose(),
            status.irregular_pulse(),
            status.improper_position(),
        ];
        assert_eq!(
            (named, status.pulse_range(), status.reserved_bits()),
            (bits, range, reserved),
            "{raw:#06X}"
        );
    }
}

/// GATT Specification Supplement, "Glucose Measurement", Sensor Status Annunciation field: in its order.
#[test]
fn glucose_status_bit_by_bit() {
    let in_order = [
        GlucoseStatus::DEVICE_BATTERY_LOW,
        GlucoseStatus::SENSOR_MALFUNCTION,
        GlucoseStatus::SAMPLE_SIZE_INSUFFICIENT,
        GlucoseStatus::STRIP_INSERTION_ERROR,
        GlucoseStatus::STRIP_TYPE_INCORRECT,
        GlucoseStatus::RESULT_TOO_HIGH,
        GlucoseStatus::RESULT_TOO_LOW,
        GlucoseStatus::TEMPERATURE_TOO_HIGH,
        GlucoseStatus::TEMPERATURE_TOO_LOW,
        GlucoseStatus::READ_INTERRUPTED,
        GlucoseStatus::GENERAL_DEVICE_FAULT,
        GlucoseStatus::TIME_FAULT,
    ];
    for (bit, mask) in in_order.into_iter().enumerate() {
        assert_eq!(mask, 1 << bit);
        assert!(GlucoseStatus(mask).has(mask) && !GlucoseStatus(!mask).has(mask), "bit {bit}");
    }
    assert_eq!(GlucoseStatus(0xFFFF).reserved_bits(), 0xF000);
    assert_eq!(GlucoseStatus(0x0FFF).reserved_bits(), 0);
}

#[derive(PartialEq)]
enum Kind {
    Date,
    NoDate,
    Unknown,
}

/// GATT Specification Supplement, "Date Time": year 1582 to 9999, month 1 to 12, day 1 to 31, 23:59:59.
#[test]
fn dates_of_the_calendar() {
    use Kind::{Date, NoDate, Unknown};
    let rows = [
        ([2024, 2, 29, 0, 0, 0], Date, "2024-02-29T00:00:00"),
        ([2025, 2, 29, 0, 0, 0], NoDate, "2025-02-29T00:00:00"),
        ([1900, 2, 29, 0, 0, 0], NoDate, "1900-02-29T00:00:00"),
        ([2000, 2, 29, 0, 0, 0], Date, "2000-02-29T00:00:00"),
        ([2026, 4, 30, 23, 59, 59], Date, "2026-04-30T23:59:59"),
        ([2026, 4, 31, 0, 0, 0], NoDate, "2026-04-31T00:00:00"),
        ([2026, 12, 31, 1, 2, 3], Date, "2026-12-31T01:02:03"),
        ([2026, 12, 32, 1, 2, 3], NoDate, "2026-12-32T01:02:03"),
        ([2026, 13, 12, 18, 53, 54], NoDate, "2026-13-12T18:53:54"),
        ([2026, 1, 1, 24, 0, 0], NoDate, "2026-01-01T24:00:00"),
        ([2026, 1, 1, 0, 60, 0], NoDate, "2026-01-01T00:60:00"),
        ([2026, 1, 1, 0, 0, 60], NoDate, "2026-01-01T00:00:60"),
        ([1581, 12, 31, 0, 0, 0], NoDate, "1581-12-31T00:00:00"),
        ([1582, 1, 1, 0, 0, 0], Date, "1582-01-01T00:00:00"),
        ([9999, 12, 31, 0, 0, 0], Date, "9999-12-31T00:00:00"),
        ([10_000, 1, 1, 0, 0, 0], NoDate, "10000-01-01T00:00:00"),
        ([65_535, 255, 255, 255, 255, 255], NoDate, "65535-255-255T255:255:255"),
        ([0, 0, 0, 0, 0, 0], Unknown, "0000-00-00T00:00:00"),
        ([0, 0, 0, 12, 30, 0], Unknown, "0000-00-00T12:30:00"),
        ([0, 5, 12, 12, 30, 0], Unknown, "0000-05-12T12:30:00"),
        ([2026, 0, 12, 12, 30, 0], Unknown, "2026-00-12T12:30:00"),
        ([2026, 5, 0, 12, 30, 0], Unknown, "2026-05-00T12:30:00"),
    ];
    for ([year, month, day, hours, minutes, seconds], kind, printed) in rows {
        let [month, day, hours, minutes, seconds] =
            [month, day, hours, minutes, seconds].map(|field| field as u8);
        let time = DateTime { year, month, day, hours, minutes, seconds };
        assert_eq!((time.is_date(), time.is_unknown()), (kind == Date, kind == Unknown), "{printed}");
        assert_eq!(time.to_string(), printed);
    }
}

#[test]
fn every_month_has_its_last_day() {
    let [common, leap] = [28, 29].map(|february| [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0]);
    for (year, days) in [(2023, common), (2024, leap), (2100, common), (2400, leap)] {
        for (month, days) in (1..).zip(days) {
            let day = |day| DateTime { year, month, day, hours: 0, minutes: 0, seconds: 0 };
            assert_eq!(day(days).is_date(), days > 0, "{}", day(days));
            assert!(!day(days + 1).is_date(), "{}", day(days + 1));
        }
    }
}

/// Weight Scale Service, "Weight Measurement": 0.005 kg, 0.01 lb; height 0.001 m, 0.1 inch; index 0.1.
#[test]
fn every_step_of_a_scale_comes_back_as_it_was() {
    for raw in 0..=u16::MAX {
        let [low, high] = raw.to_le_bytes();
        for flags in [0x08, 0x09] {
            let sent = [flags, low, high, low, high, low, high];
            let weight = WeightMeasurement::decode(&sent).unwrap().value;
            assert_eq!(weight.encode(&mut [0; 7]), Ok(sent.as_slice()), "{raw}");
            let (steps, places) = if flags == 0x08 { (5, 1000) } else { (1, 100) };
            let thousandths = u32::from(raw) * steps;
            let digits = format!(
                "{}.{:0width$}",
                thousandths / places,
                thousandths % places,
                width = if places == 1000 { 3 } else { 2 }
            );
            let printed = weight.weight.map(|weight| weight.to_string());
            assert_eq!(printed, (raw != 0xFFFF).then_some(digits), "{raw}");
        }
    }
}

fn no_room<T>(field: &'static str) -> Result<T, NoRoom> {
    Err(NoRoom { field })
}

#[test]
fn a_weight_that_is_no_step_of_the_scale_is_not_written() {
    let rows = [
        (WeightUnit::Si, 61_370, -3, Ok([0x00, 0xF2, 0x2F].as_slice())),
        (WeightUnit::Si, 61_371, -3, no_room("weight")),
        (WeightUnit::Si, 6_137, -2, no_room("weight")),
        (WeightUnit::Si, -5, -3, no_room("weight")),
        // 0xFFFF steps would be read as unsuccessful
        (WeightUnit::Si, 327_675, -3, no_room("weight")),
        (WeightUnit::Si, 327_680, -3, no_room("weight")),
        (WeightUnit::Si, i32::MAX, -3, no_room("weight")),
        (WeightUnit::Imperial, 15_700, -2, Ok([0x01, 0x54, 0x3D].as_slice())),
        (WeightUnit::Imperial, 65_535, -2, no_room("weight")),
    ];
    for (unit, mantissa, exponent, expected) in rows {
        let weight = Some(Decimal::new(mantissa, exponent));
        let weight = WeightMeasurement {
            unit,
            weight,
            time_stamp: None,
            user_id: None,
            body_mass_index_height: None,
            reserved_flags: 0,
        };
        assert_eq!(weight.encode(&mut [0; 20]), expected, "{mantissa}e{exponent}");
    }
    let plain = WeightMeasurement::decode(&octets("08B036F500D606")).unwrap().value;
    let both = plain.body_mass_index_height.unwrap();
    let rows = [
        (BodyMassIndexHeight { body_mass_index: Decimal::new(245, 0), ..both }, "body mass index"),
        (BodyMassIndexHeight { height: Decimal::new(175, -2), ..both }, "height"),
    ];
    for (both, field) in rows {
        let weight = WeightMeasurement { body_mass_index_height: Some(both), ..plain };
        assert_eq!(weight.encode(&mut [0; 20]), no_room(field));
    }
}

#[test]
fn a_value_that_its_field_cannot_hold_is_not_written() {
    let plain = GlucoseMeasurement::decode(&octets("030600E407040D10260A000078B0F1")).unwrap().value;
    let minutes = |minutes| GlucoseMeasurement { time_offset: Some(TimeOffset::Minutes(minutes)), ..plain };
    // these minutes would be read as overrun and underrun
    assert_eq!(minutes(i16::MAX).encode(&mut [0; 20]), no_room("time offset"));
    assert_eq!(minutes(i16::MIN).encode(&mut [0; 20]), no_room("time offset"));
    assert!(minutes(i16::MIN + 1).encode(&mut [0; 20]).is_ok());

    let concentration = plain.concentration.unwrap();
    let kind = hearth_wire::gatt::Concentration { kind: 16, ..concentration };
    let value =
        hearth_wire::gatt::Concentration { value: Value::Finite(Decimal::new(2047, 0)), ..concentration };
    for (concentration, field) in [(kind, "type and sample location"), (value, "glucose concentration")] {
        let glucose = GlucoseMeasurement { concentration: Some(concentration), ..plain };
        assert_eq!(glucose.encode(&mut [0; 20]), no_room(field));
    }

    let context = GlucoseMeasurementContext::decode(&octets("042C0111")).unwrap().value;
    let tester_health = Some(TesterHealth { tester: 1, health: 16 });
    let context = GlucoseMeasurementContext { tester_health, ..context };
    assert_eq!(context.encode(&mut [0; 20]), no_room("tester and health"));

    let pressure = BloodPressureMeasurement::decode(&octets("00780050006400")).unwrap().value;
    let systolic = Value::Finite(Decimal::new(12_000, -2));
    let pressure = BloodPressureMeasurement { systolic, ..pressure };
    assert_eq!(pressure.encode(&mut [0; 20]), no_room("systolic"));
}

#[test]
fn every_error_is_one_sentence_that_names_the_place() {
    let rows: [(&dyn core::error::Error, &str); 7] = [
        (&Malformed::Empty, "the device sent no octets"),
        (
            &Malformed::Truncated { field: "time stamp", at: 7, needed: 7, left: 6 },
            "truncated: time stamp at octet 7 needs 7 octets, 6 left",
        ),
        (
            &Malformed::Truncated { field: "operator", at: 1, needed: 1, left: 0 },
            "truncated: operator at octet 1 needs 1 octet, 0 left",
        ),
        (
            &Malformed::Unexpected { field: "op code", at: 0, value: 17 },
            "unexpected: op code at octet 0 is 17, which the standard does not allow here",
        ),
        (
            &Malformed::Checksum { field: "E2E-CRC", at: 6, sent: 0x3412, computed: 0x0934 },
            "checksum: E2E-CRC at octet 6 is 0x3412, and the octets make 0x0934",
        ),
        (&Malformed::NotText { at: 3 }, "not text: the octets from 3 on are not UTF-8"),
        (
            &NoRoom { field: "weight" },
            "no room for weight: the buffer ends before it, or the field cannot hold its value",
        ),
    ];
    for (error, sentence) in rows {
        assert_eq!(error.to_string(), sentence);
    }
}
