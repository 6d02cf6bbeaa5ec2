//! What bridges wish of the rest of the hub beside what is kept of the house, as values: their lines see no store.

use crate::source::house;
use crate::source::wishes::Wishes;
use hearth_core::bridge::{BridgeNo, Greeting, Known, Met, Told};
use hearth_wire::frame::BridgeId;
use tokio::sync::{mpsc, oneshot};

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

#[derive(Clone, Debug)]
pub(crate) struct Keeper {
    wishes: Wishes<Wish>,
    pub(super) house: house::Keeper,
}

impl Keeper {
    pub(crate) fn new(house: house::Keeper) -> (Keeper, mpsc::Receiver<Wish>) {
        let (wishes, wished) = Wishes::new(WAITING);
        (Keeper { wishes, house }, wished)
    }

    pub(super) async fn greet(&self, greeting: Greeting) -> (BridgeNo, Known) {
        self.wishes.wish(|done| Wish::Greet { greeting, done }).await
    }

    pub(super) async fn met(&self, bridge: BridgeNo, epoch: u32, met: Met) {
        self.wishes.wish(|done| Wish::Met { bridge, epoch, met, done }).await;
    }

    /// Returns when it is committed.
    pub(super) async fn take(&self, bridge: (BridgeNo, BridgeId), told: Vec<Told>) {
        self.wishes.wish(|done| Wish::Take { bridge, told, done }).await;
    }
}
