//! A reading at rest: each measurement as (characteristic, the standard's own octets).

use super::binding::who;
use super::record::QuantityRow;
use super::time::{InstantRow, SampleRow, SpanRow, StampRow};
use super::{Payload, Unreadable};
use hearth_core::capture::{DeviceNo, Key, Uuid16};
use hearth_core::decode::{Measurement, decode};
use hearth_core::identity::{Attested, Labels, Revision};
use hearth_core::profile::ProfileName;
use hearth_core::reading::{Doubt, Issue, Reading, Version};
use hearth_core::when::{Sample, Source, Stamp, When, ZoneName};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

super::twin!(SourceRow = Source { Sample, DeviceUtc, Zone, Heard });

#[derive(Serialize, Deserialize)]
struct MeasurementRow(u16, Vec<u8>);

impl From<&Measurement> for MeasurementRow {
    fn from(measurement: &Measurement) -> MeasurementRow {
        MeasurementRow(measurement.characteristic().0, measurement.encode())
    }
}

impl TryFrom<MeasurementRow> for Measurement {
    type Error = Unreadable;

    fn try_from(row: MeasurementRow) -> Result<Measurement, Unreadable> {
        // Quirks were applied before it was kept: what lies here is by the letter.
        decode(Uuid16(row.0), &row.1, &[])
            .map(|p| p.measurement)
            .map_err(|_| Unreadable::Field("measurement"))
    }
}

#[derive(Serialize, Deserialize)]
enum DoubtRow {
    BodyMovement,
    CuffTooLoose,
    ImproperPosition,
    IrregularPulse,
    PulseAboveLimit,
    PulseBelowLimit,
    Extreme(QuantityRow),
    Sensor(u16),
    ClockUnverified,
    OffsetChanged,
    ClockOff,
    Broadcast,
    Oximeter { measurement: u16, sensor: u32 },
    NoContact,
}

impl From<&Doubt> for DoubtRow {
    fn from(doubt: &Doubt) -> DoubtRow {
        match *doubt {
            Doubt::BodyMovement => DoubtRow::BodyMovement,
            Doubt::CuffTooLoose => DoubtRow::CuffTooLoose,
            Doubt::ImproperPosition => DoubtRow::ImproperPosition,
            Doubt::IrregularPulse => DoubtRow::IrregularPulse,
            Doubt::PulseAboveLimit => DoubtRow::PulseAboveLimit,
            Doubt::PulseBelowLimit => DoubtRow::PulseBelowLimit,
            Doubt::Extreme(quantity) => DoubtRow::Extreme(quantity.into()),
            Doubt::Sensor(bits) => DoubtRow::Sensor(bits),
            Doubt::ClockUnverified => DoubtRow::ClockUnverified,
            Doubt::OffsetChanged => DoubtRow::OffsetChanged,
            Doubt::ClockOff => DoubtRow::ClockOff,
            Doubt::Broadcast => DoubtRow::Broadcast,
            Doubt::Oximeter { measurement, sensor } => DoubtRow::Oximeter { measurement, sensor },
            Doubt::NoContact => DoubtRow::NoContact,
        }
    }
}

