//! The bridges that this hub has met, and the lines on which it looks for them.

use super::super::words::Row;
use super::{Answer, Asked, trouble};
use crate::show::{Shown, count};
use crate::source::serial::{Port, State};
use crate::store::Bridge;
use hearth_core::bridge::Greeting;
use hearth_wire::frame::BridgeId;

impl Asked<'_> {
    pub(super) fn bridges(&mut self) -> Answer {
        let all = self.store.bridges().map_err(trouble)?;
        let lines = self.inside.bridges();
        let met = all.iter().map(|bridge| {
            let there = lines.iter().find_map(|(port, state)| match state {
                State::Talks { greeting, .. } if greeting.bridge == bridge.id => Some((port, greeting)),
                _ => None,
            });
            row(bridge, there).0
        });
        let others = lines.iter().filter_map(|(port, state)| Some(silent(port, why(state)?).0));
        let rows: Vec<_> = met.chain(others).collect();
        let said = match (all.len(), lines.len()) {
            (0, 0) => "No bridge was ever met: name its line under [hub] bridges.".to_owned(),
            (n, _) => count(n as u64, "bridge") + ".",
        };
        Ok(Shown::rows(rows, said))
    }

    /// What somebody has to see to.
    pub(super) fn bridge_troubles(&mut self) -> Result<Vec<String>, crate::show::Ending> {
        let mut said = vec![];
        for (port, state) in self.inside.bridges() {
            said.extend(why(&state).map(|why| format!("line {}: {why}", port.path.display())));
            let State::Talks { greeting, trouble, .. } = state else { continue };
            let not = "the bridge does not do what it is told of its devices";
            said.extend(trouble.map(|why| format!("line {}: {not}: {why}", port.path.display())));
            if let Some(newer) = greeting.went_back_from() {
                let now = greeting.firmware;
                said.push(format!(
                    "line {}: the bridge has gone back to firmware {now}: {newer} did not hold; `hearth bridge logs` \
                     may say why",
                    port.path.display()
                ));
            }
            if greeting.epoch == 0 {
                let why = if greeting.is_adopted {
                    "the bridge's memory is full, and it takes nothing until what it tells is committed here"
                } else {
                    "the bridge does not keep what it is told, and takes nothing: start it anew, or replace the board"
                };
                said.push(format!("line {}: {why}", port.path.display()));
            }
        }
        for bridge in self.store.bridges().map_err(trouble)? {
            let of = |n: u64, what: &str| format!("bridge {}: {} {what}", bridge.no.0, count(n, "record"));
            if bridge.lost > 0 {
                said.push(of(bridge.lost, "found no room there, and were lost"));
            }
            if bridge.missing > 0 {
                said.push(of(bridge.missing, "were not kept by its flash memory: replace the board"));
            }
            if bridge.odd > 0 {
                said.push(of(
                    bridge.odd,
                    "can't be read by this version, and are kept as they came: update the hub",
                ));
            }
        }
        Ok(said)
    }
}

/// Why nobody talks on a line.
fn why(state: &State) -> Option<String> {
    match state {
        State::Closed(why) => Some(format!("{why}; plug the bridge in, or mend [hub] bridges")),
        State::Silent => {
            Some("no bridge answers: is it the right line, and does the board run its firmware?".into())
        }
        State::Talks { .. } => None,
    }
}

fn row(bridge: &Bridge, there: Option<(&Port, &Greeting)>) -> Row {
    let BridgeId(id) = bridge.id;
    let row = Row::new()
        .with("bridge", bridge.no.0)
        .with("id", id.map(|octet| format!("{octet:02X}")).concat())
        .with("board", bridge.board.as_str())
        .with("firmware", bridge.firmware.to_string())
        .with("line", there.map(|(port, _)| port.path.display().to_string()))
        .with("is", if there.is_some() { "there" } else { "away" })
        .with("lost", bridge.lost)
        .with("missing", bridge.missing)
        .with("unread", bridge.odd);
    match there {
        Some((_, greeting)) => row.with("waited_there", greeting.waiting),
        None => row,
    }
}

fn silent(port: &Port, why: String) -> Row {
    Row::new().with("line", port.path.display().to_string()).with("is", why)
}
