//! Logs that other programs recorded, through the real binary.

use e2e::{hearth, root, said};
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn log(name: &str) -> PathBuf {
    root().join("gateway/src/source/trace/logs").join(name)
}

fn replay(file: &Path, more: &[&str]) -> e2e::Said {
    said(Command::new(hearth()).args(["--json", "replay"]).arg(file).args(more))
}

/// What was measured, in the order of the log.
fn measured(said: &e2e::Said) -> Vec<String> {
    let rows = said.json();
    let rows = rows.as_array().unwrap().iter();
    rows.filter_map(|row| row["measured"].as_str().map(str::to_owned)).collect()
}

/// Device captures of every kind of log: what discovery told of the handles is found again.
#[test]
fn logs_of_every_kind_are_replayed() {
    for (name, values) in [
        ("cuff-android.btsnoop", &["128/84 mmHg", "124/86 mmHg"][..]),
        ("meter-racp.pcap", &["111 mg/dL", "a context"]),
        ("meter-sniffed.pcap", &["111 mg/dL"]),
    ] {
        let said = replay(&log(name), &[]).ok();
        assert_eq!(measured(&said), values, "{name}: {said:?}");
    }
}

/// A log whose discovery is not in it says so, and a person names the handle.
#[test]
fn what_could_not_be_attributed_is_said_and_may_be_named() {
    let whole = std::fs::read(log("cuff-android.btsnoop")).unwrap();
    let folder = std::env::temp_dir().join(format!("hearth-traces-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("no-discovery.btsnoop");
    // Each record has its length before it; answers to discovery by type are taken out.
    let mut cut = whole[..16].to_vec();
    let mut at = 16;
    while at < whole.len() {
        let length = u32::from_be_bytes(whole[at + 4..at + 8].try_into().unwrap()) as usize;
        let record = &whole[at..at + 24 + length];
        // H4, ACL header, L2CAP header, then the opcode: 0x09 is the answer to a read by type.
        if record.get(24 + 9) != Some(&0x09) {
            cut.extend_from_slice(record);
        }
        at += 24 + length;
    }
    std::fs::write(&file, &cut).unwrap();
    let said = replay(&file, &[]);
    assert_eq!(measured(&said), Vec::<String>::new());
    let sentence = said
        .err
        .lines()
        .find(|line| line.contains("2 values of 18 octets"))
        .unwrap_or_else(|| panic!("{said:?}"));
    let handle = &sentence[sentence.find("0x00").unwrap()..][..6];
    let named = replay(&file, &["--handle", &format!("{handle}=2A35")]);
    assert_eq!(measured(&named), ["128/84 mmHg", "124/86 mmHg"], "{named:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Cut in the middle of a record: what stands before it is taken, and the place is named.
#[test]
fn a_log_that_is_cut_names_the_place() {
    let whole = std::fs::read(log("cuff-android.btsnoop")).unwrap();
    let file = std::env::temp_dir().join(format!("hearth-cut-{}.btsnoop", std::process::id()));
    std::fs::write(&file, &whole[..whole.len() - 30]).unwrap();
    let said = replay(&file, &[]);
    assert_eq!(said.code, 65, "{said:?}");
    assert!(said.err.contains("record") && said.err.contains("is cut here"), "{said:?}");
    assert!(!measured(&said).is_empty());
    std::fs::write(&file, b"\x0A\x0D\x0D\x0A and the rest of a pcapng").unwrap();
    let refused = replay(&file, &[]);
    assert_eq!(refused.code, 65);
    assert!(refused.err.contains("editcap"), "{refused:?}");
    std::fs::remove_file(&file).unwrap();
}

/// What a shell asks for.
#[test]
fn shells_are_told_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = said(Command::new(hearth()).args(["completions", shell])).ok();
        assert!(script.out.contains("outbox"), "{shell}: {script:?}");
    }
}
