//! What is said on a link that stands, moved by [`Session`]: each value is committed before anything else is done.

use super::fault::of_request;
use super::instant;
use super::keeper::TalkNo;
use super::link::{Line, Link, News, Order, Over};
use crate::source::lines::Said;
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _, ValueNotification, WriteType};
use futures_util::FutureExt;
use futures_util::stream::StreamExt;
use hearth_core::admit::End;
use hearth_core::capture::{Link as Road, Uuid16};
use hearth_core::radio::Millis;
use hearth_core::radio::session::{Ask, Can, Ending, Fault, Offer, Place, Poll, Session, Tell, measures};
use hearth_core::when::HubTicks;
use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A device that does not answer keeps nobody from hanging up.
const UNSUBSCRIBE_LIMIT: Duration = Duration::from_secs(5);
/// So many values share a commit at most.
const TOGETHER: usize = 64;
/// What a device told, and when the hub heard it.
type Values = Vec<(ValueNotification, HubTicks)>;
type Answered = Result<Vec<u8>, Fault>;
type Asked = Pin<Box<dyn Future<Output = Answered> + Send>>;

/// What runs while a link stands.
pub(super) struct Talk {
    link: Link,
    talk: TalkNo,
    line: Line,
    /// Each place's own object.
    places: HashMap<Place, Characteristic>,
    subscribed: Vec<Place>,
    contact: u64,
    met: bool,
    /// Whether anything was said in the contact that is open.
    heard: bool,
    /// In percent, if it said so.
    battery: Option<u8>,
}

impl Talk {
    pub(super) fn new(link: Link, line: Line) -> Talk {
        Talk {
            line,
            places: HashMap::new(),
            subscribed: vec![],
            contact: 1,
            met: false,
            heard: false,
            battery: None,
            talk: link.talk,
            link,
        }
    }

    pub(super) async fn run(mut self, early: Values, stands: bool) -> Over {
        let profile = Arc::clone(&self.link.member.profile);
        let mut session = Session::start(&profile, self.link.known(), self.link.now());
        self.values(&mut session, early).await;
        // Before there is anything to commit, which would wait for it.
        self.meet(self.link.clock.ticks()).await;
        if !stands {
            session.lost();
        }
        let peripheral = self.line.peripheral.clone();
        let mut discovering: Option<Asked> = stands.then(|| -> Asked {
            Box::pin(async move {
                peripheral.discover_services().await.map(|()| vec![]).map_err(|e| of_request(&e))
            })
        });
        let mut asked: Option<Asked> = None;
        let mut orders_end = false;
        let ending = loop {
            let until = match session.poll() {
                Poll::Tell(tell) => {
                    self.tell(tell).await;
                    continue;
                }
                Poll::Ask(ask) => {
                    tracing::debug!("device {}: asks {:?}", self.link.member.no().0, ask.place());
                    asked = Some(self.ask(ask));
                    continue;
                }
                Poll::Done(ending) => break ending,
                Poll::Wait(until) => until,
            };
            let left = Duration::from_millis(until.0.saturating_sub(self.link.now().0));
            tokio::select! {
                biased;
                value = self.line.values.next() => match value {
                    Some(first) => {
                        let values = self.waiting(first);
                        self.values(&mut session, values).await;
                    }
                    None => session.lost(),
                },
                order = self.link.orders.recv(), if !orders_end => {
                    orders_end = order.is_none();
                    match order {
                        Some(Order::TurnedAway) => session.wants_a_bond(),
                        Some(Order::GiveUp | Order::Lost) | None => session.lost(),
                    }
                }
                answer = until_done(&mut asked) => {
                    asked = None;
                    session.answered(answer.as_deref().map_err(|fault| *fault), self.link.now());
                }
                found = until_done(&mut discovering) => {
                    discovering = None;
                    match found {
                        Ok(_) => {
                            let offers = self.offers();
                            session.discovered(&profile, &offers, self.link.now());
                        }
                        Err(_) => session.lost(),
                    }
                }
                () = sleep(left) => session.timeout(self.link.now()),
            }
        };
        self.hang_up(ending, asked).await
    }

