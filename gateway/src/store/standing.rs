//! Where the store stands: its last tick, what a record became, and where a meter is asked from next.

use super::{Store, StoreError};
use hearth_core::admit::Fate;
use hearth_core::capture::DeviceNo;
use hearth_core::reading::Reading;
use hearth_core::when::HubTicks;

impl Store {
    /// The highest tick of the latest boot. `None`: no boot was counted yet.
    pub fn last_ticks(&mut self) -> Result<Option<HubTicks>, StoreError> {
        self.read(|rows| {
            let boots = rows.boots()?;
            Ok(boots.all.last_key_value().map(|(boot, b)| HubTicks { boot: *boot, ms: b.last }))
        })
    }

    /// The reading that a record was admitted as, if that is its fate.
    pub fn reading_of(&mut self, fate: &Fate) -> Result<Option<Reading>, StoreError> {
        let Fate::Admitted(key, issue) = fate else { return Ok(None) };
        self.read(|rows| Ok(rows.reading_by_key(key, *issue)?.map(|kept| kept.reading)))
    }

    /// Where to ask a meter from: at the least sequence among its records that wait for their partner, else
    /// after the last one that was new. `None`: from the beginning.
    pub fn cursor(&mut self, device: DeviceNo) -> Result<Option<u16>, StoreError> {
        let (recorder, epoch) = (self.hub.system_id, self.epoch);
        self.read(|rows| {
            if let Some(waits) = rows.least_without_partner(device)? {
                return Ok(Some(waits));
            }
            Ok(rows.last_sequence(device, &recorder, epoch)?.map(|last| last.wrapping_add(1)))
        })
    }
}
