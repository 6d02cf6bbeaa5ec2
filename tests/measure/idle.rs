//! The hub as it lies in a package, and what it costs while it hears nothing; beside mosquitto with persistence.

use super::house::Folder;
use super::row;
use e2e::Used;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The first look over all rows is over by then.
const SETTLED: Duration = Duration::from_secs(20);

/// A process of the house, ended with its row.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

impl Running {
    fn used(&self) -> Used {
        Used::of(self.0.id())
    }
}

/// A hub without a destination, ready.
fn hub(binary: &Path, config: &Path) -> Running {
    let mut child = Command::new(binary)
        .arg("--config")
        .arg(config)
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("hearth starts");
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = said.find(|line| line.as_ref().is_ok_and(|line| line.contains("ready"))).is_some();
    // Its pipe stays open for as long as it runs.
    std::thread::spawn(move || said.for_each(drop));
    assert!(ready, "hearth ended before it was ready");
    Running(child)
}

fn mosquitto(folder: &Path) -> Option<Running> {
    let binary = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
        .into_iter()
        .find(|path| Path::new(path).exists())?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let config = folder.join("mosquitto.conf");
    let data = folder.join("mosquitto");
    std::fs::create_dir(&data).unwrap();
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location {}/\nuser root\n",
        data.display()
    );
    std::fs::write(&config, text).unwrap();
    let child = Command::new(binary)
        .arg("-c")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    let listens = (0..500).any(|_| {
        std::thread::park_timeout(Duration::from_millis(20));
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(listens, "mosquitto does not listen");
    Some(running)
}

pub(crate) fn print() {
    let binary = std::env::var_os("HEARTH_BINARY")
        .map_or_else(|| e2e::root().join("target/hub/hearth"), PathBuf::from);
    let folder = Folder::on_disk("idle");
    let state = folder.path();
    let config = state.join("hearth.toml");
    std::fs::create_dir(state.join("profiles")).unwrap();
    let text = format!(
        "schema = 1\n[hub]\nstate = \"{0}\"\nsocket = \"{0}/control.sock\"\nclock-trusted = \"always\"\nprofiles = \"{0}/profiles\"\n",
        state.display()
    );
    std::fs::write(&config, text).unwrap();
    std::fs::remove_file(state.join("hub.key")).unwrap();
    let mut starts: Vec<f64> =
        (0..6).map(|_| hub(&binary, &config).used().cpu.as_secs_f64() * 1e3).skip(1).collect();
    starts.sort_by(f64::total_cmp);
    row("start to ready, CPU", &format!("{:.1} ms", starts[2]), "", None, "<= 20 ms");
    let size = std::fs::metadata(&binary).unwrap().len();
    row(
        "release binary, this machine's",
        &format!("{:.2} MB", size as f64 / 1e6),
        "",
        None,
        "aarch64: <= 8 MB",
    );

    let (hub, other) = (hub(&binary, &config), mosquitto(state));
    std::thread::park_timeout(SETTLED);
    let minutes: u32 = std::env::var("HEARTH_IDLE_MINUTES").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let begun = hub.used();
    std::thread::park_timeout(Duration::from_secs(60) * minutes);
    let ended = hub.used();
    let theirs = other.as_ref().map(|other| other.used().resident);
    row(
        "idle RSS of hearth run",
        &format!("{:.2} MB", ended.resident as f64 / 1e6),
        &theirs.map_or_else(
            || "no mosquitto here".into(),
            |rss| format!("{:.2} MB, mosquitto with persistence", rss as f64 / 1e6),
        ),
        theirs.map(|theirs| ended.resident as f64 / theirs as f64),
        "<= 1.25",
    );
    let seconds = 60.0 * f64::from(minutes);
    row(
        &format!("wake-ups a second, idle, over {minutes} min"),
        &format!("{:.2}", (ended.wakes - begun.wakes) as f64 / seconds),
        "",
        None,
        "<= 1",
    );
    row(
        "octets to disk in an idle hour",
        &format!("{} in {minutes} min", ended.written - begun.written),
        "",
        None,
        "0",
    );
}
