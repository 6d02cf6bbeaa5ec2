//! One conversation over one link: what the session wants to have asked is asked, and what the device tells is kept, then confirmed.

use crate::tap::{Aside, LONGEST, Value};
use crate::{Client, Host};
use core::ops::ControlFlow;
use core::pin::pin;
use embassy_futures::select::{Either, select};
use embassy_time::{Instant, Timer};
use firmware::session::{Fault, Octets, Poll, Session};
use firmware_run::{Desk, Kept, Word, now};
use heapless::Vec;
use hearth_wire::frame::plan::Place;
use hearth_wire::frame::said::{Ending, Link, Said, What};
use hearth_wire::frame::{Level, Peer, Ticks};
use trouble_host::BleHostError;
use trouble_host::prelude::{Error, Uuid};

/// Characteristics of a device that are known by 16 bits. Those that a plan has a use for are well within.
const CHARACTERISTICS: usize = 48;
/// So many values may come before it is known whose they are: a device that remembers a subscription tells at once.
const EARLY: usize = 4;

pub(crate) type Early = Vec<Value, EARLY>;

/// Bluetooth Core, Vol 3, Part G, 3.3.1 and 3.3.3.3.
const CHARACTERISTIC: Uuid = Uuid::new_short(0x2803);
const CLIENT_CONFIGURATION: Uuid = Uuid::new_short(0x2902);
const NOTIFIES: u8 = 1 << 4;
const INDICATES: u8 = 1 << 5;

#[derive(Clone, Copy, Debug)]
struct Characteristic {
    declared: u16,
    handle: u16,
    uuid: u16,
    properties: u8,
}

/// In the order of their handles.
type Table = Vec<Characteristic, CHARACTERISTICS>;

/// What a request came to, if it did not come to what was asked.
enum Failed {
    Fault(Fault),
    /// The link is no use any more.
    Gone,
}

/// One device's turn.
pub(crate) struct Talk<'t> {
    desk: &'t Desk,
    aside: &'t Aside,
    /// The link's number.
    number: u32,
    peer: Peer,
    /// Two of them, if its clock is set in between.
    pub(crate) contact: u32,
    /// So many of its values belong to the first of the two.
    pub(crate) before: u16,
    link: Link,
    pub(crate) session: Session<'t>,
    table: Option<Table>,
    early: Early,
}

impl<'t> Talk<'t> {
    pub(crate) fn new(
        (desk, aside): (&'t Desk, &'t Aside),
        (peer, contact, link, number): (Peer, u32, Link, u32),
        session: Session<'t>,
        early: Early,
    ) -> Self {
        Talk { desk, aside, number, peer, contact, before: 0, link, session, table: None, early }
    }

    /// Until the plan is carried out, or can't be.
    pub(crate) async fn all<C: Host>(&mut self, client: &Client<'_, C>) -> Ending {
        let Ok(table) = self.meanwhile(client, discover(client)).await else { return Ending::Lost };
        self.table = Some(table);
        // That took its time, and a clock is set by the instant at which it is.
        self.session.timeout(now());
        for value in core::mem::take(&mut self.early) {
            self.told(client, &value).await;
        }
        loop {
            match self.session.poll() {
                Poll::Done(how) => return how,
                Poll::Wait(Ticks(until)) => {
                    let value = self.aside.value(self.number);
                    match select(value, Timer::at(Instant::from_millis(until))).await {
                        Either::First(value) => self.told(client, &value).await,
                        Either::Second(()) => self.session.timeout(now()),
                    }
                }
                Poll::Part => self.parts().await,
                Poll::Subscribe(place) => self.asks(client, place, Request::Subscribe).await,
                Poll::Read(place) => self.asks(client, place, Request::Read).await,
                Poll::Write(place, octets) => self.asks(client, place, Request::Write(octets)).await,
            }
        }
    }

    /// What it told so far is a conversation of its own: its clock is set only once that is in flash.
    async fn parts(&mut self) {
        let values = self.session.values();
        let ended = self.said(What::Ended { how: Ending::Drained, values });
        match self.desk.keep(&ended, false).await {
            Ok(Kept::Safe) => {
                self.contact += 1;
                self.before = values;
                self.session.parted(now());
            }
            _ => self.session.no_room(),
        }
    }

    /// What came before the link was lost is kept, though nobody can confirm it any more.
    pub(crate) async fn rest(&mut self) {
        while let Some(value) = self.aside.try_value(self.number) {
            _ = self.taken(&value).await;
        }
    }

    async fn asks<C: Host>(&mut self, client: &Client<'_, C>, place: Place, request: Request) {
        let table = self.table.clone().unwrap_or_default();
        match self.meanwhile(client, ask(client, &table, place, request)).await {
            Ok(octets) => {
                if let Some(what) = self.session.answered(&octets, now()) {
                    let said = self.said(what);
                    // It is asked for in each conversation.
                    _ = self.desk.keep(&said, false).await;
                }
            }
            Err(Failed::Fault(fault)) => self.session.refused(fault, now()),
            Err(Failed::Gone) => self.session.lost(),
        }
    }

    /// Does that, and takes what the device tells meanwhile: otherwise its answer would wait behind it.
    async fn meanwhile<C: Host, T>(&mut self, client: &Client<'_, C>, does: impl Future<Output = T>) -> T {
        let mut does = pin!(does);
        loop {
            let value = self.aside.value(self.number);
            match select(does.as_mut(), value).await {
                Either::First(done) => return done,
                Either::Second(value) => self.told(client, &value).await,
            }
        }
    }

