#![allow(clippy::unwrap_used)]

use super::*;

/// A cell of 20 counts a gram, whose zero is 50 000.
const CALIBRATION: Calibration = Calibration { zero: Counts(50_000), span: 400_000, mass: Grams(20_000) };

/// Ten samples a second; what came of them, and by which sample.
#[derive(Debug)]
struct Bench {
    weighing: Weighing,
    samples: u64,
    news: Vec<(u64, News)>,
}

impl Bench {
    fn new() -> Bench {
        Bench::with(Some(CALIBRATION))
    }

    fn with(calibration: Option<Calibration>) -> Bench {
        Bench { weighing: Weighing::new(calibration), samples: 0, news: vec![] }
    }

    /// Seen empty, and nothing to tell of that.
    fn empty() -> Bench {
        let mut bench = Bench::new();
        bench.shows(0, 30);
        assert_eq!(bench.told(), []);
        bench
    }

    fn sample(&mut self, sample: Result<Option<Counts>, Trouble>) {
        self.samples += 1;
        let news = self.weighing.sample(sample, Ticks(self.samples * 100));
        self.news.extend(news.map(|news| (self.samples, news)));
    }

    /// What the cell shows with so many grams on it.
    fn shows(&mut self, grams: i32, samples: usize) {
        (0..samples).for_each(|_| self.sample(Ok(Some(Counts(50_000 + 20 * grams)))));
    }

    fn told(&mut self) -> Vec<(u64, News)> {
        std::mem::take(&mut self.news)
    }

    fn told_what(&mut self) -> Vec<News> {
        self.told().into_iter().map(|(_, news)| news).collect()
    }
}

const SILENT: Result<Option<Counts>, Trouble> = Err(Trouble::Silent);

#[test]
fn whoever_stands_still_is_told_once() {
    let mut bench = Bench::empty();
    for step in [12_000, 55_000, 78_000, 70_500, 72_300] {
        bench.shows(step, 2);
    }
    // Samples 41 on: two seconds of them are 20.
    bench.shows(72_000, 600);
    assert_eq!(bench.told(), [(60, News::Settled(Grams(72_000)))]);
    bench.shows(0, 30);
    bench.shows(65_400, 30);
    assert_eq!(bench.told_what(), [News::Settled(Grams(65_400))]);
}

/// 200 g from the lowest to the highest is still, 205 are not; what is told is the mean.
#[test]
fn who_sways_too_much_is_not_told() {
    for (sways, told) in [(200, vec![News::Settled(Grams(70_100))]), (205, vec![])] {
        let mut bench = Bench::empty();
        for _ in 0..60 {
            bench.shows(70_000, 1);
            bench.shows(70_000 + sways, 1);
        }
        assert_eq!(bench.told_what(), told, "{sways}");
    }
}

#[test]
fn a_scale_that_was_not_seen_empty_tells_nothing() {
    let mut bench = Bench::new();
    bench.shows(72_000, 599);
    assert_eq!(bench.told(), []);
    // A minute: something lies there.
    bench.shows(72_000, 600);
    assert_eq!(bench.told(), [(600, News::Fails(Trouble::Laden))]);
    bench.shows(0, 30);
    assert_eq!(bench.told_what(), [News::WorksAgain]);
    bench.shows(72_000, 30);
    assert_eq!(bench.told_what(), [News::Settled(Grams(72_000))]);
}

/// What the cell drifts while the scale is empty is no part of a weight, up to 300 g since it was calibrated.
#[test]
fn an_empty_scale_is_zero() {
    let mut bench = Bench::empty();
    for drift in (0..=300).step_by(5) {
        bench.shows(drift, 5);
    }
    bench.shows(300, 30);
    bench.shows(300 + 72_000, 30);
    assert_eq!(bench.told_what(), [News::Settled(Grams(72_000))]);
    let mut bench = Bench::new();
    bench.shows(305, 700);
    assert_eq!(bench.told_what(), [News::Fails(Trouble::Laden)]);
}

