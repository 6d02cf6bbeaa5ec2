//! A new firmware, over a flash whose power fails: a whole image starts, always; the new one stays when it was confirmed, and only then;
//! and what is not signed for this board is refused by name.
//!
//! Long because what is refused by name and what outlives a loss of power are shown of the same board.

use crate::nor::{Chip, Dice, Flash, PAGE, Trouble};
use embassy_futures::block_on as now;
use firmware::bridge::{About, Bridge};
use firmware::flash::Refused;
use firmware::update::{Room, Standing};
use firmware::wish::Wish;
use firmware_boot::choose;
use hearth_wire::frame::image::{Manifest, Mark};
use hearth_wire::frame::line::{LONGEST, LONGEST_ON_THE_LINE, Reader, close};
use hearth_wire::frame::{BridgeId, Capabilities, Outcome, PROTOCOL, Ticks, ToBridge, ToHub, Version};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::LazyLock;

/// Pages of the image that runs.
const ACTIVE: usize = 4;
const SPOOL: usize = 6;
const BOARD: &str = "host";
const OLD: Version = Version { major: 1, minor: 9, patch: 0 };
const NEW: Version = Version { major: 1, minor: 10, patch: 0 };
const SEED: [u8; 32] = *b"nobody signs anything with this.";
/// Octets of an image that are sent at once.
const PART: usize = 256;

fn keys() -> salty::Keypair {
    salty::Keypair::from(&SEED)
}

/// The two that are tried here, made once.
static IMAGES: LazyLock<[(Version, Vec<u8>); 2]> = LazyLock::new(|| [OLD, NEW].map(|of| (of, image(of))));
static SIGNED: LazyLock<Signed> = LazyLock::new(|| signed(NEW));

/// A firmware, as far as anybody looks.
fn image(version: Version) -> Vec<u8> {
    let mut octets = Mark { board: BOARD, version }.octets().to_vec();
    let mut dice = Dice::new(version.minor.into());
    octets.extend((0..3 * PAGE + 1_001).map(|_| dice.next() as u8));
    octets
}

/// The image, its version and its signature, as a hub has them.
#[derive(Clone, Debug)]
struct Signed {
    board: &'static str,
    version: Version,
    octets: Vec<u8>,
    signature: [u8; 64],
}

fn signed(version: Version) -> Signed {
    let octets = image(version);
    let digest = salty::Sha512::new().updated(&octets).finalize();
    let manifest = Manifest { board: BOARD, version, size: octets.len() as u32, digest };
    let signature = keys().sign(manifest.encode(&mut [0; Manifest::LONGEST]).unwrap()).to_bytes();
    Signed { board: BOARD, version, octets, signature }
}

/// A board: its flash, and what starts.
#[derive(Debug)]
struct Machine {
    chip: Rc<RefCell<Chip>>,
    key: [u8; 32],
}

impl Machine {
    /// The old firmware was flashed at the factory.
    fn new(seed: u64) -> Machine {
        let chip = Chip::new(ACTIVE + (ACTIVE + 1) + 1 + 2 + SPOOL + 2, seed);
        let machine = Machine { chip, key: keys().public.to_bytes() };
        machine.flash(&IMAGES[0].1);
        machine.chip.borrow_mut().clears = true;
        machine
    }

    fn flash(&self, image: &[u8]) {
        use embedded_storage::nor_flash::NorFlash as _;
        let mut octets = image.to_vec();
        octets.resize(ACTIVE * PAGE, 0xFF);
        self.active().write(0, &octets).unwrap();
    }

    fn active(&self) -> Flash {
        Flash::pages(&self.chip, 0, ACTIVE)
    }

    fn room(&self) -> Room<Flash> {
        let next = Flash::pages(&self.chip, ACTIVE, ACTIVE + 1);
        let state = Flash::pages(&self.chip, 2 * ACTIVE + 1, 1);
        let tried = Flash::pages(&self.chip, 2 * ACTIVE + 2, 2);
        Room { next, state, tried, key: self.key }
    }

