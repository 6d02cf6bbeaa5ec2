//! The conversation with one bridge, over one opened line.
//!
//! 1. The hub says Hello until the bridge does. The bridge may also say it by itself: it has started.
//! 2. The store is asked what it knows of this bridge. A bridge that has never been adopted is given its first epoch, and says Hello
//!    anew.
//! 3. Its clock is asked for: before that no record can be placed in time. Again every hour, since crystals drift.
//! 4. Records are committed in their order, and acknowledged when they are.
//!
//! Beside that it is sent its configuration, if it has another, and what it says of the devices around it is handed on.
//!
//! After every call in, drain [`Line::poll`] until it says `Wait`.

use super::configuration::{Configuring, Next};
use super::{Follows, Greeting, Known, Met, Told, follows};
use crate::when::HubTicks;
use hearth_wire::frame::line::{LONGEST, LONGEST_ON_THE_LINE, Reader, close};
use hearth_wire::frame::{Level, Outcome, PROTOCOL, Peer, Place, Prompt, Standing, ToBridge, ToHub};
use std::collections::VecDeque;

/// Between two Hellos to a bridge that says nothing.
const HELLO_MS: i64 = 2_000;
/// A bridge answers in milliseconds; a line that is full of records takes longer.
const ANSWER_MS: i64 = 2_000;
/// A question for the time that took longer to be answered tells too little.
const TIGHT_MS: i64 = 1_000;
const TIME_EVERY_MS: i64 = 3_600_000;
/// So many records may wait here for the store: more than a bridge tells before it waits for an acknowledgement.
const QUEUED: usize = 64;

/// What the hub has to do for a bridge.
#[derive(Clone, PartialEq, Debug)]
pub enum Poll {
    /// Octets for the line.
    Send(Vec<u8>),
    /// Ask the store what it knows of this bridge: [`Line::known`].
    Greet(Greeting),
    /// Keep this of the epoch in which the bridge is: [`Line::kept`].
    Keep(u32, Met),
    /// Commit all of these, in order: [`Line::committed`].
    Take(Vec<Told>),
    /// A request of [`Line::request`] was carried out, or not: why, for a technician.
    Done(u16, Result<(), String>),
    /// The bridge works by the configuration with this digest; or it can't: why, for a technician.
    Configured(u32, Result<(), String>),
    /// While it looks around: a device, its strength in dBm, and its AD structures.
    Heard(Peer, i8, Vec<u8>),
    /// A pairing, of the request with this token, waits for a person.
    Prompt(u16, Prompt),
    /// What its bond with a device is worth.
    Bond(Peer, Standing),
    Note(Note),
    /// Nothing before this instant, unless something comes.
    Wait(HubTicks),
}

/// What a person should know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// The bridge says something to a technician.
    Log(Level, String),
    /// It could not be given an epoch: why.
    NotAdopted(String),
    /// Whoever talked says nothing any more.
    Silent,
    /// Octets that are no frame.
    Broken,
}

/// Where the conversation is.
#[derive(Clone, PartialEq, Debug)]
enum Stands {
    /// Nothing is known of who is there.
    Silent,
    /// The store is asked.
    Met(Greeting),
    /// It is given an epoch, by the request with this token, or told what it may forget so that it can begin one: it says Hello when it
    /// has.
    Without(Option<u16>),
    /// The time is asked for with this token, since then; then it is kept.
    Asked(u16, HubTicks),
    Keeping,
    Talks,
}

/// The conversation with one bridge.
#[derive(Debug)]
pub struct Line {
    reader: Reader,
    stands: Stands,
    until: HubTicks,
    epoch: u32,
    taken: Place,
    /// The last one that the store is committing.
    committing: Option<Place>,
    token: u16,
    configuring: Configuring,
    queued: VecDeque<(Place, Place, Vec<u8>)>,
    out: VecDeque<Poll>,
}

impl Line {
    pub fn new(now: HubTicks) -> Line {
        let mut line = Line {
            reader: Reader::default(),
            stands: Stands::Silent,
            until: now,
            epoch: 0,
            taken: Place::default(),
            committing: None,
            token: 0,
            configuring: Configuring::default(),
            queued: VecDeque::new(),
            out: VecDeque::new(),
        };
        line.timeout(now);
        line
    }

