use super::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// What one count of the time is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeResolution {
    Second,
    TenthOfSecond,
    Millisecond,
    /// 100 microseconds
    TenthOfMillisecond,
}

impl TimeResolution {
    pub fn counts_per_second(self) -> u64 {
        match self {
            TimeResolution::Second => 1,
            TimeResolution::TenthOfSecond => 10,
            TimeResolution::Millisecond => 1_000,
            TimeResolution::TenthOfMillisecond => 10_000,
        }
    }
}

/// What a device says of its clock when the characteristic is read or indicated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockState {
    /// bit 0: needs to be set
    pub status: u8,
    pub capabilities: u8,
}

/// Current Elapsed Time, 0x2BF2: nine octets as written, eleven as read or indicated.
///
/// Bluetooth GATT Specification Supplement, "Current Elapsed Time" and "Elapsed Time"; Elapsed Time Service,
/// "Current Elapsed Time". Layout: flags u8, time u48, time synchronization source u8, zone and daylight
/// saving offset i8; then, or not, clock status u8 and clock capabilities u8. Tolerated: reserved flag bits
/// (kept), an offset that the flags do not use (kept), octets after the last field (handed back).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CurrentElapsedTime {
    /// The time counts from an instant that nobody knows, not from 2000-01-01.
    pub tick_counter: bool,
    pub utc: bool,
    pub resolution: TimeResolution,
    pub offset_used: bool,
    /// No jump of the clock lies between this time and now. Of the current time always so.
    pub current_timeline: bool,
    /// 48 bits, in `resolution`.
    pub time: u64,
    /// 0 unknown, 1 NTP, 2 GPS, 3 radio, 4 manual, 5 atomic, 6 cellular network, 7 not synchronized
    pub sync_source: u8,
    /// Zone and daylight saving time together, as sent; see [`CurrentElapsedTime::offset`].
    pub offset_quarter_hours: i8,
    pub clock: Option<ClockState>,
    /// Flag bits that the standard reserves and the device set nevertheless.
    pub reserved_flags: u8,
}

const TICK_COUNTER: u8 = 1;
const UTC: u8 = 1 << 1;
const RESOLUTION_AT: u32 = 2;
const OFFSET_USED: u8 = 1 << 4;
const CURRENT_TIMELINE: u8 = 1 << 5;
const RESERVED: u8 = 0b1100_0000;

/// 2000-01-01T00:00:00
const EPOCH_YEAR: u16 = 2000;

impl CurrentElapsedTime {
    pub const UUID: u16 = 0x2BF2;

    pub fn decode(octets: &[u8]) -> Result<Decoded<'_, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let flags = reader.u8("flags")?;
        let has = |flag: u8| flags & flag != 0;
        let value = Self {
            tick_counter: has(TICK_COUNTER),
            utc: has(UTC),
            resolution: match flags >> RESOLUTION_AT & 0b11 {
                0 => TimeResolution::Second,
                1 => TimeResolution::TenthOfSecond,
                2 => TimeResolution::Millisecond,
                _ => TimeResolution::TenthOfMillisecond,
            },
            offset_used: has(OFFSET_USED),
            current_timeline: has(CURRENT_TIMELINE),
            time: reader.u48("time")?,
            sync_source: reader.u8("time synchronization source")?,
            offset_quarter_hours: reader.i8("zone and daylight saving offset")?,
            clock: (!reader.is_empty()).then(|| clock(&mut reader)).transpose()?,
            reserved_flags: flags & RESERVED,
        };
        Ok(reader.done(value))
    }

    /// Nine octets, or eleven with the clock's state. Reserved flags are not sent.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut flags = match self.resolution {
            TimeResolution::Second => 0,
            TimeResolution::TenthOfSecond => 1,
            TimeResolution::Millisecond => 2,
            TimeResolution::TenthOfMillisecond => 3,
        } << RESOLUTION_AT;
        let mut flag = |set: bool, bit: u8| flags |= if set { bit } else { 0 };
        flag(self.tick_counter, TICK_COUNTER);
        flag(self.utc, UTC);
        flag(self.offset_used, OFFSET_USED);
        flag(self.current_timeline, CURRENT_TIMELINE);

        let mut writer = Writer::new(buffer);
        writer.u8("flags", flags)?;
        writer.u48("time", self.time)?;
        writer.u8("time synchronization source", self.sync_source)?;
        writer.i8("zone and daylight saving offset", self.offset_quarter_hours)?;
        if let Some(ClockState { status, capabilities }) = self.clock {
            writer.u8("clock status", status)?;
            writer.u8("clock capabilities", capabilities)?;
        }
        Ok(writer.done())
    }

    /// From UTC to local time, if the device says that it knows.
    pub fn offset(&self) -> Option<i8> {
        self.offset_used.then_some(self.offset_quarter_hours)
    }

    /// The date and time that the device shows, to the second: local, or UTC if `utc`. `None`: it counts
    /// ticks, or lies after the year 9999.
    pub fn date_time(&self) -> Option<DateTime> {
        let seconds = self.time / self.resolution.counts_per_second();
        DateTime::since(EPOCH_YEAR, seconds).filter(|_| !self.tick_counter)
    }
}

fn clock(reader: &mut Reader<'_>) -> Result<ClockState, Malformed> {
    Ok(ClockState { status: reader.u8("clock status")?, capabilities: reader.u8("clock capabilities")? })
}
