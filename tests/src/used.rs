//! What a process costs, by the kernel's books.

use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a process has used.
#[derive(Clone, Copy, Debug)]
pub struct Used {
    pub cpu: Duration,
    /// How often its threads went to sleep.
    pub wakes: u64,
    /// Octets to the disk.
    pub written: u64,
    /// Octets; now, and at most.
    pub resident: u64,
    pub peak: u64,
}

impl Used {
    /// # Panics
    /// Once the process has ended, or where it is somebody else's.
    pub fn of(process: u32) -> Used {
        let process = PathBuf::from(format!("/proc/{process}"));
        let (mut cpu, mut wakes) = (0, 0);
        for thread in std::fs::read_dir(process.join("task")).expect("it runs") {
            let thread = thread.expect("a thread of it").path();
            let told = std::fs::read_to_string(thread.join("schedstat")).expect("a thread of it");
            cpu += told.split_whitespace().next().and_then(|ns| ns.parse::<u64>().ok()).expect("nanoseconds");
            wakes += number(&thread.join("status"), "voluntary_ctxt_switches:");
        }
        let status = process.join("status");
        Used {
            cpu: Duration::from_nanos(cpu),
            wakes,
            written: number(&process.join("io"), "write_bytes:"),
            resident: number(&status, "VmRSS:") * 1_024,
            peak: number(&status, "VmHWM:") * 1_024,
        }
    }
}

fn number(file: &Path, name: &str) -> u64 {
    let told = std::fs::read_to_string(file).expect("it runs");
    let line = told.lines().find_map(|line| line.strip_prefix(name)).expect("a line of the kernel's");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}
