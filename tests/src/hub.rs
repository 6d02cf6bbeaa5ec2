use crate::Used;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::Duration;

/// How long a story waits for something that must happen. Generous: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits are 200 times shorter; what no search finds is believed to be absent after 3 s, not 60: longer than the timeout
/// of 1 s that goes with it, a request that comes late, and an index's lag.
pub const HURRIED: (&str, &str) = ("HEARTH_HURRY", "200:20");

/// Builds the hub; more arguments may follow.
pub fn build() -> Command {
    build_package("gateway")
}

/// Cargo, as if a person had called it.
pub fn cargo() -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    // What cargo tells a test of its package makes build scripts run again that watch it, and then all that stands on them.
    let of_this_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST");
    std::env::vars()
        .filter(|(name, _)| of_this_package(name))
        .for_each(|(name, _)| _ = cargo.env_remove(name));
    cargo
}

/// Builds another package of this workspace.
pub fn build_package(package: &str) -> Command {
    let mut cargo = cargo();
    cargo.args(["build", "--quiet", "--locked", "--package", package]).current_dir(crate::root());
    cargo
}

/// The binary, built once, with the places where a test may stop it; or the one that `HEARTH_BINARY` names, for what is
/// measured.
pub fn hearth() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if let Some(named) = std::env::var_os("HEARTH_BINARY") {
            return crate::root().join(named);
        }
        let build = build().args(["--features", "failpoints"]).status().expect("cargo runs");
        assert!(build.success(), "hearth did not build");
        let here = std::env::current_exe().expect("a running test has a path");
        let deps = here.parent().and_then(Path::parent).expect("tests run from target/debug/deps");
        deps.join("hearth")
    })
}

/// A hub's folder and configuration, and the commands that a person would type there.
#[derive(Debug)]
pub struct Hub {
    pub dir: PathBuf,
    pub config: PathBuf,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self:?}"))
    }

    #[track_caller]
    pub fn ok(self) -> Said {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// Runs a program that has to succeed.
#[track_caller]
pub fn ran(command: &mut Command) {
    let said = command.output().unwrap_or_else(|e| {
        panic!("{:?} does not start ({e}); tests/run installs what is missing", command.get_program())
    });
    assert!(said.status.success(), "{command:?}: {}", String::from_utf8_lossy(&said.stderr));
}

pub fn said(command: &mut Command) -> Said {
    let output = command.stdin(Stdio::null()).output().expect("hearth starts");
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Hub {
    pub(crate) fn new(dir: PathBuf, config: PathBuf) -> Hub {
        Hub { dir, config }
    }

    /// Who sends to the daemon's socket and nowhere else: the store itself is out of reach.
    pub fn home(&self) -> Hub {
        let text = std::fs::read_to_string(&self.config).expect("the hub's configuration");
        let state = format!("state = \"{}/state\"", self.dir.display());
        assert!(text.contains(&state), "{text}");
        let config = self.dir.join("home.toml");
        std::fs::write(&config, text.replace(&state, "state = \"/dev/null/state\""))
            .expect("a configuration");
        Hub { dir: self.dir.clone(), config }
    }

    /// Types a command.
    pub fn says(&self, arguments: &[&str]) -> Said {
        said(Command::new(hearth()).arg("--config").arg(&self.config).args(arguments))
    }

    /// The same, for its JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.says(&[&["--json"], arguments].concat()).ok().json()
    }

    /// Hands news to the hub's store, and gives back what became of it.
    #[track_caller]
    pub fn replay(&self, lines: &str) -> Vec<Value> {
        let file = self.dir.join("news.jsonl");
        std::fs::write(&file, lines).expect("a file of news");
        let file = file.to_str().expect("a path in UTF-8");
        let mut all = self.json(&["replay", "--keep", file]).as_array().expect("a list of verdicts").clone();
        // The last element is no verdict.
        let summary = all.pop();
        assert!(summary.is_some_and(|last| last["summary"].is_object()), "the replay ends with its summary");
        all
    }

    /// A connection to the daemon that runs here.
    pub fn source(&self) -> Source {
        let stream = UnixStream::connect(self.dir.join("control.sock")).expect("the daemon listens");
        Source(BufReader::new(stream))
    }

    /// Octets of the store and its log.
    pub fn stored(&self) -> u64 {
        let files = std::fs::read_dir(self.dir.join("state")).expect("the hub's folder");
        files.map(|file| file.expect("a file").metadata().expect("a file").len()).sum()
    }

    /// Starts the daemon, and waits until it is ready.
    pub fn run(&self) -> Daemon {
        let daemon = self.start(None);
        daemon.wait_for("ready");
        daemon
    }

    /// The same, with its own waits shorter: `gateway::failpoint::Hurry`.
    pub fn run_hurried(&self) -> Daemon {
        let daemon = self.start_with(&[HURRIED]);
        daemon.wait_for("ready");
        daemon
    }

    /// Starts the daemon; with a failpoint it stops there, and says so.
    pub fn start(&self, failpoint: Option<&str>) -> Daemon {
        let point = failpoint.map(|point| ("HEARTH_FAILPOINT", point));
        self.start_with(point.as_slice())
    }

    /// Starts the daemon with this in its environment.
    pub fn start_with(&self, environment: &[(&str, &str)]) -> Daemon {
        let child = Command::new(hearth())
            .arg("--config")
            .arg(&self.config)
            .arg("run")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("hearth starts");
        Daemon::watch(child)
    }

    /// Asks until the answer is as wanted.
    #[track_caller]
    pub fn until(&self, arguments: &[&str], wanted: impl Fn(&Value) -> bool) -> Value {
        const BETWEEN: Duration = Duration::from_millis(50);
        let mut said = self.json(arguments);
        for _ in 0..PATIENCE.as_millis() / BETWEEN.as_millis() {
            if wanted(&said) {
                return said;
            }
            std::thread::park_timeout(BETWEEN);
            said = self.json(arguments);
        }
        panic!("it never came to that: {said}");
    }

    /// Runs the daemon until nothing is on its way any more, and stops it in an orderly way.
    pub fn deliver(&self) {
        let daemon = self.run();
        self.says(&["outbox", "wait", "--timeout", "60"]).ok();
        daemon.stop();
    }
}

/// Who tells the daemon news over one connection, line by line, as a radio would.
#[derive(Debug)]
pub struct Source(BufReader<UnixStream>);

impl Source {
    /// What became of it; or the hub's sentence, why it is not taken.
    pub fn tell(&mut self, line: &Value) -> Result<Vec<Value>, String> {
        let request = serde_json::json!({ "take": { "line": line.to_string() } });
        self.0.get_mut().write_all(format!("{request}\n").as_bytes()).expect("the daemon listens");
        let mut answer = String::new();
        self.0.read_line(&mut answer).expect("the daemon answers");
        let answer: Value = serde_json::from_str(&answer).expect("an answer is JSON");
        match answer["shown"]["rows"].as_array() {
            Some(rows) => Ok(rows.clone()),
            None => Err(answer["ending"]["said"].as_str().expect("a sentence").to_owned()),
        }
    }
}

/// `hearth run` as a process. Killed when dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Mutex<Child>,
    heard: Arc<(Mutex<Vec<String>>, Condvar)>,
}

