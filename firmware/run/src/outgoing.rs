//! What waits to be written to the hub.

use firmware::bridge::Line;
use hearth_wire::frame::line::LONGEST_ON_THE_LINE;

/// A record that goes out, and the next one.
const ROOM: usize = 2 * LONGEST_ON_THE_LINE;

pub(crate) struct Outgoing {
    octets: [u8; ROOM],
    /// What waits is from here to there.
    from: usize,
    to: usize,
}

impl Outgoing {
    pub(crate) fn new() -> Outgoing {
        Outgoing { octets: [0; ROOM], from: 0, to: 0 }
    }

    pub(crate) fn waiting(&self) -> &[u8] {
        &self.octets[self.from..self.to]
    }

    /// So many of those that waited are on their way.
    pub(crate) fn went(&mut self, many: usize) {
        self.from = (self.from + many).min(self.to);
    }

    pub(crate) fn clear(&mut self) {
        (self.from, self.to) = (0, 0);
    }
}

impl Line for Outgoing {
    fn room(&self) -> usize {
        ROOM - self.waiting().len()
    }

    fn put(&mut self, octets: &[u8]) {
        if self.to + octets.len() > ROOM {
            self.octets.copy_within(self.from..self.to, 0);
            (self.from, self.to) = (0, self.to - self.from);
        }
        self.octets[self.to..self.to + octets.len()].copy_from_slice(octets);
        self.to += octets.len();
    }
}