    /// Octets came.
    pub fn octets(&mut self, octets: &[u8], now: HubTicks) {
        for octet in octets {
            let content = match self.reader.push(*octet) {
                None => continue,
                Some(Ok(content)) => content.to_vec(),
                Some(Err(_)) => {
                    self.out.push_back(Poll::Note(Note::Broken));
                    continue;
                }
            };
            match ToHub::decode(&content) {
                Ok(frame) => self.hears(frame.value, now),
                Err(_) => self.out.push_back(Poll::Note(Note::Broken)),
            }
        }
        self.take();
    }

    fn hears(&mut self, frame: ToHub<'_>, now: HubTicks) {
        match frame {
            ToHub::Hello(hello) => {
                let greeting = Greeting {
                    bridge: hello.bridge,
                    epoch: hello.epoch,
                    is_adopted: hello.is_adopted,
                    acknowledged: hello.acknowledged,
                    firmware: hello.firmware,
                    board: hello.board.to_owned(),
                    can: hello.can,
                    waiting: hello.waiting,
                    configuration: hello.configuration,
                    on_trial: hello.on_trial,
                    reverted_from: hello.reverted_from,
                };
                self.queued.clear();
                self.configuring.lost();
                self.stands = Stands::Met(greeting.clone());
                self.out.push_back(Poll::Greet(greeting));
            }
            ToHub::Record { after, place, said } => {
                // What finds no room is told again, since it is not acknowledged.
                if self.queued.len() < QUEUED {
                    self.queued.push_back((after, place, said.to_vec()));
                }
            }
            ToHub::Time { token, epoch, now: ticks } => match self.stands {
                Stands::Asked(asked, since) if asked == token && epoch == self.epoch => {
                    let took = now.ms.saturating_sub(since.ms);
                    if took > TIGHT_MS {
                        return self.ask_time(now);
                    }
                    self.stands = Stands::Keeping;
                    self.out.push_back(Poll::Keep(epoch, Met { ticks, at: since.later(took / 2) }));
                }
                _ => {}
            },
            ToHub::Done { token, outcome } => {
                let done = done(outcome);
                if let Some(next) = self.configuring.answered(token, &done) {
                    return self.configures(next, now);
                }
                match (&self.stands, done) {
                    (Stands::Without(Some(adoption)), done) if *adoption == token => {
                        let not = done.err().map(|why| Poll::Note(Note::NotAdopted(why)));
                        self.out.extend(not);
                    }
                    // It knows no such request, or has no time.
                    (Stands::Asked(asked, _), Err(_)) if *asked == token => {}
                    (_, done) => self.out.push_back(Poll::Done(token, done)),
                }
            }
            ToHub::Log { level, text, .. } => {
                self.out.push_back(Poll::Note(Note::Log(level, text.to_owned())));
            }
            ToHub::Heard(heard) => {
                self.out.push_back(Poll::Heard(heard.peer, heard.rssi, heard.octets.to_vec()));
            }
            ToHub::Prompt { token, what } => self.out.push_back(Poll::Prompt(token, what)),
            ToHub::Bond { peer, standing } => self.out.push_back(Poll::Bond(peer, standing)),
            ToHub::Other { .. } => {}
        }
    }

    /// What the bridge is to do with its devices ([`super::configuration`]): it is sent if the bridge has another.
    /// [`Poll::Configured`] says what came of it, once the bridge is there. To be said again after each [`Poll::Greet`].
    pub fn configure(&mut self, configuration: Vec<u8>, now: HubTicks) {
        let next = self.configuring.wants(configuration);
        self.configures(next, now);
    }

    fn configures(&mut self, next: Next, now: HubTicks) {
        match next {
            Next::Wait => {}
            Next::Send(from) => {
                self.token = self.token.wrapping_add(1);
                let token = self.token;
                let octets = self.configuring.part(token, from).and_then(|part| on_the_line(&part));
                self.out.extend(octets.map(Poll::Send));
                self.configuring.sent(token, from, now);
            }
            Next::Over(done) => self.out.push_back(Poll::Configured(self.configuring.digest(), done)),
        }
    }

    /// What the store knows of the bridge that said Hello last.
    pub fn known(&mut self, known: Known, now: HubTicks) {
        let Stands::Met(greeting) = &self.stands else { return };
        let Greeting { epoch, is_adopted, configuration, .. } = *greeting;
        self.epoch = epoch;
        self.configuring.greeted(configuration);
        // What was acknowledged is gone there, whoever did it.
        self.taken = known.taken.max(greeting.acknowledged);
        self.committing = None;
        let next = self.configuring.begin();
        self.configures(next, now);
        if epoch != 0 {
            self.acknowledge();
            return self.ask_time(now);
        }
        self.until = now.later(HELLO_MS);
        if is_adopted {
            self.stands = Stands::Without(None);
            self.acknowledge();
        } else {
            let token = self.request(|token| ToBridge::Adopt { token, epoch: known.first_epoch });
            self.stands = Stands::Without(Some(token));
        }
    }

