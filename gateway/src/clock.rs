//! The one place that asks what time it is. With the feature `simulation`, a thread may have clocks of its own.

#[cfg(feature = "simulation")]
pub mod simulated;

use crate::config::ClockTrust;
use hearth_core::when::{Anchor, AnchorSource, BootNo, HubTicks, Span};
use jiff::{SignedDuration, Timestamp};

/// How far a synchronised system clock may still be off.
const SYNCHRONISED_WITHIN: SignedDuration = SignedDuration::from_millis(500);

/// The system's clocks, seen from one boot.
#[derive(Clone, Debug)]
pub struct Clock {
    boot: BootNo,
    trust: ClockTrust,
}

/// The kernel's name for this boot of the machine. A daemon restarted in it counts the same ticks. Where the kernel
/// does not tell, every start is a boot of its own: ticks of two boots must never be taken for one.
pub fn boot_id() -> String {
    #[cfg(feature = "simulation")]
    if let Some(clock) = simulated::set() {
        return clock.boot_id();
    }
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_else(|_| format!("start {} of process {}", now(), std::process::id()))
}

/// UTC by the system clock, right or wrong: for waiting, for certificates and for what is shown, never to date
/// a reading.
#[allow(clippy::disallowed_methods, reason = "the one place")]
pub fn now() -> Timestamp {
    #[cfg(feature = "simulation")]
    if let Some(clock) = simulated::set() {
        return clock.utc();
    }
    Timestamp::now()
}

impl Clock {
    pub fn new(boot: BootNo, trust: ClockTrust) -> Clock {
        Clock { boot, trust }
    }

    /// Milliseconds since the machine booted, suspended time counted.
    pub fn ticks(&self) -> HubTicks {
        #[cfg(feature = "simulation")]
        if let Some(clock) = simulated::set() {
            return HubTicks { boot: self.boot, ms: clock.since_boot() };
        }
        let since = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let ms = since.tv_sec.saturating_mul(1_000).saturating_add(since.tv_nsec / 1_000_000);
        HubTicks { boot: self.boot, ms }
    }

    /// Whether the system clock is believed, for a person.
    pub fn said(&self) -> String {
        match &self.trust {
            ClockTrust::Always => "believed always, as [hub] clock-trusted says".into(),
            ClockTrust::Once(file) if file.exists() => "believed: it is synchronised".into(),
            ClockTrust::Once(file) => format!(
                "not believed, so what it would date waits: {} is not there yet. It comes with time from the network; \
                 see [hub] clock-trusted",
                file.display()
            ),
        }
    }

    /// What UTC is now, if the system clock may be believed.
    pub fn anchor(&self) -> Option<Anchor> {
        self.is_trusted().then(|| {
            let utc = now();
            let near = |d: SignedDuration| utc.checked_add(d).unwrap_or(utc);
            let utc = Span { earliest: near(-SYNCHRONISED_WITHIN), latest: near(SYNCHRONISED_WITHIN) };
            Anchor { at: self.ticks(), utc, source: AnchorSource::Synchronised }
        })
    }

    fn is_trusted(&self) -> bool {
        #[cfg(feature = "simulation")]
        if let Some(clock) = simulated::set() {
            return clock.trusted;
        }
        match &self.trust {
            ClockTrust::Always => true,
            ClockTrust::Once(file) => file.exists(),
        }
    }
}

/// TLS judges dates by the same clock.
#[derive(Debug)]
pub(crate) struct ForTls;

impl rustls::time_provider::TimeProvider for ForTls {
    fn current_time(&self) -> Option<rustls::pki_types::UnixTime> {
        let since_1970 = std::time::Duration::try_from(now().duration_since(Timestamp::UNIX_EPOCH)).ok()?;
        Some(rustls::pki_types::UnixTime::since_unix_epoch(since_1970))
    }
}
