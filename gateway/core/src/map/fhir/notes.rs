//! Doubts in plain English: one door for everything that is said beside a value.

use super::content::Note;
use super::scene::Scene;
use crate::map::bits::Bit;
use crate::map::codes;
use crate::profile::Keeps;
use crate::reading::{Doubt, Quantity};
use crate::when::Source;

/// What is said of the measurement: everything but its status bits ([`bits`]).
/// An average that the device made itself says so (CLINICAL 2).
pub(super) fn on_measurement(scene: &Scene<'_>) -> Vec<Note> {
    let averaged = scene
        .parcel
        .profile
        .averaged
        .then_some(Note::Borrowed("Average of several measurements, calculated by the device"));
    let doubts = scene.parcel.reading.doubts.iter().filter_map(|doubt| note(*doubt, scene));
    averaged.into_iter().chain(unheard(scene)).chain(doubts).collect()
}

/// What is said of a companion that is a quantity: how its time is known, and whether it is unusual itself.
pub(super) fn on_companion(quantity: Quantity, scene: &Scene<'_>) -> Vec<Note> {
    let concerns = |doubt: &&Doubt| !matches!(doubt, Doubt::Extreme(other) if *other != quantity);
    let doubts = scene.parcel.reading.doubts.iter().filter(concerns).filter_map(|doubt| note(*doubt, scene));
    unheard(scene).into_iter().chain(doubts).collect()
}

/// What the set bits say.
pub(super) fn bits(set: &[Bit]) -> impl Iterator<Item = Note> {
    set.iter().map(|bit| Note::Borrowed(bit.note))
}

fn unheard(scene: &Scene<'_>) -> Option<Note> {
    (scene.parcel.reading.when.source == Source::Heard)
        .then_some(Note::Borrowed("The device sent no time: this is when the hub received it"))
}

/// `None`: a status bit says it already.
fn note(doubt: Doubt, scene: &Scene<'_>) -> Option<Note> {
    Some(match doubt {
        Doubt::BodyMovement
        | Doubt::CuffTooLoose
        | Doubt::ImproperPosition
        | Doubt::IrregularPulse
        | Doubt::PulseAboveLimit
        | Doubt::PulseBelowLimit
        | Doubt::Sensor(_)
        | Doubt::Oximeter { .. } => return None,
        Doubt::NoContact => "Sensor reported: no contact with the skin".into(),
        Doubt::Extreme(quantity) => {
            format!("Unusual value, as sent by the device: {}", codes::of(quantity).text).into()
        }
        Doubt::ClockUnverified => {
            "The time is the device's own: nobody compared its clock with the hub's".into()
        }
        Doubt::OffsetChanged => {
            "The device sent this record again with another time offset: the first one stands".into()
        }
        Doubt::ClockOff => clock_off(scene),
        Doubt::Broadcast => {
            "Received as a broadcast without protection: anybody in radio range could have sent it".into()
        }
    })
}

fn clock_off(scene: &Scene<'_>) -> Note {
    let when = &scene.parcel.reading.when;
    let Some(correction) = when.correction_s else {
        return "The device's clock differs from the hub's by more than it should".into();
    };
    // A clock that keeps local time differs from UTC by its zone, and that is no fault.
    let zone = match scene.parcel.profile.clock.keeps {
        Keeps::Utc => 0,
        Keeps::LocalTime | Keeps::Nothing => i64::from(when.offset.seconds()),
    };
    let slow = correction.saturating_add(zone);
    let way = if slow < 0 { "fast" } else { "slow" };
    format!(
        "The device's clock was {} seconds {way}: the time is corrected by the hub's",
        slow.unsigned_abs()
    )
    .into()
}
