//! The daemon's Unix socket: what commands may ask, one JSON request a line, one answer a line.
//!
//! Who may ask is decided by the kernel, at connect: the daemon's own user, the socket's group, root (mode 0660).
//! A request is bounded in length, a silent peer is let go; an answer that can't be given is an answer too, with a
//! code and a sentence.

mod answer;
mod board;
mod radio;
mod words;

pub(crate) use answer::{ANOTHER_TIME, EARLIER, answer};
pub(crate) use radio::address;
#[cfg(feature = "demo")]
pub(crate) use words::reason;
pub(crate) use words::salvaged;

use crate::intake::Session;
use crate::show::{Ending, Fields, Shown};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a person, or a tool, may ask of the hub.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    Status,
    Devices,
    DevicesExplain {
        device: i64,
    },
    Bindings,
    Held {
        older_than_s: Option<i64>,
    },
    HeldClose {
        record: i64,
    },
    HeldCloseSealed {
        device: i64,
    },
    /// Of one destination, and the logical id there.
    HeldGive {
        record: i64,
        patient: (String, String),
    },
    BindAdd(BindAdd),
    BindEnd {
        device: i64,
        slot: Option<u8>,
        /// Of one destination, and the logical id there: only theirs.
        patient: Option<(String, String)>,
        at: Option<Timestamp>,
    },
    Permit {
        destination: String,
        patient: String,
        order: (Option<Timestamp>, Option<Timestamp>),
        consent: (Option<Timestamp>, Option<Timestamp>),
    },
    Retract {
        reading: i64,
        reissue: bool,
    },
    OutboxList {
        destination: Option<String>,
        state: Option<String>,
    },
    OutboxShow {
        row: i64,
    },
    OutboxRetry {
        rows: Vec<i64>,
        all: bool,
    },
    OutboxPark {
        row: i64,
        because: String,
    },
    /// What is still on its way.
    OutboxMoving,
    /// Boards that bring what is out of reach.
    Bridges,
    /// What one of them says of itself.
    BridgeInfo {
        bridge: i64,
    },
    /// What it said to a technician, the latest first.
    BridgeLogs {
        bridge: i64,
    },
    /// Starts it anew.
    BridgeReset {
        bridge: i64,
    },
    /// So many grams lie on its scale; 0: nothing does.
    BridgeCalibrate {
        /// `None`: the scale that is wired to the hub itself.
        bridge: Option<i64>,
        grams: u32,
    },
    /// Gives it this firmware, a whole file in base64; the answer is the first step of it.
    BridgeUpdate {
        bridge: i64,
        file: String,
        forced: bool,
    },
    /// The next step.
    BridgeUpdateNext,
    /// What the radio hears.
    Nearby,
    /// Begins to pair; the answer is the first step that a person has to see.
    Pair {
        address: String,
        /// Through this one. `None`: by the hub's own radio.
        #[serde(default)]
        bridge: Option<i64>,
    },
    /// What a person said to a step; the answer is the next one.
    PairAnswer {
        passkey: Option<u32>,
        same: Option<bool>,
    },
    Unpair {
        device: i64,
    },
    /// The code by which a scale tells a user's weighings; without one it is forgotten.
    Consent {
        device: i64,
        slot: u8,
        code: Option<u16>,
    },
    /// One line of news: taken, committed, and only then answered.
    Take {
        line: String,
    },
}

/// A binding as a person asks for it.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BindAdd {
    pub(crate) device: i64,
    pub(crate) slot: Option<u8>,
    /// Destination to logical id there; empty: a test.
    pub(crate) patient: BTreeMap<String, String>,
    pub(crate) zone: Option<String>,
    /// `None`: now.
    pub(crate) from: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) sole_use_attested_by: Option<String>,
    /// A command of an older version does not know of it.
    #[serde(default)]
    pub(crate) shared: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) instead: bool,
}

/// What goes back over the socket.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Wire {
    Shown { rows: Vec<Fields>, single: bool, said: Option<String>, code: u8 },
    Ending { code: u8, said: String },
}

/// The longest request, in octets. A line of news is a few hundred.
const LONGEST: u64 = 1 << 20;

/// How long a peer may say nothing. A command is done in a moment; a source that plays slowly connects again.
const SILENCE: Duration = Duration::from_secs(300);

pub(crate) fn write_answer(answer: Result<Shown, Ending>) -> String {
    let wire = match answer {
        Ok(Shown { rows, single, said, code, .. }) => Wire::Shown { rows, single, said, code },
        Err(Ending { code, said }) => Wire::Ending { code, said },
    };
    serde_json::to_string(&wire).expect("names, numbers and texts always have a JSON form") + "\n"
}

