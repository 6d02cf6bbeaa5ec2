//! Fragments become L2CAP PDUs. Core, Volume 3, Part A, 7.2: length u16, channel u16, payload.
//!
//! A PDU remembers which octets of which record it came from, so that whoever writes the log again finds them.

/// Attribute protocol, LE signalling, security manager: the fixed channels of LE.
pub(super) const ATT: u16 = 4;
pub(super) const SIGNALLING: u16 = 5;
pub(super) const SECURITY: u16 = 6;

/// An attribute value has at most 512 octets and an ATT PDU little more; whoever says more is not believed.
const LONGEST: usize = 4 * 1024;
const HEADER: usize = 4;

/// Octets of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Segment {
    pub(super) record: u64,
    pub(super) at: usize,
    pub(super) length: usize,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Pdu {
    pub(super) channel: u16,
    /// With the header.
    octets: Vec<u8>,
    segments: Vec<Segment>,
}

impl Pdu {
    pub(super) fn payload(&self) -> &[u8] {
        self.octets.get(HEADER..).unwrap_or_default()
    }

    /// Where octets of the payload stand in the log.
    pub(super) fn places(&self, from: usize, length: usize) -> Vec<Segment> {
        self.places_from(from.saturating_add(HEADER), length)
    }

    pub(super) fn header_places(&self) -> Vec<Segment> {
        self.places_from(0, HEADER)
    }

    pub(super) fn header(&self) -> &[u8] {
        self.octets.get(..HEADER).unwrap_or_default()
    }

    fn places_from(&self, mut from: usize, mut length: usize) -> Vec<Segment> {
        let mut found = vec![];
        for segment in &self.segments {
            if from >= segment.length {
                from -= segment.length;
                continue;
            }
            let here = (segment.length - from).min(length);
            if here == 0 {
                break;
            }
            found.push(Segment { record: segment.record, at: segment.at + from, length: here });
            length -= here;
            from = 0;
        }
        found
    }
}

/// One direction of one connection: at most one PDU is under way.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Assembly {
    octets: Vec<u8>,
    segments: Vec<Segment>,
    /// Of a PDU that nobody here reads: so many octets of it are to come.
    passing: usize,
    under_way: bool,
}

/// What became of a fragment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// More is to come, or nobody here reads it.
    Waiting,
    Whole(Pdu),
    /// It belongs to nothing, or the PDU is not one.
    Broken,
}

impl Assembly {
    /// The record that holds the first octets of what is under way.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.segments.first().map(|s| s.record)
    }

    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.octets.len() + self.segments.len()
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way
    }

    /// The first fragment of a PDU. What was under way never became whole: `true` beside the step.
    pub(super) fn start(&mut self, record: u64, at: usize, octets: &[u8]) -> (Step, bool) {
        let lost = self.under_way;
        *self = Assembly { under_way: true, ..Assembly::default() };
        (self.add(record, at, octets), lost)
    }

    pub(super) fn go_on(&mut self, record: u64, at: usize, octets: &[u8]) -> Step {
        if !self.under_way {
            return Step::Broken;
        }
        self.add(record, at, octets)
    }

    fn add(&mut self, record: u64, at: usize, octets: &[u8]) -> Step {
        if self.passing > 0 {
            self.passing = self.passing.saturating_sub(octets.len());
            self.under_way = self.passing > 0;
            return Step::Waiting;
        }
        self.octets.extend_from_slice(octets);
        self.segments.push(Segment { record, at, length: octets.len() });
        let Some(&[l0, l1, c0, c1]) = self.octets.first_chunk::<HEADER>() else { return Step::Waiting };
        let length = usize::from(u16::from_le_bytes([l0, l1]));
        let channel = u16::from_le_bytes([c0, c1]);
        let whole = HEADER + length;
        let ours = [ATT, SIGNALLING, SECURITY].contains(&channel);
        if !ours {
            self.passing = whole.saturating_sub(self.octets.len());
            self.under_way = self.passing > 0;
            (self.octets, self.segments) = (vec![], vec![]);
            return Step::Waiting;
        }
        if length > LONGEST {
            *self = Assembly::default();
            return Step::Broken;
        }
        if self.octets.len() < whole {
            return Step::Waiting;
        }
        // What stands after the PDU is not of it: the MIC of a packet that a sniffer decrypted.
        let mut octets = std::mem::take(&mut self.octets);
        octets.truncate(whole);
        let segments = std::mem::take(&mut self.segments);
        self.under_way = false;
        Step::Whole(Pdu { channel, octets, segments })
    }
}
