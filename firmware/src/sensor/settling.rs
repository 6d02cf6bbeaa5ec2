//! When what a probe shows is a measurement.
//!
//! A probe that is put to a body rises fast, then ever more slowly. It has settled when it rises no more; what it shows then is told, once,
//! until it was away from the body. Samples and instants go in, what there is to tell comes out.

use super::{Temperature, Trouble};
use hearth_wire::frame::Ticks;

/// Below this no probe is at a body.
const AWAY: Temperature = Temperature::degrees(33);
/// From this on it is. Between the two it stays as it was: a probe at the border is not put there again and again.
const AT_A_BODY: Temperature = Temperature::degrees(34);
/// A twentieth of a degree, as 256ths: what rises by more has not settled. Also, as 13 of them are more, and 12 are less.
const RISE: i32 = 12;
/// Three tenths of a degree. A highest sample so far above what is shown now was none of this body, or the probe has slipped.
const FALL: i32 = 77;
/// It has settled when it has not risen for so long.
const STILL_MS: u64 = 20_000;
/// Between two samples. What happened in a longer gap nobody knows, and the probe has to be still for as long again.
const GAP_MS: u64 = 3_000;

/// What there is to tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// A measurement.
    Settled(Temperature),
    /// The sensor has just stopped to work. Said once, until it works again.
    Fails(Trouble),
    WorksAgain,
}

/// One probe.
#[derive(Clone, Debug)]
pub struct Settling {
    probe: Probe,
    fails: bool,
    /// Of the last good sample.
    last: Ticks,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Probe {
    Resting,
    Rising {
        /// Of the samples since it was put there.
        highest: Temperature,
        /// The one from which a rise counts, and when it was shown.
        from: Temperature,
        since: Ticks,
    },
    Told,
}

impl Settling {
    /// Nothing is known of the probe. One that is at a body already settles, and is told: a measurement more is better than none.
    #[must_use]
    pub fn new() -> Settling {
        Settling { probe: Probe::Resting, fails: false, last: Ticks(0) }
    }

    /// The sensor was asked.
    pub fn sample(&mut self, sample: Result<Temperature, Trouble>, now: Ticks) -> Option<News> {
        let sample = match sample {
            Ok(sample) if sample.is_possible() => sample,
            fails => {
                let trouble = fails.err().unwrap_or(Trouble::Impossible);
                // What is known of the probe stays: a fault must not make two measurements of one.
                return (!core::mem::replace(&mut self.fails, true)).then_some(News::Fails(trouble));
            }
        };
        let settled = self.shows(sample, now);
        self.last = now;
        // The second is said with the next sample: a probe that settles just now does not wait for it.
        match settled {
            Some(settled) => Some(News::Settled(settled)),
            None => core::mem::take(&mut self.fails).then_some(News::WorksAgain),
        }
    }

    fn shows(&mut self, sample: Temperature, now: Ticks) -> Option<Temperature> {
        let anew = Probe::Rising { highest: sample, from: sample, since: now };
        let gap = now.0.saturating_sub(self.last.0) > GAP_MS;
        match self.probe {
            _ if sample < AWAY => self.probe = Probe::Resting,
            Probe::Resting if sample >= AT_A_BODY => self.probe = anew,
            // Nobody knows where it was in a gap: whoever has it now is measured anew.
            Probe::Told if gap && sample >= AT_A_BODY => self.probe = anew,
            // It was taken away before it had settled, and is still warm.
            Probe::Rising { .. } if sample < AT_A_BODY => self.probe = Probe::Resting,
            Probe::Resting | Probe::Told => {}
            Probe::Rising { highest, from, .. }
                if gap || sample.0 - from.0 > RISE || highest.0 - sample.0 > FALL =>
            {
                self.probe = anew;
            }
            Probe::Rising { highest, from, since } => {
                let highest = highest.max(sample);
                if now.0.saturating_sub(since.0) >= STILL_MS {
                    self.probe = Probe::Told;
                    return Some(highest);
                }
                self.probe = Probe::Rising { highest, from, since };
            }
        }
        None
    }
}

impl Default for Settling {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sample a second, in hundredths of a degree; what came of it, and in which second.
    #[derive(Debug)]
    struct Bench {
        settling: Settling,
        second: u64,
        news: Vec<(u64, News)>,
    }

    impl Bench {
        fn new() -> Bench {
            Bench { settling: Settling::new(), second: 0, news: vec![] }
        }

        fn sample(&mut self, sample: Result<Temperature, Trouble>) {
            self.second += 1;
            let news = self.settling.sample(sample, Ticks(self.second * 1_000));
            self.news.extend(news.map(|news| (self.second, news)));
        }

        fn shows(&mut self, hundredths: i32, seconds: usize) {
            (0..seconds).for_each(|_| self.sample(Ok(shown(hundredths))));
        }

        fn told(&mut self) -> Vec<(u64, News)> {
            std::mem::take(&mut self.news)
        }
    }

    /// The nearest that a sensor of 128ths can show.
    fn shown(hundredths: i32) -> Temperature {
        Temperature((hundredths * 128 + 50) / 100 * 2)
    }

    fn settled(hundredths: i32) -> News {
        News::Settled(shown(hundredths))
    }

