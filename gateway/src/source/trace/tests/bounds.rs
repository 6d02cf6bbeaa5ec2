//! Logs that lie, end early, never end, or are none.

use super::super::follow::Follower;
use super::super::record::{Layer, Record};
use super::super::redact::redact;
use super::write::{CUFF, Kept, cuff, sent, x};
use super::*;
use hearth_core::profile::Catalog;
use std::io::Cursor;

/// A repeatable source of octets: xorshift64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.roll() % n as u64) as usize
    }

    fn octets(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.roll() as u8).collect()
    }
}

/// Cut at every octet: everything before the cut is told, the place and the cure are said.
#[test]
fn a_log_that_is_cut_tells_what_stands_before() {
    for kept in [Kept::btsnoop(1002), Kept::pcap(true, false, 201)] {
        let log = cuff(kept);
        let whole = read(&log, &Options::default()).0;
        let mut flawless = 0;
        for cut in 0..log.len() {
            let (seen, flaw, summary) = read(&log[..cut], &Options::default());
            match flaw {
                Some(flaw) => assert!(flaw.contains("the log is cut here"), "{flaw}"),
                None => flawless += 1,
            }
            // All but the goodbye that the end itself brings.
            let told = seen.iter().take_while(|s| !matches!(s.event, Event::Disconnected { .. })).count();
            assert_eq!(seen[..told], whole[..told]);
            assert!(summary.losses.is_empty());
        }
        // It may end between two records: there were so many of them, less the last.
        let records = read(&log, &Options::default()).2.records;
        assert_eq!(flawless, records);
    }
    let log = cuff(Kept::btsnoop(1002));
    // Header 16, first record 24 + 22 octets; the second begins at octet 62.
    let (_, flaw, _) = read(&log[..70], &Options::default());
    let flaw = flaw.unwrap();
    assert!(
        flaw.starts_with(
            "record 2 at octet 62: the log is cut here: its header has 24 octets, of which the file holds 8"
        ),
        "{flaw}"
    );
}

#[test]
fn lengths_that_lie_are_said() {
    // A record of 4 GB, and one that holds more than the packet had.
    for (original, included) in [(u32::MAX, u32::MAX), (1 << 18, 1 << 18), (4, 5)] {
        let mut log = Kept::btsnoop(1002).file;
        for word in [original, included, 0, 0, 0, 0] {
            log.extend(word.to_be_bytes());
        }
        log.extend([0; 64]);
        let (seen, flaw, _) = read(&log, &Options::default());
        assert_eq!(seen, []);
        let flaw = flaw.unwrap();
        assert!(flaw.starts_with("record 1 at octet 16: its header says"), "{flaw}");
        assert!(flaw.contains("record it again"), "{flaw}");
    }
    // Lengths inside of packets: event, ACL, L2CAP, attribute lists of no size, several notifications.
    for (kind, hex) in [
        (4, "3E FF 01"),
        (4, "3E 02 02 05"),
        (4, ""),
        (2, "4020 FFFF 0000"),
        (2, "4020"),
        (2, "4020 0600 0200 0400 11 00"),
        (2, "4020 0900 0500 0400 23 0300 FFFF"),
        (2, "4020 0500 0100 0400 FE"),
        (2, "4020 0400 0000 0400"),
        (2, "4020 0400 FFFF 0400"),
        (1, "0D20 FF"),
    ] {
        let mut kept = Kept::btsnoop(1002);
        kept.connected(0x0040, 0, CUFF);
        kept.hci(kind, kind != 1, &x(hex));
        let (seen, flaw, summary) = read(&kept.file, &Options::default());
        assert_eq!((seen.len(), flaw), (2, None), "{hex}");
        let lost: u64 = summary.losses.values().map(|(count, _)| count).sum();
        // The list of an answer that nobody asked for is passed by.
        assert_eq!(lost, u64::from(!hex.contains("0400 11")), "{hex}");
    }
}

