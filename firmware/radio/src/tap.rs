//! Takes what devices tell out of the controller's octets before the host sees it, and what the host must not see.
//!
//! trouble-host 0.8 confirms each indication when it arrives (`host.rs`, `handle_acl`), before anybody could keep it, and drops what its
//! queues have no room for. Here notifications and indications are taken aside; the device is confirmed when its value is in flash.
//! When nobody takes them, reading stops: the controller keeps its buffers, and the link holds the device back.
//!
//! The host pairs with whoever asks for it, and some packets make it panic or hold its memory. So it does not get:
//!
//! - a device's word in pairing, unless a hub has asked for that; a Security Request never: who needs a safe link begins one itself;
//! - a device's own questions, which nobody here answers;
//! - ATT packets that are none.
//!
//! Layout: Bluetooth Core, Vol 4, Part E, 5.4.2 (ACL data) and 7.7 (events); Vol 3, Part A, 3.1 (L2CAP); Part F, 3.4 (ATT); Part H, 3 (SMP).

use bt_hci::ControllerToHostPacket;
use bt_hci::cmd::{self, AsyncCmd, SyncCmd};
use bt_hci::controller::{Controller, ControllerCmdAsync, ControllerCmdSync};
use bt_hci::data::{AclPacket, AclPacketBoundary, IsoPacket, SyncPacket};
use bt_hci::event::{EventKind, EventPacket};
use core::cell::{Cell, RefCell};
use core::fmt;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::channel::Channel;
use heapless::Vec;

/// The longest value that is taken: as long as an ATT packet may be, for which the host asks.
pub(crate) const LONGEST: usize = 128;
/// So many wait for whoever takes them.
const WAITING: usize = 4;

/// Between the tap and whoever takes values out of it.
pub(crate) struct Aside {
    values: Channel<NoopRawMutex, Value, WAITING>,
    /// How many links there were, and whether the last one is encrypted.
    links: Cell<u32>,
    is_encrypted: Cell<bool>,
    /// A hub has asked for a pairing.
    pairs: Cell<bool>,
}

impl Aside {
    pub(crate) fn new() -> Aside {
        Aside {
            values: Channel::new(),
            links: Cell::new(0),
            is_encrypted: Cell::new(false),
            pairs: Cell::new(false),
        }
    }

    /// The next value of this link, by its number.
    pub(crate) async fn value(&self, link: u32) -> Value {
        loop {
            let value = self.values.receive().await;
            if value.link == link {
                return value;
            }
        }
    }

    /// The same, if one has come.
    pub(crate) fn try_value(&self, link: u32) -> Option<Value> {
        core::iter::from_fn(|| self.values.try_receive().ok()).find(|value| value.link == link)
    }

    /// The number of the link that began last.
    pub(crate) fn link(&self) -> u32 {
        self.links.get()
    }

    /// Nobody takes what is there any more.
    pub(crate) fn clear(&self) {
        self.values.clear();
    }

    pub(crate) fn pairs(&self, pairs: bool) {
        self.pairs.set(pairs);
    }
}

/// A value, as a device told it.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    /// Which link's: no other has the number.
    link: u32,
    pub(crate) handle: u16,
    pub(crate) is_indicated: bool,
    /// The link was encrypted when it came. Else anybody may have said it.
    pub(crate) is_encrypted: bool,
    pub(crate) octets: Vec<u8, LONGEST>,
    /// It was longer than that: nobody knows the rest.
    pub(crate) is_cut: bool,
}

/// One whose fragments have not all come.
struct Part {
    value: Value,
    still: usize,
}

impl Part {
    fn add(&mut self, octets: &[u8]) {
        let fits = octets.len().min(LONGEST - self.value.octets.len());
        // There is room: so it was reckoned.
        _ = self.value.octets.extend_from_slice(&octets[..fits]);
        self.value.is_cut |= fits < octets.len();
        self.still = self.still.saturating_sub(octets.len());
    }
}

/// A controller, with what devices tell taken out.
pub(crate) struct Tap<'v, C> {
    controller: C,
    aside: &'v Aside,
    /// Of the packet that is coming, over the one link that there is.
    coming: RefCell<Coming>,
}

/// Whose what goes on is.
enum Coming {
    Hosts,
    Nobodys,
    Value(Part),
}

impl<C> fmt::Debug for Tap<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

