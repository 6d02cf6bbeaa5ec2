use crate::crc::mcrf4xx;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom, Value};

/// CGM Measurement, 0x2AA7: one record. A value may hold several: see [`CgmMeasurement::records`].
///
/// Bluetooth GATT Specification Supplement, "CGM Measurement"; Continuous Glucose Monitoring Service, "CGM
/// Measurement". Layout: size u8 (of the whole record), flags u8, glucose SFLOAT, time offset u16; then, as
/// flagged, status, calibration and temperature, and warning u8, trend SFLOAT, quality SFLOAT; then, if the
/// size has room for it, E2E-CRC u16 over all that comes before. Tolerated: reserved flag bits (kept), no
/// CRC, octets after the record (handed back). Refused: a size that neither the fields nor the fields with a
/// CRC make, and a CRC that the octets do not make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CgmMeasurement {
    /// mg/dL
    pub glucose: Value,
    /// Minutes since the session began; which session, the record does not say.
    pub time_offset_minutes: u16,
    /// bit 0 session stopped, 1 battery low, 2 sensor type incorrect, 3 sensor malfunction, 4 device-specific
    /// alert, 5 general fault
    pub status: Option<u8>,
    /// bit 0 time must be set, 1 calibration not allowed, 2 recommended, 3 required, 4 sensor temperature too
    /// high, 5 too low
    pub calibration_temperature: Option<u8>,
    /// bit 0 below the patient's low level, 1 above the high, 2 below hypo, 3 above hyper, 4 falls too fast,
    /// 5 rises too fast, 6 below what the device can process, 7 above
    pub warning: Option<u8>,
    /// (mg/dL)/min
    pub trend: Option<Value>,
    /// percent
    pub quality: Option<Value>,
    /// As sent, and right. Written anew by `encode`, whatever it says.
    pub e2e_crc: Option<u16>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const TREND: u8 = 1;
const QUALITY: u8 = 1 << 1;
const WARNING: u8 = 1 << 5;
const CALIBRATION_TEMPERATURE: u8 = 1 << 6;
const STATUS: u8 = 1 << 7;
const RESERVED: u8 = 0b0001_1100;

impl CgmMeasurement {
    pub const UUID: u16 = 0x2AA7;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let size = reader.u8("size")?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let mut value = Self {
            glucose: reader.sfloat("glucose concentration")?,
            time_offset_minutes: reader.u16("time offset")?,
            status: has(STATUS).then(|| reader.u8("status")).transpose()?,
            calibration_temperature: has(CALIBRATION_TEMPERATURE)
                .then(|| reader.u8("calibration and temperature"))
                .transpose()?,
            warning: has(WARNING).then(|| reader.u8("warning")).transpose()?,
            trend: has(TREND).then(|| reader.sfloat("trend")).transpose()?,
            quality: has(QUALITY).then(|| reader.sfloat("quality")).transpose()?,
            e2e_crc: None,
            reserved_flags: flags & RESERVED,
        };
        let fields = octets.split_at(reader.at()).0;
        match usize::from(size).checked_sub(fields.len()) {
            Some(0) => {}
            Some(2) => {
                let (sent, computed) = (reader.u16(E2E_CRC)?, mcrf4xx(fields));
                if sent != computed {
                    return Err(Malformed::Checksum { field: E2E_CRC, at: fields.len(), sent, computed });
                }
                value.e2e_crc = Some(sent);
            }
            _ => return Err(Malformed::Unexpected { field: "size", at: 0, value: size.into() }),
        }
        Ok(reader.done(value))
    }

    /// All records of a value, one after another. The first that cannot be read ends it, with its reason.
    pub fn records(octets: &[u8]) -> impl Iterator<Item = Result<Self, Malformed>> {
        let mut rest = Some(octets);
        core::iter::from_fn(move || {
            let here = rest.take()?;
            match Self::decode(here) {
                Ok(Decoded { value, trailing }) => {
                    rest = (!trailing.is_empty()).then_some(trailing);
                    Some(Ok(value))
                }
                Err(why) => Some(Err(why.further(octets.len() - here.len()))),
            }
        })
    }

    /// At most 15 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.trend.is_some(), TREND);
        flag(self.quality.is_some(), QUALITY);
        flag(self.warning.is_some(), WARNING);
        flag(self.calibration_temperature.is_some(), CALIBRATION_TEMPERATURE);
        flag(self.status.is_some(), STATUS);
        let annunciations = [
            ("status", self.status),
            ("calibration and temperature", self.calibration_temperature),
            ("warning", self.warning),
        ];
        let floats = [("trend", self.trend), ("quality", self.quality)];
        let octets = annunciations.iter().filter(|(_, octet)| octet.is_some()).count();
        let pairs =
            floats.iter().filter(|(_, value)| value.is_some()).count() + usize::from(self.e2e_crc.is_some());

        let mut writer = Writer::new(buffer);
        writer.u8("size", (6 + octets + 2 * pairs) as u8)?;
        writer.u8("flags", flags)?;
        writer.sfloat("glucose concentration", self.glucose)?;
        writer.u16("time offset", self.time_offset_minutes)?;
        for (field, octet) in annunciations {
            if let Some(octet) = octet {
                writer.u8(field, octet)?;
            }
        }
        for (field, value) in floats {
            if let Some(value) = value {
                writer.sfloat(field, value)?;
            }
        }
        if self.e2e_crc.is_some() {
            let crc = mcrf4xx(writer.written());
            writer.u16(E2E_CRC, crc)?;
        }
        Ok(writer.done())
    }
}

const E2E_CRC: &str = "E2E-CRC";