    async fn told<C: Host>(&mut self, client: &Client<'_, C>, value: &Value) {
        if self.taken(value).await && value.is_indicated {
            // A link that is gone took the device's question with it.
            _ = client.confirm_indication().await;
        }
    }

    /// A value came. True: it is kept, or nobody needs it, and may be confirmed.
    async fn taken(&mut self, value: &Value) -> bool {
        // Said in the clear, over a link that was to be safe, it may be anybody's.
        if self.link == Link::Bonded && !value.is_encrypted {
            self.warns("a device told something before its link was safe: it was not believed");
            return false;
        }
        let Some(table) = &self.table else {
            if self.early.push(value.clone()).is_err() {
                self.warns("a device told more than there was room for before it was known what it tells");
            }
            return false;
        };
        if value.is_cut {
            self.warns("a device told a value that is longer than this bridge can keep");
            self.session.no_room();
            return false;
        }
        // What nobody asked for is nobody's loss.
        let known = table.iter().find(|characteristic| characteristic.handle == value.handle);
        let Some(Characteristic { uuid, .. }) = known.copied() else { return true };
        if !self.session.value(uuid, &value.octets, now()) {
            return true;
        }
        let what = What::Value { link: self.link, characteristic: uuid, octets: &value.octets };
        // What was notified nobody may tell again.
        let kept = self.desk.keep(&self.said(what), !value.is_indicated).await == Ok(Kept::Safe);
        if !kept {
            self.session.no_room();
        }
        kept
    }

    fn warns(&self, text: &'static str) {
        self.desk.try_say(Word::Log { level: Level::Warning, text });
    }

    fn said<'v>(&self, what: What<'v>) -> Said<'v> {
        Said { at: now(), peer: self.peer, contact: self.contact, what }
    }
}

#[derive(Clone, Copy)]
enum Request {
    Subscribe,
    Read,
    Write(Octets),
}

async fn discover<C: Host>(client: &Client<'_, C>) -> Result<Table, BleHostError<C::Error>> {
    let mut table = Table::new();
    let all = client.read_by_type(1, u16::MAX, &CHARACTERISTIC, |declared, octets| {
        // Those of 128 bits are a maker's own, and in no plan.
        if let [properties, low, high, uuid @ ..] = octets
            && let Ok(uuid) = <[u8; 2]>::try_from(uuid)
        {
            let handle = u16::from_le_bytes([*low, *high]);
            let uuid = u16::from_le_bytes(uuid);
            let characteristic = Characteristic { declared, handle, uuid, properties: *properties };
            if table.push(characteristic).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    all.await?;
    Ok(table)
}

async fn ask<C: Host>(
    client: &Client<'_, C>,
    table: &Table,
    place: Place,
    request: Request,
) -> Result<Vec<u8, LONGEST>, Failed> {
    let missing = Failed::Fault(Fault::Missing);
    let mut known = table.iter().filter(|characteristic| characteristic.uuid == place.characteristic);
    let first = *known.next().ok_or(missing)?;
    let characteristic = match (known.next(), place.service) {
        (None, _) | (_, 0) => first,
        // Several services have one: whose is it?
        (Some(_), service) => {
            let services = client.services_by_uuid(&Uuid::new_short(service)).await.map_err(failed)?;
            let within = |one: &&Characteristic| {
                one.uuid == place.characteristic
                    && services.iter().any(|service| service.handle_range().contains(&one.declared))
            };
            *table.iter().find(within).ok_or(Failed::Fault(Fault::Missing))?
        }
    };
    let mut octets = Vec::new();
    match request {
        Request::Read => {
            _ = octets.resize_default(LONGEST);
            let length = client.read_handle(characteristic.handle, &mut octets).await.map_err(failed)?;
            octets.truncate(length);
        }
        Request::Write(written) => {
            client.write_handle(characteristic.handle, written.get()).await.map_err(failed)?;
        }
        Request::Subscribe => {
            let value: [u8; 2] = match characteristic.properties {
                properties if properties & INDICATES != 0 => [2, 0],
                properties if properties & NOTIFIES != 0 => [1, 0],
                _ => return Err(Failed::Fault(Fault::Missing)),
            };
            let next = table.iter().find(|one| one.declared > characteristic.handle);
            let last = next.map_or(u16::MAX, |next| next.declared - 1);
            let is_configuration = |handle, uuid| {
                if uuid == CLIENT_CONFIGURATION {
                    ControlFlow::Break(handle)
                } else {
                    ControlFlow::Continue(())
                }
            };
            let first = characteristic.handle.saturating_add(1);
            let found = client.find_information(first, last, is_configuration).await.map_err(failed)?;
            let handle = found.ok_or(Failed::Fault(Fault::Missing))?;
            client.write_handle(handle, &value).await.map_err(failed)?;
        }
    }
    Ok(octets)
}

fn failed<E>(error: BleHostError<E>) -> Failed {
    match error {
        BleHostError::BleHost(Error::Att(code)) => Failed::Fault(Fault::Att(code.to_u8())),
        BleHostError::BleHost(Error::NotFound) => Failed::Fault(Fault::Missing),
        _ => Failed::Gone,
    }
}