/// A towel is laid on it, lies there, and is taken away while somebody steps on: nobody's weight has it, nor lacks it.
#[test]
fn what_lies_there_is_no_part_of_a_weight() {
    for towel in [1_500, 600, -1_500] {
        let mut bench = Bench::empty();
        bench.shows(towel, 100);
        assert_eq!(bench.told(), []);
        bench.shows(0, 2);
        bench.shows(72_000, 100);
        assert_eq!(bench.told(), [], "{towel}: it was not seen empty");
        bench.shows(0, 30);
        bench.shows(72_000, 30);
        assert_eq!(bench.told_what(), [News::Settled(Grams(72_000))], "{towel}");
    }
    // It is left there by whoever steps off, before they were told or after.
    for stands in [5, 60] {
        let mut bench = Bench::empty();
        bench.shows(72_000, stands);
        bench.told();
        bench.shows(1_200, 700);
        assert_eq!(bench.told_what(), [News::Fails(Trouble::Laden)], "after {stands}");
        bench.shows(73_200, 60);
        assert_eq!(bench.told(), []);
        bench.shows(0, 30);
        bench.shows(72_000, 30);
        assert_eq!(bench.told_what(), [News::WorksAgain, News::Settled(Grams(72_000))]);
    }
}

/// One sample that failed: its converter may show everything otherwise from then on.
#[test]
fn after_a_fault_it_has_to_be_seen_empty() {
    let mut bench = Bench::empty();
    bench.shows(72_000, 30);
    bench.sample(SILENT);
    bench.shows(72_000, 100);
    let faults = [News::Fails(Trouble::Silent), News::WorksAgain];
    assert_eq!(bench.told_what(), [&[News::Settled(Grams(72_000))][..], &faults].concat());
}

/// Swinging, so that it does not rest: a bag at the scale's edge.
#[test]
fn what_is_too_light_is_nobody() {
    let mut bench = Bench::empty();
    bench.shows(72_000, 5);
    for _ in 0..60 {
        bench.shows(1_500, 1);
        bench.shows(1_600, 1);
    }
    assert_eq!(bench.told(), []);
}

/// A second in which there was nothing new: anybody may have stepped on.
#[test]
fn who_came_in_a_gap_is_not_told() {
    for (nothing_new, told) in [(9, vec![News::Settled(Grams(72_000))]), (10, vec![])] {
        let mut bench = Bench::empty();
        (0..nothing_new).for_each(|_| bench.sample(Ok(None)));
        bench.shows(72_000, 30);
        assert_eq!(bench.told_what(), told, "{nothing_new}");
    }
}

/// Set up, a converter has nothing to show for some two seconds.
#[test]
fn a_converter_that_is_set_up_is_no_fault() {
    let mut bench = Bench::new();
    (0..50).for_each(|_| bench.sample(Ok(None)));
    bench.shows(0, 30);
    bench.shows(72_000, 30);
    assert_eq!(bench.told_what(), [News::Settled(Grams(72_000))]);
}

/// Somebody who stepped on it while it was not asked is nobody that one knows.
#[test]
fn after_a_gap_it_has_to_be_seen_empty() {
    let mut bench = Bench::empty();
    (0..11).for_each(|_| bench.sample(SILENT));
    bench.shows(72_000, 100);
    assert_eq!(bench.told_what(), [News::Fails(Trouble::Silent), News::WorksAgain]);
    let mut bench = Bench::empty();
    bench.shows(72_000, 30);
    (0..11).for_each(|_| bench.sample(SILENT));
    bench.shows(72_000, 100);
    assert_eq!(
        bench.told_what(),
        [News::Settled(Grams(72_000)), News::Fails(Trouble::Silent), News::WorksAgain]
    );
}

#[test]
fn a_fault_is_said_once_and_one_by_one() {
    let mut bench = Bench::empty();
    (0..60).for_each(|_| bench.sample(SILENT));
    (0..60).for_each(|_| bench.sample(Err(Trouble::Another)));
    assert_eq!(bench.told_what(), [News::Fails(Trouble::Silent), News::Fails(Trouble::Another)]);
    bench.shows(0, 30);
    assert_eq!(bench.told_what(), [News::WorksAgain]);
    for cannot_be in [300_001, -20_001] {
        bench.shows(cannot_be, 5);
        bench.shows(0, 30);
        assert_eq!(bench.told_what(), [News::Fails(Trouble::Impossible), News::WorksAgain], "{cannot_be}");
    }
    // A converter that runs, and has nothing to show.
    (0..60).for_each(|_| bench.sample(Ok(None)));
    assert_eq!(bench.told_what(), [News::Fails(Trouble::Silent)]);
}

#[test]
fn what_was_never_calibrated_weighs_nothing() {
    let mut bench = Bench::with(None);
    bench.shows(0, 30);
    bench.shows(72_000, 60);
    assert_eq!(bench.told_what(), [News::Fails(Trouble::NotCalibrated)]);
}

