//! A database file read page by page, as far as its trees still lead (sqlite.org/fileformat2.html).
//!
//! SQLite refuses a tree at its first bad page, and a file at a bad head; its recovery extension is not part of the
//! bundled build. Here a bad page costs what it led to and nothing else. Nothing that is read is believed: whoever asks
//! has each row prove itself.

use super::log::Log;
use crate::store::connection::PAGE;
use rusqlite::types::Value;
use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// Octets in a page, if it is a number that SQLite takes for one. `None`: whoever wrote it did not mean a size.
pub(super) fn page_size(told: u32) -> Option<usize> {
    usize::try_from(told).ok().filter(|size| size.is_power_of_two() && (512..=32_768).contains(size))
}

/// No row of this house is longer.
const LONGEST: u64 = 16 << 20;

/// A database as its file and its log hold it.
pub(super) struct Image {
    file: File,
    wal: Option<File>,
    log: Log,
    /// Octets in a page: as the head of the file says, and where it says no size, as this house makes them.
    size: usize,
    /// Pages that were led to before: a page belongs to one tree, once.
    seen: Vec<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tree {
    /// Rows by their number.
    Table,
    /// `WITHOUT ROWID`: rows by their key.
    Index,
}

/// What a tree still gave, and what it did not.
#[derive(Default, PartialEq, Eq, Debug)]
pub(super) struct Lost {
    /// Pages that a tree led to and that are none of it.
    pub(super) pages: u64,
    /// Rows that a sound page promised.
    pub(super) rows: u64,
    /// The numbers that rows on the lost pages had, where their neighbours tell: after the one, up to the other.
    pub(super) ranges: Vec<(Option<i64>, Option<i64>)>,
}

/// A place in a tree that was led to, and the row numbers that belong there.
struct Branch {
    page: u32,
    after: Option<i64>,
    to: Option<i64>,
}

type Octets = Box<[u8]>;

/// Why reading goes no further: the disk, or whoever gets the rows.
pub(super) trait Stops: From<std::io::Error> {}
impl<E: From<std::io::Error>> Stops for E {}

impl Image {
    pub(super) fn open(file: &Path, wal: &Path) -> std::io::Result<Image> {
        let log = Log::read(wal)?;
        let wal = if log.pages.is_empty() { None } else { Some(File::open(wal)?) };
        let mut file = File::open(file)?;
        let mut head = [0; 18];
        let told =
            file.read_exact(&mut head).ok().map(|()| u32::from(u16::from_be_bytes([head[16], head[17]])));
        let size = told.and_then(page_size).unwrap_or(PAGE);
        Ok(Image { file, wal, log, size, seen: vec![] })
    }

    pub(super) fn log_cut(&self) -> bool {
        self.log.cut
    }

