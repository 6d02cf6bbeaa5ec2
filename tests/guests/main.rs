//! Whole machines are cut off: QEMU guests killed while the hub in them hears and delivers.
//!
//! What the guest's kernel had not flushed is gone with it: a kill of the process alone spares that. The disk's own
//! cache is not torn here; `power` does that. The control is the same machine with every fsync made to do nothing.
#![allow(clippy::unwrap_used)]

use e2e::disk::Random;
use e2e::{World, build, ran, root};
use gateway::demo::pki;
use gateway::demo::record::{Behaviour, Record};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

/// How long a guest may say nothing. It is emulated, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(180);

/// Of a hub's disk.
const SIZE: &str = "64M";

/// Kernel and memory image, made once, with the hub's release build; and a machine that has started and knows no disk yet.
/// Each life goes on from there: emulated, a kernel takes longer to start than a hub lives.
fn image() -> &'static Path {
    static MADE: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    MADE.get_or_init(|| {
        let target = root().join("target");
        ran(build().arg("--release"));
        let out = target.join("guest");
        ran(Command::new(root().join("tests/guests/image")).arg(target.join("release/hearth")).arg(&out));
        let blank = out.join("blank.img");
        ran(Command::new("truncate").args(["-s", SIZE]).arg(&blank));
        let mut machine = Machine::start(qemu(&out, &blank).args(["-serial", "mon:stdio"]));
        assert!(machine.until("STARTED"), "the machine does not start: {:?}", machine.said);
        // Its console becomes QEMU's monitor.
        machine.say("\x01cmigrate \"exec:cat > started\"\nquit\n");
        machine.child.wait().unwrap();
        out
    })
}

fn qemu(image: &Path, disk: &Path) -> Command {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.current_dir(image)
        .args("-accel tcg -machine pc -cpu max -m 192 -nodefaults -no-reboot -display none".split(' '))
        .args(["-kernel", "kernel", "-initrd", "memory.cpio", "-append", "console=ttyS0 panic=-1 quiet"])
        .args(["-drive", &format!("file={},if=none,id=disk,format=raw,cache=writeback", disk.display())])
        .args(["-device", "virtio-blk-pci,drive=disk"])
        .args(["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net,romfile="]);
    qemu
}

