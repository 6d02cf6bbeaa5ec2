use super::{Put, hex};
use crate::show::Fields;
use hearth_wire::gatt::{BatteryLevel, PnpId, RegulatoryCertificationDataList, SystemId, device_information};
use serde_json::json;

pub(super) fn system_id(id: &SystemId) -> Fields {
    let eui = id.eui64();
    let dashed: Vec<String> = eui.iter().map(|octet| format!("{octet:02X}")).collect();
    Put::default().always("eui64", json!(dashed.concat())).always("dashed", json!(dashed.join("-"))).0
}

/// A string of the Device Information Service.
pub(super) fn text(octets: &[u8]) -> Result<Fields, String> {
    let text = device_information::text(octets).map_err(|e| e.to_string())?;
    Ok(Put::default().always("text", json!(text)).0)
}

pub(super) fn certification(m: &RegulatoryCertificationDataList<'_>) -> Fields {
    Put::default().always("octets", hex(m.0)).0
}

pub(super) fn pnp(m: &PnpId) -> Fields {
    Put::default()
        .always("vendor_id_source", json!(m.vendor_id_source))
        .always("vendor_id", json!(m.vendor_id))
        .always("product_id", json!(m.product_id))
        .always("product_version", json!(m.product_version))
        .0
}

pub(super) fn battery(m: &BatteryLevel) -> Fields {
    Put::default().always("battery_pct", json!(m.percent)).0
}