    /// With the first one, all that came while something was committed.
    fn waiting(&mut self, first: ValueNotification) -> Values {
        let at = self.link.clock.ticks();
        let mut values = vec![(first, at)];
        while values.len() < TOGETHER
            && let Some(Some(value)) = self.line.values.next().now_or_never()
        {
            values.push((value, at));
        }
        values
    }

    /// Those that are kept are committed before anything else.
    async fn values(&mut self, session: &mut Session, values: Values) {
        let kept = values.into_iter().filter(|(value, at)| {
            number(value.uuid.as_u128())
                .is_some_and(|number| session.value(Uuid16(number), &value.value, instant(*at)))
        });
        self.keep(kept.collect()).await;
    }

    async fn keep(&mut self, values: Values) {
        let Some((_, first)) = values.first() else { return };
        self.meet(*first).await;
        let said = values.into_iter().filter_map(|(value, at)| {
            let said = Said::Heard {
                device: DEVICE.to_owned(),
                contact: self.contact,
                link: self.road(),
                origin: None,
                characteristic: number(value.uuid.as_u128()).map(Uuid16)?,
                octets: value.value,
            };
            Some((said, at))
        });
        let said: Vec<_> = said.collect();
        let many = said.len();
        self.link.keeper.take_all(self.talk, self.link.member.no(), said).await;
        tracing::debug!("device {}: kept what it told, {many} values", self.link.member.no().0);
        self.heard = true;
        _ = self.link.news.send(News::Kept);
    }

    async fn tell(&mut self, tell: Tell) {
        let at = self.link.clock.ticks();
        match tell {
            Tell::Clock { shown, asked, answered } => {
                let ms = |millis: Millis| i64::try_from(millis.0).unwrap_or(i64::MAX);
                let said = Said::Clock {
                    device: DEVICE.to_owned(),
                    contact: self.contact,
                    face: shown.face,
                    shows: shown.civil,
                    asked: Some(ms(asked)),
                };
                self.commit(said, HubTicks { ms: ms(answered), ..at }).await;
                self.heard = true;
            }
            Tell::Facts(facts) => {
                self.meet(at).await;
                self.commit(
                    Said::Met { device: DEVICE.to_owned(), facts: self.link.member.facts_and(&facts) },
                    at,
                )
                .await;
            }
            Tell::Battery { percent } => self.battery = Some(percent),
            Tell::AnotherContact => {
                self.end_contact(End::Drained).await;
                self.contact += 1;
            }
        }
    }

    async fn end_contact(&mut self, how: End) {
        let at = self.link.clock.ticks();
        if std::mem::take(&mut self.heard) {
            let said = Said::Ended { device: DEVICE.to_owned(), contact: self.contact, how };
            self.commit(said, at).await;
        } else if how == End::Drained {
            self.link.keeper.told_nothing(self.link.member.no(), self.road(), at).await;
        }
    }

    fn road(&self) -> Road {
        if self.link.bonded { Road::Bonded } else { Road::Open }
    }

    async fn meet(&mut self, at: HubTicks) {
        if !std::mem::replace(&mut self.met, true) {
            let facts = self.link.member.device.facts.clone();
            self.take(Said::Met { device: DEVICE.to_owned(), facts }, at).await;
        }
    }

    async fn commit(&mut self, said: Said, at: HubTicks) {
        self.meet(at).await;
        self.take(said, at).await;
    }

    async fn take(&mut self, said: Said, at: HubTicks) {
        self.link.keeper.take(self.talk, self.link.member.no(), said, at).await;
    }

    /// All that it offers; the first of each kind in a service, as btleplug knows no other.
    fn offers(&mut self) -> Vec<Offer> {
        let mut offers = vec![];
        for service in self.line.peripheral.services() {
            let Some(number_of_service) = number(service.uuid.as_u128()) else { continue };
            for characteristic in service.characteristics {
                let Some(of) = number(characteristic.uuid.as_u128()) else { continue };
                let place = Place { service: number_of_service, characteristic: Uuid16(of) };
                let has = |flag| characteristic.properties.contains(flag);
                let can = Can {
                    read: has(CharPropFlags::READ),
                    write: has(CharPropFlags::WRITE),
                    notify: has(CharPropFlags::NOTIFY),
                    indicate: has(CharPropFlags::INDICATE),
                };
                offers.push(Offer { place, can });
                self.places.insert(place, characteristic);
            }
        }
        offers
    }

