//! Handles and their characteristics, and the talk of one client with one server.

use super::att::{CHARACTERISTIC, PRIMARY_SERVICE, Uuid, opcode, u16_at};
use super::event::How;
use super::l2cap::{Pdu, Segment};
use super::mark::{Marks, What};
use std::collections::BTreeMap;

/// So many attributes of one server are remembered.
const ATTRIBUTES: usize = 2_048;
/// No attribute value is longer (Core, Volume 3, Part F, 3.2.9).
const LONGEST_VALUE: usize = 512;

/// What one server's attributes are, as far as the log tells. Lives longer than a connection, as a client's cache does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Table {
    attributes: BTreeMap<u16, Uuid>,
    /// When it was last looked into, for whoever must forget one.
    pub(super) used: u64,
}

impl Table {
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.attributes.len()
    }

    pub(super) fn learn(&mut self, handle: u16, uuid: Uuid) {
        if self.attributes.len() < ATTRIBUTES || self.attributes.contains_key(&handle) {
            self.attributes.insert(handle, uuid);
        }
    }

    fn uuid(&self, handle: u16, named: &BTreeMap<u16, u16>) -> Option<Uuid> {
        self.attributes
            .get(&handle)
            .copied()
            .or_else(|| named.get(&handle).map(|short| Uuid::Assigned(*short)))
    }
}

/// One client's talk with one server. A client asks one thing at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Dialog {
    /// The peer is the server; else the log's own host is.
    peer_serves: bool,
    mtu: u16,
    asked: Option<Asked>,
    /// A value of which more may be read.
    long: Option<Long>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Asked {
    Mtu(u16),
    Groups(Option<Uuid>),
    Types(Option<Uuid>, i64),
    Read(u16, i64),
    Blob(u16),
    Other,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Long {
    handle: u16,
    octets: Vec<u8>,
    /// Where they stand in the log.
    places: Vec<Segment>,
    went_on: bool,
    asked: i64,
}

/// What a PDU told of the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Said {
    Service(u16),
    Value { handle: u16, uuid: Option<Uuid>, octets: Vec<u8>, how: How, asked: Option<i64> },
}

impl Dialog {
    pub(super) fn new(peer_serves: bool) -> Dialog {
        Dialog { peer_serves, mtu: 23, asked: None, long: None }
    }

    /// Takes a PDU of this dialog. `named`: what the user says that the peer's handles are. `None`: it ends too
    /// early, or makes no sense.
    pub(super) fn take(
        &mut self,
        pdu: &Pdu,
        at: i64,
        table: &mut Table,
        named: &BTreeMap<u16, u16>,
        marks: &mut Marks,
    ) -> (Vec<Said>, Option<()>) {
        let mut said = vec![];
        let mut talk = Talk { pdu, at, table, named, marks, said: &mut said };
        let sense = self.read(&mut talk);
        (said, sense)
    }

    /// No more is to come: what was read of a long value is all of it.
    pub(super) fn end(
        &mut self,
        table: &Table,
        named: &BTreeMap<u16, u16>,
        marks: &mut Marks,
    ) -> Option<Said> {
        let Long { handle, octets, places, went_on, asked } = self.long.take()?;
        let uuid = table.uuid(handle, if self.peer_serves { named } else { &NOBODY });
        if let (Some(Uuid::Assigned(short)), true) = (uuid, went_on) {
            marks.pieces(&octets, places, What::Value(short));
        }
        Some(Said::Value { handle, uuid, octets, how: How::Read, asked: Some(asked) })
    }

