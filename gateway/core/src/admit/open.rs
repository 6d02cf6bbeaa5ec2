//! One device's unfinished business, and what may become of it.

use crate::capture::{Capture, DeviceNo, Key, Link, Name};
use crate::decode::Cause;
use crate::identity::{Binding, Facts, Identity, PersonNo, Revision};
use crate::profile::{Catalog, ProfileName};
use crate::reading::{Issue, Quantity, Reading, Version};
use crate::when::{Anchor, Boots, ContactNo, HubTicks, Sample};
use std::collections::BTreeMap;

/// Row number of a record in this hub's store, given in the order in which records were first heard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RecordNo(pub i64);

/// Facts, only ever added. The store writes one, then lets [`super::admit`] judge the whole.
#[derive(Clone, PartialEq, Debug)]
pub enum News {
    /// The hub started: deadlines of earlier boots begin anew.
    Booted,
    Heard(Capture),
    Clock(DeviceNo, Sample),
    /// What a device said of itself.
    Identity(DeviceNo, Facts),
    Ended(DeviceNo, ContactNo, End),
    HubTime(Anchor),
    /// All bindings as they are from now on.
    Bindings(Vec<Binding>),
    /// The catalogue was replaced by the one that `House` now holds.
    Profiles,
    Retract(Key, Issue),
    /// A person asks for another issue of a retracted reading.
    Reissue(Key),
    /// Both at once: what is taken back so is issued anew, whatever happens in between.
    Replace(Key, Issue),
    /// A person closes a held record: it is no reading for anybody.
    Close(RecordNo),
    /// A person says whose a held record is that nothing else tells.
    Give(RecordNo, PersonNo),
    /// A deadline passed.
    Due,
}

/// How a contact ended. Only a drained one says that nothing older is left on the device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Drained,
    Lost,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Contact {
    pub began: HubTicks,
    pub link: Option<Link>,
    pub samples: Vec<Sample>,
    pub end: Option<End>,
    /// The parts of weighings that were told in it ([`super::has_parts`]), in their order.
    pub told: Vec<Telling>,
}

/// A record was told, for the first time or again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Telling {
    /// `None`: it is forgotten, since what it became was delivered.
    pub record: Option<RecordNo>,
    pub at: HubTicks,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Device {
    pub no: DeviceNo,
    pub facts: Facts,
    /// Fixed once known.
    pub identity: Option<Identity>,
    /// What names it was told otherwise later: another device answers in its place, and its records are nobody's.
    pub impostor: bool,
    pub profile: Option<ProfileName>,
}

/// One physical record of a device: unique (device, name). A repeat is a count, not a row.
#[derive(Clone, PartialEq, Debug)]
pub struct Record {
    pub no: RecordNo,
    pub name: Name,
    /// Hearings that can matter: the first, and one for each later contact while unsettled. Never empty.
    pub heard: Vec<Capture>,
    /// How often it was heard in all.
    pub times: u32,
    pub last_contact: ContactNo,
    /// When it was told last.
    pub last_at: HubTicks,
    /// When this hub took it, where that was later than it was first heard: a bridge had it meanwhile.
    pub taken: Option<HubTicks>,
    /// Heard again with other octets than the first time (a changed time offset).
    pub changed: bool,
    /// Which issue it becomes, whatever it waits for before: 0 unless a person asked for another (CLINICAL 26).
    pub issue: Issue,
    /// Whose a person said it is: of those to whom the device is bound.
    pub given: Option<PersonNo>,
    pub fate: Fate,
}

impl Record {
    pub fn first(&self) -> &Capture {
        self.heard.first().expect("a record is made by its first hearing")
    }

    /// Since when this hub has it.
    pub fn since(&self) -> HubTicks {
        self.taken.unwrap_or(self.first().at)
    }
}

/// What became of a record, so far.
#[derive(Clone, PartialEq, Debug)]
pub enum Fate {
    // Judged again with every news that may touch it.
    New,
    Await {
        wants: Vec<For>,
        until: HubTicks,
    },
    Hold(Why),
    Reissue(Issue),
    // Settled.
    Admitted(Key, Issue),
    Companion(RecordNo),
    /// The device repeats a companion that is already joined, or a reading that the ledger already has.
    Repeat,
    Retracted(Key, Issue),
    /// Settled for this version of this profile: another one judges it again.
    Refused(Refusal, ProfileName, Version),
}