    fn ask(&mut self, ask: Ask) -> Asked {
        let place = ask.place();
        let Some(characteristic) = self.places.get(&place).cloned() else {
            return Box::pin(std::future::ready(Err(Fault::Gone)));
        };
        if matches!(ask, Ask::Subscribe(_)) {
            self.subscribed.push(place);
        }
        let peripheral = self.line.peripheral.clone();
        Box::pin(async move {
            let done = match ask {
                Ask::Subscribe(_) => peripheral.subscribe(&characteristic).await.map(|()| vec![]),
                Ask::Read(_) => peripheral.read(&characteristic).await,
                Ask::Write(_, octets) => {
                    peripheral.write(&characteristic, &octets, WriteType::WithResponse).await.map(|()| vec![])
                }
            };
            done.map_err(|error| of_request(&error))
        })
    }

    /// What was told may be forgotten there: it is kept at once, whatever the session thinks of itself.
    async fn late(&mut self, first: ValueNotification) {
        let kept = measures(self.link.member.profile.kind);
        let mut late = self.waiting(first);
        late.retain(|(value, _)| number(value.uuid.as_u128()).is_some_and(|of| kept.contains(&Uuid16(of))));
        self.keep(late).await;
    }

    /// Unsubscribes, hangs up, and takes what came in the meantime.
    async fn hang_up(mut self, mut ending: Ending, asked: Option<Asked>) -> Over {
        drop(asked);
        let no = self.link.member.no();
        tracing::debug!(
            "device {}: {:?} after {} values, memory {:?}, faults {:?}",
            no.0,
            ending.how,
            ending.heard,
            ending.memory,
            ending.faults
        );
        let mut free = Box::pin(self.link.hang_ups.clone().read_owned());
        // While somebody is paired with, it may go on telling.
        let _one = loop {
            tokio::select! {
                biased;
                Some(value) = self.line.values.next() => self.late(value).await,
                one = &mut free => break Some(one),
                _ = self.link.orders.recv() => break None,
            }
        };
        let peripheral = self.line.peripheral.clone();
        let places = std::mem::take(&mut self.subscribed);
        let characteristics: Vec<_> =
            places.iter().filter_map(|place| self.places.get(place).cloned()).collect();
        let bus = self.link.bus.clone();
        let at = self.link.at;
        let mut ended = Box::pin(async move {
            let unsubscribed = async {
                for characteristic in &characteristics {
                    _ = peripheral.unsubscribe(characteristic).await;
                }
            };
            _ = timeout(UNSUBSCRIBE_LIMIT, unsubscribed).await;
            bus.disconnect(at).await;
        });
        loop {
            tokio::select! {
                biased;
                Some(value) = self.line.values.next() => self.late(value).await,
                () = &mut ended => break,
            }
        }
        drop(ended);
        let undead = self.link.bus.is_connected(at).await;
        if undead {
            ending.how = End::Lost;
        }
        self.end_contact(ending.how).await;
        let change = self.link.member.kept.change(&ending, self.battery);
        self.link.keeper.house.keep(no, change).await;
        self.link.keeper.over(self.talk).await;
        Over { no, line: Some(self.line), ending: Some(ending), given_up: false, undead }
    }
}

/// What one link calls its device.
const DEVICE: &str = "device";

/// What is asked, if anything is; else for ever.
async fn until_done(asked: &mut Option<Asked>) -> Answered {
    match asked {
        Some(asked) => asked.await,
        None => std::future::pending().await,
    }
}

/// The assigned number of a UUID on the Bluetooth base.
fn number(uuid: u128) -> Option<u16> {
    const BASE: u128 = 0x0000_0000_0000_1000_8000_0080_5F9B_34FB;
    u16::try_from((uuid ^ BASE) >> 96).ok().filter(|n| u128::from(*n) << 96 ^ BASE == uuid)
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn assigned_numbers_are_on_the_bluetooth_base() {
        assert_eq!(number(0x0000_2A35_0000_1000_8000_0080_5F9B_34FB), Some(0x2A35));
        assert_eq!(number(0x0001_2A35_0000_1000_8000_0080_5F9B_34FB), None);
        assert_eq!(number(0x0000_2A35_0000_1000_8000_0080_5F9B_34FC), None);
    }
}