/// What a packet was.
enum Was {
    Hosts,
    /// Nobody gets it, or not yet.
    Taken,
    Complete(Value),
}

const ATT: [u8; 2] = 4_u16.to_le_bytes();
const EXCHANGE_MTU: u8 = 0x02;
const NOTIFICATION: u8 = 0x1B;
const INDICATION: u8 = 0x1D;
const CONFIRMATION: u8 = 0x1E;
const SMP: [u8; 2] = 6_u16.to_le_bytes();
const SECURITY_REQUEST: u8 = 0x0B;
/// Of the events of LE: a link stands.
const CONNECTED: [u8; 2] = [0x01, 0x0A];

impl<'v, C> Tap<'v, C> {
    pub(crate) fn new(controller: C, aside: &'v Aside) -> Self {
        Tap { controller, aside, coming: RefCell::new(Coming::Hosts) }
    }

    fn take(&self, packet: &AclPacket<'_>) -> Was {
        let octets = packet.data();
        let mut coming = self.coming.borrow_mut();
        if packet.boundary_flag() == AclPacketBoundary::Continuing {
            return match &mut *coming {
                Coming::Hosts => Was::Hosts,
                Coming::Nobodys => Was::Taken,
                Coming::Value(part) => {
                    part.add(octets);
                    coming.taken()
                }
            };
        }
        // A new packet begins: the one before never ended.
        *coming = self.begins(octets);
        coming.taken()
    }

    fn begins(&self, octets: &[u8]) -> Coming {
        let [low, high, a, b, rest @ ..] = octets else { return Coming::Nobodys };
        match ([*a, *b], rest) {
            (ATT, [kind @ (NOTIFICATION | INDICATION), handle_low, handle_high, rest @ ..]) => {
                let value = Value {
                    link: self.aside.link(),
                    handle: u16::from_le_bytes([*handle_low, *handle_high]),
                    is_indicated: *kind == INDICATION,
                    is_encrypted: self.aside.is_encrypted.get(),
                    octets: Vec::new(),
                    is_cut: false,
                };
                // Of the packet's octets three are not the value's.
                let still = usize::from(u16::from_le_bytes([*low, *high])).saturating_sub(3);
                let mut begun = Part { value, still };
                begun.add(rest);
                Coming::Value(begun)
            }
            (ATT, [NOTIFICATION | INDICATION, ..] | []) => Coming::Nobodys,
            // What a client says has an even code; it may ask for a longer packet, which the host answers.
            (ATT, [EXCHANGE_MTU | CONFIRMATION, ..]) => Coming::Hosts,
            (ATT, [kind, ..]) if kind % 2 == 0 => Coming::Nobodys,
            (SMP, [SECURITY_REQUEST, ..] | []) => Coming::Nobodys,
            (SMP, _) if !self.aside.pairs.get() => Coming::Nobodys,
            _ => Coming::Hosts,
        }
    }

    /// What the host is told of its link concerns what comes over it.
    fn notes(&self, event: &EventPacket<'_>) {
        match (event.kind, event.data) {
            (EventKind::Le, [kind, ..]) if CONNECTED.contains(kind) => {
                self.aside.links.set(self.aside.links.get().wrapping_add(1));
                self.aside.is_encrypted.set(false);
                *self.coming.borrow_mut() = Coming::Nobodys;
            }
            // Status, handle, enabled.
            (EventKind::EncryptionChangeV1, [status, _, _, enabled, ..]) => {
                self.aside.is_encrypted.set(*status == 0 && *enabled != 0);
            }
            _ => {}
        }
    }
}

impl Coming {
    /// What is complete is taken out of it.
    fn taken(&mut self) -> Was {
        match core::mem::replace(self, Coming::Nobodys) {
            Coming::Value(part) if part.still == 0 => Was::Complete(part.value),
            Coming::Nobodys => Was::Taken,
            Coming::Hosts => {
                *self = Coming::Hosts;
                Was::Hosts
            }
            Coming::Value(part) => {
                *self = Coming::Value(part);
                Was::Taken
            }
        }
    }
}

impl<C: embedded_io::ErrorType> embedded_io::ErrorType for Tap<'_, C> {
    type Error = C::Error;
}

/// In its place the host gets an event that it has no use for.
const NOTHING: ControllerToHostPacket<'static> =
    ControllerToHostPacket::Event(EventPacket { kind: EventKind::Vendor, data: &[0] });

