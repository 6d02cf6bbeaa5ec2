//! `hearth capture redact`: whatever a profile can read is told again by the new log, and nobody is.

use super::captures::{Device, btsnoop, devices, hex, octets, spelled};
use super::traces::log;
use e2e::{hearth, root, said};
use jiff::civil::Date;
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of this test's own.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(what: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("hearth-{what}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Folder(folder)
    }

    pub(crate) fn file(&self, name: &str, octets: &[u8]) -> PathBuf {
        std::fs::write(self.0.join(name), octets).unwrap();
        self.0.join(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn rows(file: &Path) -> Vec<Value> {
    let mut command = Command::new(hearth());
    // Its store is thrown away: in memory, where there is such a folder.
    if Path::new("/dev/shm").is_dir() {
        command.env("TMPDIR", "/dev/shm");
    }
    let said = said(command.args(["--json", "replay"]).arg(file)).ok();
    let mut rows = said.json().as_array().unwrap().clone();
    assert!(rows.pop().is_some_and(|last| last["summary"].is_object()), "{said:?}");
    rows
}

/// A text with its date moved; one of no date, such as the thirteenth month, with its year.
fn moved(text: &str, days: i64) -> String {
    let Some(date) = text.get(..10).filter(|date| date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-')
    else {
        return text.to_owned();
    };
    let rest = &text[10..];
    match date.parse::<Date>() {
        Ok(date) => format!("{}{rest}", date.checked_add(jiff::Span::new().days(days)).unwrap()),
        // No year of the standard's.
        Err(_) if date[..4].parse::<u16>().is_ok_and(|year| year < 1582) => text.to_owned(),
        Err(_) => {
            let year: i64 = date[..4].parse().unwrap();
            format!("{:04}{}{rest}", year + (days + 183) / 365, &date[4..])
        }
    }
}

/// The row as it must be told of the new log.
fn expected(value: &Value, days: i64) -> Value {
    match value {
        Value::String(text) => moved(text, days).into(),
        Value::Array(all) => all.iter().map(|value| expected(value, days)).collect(),
        Value::Object(all) => all.iter().map(|(name, value)| (name.clone(), expected(value, days))).collect(),
        other => other.clone(),
    }
}

/// Redacts a file and compares every row: what was measured and how it is judged, with whatever names a day moved.
fn same_readings(original: &Path, new: &Path, secrets: &[Vec<u8>]) -> Vec<Value> {
    let told = said(Command::new(hearth()).args(["--json", "capture", "redact"]).arg(original).arg(new)).ok();
    let days = told.json()["days_moved"].as_i64().unwrap();
    assert!(days > 300 && days % 7 == 0, "{told:?}");
    let (before, after) = (rows(original), rows(new));
    assert_eq!(before.len(), after.len());
    for (before, after) in before.iter().zip(&after) {
        // What is left out moves the others: the place is the file's.
        let [mut want, mut got] = [expected(before, days), after.clone()];
        for row in [&mut want, &mut got] {
            row.as_object_mut().unwrap().retain(|name, _| name != "place" && name != "line");
        }
        // A clock that was never set stays one; an empty place in a memory tells no time.
        let stamp = &before["values"]["timestamp"];
        let unset = stamp.as_str().is_some_and(|stamp| ["1970", "2020", "2021"].contains(&&stamp[..4]));
        let empty = before["fate"] == "refused" && stamp["raw"] == "2000-00-00T00:00:00";
        if (unset || empty) && *stamp == after["values"]["timestamp"] {
            want["values"]["timestamp"] = stamp.clone();
        }
        assert_eq!(got, want, "moved by {days} days");
    }
    let (was, is) = (std::fs::read(original).unwrap(), std::fs::read(new).unwrap());
    for secret in secrets {
        let reversed: Vec<u8> = secret.iter().rev().copied().collect();
        let forms = [secret.clone(), reversed, hex(secret).into_bytes(), spelled(secret).into_bytes()];
        let holds = |log: &[u8], form: &[u8]| log.windows(form.len()).any(|part| part == form);
        assert!(forms.iter().any(|form| holds(&was, form)), "the original never held {secret:02X?}");
        assert!(!forms.iter().any(|form| holds(&is, form)), "{secret:02X?} of the original is still there");
    }
    before
}

/// Every log that the project holds.
#[test]
fn every_log_is_read_again() {
    let folder = Folder::new("all-logs");
    let meter = || vec![0xC0, 0x11, 0x22, 0x33, 0x44, 0x55];
    let cuff = vec![vec![0x00, 0x09, 0x1F, 0x80, 0x12, 0x34], b"_801234".to_vec(), b"5140600123".to_vec()];
    let logs = [
        (log("cuff-android.btsnoop"), cuff),
        (log("meter-racp.pcap"), vec![meter()]),
        (log("meter-sniffed.pcap"), vec![meter(), b"meter+1".to_vec()]),
        (root().join("gateway/src/demo/house.jsonl"), vec![]),
    ];
    for (nth, (original, secrets)) in logs.iter().enumerate() {
        let rows = same_readings(original, &folder.path(&format!("new-{nth}")), secrets);
        assert!(!rows.is_empty(), "{original:?}");
    }
}

/// Every capture of every profile, as news and as a log.
#[test]
fn whatever_a_profile_reads_is_read_again() {
    let folder = Folder::new("all-captures");
    let devices = devices();
    let all: Vec<&Device> = devices.iter().collect();
    assert!(all.len() > 40);
    let secrets = |of: fn(&Device) -> bool| -> Vec<Vec<u8>> {
        all.iter().filter(|device| of(device)).flat_map(|device| device.secrets()).collect()
    };
    let mut lines =
        vec![json!({"boot": true}), json!({"at": 0, "hub_time": "2026-09-01T12:00:00Z", "note": "Anna"})];
    lines.extend(all.iter().enumerate().flat_map(|(nth, device)| device.lines(1_000 * (nth as i64 + 1))));
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let news = folder.file("all.jsonl", format!("# Anna's devices\n{text}").as_bytes());
    let before = same_readings(&news, &folder.path("new.jsonl"), &secrets(|_| true));
    let new = std::fs::read_to_string(folder.path("new.jsonl")).unwrap();
    for name in ["Anna", "annas-clinic", "Adams"] {
        assert!(!new.contains(name), "{name}");
    }
    // Judged, and not only waiting.
    let fates = |fate: &str| before.iter().filter(|row| row["fate"] == fate).count();
    assert!(fates("admitted") > 40 && fates("held") > 5 && fates("refused") > 5, "{before:?}");

    let packets = all.iter().filter_map(|device| device.packets());
    let log: Vec<_> = packets.flatten().collect();
    let log = folder.file("all.btsnoop", &btsnoop(&log));
    let before =
        same_readings(&log, &folder.path("new.btsnoop"), &secrets(|device| device.packets().is_some()));
    assert!(before.len() > 60, "{}", before.len());
}

fn redact(arguments: &[&std::ffi::OsStr]) -> e2e::Said {
    said(Command::new(hearth()).args(["capture", "redact"]).args(arguments))
}

/// What the command refuses, and what it leaves behind: nothing but a whole log under the name that was given.
#[test]
fn a_log_is_whole_or_is_not_there() {
    let folder = Folder::new("redact-refuses");
    let cuff = log("cuff-android.btsnoop");
    let whole = std::fs::read(&cuff).unwrap();
    let cut = folder.file("cut", &whole[..whole.len() - 30]);
    let nothing = folder.file("nothing", b"btsnoop\0and no log");
    let leak = folder.file("leak", &leaking());
    let new = folder.path("new");
    let handle = |handle: &'static str| ["--handle".as_ref(), std::ffi::OsStr::new(handle)];
    let twice = [handle("0x21=2A35"), handle("0x21=2A18")].concat();
    // Exit codes as sysexits.h has them.
    for (file, out, more, code, says) in [
        (&cuff, new.clone(), &twice[..], 64, "0x0021 is given twice"),
        (&folder.path("none"), new.clone(), &[], 66, "none"),
        (&cuff, folder.path("no/folder"), &[], 73, "its folder is not there"),
        (&cut, cut.clone(), &[], 73, "it is there already"),
        (&nothing, new.clone(), &[], 65, "btsnoop"),
        (&leak, new.clone(), &[], 65, "nothing was written"),
    ] {
        let arguments = [&[file.as_os_str(), out.as_os_str()][..], more].concat();
        let said = redact(&arguments);
        assert_eq!(said.code, code, "{said:?}");
        assert!(said.err.contains(says), "{says}: {said:?}");
        // Whoever shares what the command says shares nobody.
        assert!(!said.err.contains("00:09:1F") && !said.err.contains("5140600123"), "{said:?}");
        assert!(!new.exists());
    }
    // Cut: said, the code is that of a replay, and what stands before is there.
    let said = redact(&[cut.as_os_str(), new.as_os_str()]);
    assert_eq!(said.code, 65, "{said:?}");
    assert!(said.err.contains("the log is cut here"), "{said:?}");
    assert!(!rows(&new).is_empty());
    let left: Vec<_> = folder.0.read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 4, "{left:?}");
}

/// Find Information tells a type of sixteen octets of which six are the peer's address.
fn leaking() -> Vec<u8> {
    let peer = "341280 1F0900";
    btsnoop(&[
        (true, octets(&format!("04 3E 13 01 00 4000 00 00 {peer} 1800 0000 4800 00"))),
        (false, octets("02 4000 0900 0500 0400 04 0100 0F00")),
        (true, octets(&format!("02 4020 1800 1400 0400 05 02 0300 00010203040506070809 {peer}"))),
    ])
}

/// From a pipe, and beside a broken profile of the site: made all the same, and the profile is named.
#[test]
fn a_pipe_and_a_broken_profile_do_not_stop_it() {
    let folder = Folder::new("redact-piped");
    let profiles = folder.path("profiles/site");
    std::fs::create_dir_all(&profiles).unwrap();
    std::fs::write(profiles.join("broken.toml"), "schema = 1\nFILL IN\n").unwrap();
    let config = format!(
        "schema = 1\n[hub]\nstate = {:?}\nprofiles = {:?}\n",
        folder.path("state"),
        folder.path("profiles")
    );
    let config = folder.file("hearth.toml", config.as_bytes());
    let new = folder.path("new");
    let mut child = Command::new(hearth())
        .arg("--config")
        .arg(&config)
        .args(["capture", "redact", "-"])
        .arg(&new)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&std::fs::read(log("cuff-android.btsnoop")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    assert!(err.contains("a profile is left out") && err.contains("broken"), "{err}");
    assert_eq!(rows(&new).len(), rows(&log("cuff-android.btsnoop")).len());
}