    /// Asks the bridge for something: [`Poll::Done`] with this token says what came of it.
    pub fn request<'a>(&mut self, request: impl FnOnce(u16) -> ToBridge<'a>) -> u16 {
        self.token = self.token.wrapping_add(1);
        self.send(&request(self.token));
        self.token
    }

    /// The moment is kept.
    pub fn kept(&mut self, now: HubTicks) {
        if self.stands == Stands::Keeping {
            self.stands = Stands::Talks;
            self.until = now.later(TIME_EVERY_MS);
            self.take();
        }
    }

    /// All that was to be taken is committed.
    pub fn committed(&mut self) {
        if let Some(place) = self.committing.take() {
            self.taken = self.taken.max(place);
            self.acknowledge();
            self.take();
        }
    }

    /// The instant that was waited for has come.
    pub fn timeout(&mut self, now: HubTicks) {
        let next = self.configuring.timeout(now);
        self.configures(next, now);
        if now < self.until {
            return;
        }
        match self.stands {
            // The store is slow.
            Stands::Met(_) | Stands::Keeping => self.until = now.later(HELLO_MS),
            Stands::Talks => self.ask_time(now),
            // Whoever does not even say the time has to be found again.
            Stands::Silent | Stands::Without(_) | Stands::Asked(..) => {
                self.send(&ToBridge::Hello { protocol: PROTOCOL });
                self.until = now.later(HELLO_MS);
                if matches!(self.stands, Stands::Asked(..)) {
                    self.stands = Stands::Silent;
                    self.configuring.lost();
                    self.out.push_back(Poll::Note(Note::Silent));
                }
            }
        }
    }

    pub fn poll(&mut self) -> Poll {
        let until = self.configuring.until().map_or(self.until, |until| until.min(self.until));
        self.out.pop_front().unwrap_or(Poll::Wait(until))
    }

    fn ask_time(&mut self, now: HubTicks) {
        let token = self.request(|token| ToBridge::AskTime { token });
        self.stands = Stands::Asked(token, now);
        self.until = now.later(ANSWER_MS);
    }

    fn acknowledge(&mut self) {
        self.send(&ToBridge::Acknowledge { up_to: self.taken });
    }

    /// What came, and can be taken now.
    fn take(&mut self) {
        // Of a bridge without an epoch only earlier ones have records.
        let is_placed = matches!(self.stands, Stands::Talks | Stands::Without(_));
        if !is_placed || self.committing.is_some() {
            return;
        }
        let (mut told, mut taken, mut again) = (vec![], self.taken, false);
        for (after, place, said) in self.queued.drain(..) {
            match follows(taken, after, place) {
                Follows::Again => again = true,
                Follows::Gap => {}
                Follows::Next { missing } => {
                    taken = place;
                    told.push(Told { place, said, missing });
                }
            }
        }
        if !told.is_empty() {
            self.committing = Some(taken);
            self.out.push_back(Poll::Take(told));
        } else if again {
            // It did not hear that they are committed.
            self.acknowledge();
        }
    }

    /// Says something that has no answer of its own.
    pub fn send(&mut self, frame: &ToBridge<'_>) {
        self.out.extend(on_the_line(frame).map(Poll::Send));
    }
}

fn on_the_line(frame: &ToBridge<'_>) -> Option<Vec<u8>> {
    let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
    let content = frame.encode(&mut content).ok()?;
    close(content, &mut octets).ok().map(<[u8]>::to_vec)
}

fn done(outcome: Outcome<'_>) -> Result<(), String> {
    Err(match outcome {
        Outcome::Good => return Ok(()),
        Outcome::Unknown => "its firmware does not know that request: update it".to_owned(),
        Outcome::Busy => "it is busy with something else; try again".to_owned(),
        Outcome::Refused(why) => why.to_owned(),
        Outcome::Flash => "its flash memory does not keep what is written: replace the board".to_owned(),
        Outcome::Other { code, .. } => {
            format!("it says {code}, which this version does not know: update the hub")
        }
    })
}
