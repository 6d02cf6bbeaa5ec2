//! When what a scale shows is a weighing.
//!
//! Whoever steps on a scale sways, then stands. What it shows while they stand still is told, once, until the scale was empty. Before that
//! it has to have been seen empty: what lies on it already is no part of anybody's weight. While it is empty its zero follows what warmth and
//! moisture do to a load cell, and nothing that moves faster. Whatever else happens (something lies on it, it was not asked, its
//! converter failed) it has to be seen empty anew. Counts and instants go in, what there is to tell comes out.

use super::Trouble;
use super::still::{Shown, Still};
use hearth_wire::frame::Ticks;

/// What a load cell's converter shows: proportional to the load, from a zero that nobody knows beforehand.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Counts(pub i32);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Grams(pub i32);

/// What a technician has found out with a known mass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Calibration {
    /// With nothing on it.
    pub zero: Counts,
    /// So many more, or less, if the cell is the other way round, than that ...
    pub span: i32,
    /// ... under so many grams.
    pub mass: Grams,
}

/// What there is to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// A weighing.
    Settled(Grams),
    /// It has just stopped to work. Said once, until it works again.
    Fails(Trouble),
    WorksAgain,
}

/// From this on somebody is on it, below the other nobody is: what is between the two stays as it was.
const ON: Grams = Grams(2_000);
const OFF: Grams = Grams(1_000);
/// Whoever stands still sways by no more.
const SWAYS: i32 = 200;
/// An empty scale moves by no more.
const RESTS: i32 = 20;
/// In two seconds a zero moves by no more: what rests further from it lies on the scale, or was taken away from it.
const ZERO_STEP: i32 = 50;
/// So far may the zero have moved since the scale was calibrated. What is more lies on it.
const ZERO_RANGE: i32 = 300;
/// Between two samples. In a longer gap anybody may have come or gone.
const GAP_MS: u64 = 1_000;
/// A converter that is set up has nothing to show for less.
const SILENT_MS: u64 = 5_000;
/// When it was not seen empty for so long, it is said that something lies on it.
const LADEN_MS: u64 = 60_000;
/// What a scale in a home shows, at most; and how far below nothing, when somebody lifts it.
const POSSIBLE: core::ops::RangeInclusive<Grams> = Grams(-20_000)..=Grams(300_000);
/// While it is calibrated: an empty scale moves by no more than a 4000th of what its converter can show ...
const STEADY: i32 = 4_000;
/// ... a mass is seen at all, if it is so many counts ...
const SPAN: i32 = 5_000;
/// ... and moves by no more than this part of them.
const STEADY_PART: i32 = 500;

const MOVES: &str = "what the scale shows is not still yet: try again in a few seconds";

/// One scale.
#[derive(Clone, Debug)]
pub struct Weighing {
    calibration: Option<Calibration>,
    zero: Counts,
    load: Load,
    still: Still,
    trouble: Option<Trouble>,
    /// Of the last good sample; before the first, since when it is asked.
    last: Option<Ticks>,
    /// With nothing on it, as a technician has said just now.
    empty: Option<Counts>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Load {
    /// It was not seen empty since this instant.
    Unknown(Ticks),
    Empty,
    Somebody,
    Told,
}

impl Calibration {
    pub const LENGTH: usize = 12;

    /// `None`: it can't be one.
    #[must_use]
    pub fn of(zero: Counts, loaded: Counts, mass: Grams) -> Option<Calibration> {
        let span = loaded.0.checked_sub(zero.0)?;
        let mass_is_one = ON <= mass && mass <= *POSSIBLE.end();
        (mass_is_one && span.unsigned_abs() >= SPAN as u32).then_some(Calibration { zero, span, mass })
    }

    /// As a board's flash has it: zero, span, grams, each i32 with its lowest octet first.
    #[must_use]
    pub fn octets(&self) -> [u8; Calibration::LENGTH] {
        let mut octets = [0; Calibration::LENGTH];
        for (place, number) in octets.chunks_exact_mut(4).zip([self.zero.0, self.span, self.mass.0]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        octets
    }

    /// `None`: it is none.
    #[must_use]
    pub fn read(octets: &[u8]) -> Option<Calibration> {
        let octets: &[u8; Calibration::LENGTH] = octets.try_into().ok()?;
        let number = |n: usize| Some(i32::from_le_bytes(*octets.as_chunks().0.get(n)?));
        let (zero, span) = (number(0)?, number(1)?);
        Calibration::of(Counts(zero), Counts(zero.checked_add(span)?), Grams(number(2)?))
    }

    /// What these weigh beyond a zero.
    fn weighs(&self, counts: Counts, zero: Counts) -> Grams {
        self.grams(i64::from(counts.0) - i64::from(zero.0))
    }

    /// What so many counts beyond the zero weigh, rounded; a half away from zero.
    fn grams(&self, counts: i64) -> Grams {
        let (twice, span) = (2 * counts * i64::from(self.mass.0), i64::from(self.span));
        let half = if (twice < 0) == (span < 0) { span } else { -span };
        let grams = (twice + half) / (2 * span);
        Grams(grams.clamp(i32::MIN.into(), i32::MAX.into()) as i32)
    }
}

impl Weighing {
    /// Nothing is known of what lies on it. `None`: it was never calibrated.
    #[must_use]
    pub fn new(calibration: Option<Calibration>) -> Weighing {
        let zero = calibration.map_or(Counts(0), |calibration| calibration.zero);
        Weighing {
            calibration,
            zero,
            load: Load::Unknown(Ticks(0)),
            still: Still::new(),
            trouble: None,
            last: None,
            empty: None,
        }
    }

