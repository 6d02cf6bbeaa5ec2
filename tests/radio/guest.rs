//! The hub's machine: Debian for ARM in QEMU, with bluetoothd. `image` makes it, `init` is its first process.

pub(crate) use crate::running::{Running, Terminal};
use e2e::air::{Air, image};
use e2e::{Said, build_package, ran, root};
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How long a machine may say nothing. It is emulated, on a machine that may be busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// How long one that has called may say nothing.
const ANSWERED: Duration = Duration::from_secs(20);

const TARGET: &str = "aarch64-unknown-linux-gnu";

/// A program for the machine, built. `tests/radio/image` brings the compiler.
#[track_caller]
pub(crate) fn cross(package: &str, name: &str, more: &[&str]) -> PathBuf {
    let target = image().parent().unwrap();
    let known = Command::new("rustup").args(["target", "list", "--installed"]).output().unwrap();
    if !String::from_utf8_lossy(&known.stdout).contains(TARGET) {
        ran(Command::new("rustup").args(["target", "add", TARGET]));
    }
    ran(build_package(package)
        .args(["--target", TARGET, "--target-dir"])
        .arg(target)
        .args(more)
        .env("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc"));
    target.join(TARGET).join("debug").join(name)
}

/// Who does in the machine what is said here.
#[track_caller]
fn agent() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| cross("agent", "agent", &[]))
}

/// The program of `tests/radio/bare`.
#[track_caller]
pub(crate) fn bare() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| cross("bare", "bare", &[]))
}

/// What of a machine is there while its power is off.
#[derive(Debug)]
pub(crate) struct Machine {
    folder: PathBuf,
    controllers: [u16; 2],
}

impl Machine {
    /// With an empty disk, in this folder. It is in reach of these devices.
    pub(crate) fn new(folder: &Path, air: &Air) -> Machine {
        std::fs::create_dir_all(folder.join("outside")).unwrap();
        for deployed in ["cache-in-memory", "sysctl.d/60-hearth.conf"] {
            let from = root().join("deploy/bluetooth").join(deployed);
            std::fs::copy(&from, folder.join("outside").join(from.file_name().unwrap())).unwrap();
        }
        let disk = folder.join("disk.img");
        ran(Command::new("truncate").args(["-s", "256M"]).arg(&disk));
        let path = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        ran(Command::new("mke2fs").env("PATH", path).args(["-q", "-F", "-t", "ext4"]).arg(&disk));
        let machine = Machine { folder: folder.to_owned(), controllers: air.controllers };
        machine.give(agent());
        machine
    }

    /// The machine sees this folder as `/outside`.
    pub(crate) fn outside(&self) -> PathBuf {
        self.folder.join("outside")
    }

    /// A program that it can run as `/outside/NAME`.
    pub(crate) fn give(&self, program: &Path) {
        let to = self.outside().join(program.file_name().unwrap());
        std::fs::copy(program, to).unwrap();
    }

    /// Power on, and wait until its Bluetooth is.
    #[track_caller]
    pub(crate) fn boot(&self) -> Guest {
        let calls = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = calls.local_addr().unwrap().port();
        let console = self.folder.join("console.log");
        let image = image();
        let bluez = std::env::var("HEARTH_BLUEZ").unwrap_or_default();
        let words = format!("console=ttyAMA0 panic=-1 quiet agent={port} bluez={bluez}");
        let mut qemu = Command::new("qemu-system-aarch64");
        qemu.args("-machine virt -cpu cortex-a72 -accel tcg -smp 1 -m 512".split(' '))
            .args("-nodefaults -no-reboot -display none -monitor none -serial".split(' '))
            .arg(format!("file:{}", console.display()))
            .arg("-kernel")
            .arg(image.join("kernel"))
            .arg("-initrd")
            .arg(image.join("memory.cpio"))
            .args(["-append", &words])
            .args([
                "-drive",
                &format!("file={}/root.img,if=none,id=root,format=raw,readonly=on", image.display()),
            ])
            .args(["-device", "virtio-blk-pci,drive=root"])
            .args(["-drive", &format!("file={}/disk.img,if=none,id=disk,format=raw", self.folder.display())])
            .args(["-device", "virtio-blk-pci,drive=disk"])
            .args(["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="])
            .arg("-virtfs")
            .arg(format!("local,path={},mount_tag=outside,security_model=none", self.outside().display()));
        for (n, port) in self.controllers.iter().enumerate() {
            qemu.args(["-chardev", &format!("socket,id=hci{n},host=127.0.0.1,port={port}")])
                .args(["-device", &format!("pci-serial,chardev=hci{n}")]);
        }
        let qemu = qemu.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
        let qemu = qemu.expect("qemu-system-aarch64 starts");
        // QEMU does not look at its standard input: who does ends it.
        let mut guard = Command::new("sh")
            .args(["-c", "read word; kill -KILL $1", "sh", &qemu.id().to_string()])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let life = guard.stdin.take();
        let (tell, calls_come) = channel();
        std::thread::spawn(move || while calls.accept().is_ok_and(|(call, _)| tell.send(call).is_ok()) {});
        let guest = Guest {
            qemu: Mutex::new(qemu),
            guard,
            life,
            port,
            calls: Mutex::new(Calls { first: None, later: calls_come }),
            console,
        };
        let first = guest.call();
        guest.calls.lock().unwrap().first = Some(first);
        guest
    }
}

