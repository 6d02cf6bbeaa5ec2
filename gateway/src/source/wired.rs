//! Sensors that are wired to the hub's own I2C, a thermometer and a [`scale`]: the same drivers as on a bridge's board, and the same octets.
//!
//! The bus is Linux' (`/dev/i2c-N`), by linux-embedded-hal. It blocks, for a second where nobody lets go of the bus: so each sample is
//! taken on a thread for what blocks, and the bus is opened anew after any trouble.

pub(crate) mod scale;

use super::wishes::Wishes;
use crate::clock::Clock;
use crate::config::WiredSensor;
use embedded_hal::i2c::{ErrorType, I2c as Blocking, Operation};
use embedded_hal_async::i2c::I2c;
use firmware::sensor::{self, News, Sensor, Settling, Thermometer as _, Tmp117, Trouble};
use futures_util::FutureExt as _;
use hearth_core::capture::Uuid16;
use hearth_core::when::HubTicks;
use hearth_wire::frame::said::{Said, What};
use hearth_wire::frame::{Peer, Ticks};
use linux_embedded_hal::I2cdev;
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// A thermometer measures once a second.
const OF_A_THERMOMETER: Duration = Duration::from_secs(1);
/// So many measurements may wait for the store, which has no room: a person measures a few times a day. Then the sensor is not asked.
const WAITING: usize = 64;

/// A measurement that has to be committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Measured {
    /// Its number among the hub's, as among a board's.
    pub(crate) sensor: u8,
    pub(crate) at: HubTicks,
    pub(crate) characteristic: Uuid16,
    pub(crate) octets: Vec<u8>,
}

/// How a sensor fares: what is wrong with it, for a person.
pub(crate) type State = Option<String>;

#[derive(Clone, Debug)]
pub(crate) struct Keeper(Wishes<Measured>);

impl Keeper {
    pub(crate) fn new() -> (Keeper, mpsc::Receiver<Measured>) {
        let (wishes, wished) = Wishes::new(WAITING);
        (Keeper(wishes), wished)
    }
}

/// Asks the thermometer once a second, for ever. What it measures waits elsewhere until it is committed: whoever uses the probe meanwhile
/// is measured, too.
pub(crate) async fn run(sensor: WiredSensor, keeper: Keeper, clock: Clock, state: watch::Sender<State>) {
    let place = Place { table: "sensor", bus: sensor.bus, address: sensor.address };
    let mut probe: Option<Tmp117<Bus>> = None;
    let mut settling = Settling::new();
    let mut turn = every(OF_A_THERMOMETER);
    loop {
        turn.tick().await;
        let asked = ask(probe, &place, Tmp117::new, |probe| now(probe.sample())).await;
        probe = asked.probe;
        let at = clock.ticks();
        let trouble = match asked.sample {
            Ok(shown) if !shown.is_possible() => Some(Trouble::Impossible),
            sample => sample.err(),
        };
        let trouble =
            trouble.map(|trouble| place.sentence(Sensor::Thermometer, trouble, asked.closed.as_deref()));
        let said = settling.sample(asked.sample, Ticks(at.ms.unsigned_abs()));
        match said {
            Some(News::Fails(_)) => {
                tracing::warn!("wired sensor: {}", trouble.as_deref().unwrap_or_default())
            }
            Some(News::WorksAgain) => tracing::info!("wired sensor: {}", Sensor::Thermometer.works_again()),
            Some(News::Settled(_)) | None => {}
        }
        stands(&state, trouble);
        if let Some(measured) = said.and_then(|said| measured(said, at)) {
            keeper.0.tell(measured).await;
        }
    }
}

/// A bus of the hub's.
type Bus = AtOnce<I2cdev>;

/// Where a sensor is, and which table of the configuration says so.
#[derive(Clone, Debug)]
struct Place {
    table: &'static str,
    bus: PathBuf,
    address: u8,
}

/// What came of asking: the driver, unless its bus is to be opened anew; and why that could not be opened.
struct Asked<D, S> {
    probe: Option<D>,
    sample: Result<S, Trouble>,
    closed: Option<String>,
}

/// Asks a sensor once, on a thread for what blocks.
async fn ask<D: Send + 'static, S: Send + 'static>(
    probe: Option<D>,
    place: &Place,
    driver: impl FnOnce(Bus, u8) -> D + Send + 'static,
    sample: impl FnOnce(&mut D) -> Result<S, Trouble> + Send + 'static,
) -> Asked<D, S> {
    let Place { bus, address, .. } = place.clone();
    let silent = |closed| Asked { probe: None, sample: Err(Trouble::Silent), closed };
    let asked = tokio::task::spawn_blocking(move || {
        let mut probe =
            match probe.map_or_else(|| I2cdev::new(&bus).map(|bus| driver(AtOnce(bus), address)), Ok) {
                Ok(probe) => probe,
                Err(why) => return silent(Some(why.to_string())),
            };
        let sample = sample(&mut probe);
        Asked { probe: sample.is_ok().then_some(probe), sample, closed: None }
    });
    // A driver may have panicked; the next one starts anew.
    asked.await.unwrap_or_else(|_| silent(None))
}

fn every(period: Duration) -> Interval {
    let mut turn = interval_at(Instant::now(), period);
    turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    turn
}