    /// `None`: not there whole. An error of the disk in one place is damage like any other.
    fn page(&mut self, no: u32) -> Option<Octets> {
        let (file, at) = match (self.log.pages.get(&no), &mut self.wal) {
            (Some(at), Some(wal)) => (wal, *at),
            _ => (&mut self.file, u64::from(no.checked_sub(1)?) * self.size as u64),
        };
        let mut octets = vec![0; self.size].into_boxed_slice();
        file.seek(SeekFrom::Start(at)).ok()?;
        loop {
            match file.read_exact(&mut octets) {
                Ok(()) => return Some(octets),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }

    /// Whether this is the first time that the page is led to.
    fn first_time(&mut self, no: u32) -> bool {
        let (word, bit) = ((no / 64) as usize, 1_u64 << (no % 64));
        // A number far beyond the file is no page.
        if word >= 1 << 24 {
            return false;
        }
        if self.seen.len() <= word {
            self.seen.resize(word + 1, 0);
        }
        let new = self.seen[word] & bit == 0;
        self.seen[word] |= bit;
        new
    }

    /// Every row that can be read, in the order of the tree: its number (0 in an index) and its columns. The first column
    /// of a row that is found by its number is null on disk, and is given as that number if `numbered`.
    pub(super) fn rows<E: Stops>(
        &mut self,
        root: u32,
        tree: Tree,
        numbered: bool,
        mut each: impl FnMut(Vec<Value>) -> Result<(), E>,
    ) -> Result<Lost, E> {
        let mut lost = Lost::default();
        let mut branches = vec![Branch { page: root, after: None, to: None }];
        while let Some(branch) = branches.pop() {
            let node = match self.first_time(branch.page) {
                true => self.page(branch.page).and_then(|page| Node::of(page, branch.page, tree)),
                false => None,
            };
            let Some(node) = node else {
                lost.pages += 1;
                if tree == Tree::Table {
                    lost.ranges.push((branch.after, branch.to));
                }
                continue;
            };
            let mut children = vec![];
            let mut after = branch.after;
            for nth in 0..node.cells {
                let Some(cell) = node.cell(nth) else {
                    lost.rows += 1;
                    continue;
                };
                if let Some(page) = cell.child {
                    let to = cell.number.or(branch.to);
                    children.push(Branch { page, after, to });
                    after = to;
                }
                if let Some(payload) = cell.payload {
                    match self.whole(&node, payload).and_then(|octets| columns(&octets)) {
                        Some(mut row) => {
                            if let (true, Some(number), Some(first)) =
                                (numbered, cell.number, row.first_mut())
                            {
                                *first = Value::Integer(number);
                            }
                            each(row)?;
                        }
                        None => lost.rows += 1,
                    }
                }
            }
            if let Some(page) = node.right {
                children.push(Branch { page, after, to: branch.to });
            }
            branches.extend(children.into_iter().rev());
        }
        Ok(lost)
    }

    /// A payload with what overflowed its page.
    fn whole(&mut self, node: &Node, payload: Payload) -> Option<Vec<u8>> {
        let mut octets = node.octets.get(payload.local)?.to_vec();
        let mut next = payload.overflow;
        while octets.len() < payload.length {
            if next == 0 || !self.first_time(next) {
                return None;
            }
            let page = self.page(next)?;
            next = number4(&page, 0)?;
            let more = (payload.length - octets.len()).min(self.size - 4);
            octets.extend(page.get(4..4 + more)?);
        }
        Some(octets)
    }
}

/// A page of a tree.
struct Node {
    octets: Octets,
    tree: Tree,
    leaf: bool,
    /// Where its head ends.
    pointers: usize,
    cells: usize,
    right: Option<u32>,
}

struct Cell {
    child: Option<u32>,
    number: Option<i64>,
    payload: Option<Payload>,
}

struct Payload {
    length: usize,
    local: std::ops::Range<usize>,
    overflow: u32,
}

impl Node {
    fn of(octets: Octets, no: u32, tree: Tree) -> Option<Node> {
        let head = if no == 1 { 100 } else { 0 };
        let leaf = match (octets.get(head)?, tree) {
            (0x0D, Tree::Table) | (0x0A, Tree::Index) => true,
            (0x05, Tree::Table) | (0x02, Tree::Index) => false,
            _ => return None,
        };
        let cells = usize::from(number2(&octets, head + 3)?);
        let right = if leaf { None } else { Some(number4(&octets, head + 8)?) };
        let pointers = head + if leaf { 8 } else { 12 };
        (pointers + 2 * cells <= octets.len()).then_some(Node { octets, tree, leaf, pointers, cells, right })
    }

    fn cell(&self, nth: usize) -> Option<Cell> {
        let octets = &*self.octets;
        let mut at = usize::from(number2(octets, self.pointers + 2 * nth)?);
        let mut child = None;
        if !self.leaf {
            child = Some(number4(octets, at)?);
            at += 4;
        }
        let length = match (self.tree, self.leaf) {
            (Tree::Table, false) => None,
            _ => Some(varint(octets, &mut at)?),
        };
        let number = match self.tree {
            Tree::Table => Some(varint(octets, &mut at)?.cast_signed()),
            Tree::Index => None,
        };
        let payload = match length {
            Some(length) => Some(self.payload(length, at)?),
            None => None,
        };
        Some(Cell { child, number, payload })
    }

    /// How much of a payload lies in the page: "Cell Payload Overflow Pages".
    fn payload(&self, length: u64, at: usize) -> Option<Payload> {
        let length = usize::try_from(length).ok().filter(|_| length <= LONGEST)?;
        let page = self.octets.len();
        let most = match self.tree {
            Tree::Table => page - 35,
            Tree::Index => (page - 12) * 64 / 255 - 23,
        };
        if length <= most {
            return (at + length <= page).then_some(Payload { length, local: at..at + length, overflow: 0 });
        }
        let least = (page - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (page - 4);
        let local = if fitting <= most { fitting } else { least };
        let overflow = number4(&self.octets, at + local)?;
        Some(Payload { length, local: at..at + local, overflow })
    }
}

fn number2(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(octets.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn number4(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(octets.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// One to nine octets: seven bits of each, and all eight of the ninth.
fn varint(octets: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for nth in 0..9 {
        let octet = *octets.get(*at)?;
        *at += 1;
        if nth == 8 {
            return Some(value << 8 | u64::from(octet));
        }
        value = value << 7 | u64::from(octet & 0x7F);
        if octet & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// A record's columns: a header of kinds, then the values.
fn columns(octets: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let end = usize::try_from(varint(octets, &mut at)?).ok()?;
    let mut value_at = end;
    let mut row = vec![];
    while at < end {
        let kind = varint(octets, &mut at)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return None,
            _ => usize::try_from((kind - 12) / 2).ok()?,
        };
        let value = octets.get(value_at..value_at.checked_add(length)?)?;
        value_at += length;
        row.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(value)),
            7 => Value::Real(f64::from_bits(integer(value).cast_unsigned())),
            _ if kind % 2 == 0 => Value::Blob(value.to_vec()),
            _ => Value::Text(String::from_utf8(value.to_vec()).ok()?),
        });
    }
    // All of it is said, and nothing more.
    (value_at == octets.len() && at == end).then_some(row)
}

/// Big-endian, with its sign, of one to eight octets.
fn integer(octets: &[u8]) -> i64 {
    let negative = octets.first().is_some_and(|first| first & 0x80 != 0);
    octets.iter().fold(if negative { -1 } else { 0 }, |value, octet| value << 8 | i64::from(*octet))
}
