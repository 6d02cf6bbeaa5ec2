//! The hub itself in the machine: built for ARM, with its store on the machine's disk.

use crate::guest::{Guest, Machine, Running, cross};
use e2e::Said;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

/// The hub, for the machine. `HEARTH_BINARY` is another build of it.
#[track_caller]
pub(crate) fn hearth() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("HEARTH_BINARY") {
        Some(built) => built.into(),
        None => cross("gateway", "hearth", &["--bin", "hearth"]),
    })
}

/// How long something is waited for that the hub has to do. It takes two minutes to suspect a controller that says nothing.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long it is left alone before it is asked the same again.
pub(crate) const BETWEEN: Duration = Duration::from_millis(100);

/// Where the hub in the machine is asked.
const SOCKET: &str = "/run/hearth.sock";

/// The hub in one machine.
#[derive(Debug)]
pub(crate) struct Hub<'m> {
    pub(crate) guest: &'m Guest,
}

impl<'m> Hub<'m> {
    /// What is needed of it on the machine, once for its disk. `destinations`: more tables of its configuration.
    pub(crate) fn install(machine: &Machine, destinations: &str) {
        machine.give(hearth());
        let config = format!(
            "schema = 1\n[hub]\nstate = \"/var/lib/hearth\"\nsocket = \"{SOCKET}\"\nclock-trusted = \"always\"\n\
             bluetooth = true\nprofiles = \"/outside/profiles\"\n{destinations}"
        );
        std::fs::create_dir_all(machine.outside().join("profiles")).unwrap();
        std::fs::write(machine.outside().join("gateway.toml"), config).unwrap();
    }

    /// Starts it; ready when this returns.
    #[track_caller]
    pub(crate) fn start(guest: &'m Guest) -> (Hub<'m>, Running) {
        guest.run("chmod 700 /var/lib/hearth").ok();
        let daemon = guest.start(&format!("env HEARTH_LOG=gateway=debug {}", Hub::command("run")));
        daemon.wait("ready");
        (Hub { guest }, daemon)
    }

    /// A command, as a person types it.
    pub(crate) fn command(words: &str) -> String {
        format!("/outside/hearth --config /outside/gateway.toml {words}")
    }

    #[track_caller]
    pub(crate) fn said(&self, words: &str) -> Said {
        self.guest.run(&Hub::command(&format!("--json {words}")))
    }

    #[track_caller]
    pub(crate) fn json(&self, words: &str) -> Value {
        self.said(words).ok().json()
    }

    /// What a command would show now. Emulated, a command takes half a second to start, while the hub stands still: so what is
    /// looked at often is asked for over its socket.
    #[track_caller]
    pub(crate) fn asked(&self, request: &str) -> Value {
        let said = self.guest.ask(SOCKET, &json!(request).to_string());
        let mut answer: Value =
            serde_json::from_str(&said).unwrap_or_else(|e| panic!("{request}: {e}: {said:?}"));
        let rows = answer["shown"]["rows"].take();
        if answer["shown"]["single"] == true { rows[0].clone() } else { rows }
    }

    /// Asks until the answer is as wanted.
    #[track_caller]
    pub(crate) fn until(&self, request: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            last = self.asked(request);
            if wanted(&last) {
                return last;
            }
            std::thread::park_timeout(BETWEEN);
        }
        panic!("hearth {request} goes on saying {last}");
    }
}
