//! What the radio wishes of the rest of the hub, as values: it sees no store and no person.

use crate::source::lines::Said;
use crate::source::wishes::Wishes;
use hearth_core::admit::Device;
use hearth_core::capture::{DeviceNo, Link};
use hearth_core::identity::Facts;
use hearth_core::profile::Catalog;
use hearth_core::radio::{Change, Kept};
use hearth_core::when::{HubTicks, ZoneName};
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// A device of the house.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) device: Device,
    pub(crate) kept: Kept,
    pub(crate) zones: Vec<Zoned>,
}

/// From when until when a device was in whose zone, as far as that is known.
pub(crate) type Zoned = (Timestamp, Option<Timestamp>, Option<ZoneName>);

/// All of them, and all profiles.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) members: Vec<Member>,
    pub(crate) catalog: Arc<Catalog>,
}

/// One talk with one device: what its names mean is remembered as long as it lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TalkNo(u64);

#[derive(Debug)]
pub(crate) enum Wish {
    /// Done when all of it is committed. More than one: values of one contact.
    Take {
        talk: TalkNo,
        no: DeviceNo,
        said: Vec<(Said, HubTicks)>,
        done: oneshot::Sender<()>,
    },
    /// A talk in which the device had nothing to tell.
    ToldNothing {
        no: DeviceNo,
        link: Link,
        at: HubTicks,
    },
    /// Nothing more comes of this talk.
    Over(TalkNo),
    House(oneshot::Sender<House>),
    Keep {
        no: DeviceNo,
        change: Change,
        done: oneshot::Sender<Option<Kept>>,
    },
    TakeIn {
        facts: Facts,
        at: HubTicks,
        done: oneshot::Sender<Result<DeviceNo, String>>,
    },
    LetGo {
        no: DeviceNo,
        done: oneshot::Sender<Result<(), String>>,
    },
}

/// So many wishes may wait: a slow store slows the radio.
const WAITING: usize = 64;

#[derive(Clone, Debug)]
pub(crate) struct Keeper(Wishes<Wish>);

impl Keeper {
    pub(crate) fn new() -> (Keeper, mpsc::Receiver<Wish>) {
        let (wishes, wished) = Wishes::new(WAITING);
        (Keeper(wishes), wished)
    }

    /// Returns when it is committed.
    pub(super) async fn take(&self, talk: TalkNo, no: DeviceNo, said: Said, at: HubTicks) {
        self.take_all(talk, no, vec![(said, at)]).await;
    }

    /// The same of values of one contact, with one commit.
    pub(super) async fn take_all(&self, talk: TalkNo, no: DeviceNo, said: Vec<(Said, HubTicks)>) {
        self.0.wish(|done| Wish::Take { talk, no, said, done }).await;
    }

    pub(super) async fn told_nothing(&self, no: DeviceNo, link: Link, at: HubTicks) {
        self.0.tell(Wish::ToldNothing { no, link, at }).await;
    }

    pub(super) async fn over(&self, talk: TalkNo) {
        self.0.tell(Wish::Over(talk)).await;
    }

    pub(super) async fn house(&self) -> House {
        self.0.wish(Wish::House).await
    }

    /// What is kept of a device of the house with this change. `None`: it is not of the house any more, or the
    /// store refused.
    pub(super) async fn keep(&self, no: DeviceNo, change: Change) -> Option<Kept> {
        self.0.wish(|done| Wish::Keep { no, change, done }).await
    }

    /// Takes a device into the house.
    pub(super) async fn take_in(&self, facts: Facts, at: HubTicks) -> Result<DeviceNo, String> {
        self.0.wish(|done| Wish::TakeIn { facts, at, done }).await
    }

    pub(super) async fn let_go(&self, no: DeviceNo) -> Result<(), String> {
        self.0.wish(|done| Wish::LetGo { no, done }).await
    }
}

/// Counts talks.
#[derive(Debug, Default)]
pub(super) struct Talks(u64);

impl Talks {
    pub(super) fn next(&mut self) -> TalkNo {
        self.0 += 1;
        TalkNo(self.0)
    }
}
