//! A hub, as far as a bridge knows of it, and the cable between them.

use crate::nor::Dice;
use firmware::bridge::Line;
use hearth_wire::frame::line::{LONGEST, LONGEST_ON_THE_LINE, Reader, close};
use hearth_wire::frame::{Hello, Outcome, Place, ToBridge, ToHub};
use std::collections::VecDeque;

/// The token of every adoption.
pub(crate) const ADOPTION: u16 = 1;

/// One way of the cable.
#[derive(Debug, Default)]
pub(crate) struct Way(pub(crate) VecDeque<u8>);

impl Line for Way {
    fn room(&self) -> usize {
        4_096_usize.saturating_sub(self.0.len())
    }

    fn put(&mut self, octets: &[u8]) {
        self.0.extend(octets);
    }
}

impl Way {
    /// What arrives of it: all, or what a bad line makes of it.
    pub(crate) fn carry(&mut self, dice: &mut Dice, bad: bool) -> Vec<u8> {
        let octets: Vec<u8> = self.0.drain(..).collect();
        let once_in = if bad { 300 } else { usize::MAX };
        let mut came = vec![];
        for octet in octets {
            match dice.below(once_in) {
                0 => {}
                1 => came.push(octet ^ 1 << dice.below(8)),
                2 => came.extend([octet, dice.next() as u8]),
                _ => came.push(octet),
            }
        }
        came
    }
}

/// What a hub's store has, which outlives the hub.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) last: Place,
    pub(crate) records: Vec<Vec<u8>>,
    pub(crate) first_epoch: u32,
}

/// A hub as this bridge's design has it: it commits, then acknowledges.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    reader: Reader,
    pub(crate) hello: Option<(u32, u32)>,
    pub(crate) done: Vec<(u16, bool)>,
    pub(crate) logs: usize,
}

impl Hub {
    pub(crate) fn say(frame: &ToBridge<'_>, way: &mut Way) {
        let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
        way.put(close(frame.encode(&mut content).unwrap(), &mut octets).unwrap());
    }

    pub(crate) fn received(&mut self, octets: &[u8], store: &mut Store, way: &mut Way) {
        for octet in octets {
            let Some(Ok(content)) = self.reader.push(*octet) else { continue };
            let content = content.to_vec();
            match ToHub::decode(&content).unwrap().value {
                ToHub::Hello(Hello { epoch: 0, is_adopted: false, .. }) => {
                    store.first_epoch += 1_000;
                    Hub::say(&ToBridge::Adopt { token: ADOPTION, epoch: store.first_epoch }, way);
                }
                ToHub::Hello(Hello { epoch, acknowledged, waiting, .. }) => {
                    // What was acknowledged before is gone, whoever did it.
                    store.last = store.last.max(acknowledged);
                    Hub::say(&ToBridge::Acknowledge { up_to: store.last }, way);
                    self.hello = Some((epoch, waiting));
                }
                ToHub::Record { after, place, said } => {
                    if after <= store.last && place > store.last {
                        store.records.push(said.to_vec());
                        store.last = place;
                    }
                    Hub::say(&ToBridge::Acknowledge { up_to: store.last }, way);
                }
                ToHub::Done { token, outcome } => self.done.push((token, outcome == Outcome::Good)),
                ToHub::Log { .. } => self.logs += 1,
                ToHub::Time { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