impl<C: Controller> Controller for Tap<'_, C> {
    type Buffer<'a> = C::Buffer<'a>;

    fn alloc_buf(&self) -> Result<Self::Buffer<'_>, Self::Error> {
        self.controller.alloc_buf()
    }

    async fn write_acl_data(&self, packet: &AclPacket<'_>) -> Result<(), Self::Error> {
        self.controller.write_acl_data(packet).await
    }

    async fn write_sync_data(&self, packet: &SyncPacket<'_>) -> Result<(), Self::Error> {
        self.controller.write_sync_data(packet).await
    }

    async fn write_iso_data(&self, packet: &IsoPacket<'_>) -> Result<(), Self::Error> {
        self.controller.write_iso_data(packet).await
    }

    async fn read<'a>(
        &self,
        buffer: &'a mut Self::Buffer<'_>,
    ) -> Result<ControllerToHostPacket<'a>, Self::Error> {
        let packet = self.controller.read(buffer).await?;
        match &packet {
            ControllerToHostPacket::Acl(acl) => match self.take(acl) {
                Was::Hosts => {}
                Was::Taken => return Ok(NOTHING),
                Was::Complete(value) => {
                    self.aside.values.send(value).await;
                    return Ok(NOTHING);
                }
            },
            ControllerToHostPacket::Event(event) => self.notes(event),
            _ => {}
        }
        Ok(packet)
    }
}

impl<C: ControllerCmdSync<X>, X: SyncCmd + ?Sized> ControllerCmdSync<X> for Tap<'_, C> {
    async fn exec(&self, command: &X) -> Result<X::Return, cmd::Error<Self::Error>> {
        self.controller.exec(command).await
    }
}

