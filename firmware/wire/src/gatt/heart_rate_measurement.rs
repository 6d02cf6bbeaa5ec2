use core::fmt;

use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SensorContact {
    /// The device cannot tell.
    NotSupported,
    NotDetected,
    Detected,
}

/// Times between beats in 1/1024 s, the oldest first; at most [`RrIntervals::MOST`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RrIntervals {
    intervals: [u16; Self::MOST],
    count: u8,
}

impl RrIntervals {
    /// Twice as many as fit into a notification of the smallest ATT_MTU, 23 octets.
    pub const MOST: usize = 18;

    /// `None` for more than [`RrIntervals::MOST`].
    pub fn new(sent: &[u16]) -> Option<Self> {
        let mut intervals = [0; Self::MOST];
        intervals.get_mut(..sent.len())?.copy_from_slice(sent);
        Some(Self { intervals, count: u8::try_from(sent.len()).ok()? })
    }

    pub fn as_slice(&self) -> &[u16] {
        self.intervals.split_at(usize::from(self.count)).0
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut intervals = [0; Self::MOST];
        let mut count = 0;
        for interval in &mut intervals {
            if reader.is_empty() {
                break;
            }
            *interval = reader.u16("RR-interval")?;
            count += 1;
        }
        Ok(Self { intervals, count })
    }
}

impl fmt::Debug for RrIntervals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.as_slice()).finish()
    }
}

/// Heart Rate Measurement, 0x2A37: sent live; it has neither a time nor a number.
///
/// Bluetooth GATT Specification Supplement, "Heart Rate Measurement"; Heart Rate Service, "Heart Rate
/// Measurement". Layout: flags u8, rate u8 or u16; then, as flagged, energy expended u16, RR-intervals u16
/// to the end. Tolerated: reserved flag bits (kept), a contact status without contact support (dropped), a
/// flag for intervals and none, octets after the last field and intervals after the eighteenth (handed
/// back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeartRateMeasurement {
    pub beats_per_minute: u16,
    /// The rate is sent as u16, however small it is.
    pub two_octets: bool,
    pub sensor_contact: SensorContact,
    /// kJ since the last reset. 65535: that or more.
    pub energy_expended_kilojoule: Option<u16>,
    pub rr_intervals: Option<RrIntervals>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const TWO_OCTETS: u8 = 1;
const CONTACT_DETECTED: u8 = 1 << 1;
const CONTACT_SUPPORTED: u8 = 1 << 2;
const ENERGY_EXPENDED: u8 = 1 << 3;
const RR_INTERVALS: u8 = 1 << 4;
const RESERVED: u8 = 0b1110_0000;

impl HeartRateMeasurement {
    pub const UUID: u16 = 0x2A37;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let rate = "heart rate";
        let value = Self {
            beats_per_minute: if has(TWO_OCTETS) { reader.u16(rate)? } else { reader.u8(rate)?.into() },
            two_octets: has(TWO_OCTETS),
            sensor_contact: match (has(CONTACT_SUPPORTED), has(CONTACT_DETECTED)) {
                (false, _) => SensorContact::NotSupported,
                (true, false) => SensorContact::NotDetected,
                (true, true) => SensorContact::Detected,
            },
            energy_expended_kilojoule: has(ENERGY_EXPENDED)
                .then(|| reader.u16("energy expended"))
                .transpose()?,
            rr_intervals: has(RR_INTERVALS).then(|| RrIntervals::read(&mut reader)).transpose()?,
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// At most 41 octets. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = 0;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.two_octets, TWO_OCTETS);
        flag(self.sensor_contact == SensorContact::Detected, CONTACT_DETECTED);
        flag(self.sensor_contact != SensorContact::NotSupported, CONTACT_SUPPORTED);
        flag(self.energy_expended_kilojoule.is_some(), ENERGY_EXPENDED);
        flag(self.rr_intervals.is_some(), RR_INTERVALS);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        let field = "heart rate";
        if self.two_octets {
            writer.u16(field, self.beats_per_minute)?;
        } else {
            writer.u8(field, u8::try_from(self.beats_per_minute).map_err(|_| NoRoom { field })?)?;
        }
        if let Some(kilojoule) = self.energy_expended_kilojoule {
            writer.u16("energy expended", kilojoule)?;
        }
        for interval in self.rr_intervals.iter().flat_map(RrIntervals::as_slice) {
            writer.u16("RR-interval", *interval)?;
        }
        Ok(writer.done())
    }
}
