//! What is heard on the air, as the controller reports it.

use crate::peer::peer;
use bt_hci::param::{LeAdvEventKind, LeAdvReportsIter};
use core::cell::{Cell, RefCell};
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::signal::Signal;
use firmware::scout::Scout;
use firmware_run::{ADVERTISEMENT, Desk, Word, now};
use heapless::{Deque, Vec};
use hearth_wire::frame::{Level, Peer, Ticks};
use trouble_host::prelude::{Address, EventHandler};

use crate::DEVICES;

/// While the hub looks around, each of the two that a device says is told once in so many milliseconds: the line carries a hundred such
/// frames a second.
const TELL_EVERY_MS: u64 = 1_000;
/// So many of them are told apart by that.
const LATELY: usize = 32;

/// What a device says to everybody, and to whoever asks; its name is often in the second.
type Saying = (Peer, bool);

pub(crate) struct Ears<'d> {
    desk: &'d Desk,
    pub(crate) scout: RefCell<Scout<DEVICES>>,
    /// Somebody to connect to.
    next: Signal<NoopRawMutex, Peer>,
    /// The hub looks around.
    looks: Cell<bool>,
    told: RefCell<Deque<(Saying, Ticks), LATELY>>,
}

impl<'d> Ears<'d> {
    pub(crate) fn new(desk: &'d Desk) -> Self {
        Ears {
            desk,
            scout: RefCell::default(),
            next: Signal::new(),
            looks: Cell::new(false),
            told: RefCell::default(),
        }
    }

    /// Somebody to connect to, from now on.
    pub(crate) async fn next(&self) -> Peer {
        self.next.wait().await
    }

    /// What was heard before nobody wants any more. The hub looks around, or not.
    pub(crate) fn begin(&self, looks: bool) {
        self.next.reset();
        self.looks.set(looks);
    }

    /// The controller fails: a person has to know.
    pub(crate) fn fails(&self) {
        let text = "the Bluetooth controller does not do what it is told: this board starts anew in a minute";
        self.desk.try_say(Word::Log { level: Level::Error, text });
    }

    fn tell(&self, saying: Saying, rssi: i8, octets: &[u8]) {
        let (mut told, at) = (self.told.borrow_mut(), now());
        let lately = |(_, told): &(Saying, Ticks)| at.0.saturating_sub(told.0) < TELL_EVERY_MS;
        if told.iter().any(|tell| tell.0 == saying && lately(tell)) {
            return;
        }
        if told.is_full() {
            told.pop_front();
        }
        // There is room for one.
        _ = told.push_back((saying, at));
        let octets = Vec::from_slice(octets.get(..ADVERTISEMENT).unwrap_or(octets)).unwrap_or_default();
        self.desk.try_say(Word::Heard { at, peer: saying.0, rssi, octets });
    }
}

impl EventHandler for Ears<'_> {
    fn on_adv_reports(&self, reports: LeAdvReportsIter<'_>) {
        for report in reports.flatten() {
            let peer = peer(Address { kind: report.addr_kind, addr: report.addr });
            if self.looks.get() {
                let answers = report.event_kind == LeAdvEventKind::ScanRsp;
                self.tell((peer, answers), report.rssi, report.data);
            }
            let can_be_met =
                [LeAdvEventKind::AdvInd, LeAdvEventKind::AdvDirectInd].contains(&report.event_kind);
            if can_be_met && self.scout.borrow_mut().heard(peer, now()) {
                self.next.signal(peer);
            }
        }
    }
}