/// By hand: 20 kg are 400 000 counts; the cell may be the other way round.
#[test]
fn a_technician_calibrates_it() {
    for way in [1, -1] {
        let mut bench = Bench::with(None);
        let shows = |bench: &mut Bench, grams: i32| {
            (0..30).for_each(|_| bench.sample(Ok(Some(Counts(-7_000 + way * 20 * grams)))));
        };
        assert_eq!(bench.weighing.is_empty_now(), Err(MOVES), "nothing was seen yet");
        shows(&mut bench, 0);
        assert!(bench.weighing.carries_now(Grams(20_000)).unwrap_err().starts_with("say first"));
        assert_eq!(bench.weighing.is_empty_now(), Ok(()));
        assert!(bench.weighing.carries_now(Grams(20_000)).unwrap_err().starts_with("the scale shows no"));
        shows(&mut bench, 20_000);
        for no_mass in [1_999, 300_001] {
            assert!(bench.weighing.carries_now(Grams(no_mass)).is_err(), "{no_mass}");
        }
        let calibration = bench.weighing.carries_now(Grams(20_000)).unwrap();
        let by_hand = Calibration { zero: Counts(-7_000), span: way * 400_000, mass: Grams(20_000) };
        assert_eq!(calibration, by_hand);
        let mut bench = Bench::with(Some(calibration));
        shows(&mut bench, 0);
        shows(&mut bench, 81_250);
        assert_eq!(bench.told_what(), [News::Settled(Grams(81_250))]);
    }
}

#[test]
fn a_wrong_calibration_is_replaced() {
    let mut bench = Bench::with(Some(Calibration { zero: Counts(5_000_000), ..CALIBRATION }));
    bench.shows(0, 30);
    assert_eq!(bench.told_what(), [News::Fails(Trouble::Impossible)]);
    assert_eq!(bench.weighing.is_empty_now(), Ok(()));
    bench.shows(20_000, 30);
    assert_eq!(bench.weighing.carries_now(Grams(20_000)), Ok(CALIBRATION));
}

#[test]
fn what_moves_calibrates_nothing() {
    let mut bench = Bench::with(None);
    let sways = |bench: &mut Bench, at: i32, by: i32| {
        for n in 0..30 {
            bench.sample(Ok(Some(Counts(at + n % 2 * by))));
        }
    };
    sways(&mut bench, 0, STEADY + 1);
    assert_eq!(bench.weighing.is_empty_now(), Err(MOVES));
    sways(&mut bench, 0, STEADY);
    assert_eq!(bench.weighing.is_empty_now(), Ok(()));
    // A 500th of some 400 000 is 800.
    sways(&mut bench, 402_000, 900);
    assert_eq!(bench.weighing.carries_now(Grams(20_000)), Err(MOVES));
    sways(&mut bench, 402_000, 700);
    assert!(bench.weighing.carries_now(Grams(20_000)).is_ok());
    // Whoever pulled its plug in between begins again.
    bench.sample(SILENT);
    assert_eq!(bench.weighing.is_empty_now(), Err(MOVES));
    sways(&mut bench, 402_000, 700);
    assert!(bench.weighing.carries_now(Grams(20_000)).unwrap_err().starts_with("say first"));
}

#[test]
fn a_calibration_is_read_as_it_was_written() {
    let inverse = Calibration { zero: Counts(-7_000), span: -400_000, mass: Grams(20_000) };
    for calibration in [CALIBRATION, inverse] {
        assert_eq!(Calibration::read(&calibration.octets()), Some(calibration));
    }
    assert_eq!(CALIBRATION.octets()[..8], [0x50, 0xC3, 0, 0, 0x80, 0x1A, 6, 0]);
    for none in [&[][..], &[0xFF; 12], &[0; 12], &[0x7F; 12], &[1; 13]] {
        assert_eq!(Calibration::read(none), None);
    }
}

#[test]
fn grams_are_rounded_half_away_from_zero() {
    for span in [400_000, -400_000] {
        let calibration = Calibration { span, ..CALIBRATION };
        let way = i64::from(span.signum());
        for (counts, grams) in [(9, 0), (10, 1), (-10, -1), (-9, 0), (30, 2), (29, 1), (0, 0)] {
            assert_eq!(calibration.grams(way * counts), Grams(grams), "{counts} of {span}");
        }
    }
}
