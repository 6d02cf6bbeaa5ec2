//! A bridge, but for its board: octets of the line, what sensors and the radio heard, and instants go in; frames come out, and what the
//! board has to do.
//!
//! It waits for nothing but its flash. Whoever drives it hands in what came, then calls [`Bridge::tell`], and again at the instant that
//! it names.

mod requests;

use crate::configuration::Coming;
use crate::flash::{Refused, Settings, Spool};
use crate::telling::{Next, Telling};
use crate::update::{Room, Standing, Updates};
use crate::wish::Wish;
use core::fmt;
use embedded_storage_async::nor_flash::NorFlash;
use hearth_wire::frame::line::{self, LONGEST, LONGEST_ON_THE_LINE};
use hearth_wire::frame::plan::{Device, Entries, digest};
use hearth_wire::frame::said::{Said, What};
use hearth_wire::frame::{
    BridgeId, Capabilities, Hello, Level, Outcome, PROTOCOL, Peer, Place, Ticks, TimeOfDay, ToBridge, ToHub,
    Version,
};

/// Where frames go. Empty, it takes [`LONGEST_ON_THE_LINE`] octets.
pub trait Line {
    /// How many octets it takes now.
    fn room(&self) -> usize;
    /// Takes all of them: there was room.
    fn put(&mut self, octets: &[u8]);
}

/// What a board is.
#[derive(Clone, Copy, Debug)]
pub struct About {
    pub bridge: BridgeId,
    pub board: &'static str,
    pub firmware: Version,
    pub can: Capabilities,
}

/// One bridge, over its regions of flash.
pub struct Bridge<F, const PAGES: usize> {
    about: About,
    spool: Spool<F, PAGES>,
    settings: Settings<F>,
    reader: line::Reader,
    telling: Telling,
    losses: Losses,
    coming: Coming,
    /// Of the configuration that holds. 0: there is none.
    configuration: u32,
    /// As the hub said last.
    time: Option<TimeOfDay>,
    /// Frames that were none since the hub was last told.
    broken: u32,
    /// `None`: this board has no room for them.
    updates: Option<Updates<F>>,
}

/// What found no room, and that no device will tell again.
#[derive(Clone, Copy, Debug, Default)]
struct Losses {
    count: u32,
    since: Ticks,
    /// It is on record that there are losses, though not how many.
    noted: bool,
}

impl<F, const PAGES: usize> fmt::Debug for Bridge<F, PAGES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bridge")
            .field("about", &self.about)
            .field("telling", &self.telling)
            .finish_non_exhaustive()
    }
}

impl<F: NorFlash, const PAGES: usize> Bridge<F, PAGES> {
    /// Starts, with what its flash has. `room`: for updates, if the board has any.
    pub async fn start(
        mut about: About,
        spool: F,
        settings: F,
        room: Option<Room<F>>,
    ) -> Result<Self, Refused<F::Error>> {
        let updates = match room {
            Some(room) => Some(Updates::open(room, about.firmware).await?),
            None => None,
        };
        if updates.is_some() {
            about.can = about.can.and(Capabilities::UPDATE);
        }
        let mut bridge = Bridge {
            about,
            spool: Spool::open(spool).await?,
            settings: Settings::open(settings).await?,
            reader: line::Reader::default(),
            telling: Telling::new(),
            losses: Losses::default(),
            coming: Coming::new(),
            configuration: 0,
            time: None,
            broken: 0,
            updates,
        };
        bridge.configuration = bridge.settings.load(bridge.coming.room()).await?.map_or(0, digest);
        Ok(bridge)
    }

