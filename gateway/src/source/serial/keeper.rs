//! What bridges wish of the rest of the hub, as values: their lines see no store.

use hearth_core::bridge::{Greeting, Known, Met, Told};
use hearth_wire::frame::BridgeId;
use tokio::sync::{mpsc, oneshot};

/// The number by which the store knows a bridge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct BridgeNo(pub(crate) i64);

#[derive(Debug)]
pub(crate) enum Wish {
    Greet {
        greeting: Greeting,
        done: oneshot::Sender<(BridgeNo, Known)>,
    },
    Met {
        bridge: BridgeNo,
        epoch: u32,
        met: Met,
        done: oneshot::Sender<()>,
    },
    /// Done when all of it is committed.
    Take {
        bridge: (BridgeNo, BridgeId),
        told: Vec<Told>,
        done: oneshot::Sender<()>,
    },
}

/// So many wishes may wait: a slow store slows the bridges.
const WAITING: usize = 16;

/// Grants wishes. Where nobody does any more, the daemon ends, and so nothing comes back.
#[derive(Clone, Debug)]
pub(crate) struct Keeper(mpsc::Sender<Wish>);

impl Keeper {
    pub(crate) fn new() -> (Keeper, mpsc::Receiver<Wish>) {
        let (wishes, wished) = mpsc::channel(WAITING);
        (Keeper(wishes), wished)
    }

    async fn wish<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> Wish) -> T {
        let (done, granted) = oneshot::channel();
        if self.0.send(wish(done)).await.is_ok()
            && let Ok(granted) = granted.await
        {
            return granted;
        }
        std::future::pending().await
    }

    pub(super) async fn greet(&self, greeting: Greeting) -> (BridgeNo, Known) {
        self.wish(|done| Wish::Greet { greeting, done }).await
    }

    pub(super) async fn met(&self, bridge: BridgeNo, epoch: u32, met: Met) {
        self.wish(|done| Wish::Met { bridge, epoch, met, done }).await;
    }

    /// Returns when it is committed.
    pub(super) async fn take(&self, bridge: (BridgeNo, BridgeId), told: Vec<Told>) {
        self.wish(|done| Wish::Take { bridge, told, done }).await;
    }
}