impl<C: ControllerCmdAsync<X>, X: AsyncCmd + ?Sized> ControllerCmdAsync<X> for Tap<'_, C> {
    async fn exec(&self, command: &X) -> Result<(), cmd::Error<Self::Error>> {
        self.controller.exec(command).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use bt_hci::data::AclBroadcastFlag;
    use bt_hci::param::ConnHandle;

    /// What becomes of packets of one link: first ones, and those that go on.
    fn taken(packets: &[(bool, &[u8])]) -> Vec<Option<Value>, 8> {
        taken_by(&Aside::new(), packets)
    }

    fn taken_by(aside: &Aside, packets: &[(bool, &[u8])]) -> Vec<Option<Value>, 8> {
        let tap = Tap::new((), aside);
        let was = packets.iter().map(|(begins, octets)| {
            let boundary = match begins {
                true => AclPacketBoundary::FirstFlushable,
                false => AclPacketBoundary::Continuing,
            };
            let packet =
                AclPacket::new(ConnHandle::new(0x40), boundary, AclBroadcastFlag::PointToPoint, octets);
            match tap.take(&packet) {
                Was::Hosts => None,
                Was::Taken => Some(nothing()),
                Was::Complete(value) => Some(value),
            }
        });
        was.collect()
    }

    /// For a packet of which nobody gets anything, or not yet.
    fn nothing() -> Value {
        let octets = Vec::new();
        Value { link: 0, handle: 0, is_indicated: true, is_encrypted: false, octets, is_cut: false }
    }

    fn told(was: &Option<Value>) -> Option<(u16, &[u8], bool, bool)> {
        was.as_ref().map(|value| (value.handle, &value.octets[..], value.is_indicated, value.is_cut))
    }

    /// An indication of 16 7C 00 at handle 0x0012: L2CAP length 6 and channel 4, then ATT 1D.
    const INDICATED: &[u8] = &[6, 0, 4, 0, 0x1D, 0x12, 0, 0x16, 0x7C, 0];
    const NOTIFIED: &[u8] = &[4, 0, 4, 0, 0x1B, 0x34, 0x12, 0xAA];

    #[test]
    fn values_are_taken_and_nothing_else() {
        let was = taken(&[(true, INDICATED), (true, NOTIFIED)]);
        assert_eq!(told(&was[0]), Some((0x0012, &[0x16, 0x7C, 0][..], true, false)));
        assert_eq!(told(&was[1]), Some((0x1234, &[0xAA][..], false, false)));
        // A write's response, an indication on another channel.
        for other in [&[1, 0, 4, 0, 0x13][..], &[6, 0, 5, 0, 0x1D, 0x12, 0, 1, 2, 3]] {
            assert!(taken(&[(true, other)])[0].is_none(), "{other:02X?}");
        }
        // What goes on a packet that was the host's is the host's.
        assert!(taken(&[(true, &[9, 0, 4, 0, 0x0B, 1, 2, 3]), (false, &[4, 5])])[1].is_none());
    }

    #[test]
    fn a_value_in_pieces_is_put_together() {
        let was = taken(&[(true, &INDICATED[..8]), (false, &INDICATED[8..9]), (false, &INDICATED[9..])]);
        assert_eq!(told(&was[0]), told(&Some(nothing())), "taken, and not complete");
        assert_eq!(told(&was[2]), Some((0x0012, &[0x16, 0x7C, 0][..], true, false)));
        // It never ended: another begins.
        let was = taken(&[(true, &INDICATED[..8]), (true, NOTIFIED), (false, &INDICATED[8..])]);
        assert_eq!(told(&was[1]), Some((0x1234, &[0xAA][..], false, false)));
        assert_eq!(told(&was[2]), told(&Some(nothing())), "it goes on what is over");
    }

    /// Packets on which the host would pair, panic, or lose its memory.
    #[test]
    fn the_host_does_not_get_what_is_not_for_it() {
        let security_request = &[2, 0, 6, 0, 0x0B, 0x05][..];
        let pairing_response = &[7, 0, 6, 0, 0x02, 3, 0, 1, 16, 0, 1][..];
        let read_request = &[3, 0, 4, 0, 0x0A, 1, 0][..];
        let write_command = &[4, 0, 4, 0, 0x52, 1, 0, 9][..];
        let nothing_at_all = &[0, 0, 4, 0][..];
        let cut = &[6, 0, 4, 0, 0x1D, 0x12][..];
        let aside = Aside::new();
        for pairs in [false, true] {
            aside.pairs(pairs);
            let is_hosts = |octets| taken_by(&aside, &[(true, octets)])[0].is_none();
            for octets in [security_request, read_request, write_command, nothing_at_all, cut, &[6, 0, 4]] {
                assert!(!is_hosts(octets), "{octets:02X?}");
            }
            assert_eq!(is_hosts(pairing_response), pairs);
            assert!(is_hosts(&[3, 0, 4, 0, 0x02, 247, 0]), "it may ask for longer packets");
        }
        // Nor what goes on one.
        assert!(taken(&[(true, write_command), (false, &[1, 2])])[1].is_some());
    }

    /// Whose a value is, and whether anybody may have said it.
    #[test]
    fn a_value_is_of_its_link() {
        let aside = Aside::new();
        let tap = Tap::new((), &aside);
        let event = |kind, data| tap.notes(&EventPacket { kind, data });
        let tells = || {
            let first = AclPacketBoundary::FirstFlushable;
            let packet =
                AclPacket::new(ConnHandle::new(0x40), first, AclBroadcastFlag::PointToPoint, NOTIFIED);
            let Was::Complete(value) = tap.take(&packet) else { panic!("it is whole") };
            (value.link, value.is_encrypted)
        };
        event(EventKind::Le, &[0x01, 0, 0x40, 0]);
        assert_eq!((aside.link(), tells()), (1, (1, false)));
        event(EventKind::EncryptionChangeV1, &[0x06, 0x40, 0, 0]);
        assert_eq!(tells(), (1, false), "the device has lost its key");
        event(EventKind::EncryptionChangeV1, &[0, 0x40, 0, 1]);
        assert_eq!(tells(), (1, true));
        event(EventKind::Le, &[0x0A, 0, 0x40, 0]);
        assert_eq!((aside.link(), tells()), (2, (2, false)));
    }

    /// A device that promises more than any value has, and one that sends more than it promised.
    #[test]
    fn a_value_that_is_too_long_is_cut_and_says_so() {
        let mut first = [0xEE; 200];
        first[..7].copy_from_slice(&[200, 0, 4, 0, 0x1D, 0x12, 0]);
        let was = taken(&[(true, &first), (false, &[0xEE; 4])]);
        let (handle, octets, _, is_cut) = told(&was[1]).unwrap();
        assert_eq!((handle, octets.len(), is_cut), (0x12, LONGEST, true));
        let was = taken(&[(true, &[0, 0, 4, 0, 0x1B, 1, 0, 9, 9])]);
        assert_eq!(told(&was[0]), Some((1, &[9, 9][..], false, false)));
    }
}
