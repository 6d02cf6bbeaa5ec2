//! A chip at the other end of a line, with its ROM's bootloader as Espressif describes it: "Serial Protocol" of esptool's documentation for
//! the ESP32-C3, and the stub that takes its place.

use super::super::flash::tests::elf;
use super::*;
use crate::scratch::Scratch;
use flate2::read::ZlibDecoder;
use hearth_wire::frame::Version;
use md5::{Digest as _, Md5};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Read as _;
use std::sync::{Arc, Mutex};

/// A register that tells the kinds of chip apart, and what an ESP32-C3 has there.
const MAGIC: (u32, u32) = (0x4000_1000, 0x6921_506F);
/// SPI1's first word, in which the flash chip's identity comes: Winbond's, 4 MiB.
const FLASH_ID: (u32, u32) = (0x6000_2058, 0x0016_40EF);
/// RISC-V. ELF's e_machine.
const RISC_V: u16 = 243;
/// Where the chip has its flash as data.
const DATA: u32 = 0x3C00_0020;

#[derive(Default)]
struct Chipset {
    flash: BTreeMap<u32, u8>,
    /// The octet here does not keep what is written.
    rotten: Option<u32>,
    magic: Option<u32>,
    is_stub: bool,
    /// Where the next octets go, and what came of them.
    at: u32,
    packed: Vec<u8>,
}

impl Chipset {
    /// Answers a request: its frames.
    fn answers(&mut self, request: &[u8]) -> Vec<Vec<u8>> {
        let word = |at: usize| u32::from_le_bytes(request[at..at + 4].try_into().unwrap());
        let operation = request[1];
        let mut value = 0;
        let mut data = vec![];
        let mut is_known = true;
        match operation {
            // Begin, data, end in memory: the stub; parameters of the flash; a register written.
            0x05 | 0x07 | 0x09 | 0x0B | 0x0D => {}
            0x06 => {
                let frames = vec![self.frame(operation, 0, &[], true), b"OHAI".to_vec()];
                self.is_stub = true;
                return frames;
            }
            0x08 => return vec![self.frame(operation, 0, &[], true); 8],
            0x0A => {
                value = match word(8) {
                    at if at == MAGIC.0 => self.magic.unwrap_or(MAGIC.1),
                    at if at == FLASH_ID.0 => FLASH_ID.1,
                    _ => 0,
                }
            }
            // Begin, data, end in the flash: plain, or packed.
            0x02 | 0x10 => {
                self.unpack();
                self.at = word(20);
            }
            0x03 => {
                self.writes(&request[24..]);
                self.at += (request.len() - 24) as u32;
            }
            0x11 => self.packed.extend_from_slice(&request[24..]),
            0x04 | 0x12 => self.unpack(),
            0x13 => {
                self.unpack();
                let from = word(8);
                let octets: Vec<u8> =
                    (from..from + word(12)).map(|at| self.flash.get(&at).copied().unwrap_or(0xFF)).collect();
                data = Md5::digest(&octets).to_vec();
            }
            _ => is_known = false,
        }
        vec![self.frame(operation, value, &data, is_known)]
    }

    fn frame(&self, operation: u8, value: u32, data: &[u8], is_good: bool) -> Vec<u8> {
        let status = [u8::from(!is_good), 5, 0, 0];
        let status = if self.is_stub { &status[..2] } else { &status };
        let length = (data.len() + status.len()) as u16;
        [&[1, operation][..], &length.to_le_bytes(), &value.to_le_bytes(), data, status].concat()
    }

    fn unpack(&mut self) {
        let mut octets = vec![];
        ZlibDecoder::new(&std::mem::take(&mut self.packed)[..]).read_to_end(&mut octets).unwrap_or_default();
        self.writes(&octets);
    }

    fn writes(&mut self, octets: &[u8]) {
        for (at, octet) in (self.at..).zip(octets) {
            self.flash.insert(at, if self.rotten == Some(at) { !octet } else { *octet });
        }
    }

    fn octets(&self, from: u32, many: usize) -> Vec<u8> {
        (from..).take(many).map(|at| self.flash.get(&at).copied().unwrap_or(0xFF)).collect()
    }
}

/// A line without control lines, as a pseudo-terminal is, and such a chip at its end.
struct Bench {
    folder: Scratch,
    line: PathBuf,
    chip: Arc<Mutex<Chipset>>,
    _end: File,
}

