//! What is asked of a device, in which order, by its profile and by what it offers.

use super::Known;
use super::clock::ClockWork;
use super::fact;
use crate::capture::Uuid16;
use crate::profile::{Kind, Profile, Via};
use hearth_wire::gatt::{BatteryLevel, UserControlPoint};
use hearth_wire::racp::RecordAccessControlPoint;
use std::collections::VecDeque;

/// A characteristic in its service: Date Time is in several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    pub service: u16,
    pub characteristic: Uuid16,
}

/// The properties with which a characteristic is offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Can {
    pub read: bool,
    /// With an answer.
    pub write: bool,
    pub notify: bool,
    pub indicate: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    pub place: Place,
    pub can: Can,
}

/// The characteristics that carry measurements of this kind of device.
pub fn measures(kind: Kind) -> &'static [Uuid16] {
    match kind {
        Kind::BloodPressureMonitor => {
            &[Uuid16::BLOOD_PRESSURE_MEASUREMENT, Uuid16::ENHANCED_BLOOD_PRESSURE_MEASUREMENT]
        }
        Kind::GlucoseMeter => &[Uuid16::GLUCOSE_MEASUREMENT, Uuid16::GLUCOSE_MEASUREMENT_CONTEXT],
        Kind::WeightScale | Kind::BodyCompositionAnalyzer => {
            &[Uuid16::WEIGHT_MEASUREMENT, Uuid16::BODY_COMPOSITION_MEASUREMENT]
        }
        Kind::Thermometer => &[Uuid16::TEMPERATURE_MEASUREMENT],
        Kind::PulseOximeter => &[Uuid16::PLX_SPOT_CHECK_MEASUREMENT],
        Kind::HeartRateMonitor => &[Uuid16::HEART_RATE_MEASUREMENT],
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Milliseconds.
    Pause(u64),
    Subscribe(Place),
    /// Nothing can come where no measurement could be subscribed to.
    Subscribed,
    ReadClock(Place),
    /// The user's place among those who are known.
    Consent(Place, usize),
    Collect(Place),
    Fact(Place),
    Drain,
    /// `first`: before anything else, whatever it shows.
    SetClock {
        first: bool,
    },
}

impl Step {
    /// Whether it is a request.
    pub(super) fn asks(self) -> bool {
        !matches!(self, Step::Pause(_) | Step::Subscribed | Step::Drain)
    }
}

/// The first place that offers the characteristic so; the kind's own service before others.
pub(super) fn find(
    offers: &[Offer],
    kind: Kind,
    characteristic: Uuid16,
    so: impl Fn(Can) -> bool,
) -> Option<Place> {
    let fits = || offers.iter().filter(|o| o.place.characteristic == characteristic && so(o.can));
    fits().find(|o| o.place.service == kind.service()).or_else(|| fits().next()).map(|o| o.place)
}

pub(super) fn tells(can: Can) -> bool {
    can.notify || can.indicate
}

pub(super) fn plan(profile: &Profile, known: &Known, offers: &[Offer], clock: &ClockWork) -> VecDeque<Step> {
    let kind = profile.kind;
    let find = |characteristic, so: fn(Can) -> bool| find(offers, kind, characteristic, so);
    let control_point = |characteristic: u16| find(Uuid16(characteristic), |can| can.write && tells(can));
    let readable = |characteristic| find(characteristic, |can| can.read);
    let (names, others): (Vec<Uuid16>, Vec<Uuid16>) =
        fact::unknown(&known.facts).partition(|fact| fact::names(profile.identity).contains(&fact.0));
    let mut plan = VecDeque::new();

    if clock.is_set_first() {
        plan.push_back(Step::SetClock { first: true });
    }
    if profile.collect.settle_ms > 0 {
        plan.push_back(Step::Pause(profile.collect.settle_ms.into()));
    }
    plan.extend(names.into_iter().filter_map(readable).map(Step::Fact));
    if profile.collect.via != Via::Vendor {
        let measurements = measures(kind).iter().filter_map(|m| find(*m, tells));
        plan.extend(measurements.map(Step::Subscribe));
        let records = (profile.collect.via == Via::Racp)
            .then(|| control_point(RecordAccessControlPoint::UUID))
            .flatten();
        let users = profile.collect.consent.then(|| control_point(UserControlPoint::UUID)).flatten();
        plan.extend([records, users, clock.listens()].into_iter().flatten().map(Step::Subscribe));
        plan.push_back(Step::Subscribed);
        plan.extend(clock.reads().map(Step::ReadClock));
        if let Some(place) = users {
            plan.extend((0..known.users.len()).flat_map(|user| [Step::Consent(place, user), Step::Drain]));
        }
        plan.extend(records.map(Step::Collect));
    }
    plan.extend(others.into_iter().filter_map(readable).map(Step::Fact));
    if !known.battery {
        plan.extend(readable(Uuid16(BatteryLevel::UUID)).map(Step::Fact));
    }
    if profile.collect.via != Via::Vendor {
        plan.extend([Step::Drain, Step::SetClock { first: false }]);
    }
    plan
}
