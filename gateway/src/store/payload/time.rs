//! Ticks, instants and clocks inside payloads.

use super::Unreadable;
use hearth_core::when::{BootNo, ContactNo, Face, HubTicks, Sample, Span, Stamp};
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};

super::twin!(FaceRow = Face { Base, Shown });

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct TicksRow {
    boot: u32,
    ms: i64,
}

impl From<HubTicks> for TicksRow {
    fn from(ticks: HubTicks) -> TicksRow {
        TicksRow { boot: ticks.boot.0, ms: ticks.ms }
    }
}

impl From<TicksRow> for HubTicks {
    fn from(row: TicksRow) -> HubTicks {
        HubTicks { boot: BootNo(row.boot), ms: row.ms }
    }
}

/// Seconds since 1970, and nanoseconds of the same sign.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct InstantRow(i64, i32);

impl From<Timestamp> for InstantRow {
    fn from(instant: Timestamp) -> InstantRow {
        InstantRow(instant.as_second(), instant.subsec_nanosecond())
    }
}

impl TryFrom<InstantRow> for Timestamp {
    type Error = Unreadable;

    fn try_from(row: InstantRow) -> Result<Timestamp, Unreadable> {
        Timestamp::new(row.0, row.1).map_err(|_| Unreadable::Field("instant"))
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct SpanRow(InstantRow, InstantRow);

impl From<Span> for SpanRow {
    fn from(span: Span) -> SpanRow {
        SpanRow(span.earliest.into(), span.latest.into())
    }
}

impl TryFrom<SpanRow> for Span {
    type Error = Unreadable;

    fn try_from(row: SpanRow) -> Result<Span, Unreadable> {
        Ok(Span { earliest: row.0.try_into()?, latest: row.1.try_into()? })
    }
}

/// What a device's clock showed: year, month, day, hour, minute, second, nanosecond.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct StampRow {
    face: FaceRow,
    civil: (i16, i8, i8, i8, i8, i8, i32),
}

impl From<Stamp> for StampRow {
    fn from(stamp: Stamp) -> StampRow {
        let c = stamp.civil;
        let civil = (c.year(), c.month(), c.day(), c.hour(), c.minute(), c.second(), c.subsec_nanosecond());
        StampRow { face: stamp.face.into(), civil }
    }
}

impl TryFrom<StampRow> for Stamp {
    type Error = Unreadable;

    fn try_from(row: StampRow) -> Result<Stamp, Unreadable> {
        let (year, month, day, hour, minute, second, nanosecond) = row.civil;
        let civil = civil::DateTime::new(year, month, day, hour, minute, second, nanosecond)
            .map_err(|_| Unreadable::Field("stamp"))?;
        Ok(Stamp { face: row.face.into(), civil })
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct SampleRow {
    contact: u64,
    clock: StampRow,
    asked: TicksRow,
    answered: TicksRow,
}

impl From<Sample> for SampleRow {
    fn from(sample: Sample) -> SampleRow {
        SampleRow {
            contact: sample.contact.0,
            clock: sample.clock.into(),
            asked: sample.asked.into(),
            answered: sample.answered.into(),
        }
    }
}

impl TryFrom<SampleRow> for Sample {
    type Error = Unreadable;

    fn try_from(row: SampleRow) -> Result<Sample, Unreadable> {
        Ok(Sample {
            contact: ContactNo(row.contact),
            clock: row.clock.try_into()?,
            asked: row.asked.into(),
            answered: row.answered.into(),
        })
    }
}
