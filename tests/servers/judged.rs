//! All that goes out, before HL7's validator.

use crate::emitted::everything;
use crate::judge::{judge, profiles};
use crate::reasons::{COVERED, REASONS};
use std::collections::BTreeSet;

/// No error at all; and every warning has its reason in the table, which has no others.
#[test]
fn nothing_that_goes_out_is_wrong() {
    let everything = everything();
    let text: String = everything.iter().map(|resource| format!("{resource}\n")).collect();
    let missing: Vec<&str> =
        COVERED.iter().filter(|(part, _)| !text.contains(part)).map(|(_, what)| *what).collect();
    assert!(missing.is_empty(), "nothing to judge: no {missing:?} among {} kinds", everything.len());

    for observation in everything.iter().filter(|resource| resource["resourceType"] == "Observation") {
        let code = &observation["code"]["coding"][0]["code"];
        let of_a_device = code == "67975" || code == "hub-state";
        assert!(of_a_device || observation["performer"].is_array(), "nobody measured {observation}");
    }

    let judged: BTreeSet<String> = everything.iter().flat_map(profiles).collect();
    assert_eq!(judged.len(), 8, "not every vital sign's own profile has something to judge: {judged:?}");

    let mut wrong = BTreeSet::new();
    let mut used = BTreeSet::new();
    for resource in everything {
        for finding in judge(resource, &profiles(resource)) {
            let fits = |(says, place, _): &&(&str, &str, &str)| {
                !finding.error && finding.says.contains(says) && finding.place.contains(place)
            };
            match REASONS.iter().filter(fits).map(|(says, ..)| *says).collect::<Vec<_>>()[..] {
                [one] => _ = used.insert(one),
                [] => _ = wrong.insert(format!("{finding:?}\n  in {resource}")),
                ref several => panic!("{finding:?} has several reasons: {several:?}"),
            }
        }
    }
    let shown: Vec<_> = wrong.iter().take(20).collect();
    assert!(wrong.is_empty(), "{} findings without a reason; the first: {shown:#?}", wrong.len());
    let vanished: Vec<_> = REASONS.iter().filter(|(says, ..)| !used.contains(says)).collect();
    assert!(vanished.is_empty(), "nothing is warned of for these reasons any more: {vanished:#?}");
}
