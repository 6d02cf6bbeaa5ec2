//! Written once, whatever the record system can do: the ladder of docs/delivery.md, without a socket.
//!
//! A [`Ladder`] carries some rows to one destination. It asks ([`Step::Ask`]), is told what came back
//! ([`Ladder::answer`]), and says what became of which row ([`Step::Settle`]); `fhir` moves the octets.
//!
//! | rung | | in doubt |
//! |---|---|---|
//! | update-as-create | ask by id, `PUT` what is absent | ask again |
//! | conditional-create | a transaction with `ifNoneExist` | the same again |
//! | search-then-create | search by identifier, `POST` what is absent | search again, and once more after a minute |
//! | plain-create | `POST` | as above; where a search is not allowed, the same again, and said so |
//!
//! The conversation is written as `async` functions that can wait for nothing but an answer: the compiler makes
//! the state machine. There is no clock, no store, no randomness from outside in it.

mod climb;
mod create;
mod memory;
mod retract;
mod row;
mod seek;
mod settle;
mod update;

pub use memory::Memory;
pub(super) use seek::has_identifier;

use crate::store::{Attempt, Consignment, OutboxNo, Settlement};
use climb::Climb;
use hearth_core::delivery::{Cure, Receipt};
use hearth_core::map::fhir::{Kind, Rung};
use hearth_core::parcel::Policy;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// How this destination is written to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manner {
    /// The FHIR base URL: a search's further pages are asked for below it only.
    pub base: String,
    pub rung: Rung,
    /// Readings in one Bundle; 1: singles, and no Bundle at all.
    pub bundle: usize,
    pub kind: Kind,
    pub policy: Policy,
    /// Labels that may go there (CLINICAL 29).
    pub cleared: BTreeSet<String>,
}

/// One question to the record system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    pub method: Method,
    /// Below the base; empty: a Bundle.
    pub path: String,
    pub if_match: Option<String>,
    pub if_none_exist: Option<String>,
    /// FHIR JSON; empty for a read.
    pub body: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    Get,
    Put,
    Post,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Send it, then [`Ladder::answer`].
    Ask(Call),
    /// Octets of these rows are about to leave, for the first time in this carry: once the way is open, write
    /// that down, then say by [`Ladder::started`] which of them still may; where it is not open,
    /// [`Ladder::answer`].
    Start(Vec<Attempt>),
    /// Keep this before anything else is sent.
    Settle(Vec<(OutboxNo, Settlement)>),
    /// Rows that were not settled were not touched.
    Done(End),
}

/// How the carry ended for the destination as a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    pub memory: Memory,
    pub way: Way,
}

/// Whether more may be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Way {
    Open,
    /// Everything waits for a while.
    Busy {
        wait: Duration,
        said: String,
    },
    /// Everything waits for a person; tried again all the same, since nobody tells us when it is mended.
    Held {
        wait: Duration,
        cure: Cure,
        said: String,
    },
}

/// A carry under way.
pub struct Ladder {
    wire: Wire,
    /// `None`: it has ended.
    climb: Option<Pin<Box<dyn Future<Output = End> + Send>>>,
}

impl fmt::Debug for Ladder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ladder").field("ended", &self.climb.is_none()).finish()
    }
}

impl Ladder {
    pub fn new(manner: Manner, mut memory: Memory, work: &[Consignment], now: Timestamp) -> Ladder {
        memory.wake(now);
        let wire = Wire::new(now);
        let climb = Climb::new(manner, memory, wire.clone());
        Ladder { wire, climb: Some(Box::pin(climb.carry(work.to_vec()))) }
    }

    /// Drives it to its next question. Asked again without an answer, it says the same.
    pub fn step(&mut self) -> Step {
        let ended = match self.climb.as_mut() {
            Some(climb) => climb.as_mut().poll(&mut Context::from_waker(Waker::noop())),
            None => Poll::Pending,
        };
        let slot = &mut *self.wire.slot();
        if let Poll::Ready(end) = ended {
            self.climb = None;
            slot.end = Some(end);
        }
        if !slot.settled.is_empty() {
            return Step::Settle(std::mem::take(&mut slot.settled));
        }
        match (&slot.asked, &slot.end) {
            (Some(Asked::Call(call)), _) => Step::Ask(call.clone()),
            (Some(Asked::Start(attempts)), _) => Step::Start(attempts.clone()),
            (None, Some(end)) => Step::Done(end.clone()),
            (None, None) => unreachable!("a ladder waits for answers only"),
        }
    }

    /// What came back of the last [`Step::Ask`], at `now`; or that the way is not open, to a [`Step::Start`].
    pub fn answer(&mut self, receipt: Receipt, now: Timestamp) {
        self.tell(Told::Receipt(receipt), now);
    }

    /// These of the last [`Step::Start`] may leave.
    pub fn started(&mut self, rows: Vec<OutboxNo>, now: Timestamp) {
        self.tell(Told::Started(rows), now);
    }

    fn tell(&mut self, told: Told, now: Timestamp) {
        let slot = &mut *self.wire.slot();
        slot.asked = None;
        slot.told = Some(told);
        slot.now = now;
    }
}

/// Where the conversation and its driver meet.
#[derive(Clone, Debug)]
struct Wire(Arc<Mutex<Slot>>);

#[derive(Debug)]
struct Slot {
    now: Timestamp,
    asked: Option<Asked>,
    told: Option<Told>,
    settled: Vec<(OutboxNo, Settlement)>,
    end: Option<End>,
}

#[derive(Debug)]
enum Asked {
    Call(Call),
    Start(Vec<Attempt>),
}

#[derive(Debug)]
enum Told {
    Receipt(Receipt),
    Started(Vec<OutboxNo>),
}

impl Wire {
    fn new(now: Timestamp) -> Wire {
        Wire(Arc::new(Mutex::new(Slot { now, asked: None, told: None, settled: vec![], end: None })))
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, call: Call) -> Receipt {
        match self.wait_for(Asked::Call(call)).await {
            Told::Receipt(receipt) => receipt,
            Told::Started(_) => unreachable!("a call is answered by a receipt"),
        }
    }

    /// Which of these may leave; or why nothing can.
    async fn start(&self, attempts: Vec<Attempt>) -> Result<Vec<OutboxNo>, Receipt> {
        match self.wait_for(Asked::Start(attempts)).await {
            Told::Started(rows) => Ok(rows),
            Told::Receipt(receipt) => Err(receipt),
        }
    }

    async fn wait_for(&self, asked: Asked) -> Told {
        self.slot().asked = Some(asked);
        poll_fn(|_| self.slot().told.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    fn settle(&self, row: OutboxNo, settlement: Settlement) {
        self.slot().settled.push((row, settlement));
    }

    fn now(&self) -> Timestamp {
        self.slot().now
    }
}

#[cfg(all(test, feature = "demo"))]
mod tests;