/// Packets that whoever recorded them shortened are counted; what is there is read.
#[test]
fn shortened_packets_are_counted() {
    let mut kept = Kept::btsnoop(1002);
    kept.connected(0x0040, 0, CUFF);
    let at = kept.file.len();
    kept.att(0x0040, true, "1D 1200 16 7C00 5600 6100 E807060F11111B 3300 0000");
    // The packet had four octets more than the file holds.
    let length = u32::from_be_bytes(kept.file[at..at + 4].try_into().unwrap());
    kept.file.splice(at + 4..at + 8, (length - 4).to_be_bytes());
    kept.file.truncate(kept.file.len() - 4);
    let (_, flaw, summary) = read(&kept.file, &Options::default());
    assert_eq!(flaw, None);
    let losses: Vec<Loss> = summary.losses.keys().copied().collect();
    assert_eq!(losses, [Loss::Shortened, Loss::Unfinished]);
}

/// Octets of every kind of nonsense, in and around what makes sense: read and redacted, nothing panics.
#[test]
fn no_octets_make_it_panic() {
    let mut dice = Dice(0x5EED_0000_0000_0001);
    let whole: Vec<Vec<u8>> = [
        Kept::btsnoop(1001),
        Kept::btsnoop(1002),
        Kept::btsnoop(2001),
        Kept::pcap(true, false, 187),
        Kept::pcap(false, true, 201),
    ]
    .into_iter()
    .map(cuff)
    .collect();
    let mut told = 0;
    let catalog = Catalog::standard();
    for round in 0..600 {
        let mut log = whole[round % whole.len()].clone();
        for _ in 0..=dice.below(40) {
            let at = 16 + dice.below(log.len() - 16);
            log[at] = dice.roll() as u8;
        }
        told += read(&log, &Options::default()).0.len();
        if round % 10 == 0 {
            _ = redact(Cursor::new(&log), &mut std::io::sink(), &Options::default(), &catalog);
        }
    }
    assert!(told > 1_000, "most of it still made sense: {told}");
    for link in [1001, 1002, 2001] {
        for _ in 0..40 {
            let mut kept = Kept::btsnoop(link);
            for _ in 0..50 {
                let length = dice.below(60);
                let octets = dice.octets(length);
                kept.record(dice.roll() as u32 & 7, &octets);
            }
            read(&kept.file, &Options::default());
        }
    }
    for link in [187, 201, 251, 254, 256] {
        for _ in 0..40 {
            let mut kept = Kept::pcap(dice.roll() & 1 == 0, dice.roll() & 1 == 0, link);
            for _ in 0..50 {
                let length = dice.below(60);
                let mut octets = dice.octets(length);
                // Half of them begin as something that is read further.
                let start: &[u8] = match (link, dice.below(6)) {
                    (187, n) => &[[2, 4][n % 2]],
                    (201, n) => &[0, 0, 0, [0, 1][n % 2], [2, 4][n / 2 % 2]],
                    (254, n) => &[0, 0, 0, [3, 5][n % 2]],
                    (251, n) if n < 3 => &[0xD6, 0xBE, 0x89, 0x8E],
                    (256, n) if n < 3 => &[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xD6, 0xBE, 0x89, 0x8E],
                    _ => &[],
                };
                octets.splice(..0, start.iter().copied());
                kept.record(0, &octets);
            }
            read(&kept.file, &Options::default());
            _ = redact(Cursor::new(&kept.file), &mut std::io::sink(), &Options::default(), &catalog);
        }
    }
    for _ in 0..200 {
        let length = dice.below(200);
        let octets = dice.octets(length);
        let got: Vec<Line> = match lines(std::io::Cursor::new(octets), &Options::default()) {
            Ok(lines) => lines.collect(),
            Err(_) => continue,
        };
        assert!(got.len() <= 200);
    }
}

/// A log without an end: made while it is read, so that only what the reader holds is in memory.
struct Endless {
    dice: Dice,
    rest: std::collections::VecDeque<u8>,
    records: u64,
    given: std::rc::Rc<std::cell::Cell<u64>>,
}

