//! Whose device it is, and who that is at each destination.

use super::{Payload, Unreadable};
use hearth_core::capture::DeviceNo;
use hearth_core::identity::{Attested, Binding, Labels, Revision, Slot};
use hearth_core::parcel::Subject;
use hearth_core::when::ZoneName;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A person by number; nobody in particular for a test.
pub(super) mod who {
    use hearth_core::identity::{PersonNo, Who};

    pub(crate) fn to(who: Who) -> Option<i64> {
        match who {
            Who::Person(PersonNo(no)) => Some(no),
            Who::Test => None,
        }
    }

    pub(crate) fn from(person: Option<i64>) -> Who {
        person.map_or(Who::Test, |no| Who::Person(PersonNo(no)))
    }
}

/// Where a change of bindings came from, and who made it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CertifiedRow {
    pub(crate) source: String,
    pub(crate) author: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BindingRow {
    slot: Option<u8>,
    person: Option<i64>,
    zone: Option<String>,
    labels: Vec<String>,
    sole_use: Option<String>,
    by: Option<CertifiedRow>,
    shared: bool,
}

impl Payload for BindingRow {
    /// 2: shared.
    const VERSION: u8 = 2;
}

impl BindingRow {
    pub(crate) fn of(binding: &Binding, by: Option<CertifiedRow>) -> BindingRow {
        BindingRow {
            slot: binding.slot.map(|s| s.0),
            person: who::to(binding.who),
            zone: binding.zone.as_ref().map(|z| z.as_str().to_owned()),
            labels: binding.labels.0.iter().cloned().collect(),
            sole_use: binding.sole_use.clone().map(|a| a.by),
            by,
            shared: binding.shared,
        }
    }

    pub(crate) fn binding(
        self,
        device: DeviceNo,
        from: Timestamp,
        until: Option<Timestamp>,
        revision: Revision,
    ) -> Result<Binding, Unreadable> {
        let zone = self.zone.map(|z| ZoneName::parse(&z).ok_or(Unreadable::Field("zone"))).transpose()?;
        Ok(Binding {
            device,
            slot: self.slot.map(Slot),
            who: who::from(self.person),
            from,
            until,
            zone,
            sole_use: self.sole_use.map(|by| Attested { by }),
            shared: self.shared,
            labels: Labels(self.labels.into_iter().collect()),
            revision,
        })
    }
}

/// A person as one destination knows them, and what that rests on.
#[derive(Serialize, Deserialize)]
pub(crate) struct PersonAtRow {
    id: String,
    identifier: Option<(String, String)>,
    evidence: Option<String>,
}

impl Payload for PersonAtRow {
    const VERSION: u8 = 1;
}

impl PersonAtRow {
    pub(crate) fn of(subject: &Subject, evidence: Option<&str>) -> PersonAtRow {
        PersonAtRow {
            id: subject.id.clone(),
            identifier: subject.identifier.clone(),
            evidence: evidence.map(str::to_owned),
        }
    }

    /// What is said anew stands; what is not said is as it was.
    pub(crate) fn or(self, earlier: PersonAtRow) -> PersonAtRow {
        PersonAtRow {
            id: self.id,
            identifier: self.identifier.or(earlier.identifier),
            evidence: self.evidence.or(earlier.evidence),
        }
    }

    pub(crate) fn subject(self) -> Subject {
        Subject { id: self.id, identifier: self.identifier }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::payload::{read, write};
    use hearth_core::identity::Who;

    /// A row of the first version says nothing of whether it is shared; one that is newer than we are can't be read.
    #[test]
    fn an_older_row_says_nothing_of_what_came_later() {
        let from = Timestamp::UNIX_EPOCH;
        let binding = Binding {
            device: DeviceNo(1),
            slot: Some(Slot(2)),
            who: Who::Test,
            from,
            until: None,
            zone: None,
            sole_use: None,
            shared: false,
            labels: Labels::default(),
            revision: Revision(3),
        };
        let mut octets = write(&BindingRow::of(&binding, None));
        assert_eq!((octets[0], octets.pop()), (2, Some(0)));
        octets[0] = 1;
        let old: BindingRow = read(&octets).unwrap();
        assert_eq!(old.binding(DeviceNo(1), from, None, Revision(3)).unwrap(), binding);
        for version in [0, 3] {
            octets[0] = version;
            assert!(matches!(read::<BindingRow>(&octets), Err(Unreadable::Version(v)) if v == version));
        }
    }
}
