//! Pseudonyms, and what they stand for.

use super::super::Options;
use super::super::event::spelled;
use super::search::Wanted;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::collections::{BTreeMap, BTreeSet};

/// So many addresses, and so many texts, are kept apart.
pub(super) const MOST: usize = 65_536;

/// Weekdays stay, and clocks are set forward and back in the same week.
const YEAR: i64 = 364;

#[derive(Debug)]
pub(super) struct Mask {
    key: [u8; 32],
    /// By which all times are moved.
    pub(super) days: i64,
    prefixes: Vec<String>,
    /// Originals; addresses most significant octet first.
    pub(super) addresses: BTreeSet<[u8; 6]>,
    /// And whether it is only a name: a maker's own words may hold it.
    pub(super) texts: BTreeMap<Vec<u8>, bool>,
    pub(super) system_ids: BTreeSet<[u8; 8]>,
    /// What makers say of their models, and how those names begin.
    words: BTreeSet<Vec<u8>>,
    /// More than can be kept apart.
    pub(super) crowded: bool,
}

impl Mask {
    pub(super) fn new(key: [u8; 32], options: &Options) -> Mask {
        let mut mask = Mask {
            key,
            days: 0,
            prefixes: options.name_prefixes.clone(),
            addresses: BTreeSet::new(),
            texts: BTreeMap::new(),
            system_ids: BTreeSet::new(),
            words: options.name_prefixes.iter().map(|prefix| prefix.clone().into_bytes()).collect(),
            crowded: false,
        };
        mask.days = YEAR * (1 + i64::from(mask.stream(b"days", b"", 0)[0] % 8));
        mask
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

    /// A name. What profiles know a model by stays, if the name says more than that.
    pub(super) fn name(&mut self, octets: &[u8]) -> Vec<u8> {
        let known = self.prefixes.iter().map(|p| p.as_bytes());
        let known = known.filter(|p| octets.starts_with(p) && trimmed(octets).len() > p.len());
        let keep = known.map(<[u8]>::len).max().unwrap_or(0);
        self.masked(octets, keep, true)
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
        let original = trimmed(octets);
        let mut turns = vec![];
        for block in 0..=u8::try_from(octets.len() / 32).unwrap_or(u8::MAX) {
            turns.extend(self.stream(b"text", original, block));
        }
        // Padding is no part of the text: the same text gets the same pseudonym with and without it.
        let lead = octets.iter().take_while(|o| padding(**o)).count();
        let mut made = octets.to_vec();
        let mut changed = false;
        for (at, octet) in made.iter_mut().enumerate().skip(keep.max(lead)) {
            let turn = turns.get(at - lead).copied().unwrap_or(1);
            let (first, count) = match *octet {
                b'0'..=b'9' => (b'0', 10),
                b'A'..=b'Z' => (b'A', 26),
                b'a'..=b'z' => (b'a', 26),
                0x80.. => {
                    *octet = b'a' + turn % 26;
                    changed = true;
                    continue;
                }
                _ => continue,
            };
            // Never itself again.
            *octet = first + (*octet - first + 1 + turn % (count - 1)) % count;
            changed = true;
        }
        if changed {
            self.crowded |= self.texts.len() >= MOST;
            if !self.crowded {
                *self.texts.entry(original.to_vec()).or_insert(true) &= name;
            }
        }
        made
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
            for order in [octets, &reversed] {
                wanted.add(order, what);
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