/// The machine calls; each call takes one command.
#[derive(Debug)]
struct Calls {
    first: Option<TcpStream>,
    later: Receiver<TcpStream>,
}

/// A machine that runs. Its power is cut when it is dropped, and when this process ends.
#[derive(Debug)]
pub(crate) struct Guest {
    qemu: Mutex<Child>,
    guard: Child,
    life: Option<ChildStdin>,
    port: u16,
    calls: Mutex<Calls>,
    console: PathBuf,
}

impl Guest {
    #[track_caller]
    fn call(&self) -> TcpStream {
        const LOOK: Duration = Duration::from_millis(200);
        let mut calls = self.calls.lock().unwrap();
        if let Some(first) = calls.first.take() {
            return first;
        }
        for _ in 0..PATIENCE.as_millis() / LOOK.as_millis() {
            // Who calls says so at once. Of a call that says nothing the emulated network has forgotten one half.
            if let Ok(mut call) = calls.later.recv_timeout(LOOK) {
                call.set_read_timeout(Some(ANSWERED)).unwrap();
                if call.read_exact(&mut [0]).is_ok() {
                    return call;
                }
            }
            let ended = self.qemu.lock().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the machine ended: {}", self.console());
        }
        panic!("the machine does not call: {}", self.console());
    }

    /// What its kernel said.
    pub(crate) fn console(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.console).unwrap_or_default()).into_owned()
    }

    /// Takes a call, and says what is to be done. One line, for its shell.
    #[track_caller]
    fn order(&self, how: &str, line: &str) -> TcpStream {
        assert!(!line.contains('\n'), "one line: {line}");
        let mut call = self.call();
        call.set_read_timeout(Some(PATIENCE)).unwrap();
        call.write_all(format!("{how} {line}\n").as_bytes()).unwrap();
        call
    }

    /// Runs a line of shell to its end.
    #[track_caller]
    pub(crate) fn run(&self, line: &str) -> Said {
        let mut call = BufReader::new(self.order("run", line));
        let mut head = String::new();
        call.read_line(&mut head).unwrap();
        let head: Vec<usize> = head.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [code, out, err] = head[..] else { panic!("{line}: the machine is gone: {}", self.console()) };
        let mut read = |length: usize| {
            let mut octets = vec![0; length];
            call.read_exact(&mut octets).unwrap();
            String::from_utf8_lossy(&octets).into_owned()
        };
        Said { code: code as i32, out: read(out), err: read(err) }
    }

    /// What whoever listens at this socket answers to a line.
    #[track_caller]
    pub(crate) fn ask(&self, socket: &str, line: &str) -> String {
        let mut answer = String::new();
        self.order("ask", &format!("{socket} {line}")).read_to_string(&mut answer).unwrap();
        answer
    }

    /// Starts a program, and goes on.
    #[track_caller]
    pub(crate) fn start(&self, line: &str) -> Running {
        let mut call = BufReader::new(self.order("start", line));
        let mut process = String::new();
        call.read_line(&mut process).unwrap();
        let process = process.trim().parse().unwrap_or_else(|_| panic!("{line}: did not start: {process:?}"));
        call.get_ref().set_read_timeout(None).unwrap();
        Running::watch(process, call)
    }

    /// Starts a program on a terminal, as a person would: what is typed, and what is shown.
    #[track_caller]
    pub(crate) fn terminal(&self, line: &str) -> Terminal {
        let typed = self.order("type", line);
        typed.set_read_timeout(None).unwrap();
        let shown = BufReader::new(typed.try_clone().unwrap());
        Terminal { typed, shown: Running::watch(0, shown) }
    }

    /// Sends a signal to a program, by its name or number.
    #[track_caller]
    pub(crate) fn signal(&self, signal: &str, program: &Running) {
        self.run(&format!("kill -{signal} {}", program.process)).ok();
    }

    /// Waits until BlueZ scans for nobody. Who asks for a scan while that of somebody who is gone still ends is told that it scans, and
    /// hears nobody.
    #[track_caller]
    pub(crate) fn scans_for_nobody(&self) {
        let scans = "dbus-send --system --print-reply --dest=org.bluez /org/bluez/hci0 \
                     org.freedesktop.DBus.Properties.Get string:org.bluez.Adapter1 string:Discovering";
        self.run(&format!("until {scans} | grep -q 'boolean false'; do usleep 50000; done")).ok();
    }

    /// Power off: what its kernel had not written is lost.
    pub(crate) fn cut(self) {}

    /// The controller is pulled out, or plugged in again: it may have another number then. One that is pulled out has no power, and
    /// what it said last nobody reads: a kernel that was given the rest of a packet would be out of step with it for ever.
    #[track_caller]
    pub(crate) fn controller(&self, air: &Air, n: usize, on: bool) {
        let power = |on: bool| _ = air.ask(&json!({ "do": "controller", "n": n, "power": on }));
        if on {
            self.run(&format!("/init controller {n} empty")).ok();
            power(true);
            self.run(&format!("/init controller {n} on")).ok();
        } else {
            self.run(&format!("/init controller {n} off")).ok();
            power(false);
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let qemu = self.qemu.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        _ = qemu.kill();
        _ = qemu.wait();
        // Its guard would look for a process that is gone.
        _ = self.guard.kill();
        _ = self.guard.wait();
        drop(self.life.take());
        // So does whoever waits for calls.
        _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