pub(crate) fn read_answer(line: &str) -> Result<Shown, Ending> {
    match serde_json::from_str(line) {
        Ok(Wire::Shown { rows, single, said, code }) => Ok(Shown { rows, single, said, code, summary: None }),
        Ok(Wire::Ending { code, said }) => Err(Ending { code, said }),
        Err(e) => Err(Ending::new(
            crate::show::exit::SOFTWARE,
            format!("the daemon's answer can't be read ({e}); is it of another version? restart it"),
        )),
    }
}

pub(crate) fn read_request(line: &str) -> Result<Request, Ending> {
    serde_json::from_str(line).map_err(|e| {
        Ending::usage(format!("the request can't be read ({e}); is this command of another version?"))
    })
}

mod socket {
    use super::{LONGEST, Request, SILENCE, Session, board, radio, read_request, write_answer};
    use crate::config::Config;
    use crate::open::Inside;
    use crate::show::{Ending, exit};
    use crate::store::Desk;
    use std::os::unix::fs::{FileTypeExt, PermissionsExt};
    use std::path::Path;
    use std::sync::Arc;
    use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
    use tokio::net::UnixListener;
    use tokio::time::timeout;

    /// Binds the socket. A file that a dead daemon left is taken over: the store's lock, which the caller holds,
    /// says that no other lives.
    pub(crate) fn bind(config: &Config) -> Result<UnixListener, Ending> {
        let path = &config.socket;
        let cannot = |e: std::io::Error| {
            let said =
                format!("{}: the control socket can't be made ({e}); check [hub] socket", path.display());
            Ending::new(exit::CANTCREAT, said)
        };
        fit(path).map_err(|said| Ending::new(exit::CONFIG, format!("[hub] socket: {said}")))?;
        remove(path).map_err(cannot)?;
        let listener = UnixListener::bind(path).map_err(cannot)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(cannot)?;
        Ok(listener)
    }

    /// The longest path that a Unix socket can have.
    const LONGEST_PATH: usize = 107;

    /// Whether a socket can be made there: nothing else may be in its place, which would be lost.
    pub(crate) fn fit(path: &Path) -> Result<(), String> {
        let name = path.display();
        if path.as_os_str().len() > LONGEST_PATH {
            return Err(format!(
                "{name}: longer than {LONGEST_PATH} octets, which no socket may be; name a shorter path"
            ));
        }
        match std::fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_dir() => Err(format!("{name}: a folder; name a file in it")),
            Ok(there) if !there.file_type().is_socket() => {
                Err(format!("{name}: there is a file which is no socket; name another path"))
            }
            _ => Ok(()),
        }
    }

    /// Takes away a socket, and nothing else.
    pub(crate) fn remove(path: &Path) -> std::io::Result<()> {
        match std::fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_socket() => std::fs::remove_file(path),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Serves one peer until it hangs up, falls silent, or says what is no request.
    pub(crate) async fn serve(
        (read, mut write): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
        desk: Desk,
        hub: Arc<Inside>,
    ) {
        let mut read = BufReader::new(read);
        let mut session = Session::default();
        let (mut talk, mut update) = (radio::Talk::default(), board::Talk::default());
        loop {
            let mut octets = vec![];
            let mut limited = (&mut read).take(LONGEST);
            match timeout(SILENCE, limited.read_until(b'\n', &mut octets)).await {
                Err(_) | Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(_)) => {}
            }
            let whole = octets.last() == Some(&b'\n');
            let request = match std::str::from_utf8(&octets) {
                Ok(line) if whole => read_request(line),
                Ok(_) => {
                    Err(Ending::usage(format!("a request has at most {LONGEST} octets and ends its line")))
                }
                Err(_) => Err(Ending::usage("a request is UTF-8")),
            };
            let answer = match request {
                Err(ending) => Err(ending),
                Ok(request) => match radio::answer(&hub, &desk, &mut talk, &request).await {
                    Some(answer) => answer,
                    None if let Some(answer) = board::answer(&hub, &mut update, &request).await => answer,
                    None => {
                        let whose = matches!(
                            request,
                            Request::BindAdd(_) | Request::BindEnd { .. } | Request::Consent { .. }
                        );
                        let (inside, taken) = (Arc::clone(&hub), std::mem::take(&mut session));
                        match desk.ask(move |store| super::answer(store, taken, &inside, request)).await {
                            Ok((answer, back)) => {
                                session = back;
                                if whose {
                                    hub.house_changed();
                                }
                                answer
                            }
                            Err(gone) => Err(Ending::new(exit::UNAVAILABLE, gone.to_string())),
                        }
                    }
                },
            };
            crate::failpoint::reach(crate::failpoint::Point::BeforeRelease);
            let written = write.write_all(write_answer(answer).as_bytes()).await;
            if written.is_err() || !whole {
                return;
            }
        }
    }
}

pub(crate) use socket::{bind, fit, remove, serve};
