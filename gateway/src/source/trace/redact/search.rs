//! Looks for octets in a file, many at once.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;

/// What is too short stands everywhere by chance.
pub(super) const SHORTEST: usize = 6;
const CHUNK: usize = 64 * 1024;

/// What is looked for. Many begin alike (a maker's addresses do), so that a whole one is found by one look, too.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    all: HashMap<Vec<u8>, &'static str>,
    /// How long those are that begin so.
    lengths: HashMap<[u8; SHORTEST], BTreeSet<usize>>,
    /// The first two octets of each: most places are passed by with one look.
    starts: Vec<bool>,
    longest: usize,
}

impl Wanted {
    /// Shorter ones than [`SHORTEST`] are not looked for.
    pub(super) fn add(&mut self, octets: &[u8], what: &'static str) {
        let Some(start) = octets.first_chunk::<SHORTEST>() else { return };
        self.starts.resize(1 << 16, false);
        if let Some(known) = self.starts.get_mut(two(octets)) {
            *known = true;
        }
        self.lengths.entry(*start).or_default().insert(octets.len());
        self.all.insert(octets.to_vec(), what);
        self.longest = self.longest.max(octets.len());
    }

    fn at(&self, octets: &[u8]) -> Option<&'static str> {
        if !*self.starts.get(two(octets))? {
            return None;
        }
        let lengths = self.lengths.get(octets.first_chunk::<SHORTEST>()?)?;
        lengths.iter().find_map(|length| self.all.get(octets.get(..*length)?)).copied()
    }
}

fn two(octets: &[u8]) -> usize {
    octets.first_chunk::<2>().map_or(0, |two| usize::from(u16::from_be_bytes(*two)))
}

/// The first that is found, and at which octet.
pub(super) fn search(mut reader: impl Read, wanted: &Wanted) -> std::io::Result<Option<(&'static str, u64)>> {
    let mut window: Vec<u8> = vec![];
    let mut before = 0;
    loop {
        let more = reader.by_ref().take(CHUNK as u64).read_to_end(&mut window)?;
        // At the end of the window what is wanted may be only half there.
        let sure = if more == 0 { window.len() } else { window.len().saturating_sub(wanted.longest) };
        for at in 0..sure {
            if let Some(what) = window.get(at..).and_then(|rest| wanted.at(rest)) {
                return Ok(Some((what, before + at as u64)));
            }
        }
        window.drain(..sure);
        before += sure as u64;
        if more == 0 {
            return Ok(None);
        }
    }
}