impl Daemon {
    fn watch(mut child: Child) -> Daemon {
        let stderr = child.stderr.take().expect("standard error is piped");
        let heard: Arc<(Mutex<Vec<String>>, Condvar)> = Arc::default();
        let tell = Arc::clone(&heard);
        std::thread::spawn(move || {
            let say = |line: String| {
                tell.0.lock().expect("nobody panics with it").push(line);
                tell.1.notify_all();
            };
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(say);
            say("(ended)".into());
        });
        Daemon { child: Mutex::new(child), heard }
    }

    /// Waits for a line of its log that has one of these parts, or for its end. Gives back which.
    pub fn wait_for_any(&self, parts: &[&str]) -> Option<usize> {
        let lines = self.heard.0.lock().expect("nobody panics with it");
        let found = |lines: &Vec<String>| {
            let at = parts.iter().position(|part| lines.iter().any(|line| line.contains(part)));
            (at, lines.last().is_some_and(|line| line == "(ended)"))
        };
        let waits = |lines: &mut Vec<String>| matches!(found(lines), (None, false));
        let (lines, _) =
            self.heard.1.wait_timeout_while(lines, PATIENCE, waits).expect("nobody panics with it");
        found(&lines).0
    }

    /// Waits for a line of its log.
    #[track_caller]
    pub fn wait_for(&self, part: &str) {
        let found = self.wait_for_any(&[part]).is_some();
        assert!(found, "the daemon never said {part:?}; it said {:#?}", self.heard.0.lock());
    }

    /// Waits until it is ready; false if it stopped at a failpoint before that.
    pub fn ready_or_stopped(&self) -> bool {
        self.wait_for_any(&["ready", "failpoint"]) == Some(0)
    }

    /// SIGKILL: what a power cut looks like to the process, with the page cache spared.
    pub fn kill_now(&self) {
        let mut child = self.child.lock().expect("nobody panics with it");
        child.kill().expect("the daemon is ours to kill");
        child.wait().expect("a killed process ends");
    }

    /// # Panics
    /// Once it has ended.
    pub fn used(&self) -> Used {
        Used::of(self.child.lock().expect("nobody panics with it").id())
    }

    /// SIGTERM, as a supervisor stops it. Gives back its exit code.
    pub fn stop(self) -> i32 {
        let mut child = self.child.lock().expect("nobody panics with it");
        let sent =
            Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill(1) runs");
        assert!(sent.success());
        child.wait().expect("the daemon ends").code().unwrap_or(-1)
    }

    /// Waits for it to end by itself: its exit code, and all that it said.
    pub fn end(self) -> (i32, Vec<String>) {
        let code = self.child.lock().expect("nobody panics with it").wait().expect("the daemon ends").code();
        self.wait_for_any(&["(ended)"]);
        let lines = self.heard.0.lock().expect("nobody panics with it").clone();
        (code.unwrap_or(-1), lines)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            _ = child.kill();
            _ = child.wait();
        }
    }
}
