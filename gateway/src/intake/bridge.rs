//! What bridges wish: what they told is committed, in their order, and how far they have told with it.

use super::{Follows, Session, Taken, Trouble, house, until_room};
use crate::open::{Inside, Time};
use crate::source::lines::Said;
use crate::source::serial::Wish;
use crate::store::{Desk, Store, StoreError, Tally};
use hearth_core::bridge::{self, BridgeNo, Meaning, Told};
use hearth_core::radio::Change;
use hearth_core::when::HubTicks;
use hearth_wire::frame::BridgeId;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// A session remembers each contact. After so many it begins anew: a contact that still goes on is two then.
const CONTACTS: usize = 256;

/// Grants the wishes of all bridges, one after the other, for ever.
pub(crate) async fn serve_bridges(desk: Desk, inside: Arc<Inside>, mut wished: mpsc::Receiver<Wish>) {
    let mut sessions: BTreeMap<BridgeNo, Session> = BTreeMap::new();
    while let Some(wish) = wished.recv().await {
        match wish {
            Wish::Greet { greeting, done } => {
                let greeted =
                    until_room(&desk, "a bridge", greeting, |store, greeting| Ok(store.greeted(greeting)?));
                let Some((_, greeted)) = greeted.await else { return };
                match greeted {
                    Ok((no, known, forgotten)) => {
                        if let Some(place) = forgotten {
                            tracing::warn!(
                                "bridge {}: it was acknowledged up to {}:{}, which is not here: another hub had it, or this \
                                 store is an older one",
                                no.0,
                                place.epoch,
                                place.number
                            );
                        }
                        _ = done.send((no, known));
                    }
                    Err(why) => tracing::error!("a bridge could not be met: {why}"),
                }
            }
            Wish::Met { bridge, epoch, met, done } => {
                let met = until_room(&desk, "a bridge's time", met, move |store, met| {
                    Ok(store.bridge_met(bridge, epoch, *met)?)
                });
                let Some((_, met)) = met.await else { return };
                match met {
                    Ok(()) => _ = done.send(()),
                    Err(why) => tracing::error!("bridge {}: its time could not be kept: {why}", bridge.0),
                }
            }
            Wish::Take { bridge, told, done } => {
                let session = sessions.remove(&bridge.0).unwrap_or_default();
                let session = if session.contacts.len() > CONTACTS { Session::default() } else { session };
                let Some(session) = take(&desk, &inside, session, bridge, told).await else { return };
                sessions.insert(bridge.0, session);
                _ = done.send(());
            }
        }
    }
}

/// Returns when the store has all of it. `None`: the store is closed.
async fn take(
    desk: &Desk,
    inside: &Inside,
    session: Session,
    bridge: (BridgeNo, BridgeId),
    told: Vec<Told>,
) -> Option<Session> {
    let Time::Running(clock) = &inside.time else { return None };
    let now = clock.ticks();
    let no = bridge.0;
    let what = format!("what bridge {} told", no.0);
    let taken = until_room(desk, &what, (session, told), move |store, (session, told)| {
        session.take_told(store, bridge, told, now)
    });
    let ((session, told), taken) = taken.await?;
    let committed = match taken {
        Ok(committed) => committed,
        Err(why) => {
            tracing::error!(
                "bridge {}: what it told was not understood, and is kept as it came: {why}",
                no.0
            );
            let kept = until_room(desk, &what, told, move |store, told| {
                let mut tally = Tally::of(bridge);
                for one in told {
                    tally.count(one);
                    tally.odd.push((one.place, one.said.clone()));
                }
                Ok(store.take_told(&[], &tally)?)
            });
            match kept.await? {
                (_, Ok(committed)) => committed,
                (_, Err(why)) => {
                    // Nothing is acknowledged: the bridge has it still.
                    tracing::error!("bridge {}: what it told can't be kept: {why}", no.0);
                    return std::future::pending().await;
                }
            }
        }
    };
    inside.released(committed);
    Some(session)
}

impl Session {
    /// Takes what a bridge told, with how far it has told: one commit.
    fn take_told(
        &mut self,
        store: &mut Store,
        bridge: (BridgeNo, BridgeId),
        told: &[Told],
        now: HubTicks,
    ) -> Result<Taken, Trouble> {
        let mut tally = Tally::of(bridge);
        let mut news = vec![];
        for one in told {
            tally.count(one);
            let Some(said) = bridge::read(bridge.1, one.place, &one.said) else {
                tally.odd.push((one.place, one.said.clone()));
                continue;
            };
            match said.meaning {
                // At least one, if the bridge does not come to say how many.
                Meaning::Lost { count } => {
                    tally.lost = tally.lost.saturating_add(u64::from(count.max(1)));
                    tracing::error!("bridge {}: values found no room there, and are lost", bridge.0.0);
                    continue;
                }
                Meaning::Battery { percent } => {
                    if let Some(no) = store.device_of(&said.facts)? {
                        house::keep(store, no, &Change::Battery(percent))?;
                    }
                    continue;
                }
                Meaning::Nothing => continue,
                Meaning::Value { .. } | Meaning::Facts(_) | Meaning::Clock { .. } | Meaning::Ended(_) => {}
            }
            let at = store.placed(bridge.0, (one.place.epoch, said.at), now)?;
            for said in self.means(store, &said, bridge.1, one, at)? {
                match self.hear(store, &said, at, None) {
                    Ok(Follows::News(is)) => news.push((is, now)),
                    Ok(Follows::Nothing | Follows::Taken(_)) => {}
                    // The end of a conversation in which nothing was heard.
                    Err(Trouble::Line(why)) => tracing::debug!("bridge {}: {why}", bridge.0.0),
                    Err(trouble) => return Err(trouble),
                }
            }
        }
        Ok(store.take_told(&news, &tally)?)
    }

    /// In the words of every source.
    fn means(
        &self,
        store: &mut Store,
        said: &bridge::Said,
        BridgeId(recorder): BridgeId,
        told: &Told,
        at: HubTicks,
    ) -> Result<Vec<Said>, StoreError> {
        let bridge::Said { device, facts, contact, .. } = said;
        let (device, contact) = (device.clone(), *contact);
        let mut all = vec![];
        let met = |facts| Said::Met { device: device.clone(), facts };
        if !self.devices.contains_key(&device) {
            all.push(met(facts.clone()));
        }
        match &said.meaning {
            Meaning::Value { link, characteristic, octets } => all.push(Said::Heard {
                device,
                contact,
                link: *link,
                origin: Some(hearth_core::capture::Origin {
                    recorder,
                    epoch: told.place.epoch,
                    number: told.place.number.into(),
                }),
                characteristic: *characteristic,
                octets: octets.clone(),
            }),
            Meaning::Facts(more) => {
                let mut facts = facts.clone();
                facts.add(more);
                all.push(met(facts));
            }
            Meaning::Clock { characteristic, octets, after_ms } => {
                let keeps = store.keeps(facts)?;
                let shown = keeps
                    .and_then(|keeps| hearth_core::radio::session::shown(keeps, *characteristic, octets)?.0);
                all.extend(shown.map(|shown| Said::Clock {
                    device,
                    contact,
                    face: shown.face,
                    shows: shown.civil,
                    asked: Some(at.ms.saturating_sub(i64::try_from(*after_ms).unwrap_or(i64::MAX))),
                }));
            }
            Meaning::Ended(how) => all.push(Said::Ended { device, contact, how: *how }),
            Meaning::Battery { .. } | Meaning::Lost { .. } | Meaning::Nothing => {}
        }
        Ok(all)
    }
}
