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
mod tests;
