//! A bridge gets a new firmware from its hub, by the commands that a technician types: it runs it, or goes back by itself, or refuses it
//! by name; and what it keeps stays, whenever the power is cut.

use crate::debugger::Debugger;
use crate::house::House;
use crate::machine::{Firmware, Flash, PAGES, PATIENCE};
use e2e::{Said, hearth, said};
use hearth_wire::frame::Version;
use hearth_wire::frame::image::Mark;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const BOARD: &str = "mps2-an386";

fn version(minor: u16) -> Version {
    Version { major: 1, minor, patch: 0 }
}

/// The firmware that was built, as another version, for another board, or with something in it that does not work: signed.
fn release(folder: &Path, board: &str, minor: u16, key: &Path, change: fn(&mut [u8])) -> PathBuf {
    let mut image = Firmware::built().image.clone();
    let at = image.windows(Mark::MAGIC.len()).position(|octets| octets == Mark::MAGIC).unwrap();
    let mark = Mark { board, version: version(minor) };
    image[at..at + Mark::LENGTH].copy_from_slice(&mark.octets());
    change(&mut image);
    let name = format!("{board}-{minor}-{}", key.file_stem().unwrap().display());
    let flat = folder.join(&name).with_extension("bin");
    std::fs::write(&flat, image).unwrap();
    Firmware::sign(&flat, key, &flat.with_extension("hearth"))
}

fn works(_: &mut [u8]) {}

/// Its first instruction goes to itself: Arm, ARMv7-M Architecture Reference Manual, A7.7.12, `b .`.
fn hangs(image: &mut [u8]) {
    let start = u32::from_le_bytes(*image[4..].first_chunk().unwrap());
    let at = (start & !1) as usize - Flash::ACTIVE_ADDRESS;
    image[at..at + 2].copy_from_slice(&[0xFE, 0xE7]);
}

struct Site {
    house: House,
}

impl Site {
    fn update(&self, file: &Path, more: &[&str]) -> Command {
        let mut update = Command::new(hearth());
        update.arg("--config").arg(&self.house.hub.config).args(["bridge", "update", "1"]).arg(file);
        update.args(more);
        update
    }

    fn begins(&self, file: &Path) -> Child {
        let quiet = || Stdio::null();
        self.update(file, &[]).stdout(quiet()).stderr(quiet()).spawn().unwrap()
    }

    /// Until so many pages of the two images are exchanged. The processor stands there.
    fn exchanges(&self, pages: usize) -> Debugger {
        let mut debugger = Debugger::attach(&self.house.flash.debugger());
        debugger.watch(Flash::exchanged(pages));
        // The page is erased when the image is marked, and again before anything is exchanged: then a page is.
        for _ in 0..3 {
            debugger.goes_on();
            // Before the first time all of the image has to come.
            assert!((0..4).any(|_| debugger.stops(PATIENCE)), "nothing is exchanged");
        }
        debugger
    }

    fn power_cut(&mut self, update: Child) {
        self.house.power_cut();
        ended(update);
    }

    #[track_caller]
    fn refused(&self, file: &Path, why: &str) {
        let said: Said = said(&mut self.update(file, &[]));
        assert!(said.code != 0 && said.err.contains(why), "{}: {said:?}", file.display());
    }

    fn release(&self, minor: u16, change: fn(&mut [u8])) -> PathBuf {
        release(&self.house.hub.dir, BOARD, minor, &Firmware::built().key, change)
    }

    fn runs(&self, firmware: &str) -> bool {
        let info = said(
            Command::new(hearth())
                .arg("--json")
                .arg("--config")
                .arg(&self.house.hub.config)
                .args(["bridge", "info", "1"]),
        );
        info.code == 0 && info.json()["firmware"] == firmware
    }

    #[track_caller]
    fn comes_to_run(&self, firmware: &str) {
        self.house
            .hub
            .until(&["bridge", "list"], |all| all[0]["is"] == "there" && all[0]["firmware"] == firmware);
        assert!(self.runs(firmware));
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "how long somebody waits for it is a figure")]
fn a_bridge_is_updated_by_its_hub() {
    let mut site = Site { house: House::new("update") };
    let daemon = site.house.hub.run();
    site.comes_to_run(env!("CARGO_PKG_VERSION"));

    // What it keeps, it keeps: it is measured while nobody listens, and told by another firmware.
    site.house.measure(36_600, "36.56");
    let bind = ["bind", "add", "1", "--patient", "clinic=ada-1", "--zone", "Europe/Berlin"];
    site.house.hub.until(&["devices"], |devices| devices.as_array().is_some_and(|all| all.len() == 1));
    site.house.hub.says(&[&bind[..], &["--from", "2020-01-01T00:00:00Z"]].concat()).ok();

    let began = Instant::now();
    let done = said(&mut site.update(&site.release(1, works), &[])).ok();
    println!("an update of {} octets: {} ms", Firmware::built().image.len(), began.elapsed().as_millis());
    assert!(done.out.ends_with("Bridge 1 runs firmware 1.1.0.\n"), "{done:?}");
    assert!(site.runs("1.1.0"));
    site.house.measure(37_200, "37.19");

    // One that does not work: the bridge goes back by itself, and both say so.
    let bad = site.release(2, hangs);
    site.refused(&bad, "did not hold: the bridge has gone back to 1.1.0 by itself");
    let went_back = "gone back to firmware 1.1.0: 1.2.0 did not hold";
    site.house.hub.until(&["status"], |status| status["bridges"].to_string().contains(went_back));
    assert!(site.runs("1.1.0"));

    // What is refused, by name.
    let folder = site.house.hub.dir.clone();
    let good = std::fs::read(&bad).unwrap();
    let write = |name: &str, octets: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, octets).unwrap();
        path
    };
    let another = folder.join("another.pem");
    said(Command::new(hearth()).args(["bridge", "key"]).arg(&another)).ok();
    site.refused(&write("unsigned", &Firmware::built().image), "it is no signed firmware");
    site.refused(&write("truncated", &good[..good.len() - 1]), "it was cut off on its way here");
    site.refused(&release(&folder, "rp2040", 3, &Firmware::built().key, works), "for another kind of board");
    site.refused(&release(&folder, BOARD, 3, &another, works), "the signature is not of this image");
    site.refused(&site.release(0, works), "older than the firmware that runs");
    site.refused(&site.release(1, works), "of this version already");
    assert!(site.runs("1.1.0"));

    // The power fails while it comes, and while it is exchanged for the one before.
    let next = site.release(4, works);
    let update = site.begins(&next);
    site.house.flash.until(Flash::has_come);
    site.power_cut(update);
    site.comes_to_run("1.1.0");
    let update = site.begins(&next);
    _ = site.exchanges(PAGES / 2);
    site.power_cut(update);
    site.comes_to_run("1.4.0");
    site.house.measure(36_800, "36.75");

    // The hub dies while a new one is on trial: it is confirmed by whoever is there then.
    let update = site.begins(&site.release(5, works));
    let mut debugger = site.exchanges(PAGES - 1);
    daemon.kill_now();
    debugger.goes_on();
    debugger.leaves();
    let daemon = site.house.hub.run();
    site.comes_to_run("1.5.0");
    site.house.flash.until(Flash::is_confirmed);
    ended(update);
    // Back to an older one, because somebody wants it.
    said(&mut site.update(&site.release(1, works), &["--force"])).ok();
    assert!(site.runs("1.1.0"));

    site.house.told();
    site.house.compare();
    assert_eq!(daemon.stop(), 0);
}

/// Whoever waited is told something; the bridge is what counts.
fn ended(mut update: Child) {
    update.wait().unwrap();
}