/// A meter's n-th measurement: sequence and value say which.
fn news(n: u16) -> String {
    let [low, high] = n.to_le_bytes();
    let (hour, minute) = (n / 60 % 24, n % 60);
    let [value, type_and_exponent] = (0xB000_u16 | (60 + n % 200)).to_le_bytes();
    let octets = [
        0x03,
        low,
        high,
        0xE8,
        0x07,
        0x03,
        1,
        hour as u8,
        minute as u8,
        0,
        0,
        0,
        value,
        type_and_exponent,
        0xF8,
    ];
    let hex: String = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    let lines = [
        json!({ "met": { "device": "meter", "address": "C0:FF:EE:00:00:02", "services": ["1808"] } }),
        json!({ "bind": { "device": "meter", "patient": { "clinic": "ben" }, "zone": "Etc/UTC",
            "from": "2018-01-01T00:00:00Z" } }),
        json!({ "heard": { "device": "meter", "contact": 1, "characteristic": "2A18", "hex": hex } }),
        // More is in its memory.
        json!({ "ended": { "device": "meter", "contact": 1, "how": "lost" } }),
    ];
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A hub's disk, with the news of `last` measurements.
fn disk(world: &World, record: &Record, last: u16) -> PathBuf {
    let folder = world.dir.join("disk");
    for part in ["state", "news", "pki"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    ran(Command::new("chmod").arg("700").arg(folder.join("state")));
    for n in 1..=last {
        std::fs::write(folder.join(format!("news/{n}.jsonl")), news(n)).unwrap();
    }
    let copy = |from: &Path, to: &str| std::fs::copy(from, folder.join("pki").join(to)).unwrap();
    copy(&world.pki.ca(), "ca.pem");
    copy(&world.pki.certificate(pki::CLIENT), "client.pem");
    copy(&world.pki.key(pki::CLIENT), "client.key");
    let url = record.url().replace("127.0.0.1", "localhost");
    let config = format!(
        "schema = 1\n[hub]\nstate = \"/mnt/state\"\nsocket = \"/tmp/control.sock\"\nclock-trusted = \"always\"\n\
         [[destination]]\nname = \"clinic\"\nurl = \"{url}\"\nca = \"/mnt/pki/ca.pem\"\n\
         certificate = \"/mnt/pki/client.pem\"\nkey = \"/mnt/pki/client.key\"\nbundle = 3\n"
    );
    std::fs::write(folder.join("gateway.toml"), config).unwrap();
    let image = world.dir.join("disk.img");
    ran(Command::new("truncate").args(["-s", SIZE]).arg(&image));
    ran(Command::new("mke2fs").args(["-q", "-F", "-t", "ext4", "-d"]).arg(&folder).arg(&image));
    image
}

/// A machine that runs. Killed when dropped.
struct Machine {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Machine {
    fn boot(disk: &Path, from: u16, last: u16, sync: bool) -> Machine {
        let sync = if sync { "yes" } else { "no" };
        let mut machine =
            Machine::start(qemu(image(), disk).args(["-serial", "stdio", "-incoming", "exec:cat started"]));
        assert!(machine.until("STARTED"), "the machine does not go on: {:?}", machine.said);
        machine.say(&format!("{from} {last} {sync} {}\n", gateway::clock::now().as_second()));
        machine
    }

    fn start(qemu: &mut Command) -> Machine {
        let mut child = qemu
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("qemu-system-x86_64 starts; tests/run installs it");
        let console = child.stdout.take().unwrap();
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
                if tell.send(String::from_utf8_lossy(&line).trim().to_owned()).is_err() {
                    break;
                }
            }
        });
        Machine { child, lines, said: vec![] }
    }

    /// To its console.
    fn say(&mut self, words: &str) {
        self.child.stdin.as_mut().unwrap().write_all(words.as_bytes()).unwrap();
    }

    /// The next line that it prints. `None`: not within that time, or it has ended.
    fn line(&mut self, wait: Duration) -> Option<String> {
        let line = match self.lines.recv_timeout(wait) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        self.said.push(line.clone());
        Some(line)
    }

    /// False: it ended before that.
    fn until(&mut self, wanted: &str) -> bool {
        loop {
            match self.line(PATIENCE) {
                Some(line) if line.contains(wanted) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// The power is cut. The numbers that it said are kept.
    fn cut(mut self) -> Vec<u16> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while self.line(PATIENCE).is_some() {}
        self.said.iter().filter_map(|line| line.strip_prefix("KEPT ")?.parse().ok()).collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// How often the record has each measurement.
fn charted(record: &Record) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for (_, versions) in record.all("Observation") {
        let Some(resource) = versions.last().and_then(|version| version.resource.as_ref()) else { continue };
        assert_eq!(resource["subject"]["reference"], "Patient/ben");
        if let Some(at) = resource["effectiveDateTime"].as_str() {
            *times.entry(at.to_owned()).or_default() += 1;
        }
    }
    times
}

struct Outcome {
    cuts: usize,
    kept: u16,
    missing: Vec<u16>,
    doubled: Vec<String>,
    /// In which life the hub did not start, or did not come to its end; and what the machine said.
    dead: Option<(usize, Vec<String>)>,
}

/// Cuts a machine off so many times, then lets it come to its end.
fn cuts(name: &str, seed: u64, many: usize, sync: bool) -> Outcome {
    const LAST: u16 = 600;
    let world = World::new(name);
    let record = world.record(Behaviour::default());
    let disk = disk(&world, &record, LAST);
    let mut random = Random::new(seed);
    let mut kept = 0;
    let mut dead = None;
    let mut boots = BTreeSet::new();
    for nth in 0..many {
        // What was delivered is safe outside: only what waits can be lost by the store.
        record.outage(!sync || nth % 2 == 1);
        // The first life makes the store: without fsync there might be none to lose anything from.
        let mut machine = Machine::boot(&disk, kept + 1, LAST, sync || nth == 0);
        // Each third life keeps something, however slow the machine; without fsync each, so that there is something to lose.
        let keeps = !sync || nth % 3 == 0;
        if !machine.until("UP") || keeps && !machine.until("KEPT") {
            dead = Some((nth, std::mem::take(&mut machine.said)));
            break;
        }
        // All go on from one machine, and none may be taken for another: its kernel draws anew.
        let boot = machine.said.iter().find(|line| line.starts_with("UP ")).cloned();
        assert!(boots.insert(boot), "two lives have one boot id");
        let wait = Duration::from_millis(100 + random.below(1_900) as u64);
        std::thread::park_timeout(wait);
        let told = machine.cut();
        kept = told.last().copied().unwrap_or(kept).max(kept);
        println!("{name}: seed {seed}, cut {nth} after {} ms: {kept} measurements kept", wait.as_millis());
    }
    record.outage(false);
    // The meter has two more to tell; the rest of its news stays unread.
    let last = kept + 2;
    let mut machine = Machine::boot(&disk, kept + 1, last, true);
    if dead.is_none() && !machine.until("DELIVERED") {
        dead = Some((many, std::mem::take(&mut machine.said)));
    }
    drop(machine);
    let times = charted(&record);
    let at = |n: u16| format!("2024-03-01T{:02}:{:02}:00", n / 60 % 24, n % 60);
    let missing = (1..=last).filter(|n| !times.keys().any(|time| time.starts_with(&at(*n)))).collect();
    let doubled = times.iter().filter(|(_, times)| **times > 1).map(|(time, _)| time.clone()).collect();
    Outcome { cuts: many, kept, missing, doubled, dead }
}

#[test]
fn a_machine_that_is_cut_off_loses_nothing() {
    let Outcome { cuts, kept, missing, doubled, dead } = cuts("guests", 11, 30, true);
    println!(
        "guests: {cuts} cuts, {kept} measurements kept, {} lost, {} doubled",
        missing.len(),
        doubled.len()
    );
    assert_eq!(dead, None, "the hub did not start, or did not end");
    assert!(kept >= 10, "the hub hardly lived between the cuts: {kept}");
    assert!(missing.is_empty() && doubled.is_empty(), "lost {missing:?}, doubled {doubled:?}");
}

/// The control: without fsync the same cuts must lose, or they prove nothing.
#[test]
fn without_fsync_it_loses() {
    let Outcome { cuts, kept, missing, dead, .. } = cuts("guests-without-fsync", 12, 4, false);
    println!(
        "guests without fsync: {cuts} cuts, {kept} measurements said to be kept, {} lost",
        missing.len()
    );
    match dead {
        None => {
            assert!(missing.iter().any(|n| *n <= kept), "nothing was lost: these cuts would not find a loss")
        }
        // All is lost; but the first life without fsync began with a store that was sound.
        Some((nth, said)) => assert!(nth > 1, "the hub does not live without fsync: {said:?}"),
    }
}
