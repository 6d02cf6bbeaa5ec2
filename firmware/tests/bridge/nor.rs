//! NOR flash as chips have it, with power that fails: a write clears bits in words that were erased, an erase sets all of a page. An
//! operation that is cut off has done any part of its work, and what it left is weak: it may read as anything, even as erased, and
//! whoever writes there without erasing it first is told.

use embedded_storage::nor_flash as blocking;
use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) const PAGE: usize = 4096;
pub(crate) const WORD: usize = 4;

/// The chip. It outlives every start of the bridge.
#[derive(Clone, Debug)]
pub(crate) struct Chip {
    octets: Vec<u8>,
    /// Words that were written, or touched by what was cut off, since their last whole erase.
    used: Vec<bool>,
    /// Octets that an operation left in between, with what is sure to be set, and what may be: they read otherwise at each start.
    torn: BTreeMap<usize, (u8, u8)>,
    /// A page that takes nothing any more: whoever tries is told.
    pub(crate) worn: Option<usize>,
    /// Words that were written may be cleared: chips do that, and a bootloader's page wants it.
    pub(crate) clears: bool,
    /// Operations until the power fails.
    pub(crate) left: Option<u32>,
    pub(crate) dice: Dice,
    /// Since the beginning.
    pub(crate) writes: u32,
    pub(crate) written: usize,
    pub(crate) erases: Vec<u32>,
}

/// A generator of numbers that look like chance: Marsaglia's xorshift64*.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// One time in so many.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// The power is gone; or the chip says that it did not do what it was told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    Cut,
    Worn,
}

impl NorFlashError for Trouble {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Chip {
    pub(crate) fn new(pages: usize, seed: u64) -> Rc<RefCell<Chip>> {
        Rc::new(RefCell::new(Chip {
            octets: vec![0xFF; pages * PAGE],
            used: vec![false; pages * PAGE / WORD],
            torn: BTreeMap::new(),
            worn: None,
            clears: false,
            left: None,
            dice: Dice::new(seed),
            writes: 0,
            written: 0,
            erases: vec![0; pages],
        }))
    }

    /// Whether the power fails in this operation.
    fn fails(&mut self) -> bool {
        match &mut self.left {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                *left == 0
            }
        }
    }

    /// Since the beginning.
    pub(crate) fn operations(&self) -> u32 {
        self.writes + self.erases.iter().sum::<u32>()
    }

    pub(crate) fn is_off(&self) -> bool {
        self.left == Some(0)
    }

    /// The power is back, for so many operations.
    pub(crate) fn starts(&mut self, left: Option<u32>) {
        self.left = left;
        for (place, (least, most)) in &self.torn {
            self.octets[*place] = least | most & self.dice.next() as u8;
        }
    }

    /// Turns bits over, as rot does.
    pub(crate) fn rot(&mut self, at: usize, bits: u8) {
        self.octets[at] ^= bits;
    }

    /// Where words are that were written.
    pub(crate) fn used(&self) -> Vec<usize> {
        (0..self.used.len()).filter(|word| self.used[*word]).map(|word| word * WORD).collect()
    }
}

/// A hold of some of it.
#[derive(Clone, Debug)]
pub(crate) struct Flash {
    pub(crate) chip: Rc<RefCell<Chip>>,
    /// Octets of the chip.
    from: usize,
    length: usize,
}

impl Flash {
    /// All of it.
    pub(crate) fn of(chip: &Rc<RefCell<Chip>>) -> Flash {
        let length = chip.borrow().octets.len();
        Flash { chip: chip.clone(), from: 0, length }
    }

    /// So many pages from this one on.
    pub(crate) fn pages(chip: &Rc<RefCell<Chip>>, from: usize, pages: usize) -> Flash {
        Flash { chip: chip.clone(), from: from * PAGE, length: pages * PAGE }
    }

    /// Where these octets are in the chip. What chips refuse is no trouble of theirs.
    fn place(&self, from: u32, length: usize, unit: usize) -> usize {
        let from = from as usize;
        assert!(from.is_multiple_of(unit) && length.is_multiple_of(unit), "{length} octets from {from}");
        assert!(from + length <= self.length, "{length} octets from {from}, beyond the end");
        self.from + from
    }

