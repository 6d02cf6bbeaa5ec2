//! A board in an emulator: its processor runs the firmware as a board's would, its flash is a file, and its power can be cut.

use e2e::{Used, cargo, hearth, ran, root, said};
use hearth_core::bridge::image::Signed;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

const BOARD: &str = "mps2-an386";
const TARGET: &str = "thumbv7em-none-eabihf";

/// How long a board may say nothing that is waited for. It is emulated, on a machine that may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// Of the memory that the flash is the end of.
const MEMORY: u64 = 16 << 20;
const FLASH: u64 = 1 << 20;
/// The spool, from the flash's beginning.
const SPOOL: u64 = 0xC_2000;
const SPOOL_LENGTH: usize = 48 * 4_096;
/// Where the processor sees it.
pub(crate) const SPOOL_ADDRESSES: Range<u64> = {
    let from = 0x2100_0000 + MEMORY - FLASH + SPOOL;
    from..from + SPOOL_LENGTH as u64
};
/// An octet that is stored here goes to the Bluetooth controller.
pub(crate) const TO_CONTROLLER: Range<u64> = 0x4000_5000..0x4000_5004;

/// The image that runs, from the flash's beginning: src/lib.rs of the board's `memory`.
const ACTIVE: u64 = 0x1000;

/// Its pages.
pub(crate) const PAGES: usize = 96;
const PAGE: usize = 4_096;
const NEXT: u64 = ACTIVE + (PAGES * PAGE) as u64;
/// Where the processor sees the flash.
const ADDRESS: usize = 0x2100_0000 + (MEMORY - FLASH) as usize;

/// What a board is flashed with, built once.
#[derive(Debug)]
pub(crate) struct Firmware {
    /// What starts first.
    boot: PathBuf,
    /// Whose updates it takes.
    pub(crate) key: PathBuf,
    pub(crate) image: Vec<u8>,
}

impl Firmware {
    pub(crate) fn built() -> &'static Firmware {
        static BUILT: OnceLock<Firmware> = OnceLock::new();
        BUILT.get_or_init(|| {
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("boards");
            std::fs::create_dir_all(&target).unwrap();
            let key = target.join("key.pem");
            let mut shows = Command::new(hearth());
            let public = said(shows.args(["--json", "bridge", "key"]).arg(&key)).ok().json();
            let mut build = cargo();
            build.args(["build", "--quiet", "--locked", "--release", "--workspace", "--target", TARGET]);
            build.arg("--target-dir").arg(&target).arg("--manifest-path");
            build.arg(root().join("firmware/boards").join(BOARD).join("Cargo.toml"));
            ran(build.env("HEARTH_UPDATE_KEY", public["public_key"].as_str().unwrap()));
            let built = target.join(TARGET).join("release");
            let file = Firmware::sign(&built.join(BOARD), &key, &target.join("built.hearth"));
            let image = Signed::read(&std::fs::read(file).unwrap()).unwrap().octets;
            Firmware { boot: built.join("boot"), key, image }
        })
    }

    /// By `hearth bridge sign`.
    pub(crate) fn sign(firmware: &Path, key: &Path, out: &Path) -> PathBuf {
        _ = std::fs::remove_file(out);
        let mut sign = Command::new(hearth());
        sign.args(["bridge", "sign"]).arg(firmware).arg("--key").arg(key).arg("--out").arg(out);
        ran(&mut sign);
        out.to_owned()
    }
}

/// A board's flash, which outlives each of its lives; and where its lines end.
#[derive(Debug)]
pub(crate) struct Flash {
    folder: PathBuf,
}

