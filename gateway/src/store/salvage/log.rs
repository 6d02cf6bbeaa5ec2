//! The write-ahead log, read by its own checksums (sqlite.org/fileformat2.html#walformat).
//!
//! SQLite goes back, without a word, to the last whole commit before the first bad frame. After a power cut that is
//! right: what follows was never flushed, so nobody was told that it is kept. When more commits follow, those were
//! flushed and answered for: then the log is damaged, and what the file says is old.

use super::pages::page_size;
use crate::store::connection::PAGE;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// What of a log may be read.
#[derive(Default, Debug)]
pub(in crate::store) struct Log {
    /// Where in the log each page lies as its last whole commit left it: offset in octets.
    pub(super) pages: BTreeMap<u32, u64>,
    /// Commits that somebody was told of are lost.
    pub(in crate::store) cut: bool,
}

fn word(octets: &[u8], at: usize) -> u32 {
    octets.get(at..at + 4).and_then(|four| four.try_into().ok()).map_or(0, u32::from_be_bytes)
}

/// The running checksum: pairs of words, in the order of octets that the header names.
struct Sum {
    big: bool,
    sum: (u32, u32),
}

impl Sum {
    fn add(&mut self, octets: &[u8]) {
        for pair in octets.chunks_exact(8) {
            let [a, b] = [word(pair, 0), word(pair, 4)].map(|w| if self.big { w } else { w.swap_bytes() });
            self.sum.0 = self.sum.0.wrapping_add(a).wrapping_add(self.sum.1);
            self.sum.1 = self.sum.1.wrapping_add(b).wrapping_add(self.sum.0);
        }
    }
}

impl Log {
    /// No log, and one without a whole header, is an empty one.
    pub(in crate::store) fn read(path: &Path) -> std::io::Result<Log> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Log::default()),
            Err(error) => return Err(error),
        };
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut log = Log::default();
        let mut header = [0; HEADER];
        if !fill(&mut file, &mut header)? {
            return Ok(log);
        }
        let magic = word(&header, 0);
        let mut sum = Sum { big: magic & 1 == 1, sum: (0, 0) };
        sum.add(&header[..24]);
        let size = page_size(word(&header, 8));
        let whole =
            magic & !1 == 0x377F_0682 && size.is_some() && sum.sum == (word(&header, 24), word(&header, 28));
        let salts: [u8; 8] = header[16..24].try_into().unwrap_or_default();

        let size = size.unwrap_or(PAGE);
        let mut frame = vec![0; FRAME + size];
        let (mut at, mut sound) = (HEADER as u64, whole);
        let mut transaction = BTreeMap::new();
        // Commits behind the first bad frame; and whether anything follows the first of them.
        let mut commits_lost = 0_u32;
        while fill(&mut file, &mut frame)? {
            let ours = frame[8..16] == salts;
            let commits = word(&frame, 4) != 0;
            if sound {
                sum.add(&frame[..8]);
                sum.add(&frame[FRAME..]);
                sound = ours && sum.sum == (word(&frame, 16), word(&frame, 20));
            }
            if sound {
                transaction.insert(word(&frame, 0), at + FRAME as u64);
                if commits {
                    log.pages.append(&mut transaction);
                }
            } else if ours {
                log.cut |= commits_lost > 0;
                commits_lost += u32::from(commits);
            }
            at += (FRAME + size) as u64;
        }
        Ok(log)
    }
}

/// False: the end came before.
fn fill(file: &mut impl Read, octets: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(octets) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
