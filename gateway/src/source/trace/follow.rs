//! Follows the connections of a log: records in, events out. Memory is bounded, whatever the log says.

use super::air::{self, Carries, Heard};
use super::att;
use super::connection::{Channel, Connection, Server};
use super::event::{Contact, Event, Gone, How, Seen, Value};
use super::gatt::{Said, Table};
use super::hci::{self, Kind, Told};
use super::l2cap::{self, Pdu, Step};
use super::mark::{Marks, What};
use super::record::{Layer, Record};
use super::summary::{Loss, Summary};
use super::{Options, event};
use hearth_core::capture::Link;
use hearth_core::identity::Address;
use std::collections::BTreeMap;

/// So many connections are open at once; the one that was silent longest gives way.
const CONNECTIONS: usize = 128;
/// Of so many servers the attributes are remembered.
const SERVERS: usize = 64;

#[derive(Debug)]
pub(super) struct Follower {
    layer: Layer,
    options: Options,
    connections: BTreeMap<Channel, Connection>,
    tables: BTreeMap<Server, Table>,
    contacts: u64,
    pub(super) summary: Summary,
    pub(super) marks: Marks,
    halves: hci::Halves,
    seen: Vec<Seen>,
    /// Time of the latest record.
    now: i64,
}

impl Follower {
    pub(super) fn new(layer: Layer, options: Options) -> Follower {
        Follower {
            summary: Summary::new(&options.handles),
            layer,
            options,
            connections: BTreeMap::new(),
            tables: BTreeMap::new(),
            contacts: 0,
            marks: Marks::default(),
            halves: hci::Halves::new(),
            seen: vec![],
            now: 0,
        }
    }

    /// What a record tells, in order.
    pub(super) fn take(&mut self, record: &Record) -> Vec<Seen> {
        self.now = record.at;
        self.summary.records += 1;
        if record.left_out > 0 {
            self.summary.lose(Loss::Shortened, record.place);
        }
        let made_sense = match self.layer {
            Layer::Air | Layer::AirRadio => self.air(record),
            _ => self.hci(record),
        };
        if made_sense.is_none() && record.left_out == 0 {
            self.summary.lose(Loss::Malformed, record.place);
        }
        std::mem::take(&mut self.seen)
    }

    /// The log is over: who is still connected is lost from sight.
    pub(super) fn end(&mut self, record: &Record) -> Vec<Seen> {
        while let Some((&channel, _)) = self.connections.iter().next() {
            self.close(channel, Gone::Lost, record);
        }
        std::mem::take(&mut self.seen)
    }

    /// The oldest record of which something is still under way.
    pub(super) fn oldest(&self) -> Option<u64> {
        let under_way =
            |c: &Connection| [c.sent.oldest(), c.received.oldest(), c.peer.oldest(), c.host.oldest()];
        self.connections.values().flat_map(under_way).flatten().min()
    }

