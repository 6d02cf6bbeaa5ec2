//! What a device says of itself: Device Information, and its battery.

use super::Tell;
use crate::capture::Uuid16;
use crate::identity::Facts;
use crate::profile::IdentitySource;
use hearth_wire::gatt::device_information::{
    FIRMWARE_REVISION, MANUFACTURER_NAME, MODEL_NUMBER, SERIAL_NUMBER, text,
};
use hearth_wire::gatt::{BatteryLevel, SystemId};

/// What names a device whose profile says so.
pub(super) fn names(source: IdentitySource) -> &'static [u16] {
    match source {
        IdentitySource::SystemId => &[SystemId::UUID],
        IdentitySource::Serial => &[SERIAL_NUMBER, MANUFACTURER_NAME],
        IdentitySource::Address => &[],
    }
}

/// What is read where it is not known yet.
pub(super) fn unknown(known: &Facts) -> impl Iterator<Item = Uuid16> {
    [
        (SystemId::UUID, known.system_id.is_none()),
        (SERIAL_NUMBER, known.serial.is_none()),
        (MANUFACTURER_NAME, known.manufacturer.is_none()),
        (MODEL_NUMBER, known.model.is_none()),
        (FIRMWARE_REVISION, known.firmware.is_none()),
    ]
    .into_iter()
    .filter_map(|(characteristic, unknown)| unknown.then_some(Uuid16(characteristic)))
}

/// What the value of one of these characteristics says. `None`: nothing.
pub(crate) fn told(characteristic: Uuid16, octets: &[u8]) -> Option<Tell> {
    if characteristic.0 == BatteryLevel::UUID {
        let percent = BatteryLevel::decode(octets).ok()?.value.percent;
        return (percent <= 100).then_some(Tell::Battery { percent });
    }
    let text = || text(octets).ok().filter(|text| !text.is_empty()).map(str::to_owned);
    let mut facts = Facts::default();
    match characteristic.0 {
        SystemId::UUID => facts.system_id = SystemId::decode(octets).ok().map(|decoded| decoded.value),
        SERIAL_NUMBER => facts.serial = text(),
        MANUFACTURER_NAME => facts.manufacturer = text(),
        MODEL_NUMBER => facts.model = text(),
        FIRMWARE_REVISION => facts.firmware = text(),
        _ => {}
    }
    (facts != Facts::default()).then_some(Tell::Facts(facts))
}
