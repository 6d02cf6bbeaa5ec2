//! What the radio wishes: what it heard is committed, and what it knows of the house's devices is kept.

use super::{Session, until_room};
use crate::open::Inside;
use crate::source::ble::{House, Member, TalkNo, Wish};
use crate::source::lines::Said;
use crate::store::{self, Desk, Store, StoreError};
use hearth_core::admit::News;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Facts;
use hearth_core::radio::{Change, Kept};
use hearth_core::when::HubTicks;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Grants the radio's wishes, one after the other, for ever.
pub(crate) async fn serve_radio(desk: Desk, inside: Arc<Inside>, mut wished: mpsc::Receiver<Wish>) {
    let mut talks: BTreeMap<TalkNo, Session> = BTreeMap::new();
    while let Some(wish) = wished.recv().await {
        match wish {
            Wish::Take { talk, no, said, done } => {
                let session = talks.remove(&talk).unwrap_or_default();
                let Some(session) = take(&desk, &inside, session, no, said).await else { return };
                talks.insert(talk, session);
                _ = done.send(());
            }
            Wish::ToldNothing { no, link, at } => {
                let Ok(told) = desk.ask(move |store| store.told_nothing(no, link, at)).await else { return };
                match told {
                    Ok(Some(committed)) => {
                        inside.committed(committed.due);
                        committed.release();
                    }
                    Ok(None) => {}
                    Err(error) => tracing::error!("device {}: that it told all was not kept: {error}", no.0),
                }
            }
            Wish::Over(talk) => _ = talks.remove(&talk),
            Wish::House(answer) => {
                let Ok((members, catalog)) = desk.ask(|s| (s.house(), Arc::clone(s.catalog()))).await else {
                    return;
                };
                match members {
                    Ok(members) => {
                        let members = members.into_iter().map(member).collect();
                        _ = answer.send(House { members, catalog });
                    }
                    Err(error) => tracing::error!("the house's devices could not be read: {error}"),
                }
            }
            Wish::Keep { no, change, done } => {
                let Ok(kept) = desk.ask(move |store| keep(store, no, &change)).await else { return };
                let kept = kept.unwrap_or_else(|error| {
                    tracing::error!("device {}: what the radio knows of it was not kept: {error}", no.0);
                    None
                });
                _ = done.send(kept);
            }
            Wish::TakeIn { facts, at, done } => {
                let Ok(taken) = desk.ask(move |store| take_in(store, facts, at)).await else { return };
                _ = done.send(taken.map_err(|error| error.to_string()));
            }
            Wish::LetGo { no, done } => {
                let Ok(gone) = desk.ask(move |store| let_go(store, no)).await else { return };
                _ = done.send(gone);
            }
        }
    }
    // Nobody wishes anything any more: the radio is gone, and with it the daemon.
}

/// Returns when the store has it. `None`: the store is closed.
async fn take(
    desk: &Desk,
    inside: &Inside,
    session: Session,
    no: DeviceNo,
    said: Vec<(Said, HubTicks)>,
) -> Option<Session> {
    let what = format!("what device {} told", no.0);
    let taken = until_room(desk, &what, (session, said), |store, (session, said)| {
        session.take_all(store, said.iter().map(|(said, at)| (said, *at)), None)
    });
    let ((session, _), taken) = taken.await?;
    match taken {
        Ok(all) => {
            for committed in all {
                inside.committed(committed.due);
                committed.release();
            }
        }
        Err(why) => tracing::error!("{what} was not kept: {why}"),
    }
    Some(session)
}

fn member(member: store::Member) -> Member {
    let zones = member.bindings.into_iter().map(|binding| (binding.from, binding.until, binding.zone));
    Member { device: member.device, kept: member.kept, zones: zones.collect() }
}

/// Of a device that left the house meanwhile nothing is kept.
fn keep(store: &mut Store, no: DeviceNo, change: &Change) -> Result<Option<Kept>, StoreError> {
    let Some(now) = store.kept(no)? else { return Ok(None) };
    let then = now.clone().with(change);
    if then != now {
        store.keep(no, Some(&then))?;
    }
    Ok(Some(then))
}

/// The store knows it, and that it is of the house. What was kept of it before is kept on, but for its bond.
fn take_in(store: &mut Store, facts: Facts, at: HubTicks) -> Result<DeviceNo, StoreError> {
    let no = store.meet(&facts, at)?;
    store.take(&News::Identity(no, facts), at)?.release();
    let before = store.kept(no)?.unwrap_or_default();
    store.keep(no, Some(&Kept { bond: Kept::default().bond, ..before }))?;
    Ok(no)
}

fn let_go(store: &mut Store, no: DeviceNo) -> Result<(), String> {
    match store.kept(no) {
        Ok(Some(_)) => store.keep(no, None).map_err(|error| error.to_string()),
        Ok(None) => Err(format!("device {} is not of the house; `hearth devices` lists them", no.0)),
        Err(error) => Err(error.to_string()),
    }
}