impl Flash {
    /// Erased, but for the firmware and the board's name.
    pub(crate) fn new(name: [u8; 8]) -> Flash {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let n = MADE.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("hearth-bridge-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let flash = Flash { folder };
        let file = File::create(flash.file()).unwrap();
        file.set_len(MEMORY).unwrap();
        file.write_all_at(&vec![0xFF; FLASH as usize], MEMORY - FLASH).unwrap();
        file.write_all_at(&Firmware::built().image, MEMORY - FLASH + ACTIVE).unwrap();
        file.write_all_at(&name, MEMORY - name.len() as u64).unwrap();
        flash
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its processor can be stopped, while the board has power.
    pub(crate) fn debugger(&self) -> PathBuf {
        self.folder.join("debugger")
    }

    fn file(&self) -> PathBuf {
        self.folder.join("flash")
    }

    /// How many temperatures lie in the pages of the spool, acknowledged or not.
    pub(crate) fn temperatures(&self) -> usize {
        let pages = self.octets(SPOOL, SPOOL_LENGTH);
        // The characteristic, and the length of its value.
        pages.windows(4).filter(|octets| *octets == [0x1C, 0x2A, 5, 0]).count()
    }

    /// Where the image that runs is.
    pub(crate) const ACTIVE_ADDRESS: usize = ADDRESS + ACTIVE as usize;

    fn octets(&self, from: u64, many: usize) -> Vec<u8> {
        let mut octets = vec![0; many];
        File::open(self.file()).unwrap().read_exact_at(&mut octets, MEMORY - FLASH + from).unwrap();
        octets
    }

    /// Some of a new image.
    pub(crate) fn has_come(&self) -> bool {
        const SOME: u64 = 16 * PAGE as u64;
        self.octets(NEXT + SOME, PAGE).iter().any(|octet| *octet != 0xFF)
    }

    /// Where the bootloader writes down that this page of the image that runs was exchanged: embassy-boot 0.7, boot_loader.rs, has two
    /// words for each, behind two of the whole.
    pub(crate) fn exchanged(page: usize) -> Range<u64> {
        let word = (ADDRESS + 4 * (2 + 2 * page + 1)) as u64;
        word..word + 4
    }

    /// Nothing is on trial: the page's first word says what is to be done, and this one that nothing is.
    pub(crate) fn is_confirmed(&self) -> bool {
        self.octets(0, 4) == [0xD0; 4]
    }

    /// Until the board has done that to it.
    #[track_caller]
    pub(crate) fn until(&self, wanted: impl Fn(&Flash) -> bool) {
        const BETWEEN: Duration = Duration::from_millis(50);
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            if wanted(self) {
                return;
            }
            std::thread::park_timeout(BETWEEN);
        }
        panic!("the board's flash never came to that");
    }
}

impl Drop for Flash {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// A board with power. It is off when this is dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    child: Child,
    /// What it says to its hub, as it comes.
    pub(crate) from_board: Receiver<Vec<u8>>,
    pub(crate) to_board: UnixStream,
    monitor: BufReader<UnixStream>,
    /// What was said, for whoever has to find out why a test failed.
    pub(crate) talk: Vec<String>,
}

impl Machine {
    /// The power is on. `controller`: the port on which a Bluetooth controller is, if it has one.
    pub(crate) fn start(flash: &Flash, controller: Option<u16>) -> Machine {
        let [hub, monitor] = ["hub", "monitor"].map(|line| flash.folder.join(line));
        let (hub_line, monitor_line) = (end(&hub), end(&monitor));
        let mut board = Command::new("qemu-system-arm");
        board
            .args(["-machine", &format!("{BOARD},memory-backend=memory"), "-object"])
            .arg(format!(
                "memory-backend-file,id=memory,size={MEMORY},mem-path={},share=on",
                flash.file().display()
            ))
            .args(["-display", "none", "-kernel"])
            .arg(&Firmware::built().boot)
            .args(["-chardev", &format!("socket,id=hub,path={}", hub.display()), "-serial", "chardev:hub"])
            .args(["-device", "tmp105,id=thermometer,address=0x48"])
            .args(["-chardev", &format!("socket,id=monitor,path={}", monitor.display())])
            .args(["-mon", "chardev=monitor,mode=control"])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let debugger = flash.folder.join("debugger");
        _ = std::fs::remove_file(&debugger);
        board.args(["-gdb", &format!("unix:{},server=on,wait=off", debugger.display())]);
        if let Some(port) = controller {
            board.args(["-chardev", &format!("socket,id=radio,host=127.0.0.1,port={port}")]);
            board.args(["-serial", "chardev:radio"]);
        }
        let child = board.spawn().expect("qemu-system-arm starts; tests/run installs it");
        let accepted =
            |line: Receiver<UnixStream>| line.recv_timeout(PATIENCE).expect("QEMU opens its lines");
        let monitor = accepted(monitor_line);
        monitor.set_read_timeout(Some(PATIENCE)).unwrap();
        let to_board = accepted(hub_line);
        to_board.set_write_timeout(Some(PATIENCE)).unwrap();
        let from_board = octets(to_board.try_clone().unwrap());
        let monitor = BufReader::new(monitor);
        let mut machine = Machine { child, from_board, to_board, monitor, talk: vec!["power on".into()] };
        machine.monitored();
        machine.asks("qmp_capabilities", json!({}));
        machine
    }

    /// The next line of QEMU's that is no news.
    fn monitored(&mut self) -> Value {
        loop {
            let mut line = String::new();
            self.monitor.read_line(&mut line).unwrap();
            let said: Value = serde_json::from_str(&line).expect("QEMU speaks JSON");
            self.talk.push(format!("machine: {}", line.trim()));
            if said.get("event").is_none() {
                return said;
            }
        }
    }

    fn asks(&mut self, what: &str, arguments: Value) {
        let line = json!({ "execute": what, "arguments": arguments });
        writeln!(self.monitor.get_mut(), "{line}").unwrap();
        let answer = self.monitored();
        assert!(answer.get("return").is_some(), "{line}: {answer}");
    }

    /// Of what the thermometer is put to, in thousandths of a degree Celsius.
    pub(crate) fn set_temperature(&mut self, thousandths: i32) {
        let thermometer = "/machine/peripheral/thermometer";
        let set = json!({ "path": thermometer, "property": "temperature", "value": thousandths });
        self.asks("qom-set", set);
    }

    /// Its button is pressed: processor and devices start anew, and the flash and the thermometer stay as they are.
    pub(crate) fn reset(&mut self) {
        self.asks("system_reset", json!({}));
    }

    /// The power is cut, in the middle of whatever it does.
    pub(crate) fn cut_power(&mut self) {
        self.talk.push("power off".into());
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The host's time that it has used.
    pub(crate) fn used(&self) -> Used {
        Used::of(self.child.id())
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
        // Nobody sees it, unless the test fails.
        println!("{}", self.talk.join("\n"));
    }
}

/// The end of a line that QEMU opens.
fn end(path: &Path) -> Receiver<UnixStream> {
    _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).unwrap();
    let (tell, accepted) = channel();
    std::thread::spawn(move || _ = listener.accept().map(|(stream, _)| tell.send(stream)));
    accepted
}

fn octets(mut stream: UnixStream) -> Receiver<Vec<u8>> {
    let (tell, came) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1_024];
        while let Ok(many @ 1..) = stream.read(&mut buffer) {
            if tell.send(buffer[..many].to_vec()).is_err() {
                break;
            }
        }
    });
    came
}