    /// From power-on to the image that starts: its version. `None`: the power failed.
    fn starts(&self) -> Option<Version> {
        let Room { next, state, .. } = self.room();
        // A quarter of a page at a time, as a small board has it.
        if choose(self.active(), next, state, &mut [0; PAGE / 4]).is_err() {
            assert!(self.chip.borrow().is_off(), "the bootloader gives up");
            return None;
        }
        let mut octets = vec![0; ACTIVE * PAGE];
        embedded_storage::nor_flash::ReadNorFlash::read(&mut self.active(), 0, &mut octets).ok()?;
        let whole = IMAGES.iter().find(|(_, image)| octets.starts_with(image));
        Some(whole.expect("what starts is neither the old image nor the new one: a brick").0)
    }

    fn runs(&self, version: Version) -> Result<Running, Refused<Trouble>> {
        let can = Capabilities::BLUETOOTH;
        let about = About { bridge: BridgeId([2; 8]), board: BOARD, firmware: version, can };
        let spool = Flash::pages(&self.chip, 2 * ACTIVE + 4, SPOOL);
        let settings = Flash::pages(&self.chip, 2 * ACTIVE + 4 + SPOOL, 2);
        Ok(Running { bridge: now(Bridge::start(about, spool, settings, Some(self.room())))? })
    }
}

/// The firmware that runs, with a hub at its line.
#[derive(Debug)]
struct Running {
    bridge: Bridge<Flash, SPOOL>,
}

