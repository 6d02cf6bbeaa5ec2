//! The daemon over its socket, or the store itself where no daemon runs.

use super::{Ending, Shown, exit};
use crate::config::Config;
use crate::control::{Request, answer, read_answer};
use crate::intake::Session;
use crate::open::{Holder, Inside};
use crate::source::lines::Said;
use crate::store::{DestinationFacts, Store};
use hearth_core::identity::Labels;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a command waits for the daemon. A full disk is said at once; nothing takes this long.
const PATIENCE: Duration = Duration::from_secs(30);

/// The daemon's own limits for a step of a pairing, and of a bridge's update, and more.
const PATIENCE_WITH_PEOPLE: Duration = Duration::from_secs(150);
const PATIENCE_WITH_BOARDS: Duration = Duration::from_secs(220);

/// Whoever answers requests.
pub(crate) enum Door {
    Daemon(BufReader<UnixStream>),
    Store { store: Box<Store>, session: Session, inside: Inside },
    Scratch { store: Box<Store>, session: Session, inside: Inside, destinations: Vec<DestinationFacts> },
}

impl Door {
    /// Prefers the daemon.
    pub(crate) fn open(config: &Config) -> Result<Door, Ending> {
        match crate::open::holder(config)? {
            Holder::Daemon(stream) => {
                let limit =
                    stream.set_read_timeout(Some(PATIENCE)).and(stream.set_write_timeout(Some(PATIENCE)));
                limit.map_err(|e| Ending::new(exit::IOERR, format!("the control socket: {e}")))?;
                Ok(Door::Daemon(BufReader::new(stream)))
            }
            Holder::Us(mut store) => {
                let inside = Inside::standing(&mut store)?;
                Ok(Door::Store { store, session: Session::default(), inside })
            }
        }
    }

    /// A store that is thrown away, with nothing known but profiles.
    pub(crate) fn scratch(folder: &Path, profiles: Option<PathBuf>) -> Result<Door, Ending> {
        let config = Config::scratch(folder, profiles);
        let mut store = crate::open::store(&config)?;
        let inside = Inside::standing(&mut store)?;
        Ok(Door::Scratch {
            store: Box::new(store),
            session: Session::default(),
            inside,
            destinations: vec![],
        })
    }

    /// A scratch store takes any destination that a log binds a person at.
    pub(crate) fn expect(&mut self, said: &Said) -> Result<(), Ending> {
        let (Door::Scratch { store, destinations, .. }, Said::Bind(bind)) = (self, said) else {
            return Ok(());
        };
        let known = |name: &String| destinations.iter().any(|d| d.name == *name);
        let new: Vec<&String> = bind.patient.keys().filter(|name| !known(name)).collect();
        let facts = new.into_iter().map(|name| DestinationFacts {
            name: name.clone(),
            cleared: Labels(bind.labels.iter().cloned().collect()),
        });
        let facts: Vec<DestinationFacts> = facts.collect();
        destinations.extend(facts);
        store.set_destinations(destinations).map_err(crate::open::trouble)
    }

    pub(crate) fn ask(&mut self, request: Request) -> Result<Shown, Ending> {
        match self {
            Door::Store { store, session, inside } | Door::Scratch { store, session, inside, .. } => {
                let (said, back) = answer(store, std::mem::take(session), inside, request);
                *session = back;
                said
            }
            Door::Daemon(stream) => {
                let lost = |e: std::io::Error| {
                    let said = format!("the daemon did not answer ({e}); its log says why");
                    Ending::new(exit::UNAVAILABLE, said)
                };
                let line = serde_json::to_string(&request).expect("a request always has a JSON form") + "\n";
                stream.get_mut().write_all(line.as_bytes()).map_err(lost)?;
                // A device, or who stands before it, takes longer than a store.
                let patience = match request {
                    Request::Pair { .. } | Request::PairAnswer { .. } => PATIENCE_WITH_PEOPLE,
                    Request::BridgeUpdate { .. } | Request::BridgeUpdateNext => PATIENCE_WITH_BOARDS,
                    _ => PATIENCE,
                };
                stream.get_ref().set_read_timeout(Some(patience)).map_err(lost)?;
                let mut answer = String::new();
                match stream.read_line(&mut answer).map_err(lost)? {
                    0 => Err(lost(std::io::ErrorKind::UnexpectedEof.into())),
                    _ => read_answer(&answer),
                }
            }
        }
    }
}

/// One request, wherever the answer comes from.
pub(crate) fn ask(config: &Config, request: Request) -> Result<Shown, Ending> {
    Door::open(config)?.ask(request)
}

/// Asks until nothing is on its way any more.
pub(crate) fn wait(config: &Config, seconds: u64) -> Result<Shown, Ending> {
    let mut door = Door::open(config)?;
    if !matches!(door, Door::Daemon(_)) {
        return Err(Ending::new(exit::UNAVAILABLE, "no daemon runs, so nothing moves; start `hearth run`"));
    }
    const BETWEEN: Duration = Duration::from_millis(200);
    for _ in 0..seconds.saturating_mul(5).max(1) {
        let moving = door.ask(Request::OutboxMoving)?;
        if moving.rows.is_empty() {
            return Ok(Shown { said: Some("Nothing is on its way.".into()), ..moving });
        }
        std::thread::park_timeout(BETWEEN);
    }
    Err(Ending::new(exit::TEMPFAIL, "still on its way; `hearth outbox list` shows what, `hearth status` why"))
}