impl Bench {
    fn new(chip: Chipset) -> Bench {
        let main = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&main).unwrap();
        unlockpt(&main).unwrap();
        let line = PathBuf::from(ptsname(&main, vec![]).unwrap().to_str().unwrap());
        let end = OpenOptions::new().read(true).write(true).open(&line).unwrap();
        let mut modes = tcgetattr(&end).unwrap();
        modes.make_raw();
        tcsetattr(&end, OptionalActions::Now, &modes).unwrap();
        let chip = Arc::new(Mutex::new(chip));
        let answering = Arc::clone(&chip);
        let mut main = File::from(main);
        std::thread::spawn(move || {
            let mut frame: Vec<u8> = vec![];
            let mut octet = [0];
            // Until the other end is closed.
            while main.read_exact(&mut octet).is_ok() {
                match (octet[0], frame.last()) {
                    (0xC0, None) => {}
                    (0xC0, Some(_)) => {
                        for answer in answering.lock().unwrap().answers(&std::mem::take(&mut frame)) {
                            let mut said = vec![0xC0];
                            said.extend(answer.into_iter().flat_map(|octet| match octet {
                                0xC0 => vec![0xDB, 0xDC],
                                0xDB => vec![0xDB, 0xDD],
                                other => vec![other],
                            }));
                            said.push(0xC0);
                            main.write_all(&said).unwrap();
                        }
                    }
                    (0xDC, Some(0xDB)) => _ = frame.last_mut().map(|last| *last = 0xC0),
                    // What was escaped stays as it is.
                    (0xDD, Some(0xDB)) => {}
                    (other, _) => frame.push(other),
                }
            }
        });
        Bench { folder: Scratch::new("esp").unwrap(), line, chip, _end: end }
    }

    fn flash(&self, board: &str) -> Result<String, String> {
        self.flash_file(&firmware(board))
    }

    fn flash_file(&self, octets: &[u8]) -> Result<String, String> {
        let path = self.folder.folder().join("firmware");
        std::fs::write(&path, octets).unwrap();
        let done = super::flash(&path, &self.line, &ProgressBar::hidden());
        done.map(|shown| shown.said.unwrap_or_default()).map_err(|ending| ending.said)
    }
}

fn firmware(board: &str) -> Vec<u8> {
    let mark = Mark { board, version: Version { major: 1, minor: 2, patch: 3 } };
    // What is told apart from an escape, and what is one.
    let octets = [&[7; 32][..], &mark.octets()[..], &[0xC0, 0xDB, 0xDC, 0xDD]].concat();
    elf(RISC_V, DATA, &octets)
}

/// Where they have to be: the maker's bootloader at 0, what is where at 0x8000, the firmware at 0x10000 (partitions.csv).
#[test]
fn a_firmware_and_what_comes_before_it_are_on_the_chip() {
    let bench = Bench::new(Chipset::default());
    let said = bench.flash("esp32c3").unwrap();
    assert!(said.starts_with("The board has firmware 1.2.3 for esp32c3") && said.contains("RESET"), "{said}");
    let chip = bench.chip.lock().unwrap();
    assert_eq!(chip.octets(0, 1), [0xE9], "an image of Espressif's begins so");
    // Of each partition AA 50, its kind, where it is, its size, its name.
    let table = chip.octets(0x8000, 0x100);
    assert!(table.starts_with(&[0xAA, 0x50]), "{table:02X?}");
    assert!(table.windows(6).any(|name| name == b"hearth"), "{table:02X?}");
    let app = chip.octets(0x1_0000, 0x1_0000);
    assert_eq!(app[0], 0xE9);
    assert_eq!(Mark::find(&app).map(|mark| mark.board), Some("esp32c3"));
}

#[test]
fn what_cannot_be_is_said_with_its_cure() {
    let refused = |chip, board| Bench::new(chip).flash(board).unwrap_err();
    let other = refused(Chipset::default(), "rp2040");
    assert!(other.contains("a board rp2040 is not flashed over a line"), "{other}");
    let rotten = refused(Chipset { rotten: Some(0x1_0000), ..Chipset::default() }, "esp32c3");
    assert!(rotten.contains("erif") && rotten.contains("hold its button BOOT"), "{rotten}");
    // An ESP32's.
    let chip = refused(Chipset { magic: Some(0x00F0_1D83), ..Chipset::default() }, "esp32c3");
    assert!(chip.contains("its chip is an esp32, no esp32c3"), "{chip}");
    // Its sections' headers, of which there are none: the file's octets 32 and 48 on.
    let bench = Bench::new(Chipset::default());
    let mut bare = firmware("esp32c3");
    [32..36, 46..52].into_iter().for_each(|at| bare[at].fill(0));
    let bare = bench.flash_file(&bare).unwrap_err();
    assert!(bare.contains("it has no sections any more"), "{bare}");
    let mut bench = Bench::new(Chipset::default());
    bench.line = bench.folder.folder().join("nobody");
    let none = bench.flash("esp32c3").unwrap_err();
    assert!(none.contains("nobody: No such file") && none.contains("plug the board in"), "{none}");
}