/// What became of a request; and whether the board starts anew.
type Answered = (Outcome<'static>, bool);

impl Running {
    fn hears(&mut self, frame: &ToBridge<'_>) -> Result<(Vec<Vec<u8>>, bool), Refused<Trouble>> {
        let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
        let frame = close(frame.encode(&mut content).unwrap(), &mut octets).unwrap();
        let (mut line, mut restarts) = (crate::hub::Way::default(), false);
        let heard = now(self.bridge.received(frame, Ticks(0), &mut line, |wish| {
            restarts |= wish == Wish::Restart;
        }));
        let mut reader = Reader::default();
        let mut said = vec![];
        for octet in line.0 {
            said.extend(reader.push(octet).map(|content| content.unwrap().to_vec()));
        }
        heard.map(|()| (said, restarts))
    }

    fn asks(&mut self, frame: &ToBridge<'_>) -> Result<Answered, Refused<Trouble>> {
        let (said, restarts) = self.hears(frame)?;
        let [answer] = said.as_slice() else { panic!("{frame:?}: {said:?}") };
        let ToHub::Done { token: 9, outcome } = ToHub::decode(answer).unwrap().value else {
            panic!("{answer:?}")
        };
        Ok(match outcome {
            Outcome::Good => (Outcome::Good, restarts),
            Outcome::Refused(why) => (Outcome::Refused(String::from(why).leak()), restarts),
            other => panic!("{other:?}"),
        })
    }

    fn begin(&mut self, of: &Signed, forced: bool) -> Result<Answered, Refused<Trouble>> {
        let size = of.octets.len() as u32;
        self.asks(&ToBridge::Update { token: 9, size, version: of.version, forced, board: of.board })
    }

    fn part(&mut self, of: &Signed, from: usize) -> Result<Answered, Refused<Trouble>> {
        let octets = &of.octets[from..of.octets.len().min(from + PART)];
        self.asks(&ToBridge::Image { token: 9, from: from as u32, octets })
    }

    /// All of an update, up to the answer to its end; or the first that is not good.
    fn update(&mut self, to: &Signed, forced: bool) -> Result<Answered, Refused<Trouble>> {
        let begun = self.begin(to, forced)?;
        if begun.0 != Outcome::Good {
            return Ok(begun);
        }
        for from in (0..to.octets.len()).step_by(PART) {
            let came = self.part(to, from)?;
            if came.0 != Outcome::Good {
                return Ok(came);
            }
        }
        self.asks(&ToBridge::Start { token: 9, signature: to.signature })
    }

    fn confirm(&mut self) -> Result<Answered, Refused<Trouble>> {
        self.asks(&ToBridge::Confirm { token: 9 })
    }
}

const REFUSED_TWICE: &str = "no image was to come: begin the update again";

#[test]
fn an_update_is_tried_and_stays_when_it_was_confirmed() {
    let machine = Machine::new(1);
    assert_eq!(machine.starts(), Some(OLD));
    let mut running = machine.runs(OLD).unwrap();
    assert_eq!(running.update(&signed(NEW), false).unwrap(), (Outcome::Good, true));
    assert_eq!(machine.starts(), Some(NEW));
    let mut running = machine.runs(NEW).unwrap();
    assert_eq!(running.bridge.standing(), Standing::OnTrial);
    assert_eq!(running.confirm().unwrap(), (Outcome::Good, false));
    assert_eq!(running.confirm().unwrap(), (Outcome::Good, false), "the answer was lost");
    assert_eq!(running.bridge.standing(), Standing::Confirmed);
    assert_eq!(machine.starts(), Some(NEW));
    assert_eq!(machine.runs(NEW).unwrap().bridge.standing(), Standing::Confirmed);

    // An older one, because somebody wants it.
    let mut running = machine.runs(NEW).unwrap();
    assert_eq!(running.update(&signed(OLD), true).unwrap(), (Outcome::Good, true));
    assert_eq!(machine.starts(), Some(OLD));
    assert_eq!(machine.runs(OLD).unwrap().bridge.standing(), Standing::OnTrial);
}

#[test]
fn one_that_nobody_confirms_goes_and_is_told() {
    let machine = Machine::new(2);
    let mut running = machine.runs(OLD).unwrap();
    assert_eq!(running.update(&signed(NEW), false).unwrap().0, Outcome::Good);
    assert_eq!(machine.starts(), Some(NEW));
    assert_eq!(machine.starts(), Some(OLD), "its trial is over");
    let mut running = machine.runs(OLD).unwrap();
    assert_eq!(running.bridge.standing(), Standing::WentBack(NEW));
    let (said, _) = running.hears(&ToBridge::Hello { protocol: PROTOCOL }).unwrap();
    let ToHub::Hello(hello) = ToHub::decode(&said[0]).unwrap().value else { panic!("{said:?}") };
    assert_eq!((hello.firmware, hello.on_trial, hello.reverted_from), (OLD, false, NEW));
    assert!(hello.can.has(Capabilities::UPDATE));
    assert_eq!(running.confirm().unwrap().0, Outcome::Good, "there is nothing to confirm");
    assert_eq!(machine.starts(), Some(OLD));
    // And the same one may be tried again.
    assert_eq!(machine.runs(OLD).unwrap().update(&signed(NEW), false).unwrap().0, Outcome::Good);
    assert_eq!(machine.starts(), Some(NEW));
}

#[test]
fn what_is_not_for_this_board_is_refused_by_name() {
    let machine = Machine::new(3);
    let good = signed(NEW);
    let with = |change: fn(&mut Signed)| {
        let mut other = good.clone();
        change(&mut other);
        other
    };
    let not_signed = "the signature is not of this image by the key that this bridge takes updates from";
    let table: [(&str, Signed); 9] = [
        ("the image is for another kind of board", with(|of| of.board = "rp2040")),
        ("the image is older than the firmware that runs", signed(Version { minor: 8, ..OLD })),
        ("the firmware that runs is of this version already", signed(OLD)),
        ("the image is larger than this board has room for, or empty", with(|of| of.octets.clear())),
        (
            "the image is larger than this board has room for, or empty",
            with(|of| of.octets.resize(ACTIVE * PAGE + 1, 0)),
        ),
        (not_signed, with(|of| of.signature = [0; 64])),
        (not_signed, with(|of| of.octets[2_000] ^= 1)),
        (not_signed, with(|of| of.octets.truncate(of.octets.len() - 1))),
        // An old image that is given out as a new one.
        (not_signed, Signed { version: NEW, ..signed(Version { minor: 8, ..OLD }) }),
    ];
    let mut running = machine.runs(OLD).unwrap();
    for (why, image) in &table {
        assert_eq!(running.update(image, false).unwrap(), (Outcome::Refused(why), false));
        assert_eq!(machine.starts(), Some(OLD), "{why}");
    }
    // By force it is signed for its board all the same.
    assert_eq!(running.update(&table[0].1, true).unwrap().0, Outcome::Refused(table[0].0));
    assert_eq!(running.update(&table[8].1, true).unwrap().0, Outcome::Refused(not_signed));

    let other = Machine { key: salty::Keypair::from(&[7; 32]).public.to_bytes(), ..Machine::new(3) };
    let mut of_others = other.runs(OLD).unwrap();
    assert_eq!(of_others.update(&good, false).unwrap().0, Outcome::Refused(not_signed), "another's key");
    let none = Machine { key: [0xFF; 32], ..Machine::new(3) };
    assert_eq!(none.runs(OLD).unwrap().update(&good, false).unwrap().0, Outcome::Refused(not_signed));

    // In any order.
    let start = ToBridge::Start { token: 9, signature: good.signature };
    assert_eq!(running.asks(&start).unwrap().0, Outcome::Refused(REFUSED_TWICE));
    assert_eq!(running.part(&good, 0).unwrap().0, Outcome::Refused(REFUSED_TWICE));
    running.begin(&good, false).unwrap();
    assert_eq!(running.part(&good, 0).unwrap().0, Outcome::Good);
    assert_eq!(running.part(&good, 0).unwrap().0, Outcome::Good, "its answer was lost");
    let missing = "octets of the image are missing: begin the update again";
    assert_eq!(running.part(&good, 2 * PART).unwrap().0, Outcome::Refused(missing));
    assert_eq!(running.asks(&start).unwrap().0, Outcome::Refused("the image is not complete"));
    let beyond = ToBridge::Image { token: 9, from: u32::MAX, octets: &[1; 256] };
    assert_eq!(running.asks(&beyond).unwrap().0, Outcome::Refused(missing));

    // What is on trial is confirmed first.
    assert_eq!(running.update(&good, false).unwrap().0, Outcome::Good);
    assert_eq!(machine.starts(), Some(NEW));
    let newer = signed(Version { minor: 11, ..NEW });
    let on_trial = "the firmware that runs is on trial itself: it has to be confirmed first";
    assert_eq!(machine.runs(NEW).unwrap().update(&newer, false).unwrap().0, Outcome::Refused(on_trial));
}

#[test]
fn a_board_without_room_says_that_it_does_not_know_updates() {
    let machine = Machine::new(4);
    let about = About { bridge: BridgeId([2; 8]), board: BOARD, firmware: OLD, can: Capabilities::default() };
    let [spool, settings] = [Flash::pages(&machine.chip, 12, SPOOL), Flash::pages(&machine.chip, 18, 2)];
    let bridge = now(Bridge::<_, SPOOL>::start(about, spool, settings, None)).unwrap();
    let mut running = Running { bridge };
    let requests = [
        ToBridge::Update { token: 9, size: 4, version: NEW, forced: true, board: BOARD },
        ToBridge::Image { token: 9, from: 0, octets: &[1; 4] },
        ToBridge::Start { token: 9, signature: [0; 64] },
        ToBridge::Confirm { token: 9 },
    ];
    for request in requests {
        let (said, restarts) = running.hears(&request).unwrap();
        let answer = ToHub::decode(&said[0]).unwrap().value;
        assert_eq!((answer, restarts), (ToHub::Done { token: 9, outcome: Outcome::Unknown }, false));
    }
}

/// Lives of one board, until the new firmware is confirmed. Each of them ends in the operation that `cuts` says, or never.
fn lives(machine: &Machine, confirms: bool, mut cuts: impl FnMut() -> Option<u32>) -> (u32, Standing) {
    let mut many = 0;
    // Whether the new firmware can't be taken away any more.
    let mut stays = false;
    loop {
        let cut = cuts();
        machine.chip.borrow_mut().starts(cut);
        many += u32::from(cut.is_some());
        assert!(many < 2_000, "it goes on and on");
        let Some(version) = machine.starts() else { continue };
        assert!(version == NEW || !stays, "the new firmware was confirmed, and is gone");
        let Ok(mut running) = machine.runs(version) else { continue };
        let standing = running.bridge.standing();
        match version {
            NEW if standing == Standing::OnTrial && confirms => {
                if running.confirm().is_ok() {
                    stays = true;
                }
            }
            // What nobody confirms is reset some time.
            NEW if standing == Standing::OnTrial => {}
            NEW => return (many, standing),
            _ if !confirms && matches!(standing, Standing::WentBack(_)) => return (many, standing),
            _ => match running.update(&SIGNED, false) {
                Ok(answered) => assert_eq!(answered, (Outcome::Good, true)),
                Err(Refused::Flash(Trouble::Cut) | Refused::DoesNotKeep) => {}
                Err(refused) => panic!("{refused:?}"),
            },
        }
    }
}

/// How many operations an update takes, from its beginning to its confirmation and to its end.
fn operations(confirms: bool) -> u32 {
    let machine = Machine::new(5);
    let before = machine.chip.borrow().operations();
    lives(&machine, confirms, || None);
    machine.chip.borrow().operations() - before
}

#[test]
fn every_operation_of_an_update_may_be_the_last() {
    for confirms in [true, false] {
        let all = operations(confirms);
        for n in 1..=all {
            let machine = Machine::new(n.into());
            // The first lives together last for so many operations: each begins with what the one before has left.
            let mut left = Some(n);
            let chip = machine.chip.clone();
            let (cuts, standing) = lives(&machine, confirms, move || {
                let now = chip.borrow();
                left = match (left, now.left) {
                    (Some(_), Some(0)) => None,
                    (Some(_), Some(rest)) => Some(rest),
                    (left, _) => left,
                };
                left
            });
            assert!(cuts > 0, "operation {n} of {all}");
            match standing {
                Standing::Confirmed => {}
                Standing::WentBack(NEW) if !confirms => {}
                other => panic!("operation {n} of {all}: {other:?}"),
            }
        }
        println!("an update, confirmed: {confirms}: cut in each of {all} operations: no brick");
    }
}

/// The journal is one page, and an erase of it that was cut off may leave any of it.
#[test]
fn a_page_that_is_torn_in_any_way_starts_a_whole_image() {
    let machine = Machine::new(6);
    let updated = machine.runs(OLD).unwrap().update(&SIGNED, false).unwrap();
    assert_eq!((updated.0, machine.starts()), (Outcome::Good, Some(NEW)));
    let on_trial = machine.chip.borrow().clone();
    let mut torn = 0;
    for confirms in [true, false] {
        let all = {
            *machine.chip.borrow_mut() = on_trial.clone();
            let before = machine.chip.borrow().operations();
            match confirms {
                true => _ = machine.runs(NEW).unwrap().confirm().unwrap(),
                false => assert_eq!(machine.starts(), Some(OLD)),
            }
            machine.chip.borrow().operations() - before
        };
        // The last operations are those on the page.
        for left in 1..=6 {
            for seed in 0..150 {
                let mut chip = on_trial.clone();
                chip.dice = Dice::new(seed * 7 + u64::from(left));
                chip.starts(Some(all + 1 - all.min(left)));
                *machine.chip.borrow_mut() = chip;
                match confirms {
                    true => _ = machine.runs(NEW).and_then(|mut running| running.confirm()),
                    false => _ = machine.starts(),
                }
                torn += u32::from(machine.chip.borrow().is_off());
                for _ in 0..4 {
                    let more = machine.chip.borrow_mut().dice.below(90) as u32;
                    machine.chip.borrow_mut().starts(Some(1 + more));
                    machine.starts();
                }
                machine.chip.borrow_mut().starts(None);
                machine.starts();
            }
        }
    }
    println!(
        "the journal torn {torn} times, and the starts after it cut off: a whole image started each time"
    );
    assert!(torn > 1_500, "{torn}");
}

#[test]
fn the_power_fails_and_fails() {
    let mut cuts = 0;
    for seed in 0..500 {
        let machine = Machine::new(seed);
        let mut dice = Dice::new(seed);
        // Short lives at first, so that a cut follows a cut.
        let mut rounds = 0;
        let (many, _) = lives(&machine, !seed.is_multiple_of(3), || {
            rounds += 1;
            let longest = if dice.once_in(3) { 1_200 } else { 40 };
            (rounds < 40).then(|| 1 + dice.below(longest) as u32)
        });
        cuts += many;
    }
    println!("updates under {cuts} cuts of the power: no brick, and none that was confirmed went back");
    assert!(cuts > 2_000, "{cuts}");
}
