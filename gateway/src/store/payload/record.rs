//! What was heard, and what became of it.

use super::time::TicksRow;
use super::{Payload, Unreadable};
use hearth_core::admit::{Fate, For, RecordNo, Refusal, TimeDoubt, Why};
use hearth_core::capture::{Capture, DeviceNo, Key, Link, Name, Origin, Uuid16};
use hearth_core::decode::decode;
use hearth_core::identity::{PersonNo, Revision};
use hearth_core::profile::ProfileName;
use hearth_core::quirk::Quirk;
use hearth_core::reading::{Issue, Quantity, Version};
use hearth_core::when::{ContactNo, HubTicks};
use serde::{Deserialize, Serialize};

super::twin!(LinkRow = Link { Bonded, Open, Broadcast, Wired });
super::twin!(ForRow = For { Partner, Clock, Identity, HubTime });
super::twin!(
    QuantityRow = Quantity {
        Systolic,
        Diastolic,
        MeanArterialPressure,
        PulseRate,
        Glucose,
        BodyWeight,
        BodyHeight,
        BodyMassIndex,
        BodyFat,
        FatFreeMass,
        SoftLeanMass,
        BodyWaterMass,
        BodyTemperature,
        OxygenSaturation,
        HeartRate,
    }
);
super::twin!(
    TimeDoubtRow = TimeDoubt {
        NotADate,
        Untimed,
        HubClock,
        Reset,
        TwoTimelines,
        Future,
        Fold,
        Gap,
        DeviceFault,
        OffsetLost,
    }
);

/// One hearing. Who, where and when lie beside it, in the clear.
#[derive(Serialize, Deserialize)]
pub(crate) struct CaptureRow {
    characteristic: u16,
    link: LinkRow,
    recorder: [u8; 8],
    epoch: u32,
    number: u64,
    octets: Vec<u8>,
}

impl Payload for CaptureRow {
    const VERSION: u8 = 1;
}

impl CaptureRow {
    pub(crate) fn of(capture: &Capture) -> CaptureRow {
        let Origin { recorder, epoch, number } = capture.origin;
        CaptureRow {
            characteristic: capture.characteristic.0,
            link: capture.link.into(),
            recorder,
            epoch,
            number,
            octets: capture.octets.to_vec(),
        }
    }

    pub(crate) fn capture(self, device: DeviceNo, contact: ContactNo, at: HubTicks) -> Capture {
        Capture {
            device,
            contact,
            link: self.link.into(),
            origin: Origin { recorder: self.recorder, epoch: self.epoch, number: self.number },
            at,
            characteristic: Uuid16(self.characteristic),
            octets: self.octets.into(),
        }
    }
}

/// A record's name, its fate in full, whose a person said it is, and when it was taken, where that was later than it was heard.
#[derive(Serialize, Deserialize)]
pub(crate) struct RecordRow {
    name: [u8; 32],
    fate: FateRow,
    given: Option<i64>,
    taken: Option<TicksRow>,
}

/// What it says.
pub(crate) struct Parts {
    pub(crate) name: Name,
    pub(crate) fate: Fate,
    pub(crate) given: Option<PersonNo>,
    pub(crate) taken: Option<HubTicks>,
}

impl Payload for RecordRow {
    /// 2: given. 3: taken.
    const VERSION: u8 = 3;
}

impl RecordRow {
    pub(crate) fn of(name: Name, fate: &Fate, given: Option<PersonNo>, taken: Option<HubTicks>) -> RecordRow {
        RecordRow {
            name: name.0,
            fate: fate.into(),
            given: given.map(|person| person.0),
            taken: taken.map(Into::into),
        }
    }

    /// `first`: the first hearing, which says again why it can't be decoded.
    pub(crate) fn parts(self, first: &Capture) -> Result<Parts, Unreadable> {
        Ok(Parts {
            name: Name(self.name),
            fate: self.fate.fate(first)?,
            given: self.given.map(PersonNo),
            taken: self.taken.map(Into::into),
        })
    }
}

#[derive(Serialize, Deserialize)]
enum FateRow {
    New,
    Await { wants: Vec<ForRow>, until: TicksRow },
    Hold(WhyRow),
    Reissue(u16),
    Admitted([u8; 32], u16),
    Companion(i64),
    Repeat,
    Retracted([u8; 32], u16),
    Refused { refusal: RefusalRow, profile: String, version: u32 },
}

#[derive(Serialize, Deserialize)]
enum WhyRow {
    NoPatient,
    SlotUnknown,
    TwoPeople,
    Edge,
    BeforeBinding(u32),
    NoZone,
    Identity,
    UnknownProfile,
    Time(TimeDoubtRow),
    Impossible(QuantityRow),
    Layout,
    Guest,
    Shared,
}

#[derive(Serialize, Deserialize)]
enum RefusalRow {
    /// The cause is what decoding the same octets says again.
    Undecodable,
    Orphan,
    LateContext,
    ControlSolution,
    NothingMeasured,
    NotAReading(String),
    Closed,
    Demonstration,
}

