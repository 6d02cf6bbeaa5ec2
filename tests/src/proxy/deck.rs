//! What may become of a request, and how often.

use crate::disk::Random;
use std::fmt;

/// How a way behaves.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    pub searches: Searches,
    /// `ifNoneExist` and `If-None-Exist` do not arrive: for a check of the check.
    pub strips_conditions: bool,
}

impl Plan {
    pub fn new(seed: u64) -> Plan {
        Plan { seed, searches: Searches::Answered, strips_conditions: false }
    }
}

/// What becomes of searches, storm or not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Searches {
    Answered,
    /// Nothing is ever found: for a check of the check.
    Empty,
    /// The record cannot be searched.
    Refused,
}

/// What becomes of one request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Pass,
    /// It passes, after a while for which the hub waits.
    Slow,

    /// It is done, and the connection is closed in an orderly way before a word of the answer.
    Cut,
    /// The same by RST.
    Reset,
    /// It is done, and no more comes; the hub may speak on.
    HalfClosed,
    /// It is done, and the hub hears nothing until it gives up.
    Unanswered,
    /// It is done, and RST comes in the middle of the answer's head, of its body, between two of its entries.
    CutInHead,
    CutInBody,
    CutBetweenEntries,
    /// It is done, and the connection is closed in an orderly way in the middle of the answer's body.
    HalfAnswer,
    /// It is done, and something on the way says that it failed.
    Told(u16),

    /// RST on both sides in the middle of the request: nothing is done.
    LostInHead,
    LostInBody,
    LostBetweenEntries,
    /// It goes on after the hub has given up.
    Late,

    /// Nothing is done, and this is said.
    Refused(&'static Refusal),

    /// It is done, and told otherwise.
    Reordered,
    /// An entry is missing in the answer.
    Short,
    OkForCreated,
    /// 202, and no place.
    OnlyAccepted,
    WithoutPlaces,
    PlainText,
    /// What was written a second ago is not found yet.
    Lagging,
}

/// An answer of who did nothing.
#[derive(PartialEq, Eq, Debug)]
pub struct Refusal {
    pub(super) status: u16,
    pub(super) retry_after: Option<u8>,
    pub(super) said: Said,
}

