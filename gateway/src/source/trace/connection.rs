//! One connection, while it lasts.

use super::event::Contact;
use super::gatt::Dialog;
use super::l2cap::Assembly;

/// What the log calls a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Channel {
    /// Adapter and connection handle.
    Handle(u16, u16),
    /// Access address.
    Access(u32),
}

/// Whose attributes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Server {
    Device([u8; 6]),
    /// Of a connection whose beginning is not in the log.
    Unknown(u64),
    /// The log's own host.
    Host,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) contact: Contact,
    pub(super) encrypted: bool,
    /// The sniffer can't read what comes now.
    pub(super) sealed: bool,
    /// From the host or the central; from the device.
    pub(super) sent: Assembly,
    pub(super) received: Assembly,
    /// The last PDU of each direction on the air, for what is sent again: sequence bit and octets.
    pub(super) last: [Option<(bool, Vec<u8>)>; 2],
    /// The peer serves; the host serves.
    pub(super) peer: Dialog,
    pub(super) host: Dialog,
    pub(super) server: Server,
    pub(super) used: u64,
}

impl Connection {
    /// `used`: the number of the record that told of it.
    pub(super) fn new(contact: Contact, used: u64) -> Connection {
        Connection {
            contact,
            encrypted: false,
            sealed: false,
            sent: Assembly::default(),
            received: Assembly::default(),
            last: [None, None],
            peer: Dialog::new(true),
            host: Dialog::new(false),
            server: contact.peer.map_or(Server::Unknown(contact.number), |peer| Server::Device(peer.octets)),
            used,
        }
    }
}