    /// The record that holds the first octets of a value of which more may be read.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.long.as_ref()?.places.first().map(|place| place.record)
    }

    fn read(&mut self, talk: &mut Talk<'_>) -> Option<()> {
        let octets = talk.pdu.payload();
        let (&code, rest) = octets.split_first()?;
        let named = if self.peer_serves { talk.named } else { &NOBODY };
        let goes_on = code == opcode::BLOB_REQUEST
            && self.long.as_ref().is_some_and(|long| {
                u16_at(rest, 0) == Some(long.handle)
                    && u16_at(rest, 2).map(usize::from) == Some(long.octets.len())
            });
        let answers = matches!(self.asked, Some(Asked::Blob(_)))
            && matches!(code, opcode::BLOB_RESPONSE | opcode::ERROR);
        let aside = matches!(
            code,
            opcode::NOTIFICATION | opcode::INDICATION | opcode::CONFIRMATION | opcode::SEVERAL_NOTIFICATIONS
        );
        if !goes_on && !answers && !aside {
            talk.said.extend(self.end(talk.table, named, talk.marks));
        }
        let whole = octets.len();
        match code {
            opcode::ERROR => {
                talk.plain(0, 5);
                let blob = matches!(self.asked.take(), Some(Asked::Blob(_)));
                if blob {
                    talk.said.extend(self.end(talk.table, named, talk.marks));
                }
            }
            opcode::MTU_REQUEST => {
                talk.plain(0, 3);
                self.asked = Some(Asked::Mtu(u16_at(rest, 0)?));
            }
            opcode::MTU_RESPONSE => {
                talk.plain(0, 3);
                let server = u16_at(rest, 0)?;
                if let Some(Asked::Mtu(client)) = self.asked.take() {
                    self.mtu = client.min(server).max(23);
                }
            }
            opcode::FIND_REQUEST => {
                talk.plain(0, 5);
                self.asked = Some(Asked::Other);
            }
            opcode::FIND_RESPONSE => {
                self.asked = None;
                let size = match rest.first()? {
                    1 => 4,
                    2 => 18,
                    _ => return None,
                };
                talk.plain(0, whole);
                for pair in rest.get(1..)?.chunks_exact(size) {
                    talk.table.learn(u16_at(pair, 0)?, Uuid::read(pair.get(2..)?)?);
                }
            }
            opcode::FIND_VALUE_REQUEST => {
                talk.plain(0, 7);
                let kind = u16_at(rest, 4)?;
                // The value that is looked for: a service's number.
                if Uuid::Assigned(kind) == PRIMARY_SERVICE {
                    talk.plain(7, whole);
                }
                self.asked = Some(Asked::Other);
            }
            opcode::FIND_VALUE_RESPONSE => {
                self.asked = None;
                talk.plain(0, whole);
            }
            opcode::READ_TYPE_REQUEST | opcode::READ_GROUP_REQUEST => {
                talk.plain(0, whole);
                let uuid = rest.get(4..).and_then(Uuid::read);
                let groups = code == opcode::READ_GROUP_REQUEST;
                self.asked = Some(if groups { Asked::Groups(uuid) } else { Asked::Types(uuid, talk.at) });
            }
            opcode::READ_GROUP_RESPONSE => {
                let Some(Asked::Groups(Some(asked))) = self.asked.take() else { return Some(()) };
                let size = usize::from(*rest.first()?);
                if size < 6 {
                    return None;
                }
                talk.plain(0, 2);
                // Primary and secondary services are groups by the standard: what they hold is a service's number.
                if matches!(asked, Uuid::Assigned(0x2800 | 0x2801)) {
                    talk.plain(0, whole);
                }
                for group in rest.get(1..)?.chunks_exact(size) {
                    if let (PRIMARY_SERVICE, Some(Uuid::Assigned(service))) =
                        (asked, Uuid::read(group.get(4..)?))
                    {
                        talk.said.push(Said::Service(service));
                    }
                }
            }
            opcode::READ_TYPE_RESPONSE => {
                let Some(Asked::Types(Some(asked), since)) = self.asked.take() else { return Some(()) };
                let size = usize::from(*rest.first()?);
                if size < 2 {
                    return None;
                }
                talk.plain(0, 2);
                for (nth, pair) in rest.get(1..)?.chunks_exact(size).enumerate() {
                    let from = 2 + nth * size;
                    let (handle, value) = (u16_at(pair, 0)?, pair.get(2..)?);
                    talk.plain(from, 2);
                    if asked == CHARACTERISTIC {
                        // Properties, the value's handle, its type.
                        talk.plain(from + 2, value.len());
                        talk.table.learn(u16_at(value, 1)?, Uuid::read(value.get(3..)?)?);
                    } else {
                        talk.table.learn(handle, asked);
                        talk.value(handle, Some(asked), from + 2, value.len(), How::Read, Some(since));
                    }
                }
            }
            opcode::READ_REQUEST => {
                talk.plain(0, 3);
                self.asked = Some(Asked::Read(u16_at(rest, 0)?, talk.at));
            }
            opcode::READ_RESPONSE => {
                let Some(Asked::Read(handle, since)) = self.asked.take() else { return Some(()) };
                let uuid = talk.table.uuid(handle, named);
                talk.plain(0, 1);
                talk.mark(uuid, 1, rest.len());
                // A value as long as a PDU may go on. Without its exchange in the log the longest PDU is not known.
                if rest.len() + 1 >= usize::from(self.mtu) {
                    let (octets, places) = (rest.to_vec(), talk.pdu.places(1, rest.len()));
                    self.long = Some(Long { handle, octets, places, went_on: false, asked: since });
                } else {
                    talk.tell(handle, uuid, rest, How::Read, Some(since));
                }
            }
            opcode::BLOB_REQUEST => {
                talk.plain(0, 5);
                self.asked = Some(Asked::Blob(u16_at(rest, 0)?));
            }
            opcode::BLOB_RESPONSE => {
                let Some(Asked::Blob(handle)) = self.asked.take() else { return Some(()) };
                talk.plain(0, 1);
                let more = rest.len() + 1 >= usize::from(self.mtu);
                let Some(long) = self.long.as_mut().filter(|long| long.handle == handle) else {
                    return Some(());
                };
                let room = LONGEST_VALUE.saturating_sub(long.octets.len());
                let rest = rest.get(..room.min(rest.len())).unwrap_or_default();
                long.octets.extend_from_slice(rest);
                long.places.extend(talk.pdu.places(1, rest.len()));
                long.went_on = true;
                if !more || long.octets.len() >= LONGEST_VALUE {
                    talk.said.extend(self.end(talk.table, named, talk.marks));
                }
            }
            opcode::WRITE_REQUEST | opcode::WRITE_COMMAND => {
                let handle = u16_at(rest, 0)?;
                talk.plain(0, 3);
                let uuid = talk.table.uuid(handle, named);
                talk.value(handle, uuid, 3, rest.len() - 2, How::Write, None);
                if code == opcode::WRITE_REQUEST {
                    self.asked = Some(Asked::Other);
                }
            }
            opcode::WRITE_RESPONSE => {
                self.asked = None;
                talk.plain(0, 1);
            }
            opcode::NOTIFICATION | opcode::INDICATION => {
                let handle = u16_at(rest, 0)?;
                talk.plain(0, 3);
                let uuid = talk.table.uuid(handle, named);
                let how = if code == opcode::INDICATION { How::Indication } else { How::Notification };
                talk.value(handle, uuid, 3, rest.len() - 2, how, None);
            }
            opcode::CONFIRMATION => talk.plain(0, 1),
            // Handle, length, value, again and again.
            opcode::SEVERAL_NOTIFICATIONS => {
                talk.plain(0, 1);
                let mut from = 1;
                while from < whole {
                    let (handle, length) = (u16_at(octets, from)?, usize::from(u16_at(octets, from + 2)?));
                    let uuid = talk.table.uuid(handle, named);
                    octets.get(from + 4..from + 4 + length)?;
                    talk.plain(from, 4);
                    talk.value(handle, uuid, from + 4, length, How::Notification, None);
                    from += 4 + length;
                }
            }
            _ => {
                talk.plain(0, 1);
                if super::att::by_client(code)? {
                    self.asked = Some(Asked::Other);
                }
            }
        }
        Some(())
    }
}

