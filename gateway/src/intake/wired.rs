//! What the hub's own wired sensors wish: a measurement is committed.

use super::{Session, Trouble, until_room};
use crate::open::Inside;
use crate::source::lines::Said;
use crate::source::wired::Measured;
use crate::store::{Desk, Store};
use hearth_core::bridge;
use hearth_core::capture::Link;
use hearth_wire::frame::BridgeId;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Grants their wishes, one after the other, for ever.
pub(crate) async fn serve_wired(desk: Desk, inside: Arc<Inside>, mut wished: mpsc::Receiver<Measured>) {
    let mut session = Session::default();
    while let Some(measured) = wished.recv().await {
        let taken = until_room(
            &desk,
            "what a wired sensor measured",
            (session, measured),
            |store, (session, measured)| take(store, session, measured),
        );
        let Some((back, taken)) = taken.await else { return };
        // Each measurement is a contact of its own: such a sensor has no conversations.
        session = Session { devices: back.0.devices, ..Session::default() };
        match taken {
            Ok(all) => inside.released(all),
            Err(why) => tracing::error!("what a wired sensor measured was not kept: {why}"),
        }
    }
}

fn take(store: &mut Store, session: &mut Session, measured: &Measured) -> Result<super::Taken, Trouble> {
    let facts = bridge::wired(BridgeId(store.hub().system_id), measured.sensor);
    let device = facts.model.clone().unwrap_or_default();
    let mut all = vec![];
    if !session.devices.contains_key(&device) {
        all.push(Said::Met { device: device.clone(), facts });
    }
    all.push(Said::Heard {
        device,
        contact: 1,
        link: Link::Wired,
        origin: None,
        characteristic: measured.characteristic,
        octets: measured.octets.clone(),
    });
    session.take_all(store, all.iter().map(|said| (said, measured.at)), None)
}
