use hearth_wire::gatt::{CurrentElapsedTime, CurrentTime, DateTime, LocalTimeInformation, TimeResolution};
use serde_json::{Map, Value as Json, json};

use super::{insert, time};

pub(super) fn date_time(value: &DateTime, to: &mut Map<String, Json>) {
    to.insert("time".into(), time(*value));
}

pub(super) fn current_time(value: &CurrentTime, to: &mut Map<String, Json>) {
    date_time(&value.date_time, to);
    to.insert("day_of_week".into(), json!(value.day_of_week));
    to.insert("fractions256".into(), json!(value.fractions256));
    to.insert("adjust_reason".into(), json!(value.adjust_reason));
}

pub(super) fn local_time(local: &LocalTimeInformation, to: &mut Map<String, Json>) {
    let zone = local.time_zone_quarter_hours;
    let summer = local.dst_offset_quarter_hours;
    to.insert("tz_quarter_hours".into(), if zone == -128 { json!("unknown") } else { json!(zone) });
    to.insert("dst_quarter_hours".into(), if summer == 255 { json!("unknown") } else { json!(summer) });
}

pub(super) fn elapsed(elapsed: &CurrentElapsedTime, to: &mut Map<String, Json>) {
    // The decimal point stands so many digits from the end.
    let places = match elapsed.resolution {
        TimeResolution::Second => 0,
        TimeResolution::TenthOfSecond => 1,
        TimeResolution::Millisecond => 3,
        TimeResolution::TenthOfMillisecond => 4,
    };
    let digits = format!("{:0width$}", elapsed.time, width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    let point = if places == 0 { "" } else { "." };
    let seconds = format!("{whole}{point}{fraction}");
    to.insert("tick".into(), json!(elapsed.tick_counter));
    to.insert("utc".into(), json!(elapsed.utc));
    to.insert("current_timeline".into(), json!(elapsed.current_timeline));
    to.insert("sync_source".into(), json!(elapsed.sync_source));
    insert(to, "tz_quarter_hours", elapsed.offset().map(Json::from));
    if !elapsed.tick_counter {
        let time = elapsed.date_time().map_or_else(
            || json!({"invalid": true, "raw": seconds}),
            |time| json!(format!("{time}{point}{fraction}")),
        );
        to.insert("time".into(), time);
    }
    to.insert("seconds".into(), json!(seconds));
    insert(to, "clock_status", elapsed.clock.map(|clock| json!(clock.status)));
    insert(to, "clock_capabilities", elapsed.clock.map(|clock| json!(clock.capabilities)));
}