#[derive(PartialEq, Eq, Debug)]
pub(super) enum Said {
    Nothing,
    /// A web page.
    Page,
    /// An OperationOutcome with one issue of this code.
    Outcome(&'static str),
}

const fn refused(status: u16, said: Said) -> Refusal {
    Refusal { status, retry_after: None, said }
}

const fn wait(status: u16, said: Said) -> Refusal {
    Refusal { status, retry_after: Some(1), said }
}

use Said::{Nothing, Outcome, Page};

/// Who refuses like this is busy, or means this one request.
static MILD: [Refusal; 21] = [
    refused(408, Nothing),
    refused(409, Outcome("conflict")),
    refused(409, Outcome("lock-error")),
    refused(410, Outcome("deleted")),
    refused(412, Outcome("conflict")),
    refused(413, Page),
    refused(413, Outcome("too-long")),
    refused(422, Outcome("processing")),
    refused(422, Outcome("business-rule")),
    refused(403, Outcome("throttled")),
    refused(429, Nothing),
    wait(429, Outcome("throttled")),
    refused(500, Page),
    refused(500, Outcome("exception")),
    refused(500, Outcome("transient")),
    refused(502, Page),
    refused(503, Page),
    wait(503, Outcome("transient")),
    refused(503, Outcome("lock-error")),
    refused(504, Page),
    refused(400, Outcome("timeout")),
];

/// After these a hub leaves the destination alone for long.
static GRAVE: [Refusal; 7] = [
    refused(301, Nothing),
    refused(401, Page),
    refused(401, Outcome("login")),
    refused(403, Outcome("forbidden")),
    refused(400, Page),
    refused(404, Page),
    // A captive portal.
    refused(200, Page),
];

/// What a request gets whose card would be the record's own lie.
static BUSY: Refusal = refused(503, Page);

/// How often each is in a deck, beside each of [`MILD`] and [`GRAVE`] once.
type Cards = &'static [(usize, Fault)];

/// 240 cards with these, 114 of which leave the hub in doubt, not counted those among the refusals.
pub(super) const WRITES: Cards = &[
    (64, Fault::Pass),
    (6, Fault::Slow),
    (16, Fault::Cut),
    (16, Fault::Reset),
    (8, Fault::HalfClosed),
    (4, Fault::Unanswered),
    (8, Fault::CutInHead),
    (12, Fault::CutInBody),
    (12, Fault::CutBetweenEntries),
    (8, Fault::HalfAnswer),
    (4, Fault::Told(500)),
    (4, Fault::Told(502)),
    (4, Fault::Told(503)),
    (4, Fault::Told(504)),
    (4, Fault::LostInHead),
    (4, Fault::LostInBody),
    (4, Fault::LostBetweenEntries),
    (2, Fault::Late),
    (5, Fault::Reordered),
    (5, Fault::Short),
    (5, Fault::OkForCreated),
    (4, Fault::OnlyAccepted),
    (4, Fault::WithoutPlaces),
    (5, Fault::PlainText),
];

pub(super) const READS: Cards = &[
    (170, Fault::Pass),
    (4, Fault::Slow),
    (4, Fault::Cut),
    (4, Fault::Reset),
    (1, Fault::HalfClosed),
    (1, Fault::Unanswered),
    (4, Fault::CutInHead),
    (4, Fault::CutInBody),
    (4, Fault::CutBetweenEntries),
    (4, Fault::HalfAnswer),
    (2, Fault::LostInHead),
    (2, Fault::Reordered),
    (2, Fault::Short),
    (2, Fault::PlainText),
    (60, Fault::Lagging),
];

/// Cards in random order; when all are dealt, all are shuffled again.
#[derive(Debug)]
pub(super) struct Deck {
    cards: Vec<Fault>,
    dealt: usize,
    random: Random,
}

impl Deck {
    pub(super) fn new(cards: Cards, seed: u64) -> Deck {
        let refusals = MILD.iter().chain(&GRAVE).map(Fault::Refused);
        let cards: Vec<Fault> =
            cards.iter().flat_map(|(times, fault)| vec![*fault; *times]).chain(refusals).collect();
        Deck { dealt: cards.len(), cards, random: Random::new(seed) }
    }

    pub(super) fn deal(&mut self) -> Fault {
        if self.dealt == self.cards.len() {
            self.dealt = 0;
            for n in (1..self.cards.len()).rev() {
                self.cards.swap(n, self.random.below(n + 1));
            }
        }
        self.dealt += 1;
        self.cards[self.dealt - 1]
    }
}

impl Fault {
    /// The same, or what stands for it where it means nothing, or would be a lie of the record's.
    pub(super) fn fit_for(self, is_bundle: bool, is_search: bool) -> Fault {
        match self {
            Fault::Refused(Refusal { status: 410 | 412, .. }) if !is_bundle => Fault::Refused(&BUSY),
            Fault::Lagging if !is_search => Fault::Pass,
            Fault::LostBetweenEntries if !is_bundle => Fault::LostInBody,
            // A search that is answered in part and says that it is whole is a lie, too.
            Fault::Short | Fault::Reordered if !is_bundle => Fault::Pass,
            Fault::CutBetweenEntries if !is_bundle && !is_search => Fault::CutInBody,
            fault => fault,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Refused(Refusal { status, retry_after, said }) => {
                write!(f, "refused {status}")?;
                match said {
                    Said::Nothing => {}
                    Said::Page => write!(f, " by a web page")?,
                    Said::Outcome(code) => write!(f, " {code}")?,
                }
                if retry_after.is_some() {
                    write!(f, ", Retry-After")?;
                }
                Ok(())
            }
            fault => write!(f, "{fault:?}"),
        }
    }
}
