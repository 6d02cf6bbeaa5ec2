use hearth_wire::gatt::{BatteryLevel, PnpId, RegulatoryCertificationDataList, SystemId};
use serde_json::{Map, Value as Json, json};

pub(super) fn system_id(value: &SystemId, to: &mut Map<String, Json>) {
    let eui64 = value.eui64().map(|octet| format!("{octet:02X}"));
    to.insert("eui64".into(), json!(eui64.concat()));
    to.insert("dashed".into(), json!(eui64.join("-")));
}

pub(super) fn certification(list: &RegulatoryCertificationDataList<'_>, to: &mut Map<String, Json>) {
    to.insert("octets".into(), json!(crate::hex(list.0).to_lowercase()));
}

pub(super) fn pnp(pnp: &PnpId, to: &mut Map<String, Json>) {
    to.insert("vendor_id_source".into(), json!(pnp.vendor_id_source));
    to.insert("vendor_id".into(), json!(pnp.vendor_id));
    to.insert("product_id".into(), json!(pnp.product_id));
    to.insert("product_version".into(), json!(pnp.product_version));
}

pub(super) fn battery(battery: &BatteryLevel, to: &mut Map<String, Json>) {
    to.insert("battery_pct".into(), json!(battery.percent));
}
