//! A scale whose load cell's converter is wired to the hub. What it was calibrated to is a file of the hub's state.

use super::{Asked, Bus, Keeper, Measured, Place, State, ask, every, now, stands, told};
use crate::clock::Clock;
use crate::config::WiredScale;
use firmware::sensor::{
    self, Calibration, Counts, Grams, LoadCell as _, Nau7802, ScaleNews, Sensor, Weighing,
};
use hearth_core::when::HubTicks;
use hearth_wire::frame::Ticks;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Its converter has a new value ten times a second.
const OF_A_SCALE: Duration = Duration::from_millis(100);

/// So many grams lie on it; 0: nothing does.
#[derive(Debug)]
pub(crate) struct Calibrate {
    pub(crate) grams: u32,
    pub(crate) done: oneshot::Sender<Result<(), String>>,
}

/// What it was calibrated to, as its file has it: counts with nothing on it, so many more under so many grams.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    zero: i32,
    span: i32,
    grams: i32,
}

/// Asks the scale ten times a second, for ever.
pub(crate) async fn run(
    scale: WiredScale,
    file: PathBuf,
    (keeper, clock): (Keeper, Clock),
    state: watch::Sender<State>,
    mut asked: mpsc::UnboundedReceiver<Calibrate>,
) {
    let place = Place { table: "scale", bus: scale.bus, address: 0x2A };
    let mut probe: Option<Nau7802<Bus>> = None;
    let mut weighing = Weighing::new(read(&file));
    let mut turn = every(OF_A_SCALE);
    loop {
        tokio::select! {
            _ = turn.tick() => {}
            Some(Calibrate { grams, done }) = asked.recv() => {
                _ = done.send(calibrate(&mut weighing, &file, grams));
                continue;
            }
        }
        let Asked { probe: kept, sample, closed } =
            ask(probe, &place, |bus, _| Nau7802::new(bus), |probe| now(probe.sample())).await;
        probe = kept;
        let at = clock.ticks();
        match weighing.sample(sample, Ticks(at.ms.unsigned_abs())) {
            Some(ScaleNews::Fails(trouble)) => {
                let said = place.sentence(Sensor::Scale, trouble, closed.as_deref());
                tracing::warn!("wired scale: {said}");
                stands(&state, Some(said));
            }
            Some(ScaleNews::WorksAgain) => {
                tracing::info!("wired scale: {}", Sensor::Scale.works_again());
                stands(&state, None);
            }
            Some(ScaleNews::Settled(grams)) => {
                if let Some(measured) = measured(grams, at) {
                    keeper.0.tell(measured).await;
                }
            }
            None => {}
        }
    }
}

fn measured(grams: Grams, at: HubTicks) -> Option<Measured> {
    let mut octets = [0; sensor::LENGTH];
    told(sensor::weighing(grams, Ticks(at.ms.unsigned_abs()), &mut octets)?, at)
}

/// A technician says what lies on it. `Err`: what they can do.
fn calibrate(weighing: &mut Weighing, file: &Path, grams: u32) -> Result<(), String> {
    if grams == 0 {
        return weighing.is_empty_now().map_err(str::to_owned);
    }
    let mass = Grams(i32::try_from(grams).unwrap_or(i32::MAX));
    let calibration = weighing.carries_now(mass)?;
    save(file, calibration).map_err(|why| format!("{}: {why}", file.display()))?;
    *weighing = Weighing::new(Some(calibration));
    Ok(())
}

/// `None`: it was never calibrated, or nobody knows any more to what.
fn read(file: &Path) -> Option<Calibration> {
    let of = |kept: Kept| {
        let loaded = kept.zero.checked_add(kept.span)?;
        Calibration::of(Counts(kept.zero), Counts(loaded), Grams(kept.grams))
    };
    let calibration = match std::fs::read(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => Err(error.to_string()),
        Ok(octets) => match serde_json::from_slice(&octets).map(of) {
            Ok(Some(calibration)) => Ok(calibration),
            Ok(None) => Err("it can't be one".to_owned()),
            Err(error) => Err(error.to_string()),
        },
    };
    calibration
        .inspect_err(|why| {
            tracing::error!("{}: what the scale was calibrated to: {why}; calibrate it anew", file.display());
        })
        .ok()
}

/// All of it, or what was there before.
fn save(file: &Path, Calibration { zero, span, mass }: Calibration) -> std::io::Result<()> {
    let part = file.with_extension("part");
    let octets = serde_json::to_vec(&Kept { zero: zero.0, span, grams: mass.0 })?;
    let mut written = File::create(&part)?;
    written.write_all(&octets)?;
    written.sync_all()?;
    std::fs::rename(&part, file)?;
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::scratch::Scratch;
    use firmware::sensor::Trouble;
    use hearth_core::capture::Uuid16;
    use hearth_core::when::BootNo;

    /// A scale that shows these counts for three seconds, ten times each, from this tenth of a second on.
    fn shows(weighing: &mut Weighing, from: &mut i64, counts: i32) -> Vec<ScaleNews> {
        let tenths = *from..*from + 30;
        *from += 30;
        tenths
            .filter_map(|tenth| weighing.sample(Ok(Some(Counts(counts))), Ticks(tenth as u64 * 100)))
            .collect()
    }

    /// 1000 counts with nothing on it, and 20 000 more under 20 kg: 72 kg are 73 000.
    #[test]
    fn what_it_was_calibrated_to_outlives_the_hub() {
        let room = Scratch::new("scale").unwrap();
        let file = room.folder().join("scale");
        let mut weighing = Weighing::new(read(&file));
        let mut now = 0;
        assert_eq!(shows(&mut weighing, &mut now, 1_000), [ScaleNews::Fails(Trouble::NotCalibrated)]);
        let early = calibrate(&mut weighing, &file, 20_000).unwrap_err();
        assert!(early.contains("say first that the scale is empty"), "{early}");
        calibrate(&mut weighing, &file, 0).unwrap();
        shows(&mut weighing, &mut now, 21_000);
        calibrate(&mut weighing, &file, 20_000).unwrap();

        let mut weighing = Weighing::new(read(&file));
        shows(&mut weighing, &mut now, 1_000);
        let news = shows(&mut weighing, &mut now, 73_000);
        let [ScaleNews::Settled(grams)] = news[..] else { panic!("{news:?}") };
        let told = measured(grams, HubTicks { boot: BootNo(1), ms: 1 }).unwrap();
        // 72 kg are 14 400 steps of 5 g, and that is 3840.
        assert_eq!(
            (told.sensor, told.characteristic, &told.octets[..]),
            (2, Uuid16(0x2A9D), &[0, 0x40, 0x38][..])
        );
    }

    #[test]
    fn a_file_that_says_nothing_is_no_calibration() {
        let room = Scratch::new("scale").unwrap();
        let file = room.folder().join("scale");
        for octets in [
            "",
            "{}",
            "{\"zero\":0,\"span\":3,\"grams\":20000}",
            "{\"zero\":2147483647,\"span\":9000,\"grams\":20000}",
        ] {
            std::fs::write(&file, octets).unwrap();
            assert_eq!(read(&file), None, "{octets}");
        }
        std::fs::write(&file, "{\"zero\":0,\"span\":9000,\"grams\":20000}").unwrap();
        assert_eq!(read(&file), Calibration::of(Counts(0), Counts(9_000), Grams(20_000)));
        let nowhere = room.folder().join("nowhere/scale");
        assert!(save(&nowhere, read(&file).unwrap()).is_err());
    }
}
