//! What those who meet devices wish of the house: who is of it, and what is kept of each.

use crate::open::Inside;
use crate::source::house::{House, Member, Wish};
use crate::store::{self, Desk, Store, StoreError};
use hearth_core::admit::News;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Facts;
use hearth_core::radio::{Change, Kept};
use hearth_core::when::HubTicks;
use hearth_wire::frame::BridgeId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Grants the wishes of the radio and of all bridges, one after the other, for ever. Whoever changes the house, all are told.
pub(crate) async fn serve_house(desk: Desk, inside: Arc<Inside>, mut wished: mpsc::Receiver<Wish>) {
    while let Some(wish) = wished.recv().await {
        match wish {
            Wish::House(answer) => {
                let Ok((members, catalog)) = desk.ask(|s| (s.house(), Arc::clone(s.catalog()))).await else {
                    return;
                };
                let members = members
                    .inspect_err(|error| tracing::error!("the house's devices could not be read: {error}"));
                let all = |members: Vec<_>| members.into_iter().map(member).collect();
                _ = answer.send(members.ok().map(|members| House { members: all(members), catalog }));
            }
            Wish::Keep { no, change, done } => {
                let Ok(kept) = desk.ask(move |store| keep(store, no, &change)).await else { return };
                let kept = kept.unwrap_or_else(|error| {
                    tracing::error!("device {}: what the radio knows of it was not kept: {error}", no.0);
                    None
                });
                _ = done.send(kept);
            }
            Wish::TakeIn { facts, bridge, at, done } => {
                let Ok(taken) = desk.ask(move |store| take_in(store, facts, bridge, at)).await else {
                    return;
                };
                _ = done.send(taken.map_err(|error| error.to_string()));
                inside.house_changed();
            }
            Wish::LetGo { no, done } => {
                let Ok(gone) = desk.ask(move |store| let_go(store, no)).await else { return };
                _ = done.send(gone);
                inside.house_changed();
            }
        }
    }
}

fn member(member: store::Member) -> Member {
    let zones = member.bindings.into_iter().map(|binding| (binding.from, binding.until, binding.zone));
    Member { device: member.device, kept: member.kept, zones: zones.collect() }
}

/// Of a device that left the house meanwhile nothing is kept.
pub(super) fn keep(store: &mut Store, no: DeviceNo, change: &Change) -> Result<Option<Kept>, StoreError> {
    let Some(now) = store.kept(no)? else { return Ok(None) };
    let then = now.clone().with(change);
    if then != now {
        store.keep(no, Some(&then))?;
    }
    Ok(Some(then))
}

/// The store knows it, and that it is of the house. What was kept of it before is kept on, but for its bond.
fn take_in(
    store: &mut Store,
    facts: Facts,
    bridge: Option<BridgeId>,
    at: HubTicks,
) -> Result<DeviceNo, StoreError> {
    let no = store.meet(&facts, at)?;
    store.take(&News::Identity(no, facts), at)?.release();
    let before = store.kept(no)?.unwrap_or_default();
    // Whoever meets it from now on has not seen its battery.
    let battery = before.battery.filter(|_| before.bridge == bridge);
    store.keep(no, Some(&Kept { bond: Kept::default().bond, bridge, battery, ..before }))?;
    Ok(no)
}

pub(crate) fn let_go(store: &mut Store, no: DeviceNo) -> Result<(), String> {
    match store.kept(no) {
        Ok(Some(_)) => store.keep(no, None).map_err(|error| error.to_string()),
        Ok(None) => Err(format!("device {} is not of the house; `hearth devices` lists them", no.0)),
        Err(error) => Err(error.to_string()),
    }
}