impl From<&Fate> for FateRow {
    fn from(fate: &Fate) -> FateRow {
        match fate {
            Fate::New => FateRow::New,
            Fate::Await { wants, until } => FateRow::Await {
                wants: wants.iter().copied().map(Into::into).collect(),
                until: (*until).into(),
            },
            Fate::Hold(why) => FateRow::Hold(why.into()),
            Fate::Reissue(issue) => FateRow::Reissue(issue.0),
            Fate::Admitted(key, issue) => FateRow::Admitted(key.0, issue.0),
            Fate::Companion(head) => FateRow::Companion(head.0),
            Fate::Repeat => FateRow::Repeat,
            Fate::Retracted(key, issue) => FateRow::Retracted(key.0, issue.0),
            Fate::Refused(refusal, profile, version) => {
                FateRow::Refused { refusal: refusal.into(), profile: profile.0.clone(), version: version.0 }
            }
        }
    }
}

impl FateRow {
    fn fate(self, first: &Capture) -> Result<Fate, Unreadable> {
        Ok(match self {
            FateRow::New => Fate::New,
            FateRow::Await { wants, until } => {
                Fate::Await { wants: wants.into_iter().map(Into::into).collect(), until: until.into() }
            }
            FateRow::Hold(why) => Fate::Hold(why.into()),
            FateRow::Reissue(issue) => Fate::Reissue(Issue(issue)),
            FateRow::Admitted(key, issue) => Fate::Admitted(Key(key), Issue(issue)),
            FateRow::Companion(head) => Fate::Companion(RecordNo(head)),
            FateRow::Repeat => Fate::Repeat,
            FateRow::Retracted(key, issue) => Fate::Retracted(Key(key), Issue(issue)),
            FateRow::Refused { refusal, profile, version } => match refusal.refusal(first)? {
                Some(refusal) => Fate::Refused(refusal, ProfileName(profile), Version(version)),
                None => Fate::New,
            },
        })
    }
}

impl From<&Why> for WhyRow {
    fn from(why: &Why) -> WhyRow {
        match why {
            Why::NoPatient => WhyRow::NoPatient,
            Why::SlotUnknown => WhyRow::SlotUnknown,
            Why::TwoPeople => WhyRow::TwoPeople,
            Why::Edge => WhyRow::Edge,
            Why::BeforeBinding(revision) => WhyRow::BeforeBinding(revision.0),
            Why::NoZone => WhyRow::NoZone,
            Why::Identity => WhyRow::Identity,
            Why::UnknownProfile => WhyRow::UnknownProfile,
            Why::Time(doubt) => WhyRow::Time((*doubt).into()),
            Why::Impossible(quantity) => WhyRow::Impossible((*quantity).into()),
            Why::Layout => WhyRow::Layout,
            Why::Guest => WhyRow::Guest,
            Why::Shared => WhyRow::Shared,
        }
    }
}

impl From<WhyRow> for Why {
    fn from(row: WhyRow) -> Why {
        match row {
            WhyRow::NoPatient => Why::NoPatient,
            WhyRow::SlotUnknown => Why::SlotUnknown,
            WhyRow::TwoPeople => Why::TwoPeople,
            WhyRow::Edge => Why::Edge,
            WhyRow::BeforeBinding(revision) => Why::BeforeBinding(Revision(revision)),
            WhyRow::NoZone => Why::NoZone,
            WhyRow::Identity => Why::Identity,
            WhyRow::UnknownProfile => Why::UnknownProfile,
            WhyRow::Time(doubt) => Why::Time(doubt.into()),
            WhyRow::Impossible(quantity) => Why::Impossible(quantity.into()),
            WhyRow::Layout => Why::Layout,
            WhyRow::Guest => Why::Guest,
            WhyRow::Shared => Why::Shared,
        }
    }
}

impl From<&Refusal> for RefusalRow {
    fn from(refusal: &Refusal) -> RefusalRow {
        match refusal {
            Refusal::Undecodable(_) => RefusalRow::Undecodable,
            Refusal::Orphan => RefusalRow::Orphan,
            Refusal::LateContext => RefusalRow::LateContext,
            Refusal::ControlSolution => RefusalRow::ControlSolution,
            Refusal::NothingMeasured => RefusalRow::NothingMeasured,
            Refusal::Closed => RefusalRow::Closed,
            Refusal::Demonstration => RefusalRow::Demonstration,
            Refusal::NotAReading(quirk) => RefusalRow::NotAReading(quirk.name().to_owned()),
        }
    }
}

impl RefusalRow {
    /// `None`: today's software can decode what it refused before, so it is to be judged again.
    fn refusal(self, first: &Capture) -> Result<Option<Refusal>, Unreadable> {
        Ok(Some(match self {
            RefusalRow::Undecodable => match decode(first.characteristic, &first.octets, &[]) {
                Ok(_) => return Ok(None),
                Err(cause) => Refusal::Undecodable(cause),
            },
            RefusalRow::Orphan => Refusal::Orphan,
            RefusalRow::LateContext => Refusal::LateContext,
            RefusalRow::ControlSolution => Refusal::ControlSolution,
            RefusalRow::NothingMeasured => Refusal::NothingMeasured,
            RefusalRow::Closed => Refusal::Closed,
            RefusalRow::Demonstration => Refusal::Demonstration,
            RefusalRow::NotAReading(name) => match Quirk::parse(&name) {
                Some(quirk) => Refusal::NotAReading(quirk),
                None => return Ok(None),
            },
        }))
    }
}

/// Of a held record: whom somebody proposes as its person, and who was told of it.
#[derive(Serialize, Deserialize, Default)]
pub(crate) struct HoldRow {
    proposed: Option<i64>,
    told: Option<String>,
}

impl Payload for HoldRow {
    const VERSION: u8 = 1;
}