static NOBODY: BTreeMap<u16, u16> = BTreeMap::new();

/// One PDU, with what it is read by and where it is told to.
struct Talk<'a> {
    pdu: &'a Pdu,
    at: i64,
    table: &'a mut Table,
    named: &'a BTreeMap<u16, u16>,
    marks: &'a mut Marks,
    said: &'a mut Vec<Said>,
}

impl Talk<'_> {
    fn plain(&mut self, at: usize, length: usize) {
        self.marks.pdu(self.pdu, at, length, What::Plain);
    }

    fn mark(&mut self, uuid: Option<Uuid>, at: usize, length: usize) {
        if let Some(Uuid::Assigned(short)) = uuid {
            self.marks.pdu(self.pdu, at, length, What::Value(short));
        }
    }

    fn tell(&mut self, handle: u16, uuid: Option<Uuid>, octets: &[u8], how: How, asked: Option<i64>) {
        self.said.push(Said::Value { handle, uuid, octets: octets.to_vec(), how, asked });
    }

    fn value(
        &mut self,
        handle: u16,
        uuid: Option<Uuid>,
        at: usize,
        length: usize,
        how: How,
        asked: Option<i64>,
    ) {
        self.mark(uuid, at, length);
        let octets = self.pdu.payload().get(at..at + length).unwrap_or_default().to_vec();
        self.tell(handle, uuid, &octets, how, asked);
    }
}
