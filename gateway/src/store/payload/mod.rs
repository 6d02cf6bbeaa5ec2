//! What lies inside payload columns: private row structs, written by `postcard` after an octet of version.
//!
//! The core's types are not `Serialize` on purpose: what lies on disk is a promise of this room alone, and a
//! field renamed in the core must not change it. So each row struct is written out here, with the two
//! conversions by hand. A struct that has to change gets the next version, and its old shape stays readable: each version
//! adds one field at the end, and what an old row says of it is nothing, which `postcard` writes as a 0.

mod binding;
mod bridge;
mod device;
mod house;
mod outbox;
mod reading;
mod record;
mod time;

pub(super) use binding::{BindingRow, CertifiedRow, PersonAtRow};
pub(super) use bridge::{BridgeRow, OddRow};
pub(super) use device::{DeviceRow, HubRow, SamplesRow};
pub(super) use house::KeptRow;
pub(super) use outbox::{ClearedRow, ReceiptRow, SaidRow};
pub(super) use reading::ReadingRow;
pub(super) use record::{CaptureRow, HoldRow, Parts, RecordRow};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A struct that lies in a payload column.
pub(super) trait Payload: Serialize + DeserializeOwned {
    const VERSION: u8;
}

/// Why octets are not the payload that they should be. Points at us: nobody else writes here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    Version(u8),
    Shape,
    /// A field holds what its type can't: which one.
    Field(&'static str),
}

pub(super) fn write<P: Payload>(payload: &P) -> Vec<u8> {
    postcard::to_extend(payload, vec![P::VERSION])
        .expect("a row struct has only fields that postcard knows, and a vector has room")
}

pub(super) fn read<P: Payload>(octets: &[u8]) -> Result<P, Unreadable> {
    match octets.split_first() {
        Some((&version, rest)) if version == P::VERSION => {
            postcard::from_bytes(rest).map_err(|_| Unreadable::Shape)
        }
        Some((&version, rest)) if (1..P::VERSION).contains(&version) => {
            let later = vec![0; usize::from(P::VERSION - version)];
            postcard::from_bytes(&[rest, &later].concat()).map_err(|_| Unreadable::Shape)
        }
        Some((&version, _)) => Err(Unreadable::Version(version)),
        None => Err(Unreadable::Shape),
    }
}

/// A fieldless enum of the core, and its twin on disk: the order of the variants is the promise.
macro_rules! twin {
    ($row:ident = $core:path { $($variant:ident),+ $(,)? }) => {
        #[derive(Clone, Copy, serde::Serialize, serde::Deserialize)]
        pub(crate) enum $row { $($variant),+ }

        impl From<$core> for $row {
            fn from(core: $core) -> $row {
                use $core as Core;
                match core { $(Core::$variant => $row::$variant),+ }
            }
        }

        impl From<$row> for $core {
            fn from(row: $row) -> $core {
                use $core as Core;
                match row { $($row::$variant => Core::$variant),+ }
            }
        }
    };
}
use twin;
