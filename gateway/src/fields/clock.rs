use super::{Put, time};
use crate::show::Fields;
use hearth_wire::gatt::{CurrentElapsedTime, CurrentTime, DateTime, LocalTimeInformation};
use serde_json::json;

pub(super) fn date_time(m: &DateTime) -> Fields {
    Put::default().always("time", time(*m)).0
}

pub(super) fn current_time(m: &CurrentTime) -> Fields {
    Put::default()
        .always("time", time(m.date_time))
        .always("day_of_week", json!(m.day_of_week))
        .always("fractions256", json!(m.fractions256))
        .always("adjust_reason", json!(m.adjust_reason))
        .0
}

pub(super) fn local_time(m: &LocalTimeInformation) -> Fields {
    let zone = Some(m.time_zone_quarter_hours).filter(|zone| *zone != -128);
    let summer = Some(m.dst_offset_quarter_hours).filter(|summer| *summer != 255);
    Put::default()
        .always("tz_quarter_hours", zone.map_or(json!("unknown"), |z| json!(z)))
        .always("dst_quarter_hours", summer.map_or(json!("unknown"), |s| json!(s)))
        .0
}

pub(super) fn elapsed(m: &CurrentElapsedTime) -> Fields {
    let second = m.resolution.counts_per_second();
    // 1, 10, 1,000 or 10,000 counts: no digit, one, three or four behind the point.
    let fraction = match second.ilog10() as usize {
        0 => String::new(),
        places => format!(".{:0places$}", m.time % second),
    };
    let seconds = format!("{}{fraction}", m.time / second);
    let shown = match m.date_time() {
        Some(time) => json!(format!("{time}{fraction}")),
        None => json!({ "invalid": true, "raw": seconds }),
    };
    Put::default()
        .always("tick", json!(m.tick_counter))
        .always("utc", json!(m.utc))
        .always("current_timeline", json!(m.current_timeline))
        .always("sync_source", json!(m.sync_source))
        .given("tz_quarter_hours", m.offset(), |o| json!(o))
        .always("seconds", json!(seconds))
        .given("time", (!m.tick_counter).then_some(shown), |t| t)
        .given("clock_status", m.clock, |c| json!(c.status))
        .given("clock_capabilities", m.clock, |c| json!(c.capabilities))
        .reserved(m.reserved_flags)
        .0
}
