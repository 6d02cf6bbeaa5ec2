//! The hub's side of the line: it says frames, and waits for those that it has to get.

use crate::machine::{Flash, Machine, PATIENCE};
use hearth_wire::frame::line::{LONGEST, LONGEST_ON_THE_LINE, Reader, close};
use hearth_wire::frame::{Outcome, PROTOCOL, Place, Ticks, ToBridge, ToHub};
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;

/// What a Hello says that the tests ask.
#[derive(Debug)]
pub(crate) struct Greeting {
    pub(crate) bridge: [u8; 8],
    pub(crate) board: String,
    pub(crate) firmware: String,
    pub(crate) can: u16,
    pub(crate) epoch: u32,
    pub(crate) is_adopted: bool,
    pub(crate) acknowledged: Place,
    pub(crate) waiting: u32,
}

/// A board with power, and the hub that it is plugged in to. The hub outlives the board's lives.
#[derive(Debug)]
pub(crate) struct Plugged {
    pub(crate) machine: Machine,
    pub(crate) hub: Hub,
    reader: Reader,
    /// Octets that came, and that nobody has read yet.
    came: VecDeque<u8>,
}

/// What the hub has got.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    pub(crate) records: BTreeMap<Place, Vec<u8>>,
    token: u16,
}

impl Plugged {
    pub(crate) fn start(flash: &Flash, hub: Hub) -> Plugged {
        Plugged::with_radio(flash, hub, None)
    }

    /// With a Bluetooth controller on this port, if it has one.
    pub(crate) fn with_radio(flash: &Flash, hub: Hub, controller: Option<u16>) -> Plugged {
        let machine = Machine::start(flash, controller);
        Plugged { machine, hub, reader: Reader::default(), came: VecDeque::new() }
    }

    /// The power is cut. The hub goes on.
    pub(crate) fn cut_power(mut self) -> Hub {
        self.machine.cut_power();
        self.hub
    }

    pub(crate) fn say(&mut self, frame: &ToBridge<'_>) {
        self.machine.talk.push(format!("hub: {frame:02X?}"));
        let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
        let octets = close(frame.encode(&mut content).unwrap(), &mut octets).unwrap();
        self.machine.to_board.write_all(octets).unwrap();
    }

    /// Waits for the frame of which there is something to say. What comes before it is noted, if it is a record, and passed over.
    #[track_caller]
    pub(crate) fn wait<T>(&mut self, what: &str, mut wanted: impl FnMut(&ToHub<'_>) -> Option<T>) -> T {
        loop {
            let Some(octet) = self.came.pop_front() else {
                let came = self.machine.from_board.recv_timeout(PATIENCE);
                self.came.extend(came.unwrap_or_else(|e| panic!("{what} did not come: {e}")));
                continue;
            };
            let Some(content) = self.reader.push(octet) else { continue };
            let content = match content {
                Ok(content) => content,
                Err(broken) => {
                    // A board that was started anew was in the middle of a frame.
                    self.machine.talk.push(format!("bridge: a frame that is broken: {broken}"));
                    continue;
                }
            };
            let frame = ToHub::decode(content).unwrap().value;
            self.machine.talk.push(format!("bridge: {frame:02X?}"));
            if let ToHub::Record { place, said, .. } = frame {
                let known = self.hub.records.entry(place).or_insert_with(|| said.to_vec());
                assert_eq!(known, said, "{place:?} is told otherwise than before");
            }
            if let Some(found) = wanted(&frame) {
                return found;
            }
        }
    }

    /// What the bridge says when it starts, or is greeted.
    #[track_caller]
    pub(crate) fn greeting(&mut self) -> Greeting {
        self.wait("a Hello", |frame| match frame {
            ToHub::Hello(hello) => Some(Greeting {
                bridge: hello.bridge.0,
                board: hello.board.into(),
                firmware: hello.firmware.to_string(),
                can: hello.can.0,
                epoch: hello.epoch,
                is_adopted: hello.is_adopted,
                acknowledged: hello.acknowledged,
                waiting: hello.waiting,
            }),
            _ => None,
        })
    }

    #[track_caller]
    pub(crate) fn greet(&mut self) -> Greeting {
        self.say(&ToBridge::Hello { protocol: PROTOCOL });
        self.greeting()
    }

    pub(crate) fn token(&mut self) -> u16 {
        self.hub.token += 1;
        self.hub.token
    }

    /// Says a request, and waits until it was carried out.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: impl FnOnce(u16) -> ToBridge<'static>) {
        let asked = self.token();
        self.say(&request(asked));
        let good = self.wait("an answer", |frame| match frame {
            ToHub::Done { token, outcome } if *token == asked => Some(*outcome == Outcome::Good),
            _ => None,
        });
        assert!(good);
    }

    /// The next record that is told, known or not.
    #[track_caller]
    pub(crate) fn record(&mut self) -> (Place, Place) {
        self.wait("a record", |frame| match frame {
            ToHub::Record { after, place, .. } => Some((*after, *place)),
            _ => None,
        })
    }

    /// Acknowledged, and the bridge has heard it.
    pub(crate) fn acknowledge(&mut self, up_to: Place) {
        self.say(&ToBridge::Acknowledge { up_to });
        self.time();
    }

    /// The bridge's clock.
    #[track_caller]
    pub(crate) fn time(&mut self) -> Ticks {
        let asked = self.token();
        self.say(&ToBridge::AskTime { token: asked });
        self.wait("the time", |frame| match frame {
            ToHub::Time { token, now, .. } if *token == asked => Some(*now),
            _ => None,
        })
    }

    /// The bridge tells nothing that the hub does not acknowledge.
    #[track_caller]
    pub(crate) fn is_told_nothing(&mut self) {
        let before = self.hub.records.clone();
        self.hub.records.clear();
        self.greet();
        // It tells what there is after it has answered what came: the second answer comes after that.
        self.time();
        self.time();
        assert_eq!(self.hub.records, BTreeMap::new());
        self.hub.records = before;
    }

    /// A board without a controller misses it after a while.
    #[track_caller]
    pub(crate) fn log(&mut self) -> String {
        self.wait("a word for a technician", |frame| match frame {
            ToHub::Log { text: "no Bluetooth controller answers", .. } => None,
            ToHub::Log { text, .. } => Some((*text).to_owned()),
            _ => None,
        })
    }
}
