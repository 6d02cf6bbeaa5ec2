//! NOR flash as chips have it, with power that fails: a write clears bits in words that were erased, an erase sets all of a page. An
//! operation that is cut off has done any part of its work, and what it left is weak: it may read as anything, even as erased, and
//! whoever writes there without erasing it first is told.

use embedded_storage_async::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(crate) const PAGE: usize = 4096;
pub(crate) const WORD: usize = 4;

/// The chip. It outlives every start of the bridge.
#[derive(Debug)]
pub(crate) struct Chip {
    octets: Vec<u8>,
    /// Words that were written, or touched by what was cut off, since their last whole erase.
    used: Vec<bool>,
    /// Octets that an operation left in between, with what is sure to be set, and what may be: they read otherwise at each start.
    torn: BTreeMap<usize, (u8, u8)>,
    /// A page that takes nothing any more: whoever tries is told.
    pub(crate) worn: Option<usize>,
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

/// A bridge's hold of it.
#[derive(Clone, Debug)]
pub(crate) struct Flash(pub(crate) Rc<RefCell<Chip>>);

impl Flash {
    /// What chips refuse, and is no trouble of theirs.
    fn check(&self, from: u32, length: usize, unit: usize) {
        let from = from as usize;
        assert!(from.is_multiple_of(unit) && length.is_multiple_of(unit), "{length} octets from {from}");
        assert!(from + length <= self.capacity(), "{length} octets from {from}, beyond the end");
    }
}

impl ErrorType for Flash {
    type Error = Trouble;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = WORD;

    async fn read(&mut self, offset: u32, octets: &mut [u8]) -> Result<(), Trouble> {
        self.check(offset, octets.len(), WORD);
        let chip = self.0.borrow();
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        let at = offset as usize;
        octets.copy_from_slice(&chip.octets[at..at + octets.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().octets.len()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = PAGE;

    async fn write(&mut self, offset: u32, octets: &[u8]) -> Result<(), Trouble> {
        self.check(offset, octets.len(), WORD);
        let mut chip = self.0.borrow_mut();
        let chip = &mut *chip;
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        if chip.worn == Some(offset as usize / PAGE) {
            return Err(Trouble::Worn);
        }
        let at = offset as usize;
        let words = at / WORD..(at + octets.len()) / WORD;
        let used = words.clone().find(|word| chip.used[*word]);
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
                } else if n == whole {
                    let before = chip.octets[place];
                    chip.torn.insert(place, (before & wanted, before));
                    chip.octets[place] &= wanted | chip.dice.next() as u8;
                }
            }
            chip.used[word] |= n <= whole;
        }
        chip.writes += 1;
        chip.written += octets.len();
        if cut { Err(Trouble::Cut) } else { Ok(()) }
    }

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), Trouble> {
        self.check(from, (to - from) as usize, PAGE);
        let mut chip = self.0.borrow_mut();
        let chip = &mut *chip;
        if chip.is_off() {
            return Err(Trouble::Cut);
        }
        for page in from as usize / PAGE..to as usize / PAGE {
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
            let many = chip.dice.below(PAGE + 1);
            for (n, place) in octets.enumerate() {
                let gone = match way {
                    0 => n < many,
                    1 => n >= many,
                    2 => chip.dice.below(PAGE) < many,
                    _ => false,
                };
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
