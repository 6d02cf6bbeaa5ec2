//! Pseudonyms, and what they stand for.

use super::super::event::spelled;
use super::search::Wanted;
use hearth_core::profile::Catalog;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};

/// So many addresses, and so many texts, are kept apart.
pub(super) const MOST: usize = 65_536;

/// What is shorter stands in a maker's words by chance, as what has no digit and is not twice as long does.
const SHORTEST: usize = 4;
/// A name's part of so many digits is a number of its own.
const DIGITS: usize = 6;

#[derive(Debug)]
pub(super) struct Mask {
    key: [u8; 32],
    /// By which all times are moved.
    pub(super) days: i64,
    /// The file is read for the first time: what is made is thrown away.
    pub(super) learns: bool,
    /// Beginnings of names that tell a model, by the profiles.
    prefixes: Vec<String>,
    /// Originals; addresses most significant octet first.
    pub(super) addresses: BTreeSet<[u8; 6]>,
    /// And whether it is only a name: a maker's own words may hold it.
    pub(super) texts: BTreeMap<Vec<u8>, bool>,
    pub(super) system_ids: BTreeSet<[u8; 8]>,
    /// What texts became, and what is taken: two stay two.
    made: BTreeMap<Vec<u8>, Vec<u8>>,
    taken: BTreeSet<Vec<u8>>,
    /// What makers say of their models, and how those names begin.
    words: BTreeSet<Vec<u8>>,
    /// Values that are not understood, of each characteristic, in the order in which they came.
    unknown: BTreeMap<(u16, Vec<u8>), u64>,
    /// Stamps that are where they were, or tell nothing any more.
    pub(super) stayed: u64,
    /// More than can be kept apart.
    pub(super) crowded: bool,
}

impl Mask {
    pub(super) fn new(key: [u8; 32], catalog: &Catalog) -> Mask {
        let prefixes: Vec<String> =
            catalog.all().flat_map(|profile| profile.matches.name_prefixes.iter().cloned()).collect();
        Mask {
            key,
            days: 0,
            learns: true,
            words: prefixes.iter().map(|prefix| prefix.clone().into_bytes()).collect(),
            prefixes,
            addresses: BTreeSet::new(),
            texts: BTreeMap::new(),
            system_ids: BTreeSet::new(),
            made: BTreeMap::new(),
            taken: BTreeSet::new(),
            unknown: BTreeMap::new(),
            stayed: 0,
            crowded: false,
        }
    }

    /// In which order choices are tried.
    pub(super) fn order(&self, choice: i64) -> [u8; 32] {
        self.stream(b"days", &choice.to_be_bytes(), 0)
    }

    /// Octets that depend on the key, on what kind of thing it is, and on the thing.
    fn stream(&self, kind: &[u8], original: &[u8], block: u8) -> [u8; 32] {
        let mut hash = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        hash.update(&[kind, &[0, block], original].concat());
        hash.finalize().into_bytes().into()
    }

    /// An address, most significant octet first. Nobody's addresses, all zeros and all ones, stay.
    pub(super) fn address(&mut self, octets: [u8; 6], random: bool) -> [u8; 6] {
        if octets == [0; 6] || octets == [0xFF; 6] {
            return octets;
        }
        self.crowded |= self.addresses.len() >= MOST;
        if !self.crowded {
            self.addresses.insert(octets);
        }
        if self.learns {
            return [0; 6];
        }
        for block in 0..=u8::MAX {
            let mut made = *self.stream(b"address", &octets, block).first_chunk().unwrap_or(&[0; 6]);
            made[0] = match random {
                // Static, resolvable or neither: the two highest bits.
                true => made[0] & 0x3F | octets[0] & 0xC0,
                // One device's, and of no maker.
                false => made[0] & 0xFC | 0x02,
            };
            if !self.addresses.contains(&made) {
                return made;
            }
        }
        [0; 6]
    }

    /// Eight octets that name a device or a recorder, most significant first. "Never set" stays.
    pub(super) fn eui64(&mut self, octets: [u8; 8]) -> [u8; 8] {
        if octets == [0; 8] || octets == [0xFF; 8] {
            return octets;
        }
        self.crowded |= self.system_ids.len() >= MOST;
        if !self.crowded {
            self.system_ids.insert(octets);
        }
        let mut made = *self.stream(b"eui64", &octets, 0).first_chunk().unwrap_or(&[0; 8]);
        made[0] = made[0] & 0xFC | 0x02;
        made
    }