/// What may still come without a person.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum For {
    Partner,
    Clock,
    Identity,
    HubTime,
}

/// Why a record waits for a person, or for a fact that nobody can promise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Why {
    /// No binding covers the device and slot at the record's time.
    NoPatient,
    /// The device knows users, and nobody is bound to this one's slot, nor attested sole use (CLINICAL 23).
    SlotUnknown,
    /// The device knows users, and says that it does not know this one: nobody's, whatever anybody attested (CLINICAL 23).
    Guest,
    TwoPeople,
    /// Several people share the device, and it tells nobody apart: somebody has to say whose it is.
    Shared,
    /// The doubt about the time reaches over the edge of a binding.
    Edge,
    /// Taken before the binding began: one sealed group, counted, never offered by default (CLINICAL 21).
    BeforeBinding(Revision),
    /// The binding has no zone (CLINICAL 18).
    NoZone,
    Identity,
    UnknownProfile,
    Time(TimeDoubt),
    /// The maker's stated range or arithmetic excludes the value (CLINICAL 1).
    Impossible(Quantity),
    /// Octets that the layout does not explain: a quirk that nobody has named yet (CLINICAL 1).
    Layout,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TimeDoubt {
    NotADate,
    /// No stamp, and the device may have stored it (CLINICAL 20).
    Untimed,
    /// The hub's own clock was never known well enough.
    HubClock,
    /// A year in which this clock wakes after a battery change.
    Reset,
    /// The device's clock jumped, and either timeline fits (CLINICAL 19).
    TwoTimelines,
    /// After it was heard.
    Future,
    Fold,
    Gap,
    /// The meter itself says that its time is faulty (2A18 status bit 11).
    DeviceFault,
    /// The offset to shown time ran over.
    OffsetLost,
}

/// Why a record is no reading for anybody.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    Undecodable(Cause),
    /// A context whose measurement never came.
    Orphan,
    /// A context whose measurement went on without it.
    LateContext,
    /// Control solution: kept on the hub, never in a patient's chart (CLINICAL 10).
    ControlSolution,
    /// A glucose record that carries no concentration.
    NothingMeasured,
    /// An oximeter's own demonstration, or a test of it.
    Demonstration,
    /// A named quirk says that this is no measurement of what it claims.
    NotAReading(crate::quirk::Quirk),
    /// A person looked at the held record and closed it. Stands whatever profile comes.
    Closed,
}

/// One device: unsettled records, settled ones that the loaded contacts touched; those contacts, and the last
/// earlier one that has a sample.
#[derive(Clone, PartialEq, Debug)]
pub struct Open {
    pub device: Device,
    pub contacts: BTreeMap<ContactNo, Contact>,
    pub records: BTreeMap<RecordNo, Record>,
}

/// What belongs to no device, read in the same transaction.
#[derive(Clone, Copy, Debug)]
pub struct House<'a> {
    pub boots: &'a Boots,
    pub catalog: &'a Catalog,
    pub bindings: &'a [Binding],
}

/// One verdict for all the records that belong together.
#[derive(Clone, PartialEq, Debug)]
pub struct Admission {
    pub head: RecordNo,
    pub with: Vec<RecordNo>,
    pub say: Say,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Say {
    /// The head becomes `Admitted`, those with it `Companion`; unless the ledger has the key: then `Repeat`.
    Admit(Box<Reading>),
    /// All of them become this.
    Become(Fate),
}

impl Fate {
    /// Whether this fate stands until somebody asks for more. A refusal stands for one version of one profile.
    pub fn settled(&self, profile: Option<(&ProfileName, Version)>) -> bool {
        match self {
            Fate::New | Fate::Await { .. } | Fate::Hold(_) | Fate::Reissue(_) => false,
            Fate::Admitted(..) | Fate::Companion(_) | Fate::Repeat | Fate::Retracted(..) => true,
            Fate::Refused(Refusal::Closed, ..) => true,
            Fate::Refused(_, name, version) => profile.is_none_or(|p| p == (name, *version)),
        }
    }
}
