//! What the radio wishes: what it heard is committed.

use super::{Session, until_room};
use crate::open::Inside;
use crate::source::ble::{TalkNo, Wish};
use crate::source::lines::Said;
use crate::store::Desk;
use hearth_core::capture::DeviceNo;
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
        Ok(all) => inside.released(all),
        Err(why) => tracing::error!("{what} was not kept: {why}"),
    }
    Some(session)
}
