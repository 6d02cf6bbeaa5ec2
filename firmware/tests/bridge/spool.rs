//! What was written is told until it is acknowledged, each once under its own number, wherever the power fails.

use crate::nor::{Chip, Dice, Flash, PAGE, Trouble};
use embassy_futures::block_on as now;
use firmware::flash::{Refused, Spool};
use hearth_wire::frame::{Place, said};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::rc::Rc;

const PAGES: usize = 6;

type Stored = Spool<Flash, PAGES>;

fn open(chip: &Rc<RefCell<Chip>>) -> Result<Stored, Refused<Trouble>> {
    now(Spool::open(Flash::of(chip)))
}

/// All that waits, in order.
fn waiting(spool: &mut Stored) -> Result<Vec<(Place, Vec<u8>)>, Refused<Trouble>> {
    let (mut all, mut place) = (vec![], Place::default());
    while let Some((next, said)) = now(spool.after(place))? {
        place = next;
        all.push((next, said.to_vec()));
    }
    Ok(all)
}

fn adopted(pages_seed: u64) -> (Rc<RefCell<Chip>>, Stored) {
    let chip = Chip::new(PAGES, pages_seed);
    let mut spool = open(&chip).unwrap();
    now(spool.adopt(7)).unwrap();
    (chip, spool)
}

#[test]
fn a_new_bridge_takes_nothing_until_it_is_adopted() {
    let chip = Chip::new(PAGES, 1);
    let mut spool = open(&chip).unwrap();
    assert_eq!((spool.epoch(), spool.is_adopted()), (0, false));
    assert_eq!(now(spool.append(b"a")), Err(Refused::NoEpoch));
    now(spool.adopt(7)).unwrap();
    assert_eq!(now(spool.append(b"a")), Ok(Place { epoch: 7, number: 1 }));
    // Its answer was lost, and the hub gives another.
    now(spool.adopt(9)).unwrap();
    assert_eq!(spool.epoch(), 7);
    let spool = open(&chip).unwrap();
    assert_eq!(spool.epoch(), 8, "each start counts on");
}

#[test]
fn what_waits_is_told_in_order_and_goes_when_it_is_acknowledged() {
    let (chip, mut spool) = adopted(1);
    let place = |epoch, number| Place { epoch, number };
    for said in [&b"one"[..], b"two", b"three"] {
        now(spool.append(said)).unwrap();
    }
    let mut spool = {
        drop(spool);
        open(&chip).unwrap()
    };
    now(spool.append(b"four")).unwrap();
    let all = waiting(&mut spool).unwrap();
    let expected =
        [(place(7, 1), "one"), (place(7, 2), "two"), (place(7, 3), "three"), (place(8, 1), "four")];
    assert_eq!(all, expected.map(|(place, said)| (place, said.as_bytes().to_vec())));
    assert_eq!(now(spool.waiting()), Ok(4));
    now(spool.acknowledge(place(7, 2))).unwrap();
    assert_eq!(now(spool.acknowledge(place(9, 1))), Err(Refused::NeverTold));
    assert_eq!(waiting(&mut spool).unwrap().len(), 2);
    let mut spool = {
        drop(spool);
        open(&chip).unwrap()
    };
    assert_eq!(waiting(&mut spool).unwrap().len(), 2, "an acknowledgement outlives a start");
    now(spool.acknowledge(place(8, 1))).unwrap();
    assert_eq!(waiting(&mut spool).unwrap(), []);
    assert!(now(spool.append(&[0; said::LONGEST])).is_ok());
    assert_eq!(now(spool.append(&[0; said::LONGEST + 1])), Err(Refused::TooLong));
    for none in [0, u32::MAX] {
        assert_eq!(now(spool.adopt(none)), Err(Refused::NoSuchEpoch));
    }
}