    /// A name. What profiles know a model by stays.
    pub(super) fn name(&mut self, octets: &[u8]) -> Vec<u8> {
        let keep = self.known_by(octets);
        self.masked(octets, keep, true)
    }

    /// Octets of the longest beginning that a profile knows.
    fn known_by(&self, name: &[u8]) -> usize {
        let known = self.prefixes.iter().filter(|prefix| name.starts_with(prefix.as_bytes()));
        known.map(String::len).max().unwrap_or(0)
    }

    /// A serial number, a patient's id, a person.
    pub(super) fn text(&mut self, octets: &[u8]) -> Vec<u8> {
        self.masked(octets, 0, false)
    }

    pub(super) fn string(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.text(text.as_bytes())).into_owned()
    }

    pub(super) fn name_string(&mut self, name: &str) -> String {
        String::from_utf8_lossy(&self.name(name.as_bytes())).into_owned()
    }

    /// What a maker says of its model: nobody's.
    pub(super) fn word(&mut self, octets: &[u8]) {
        if self.words.len() < MOST {
            self.words.insert(trimmed(octets).to_vec());
        }
    }

    /// Digits become other digits, letters other letters of their kind, what is not ASCII letters; the rest stays.
    fn masked(&mut self, octets: &[u8], keep: usize, name: bool) -> Vec<u8> {
        // Padding is no part of the text: the same text gets the same pseudonym with and without it.
        let original = trimmed(octets);
        let lead = octets.iter().take_while(|o| padding(**o)).count();
        let keep = keep.saturating_sub(lead).min(original.len());
        let tells = |o: &u8| o.is_ascii_alphanumeric() || *o >= 0x80;
        if !original.get(keep..).is_some_and(|rest| rest.iter().any(tells)) {
            return octets.to_vec();
        }
        self.learn(original, name);
        let runs = original.split(|o| !o.is_ascii_digit()).filter(|run| run.len() >= DIGITS);
        for run in
            runs.filter(|run| name && run.len() < original.len()).map(<[u8]>::to_vec).collect::<Vec<_>>()
        {
            self.learn(&run, false);
        }
        let mut whole = octets.to_vec();
        let made = if self.learns { vec![0; original.len()] } else { self.pseudonym(original, keep) };
        whole.splice(lead..lead + made.len(), made);
        whole
    }

    fn learn(&mut self, text: &[u8], name: bool) {
        self.crowded |= self.texts.len() >= MOST;
        if !self.crowded {
            *self.texts.entry(text.to_vec()).or_insert(true) &= name;
        }
    }

    /// Nobody else's, and in the beginning as much of a model as before.
    fn pseudonym(&mut self, original: &[u8], keep: usize) -> Vec<u8> {
        if let Some(made) = self.made.get(original) {
            return made.clone();
        }
        /// So often one is made that no other text of the file is; then one that no other became.
        const TRIES: u16 = 256;
        for turn in 0..2 * TRIES {
            let made = self.turned(original, keep, turn);
            let free = !self.taken.contains(&made) && (turn >= TRIES || !self.texts.contains_key(&made));
            if free && self.known_by(&made) == self.known_by(original) {
                self.taken.insert(made.clone());
                self.made.insert(original.to_vec(), made.clone());
                return made;
            }
        }
        self.crowded = true;
        vec![0; original.len()]
    }

    fn turned(&self, original: &[u8], keep: usize, turn: u16) -> Vec<u8> {
        let kind = [&b"text"[..], &turn.to_be_bytes()].concat();
        let blocks = 0..=u8::try_from(original.len() / 32).unwrap_or(u8::MAX);
        let turns: Vec<u8> = blocks.flat_map(|block| self.stream(&kind, original, block)).collect();
        let mut made = original.to_vec();
        for (octet, turn) in made.iter_mut().zip(turns.iter().chain(std::iter::repeat(&1))).skip(keep) {
            let (first, count) = match *octet {
                b'0'..=b'9' => (b'0', 10),
                b'A'..=b'Z' => (b'A', 26),
                b'a'..=b'z' => (b'a', 26),
                0x80.. => {
                    *octet = b'a' + turn % 26;
                    continue;
                }
                _ => continue,
            };
            // Never itself again.
            *octet = first + (*octet - first + 1 + turn % (count - 1)) % count;
        }
        made
    }

    /// A maker's words, in which what names somebody is replaced.
    pub(super) fn scrubbed(&mut self, octets: &[u8]) -> Vec<u8> {
        let mut made = octets.to_vec();
        if self.learns {
            return made;
        }
        let mut at = 0;
        while at < octets.len() {
            let rest = octets.get(at..).unwrap_or_default();
            let Some(length) =
                (SHORTEST..=rest.len()).rev().find(|length| self.names_somebody(&rest[..*length]))
            else {
                at += 1;
                continue;
            };
            let masked = self.masked(&rest[..length], 0, true);
            made.splice(at..at + length, masked);
            at += length;
        }
        made
    }

    pub(super) fn scrubbed_string(&mut self, text: &str) -> String {
        String::from_utf8_lossy(&self.scrubbed(text.as_bytes())).into_owned()
    }

    /// A text of the file, or an address or a System ID as somebody writes it.
    fn names_somebody(&self, part: &[u8]) -> bool {
        let digit = part.iter().any(u8::is_ascii_digit);
        if (digit || part.len() >= 2 * SHORTEST) && part == trimmed(part) && self.knows(part) {
            return true;
        }
        if !matches!(part.len(), 12 | 16 | 17 | 23) {
            return false;
        }
        let digits: Vec<u8> =
            part.iter().filter(|o| !b":-".contains(o)).map(u8::to_ascii_uppercase).collect();
        let Ok(octets) = data_encoding::HEXUPPER.decode(&digits) else { return false };
        let reversed: Vec<u8> = octets.iter().rev().copied().collect();
        [octets, reversed].iter().any(|octets| {
            <[u8; 6]>::try_from(&octets[..]).is_ok_and(|address| self.addresses.contains(&address))
                || <[u8; 8]>::try_from(&octets[..]).is_ok_and(|id| self.system_ids.contains(&id))
        })
    }

    /// Octets that are not understood become zeros, in which stands only the how-manieth other value of this
    /// characteristic it is: two stay two.
    pub(super) fn number(&mut self, characteristic: u16, octets: &mut [u8]) {
        let key = (characteristic, octets.to_vec());
        octets.fill(0);
        if self.learns {
            return;
        }
        let next = self.unknown.len() as u64;
        if self.unknown.len() < MOST || self.unknown.contains_key(&key) {
            let number = *self.unknown.entry(key).or_insert(next);
            for (octet, digit) in octets.iter_mut().zip(number.to_le_bytes()) {
                *octet = digit;
            }
        }
    }

    /// Texts and System IDs that became others.
    pub(super) fn replaced(&self) -> usize {
        self.made.len() + self.system_ids.len()
    }

    /// Whether a text of the original must not stand where texts stand.
    pub(super) fn knows(&self, octets: &[u8]) -> bool {
        self.texts.get(trimmed(octets)).is_some_and(|name| !(*name && self.is_word(trimmed(octets))))
    }

    fn is_word(&self, text: &[u8]) -> bool {
        self.words.iter().any(|word| word.windows(text.len().max(1)).any(|part| part == text))
    }

    /// All that must not be found again.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        let mut spell = |octets: &[u8], what| {
            let reversed: Vec<u8> = octets.iter().rev().copied().collect();
            // Four octets of one kind in a row of six are no sign of an address: zeros stand everywhere.
            let most = octets.iter().map(|o| octets.iter().filter(|other| *other == o).count()).max();
            for order in [octets, &reversed] {
                if most < Some(SHORTEST) {
                    wanted.add(order, what);
                }
                let plain = data_encoding::HEXUPPER.encode(order);
                for text in [spelled(order), plain] {
                    wanted.add(text.as_bytes(), what);
                    wanted.add(text.to_lowercase().as_bytes(), what);
                }
            }
        };
        self.addresses.iter().for_each(|a| spell(a, "an address"));
        self.system_ids.iter().for_each(|id| spell(id, "a System ID"));
        for (text, _) in self.texts.iter().filter(|(text, name)| !(**name && self.is_word(text))) {
            wanted.add(text, "a name, a serial number or an id");
        }
        wanted
    }
}

fn padding(octet: u8) -> bool {
    octet == 0 || octet.is_ascii_whitespace()
}

fn trimmed(octets: &[u8]) -> &[u8] {
    let from = octets.iter().position(|o| !padding(*o)).unwrap_or(octets.len());
    let to = octets.iter().rposition(|o| !padding(*o)).map_or(from, |at| at + 1);
    octets.get(from..to).unwrap_or_default()
}