impl From<DoubtRow> for Doubt {
    fn from(row: DoubtRow) -> Doubt {
        match row {
            DoubtRow::BodyMovement => Doubt::BodyMovement,
            DoubtRow::CuffTooLoose => Doubt::CuffTooLoose,
            DoubtRow::ImproperPosition => Doubt::ImproperPosition,
            DoubtRow::IrregularPulse => Doubt::IrregularPulse,
            DoubtRow::PulseAboveLimit => Doubt::PulseAboveLimit,
            DoubtRow::PulseBelowLimit => Doubt::PulseBelowLimit,
            DoubtRow::Extreme(quantity) => Doubt::Extreme(quantity.into()),
            DoubtRow::Sensor(bits) => Doubt::Sensor(bits),
            DoubtRow::ClockUnverified => Doubt::ClockUnverified,
            DoubtRow::OffsetChanged => Doubt::OffsetChanged,
            DoubtRow::ClockOff => Doubt::ClockOff,
            DoubtRow::Broadcast => Doubt::Broadcast,
            DoubtRow::Oximeter { measurement, sensor } => Doubt::Oximeter { measurement, sensor },
            DoubtRow::NoContact => Doubt::NoContact,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct WhenRow {
    span: SpanRow,
    source: SourceRow,
    effective: InstantRow,
    zone: String,
    offset_s: i32,
    correction_s: Option<i64>,
    sample: Option<SampleRow>,
}

impl From<&When> for WhenRow {
    fn from(when: &When) -> WhenRow {
        WhenRow {
            span: when.span.into(),
            source: when.source.into(),
            effective: when.effective.into(),
            zone: when.zone.as_str().to_owned(),
            offset_s: when.offset.seconds(),
            correction_s: when.correction_s,
            sample: when.sample.map(Into::into),
        }
    }
}

impl TryFrom<WhenRow> for When {
    type Error = Unreadable;

    fn try_from(row: WhenRow) -> Result<When, Unreadable> {
        Ok(When {
            span: row.span.try_into()?,
            source: row.source.into(),
            effective: row.effective.try_into()?,
            zone: ZoneName::parse(&row.zone).ok_or(Unreadable::Field("zone"))?,
            offset: Offset::from_seconds(row.offset_s).map_err(|_| Unreadable::Field("offset"))?,
            correction_s: row.correction_s,
            sample: row.sample.map(Sample::try_from).transpose()?,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ReadingRow {
    key: [u8; 32],
    issue: u16,
    supersedes: Option<u16>,
    semantic: Option<[u8; 32]>,
    measure: MeasurementRow,
    companions: Vec<MeasurementRow>,
    doubts: Vec<DoubtRow>,
    stamp: Option<StampRow>,
    when: WhenRow,
    /// `None`: a test.
    person: Option<i64>,
    sole_use: Option<String>,
    labels: Vec<String>,
    binding: u32,
    profile: (String, u32),
    interpreter: u32,
}

impl Payload for ReadingRow {
    const VERSION: u8 = 1;
}

impl ReadingRow {
    pub(crate) fn of(reading: &Reading) -> ReadingRow {
        ReadingRow {
            key: reading.key.0,
            issue: reading.issue.0,
            supersedes: reading.supersedes.map(|i| i.0),
            semantic: reading.semantic.map(|k| k.0),
            measure: (&reading.measure).into(),
            companions: reading.companions.iter().map(Into::into).collect(),
            doubts: reading.doubts.iter().map(Into::into).collect(),
            stamp: reading.stamp.map(Into::into),
            when: (&reading.when).into(),
            person: who::to(reading.who),
            sole_use: reading.sole_use.clone().map(|a| a.by),
            labels: reading.labels.0.iter().cloned().collect(),
            binding: reading.binding.0,
            profile: (reading.profile.0.0.clone(), reading.profile.1.0),
            interpreter: reading.interpreter.0,
        }
    }

    pub(crate) fn reading(self, device: DeviceNo) -> Result<Reading, Unreadable> {
        Ok(Reading {
            key: Key(self.key),
            issue: Issue(self.issue),
            supersedes: self.supersedes.map(Issue),
            semantic: self.semantic.map(Key),
            device,
            measure: self.measure.try_into()?,
            companions: self.companions.into_iter().map(Measurement::try_from).collect::<Result<_, _>>()?,
            doubts: self.doubts.into_iter().map(Into::into).collect(),
            stamp: self.stamp.map(Stamp::try_from).transpose()?,
            when: self.when.try_into()?,
            who: who::from(self.person),
            sole_use: self.sole_use.map(|by| Attested { by }),
            labels: Labels(self.labels.into_iter().collect()),
            binding: Revision(self.binding),
            profile: (ProfileName(self.profile.0), Version(self.profile.1)),
            interpreter: Version(self.interpreter),
        })
    }
}
