//! What a log tells of its devices, learned before the first value is written: by its profile, what a device's octets
//! mean; and by which days all times can be moved so that nobody judges them differently.

use super::mask::{MOST, Mask};
use super::stamps::moved;
use hearth_core::identity::Facts;
use hearth_core::profile::{Catalog, Via};
use hearth_core::quirk::Quirk;
use hearth_core::vendor::OmronLayout;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet};

/// Times move by so many years, as whole weeks: weekdays stay, and so does the season.
const YEARS: i64 = 8;

#[derive(Debug, Default)]
pub(super) struct Device {
    facts: Facts,
    /// Its clock was read in this log, and its stamps are compared with that.
    compared: bool,
    pub(super) quirks: Vec<Quirk>,
    /// Its memory is read, by one of two layouts.
    pub(super) omron: Option<OmronLayout>,
    resets_to: Vec<i16>,
    /// Days that its stamps name.
    dates: BTreeSet<Date>,
}

impl Device {
    /// A clock that was never set, by its profile's word: such a year alone dates nothing, and must go on to do so.
    pub(super) fn stays(&self, date: Date) -> bool {
        !self.compared && self.resets_to.contains(&date.year())
    }
}

#[derive(Debug, Default)]
pub(super) struct Devices {
    known: BTreeMap<String, Device>,
    /// Days of the log itself, and zones in which somebody reads stamps.
    days: BTreeSet<Date>,
    zones: BTreeSet<String>,
    /// The latest day that a stamp of this reach tells, by the last day of the reach.
    reaches: BTreeMap<Date, Date>,
    room: usize,
    pub(super) crowded: bool,
}

impl Devices {
    pub(super) fn new() -> Devices {
        Devices { room: MOST, ..Devices::default() }
    }

    pub(super) fn of(&mut self, who: &str) -> &mut Device {
        let full = self.known.len() >= MOST && !self.known.contains_key(who);
        self.crowded |= full;
        self.known.entry(if full { String::new() } else { who.to_owned() }).or_default()
    }

    pub(super) fn met(&mut self, who: &str, facts: &Facts) {
        self.of(who).facts.add(facts);
    }

    pub(super) fn compared(&mut self, who: &str) {
        self.of(who).compared = true;
    }

    pub(super) fn zone(&mut self, zone: &str) {
        if self.zones.len() < 64 {
            self.zones.insert(zone.to_owned());
        }
    }

    pub(super) fn day(&mut self, date: Date) {
        if self.days.len() < MOST {
            self.days.insert(date);
        }
    }

    /// A stamp tells this day, and can tell none after `last`.
    pub(super) fn tell(&mut self, who: &str, date: Date, last: Option<Date>) {
        if let Some(last) = last {
            let latest = self.reaches.entry(last).or_insert(date);
            *latest = date.max(*latest);
        }
        if self.room > 0 && self.of(who).dates.insert(date) {
            self.room -= 1;
        }
    }

    /// All was heard: what each device is, and by how many days times are moved. How many days of the log fare
    /// differently by that, where none of the choices is without.
    pub(super) fn settle(&mut self, catalog: &Catalog, mask: &Mask) -> (i64, usize) {
        for device in self.known.values_mut() {
            if let Some(profile) = catalog.recognize(&device.facts) {
                device.quirks.clone_from(&profile.quirks);
                let big = profile.quirks.contains(&Quirk::OmronBigEndian);
                let layout = if big { OmronLayout::BigEndian } else { OmronLayout::LittleEndian };
                device.omron = (profile.collect.via == Via::Vendor).then_some(layout);
                device.resets_to.clone_from(&profile.clock.resets_to);
            }
        }
        let mut choices: Vec<i64> =
            (1..=YEARS).map(|years| (years * 3_652_425 + 35_000) / 70_000 * 7).collect();
        choices.sort_by_key(|days| mask.order(*days));
        let costs = choices.into_iter().map(|days| (self.different(days), days));
        let (cost, days) = costs.min_by_key(|(cost, _)| *cost).unwrap_or((0, 364));
        (days, cost)
    }

    fn different(&self, days: i64) -> usize {
        let mut different =
            self.reaches.iter().filter(|(last, latest)| moved(**latest, days) > Some(**last)).count();
        for device in self.known.values() {
            let unset = |date: &Date| device.resets_to.contains(&date.year());
            // Where stamps are compared with the clock, such a year is looked at until the clock was read.
            let otherwise = |date: &&Date| {
                let will = moved(**date, days).is_some_and(|date| unset(&date));
                !device.stays(**date) && unset(date) != will
            };
            different += device.dates.iter().filter(otherwise).count();
        }
        let zones: Vec<TimeZone> = self.zones.iter().filter_map(|zone| TimeZone::get(zone).ok()).collect();
        let dates: BTreeSet<Date> =
            self.known.values().flat_map(|d| d.dates.iter()).chain(&self.days).copied().collect();
        for zone in zones {
            different += dates
                .iter()
                .filter(|date| clocks(&zone, **date) != clocks_moved(&zone, **date, days))
                .count();
        }
        different
    }
}

fn clocks_moved(zone: &TimeZone, date: Date, days: i64) -> Vec<i32> {
    moved(date, days).map(|date| clocks(zone, date)).unwrap_or_default()
}

/// By how much a zone's clocks are off UTC, each hour of a day there, and of the days around it.
fn clocks(zone: &TimeZone, date: Date) -> Vec<i32> {
    (-24..48)
        .filter_map(|hour| {
            let at = date.at(0, 0, 0, 0).checked_add(jiff::SignedDuration::from_hours(hour)).ok()?;
            let utc = TimeZone::UTC.to_timestamp(at).ok()?;
            Some(zone.to_offset(utc).seconds())
        })
        .collect()
}