    #[test]
    fn a_probe_that_rises_and_settles_is_told_once() {
        let mut bench = Bench::new();
        bench.shows(21_50, 30);
        for step in [28_00, 32_00, 34_50, 35_60, 36_20, 36_50, 36_58] {
            bench.shows(step, 1);
        }
        // Second 37 showed what did not rise any more.
        bench.shows(36_60, 300);
        assert_eq!(bench.told(), [(57, settled(36_60))]);
    }

    #[test]
    fn it_is_told_anew_when_it_was_away() {
        let mut bench = Bench::new();
        bench.shows(36_60, 40);
        assert_eq!(bench.told(), [(21, settled(36_60))]);
        // Cooler, and not away: the blanket was lifted.
        bench.shows(33_20, 60);
        bench.shows(37_00, 60);
        assert_eq!(bench.told(), []);
        bench.shows(32_90, 1);
        bench.shows(37_00, 60);
        assert_eq!(bench.told(), [(40 + 60 + 60 + 1 + 21, settled(37_00))]);
    }

    #[test]
    fn where_it_is_warm_nothing_is_told() {
        let mut bench = Bench::new();
        bench.shows(33_90, 3_600);
        assert_eq!(bench.told(), []);
    }

    /// A hundredth a second is 0.2 in twenty: it has not settled.
    #[test]
    fn what_still_rises_has_not_settled() {
        let mut bench = Bench::new();
        (0..200).for_each(|second| bench.shows(35_00 + second, 1));
        assert_eq!(bench.told(), []);
        // The last was 36.99.
        bench.shows(37_02, 60);
        let told = bench.told();
        let [(201..=221, News::Settled(what))] = told[..] else { panic!("{told:?}") };
        assert_eq!(what, shown(37_02));
    }

    /// 13/256 are 0.0508 and start the time anew; 12/256 are 0.0469, and do not.
    #[test]
    fn a_rise_is_one_by_more_than_a_twentieth() {
        for (rise, second) in [(12, 21), (13, 31)] {
            let mut bench = Bench::new();
            let from = Temperature::degrees(36);
            (0..10).for_each(|_| bench.sample(Ok(from)));
            (0..40).for_each(|_| bench.sample(Ok(Temperature(from.0 + rise))));
            assert_eq!(bench.told(), [(second, News::Settled(Temperature(from.0 + rise)))], "{rise}");
        }
    }

    /// Taken away before it had settled; and a single sample that was wrong.
    #[test]
    fn what_falls_before_it_settled_is_not_told() {
        let mut bench = Bench::new();
        (0..5).for_each(|second| bench.shows(34_50 + second * 40, 1));
        (0..40).for_each(|second| bench.shows(36_10 - second * 8, 1));
        assert_eq!(bench.told(), []);
        let mut bench = Bench::new();
        bench.shows(36_50, 5);
        bench.shows(59_00, 1);
        bench.shows(36_60, 60);
        assert_eq!(bench.told(), [(27, settled(36_60))]);
    }

    /// It slipped, and is warm still.
    #[test]
    fn what_is_no_body_any_more_is_not_told() {
        let mut bench = Bench::new();
        bench.shows(34_50, 5);
        bench.shows(33_40, 60);
        assert_eq!(bench.told(), []);
    }

    #[test]
    fn a_fault_is_said_once() {
        let mut bench = Bench::new();
        bench.shows(21_00, 2);
        (0..60).for_each(|_| bench.sample(Err(Trouble::Silent)));
        bench.shows(21_00, 60);
        assert_eq!(bench.told(), [(3, News::Fails(Trouble::Silent)), (63, News::WorksAgain)]);
        for cannot_be in [Temperature(-40 * 256 - 1), Temperature(60 * 256 + 1), Temperature::degrees(-256)] {
            bench.sample(Ok(cannot_be));
            bench.sample(Err(Trouble::Silent));
            bench.sample(Ok(Temperature::degrees(60)));
            bench.sample(Ok(Temperature::degrees(-40)));
            let told: Vec<_> = bench.told().into_iter().map(|(_, news)| news).collect();
            assert_eq!(told, [News::Fails(Trouble::Impossible), News::WorksAgain]);
        }
    }

    #[test]
    fn a_fault_makes_no_measurement_and_takes_none() {
        // A single one changes nothing but for what is said.
        let mut bench = Bench::new();
        bench.shows(36_60, 10);
        bench.sample(Err(Trouble::Silent));
        bench.shows(36_60, 40);
        let told = [(11, News::Fails(Trouble::Silent)), (12, News::WorksAgain), (21, settled(36_60))];
        assert_eq!(bench.told(), told);
        // After a long one it has to be still for as long again; and whoever has the probe then is measured: nobody knows who it is.
        let mut bench = Bench::new();
        bench.shows(36_60, 10);
        (0..30).for_each(|_| bench.sample(Err(Trouble::Silent)));
        bench.shows(36_60, 60);
        (0..30).for_each(|_| bench.sample(Err(Trouble::Silent)));
        bench.shows(36_60, 60);
        let told = bench.told().into_iter().filter(|(_, news)| matches!(news, News::Settled(_)));
        assert_eq!(told.collect::<Vec<_>>(), [(61, settled(36_60)), (151, settled(36_60))]);
    }
}
