//! Status bits of cuffs and meters: HL7's code system ASN1ToHL7, and what each says in plain English.

use hearth_wire::gatt::GlucoseStatus;
use std::borrow::Cow;

/// A status bit: its place in the frame, its code in ASN1ToHL7, and what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bit {
    pub mask: u16,
    pub code: &'static str,
    pub display: &'static str,
    pub note: &'static str,
    /// Whether it makes the value doubtful (CLINICAL 13).
    pub questionable: bool,
}

const fn bit(
    mask: u16,
    code: &'static str,
    display: &'static str,
    note: &'static str,
    questionable: bool,
) -> Bit {
    Bit { mask, code, display, note, questionable }
}

/// ASN1ToHL7 8410608.0 … 8410608.5 (PHD 2.0). The two-bit pulse range of 2A35 has been spread over bits 3
/// and 4 before it is looked up here.
pub const CUFF_BITS: [Bit; 6] = [
    bit(1, "8410608.0", "body-movement", "Cuff reported: body movement", true),
    bit(1 << 1, "8410608.1", "cuff-too-loose", "Cuff reported: cuff too loose", true),
    bit(1 << 2, "8410608.2", "irregular-pulse", "Device flag: irregular pulse", false),
    bit(
        1 << 3,
        "8410608.3",
        "pulse-over-range-limit",
        "Device flag: pulse rate above the upper limit",
        false,
    ),
    bit(
        1 << 4,
        "8410608.4",
        "pulse-under-range-limit",
        "Device flag: pulse rate below the lower limit",
        false,
    ),
    bit(1 << 5, "8410608.5", "improper-body-position", "Cuff reported: improper measurement position", true),
];

/// ASN1ToHL7 8417752.0 … 8417752.10. Bit 11 is deliberately absent: there it means "temperature out of range",
/// in the frame "time fault" (PHD 2.0).
pub const METER_BITS: [Bit; 11] = [
    bit(
        GlucoseStatus::DEVICE_BATTERY_LOW,
        "8417752.0",
        "device-battery-low",
        "Meter reported: battery low",
        false,
    ),
    bit(
        GlucoseStatus::SENSOR_MALFUNCTION,
        "8417752.1",
        "sensor-malfunction",
        "Meter reported: sensor malfunction or fault",
        true,
    ),
    bit(
        GlucoseStatus::SAMPLE_SIZE_INSUFFICIENT,
        "8417752.2",
        "sensor-sample-size-insufficient",
        "Meter reported: sample insufficient",
        true,
    ),
    bit(
        GlucoseStatus::STRIP_INSERTION_ERROR,
        "8417752.3",
        "sensor-strip-insertion",
        "Meter reported: strip insertion error",
        true,
    ),
    bit(
        GlucoseStatus::STRIP_TYPE_INCORRECT,
        "8417752.4",
        "sensor-strip-type-incorrect",
        "Meter reported: wrong strip type",
        true,
    ),
    bit(
        GlucoseStatus::RESULT_TOO_HIGH,
        "8417752.5",
        "sensor-result-too-high",
        "Meter reported: result too high for the meter",
        true,
    ),
    bit(
        GlucoseStatus::RESULT_TOO_LOW,
        "8417752.6",
        "sensor-result-too-low",
        "Meter reported: result too low for the meter",
        true,
    ),
    bit(
        GlucoseStatus::TEMPERATURE_TOO_HIGH,
        "8417752.7",
        "sensor-temp-too-high",
        "Meter reported: temperature too high",
        true,
    ),
    bit(
        GlucoseStatus::TEMPERATURE_TOO_LOW,
        "8417752.8",
        "sensor-temp-too-low",
        "Meter reported: temperature too low",
        true,
    ),
    bit(
        GlucoseStatus::READ_INTERRUPTED,
        "8417752.9",
        "sensor-read-interrupt",
        "Meter reported: strip pulled too soon",
        true,
    ),
    bit(
        GlucoseStatus::GENERAL_DEVICE_FAULT,
        "8417752.10",
        "device-gen-fault",
        "Meter reported: general device fault",
        true,
    ),
];

/// What an oximeter says against its own value, in words (Pulse Oximeter Service, "Measurement Status" and "Device and
/// Sensor Status"): PHD 2.0 codes it in 10404's own terms, of which none was verified.
pub fn oximeter(measurement: u16, sensor: u32) -> impl Iterator<Item = Cow<'static, str>> {
    const MEASUREMENT: [(u16, &str); 5] = [
        (5, "measurement ongoing"),
        (12, "calibration ongoing"),
        (13, "measurement unavailable"),
        (14, "questionable measurement"),
        (15, "invalid measurement"),
    ];
    const SENSOR: [(u16, &str); 15] = [
        (1, "equipment malfunction"),
        (2, "signal processing irregularity"),
        (3, "inadequate signal"),
        (4, "poor signal"),
        (5, "low perfusion"),
        (6, "erratic signal"),
        (7, "non-pulsatile signal"),
        (8, "questionable pulse"),
        (9, "signal analysis ongoing"),
        (10, "sensor interference"),
        (11, "sensor unconnected to user"),
        (12, "unknown sensor connected"),
        (13, "sensor displaced"),
        (14, "sensor malfunctioning"),
        (15, "sensor disconnected"),
    ];
    let set = |bits: u32| move |(bit, words): &(u16, &'static str)| (bits >> bit & 1 != 0).then_some(*words);
    let of_measurement = MEASUREMENT.into_iter().filter_map(move |row| set(measurement.into())(&row));
    let of_sensor = SENSOR.into_iter().filter_map(move |row| set(sensor)(&row));
    of_measurement.chain(of_sensor).map(|words| format!("Oximeter reported: {words}").into())
}