fn stands(state: &watch::Sender<State>, trouble: State) {
    state.send_if_modified(|state| {
        let is_news = *state != trouble;
        *state = trouble;
        is_news
    });
}

/// The octets of a measurement, if it is one.
fn measured(news: News, at: HubTicks) -> Option<Measured> {
    let News::Settled(temperature) = news else { return None };
    let mut octets = [0; sensor::LENGTH];
    told(sensor::measurement(temperature, Ticks(at.ms.unsigned_abs()), &mut octets)?, at)
}

fn told(said: Said<'_>, at: HubTicks) -> Option<Measured> {
    let (Peer::Wired(sensor), What::Value { characteristic, octets, .. }) = (said.peer, said.what) else {
        return None;
    };
    Some(Measured { sensor, at, characteristic: Uuid16(characteristic), octets: octets.to_vec() })
}

impl Place {
    fn sentence(&self, sensor: Sensor, trouble: Trouble, closed: Option<&str>) -> String {
        let Place { table, bus, address } = self;
        let bus = bus.display();
        let place = format!("{bus} at 0x{address:02X}");
        match (closed, trouble, sensor) {
            (Some(why), ..) => format!(
                "{bus} can't be opened ({why}): mend `bus` of [{table}], load the module i2c-dev, or let the daemon's user open it"
            ),
            (None, Trouble::Silent, Sensor::Thermometer) => format!(
                "{} ({place}): look at its wires, and at `address` of [{table}], where no driver of the kernel's may be",
                sensor.fails(trouble)
            ),
            (None, Trouble::Silent, Sensor::Scale) => {
                format!(
                    "{} ({place}): look at its wires; no driver of the kernel's may be there",
                    sensor.fails(trouble)
                )
            }
            (None, Trouble::NotCalibrated, _) => {
                format!("{}: `hearth bridge calibrate --empty`, then `--mass KG`", sensor.fails(trouble))
            }
            (None, ..) => format!("{} ({place})", sensor.fails(trouble)),
        }
    }
}

/// A bus that blocks, for drivers that wait: each transaction is over when it returns.
#[derive(Debug)]
struct AtOnce<B>(B);

impl<B: ErrorType> ErrorType for AtOnce<B> {
    type Error = B::Error;
}

impl<B: Blocking> I2c for AtOnce<B> {
    async fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), B::Error> {
        self.0.transaction(address, all)
    }
}

/// What a driver on such a bus says: it never waits.
fn now<S>(sample: impl Future<Output = Result<S, Trouble>>) -> Result<S, Trouble> {
    sample.now_or_never().unwrap_or(Err(Trouble::Silent))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    use hearth_core::when::BootNo;

    /// A TMP117 with this temperature in its register, or nobody.
    struct Bus(Option<u16>);

    #[derive(Debug)]
    struct NoAnswer;

    impl embedded_hal::i2c::Error for NoAnswer {
        fn kind(&self) -> ErrorKind {
            ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
        }
    }

    impl ErrorType for Bus {
        type Error = NoAnswer;
    }

    impl Blocking for Bus {
        fn transaction(&mut self, address: u8, all: &mut [Operation<'_>]) -> Result<(), NoAnswer> {
            let shown = self.0.filter(|_| address == 0x48).ok_or(NoAnswer)?;
            let [Operation::Write([register]), Operation::Read(octets)] = all else { panic!("{all:?}") };
            let value = if *register == 0x0F { 0x0117 } else { shown };
            octets.copy_from_slice(&u16::to_be_bytes(value));
            Ok(())
        }
    }

    /// 36.6015625 degrees are 124D (TI's data sheet: 128ths), and 36.60 in a Temperature Measurement is 0E4C with the exponent -2.
    #[test]
    fn a_probe_that_settles_is_measured_once() {
        let mut probe = Tmp117::new(AtOnce(Bus(Some(0x124D))), 0x48);
        let mut settling = Settling::new();
        let measured: Vec<_> = (0..60)
            .filter_map(|second| {
                let at = HubTicks { boot: BootNo(1), ms: second * 1_000 };
                measured(settling.sample(now(probe.sample()), Ticks(at.ms.unsigned_abs()))?, at)
            })
            .collect();
        let [one] = measured.as_slice() else { panic!("{measured:?}") };
        assert_eq!(one.characteristic, Uuid16::TEMPERATURE_MEASUREMENT);
        assert_eq!(one.octets, [0x00, 0x4C, 0x0E, 0x00, 0xFE]);
    }

    #[test]
    fn what_helps_is_said() {
        let place = Place { table: "sensor", bus: "/dev/i2c-9".into(), address: 0x48 };
        let sentence = |trouble, closed| place.sentence(Sensor::Thermometer, trouble, closed);
        let sample = now(Tmp117::new(AtOnce(Bus(None)), 0x48).sample());
        assert_eq!(sample, Err(Trouble::Silent));
        assert_eq!(
            sentence(Trouble::Silent, None),
            "the thermometer does not answer (/dev/i2c-9 at 0x48): look at its wires, and at `address` of [sensor], where no driver of the kernel's may be"
        );
        assert!(sentence(Trouble::Silent, Some("No such file")).contains("load the module i2c-dev"));
        assert!(sentence(Trouble::Another, None).contains("no such thermometer"));
    }
}
