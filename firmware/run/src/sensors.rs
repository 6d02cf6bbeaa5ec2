//! What is wired to the board, and when it is asked.

use crate::BUS;
use core::future::pending;
use embassy_time::{Duration, Instant, Timer, with_timeout};
use embedded_storage_async::nor_flash::NorFlash;
use firmware::flash::{Refused, Settings};
use firmware::sensor::{
    Calibration, Grams, LENGTH, LoadCell, News, ScaleNews, Sensor, Settling, Thermometer, Trouble, Weighing,
    measurement, weighing,
};
use hearth_wire::frame::said::Said;
use hearth_wire::frame::{Level, Outcome, Ticks};

/// A thermometer measures once a second, a scale ten times.
const OF_A_THERMOMETER: Duration = Duration::from_secs(1);
const OF_A_SCALE: Duration = Duration::from_millis(100);

/// A scale of the board's.
#[derive(Debug)]
pub struct Scale<C, F> {
    pub cell: C,
    /// Two pages: what it was calibrated to.
    pub calibration: F,
}

/// The board's sensors, where it has them.
pub(crate) struct Sensors<T, C, F> {
    thermometer: Option<Asked<T, Settling>>,
    scale: Option<Asked<C, Weighing>>,
    calibration: Option<Settings<F>>,
}

struct Asked<S, M> {
    sensor: S,
    means: M,
    next: Instant,
    every: Duration,
}

impl<S, M> Asked<S, M> {
    fn new(sensor: S, means: M, every: Duration) -> Self {
        Asked { sensor, means, next: Instant::now() + every, every }
    }

    /// `None`: it is not its turn.
    fn turn(asked: &mut Option<Self>) -> Option<&mut Self> {
        asked.as_mut().filter(|asked| Instant::now() >= asked.next)
    }

    /// It was asked. Who was asked late is not asked twice for that, and a bus that takes its time leaves the others some.
    fn was_asked(&mut self) {
        let now = Instant::now();
        let next = self.next + self.every;
        self.next = if next > now { next } else { now + self.every };
    }
}

/// What came of asking.
pub(crate) enum Tells<'b> {
    Said(Said<'b>),
    Log(Level, &'static str),
}

impl<T: Thermometer, C: LoadCell, F: NorFlash> Sensors<T, C, F> {
    pub(crate) async fn start(
        thermometer: Option<T>,
        scale: Option<Scale<C, F>>,
    ) -> Result<Self, Refused<F::Error>> {
        let thermometer = thermometer.map(|sensor| Asked::new(sensor, Settling::new(), OF_A_THERMOMETER));
        let Some(Scale { cell, calibration }) = scale else {
            return Ok(Sensors { thermometer, scale: None, calibration: None });
        };
        let mut kept = Settings::open(calibration).await?;
        let mut octets = [0; Calibration::LENGTH];
        let calibration = kept.load(&mut octets).await?.and_then(Calibration::read);
        let scale = Asked::new(cell, Weighing::new(calibration), OF_A_SCALE);
        Ok(Sensors { thermometer, scale: Some(scale), calibration: Some(kept) })
    }

    /// Until one of them is to be asked: for ever, if there is none.
    pub(crate) async fn due(&self) {
        let first =
            [self.thermometer.as_ref().map(|asked| asked.next), self.scale.as_ref().map(|asked| asked.next)];
        match first.into_iter().flatten().min() {
            Some(next) => Timer::at(next).await,
            None => pending().await,
        }
    }

    /// Asks whoever is due, of the two that are the thermometer first: the other one's turn is right after it.
    pub(crate) async fn ask<'b>(&mut self, now: Ticks, octets: &'b mut [u8; LENGTH]) -> Option<Tells<'b>> {
        let log = |level, words| Some(Tells::Log(level, words));
        if let Some(asked) = Asked::turn(&mut self.thermometer) {
            let sample = with_timeout(BUS, asked.sensor.sample()).await.unwrap_or(Err(Trouble::Silent));
            asked.was_asked();
            return match asked.means.sample(sample, now)? {
                News::Fails(trouble) => log(Level::Warning, Sensor::Thermometer.fails(trouble)),
                News::WorksAgain => log(Level::Info, Sensor::Thermometer.works_again()),
                News::Settled(temperature) => measurement(temperature, now, octets).map(Tells::Said),
            };
        }
        let asked = Asked::turn(&mut self.scale)?;
        let sample = with_timeout(BUS, asked.sensor.sample()).await.unwrap_or(Err(Trouble::Silent));
        asked.was_asked();
        match asked.means.sample(sample, now)? {
            ScaleNews::Fails(trouble) => log(Level::Warning, Sensor::Scale.fails(trouble)),
            ScaleNews::WorksAgain => log(Level::Info, Sensor::Scale.works_again()),
            ScaleNews::Settled(grams) => weighing(grams, now, octets).map(Tells::Said),
        }
    }

    /// A technician says that this lies on the scale, or nothing does.
    pub(crate) async fn calibrate(
        &mut self,
        mass: Option<Grams>,
    ) -> Result<Outcome<'static>, Refused<F::Error>> {
        let (Some(scale), Some(kept)) = (&mut self.scale, &mut self.calibration) else {
            return Ok(Outcome::Unknown);
        };
        let Some(mass) = mass else {
            return Ok(scale.means.is_empty_now().map_or_else(Outcome::Refused, |()| Outcome::Good));
        };
        let calibration = match scale.means.carries_now(mass) {
            Ok(calibration) => calibration,
            Err(why) => return Ok(Outcome::Refused(why)),
        };
        match kept.save(&calibration.octets()).await {
            Ok(()) => {}
            Err(Refused::DoesNotKeep) => return Ok(Outcome::Flash),
            Err(refused) => return Err(refused),
        }
        scale.means = Weighing::new(Some(calibration));
        Ok(Outcome::Good)
    }
}
