use super::Evidence::{Cut, Proved, Refused, Untried};
use super::*;

/// The door: what a bond is worth after all that.
#[track_caller]
fn check(from: Bond, evidence: &[Evidence], worth: Bond) {
    let became = evidence.iter().fold(from, |bond, evidence| bond.after(*evidence));
    assert_eq!(became, worth, "{from:?} after {evidence:?}");
}

const fn doubtful(against: u8) -> Bond {
    Bond::Doubtful { against, mended: false }
}
const STALE_BOND: Bond = Bond::Stale { mended: false };

#[test]
fn results_decide() {
    check(Bond::Fresh, &[], Bond::Fresh);
    check(Bond::Fresh, &[Untried, Untried], Bond::Fresh);
    check(Bond::Fresh, &[Proved], Bond::Good);
    check(Bond::Good, &[Cut], doubtful(1));
    check(Bond::Good, &[Cut; 11], doubtful(11));
    check(Bond::Good, &[&[Cut; 11][..], &[Proved, Cut]].concat(), doubtful(1));
    check(Bond::Good, &[&[Cut; 11][..], &[Untried, Cut]].concat(), STALE_BOND);
    check(Bond::Good, &[Refused], doubtful(6));
    check(Bond::Good, &[Refused, Proved, Refused], doubtful(6));
    check(Bond::Good, &[Refused, Refused], STALE_BOND);
    check(Bond::Fresh, &[Refused, Cut, Cut, Refused], STALE_BOND);
    // A device that was away for a while, or whose person paired it again.
    check(STALE_BOND, &[Cut, Refused, Untried], STALE_BOND);
    check(STALE_BOND, &[Proved], Bond::Good);
}

#[test]
fn the_hub_mends_once_and_then_asks_a_person() {
    assert_eq!(STALE_BOND.repair(Pairing::JustWorks), Repair::PairAgain);
    let mended = STALE_BOND.mended(true);
    assert_eq!(mended.repair(Pairing::JustWorks), Repair::Nothing);
    check(mended, &[Proved], Bond::Good);
    let again = mended.after(Refused).after(Refused);
    assert_eq!(again, Bond::Stale { mended: true });
    assert_eq!(again.repair(Pairing::JustWorks), Repair::Person);
    assert_eq!(STALE_BOND.mended(false).repair(Pairing::JustWorks), Repair::Person);
    // Who types a passkey is a person, from the first time on.
    assert_eq!(STALE_BOND.repair(Pairing::Passkey), Repair::Person);
    assert_eq!(STALE_BOND.repair(Pairing::None), Repair::Nothing);
    for good in [Bond::Fresh, Bond::Good, doubtful(3)] {
        assert_eq!(good.mended(false), good);
        assert_eq!(good.repair(Pairing::JustWorks), Repair::Nothing);
    }
}

#[test]
fn what_helps_stands_in_the_sentence() {
    let says = |bond: Bond, pairing| bond.sentence(pairing);
    assert!(says(STALE_BOND, Pairing::JustWorks).contains("Press its Bluetooth button"));
    assert!(says(STALE_BOND, Pairing::Passkey).contains("Pair it again"));
    assert!(says(Bond::Fresh, Pairing::Passkey).contains("measure once"));
    assert!(!says(doubtful(1), Pairing::Passkey).contains("Pair it again"));
}
