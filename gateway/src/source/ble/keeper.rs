//! What the radio wishes of the rest of the hub beside what is kept of the house, as values: it sees no store and no person.

use crate::source::house;
use crate::source::lines::Said;
use crate::source::wishes::Wishes;
use hearth_core::capture::{DeviceNo, Link};
use hearth_core::when::HubTicks;
use tokio::sync::{mpsc, oneshot};

/// One talk with one device: what its names mean is remembered as long as it lasts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TalkNo(u64);

#[derive(Debug)]
pub(crate) enum Wish {
    /// Done when all of it is committed. More than one: values of one contact.
    Take { talk: TalkNo, no: DeviceNo, said: Vec<(Said, HubTicks)>, done: oneshot::Sender<()> },
    /// A talk in which the device had nothing to tell.
    ToldNothing { no: DeviceNo, link: Link, at: HubTicks },
    /// Nothing more comes of this talk.
    Over(TalkNo),
}

/// So many wishes may wait: a slow store slows the radio.
const WAITING: usize = 64;

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

    /// Returns when it is committed.
    pub(super) async fn take(&self, talk: TalkNo, no: DeviceNo, said: Said, at: HubTicks) {
        self.take_all(talk, no, vec![(said, at)]).await;
    }

    /// The same of values of one contact, with one commit.
    pub(super) async fn take_all(&self, talk: TalkNo, no: DeviceNo, said: Vec<(Said, HubTicks)>) {
        self.wishes.wish(|done| Wish::Take { talk, no, said, done }).await;
    }

    pub(super) async fn told_nothing(&self, no: DeviceNo, link: Link, at: HubTicks) {
        self.wishes.tell(Wish::ToldNothing { no, link, at }).await;
    }

    pub(super) async fn over(&self, talk: TalkNo) {
        self.wishes.tell(Wish::Over(talk)).await;
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
