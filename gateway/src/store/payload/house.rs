//! A device of the house, as the radio left it.

use super::{Payload, Unreadable};
use hearth_core::capture::Name;
use hearth_core::identity::Slot;
use hearth_core::radio::bond::Bond;
use hearth_core::radio::session::Cursor;
use hearth_core::radio::{Kept, User};
use hearth_wire::frame::BridgeId;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
enum BondRow {
    Fresh,
    Good,
    Doubtful { against: u8, mended: bool },
    Stale { mended: bool },
}

impl From<Bond> for BondRow {
    fn from(bond: Bond) -> BondRow {
        match bond {
            Bond::Fresh => BondRow::Fresh,
            Bond::Good => BondRow::Good,
            Bond::Doubtful { against, mended } => BondRow::Doubtful { against, mended },
            Bond::Stale { mended } => BondRow::Stale { mended },
        }
    }
}

impl From<BondRow> for Bond {
    fn from(row: BondRow) -> Bond {
        match row {
            BondRow::Fresh => Bond::Fresh,
            BondRow::Good => Bond::Good,
            BondRow::Doubtful { against, mended } => Bond::Doubtful { against, mended },
            BondRow::Stale { mended } => Bond::Stale { mended },
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct KeptRow {
    bond: BondRow,
    /// A record's number and name.
    cursor: Option<(u16, [u8; 32])>,
    /// Slot, code, whether it was refused.
    users: Vec<(u8, u16, bool)>,
    battery: Option<u8>,
    bridge: Option<[u8; 8]>,
}

impl Payload for KeptRow {
    /// 2: bridge.
    const VERSION: u8 = 2;
}

impl From<&Kept> for KeptRow {
    fn from(kept: &Kept) -> KeptRow {
        KeptRow {
            bond: kept.bond.into(),
            cursor: kept.cursor.map(|cursor| (cursor.number, cursor.name.0)),
            users: kept.users.iter().map(|user| (user.slot.0, user.code, user.refused)).collect(),
            battery: kept.battery,
            bridge: kept.bridge.map(|BridgeId(id)| id),
        }
    }
}

impl TryFrom<KeptRow> for Kept {
    type Error = Unreadable;

    fn try_from(row: KeptRow) -> Result<Kept, Unreadable> {
        if row.battery.is_some_and(|percent| percent > 100) {
            return Err(Unreadable::Field("battery"));
        }
        let user = |(slot, code, refused)| User { slot: Slot(slot), code, refused };
        Ok(Kept {
            bond: row.bond.into(),
            cursor: row.cursor.map(|(number, name)| Cursor { number, name: Name(name) }),
            users: row.users.into_iter().map(user).collect(),
            battery: row.battery,
            bridge: row.bridge.map(BridgeId),
        })
    }
}