    /// The device with this number in the configuration that holds, from 0 on. A configuration that was coming has to come anew.
    pub async fn device(&mut self, number: usize) -> Result<Option<Device<'_>>, Refused<F::Error>> {
        let whole = self.settings.load(self.coming.room()).await?;
        // What does not hold its own digest is none, and the hub knows that by its digest.
        let mut devices = whole.and_then(|whole| Entries::of(whole).ok()).into_iter().flatten();
        Ok(devices.nth(number).and_then(Result::ok))
    }

    /// What time it is, for the configuration that holds. `None`: the hub has not said so in this epoch.
    pub fn time(&self) -> Option<TimeOfDay> {
        let here = (self.spool.epoch(), self.configuration);
        self.time.filter(|time| (time.epoch, time.configuration) == here)
    }

    /// Somebody said something. When this returns `Ok` it is kept, and whoever said it may forget it. `Err`: nothing is promised.
    pub async fn keep(&mut self, said: &Said<'_>) -> Result<Place, Refused<F::Error>> {
        let mut buffer = [0; LONGEST];
        let octets = said.encode(&mut buffer).map_err(|_| Refused::TooLong)?;
        self.spool.append(octets).await
    }

    /// The same for what nobody will say again: what finds no room is counted, and told as lost.
    pub async fn keep_or_count(&mut self, said: &Said<'_>) -> Result<Option<Place>, Refused<F::Error>> {
        match self.keep(said).await {
            Ok(place) => {
                self.note_losses(said.at).await?;
                Ok(Some(place))
            }
            Err(refused) => {
                if self.losses.count == 0 {
                    self.losses.since = said.at;
                }
                self.losses.count = self.losses.count.saturating_add(1);
                self.note_losses(said.at).await?;
                match refused {
                    Refused::Full | Refused::NoEpoch | Refused::TooLong => Ok(None),
                    refused => Err(refused),
                }
            }
        }
    }

    /// How many were lost is on record as soon as there is room; that some were, at once, in the room that is kept back for it.
    async fn note_losses(&mut self, now: Ticks) -> Result<(), Refused<F::Error>> {
        let Losses { count, since, noted } = self.losses;
        if count == 0 {
            return Ok(());
        }
        let what = What::Lost { count, until: now };
        if self.keep(&Said { at: since, peer: NOBODY, contact: 0, what }).await.is_ok() {
            self.losses = Losses::default();
        } else if !noted {
            let mut buffer = [0; LONGEST];
            let what = What::Lost { count: 0, until: now };
            let said = Said { at: since, peer: NOBODY, contact: 0, what };
            let octets = said.encode(&mut buffer).map_err(|_| Refused::TooLong)?;
            self.losses.noted = self.spool.append_loss(octets).await.is_ok();
        }
        Ok(())
    }

    /// Octets came over the line. Calls `wish` with what the board has to do.
    pub async fn received(
        &mut self,
        octets: &[u8],
        now: Ticks,
        line: &mut impl Line,
        mut wish: impl FnMut(Wish),
    ) -> Result<(), Refused<F::Error>> {
        let mut buffer = [0; LONGEST];
        let mut done = Ok(());
        for octet in octets {
            let length = match self.reader.push(*octet) {
                None => continue,
                Some(Err(_)) => {
                    self.broken = self.broken.saturating_add(1);
                    continue;
                }
                Some(Ok(content)) => {
                    let Some(room) = buffer.get_mut(..content.len()) else { continue };
                    room.copy_from_slice(content);
                    content.len()
                }
            };
            let Ok(frame) = ToBridge::decode(&buffer[..length]) else {
                self.broken = self.broken.saturating_add(1);
                continue;
            };
            self.telling.heard();
            match self.hears(frame.value, now, line).await {
                Ok(wished) => wished.into_iter().for_each(&mut wish),
                Err(refused) => done = done.and(Err(refused)),
            }
        }
        done
    }

    /// Says who it is, and how it stands: at its start, and whenever the hub asks.
    pub async fn hello(&mut self, now: Ticks, line: &mut impl Line) -> Result<(), Refused<F::Error>> {
        let About { bridge, board, firmware, can } = self.about;
        let waiting = self.spool.waiting().await?;
        let standing = self.standing();
        let none = Version { major: 0, minor: 0, patch: 0 };
        let hello = Hello {
            protocol: PROTOCOL,
            bridge,
            epoch: self.spool.epoch(),
            is_adopted: self.spool.is_adopted(),
            acknowledged: self.spool.acknowledged(),
            now,
            firmware,
            board,
            can,
            waiting,
            configuration: self.configuration,
            on_trial: standing == Standing::OnTrial,
            reverted_from: if let Standing::WentBack(from) = standing { from } else { none },
        };
        put(&ToHub::Hello(hello), line);
        Ok(())
    }

    /// How the firmware that runs stands.
    pub fn standing(&self) -> Standing {
        self.updates.as_ref().map_or(Standing::Confirmed, Updates::standing)
    }

    /// Tells what may be told now. The instant at which to call it again, if nothing happens before.
    pub async fn tell(
        &mut self,
        now: Ticks,
        line: &mut impl Line,
    ) -> Result<Option<Ticks>, Refused<F::Error>> {
        let broken = core::mem::take(&mut self.broken);
        if broken > 0 {
            put(
                &ToHub::Log { at: now, level: Level::Warning, text: "a frame of the hub's was broken" },
                line,
            );
        }
        loop {
            let place = match self.telling.poll(now) {
                Next::After(place) => place,
                Next::Wait(until) => return Ok(until),
            };
            if line.room() < LONGEST_ON_THE_LINE {
                return Ok(Some(Ticks(now.0 + ROOM_MS)));
            }
            let after = place.max(self.spool.acknowledged());
            let Some((place, said)) = self.spool.after(after).await? else { break };
            put(&ToHub::Record { after, place, said }, line);
            self.telling.told(place, now);
        }
        Ok(self.telling.until())
    }
}

/// A line that has no room now has some after so long: at 115 200 baud it carries a frame in 53 ms.
const ROOM_MS: u64 = 50;

/// Whoever is meant by a note of losses.
const NOBODY: Peer = Peer::Wired(u8::MAX);

fn done(token: u16, outcome: Outcome<'_>) -> ToHub<'_> {
    ToHub::Done { token, outcome }
}

/// Says this. What finds no room on the line is not said: the hub asks again, or is told again.
pub fn put(frame: &ToHub<'_>, line: &mut impl Line) {
    let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
    if let Ok(content) = frame.encode(&mut content)
        && let Ok(octets) = line::close(content, &mut octets)
        && octets.len() <= line.room()
    {
        line.put(octets);
    }
}