impl Endless {
    /// Every record is another connection, another device, or the beginning of a message that never ends.
    fn more(&mut self) {
        let mut kept = Kept::btsnoop(2001);
        let handle = self.dice.below(0x0EFF) as u16;
        let mut address = CUFF;
        address[2..].copy_from_slice(&self.dice.octets(4));
        match self.dice.below(4) {
            0 => kept.connected(handle, 1, address),
            1 => {
                let attribute = [0x1200, self.dice.below(0xFFFF)][self.dice.below(2)];
                kept.att(handle, true, &format!("1D {attribute:04X} 00"));
            }
            2 => kept.hci(
                2,
                true,
                &[&(handle | 0x2000).to_le_bytes()[..], &x("0800 0010 0400 1B000000")].concat(),
            ),
            _ => {
                let mut report = x("3E 0C 02 01 00 01");
                report.extend(sent(address));
                report.extend([0, 0xC4]);
                kept.hci(4, true, &report);
            }
        }
        self.rest.extend(&kept.file[16..]);
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() && self.records > 0 {
            self.records -= 1;
            self.more();
        }
        let read = self.rest.read(buffer)?;
        self.given.set(self.given.get() + read as u64);
        Ok(read)
    }
}

fn endless(records: u64) -> Endless {
    let rest = Kept::btsnoop(2001).file.into();
    Endless { dice: Dice(0x5EED_0000_0000_0002), rest, records, given: std::rc::Rc::default() }
}

#[test]
fn a_long_log_streams() {
    let source = endless(40_000);
    let given = std::rc::Rc::clone(&source.given);
    let named = Options { handles: BTreeMap::from([(0x0012, 0x2A35)]) };
    let mut lines = lines(source, &named).unwrap();
    lines.next().unwrap();
    // The first line is out when hardly anything was read.
    assert!(given.get() < 16 * 1024, "{}", given.get());
    assert!(lines.count() > 1_000);
    assert!(given.get() > 1_000_000);

    // What the follower holds after twice as much is what it held before: its limits, not the log's length.
    let mut held = vec![];
    for records in [20_000, 40_000] {
        let mut trace = Trace::open(endless(records), &Options::default()).unwrap();
        let mut most = 0;
        while let Some(item) = trace.next() {
            item.unwrap();
            most = most.max(trace.follower.held() + trace.waiting.len());
        }
        held.push(most);
        assert!(trace.summary().unattributed.len() <= 256);
        assert!(trace.summary().unnamed > 0);
    }
    assert!(held[1] <= held[0] + held[0] / 10, "{held:?}");
    assert!(held[1] < 2_000_000, "{held:?}");
}

/// Redaction reads a log twice.
fn whole(mut log: Endless) -> Cursor<Vec<u8>> {
    let mut octets = vec![];
    std::io::Read::read_to_end(&mut log, &mut octets).unwrap();
    Cursor::new(octets)
}

/// A message that never ends does not keep a redaction waiting.
#[test]
fn redaction_streams() {
    let mut made = vec![];
    let told = redact(whole(endless(20_000)), &mut made, &Options::default(), &Catalog::standard()).unwrap();
    assert_eq!(told.kept + told.left_out, 20_000);
    assert!(told.addresses > 5_000);
    // More devices than can be kept apart: said, and nothing written.
    let mut made = vec![];
    let error =
        redact(whole(endless(140_000)), &mut made, &Options::default(), &Catalog::standard()).unwrap_err();
    assert!(error.to_string().contains("more than 65536 addresses"), "{error}");
    assert_eq!(made, b"");
}

/// Values as the follower marks them cover the record they stand in and no more.
#[test]
fn marks_stay_inside_their_records() {
    let log = cuff(Kept::btsnoop(1002));
    let mut follower = Follower::new(Layer::H4, Options::default());
    follower.marks.wanted = true;
    let mut reader = super::super::record::Log::open(&log[..]).unwrap();
    while let Some(record) = reader.record().unwrap() {
        let Record { place, octets, .. } = &record;
        follower.take(&record);
        for mark in std::mem::take(&mut follower.marks.found) {
            let length: usize = mark.places.iter().map(|p| p.length).sum();
            assert_eq!(length, mark.octets.len());
            for part in mark.places.iter().filter(|p| p.record == place.record) {
                assert!(part.at + part.length <= octets.len());
            }
        }
    }
}
