use super::Ticks;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Malformed, NoRoom};

/// What time it is, for a bridge that sets its devices' clocks: at these ticks of this epoch so many milliseconds had passed since
/// 1970-01-01T00:00:00Z.
///
/// Layout: configuration u32, epoch u32, at u48, milliseconds u48, until u48.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeOfDay {
    /// The digest of the configuration whose clocks are set by it: that one has how far each is ahead of UTC, until then.
    pub configuration: u32,
    pub epoch: u32,
    pub at: Ticks,
    pub utc_ms: u64,
    /// From here on the bridge may have counted wrong, or a zone's clocks have changed.
    pub until: Ticks,
}

impl TimeOfDay {
    /// Whether clocks may be set by it now.
    pub fn holds(&self, now: Ticks) -> bool {
        self.at <= now && now < self.until
    }

    /// What a clock shows then that is so many seconds ahead of UTC, in milliseconds since 1970-01-01T00:00:00. `None`: it is before
    /// that.
    pub fn local_ms(&self, ahead_s: i32, at: Ticks) -> Option<u64> {
        let signed = |number: u64| i64::try_from(number).ok();
        let since = signed(at.0)?.checked_sub(signed(self.at.0)?)?;
        let ms = signed(self.utc_ms)?.checked_add(since)?.checked_add(i64::from(ahead_s) * 1_000)?;
        u64::try_from(ms).ok()
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            configuration: reader.u32("configuration")?,
            epoch: reader.u32("epoch")?,
            at: Ticks(reader.u48("ticks")?),
            utc_ms: reader.u48("milliseconds")?,
            until: Ticks(reader.u48("until")?),
        })
    }

    pub(super) fn write(self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u32("configuration", self.configuration)?;
        writer.u32("epoch", self.epoch)?;
        writer.u48("ticks", self.at.0)?;
        writer.u48("milliseconds", self.utc_ms)?;
        writer.u48("until", self.until.0)
    }
}
