//! The store's codes, and what helps.

use crate::store::fate_code;
use hearth_core::admit::{Fate, For, Refusal, Why};
use hearth_core::decode::Cause;

fn wanted(what: For) -> &'static str {
    match what {
        For::Partner => "its partner",
        For::Clock => "the device's clock",
        For::Identity => "the device's identity",
        For::HubTime => "the hub's time",
    }
}

/// The store's codes, in words: what it is, and what helps. Who must act stands in what helps.
const REASONS: &[(&str, &str, &str)] = &[
    ("partner", "its partner", "comes by itself"),
    ("clock", "the device's clock", "comes by itself"),
    (
        "identity",
        "the device did not say who it is",
        "connect it again; its profile says which fact names it",
    ),
    ("hub-time", "the hub's time", "comes with the network; see [hub] clock-trusted"),
    (
        "no-patient",
        "nobody's at that time",
        "hearth bind add {device}{slot} --patient DESTINATION=ID --zone ZONE --from INSTANT",
    ),
    (
        "slot-unknown",
        "the user slot is nobody's",
        "hearth bind add {device}{slot} --patient DESTINATION=ID …; or without --slot, with --sole-use-attested-by NAME",
    ),
    (
        "guest",
        "the device does not know which user it was",
        "hearth held --give {record} --patient DESTINATION=ID by whoever was there; else hearth held --close {record}",
    ),
    (
        "shared",
        "several people share the device",
        "hearth held --give {record} --patient DESTINATION=ID, by whoever knows; else hearth held --close {record}",
    ),
    (
        "two-people",
        "two people fit",
        "hearth bind end {device}, then bind anew, each from and until when it was theirs",
    ),
    (
        "edge",
        "the time reaches over the edge of a binding",
        "hearth bind end {device} --at INSTANT, then bind anew with another edge",
    ),
    (
        "before-binding",
        "memory from before the binding",
        "bind from earlier only if it is theirs; else hearth held --close-sealed {device}",
    ),
    (
        "no-zone",
        "the binding has no zone",
        "hearth bind add {device} --patient DESTINATION=ID{shared} --instead --from ITS-START --zone ZONE",
    ),
    ("unknown-profile", "no profile knows the device", "hearth devices explain {device}"),
    (
        "time-not-a-date",
        "time: not a date",
        "a quirk may explain it: docs/profiles.md; else hearth held --close {record}",
    ),
    (
        "time-untimed",
        "time: no stamp, and it may have been stored",
        "set the device's clock, then hearth held --close {record}",
    ),
    (
        "time-hub-clock",
        "time: the hub's clock is not known",
        "comes with the network; see [hub] clock-trusted",
    ),
    (
        "time-of-log",
        "time: its log does not say when it was recorded",
        "replay the log again, with a hub_time line at its beginning: docs/replay.md; else hearth held --close {record}",
    ),
    ("time-reset", "time: clock reset", "set the device's clock, then hearth held --close {record}"),
    (
        "time-two-timelines",
        "time: two timelines",
        "nobody can tell when it was: hearth held --close {record}",
    ),
    ("time-future", "time: after it was heard", "set the device's clock, then hearth held --close {record}"),
    (
        "time-fold",
        "time: the hour that comes twice",
        "nobody can tell when it was: hearth held --close {record}",
    ),
    (
        "time-gap",
        "time: the hour that is skipped",
        "set the device's clock, then hearth held --close {record}",
    ),
    (
        "time-device-fault",
        "time: the meter reports a time fault",
        "set the meter's clock, then hearth held --close {record}",
    ),
    (
        "time-offset-lost",
        "time: the time offset ran over",
        "set the meter's clock, then hearth held --close {record}",
    ),
    ("impossible", "an impossible value", "check the device, then hearth held --close {record}"),
    (
        "layout",
        "octets that no layout explains",
        "a quirk may explain them: docs/profiles.md; else hearth held --close {record}",
    ),
    ("undecodable", "octets that can't be read", "kept; a newer version may read them"),
    ("orphan", "a context whose measurement never came", "nothing is missing but the measurement"),
    ("late-context", "a context whose measurement went on without it", "the reading stands without it"),
    ("control-solution", "control solution", "kept on the hub, no reading of a patient"),
    ("nothing-measured", "nothing was measured", "the meter stored no result"),
    ("not-a-reading", "no reading, by a quirk of the device", "its profile says why"),
    ("demonstration", "a demonstration or a test of the device", "kept on the hub, no reading of a patient"),
    ("closed", "a person closed it", ""),
    ("", "not said", ""),
];

/// A code that an older version wrote stays readable as itself.
pub(crate) fn reason(code: &str) -> (&str, &'static str) {
    REASONS.iter().find(|(known, ..)| *known == code).map_or((code, ""), |(_, said, helps)| (*said, *helps))
}

/// The reason of one record, with what is known of it beyond its code.
pub(super) fn why(fate: &Fate) -> Option<String> {
    let said = reason(fate_code(fate).1?).0;
    Some(match fate {
        Fate::Hold(Why::Impossible(quantity)) => {
            format!("an impossible {}", hearth_core::profile::word(*quantity))
        }
        Fate::Await { wants, .. } => wants.iter().map(|w| wanted(*w)).collect::<Vec<_>>().join(", "),
        Fate::Refused(Refusal::Undecodable(Cause::Malformed(malformed)), ..) => malformed.to_string(),
        Fate::Refused(Refusal::Undecodable(Cause::UnknownCharacteristic(unknown)), ..) => {
            format!("{unknown} is nothing that readings are made of")
        }
        Fate::Refused(Refusal::Undecodable(Cause::EmptySlot), ..) => "an erased place in the memory".into(),
        Fate::Refused(Refusal::NotAReading(quirk), ..) => {
            format!("no reading, by the quirk {}", quirk.name())
        }
        _ => said.to_owned(),
    })
}
