//! The hub: hears home health devices, keeps what they said, and writes it into the patient's record once.
//!
//! ```text
//! source ─ News ▶ intake ─ take ▶ store ◀─ due, start, settle ─ uplink ─ carry ▶ record system
//!    ▲                 └ release ┘                                 │
//!    └──────────────── only after the commit                       └ map, judge: hearth_core
//! ```
//!
//! All IO of the product lives in this crate, and no judgement: what octets mean, whose a reading is and what a
//! record system's answer means is asked of `hearth_core`. `main` and `cli` may see every room; no room sees them.
//!
//! Invariants: only [`store`] writes readings to disk; tasks start in this file only, but for `simulation`; [`clock`] alone asks what
//! time it is; [`tls`] alone builds rustls configurations; logs carry row numbers, never values, names, serials
//! or secrets.
#![forbid(unsafe_code)]
// They panic once nobody reads what is printed: write, and let a failure go.
#![cfg_attr(not(test), warn(clippy::print_stdout, clippy::print_stderr))]

pub mod cli;
pub mod clock;
pub mod config;
mod control;
#[cfg(feature = "demo")]
pub mod demo;
pub mod failpoint;
mod fields;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod intake;
mod open;
mod report;
mod scratch;
mod show;
#[cfg(feature = "simulation")]
#[doc(hidden)]
pub mod simulation;
pub mod source;
pub mod store;
pub mod tls;
pub mod uplink;