    /// Octets and entries that are held, for the test that there is an end to them.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        let open = self.connections.values().map(|c| c.sent.held() + c.received.held()).sum::<usize>();
        let known = self.tables.values().map(|table| table.len()).sum::<usize>();
        open + known
            + self.tables.len()
            + self.connections.len()
            + self.summary.unattributed.len()
            + self.summary.own.len()
    }

    fn tell(&mut self, record: &Record, event: Event) {
        self.seen.push(Seen { place: record.place, at: record.at, event });
    }

    fn hci(&mut self, record: &Record) -> Option<()> {
        let packet = hci::packet(self.layer, record)?;
        // What stands before a packet in its record: direction, adapter, op code, packet type.
        match packet.kind {
            Kind::Command => hci::command(record, packet.at, &mut self.marks),
            Kind::Event => {
                let told = hci::event(record, packet.at, &mut self.halves, &mut self.marks)?;
                self.told(told, packet.adapter, record);
                Some(())
            }
            Kind::Acl { sent } => self.acl(packet, sent, record),
            Kind::Other(what) => {
                *self.summary.passed_by.entry(what).or_default() += 1;
                Some(())
            }
        }
    }

    fn told(&mut self, told: Told, adapter: u16, record: &Record) {
        match told {
            Told::Connected { handle, peer } => {
                let channel = Channel::Handle(adapter, handle);
                self.close(channel, Gone::Lost, record);
                self.open(channel, u32::from(handle), Some(peer), record);
            }
            Told::Disconnected { handle, gone } => self.close(Channel::Handle(adapter, handle), gone, record),
            Told::Encrypted { handle, on } => {
                if let Some(connection) = self.connections.get_mut(&Channel::Handle(adapter, handle)) {
                    connection.encrypted = on;
                }
            }
            Told::Advertised(all) => {
                for advertisement in all {
                    self.tell(record, Event::Advertisement(advertisement));
                }
            }
            Told::Nothing => {}
        }
    }

    fn acl(&mut self, packet: hci::Packet, sent: Option<bool>, record: &Record) -> Option<()> {
        let acl = hci::acl(record, packet.at)?;
        self.marks.record(record, 0, acl.at, What::Plain);
        let channel = Channel::Handle(packet.adapter, acl.handle);
        if !self.connections.contains_key(&channel) {
            self.open(channel, u32::from(acl.handle), None, record);
        }
        let octets = record.octets.get(acl.at..acl.at + acl.length)?;
        self.fragment(channel, sent.or(acl.sent), acl.first, record, acl.at, octets);
        Some(())
    }

    fn air(&mut self, record: &Record) -> Option<()> {
        match air::heard(self.layer, record, &mut self.marks)? {
            Heard::Advertised(advertisement) => self.tell(record, Event::Advertisement(advertisement)),
            Heard::Connected { access, peer } => {
                // Who connects again has lost the connection before.
                let again: Vec<Channel> = self
                    .connections
                    .iter()
                    .filter(|(channel, c)| {
                        **channel == Channel::Access(access)
                            || c.contact.peer.is_some_and(|p| p.octets == peer.octets)
                    })
                    .map(|(channel, _)| *channel)
                    .collect();
                for channel in again {
                    self.close(channel, Gone::Lost, record);
                }
                self.open(Channel::Access(access), access, Some(peer), record);
            }
            Heard::Data(data) => return self.data(data, record),
            Heard::Garbled => self.summary.lose(Loss::Garbled, record.place),
            Heard::Nothing => {}
        }
        Some(())
    }

    fn data(&mut self, data: air::Data, record: &Record) -> Option<()> {
        let octets = record.octets.get(data.at..data.at + data.length)?;
        if octets.is_empty() {
            return Some(());
        }
        let channel = Channel::Access(data.access);
        let Some(connection) = self.connections.get_mut(&channel) else {
            self.summary.lose(Loss::BeganEarlier, record.place);
            return Some(());
        };
        let last = &mut connection.last[usize::from(data.sent == Some(true))];
        if last.as_ref().is_some_and(|(sequence, before)| *sequence == data.sequence && before == octets) {
            // Whoever writes the log again leaves it out: half of it would be no longer the same.
            self.marks.found.clear();
            return Some(());
        }
        *last = Some((data.sequence, octets.to_vec()));
        if data.decrypted {
            connection.encrypted = true;
        } else if connection.sealed {
            self.summary.lose(Loss::Encrypted, record.place);
            return Some(());
        }
        match data.carries {
            Carries::Control => {
                self.control(channel, data, octets, record);
            }
            Carries::First | Carries::Continuation => {
                let first = data.carries == Carries::First;
                self.fragment(channel, data.sent, first, record, data.at, octets);
            }
            Carries::Reserved => return None,
        }
        Some(())
    }

    /// Link-layer control: Core, Volume 6, Part B, 2.4.2.
    fn control(&mut self, channel: Channel, data: air::Data, octets: &[u8], record: &Record) {
        match octets {
            // LL_TERMINATE_IND
            [0x02, ..] => {
                self.marks.record(record, data.at, 2, What::Plain);
                let gone = match data.sent {
                    Some(true) => Gone::ByHost,
                    Some(false) => Gone::ByDevice,
                    None => Gone::Lost,
                };
                self.close(channel, gone, record);
            }
            // LL_START_ENC_REQ: the last that can be read without the key.
            [0x05, ..] => {
                self.marks.record(record, data.at, 1, What::Plain);
                if let Some(connection) = self.connections.get_mut(&channel) {
                    connection.sealed = true;
                }
            }
            // Data and feature exchanges, channel map, parameters; LL_ENC_REQ and _RSP carry parts of keys.
            [0x00 | 0x01 | 0x07 | 0x08 | 0x09 | 0x0C | 0x0F | 0x10 | 0x14..=0x18, ..] => {
                self.marks.record(record, data.at, octets.len(), What::Plain);
            }
            [_, ..] => self.marks.record(record, data.at, 1, What::Plain),
            [] => {}
        }
    }

    fn open(&mut self, channel: Channel, number: u32, peer: Option<Address>, record: &Record) {
        if self.connections.len() >= CONNECTIONS
            && let Some(oldest) = self.connections.iter().min_by_key(|(_, c)| c.used).map(|(at, _)| *at)
        {
            self.close(oldest, Gone::Lost, record);
        }
        self.contacts += 1;
        let contact = Contact { number: self.contacts, peer, channel: number };
        let connection = Connection::new(contact, self.summary.records);
        self.connections.insert(channel, connection);
        // Without an address nobody knows yet that it speaks of attributes at all.
        if peer.is_some() {
            self.tell(record, Event::Connected(contact));
        }
    }

    fn close(&mut self, channel: Channel, gone: Gone, record: &Record) {
        let Some(mut connection) = self.connections.remove(&channel) else { return };
        if connection.sent.is_under_way() || connection.received.is_under_way() {
            self.summary.lose(Loss::Unfinished, record.place);
        }
        let table = self.tables.get(&connection.server);
        self.marks.whose = Some(connection.contact);
        let marks = &mut self.marks;
        let left = table.and_then(|table| connection.peer.end(table, &self.options.handles, marks));
        if let Some(host) = self.tables.get(&Server::Host) {
            connection.host.end(host, &self.options.handles, &mut self.marks);
        }
        self.marks.whose = None;
        if let Some(said) = left {
            self.said(said, &connection, record);
        }
        self.tell(record, Event::Disconnected { contact: connection.contact, gone });
    }

    fn fragment(
        &mut self,
        channel: Channel,
        sent: Option<bool>,
        first: bool,
        record: &Record,
        at: usize,
        octets: &[u8],
    ) {
        let Some(connection) = self.connections.get_mut(&channel) else { return };
        connection.used = self.summary.records;
        // A continuation of which nobody tells who sent it goes on with what is under way.
        let ours = sent.unwrap_or(connection.sent.is_under_way() && !first);
        let assembly = if ours { &mut connection.sent } else { &mut connection.received };
        let (step, lost) = match first {
            true => assembly.start(record.place.record, at, octets),
            false => (assembly.go_on(record.place.record, at, octets), false),
        };
        if lost {
            self.summary.lose(Loss::Unfinished, record.place);
        }
        match step {
            Step::Waiting => {}
            Step::Broken => self.summary.lose(Loss::Astray, record.place),
            Step::Whole(pdu) => self.pdu(channel, sent, &pdu, record),
        }
    }

    fn pdu(&mut self, channel: Channel, sent: Option<bool>, pdu: &Pdu, record: &Record) {
        self.marks.pdu_header(pdu);
        match pdu.channel {
            l2cap::ATT => {
                let sense = self.attribute(channel, sent, pdu, record);
                if sense.is_none() {
                    self.summary.lose(Loss::Malformed, record.place);
                }
            }
            // Connection Parameter Update Request and Response
            l2cap::SIGNALLING if matches!(pdu.payload().first(), Some(0x12 | 0x13)) => {
                self.marks.pdu(pdu, 0, pdu.payload().len(), What::Plain);
            }
            l2cap::SECURITY => self.security(channel, sent, pdu, record),
            _ => {}
        }
    }

    /// The security manager: Core, Volume 3, Part H, 3.5 and 3.6. Keys pass by; the address that stays is told.
    fn security(&mut self, channel: Channel, sent: Option<bool>, pdu: &Pdu, record: &Record) {
        let octets = pdu.payload();
        match octets {
            // Pairing Request, Response, Failed; Security Request
            [0x01 | 0x02, ..] => self.marks.pdu(pdu, 0, 7, What::Plain),
            [0x05 | 0x0B, ..] => self.marks.pdu(pdu, 0, 2, What::Plain),
            // Identity Address Information
            [0x09, kind, address @ ..] => {
                let random = kind & 1 == 1;
                self.marks.pdu(pdu, 0, 2, What::Plain);
                self.marks.pdu(pdu, 2, 6, What::Address { random });
                let Some(&sent_address) = address.first_chunk::<6>() else { return };
                let address = event::address(sent_address, random, true);
                if let (Some(connection), Some(false)) = (self.connections.get(&channel), sent) {
                    let contact = connection.contact;
                    self.tell(record, Event::Identity { contact, address });
                }
            }
            [_, ..] => self.marks.pdu(pdu, 0, 1, What::Plain),
            [] => {}
        }
    }

    fn attribute(&mut self, channel: Channel, sent: Option<bool>, pdu: &Pdu, record: &Record) -> Option<()> {
        let by_client = att::by_client(*pdu.payload().first()?)?;
        // What the host asks, and what the device answers, is about the device's attributes.
        let peer_serves = sent.is_none_or(|sent| sent == by_client);
        let mut connection = self.connections.remove(&channel)?;
        let server = if peer_serves { connection.server } else { Server::Host };
        if self.tables.len() >= SERVERS && !self.tables.contains_key(&server) {
            let oldest = self.tables.iter().min_by_key(|(_, table)| table.used).map(|(at, _)| *at);
            oldest.and_then(|oldest| self.tables.remove(&oldest));
        }
        let table = self.tables.entry(server).or_default();
        table.used = self.summary.records;
        let dialog = if peer_serves { &mut connection.peer } else { &mut connection.host };
        self.marks.whose = Some(connection.contact);
        let (all, sense) = dialog.take(pdu, record.at, table, &self.options.handles, &mut self.marks);
        self.marks.whose = None;
        for said in all.into_iter().filter(|_| peer_serves) {
            self.said(said, &connection, record);
        }
        self.connections.insert(channel, connection);
        sense
    }

    fn said(&mut self, said: Said, connection: &Connection, record: &Record) {
        let contact = connection.contact;
        if let Said::Value { handle, uuid: Some(uuid), .. } = said {
            self.summary.value(handle, uuid);
        }
        match said {
            Said::Service(service) => self.tell(record, Event::Service { contact, service }),
            Said::Value { uuid: Some(att::Uuid::Assigned(characteristic)), octets, how, asked, .. } => {
                let link = if connection.encrypted { Link::Bonded } else { Link::Open };
                let value = Value { contact, characteristic, octets, link, how, asked };
                self.tell(record, Event::Value(value));
            }
            // What the host wrote is its own; what the device said must not be lost unseen.
            Said::Value { how: How::Write, .. } => {}
            Said::Value { uuid: Some(att::Uuid::Own(uuid)), octets, .. } => {
                self.summary.own(contact, uuid, octets.len());
            }
            Said::Value { uuid: None, handle, octets, .. } => {
                self.summary.unattributed(contact, handle, octets.len());
            }
        }
    }
}