    /// The converter was asked. `Ok(None)`: it has nothing new.
    pub fn sample(&mut self, sample: Result<Option<Counts>, Trouble>, now: Ticks) -> Option<News> {
        let age_ms = now.0.saturating_sub(self.last.get_or_insert(now).0);
        let counts = match sample {
            Ok(Some(counts)) => counts,
            Ok(None) if age_ms > SILENT_MS => return self.fails(Trouble::Silent, now),
            Ok(None) => return None,
            Err(trouble) => return self.fails(trouble, now),
        };
        if age_ms > GAP_MS {
            self.begins_anew(now);
        }
        self.last = Some(now);
        self.still.push(counts);
        let Some(calibration) = self.calibration else { return self.says(Trouble::NotCalibrated) };
        let shown = calibration.weighs(counts, self.zero);
        if !POSSIBLE.contains(&shown) {
            // It may be the calibration that is wrong: what is shown is still of use for another.
            self.load = Load::Unknown(now);
            return self.says(Trouble::Impossible);
        }
        match self.shows(&calibration, shown, now) {
            Ok(Some(settled)) => Some(News::Settled(settled)),
            Ok(None) => self.trouble.take().map(|_| News::WorksAgain),
            Err(trouble) => self.says(trouble),
        }
    }

    /// What it showed before says nothing of what it will show.
    fn begins_anew(&mut self, now: Ticks) {
        (self.still, self.load, self.empty) = (Still::new(), Load::Unknown(now), None);
    }

    fn fails(&mut self, trouble: Trouble, now: Ticks) -> Option<News> {
        self.begins_anew(now);
        self.says(trouble)
    }

    /// Once.
    fn says(&mut self, trouble: Trouble) -> Option<News> {
        (self.trouble.replace(trouble) != Some(trouble)).then_some(News::Fails(trouble))
    }

    fn shows(
        &mut self,
        calibration: &Calibration,
        shown: Grams,
        now: Ticks,
    ) -> Result<Option<Grams>, Trouble> {
        let zero = self.zero;
        let weighs = |counts| calibration.weighs(counts, zero);
        let still = self.still.read();
        // Of a spread the sign says nothing but how the cell is wired.
        let moves_by =
            |most: i32| move |still: &Shown| calibration.grams(still.spread.into()).0.abs() <= most;
        let rests = still.filter(moves_by(RESTS)).map(|still| still.mean);
        match self.load {
            Load::Unknown(since) => match rests.filter(|mean| is_zero(calibration, *mean)) {
                Some(mean) => (self.zero, self.load) = (mean, Load::Empty),
                None if now.0.saturating_sub(since.0) >= LADEN_MS => return Err(Trouble::Laden),
                None => {}
            },
            Load::Empty if shown >= ON => {
                self.load = Load::Somebody;
                self.still = Still::new();
            }
            Load::Empty => match rests {
                Some(mean) if weighs(mean).0.abs() <= ZERO_STEP && is_zero(calibration, mean) => {
                    self.zero = mean
                }
                Some(_) => self.load = Load::Unknown(now),
                None => {}
            },
            Load::Somebody | Load::Told if shown < OFF => {
                self.load = Load::Empty;
                self.still = Still::new();
            }
            // Nobody is as light: something was left there.
            Load::Somebody | Load::Told if rests.is_some_and(|mean| weighs(mean) < ON) => {
                self.load = Load::Unknown(now);
            }
            Load::Somebody => {
                let settled = still.filter(moves_by(SWAYS)).map(|still| weighs(still.mean));
                if let Some(settled) = settled.filter(|settled| *settled >= ON) {
                    self.load = Load::Told;
                    return Ok(Some(settled));
                }
            }
            Load::Told => {}
        }
        Ok(None)
    }

    /// A technician says that nothing lies on it. `Err`: what they can do.
    pub fn is_empty_now(&mut self) -> Result<(), &'static str> {
        let still = self.still.read().filter(|still| still.spread <= STEADY).ok_or(MOVES)?;
        self.empty = Some(still.mean);
        Ok(())
    }

    /// A technician says that so much lies on it, and that nothing did before. It holds once it is kept: [`Weighing::new`].
    pub fn carries_now(&mut self, mass: Grams) -> Result<Calibration, &'static str> {
        let empty = self.empty.ok_or("say first that the scale is empty")?;
        let still = self.still.read().ok_or(MOVES)?;
        let calibration = Calibration::of(empty, still.mean, mass).ok_or(
            "the scale shows no such mass: use one of 2 to 300 kg, and look at how the load cell is wired",
        )?;
        if still.spread > calibration.span.abs() / STEADY_PART {
            return Err(MOVES);
        }
        Ok(calibration)
    }
}

/// Whether it may be that nothing lies on it.
fn is_zero(calibration: &Calibration, mean: Counts) -> bool {
    calibration.weighs(mean, calibration.zero).0.abs() <= ZERO_RANGE
}

#[cfg(test)]
mod tests;
