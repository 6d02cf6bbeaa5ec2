//! A hub in one thread, for the model in `tests/model`: intake, store and uplink are the daemon's own. What is not:
//! its clocks ([`crate::clock::simulated`]), its network (here), its disk (a VFS of SQLite's, in the tests), and the
//! thread that answers for the store, which is a task.

use crate::config::Config;
use crate::open::{self, Inside};
use crate::store::Desk;
use crate::{control, household, uplinks};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Connects to host and port, or says why not.
pub type Network = Rc<dyn Fn(&str, u16) -> io::Result<DuplexStream>>;

thread_local! {
    static NETWORK: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// From now on this thread's hubs reach nothing but this. `None`: the machine's own network.
pub fn set_network(network: Option<Network>) {
    NETWORK.set(network);
}

pub(crate) fn network() -> Option<Network> {
    NETWORK.with_borrow(Clone::clone)
}

/// So many octets are on the way to a peer.
const ON_THE_WAY: usize = 64 << 10;

/// `hearth run`, without its process.
#[derive(Debug)]
pub struct Daemon {
    tasks: JoinSet<()>,
    desk: Desk,
    inside: Arc<Inside>,
    ended: oneshot::Receiver<Result<(), String>>,
}

impl Daemon {
    /// Opens the store and starts every task, in the runtime of the caller. The error is what the command would say.
    pub fn start(config: &Config) -> Result<Daemon, String> {
        let said = |ending: crate::show::Ending| ending.said;
        let mut store = open::store(config).map_err(said)?;
        let inside = Arc::new(Inside::running(&mut store, config.clock.clone()).map_err(said)?);
        let uplinks = uplinks(config).map_err(said)?;
        let (desk, answers) = Desk::here(store);
        let mut tasks = household(&desk, &inside, uplinks, config.keep);
        let (end, ended) = oneshot::channel();
        tasks.spawn(async move { _ = end.send(answers.await) });
        Ok(Daemon { tasks, desk, inside, ended })
    }

    /// A peer's end of a control connection: requests and answers are lines of JSON.
    pub fn connect(&mut self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(ON_THE_WAY);
        self.tasks.spawn(control::serve(
            tokio::io::split(theirs),
            self.desk.clone(),
            Arc::clone(&self.inside),
        ));
        ours
    }

    /// Why the process would have ended by now.
    pub fn ended(&mut self) -> Option<String> {
        match self.ended.try_recv() {
            Ok(Err(said)) => Some(said),
            Ok(Ok(())) => Some("nobody asks the store any more".into()),
            Err(_) => None,
        }
    }

    /// As SIGKILL does it: nothing more happens, and the store's file is free.
    pub async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}
