//! A program that only prints what a device tells, by the plain calls of btleplug.
//!
//! `bare obvious|careful ADDRESS CHARACTERISTIC SESSIONS [SILENCE-MS]`: connects so many times, each time until the device
//! hangs up or falls silent. Prints a line for each event: milliseconds since the machine booted, what, and more.
//!
//! The obvious order is connect, discover, `notifications()`, subscribe. The careful one has the stream before it connects,
//! and takes its subscription back at every end.
//!
//! `bare ask ADDRESS STEP...`: one careful connection. A step is `+2A35` (subscribe), `2A52=0101` (write), `2A19` (read) or
//! `wait` (until it falls silent for a second); at the end it waits until the device hangs up or falls silent.
//!
//! `bare scan SECONDS`: prints nothing but how many events came.

use btleplug::api::{
    Central, CentralEvent, Characteristic, Manager as _, Peripheral as _, ScanFilter, ValueNotification,
    WriteType,
};
use btleplug::platform::{Adapter, Manager, Peripheral};
use futures_util::stream::{BoxStream, StreamExt};
use std::time::Duration;
use tokio::time::timeout;

type Failure = Box<dyn std::error::Error>;

/// How long it looks for a device, and waits for one call.
const PATIENCE: Duration = Duration::from_secs(60);

/// Milliseconds since the machine booted, as the kernel's own log counts them.
fn uptime() -> String {
    let read = std::fs::read_to_string("/proc/uptime").unwrap_or_default();
    read.split(' ').next().unwrap_or_default().replace('.', "") + "0"
}

macro_rules! say {
    ($($word:tt)*) => { println!("{} {}", uptime(), format_args!($($word)*)) };
}

/// Scans until the device is heard, which is more than that BlueZ remembers it.
async fn find(adapter: &Adapter, address: &str) -> Result<Peripheral, Failure> {
    let mut events = adapter.events().await?;
    adapter.start_scan(ScanFilter::default()).await?;
    say!("scans");
    let found = timeout(PATIENCE, async {
        while let Some(event) = events.next().await {
            let (CentralEvent::DeviceDiscovered(id)
            | CentralEvent::DeviceUpdated(id)
            | CentralEvent::RssiUpdate { id, .. }) = event
            else {
                continue;
            };
            let peripheral = adapter.peripheral(&id).await?;
            let heard = peripheral.properties().await?.is_some_and(|known| known.rssi.is_some());
            if heard && peripheral.address().to_string() == address {
                return Ok(peripheral);
            }
        }
        Err(Failure::from("no more events"))
    })
    .await;
    adapter.stop_scan().await?;
    found?
}

/// Prints values until the device hangs up, or says nothing for so long.
async fn listen(
    adapter: &Adapter,
    peripheral: &Peripheral,
    values: &mut BoxStream<'_, ValueNotification>,
    silence: Duration,
) -> Result<usize, Failure> {
    let mut events = adapter.events().await?;
    let mut came = 0;
    let mut print = |value: ValueNotification| {
        came += 1;
        let hex: String = value.value.iter().map(|octet| format!("{octet:02X}")).collect();
        say!("value {} {hex}", value.uuid);
    };
    loop {
        tokio::select! {
            value = timeout(silence, values.next()) => match value {
                Ok(Some(value)) => print(value),
                Ok(None) | Err(_) => break,
            },
            Some(event) = events.next() => {
                if matches!(&event, CentralEvent::DeviceDisconnected(id) if *id == peripheral.id()) {
                    say!("lost");
                    // What is still on its way inside this machine.
                    while let Ok(Some(value)) = timeout(Duration::from_millis(100), values.next()).await {
                        print(value);
                    }
                    break;
                }
            }
        }
    }
    Ok(came)
}

fn characteristic(peripheral: &Peripheral, wanted: &str) -> Result<Characteristic, Failure> {
    let wanted = format!("0000{}-0000-1000-8000-00805f9b34fb", wanted.to_lowercase());
    let found = peripheral.characteristics().into_iter().find(|known| known.uuid.to_string() == wanted);
    found.ok_or_else(|| Failure::from(format!("the device has no {wanted}")))
}