    fn get(&self, offset: u32, octets: &mut [u8]) -> Result<(), Trouble> {
        let at = self.place(offset, octets.len(), WORD);
        let chip = self.chip.borrow();
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        octets.copy_from_slice(&chip.octets[at..at + octets.len()]);
        Ok(())
    }

    fn put(&self, offset: u32, octets: &[u8]) -> Result<(), Trouble> {
        let at = self.place(offset, octets.len(), WORD);
        let mut chip = self.chip.borrow_mut();
        let chip = &mut *chip;
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        if chip.worn == Some(at / PAGE) {
            return Err(Trouble::Worn);
        }
        let words = at / WORD..(at + octets.len()) / WORD;
        let clears = chip.clears && octets.iter().all(|octet| *octet == 0);
        let used = words.clone().find(|word| chip.used[*word] && !clears);
        assert_eq!(used, None, "written where it was not erased: word {used:?} of {words:?}");
        let cut = chip.fails();
        // Words are programmed in order; the one at which the power failed has any of its bits.
        let whole = if cut { chip.dice.below(words.len() + 1) } else { words.len() };
        for (n, word) in words.clone().enumerate() {
            for octet in 0..WORD {
                let place = word * WORD + octet;
                let wanted = octets[place - at];
                if n < whole {
                    chip.octets[place] &= wanted;
                    // What is cleared is, whatever it was.
                    chip.torn.remove(&place);
                } else if n == whole {
                    let before = chip.octets[place];
                    let (least, most) = *chip.torn.get(&place).unwrap_or(&(before, before));
                    chip.torn.insert(place, (least & wanted, most));
                    chip.octets[place] &= wanted | chip.dice.next() as u8;
                }
            }
            chip.used[word] |= n <= whole;
        }
        chip.writes += 1;
        chip.written += octets.len();
        if cut { Err(Trouble::Cut) } else { Ok(()) }
    }

    fn clear(&self, from: u32, to: u32) -> Result<(), Trouble> {
        let length = (to - from) as usize;
        let at = self.place(from, length, PAGE);
        let mut chip = self.chip.borrow_mut();
        let chip = &mut *chip;
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        for page in at / PAGE..(at + length) / PAGE {
            if chip.worn == Some(page) {
                return Err(Trouble::Worn);
            }
            let cut = chip.fails();
            let octets = page * PAGE..(page + 1) * PAGE;
            let words = page * PAGE / WORD..(page + 1) * PAGE / WORD;
            chip.erases[page] += 1;
            if !cut {
                chip.octets[octets.clone()].fill(0xFF);
                chip.used[words].fill(false);
                chip.torn.retain(|place, _| !octets.contains(place));
                continue;
            }
            // From an end, or anywhere: no chip promises an order.
            let way = chip.dice.below(4);
            let many = match chip.dice.once_in(2) {
                true => chip.dice.below(PAGE + 1),
                // What stands first is looked at first.
                false => chip.dice.below(8) * WORD,
            };
            // What it had not come to is as it was, or weak as well.
            let weakens = chip.dice.once_in(2);
            for (n, place) in octets.enumerate() {
                let gone = match way {
                    0 => n < many,
                    1 => n >= many,
                    2 => chip.dice.below(PAGE) < many,
                    _ => false,
                };
                if !gone && !weakens {
                    continue;
                }
                if !gone {
                    chip.torn.insert(place, (chip.octets[place], 0xFF));
                }
                chip.octets[place] |=
                    if gone { 0xFF } else { chip.dice.next() as u8 & chip.dice.next() as u8 };
            }
            chip.used[words].fill(true);
            return Err(Trouble::Cut);
        }
        Ok(())
    }
}

impl ErrorType for Flash {
    type Error = Trouble;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Trouble> {
        self.get(offset, octets)
    }

    fn capacity(&self) -> usize {
        self.length
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Trouble> {
        self.put(offset, octets)
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Trouble> {
        self.clear(from, to)
    }
}

/// For the bootloader, which waits.
impl blocking::ReadNorFlash for Flash {
    const READ_SIZE: usize = WORD;

    fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Trouble> {
        self.get(offset, octets)
    }

    fn capacity(&self) -> usize {
        self.length
    }
}

impl blocking::NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Trouble> {
        self.put(offset, octets)
    }

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Trouble> {
        self.clear(from, to)
    }
}
