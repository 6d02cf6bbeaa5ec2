//! The same plan for a bridge: it is made where nobody knows yet what the device offers, so it asks for all that such a device may have.

use super::Known;
use super::clock::ClockWork;
use super::plan::{self, Can, Offer, Place, Step, measures};
use crate::capture::Uuid16;
use crate::profile::Profile;
use hearth_wire::frame::plan as wire;
use hearth_wire::gatt::device_information::{
    FIRMWARE_REVISION, MANUFACTURER_NAME, MODEL_NUMBER, SERIAL_NUMBER,
};
use hearth_wire::gatt::{BatteryLevel, CurrentTime, DateTime, SystemId, UserControlPoint};
use hearth_wire::racp::RecordAccessControlPoint;
use jiff::Timestamp;

const DEVICE_INFORMATION: u16 = 0x180A;
const BATTERY: u16 = 0x180F;
const USER_DATA: u16 = 0x181C;
/// In whichever service it is.
const ANYWHERE: u16 = 0;

/// What a bridge does in each conversation with a device of this profile, as long as the device's clock is as far ahead of UTC as at
/// this time.
pub fn remote(profile: &Profile, known: &Known, now: Timestamp) -> Vec<wire::Step> {
    let own = profile.kind.service();
    let offer = |service, characteristic, can| Offer { place: Place { service, characteristic }, can };
    let read = Can { read: true, ..Can::default() };
    let tells = Can { notify: true, indicate: true, ..Can::default() };
    let controls = Can { write: true, ..tells };
    let facts = [SystemId::UUID, SERIAL_NUMBER, MANUFACTURER_NAME, MODEL_NUMBER, FIRMWARE_REVISION];
    let offers: Vec<Offer> = measures(profile.kind)
        .iter()
        .map(|measurement| offer(ANYWHERE, *measurement, tells))
        .chain(facts.map(|fact| offer(DEVICE_INFORMATION, Uuid16(fact), read)))
        .chain([
            offer(own, Uuid16(RecordAccessControlPoint::UUID), controls),
            offer(USER_DATA, Uuid16(UserControlPoint::UUID), controls),
            offer(BATTERY, Uuid16(BatteryLevel::UUID), read),
            offer(ANYWHERE, Uuid16(CurrentTime::UUID), read),
        ])
        .chain(
            profile.clock.set_by.map(|sets| offer(own, Uuid16(sets), Can { write: true, ..Can::default() })),
        )
        .collect();
    let clock = ClockWork::new(profile, known, &offers);
    let at = |place: Place| wire::Place { service: place.service, characteristic: place.characteristic.0 };
    let mut steps = vec![];
    for step in plan::plan(profile, known, &offers, &clock) {
        match step {
            Step::Pause(ms) => steps.push(wire::Step::Pause { ms: ms.try_into().unwrap_or(u16::MAX) }),
            Step::Subscribe(place) => steps.push(wire::Step::Subscribe(at(place))),
            Step::Fact(place) => steps.push(wire::Step::Read(at(place))),
            // One of the two tells it.
            Step::ReadClock(_) => steps.extend([CurrentTime::UUID, DateTime::UUID].map(|characteristic| {
                wire::Step::ReadClock(wire::Place { service: ANYWHERE, characteristic })
            })),
            Step::Consent(place, user) => {
                let user = known.users.get(user);
                steps.extend(user.map(|(slot, code)| wire::Step::Consent {
                    place: at(place),
                    user: slot.0,
                    code: *code,
                }));
            }
            Step::Collect(place) => {
                let from = known.cursor.filter(|_| !known.all).map(|cursor| cursor.number);
                steps.push(wire::Step::Collect { place: at(place), from });
            }
            Step::Drain => steps.push(wire::Step::Drain),
            // One that can't be read is set first, or not at all.
            Step::SetClock { first } if first || clock.reads().is_some() => {
                steps.extend(clock.sets(known, now).map(|(place, ahead_s)| wire::Step::SetClock {
                    place: at(place),
                    ahead_s,
                    beyond_s: (!first).then_some(clock.limit_s()),
                }));
            }
            Step::Subscribed | Step::SetClock { .. } => {}
        }
    }
    steps
}
