//! One connection with one device, from the call to the hang-up; what is said in between is `talk`.
//!
//! The stream of values stands before the connection does: BlueZ subscribes again by itself where this process had been
//! subscribed, and a device then tells and forgets at once. For the same reason every subscription is ended before the
//! link is.

use super::bus::{At, Bus};
use super::instant;
use super::keeper::{Keeper, TalkNo};
use super::talk::Talk;
use crate::clock::Clock;
use crate::source::house::Housed;
use btleplug::api::{Peripheral as _, ValueNotification};
use btleplug::platform::Peripheral;
use futures_util::FutureExt;
use futures_util::stream::{BoxStream, StreamExt};
use hearth_core::capture::DeviceNo;
use hearth_core::radio::session::{Ending, HubTime, Known};
use hearth_core::radio::{Millis, scout};
use hearth_core::when::HubTicks;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, mpsc};
use tokio::time::timeout;

/// A second less than the scout waits, so that it never begins a second connection with the same device.
const CONNECT_LIMIT: Duration = Duration::from_millis(scout::CONNECT_MS - 1_000);

/// A device to be connected to, with btleplug's object of it, which lives longer than one connection.
pub(super) struct Line {
    pub(super) at: At,
    pub(super) peripheral: Peripheral,
    pub(super) values: BoxStream<'static, ValueNotification>,
    /// What came while there was no link.
    pub(super) early: Vec<(ValueNotification, HubTicks)>,
}

impl Line {
    /// The stream's queue has no bound, and holds all that BlueZ says of the device: whoever hears of the device empties it.
    pub(super) fn drain(&mut self, at: HubTicks) {
        while let Some(Some(value)) = self.values.next().now_or_never() {
            self.early.push((value, at));
        }
    }
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Line")
    }
}

/// What the hub says to a link.
#[derive(Debug)]
pub(super) enum Order {
    /// Somebody else goes first, or the device left the house.
    GiveUp,
    /// BlueZ says that the link is gone.
    Lost,
    /// It wants to be paired, and nobody pairs now.
    TurnedAway,
}

/// What a link says of itself, before it is over.
#[derive(Debug)]
pub(super) enum News {
    Connected(DeviceNo),
    /// The store has it.
    Kept,
    /// It wants to be paired, and no window is open for it.
    TurnedAway(At),
}

/// What is left of a connection.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) no: DeviceNo,
    pub(super) line: Option<Line>,
    /// `None`: it never stood.
    pub(super) ending: Option<Ending>,
    pub(super) given_up: bool,
    /// For BlueZ it goes on.
    pub(super) undead: bool,
}

/// One connection, from the call to the hang-up.
pub(super) struct Link {
    pub(super) at: At,
    pub(super) member: Housed,
    pub(super) bonded: bool,
    pub(super) bus: Bus,
    pub(super) keeper: Keeper,
    pub(super) talk: TalkNo,
    pub(super) clock: Clock,
    pub(super) orders: mpsc::UnboundedReceiver<Order>,
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) hang_ups: Arc<RwLock<()>>,
}

impl Link {
    /// Connects, collects, hangs up.
    pub(super) async fn hold(mut self, mut line: Line) -> Over {
        let no = self.member.no();
        let mut early = std::mem::take(&mut line.early);
        let peripheral = line.peripheral.clone();
        let mut connecting = Box::pin(timeout(CONNECT_LIMIT, peripheral.connect()));
        let mut given_up = false;
        tracing::debug!("device {}: is connected to", no.0);
        let stands = loop {
            tokio::select! {
                biased;
                Some(value) = line.values.next() => early.push((value, self.clock.ticks())),
                order = self.orders.recv(), if !given_up => {
                    if let Some(Order::GiveUp) | None = order {
                        given_up = true;
                        // Ends the call that connects.
                        self.bus.disconnect(self.at).await;
                    }
                }
                connected = &mut connecting => {
                    if !matches!(connected, Ok(Ok(()))) {
                        tracing::debug!("device {}: no link: {connected:?}", no.0);
                    }
                    break matches!(connected, Ok(Ok(())));
                }
            }
        };
        drop(connecting);
        if !stands && early.is_empty() {
            self.bus.disconnect(self.at).await;
            let undead = self.bus.is_connected(self.at).await;
            return Over { no, line: Some(line), ending: None, given_up, undead };
        }
        _ = self.news.send(News::Connected(no));
        Talk::new(self, line).run(early, stands).await
    }

    pub(super) fn now(&self) -> Millis {
        instant(self.clock.ticks())
    }

    pub(super) fn known(&self) -> Known {
        let time = self.clock.anchor().map(|anchor| HubTime { at: instant(anchor.at), utc: anchor.utc });
        Known {
            cursor: self.member.kept.cursor,
            all: false,
            users: self.member.kept.consenting(),
            facts: self.member.device.facts.clone(),
            battery: false,
            time,
            zone: self.member.zone(crate::clock::now()),
        }
    }
}
