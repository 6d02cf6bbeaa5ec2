//! The devices of the house: those that a person took in. What the radio keeps of each lies beside it.

use super::{Store, StoreError};
use hearth_core::admit::Device;
use hearth_core::capture::DeviceNo;
use hearth_core::identity::Binding;
use hearth_core::radio::Kept;

/// A device of the house.
#[derive(Clone, Debug)]
pub struct Member {
    pub device: Device,
    pub kept: Kept,
    /// All that were ever said of it and are not replaced: whose clock it may show.
    pub bindings: Vec<Binding>,
}

impl Store {
    /// All devices of the house.
    pub fn house(&mut self) -> Result<Vec<Member>, StoreError> {
        self.read(|rows| {
            let bindings = rows.bindings()?;
            let mut house = vec![];
            for no in rows.devices()? {
                if let Some(kept) = rows.kept(no)? {
                    let bindings = bindings.iter().filter(|b| b.device == no).cloned().collect();
                    house.push(Member { device: rows.device(no)?, kept, bindings });
                }
            }
            Ok(house)
        })
    }

    /// What is kept of one of them. `None`: not of the house.
    pub fn kept(&mut self, device: DeviceNo) -> Result<Option<Kept>, StoreError> {
        self.read(|rows| rows.kept(device))
    }

    /// Takes a device into the house, or keeps what became of it; `None` lets it go. What it told stays.
    pub fn keep(&mut self, device: DeviceNo, kept: Option<&Kept>) -> Result<(), StoreError> {
        self.write(|rows| {
            rows.device(device)?;
            rows.keep(device, kept)
        })
    }
}
