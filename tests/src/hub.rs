use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a story waits for something that must happen. Generous: it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, built once, with the places where a test may stop it.
pub fn hearth() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let build = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--package", "gateway", "--features", "failpoints"])
            .current_dir(crate::root())
            .status()
            .expect("cargo runs");
        assert!(build.success(), "hearth did not build");
        let here = std::env::current_exe().expect("a running test has a path");
        let deps = here.parent().and_then(Path::parent).expect("tests run from target/debug/deps");
        deps.join("hearth")
    })
}

/// A hub's folder and configuration, and the commands that a person would type there.
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
        self.json(&["replay", "--keep", file]).as_array().expect("a list of verdicts").clone()
    }

    /// Starts the daemon, and waits until it is ready.
    pub fn run(&self) -> Daemon {
        let daemon = self.start(None);
        daemon.wait_for("ready");
        daemon
    }

    /// Starts the daemon; with a failpoint it stops there, and says so.
    pub fn start(&self, failpoint: Option<&str>) -> Daemon {
        let mut command = Command::new(hearth());
        command.arg("--config").arg(&self.config).arg("run");
        if let Some(point) = failpoint {
            command.env("HEARTH_FAILPOINT", point);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("hearth starts");
        let stderr = child.stderr.take().expect("standard error is piped");
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| _ = tell.send(line));
        });
        Daemon { child, lines, heard: std::cell::RefCell::default() }
    }

    /// Runs the daemon until nothing is on its way any more, and stops it in an orderly way.
    pub fn deliver(&self) {
        let daemon = self.run();
        self.says(&["outbox", "wait", "--timeout", "60"]).ok();
        daemon.stop();
    }
}

/// `hearth run` as a process. Killed when dropped.
pub struct Daemon {
    child: Child,
    lines: Receiver<String>,
    heard: std::cell::RefCell<Vec<String>>,
}

impl Daemon {
    /// Waits for a line of its log.
    #[track_caller]
    pub fn wait_for(&self, part: &str) {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            let found = line.contains(part);
            self.heard.borrow_mut().push(line);
            if found {
                return;
            }
        }
        panic!("the daemon never said {part:?}; it said {:#?}", self.heard.borrow());
    }

    /// SIGKILL: what a power cut looks like to the process, with the page cache spared.
    pub fn kill(mut self) {
        self.child.kill().expect("the daemon is ours to kill");
        self.child.wait().expect("a killed process ends");
    }

    /// SIGTERM, as a supervisor stops it. Gives back its exit code.
    pub fn stop(mut self) -> i32 {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill(1) runs");
        assert!(sent.success());
        self.child.wait().expect("the daemon ends").code().unwrap_or(-1)
    }

    /// Waits for it to end by itself.
    pub fn end(mut self) -> (i32, Vec<String>) {
        let code = self.child.wait().expect("the daemon ends").code().unwrap_or(-1);
        let rest: Vec<String> = self.lines.iter().collect();
        (code, [self.heard.take(), rest].concat())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}