/// One session: how many values came.
async fn session(
    adapter: &Adapter,
    device: &Peripheral,
    wanted: &str,
    careful: bool,
    silence: Duration,
) -> Result<usize, Failure> {
    let early = if careful { Some(device.notifications().await?) } else { None };
    timeout(PATIENCE, device.connect()).await??;
    say!("connected");
    timeout(PATIENCE, device.discover_services()).await??;
    say!("discovered");
    let measurement = characteristic(device, wanted)?;
    let mut values = match early {
        Some(values) => values,
        None => device.notifications().await?,
    };
    timeout(PATIENCE, device.subscribe(&measurement)).await??;
    say!("subscribed");
    let came = listen(adapter, device, &mut values, silence).await?;
    if careful {
        // Also when the link is lost already: it is BlueZ that must forget it.
        _ = timeout(PATIENCE, device.unsubscribe(&measurement)).await?;
    }
    if device.is_connected().await? {
        timeout(PATIENCE, device.disconnect()).await??;
    }
    Ok(came)
}

/// One connection: each step, and what came of it.
async fn ask(adapter: &Adapter, device: &Peripheral, steps: &[&str]) -> Result<(), Failure> {
    let mut values = device.notifications().await?;
    timeout(PATIENCE, device.connect()).await??;
    say!("connected");
    timeout(PATIENCE, device.discover_services()).await??;
    say!("discovered");
    for step in steps {
        if *step == "wait" {
            listen(adapter, device, &mut values, Duration::from_secs(1)).await?;
            continue;
        }
        let (name, written) =
            step.trim_start_matches('+').split_once('=').unwrap_or((step.trim_start_matches('+'), ""));
        let known = characteristic(device, name)?;
        let octets = |at: usize| u8::from_str_radix(written.get(at * 2..at * 2 + 2)?, 16).ok();
        let done = if step.starts_with('+') {
            timeout(PATIENCE, device.subscribe(&known)).await?.map(|()| String::new())
        } else if written.is_empty() {
            let read = timeout(PATIENCE, device.read(&known)).await?;
            read.map(|octets| octets.iter().map(|octet| format!("{octet:02X}")).collect())
        } else {
            let octets: Vec<u8> = (0..written.len() / 2).map_while(octets).collect();
            timeout(PATIENCE, device.write(&known, &octets, WriteType::WithResponse))
                .await?
                .map(|()| String::new())
        };
        match done {
            Ok(read) => say!("did {step} {read}"),
            Err(failure) => say!("failed {step}: {failure}"),
        }
    }
    listen(adapter, device, &mut values, Duration::from_millis(1500)).await?;
    for known in device.characteristics() {
        _ = timeout(PATIENCE, device.unsubscribe(&known)).await?;
    }
    if device.is_connected().await? {
        timeout(PATIENCE, device.disconnect()).await??;
    }
    Ok(())
}

async fn scan(adapter: &Adapter, seconds: u64) -> Result<(), Failure> {
    let mut events = adapter.events().await?;
    adapter.start_scan(ScanFilter::default()).await?;
    let mut count = 0_u64;
    _ = timeout(Duration::from_secs(seconds), async {
        while events.next().await.is_some() {
            count += 1;
        }
    })
    .await;
    say!("scanned {count}");
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let adapters = Manager::new().await?.adapters().await?;
    let adapter = adapters.into_iter().next().ok_or("no adapter")?;
    match words[..] {
        [order @ ("obvious" | "careful"), address, wanted, sessions, ref more @ ..] => {
            let silence = more.first().unwrap_or(&"5000").parse()?;
            let mut kept: Option<Peripheral> = None;
            for n in 1..=sessions.parse()? {
                let found = find(&adapter, address).await?;
                // One object for all sessions, as a program would hold it.
                let device = kept.get_or_insert(found);
                say!("found");
                let came =
                    session(&adapter, device, wanted, order == "careful", Duration::from_millis(silence))
                        .await;
                match came {
                    Ok(came) => say!("session {n} {came}"),
                    Err(failure) => say!("session {n} failed: {failure}"),
                }
            }
            Ok(())
        }
        ["ask", address, ref steps @ ..] => {
            let device = find(&adapter, address).await?;
            say!("found");
            ask(&adapter, &device, steps).await
        }
        ["scan", seconds] => scan(&adapter, seconds.parse()?).await,
        _ => {
            Err("bare obvious|careful ADDRESS CHARACTERISTIC SESSIONS [SILENCE-MS] | bare ask ADDRESS STEP... | bare scan SECONDS"
                .into())
        }
    }
}