/// A record is told as soon as it is written, though all before it were told already.
#[test]
fn what_comes_later_is_told_later() {
    let (_, mut spool) = adopted(1);
    let mut place = Place::default();
    for n in 0..100_u8 {
        assert_eq!(now(spool.after(place)).unwrap(), None);
        let written = now(spool.append(&[n; 40])).unwrap();
        let (told, said) = now(spool.after(place)).unwrap().unwrap();
        assert_eq!((told, said), (written, &[n; 40][..]));
        place = told;
        if n % 7 == 0 {
            now(spool.acknowledge(place)).unwrap();
        }
    }
}

/// Where there is no room, nothing is taken; a note of that is, and so is each start, until the pages that were kept back for them are
/// used. Then all goes on as soon as something is acknowledged.
#[test]
fn a_full_memory_refuses_and_recovers() {
    let (chip, mut spool) = adopted(1);
    let mut written = 0;
    let refused = loop {
        match now(spool.append(&[5; 200])) {
            Ok(_) => written += 1,
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused, Refused::Full);
    assert!(written >= (PAGES - 3) * 18, "{written}");
    now(spool.append_loss(b"lost")).unwrap();
    for _ in 0..PAGES {
        drop(spool);
        spool = open(&chip).unwrap();
        let epoch = spool.epoch();
        let said = now(spool.append_loss(b"lost"));
        assert!(
            matches!((epoch, &said), (0, Err(Refused::NoEpoch)) | (1.., Ok(_) | Err(Refused::Full))),
            "{epoch} {said:?}"
        );
    }
    assert_eq!(spool.epoch(), 0, "no page is left");
    let all = waiting(&mut spool).unwrap();
    assert!(all.len() > written);
    now(spool.acknowledge(all[written - 1].0)).unwrap();
    assert_ne!(spool.epoch(), 0);
    assert!(now(spool.append(b"again")).is_ok());
    assert_eq!(waiting(&mut spool).unwrap().len(), all.len() - written + 1);
}

/// A page that is worn out is left, and the next one taken. Where none is good any more, what waits is told all the same.
#[test]
fn a_worn_page_is_left() {
    for page in 0..PAGES {
        let (chip, mut spool) = adopted(1);
        now(spool.append(b"before")).unwrap();
        chip.borrow_mut().worn = Some(page);
        for n in 0..100 {
            if n % 10 == 0 {
                drop(spool);
                spool = open(&chip).unwrap();
            }
            let all = waiting(&mut spool).unwrap();
            assert_eq!(all[0].1, b"before", "page {page}");
            if let Err(refused) = now(spool.append(&[7; 200])) {
                assert!(
                    matches!(refused, Refused::Full | Refused::NoEpoch | Refused::Flash(Trouble::Worn)),
                    "{refused}"
                );
            }
        }
        assert!(waiting(&mut spool).unwrap().len() > 30, "page {page}");
    }
}

/// Records never take the pages that are kept back from them, however often the bridge starts.
#[test]
fn starts_and_losses_have_room_of_their_own() {
    let (chip, mut spool) = adopted(1);
    for _ in 0..5 * PAGES {
        while now(spool.append(&[5; 200])).is_ok() {}
        drop(spool);
        spool = open(&chip).unwrap();
        assert_ne!(spool.epoch(), 0);
    }
    assert!(now(spool.append_loss(b"lost")).is_ok());
}

/// A bit that rotted takes its record, and no other; the number is missing, which the hub sees.
#[test]
fn rot_takes_one_record() {
    let (chip, mut spool) = adopted(1);
    for n in 0..20_u8 {
        now(spool.append(&[if n % 2 == 0 { n } else { 0xFF }; 60])).unwrap();
    }
    let used = chip.borrow().used();
    for (starts, at) in used.iter().enumerate() {
        chip.borrow_mut().rot(*at, 0x10);
        let mut spool = open(&chip).unwrap();
        assert_eq!(spool.epoch(), 8 + starts as u32, "with a bit turned over at {at}");
        let numbers: Vec<u32> = waiting(&mut spool).unwrap().iter().map(|(place, _)| place.number).collect();
        chip.borrow_mut().rot(*at, 0x10);
        assert!(numbers.len() >= 19 && numbers.is_sorted(), "{numbers:?} with a bit turned over at {at}");
    }
}

/// What the world outside knows of a bridge, and checks.
#[derive(Debug, Default)]
struct Model {
    /// What was promised to be kept, and is not acknowledged.
    kept: BTreeMap<Place, Vec<u8>>,
    /// What may be there or not, at each start anew: the power failed while it was written, or while it was acknowledged, and cells that
    /// an operation left in between read as they please. Nobody was promised anything of it.
    perhaps: BTreeMap<Place, Vec<u8>>,
    /// What was being written, or acknowledged, when the power failed.
    in_doubt: Option<Vec<u8>>,
    going: Option<Place>,
    /// What the bridge tells.
    told: BTreeSet<Place>,
    /// All places that were ever seen, with what they said.
    seen: BTreeMap<Place, Vec<u8>>,
    serial: u32,
}

impl Model {
    /// What a start finds is what was kept, and perhaps what was in doubt.
    fn compare(&mut self, spool: &mut Stored, seed: u64) -> Result<(), Refused<Trouble>> {
        let all = waiting(spool)?;
        assert!(all.is_sorted_by(|a, b| a.0 < b.0), "seed {seed}: {all:?}");
        let found: BTreeMap<Place, Vec<u8>> = all.into_iter().collect();
        if let Some(going) = self.going.take() {
            let later = self.kept.split_off(&going);
            self.perhaps.append(&mut self.kept);
            self.kept = later;
            self.perhaps.extend(self.kept.remove_entry(&going));
        }
        for (place, said) in &self.kept {
            assert_eq!(found.get(place), Some(said), "seed {seed}: {place:?} is lost or another");
        }
        let in_doubt = self.in_doubt.take();
        for (place, said) in &found {
            let known = self.kept.get(place).or(self.perhaps.get(place)).or(in_doubt.as_ref());
            assert_eq!(known, Some(said), "seed {seed}: {place:?} came back, or from nowhere");
            if !self.kept.contains_key(place) {
                self.perhaps.insert(*place, said.clone());
            }
            let before = self.seen.insert(*place, said.clone());
            assert!(before.is_none_or(|before| before == *said), "seed {seed}: {place:?} was given twice");
        }
        self.told = found.into_keys().collect();
        Ok(())
    }

    /// Does something; an error is the power's.
    fn act(&mut self, spool: &mut Stored, dice: &mut Dice, seed: u64) -> Result<(), Refused<Trouble>> {
        if dice.once_in(3) && !self.told.is_empty() {
            let up_to = *self.told.iter().nth(dice.below(self.told.len())).unwrap();
            self.going = Some(up_to);
            now(spool.acknowledge(up_to))?;
            self.going = None;
            self.told.retain(|place| *place > up_to);
            for some in [&mut self.kept, &mut self.perhaps] {
                some.retain(|place, _| *place > up_to);
            }
            return Ok(());
        }
        self.serial += 1;
        let said = [&self.serial.to_le_bytes()[..], &vec![self.serial as u8; dice.below(180)]].concat();
        self.in_doubt = Some(said.clone());
        let place = match now(spool.append(&said)) {
            Err(Refused::Full | Refused::NoEpoch) => None,
            other => Some(other?),
        };
        self.in_doubt = None;
        if let Some(place) = place {
            assert_eq!(self.seen.insert(place, said.clone()), None, "seed {seed}: {place:?} was given twice");
            self.kept.insert(place, said);
            self.told.insert(place);
        }
        Ok(())
    }
}

/// Starts, and goes on until the power fails.
fn start(
    chip: &Rc<RefCell<Chip>>,
    model: &mut Model,
    dice: &mut Dice,
    first: &mut u32,
    seed: u64,
) -> Result<Infallible, Refused<Trouble>> {
    let mut spool = open(chip)?;
    // A bridge whose flash takes nothing any more starts; one without power does not.
    if chip.borrow().is_off() {
        return Err(Refused::Flash(Trouble::Cut));
    }
    if !spool.is_adopted() {
        *first += 1;
        now(spool.adopt(*first))?;
    }
    model.compare(&mut spool, seed)?;
    loop {
        model.act(&mut spool, dice, seed)?;
        if dice.once_in(40) {
            model.compare(&mut spool, seed)?;
        }
    }
}

/// One life of a chip: many starts, each ended by the power at some operation. Gives back how many starts.
fn live(seed: u64, operations: u32) -> u32 {
    let chip = Chip::new(PAGES, seed);
    let mut dice = Dice::new(seed ^ 0x5EED);
    let mut model = Model::default();
    let mut starts = 0;
    let mut first = 0;
    while chip.borrow().writes < operations {
        starts += 1;
        chip.borrow_mut().starts(Some(1 + dice.below(60) as u32));
        let Err(died) = start(&chip, &mut model, &mut dice, &mut first, seed);
        assert_eq!(died, Refused::Flash(Trouble::Cut), "seed {seed}");
    }
    chip.borrow_mut().starts(None);
    let mut spool = open(&chip).unwrap();
    model.compare(&mut spool, seed).unwrap();
    starts
}

#[test]
fn nothing_is_lost_or_doubled_wherever_the_power_fails() {
    let starts: u32 = (0..100).map(|seed| live(seed, 2_000)).sum();
    println!("spool: {starts} times the power failed in an operation: none lost, none doubled");
    assert!(starts > 4_000);
}

/// The power fails at every operation of one conversation, each time from the same beginning.
#[test]
fn every_operation_may_be_the_last() {
    let talk = |chip: &Rc<RefCell<Chip>>, model: &mut Model| -> Result<(), Refused<Trouble>> {
        let mut dice = Dice::new(3);
        let mut spool = open(chip)?;
        now(spool.adopt(1))?;
        model.compare(&mut spool, 3)?;
        for _ in 0..150 {
            model.act(&mut spool, &mut dice, 3)?;
        }
        Ok(())
    };
    let whole = Chip::new(PAGES, 3);
    talk(&whole, &mut Model::default()).unwrap();
    let all = whole.borrow().writes + whole.borrow().erases.iter().sum::<u32>();
    for n in 1..=all {
        let chip = Chip::new(PAGES, u64::from(n));
        let mut model = Model::default();
        chip.borrow_mut().starts(Some(n));
        assert_eq!(talk(&chip, &mut model), Err(Refused::Flash(Trouble::Cut)), "operation {n} of {all}");
        chip.borrow_mut().starts(None);
        model.compare(&mut open(&chip).unwrap(), u64::from(n)).unwrap();
    }
    println!("spool: {all} operations, each cut off once");
}

/// Ten years at 200 records a day, each acknowledged soon: how often a page is erased.
#[test]
fn a_page_lasts_ten_years() {
    const DAYS: usize = 60;
    let chip = Chip::new(48, 1);
    let mut spool: Spool<Flash, 48> = now(Spool::open(Flash::of(&chip))).unwrap();
    now(spool.adopt(1)).unwrap();
    for _ in 0..DAYS * 200 {
        // A cuff's value, with who and when.
        let place = now(spool.append(&[0; 41])).unwrap();
        now(spool.acknowledge(place)).unwrap();
    }
    let chip = chip.borrow();
    let records = (DAYS * 200) as f64;
    let most = *chip.erases.iter().max().unwrap() as f64;
    println!(
        "spool: {:.2} writes, {:.1} octets and {:.4} erases of {PAGE} octets a record; in ten years at 200 a day each page is erased {:.0} times",
        f64::from(chip.writes) / records,
        chip.written as f64 / records,
        f64::from(chip.erases.iter().sum::<u32>()) / records,
        most * 3650.0 / DAYS as f64
    );
    assert!(most * 3650.0 / (DAYS as f64) < 10_000.0, "what an nRF52840's flash endures");
}
