//! The last two seconds of a converter that is asked ten times a second: what they show on average, and how much they differ.

use super::weighing::Counts;

const MANY: usize = 20;

#[derive(Clone, Debug)]
pub(super) struct Still {
    samples: [i32; MANY],
    /// Up to [`MANY`].
    came: usize,
    next: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shown {
    pub(super) mean: Counts,
    /// Between the lowest and the highest.
    pub(super) spread: i32,
}

impl Still {
    pub(super) fn new() -> Still {
        Still { samples: [0; MANY], came: 0, next: 0 }
    }

    pub(super) fn push(&mut self, Counts(sample): Counts) {
        if let Some(place) = self.samples.get_mut(self.next) {
            *place = sample;
        }
        self.next = (self.next + 1) % MANY;
        self.came = (self.came + 1).min(MANY);
    }

    /// `None`: there are not two seconds of them yet.
    pub(super) fn read(&self) -> Option<Shown> {
        let (least, most) = (self.samples.iter().min()?, self.samples.iter().max()?);
        let sum: i64 = self.samples.iter().copied().map(i64::from).sum();
        let mean = Counts((sum / MANY as i64) as i32);
        (self.came == MANY).then_some(Shown { mean, spread: most.saturating_sub(*least) })
    }
}