use config::Config;
use hearth_core::radio::adapter::State;
use jiff::SignedDuration;
use open::{Holder, Inside, Time, catalog};
use show::{Ending, Shown, exit};
use source::ble::{self, Keeper};
use source::house;
use source::serial as bridge;
use source::wired;
use std::sync::Arc;
use store::Desk;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// The daemon: starts every task, on this screen, and ends them all.
fn run(config: Config) -> Result<Shown, Ending> {
    log_to_standard_error();
    let mut store = match open::holder(&config)? {
        Holder::Us(store) => *store,
        Holder::Daemon(_) => {
            let said = format!("a daemon runs already, and answers on {}", config.socket.display());
            return Err(Ending::new(exit::TEMPFAIL, said));
        }
    };
    let inside = Arc::new(Inside::running(&mut store, config.clock.clone())?);
    let uplinks = uplinks(&config)?;
    let io = |e: std::io::Error| Ending::new(exit::SOFTWARE, format!("the runtime did not start: {e}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io)?;
    runtime.block_on(async {
        let socket = control::bind(&config)?;
        let (desk, mut ended) = Desk::open(store).map_err(io)?;
        let mut interrupted = signal(SignalKind::interrupt()).map_err(io)?;
        let mut terminated = signal(SignalKind::terminate()).map_err(io)?;
        let mut tasks = household(&desk, &inside, uplinks, config.keep);
        tasks.spawn(listen(socket, desk.clone(), Arc::clone(&inside)));
        let (house, of_the_house) = house::Keeper::new();
        tasks.spawn(intake::serve_house(desk.clone(), Arc::clone(&inside), of_the_house));
        if let (true, Time::Running(clock)) = (config.bluetooth, &inside.time) {
            let (asks, asked) = mpsc::unbounded_channel();
            let (state, seen) = watch::channel(State::NoDaemon);
            let (keeper, wished) = Keeper::new(house.clone());
            inside.has_radio(asks, seen);
            tasks.spawn(intake::serve_radio(desk.clone(), Arc::clone(&inside), wished));
            tasks.spawn(ble::run(keeper, clock.clone(), asked, state));
        }
        if let (false, Time::Running(clock)) = (config.bridges.is_empty(), &inside.time) {
            let (keeper, wished) = bridge::Keeper::new(house.clone());
            tasks.spawn(intake::serve_bridges(desk.clone(), Arc::clone(&inside), wished));
            for (no, line) in (1..).zip(&config.bridges) {
                let (door, behind) = bridge::Door::new(bridge::Port { no, path: line.path.clone() });
                inside.has_bridge(door);
                tasks.spawn(bridge::run(behind, keeper.clone(), clock.clone()));
            }
        }
        if let Time::Running(clock) = &inside.time
            && (config.sensor.is_some() || config.scale.is_some())
        {
            let (keeper, wished) = wired::Keeper::new();
            tasks.spawn(intake::serve_wired(desk.clone(), Arc::clone(&inside), wished));
            let fares = || {
                let (state, seen) = watch::channel(None);
                inside.has_sensor(seen);
                state
            };
            if let Some(sensor) = &config.sensor {
                tasks.spawn(wired::run(sensor.clone(), keeper.clone(), clock.clone(), fares()));
            }
            if let Some(scale) = &config.scale {
                let (door, asked) = mpsc::unbounded_channel();
                inside.has_scale(door);
                let file = config.state.join("scale");
                tasks.spawn(wired::scale::run(scale.clone(), file, (keeper, clock.clone()), fares(), asked));
            }
        }
        tracing::info!(
            "ready: store in {}, socket {}, destinations: {}",
            config.state.display(),
            config.socket.display(),
            if config.destinations.is_empty() {
                "none, so that readings stay here".to_owned()
            } else {
                config.destinations.iter().map(|d| d.name.as_str()).collect::<Vec<_>>().join(", ")
            }
        );
        if !inside.clock_believed() {
            tracing::warn!("the hub's clock is {}", inside.clock_said());
        }
        let end = tokio::select! {
            _ = interrupted.recv() => Ok(()),
            _ = terminated.recv() => Ok(()),
            said = &mut ended => match said {
                Ok(Err(broken)) => Err(Ending::new(exit::SOFTWARE, broken)),
                Ok(Ok(())) | Err(_) => Err(Ending::new(exit::SOFTWARE, "the store's thread ended by itself")),
            },
            Some(done) = tasks.join_next() => {
                Err(Ending::new(exit::SOFTWARE, format!("a task that never ends has ended: {done:?}")))
            }
        };
        _ = control::remove(&config.socket);
        end.map(|()| Shown::default())
    })
}

type Uplinks = Vec<(String, (uplink::Uplink, watch::Receiver<uplink::State>))>;

fn uplinks(config: &Config) -> Result<Uplinks, Ending> {
    let uplink = |destination: &uplink::Destination| {
        Ok((destination.name.clone(), uplink::Uplink::new(destination.clone())?))
    };
    let all: Result<Uplinks, String> = config.destinations.iter().map(uplink).collect();
    all.map_err(|said| Ending::new(exit::CONFIG, said))
}

/// What a hub does whether or not anybody talks to it.
fn household(desk: &Desk, inside: &Arc<Inside>, uplinks: Uplinks, keep: SignedDuration) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (name, (uplink, state)) in uplinks {
        inside.watch(&name, state);
        tasks.spawn(uplink.telling(report::look(inside)).run(desk.clone(), inside.wake.clone()));
    }
    tasks.spawn(intake::keep_time(desk.clone(), Arc::clone(inside), keep));
    tasks.spawn(intake::look_over(desk.clone()));
    tasks
}

/// So many peers at once. Commands are short: who finds no place waits for one.
const PEERS: usize = 32;

/// One task a peer: a slow one must not keep the others waiting.
async fn listen(socket: tokio::net::UnixListener, desk: Desk, inside: Arc<Inside>) {
    let mut peers = JoinSet::new();
    loop {
        while peers.len() >= PEERS || peers.try_join_next().is_some() {
            if peers.len() >= PEERS {
                _ = peers.join_next().await;
            }
        }
        match socket.accept().await {
            Ok((stream, _)) => {
                _ = peers.spawn(control::serve(stream.into_split(), desk.clone(), Arc::clone(&inside)))
            }
            Err(e) => {
                tracing::warn!("a peer could not be let in: {e}");
                tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            }
        }
    }
}

fn log_to_standard_error() {
    // Not by spans and fields: that alone would bring an engine for regular expressions into every hub.
    let wanted = std::env::var("HEARTH_LOG").ok().and_then(|wanted| wanted.parse().ok());
    let filter = wanted.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // It would say that nobody reads standard error on standard error, and panic there.
        .log_internal_errors(false)
        .without_time();
    // A second daemon in one process is a test's: the first one's log serves both.
    _ = tracing_subscriber::registry().with(lines).with(filter).try_init();
}
