//! News as JSON lines: what `hearth replay` reads, and what a capture tool writes.
//!
//! ```json
//! {"boot": true}
//! {"at": 0, "hub_time": "2024-06-15T21:17:40Z"}
//! {"at": 10, "met": {"device": "cuff", "address": "00:09:1F:80:12:34", "services": ["1810"]}}
//! {"at": 20, "heard": {"device": "cuff", "contact": 1, "characteristic": "2A35", "hex": "167C…"}}
//! {"at": 60, "clock": {"device": "cuff", "contact": 1, "shows": "2024-06-15T17:17:41", "asked": 20}}
//! {"at": 90, "ended": {"device": "cuff", "contact": 1, "how": "drained"}}
//! ```
//!
//! `at` is milliseconds since the boot that the latest `boot` line began; without it, the line before's. `device`
//! is a name for use in this file only. `heard` may carry an `origin` (recorder, epoch, number), given once by
//! whoever recorded the octets first: a record that has neither stamp nor sequence is known again by it. Every line may carry a `note`. Empty lines and `#` comments are skipped.

mod write;

pub use write::write;

use hearth_core::admit::End;
use hearth_core::capture::{Link, Origin, Uuid16};
use hearth_core::identity::{Address, AddressKind, Facts};
use hearth_core::when::Face;
use hearth_wire::gatt::SystemId;
use jiff::{Timestamp, civil};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One line: when, and what.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// Milliseconds since the boot; `None`: as the line before.
    pub at: Option<i64>,
    pub said: Said,
}

impl Line {
    /// Whether it speaks of a time that is not now: a recorded log does, a source that tells what it hears does not.
    pub fn is_recorded(&self) -> bool {
        self.at.is_some()
            || matches!(self.said, Said::Boot | Said::HubTime(_) | Said::Clock { asked: Some(_), .. })
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Said {
    Boot,
    HubTime(Timestamp),
    Met {
        device: String,
        facts: Facts,
    },
    Heard {
        device: String,
        contact: u64,
        link: Link,
        /// Given by whoever recorded it first; a record without stamp and sequence is known again by it.
        origin: Option<Origin>,
        characteristic: Uuid16,
        octets: Vec<u8>,
    },
    Clock {
        device: String,
        contact: u64,
        face: Face,
        shows: civil::DateTime,
        /// In the ticks of `at`; `None`: when it answered.
        asked: Option<i64>,
    },
    Ended {
        device: String,
        contact: u64,
        how: End,
    },
    Bind(Bind),
    /// The n-th reading that this replay admitted, from 1.
    Retract {
        reading: usize,
    },
    Reissue {
        reading: usize,
    },
    Silence,
}

/// Binds a device to somebody, as `hearth bind add` does.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Bind {
    pub device: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<u8>,
    /// Destination to logical id of the patient there. Empty: a test, nothing is sent.
    #[serde(default)]
    pub patient: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    pub from: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sole_use_attested_by: Option<String>,
    /// Others use it, too, and it tells nobody apart.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Closes all bindings of the device and slot first.
    #[serde(default)]
    pub instead: bool,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields, expecting = "one thing that is said, as {\"heard\": {…}}")]
struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boot: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hub_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    met: Option<RawMet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heard: Option<RawHeard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<RawClock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<RawEnded>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bind: Option<Bind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retract: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reissue: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<bool>,
    #[serde(skip_serializing)]
    #[allow(dead_code, reason = "for the reader of the file")]
    note: Option<String>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields, default)]
struct RawMet {
    device: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address_kind: Option<RawAddressKind>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    services: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manufacturer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firmware: Option<String>,
}

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawAddressKind {
    Public,
    Identity,
    Private,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawHeard {
    device: String,
    contact: u64,
    #[serde(default)]
    link: RawLink,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<RawOrigin>,
    characteristic: String,
    hex: String,
}

#[derive(Deserialize, Serialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum RawLink {
    #[default]
    Bonded,
    Open,
    Broadcast,
    Wired,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawOrigin {
    /// EUI-64, sixteen hexadecimal digits.
    recorder: String,
    epoch: u32,
    number: u64,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawClock {
    device: String,
    contact: u64,
    #[serde(default)]
    face: RawFace,
    shows: civil::DateTime,
    /// When the clock was asked, in the ticks of `at`; the line's own tick is when it answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<i64>,
}

#[derive(Deserialize, Serialize, Clone, Copy, Default)]
#[serde(rename_all = "lowercase")]
enum RawFace {
    Base,
    #[default]
    Shown,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawEnded {
    device: String,
    contact: u64,
    how: RawEnd,
}

#[derive(Deserialize, Serialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum RawEnd {
    Drained,
    Lost,
}

/// Reads one line. `Ok(None)`: nothing is said on it. The error names the place in the line and the cure.
pub fn parse(text: &str) -> Result<Option<Line>, String> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let raw: Raw = serde_json::from_str(text).map_err(|e| {
        let said = e.to_string();
        // The line is the file's, and whoever reads it has its number.
        let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
        format!("{said}, at column {}; a line is one JSON object (docs/replay.md)", e.column())
    })?;
    let at = raw.at;
    let mut all = vec![];
    if raw.boot == Some(true) {
        all.push(Said::Boot);
    }
    all.extend(raw.hub_time.map(Said::HubTime));
    if let Some(met) = raw.met {
        all.push(met.said()?);
    }
    if let Some(heard) = raw.heard {
        all.push(heard.said()?);
    }
    all.extend(raw.clock.map(RawClock::said));
    all.extend(raw.ended.map(RawEnded::said));
    all.extend(raw.bind.map(Said::Bind));
    all.extend(raw.retract.map(|reading| Said::Retract { reading }));
    all.extend(raw.reissue.map(|reading| Said::Reissue { reading }));
    if raw.silence == Some(true) {
        all.push(Said::Silence);
    }
    let count = all.len();
    match (all.pop(), count) {
        (Some(said), 1) => Ok(Some(Line { at, said })),
        (_, count) => Err(format!(
            "a line says one thing, this one says {count}; give exactly one of boot, hub_time, met, heard, clock, \
             ended, bind, retract, reissue, silence"
        )),
    }
}

impl RawMet {
    fn said(self) -> Result<Said, String> {
        if self.device.is_empty() {
            return Err("met: give the device a name for use in this file, \"device\": \"cuff\"".into());
        }
        let kind = match self.address_kind {
            None | Some(RawAddressKind::Public) => AddressKind::Public,
            Some(RawAddressKind::Identity) => AddressKind::Identity,
            Some(RawAddressKind::Private) => AddressKind::Private,
        };
        let address = self
            .address
            .as_deref()
            .map(|text| Ok::<_, String>(Address { octets: address(text)?, kind }))
            .transpose()?;
        let services = self.services.iter().map(|s| uuid(s)).collect::<Result<_, _>>()?;
        let system_id = self
            .system_id
            .as_deref()
            .map(|text| {
                let eight = |_| "system_id: eight octets as sent, least significant first";
                Ok::<_, String>(SystemId(hex(text)?.try_into().map_err(eight)?))
            })
            .transpose()?;
        let RawMet { device, name, serial, manufacturer, model, firmware, .. } = self;
        let facts = Facts {
            address,
            advertised_name: name,
            services,
            system_id,
            serial,
            manufacturer,
            model,
            firmware,
        };
        Ok(Said::Met { device, facts })
    }
}

impl RawHeard {
    fn said(self) -> Result<Said, String> {
        Ok(Said::Heard {
            characteristic: Uuid16::parse(&self.characteristic).ok_or_else(|| {
                format!(
                    "{:?} is no assigned number; give four hexadecimal digits, such as 2A35, or adv:181D, adv:181B, \
                     omron-eeprom",
                    self.characteristic
                )
            })?,
            octets: hex(&self.hex)?,
            origin: self.origin.map(RawOrigin::origin).transpose()?,
            device: self.device,
            contact: self.contact,
            link: match self.link {
                RawLink::Bonded => Link::Bonded,
                RawLink::Open => Link::Open,
                RawLink::Broadcast => Link::Broadcast,
                RawLink::Wired => Link::Wired,
            },
        })
    }
}

impl RawOrigin {
    fn origin(self) -> Result<Origin, String> {
        let recorder = hex(&self.recorder)?;
        let recorder = recorder.try_into().map_err(|_| "origin: the recorder has eight octets, an EUI-64")?;
        Ok(Origin { recorder, epoch: self.epoch, number: self.number })
    }
}

impl RawClock {
    fn said(self) -> Said {
        Said::Clock {
            face: match self.face {
                RawFace::Base => Face::Base,
                RawFace::Shown => Face::Shown,
            },
            asked: self.asked,
            device: self.device,
            contact: self.contact,
            shows: self.shows,
        }
    }
}

impl RawEnded {
    fn said(self) -> Said {
        let how = match self.how {
            RawEnd::Drained => End::Drained,
            RawEnd::Lost => End::Lost,
        };
        Said::Ended { device: self.device, contact: self.contact, how }
    }
}

fn uuid(text: &str) -> Result<u16, String> {
    Some(text)
        .filter(|t| t.len() == 4)
        .and_then(|t| u16::from_str_radix(t, 16).ok())
        .ok_or_else(|| format!("{text:?} is no assigned number; give four hexadecimal digits, such as 2A35"))
}

fn hex(text: &str) -> Result<Vec<u8>, String> {
    data_encoding::HEXUPPER_PERMISSIVE
        .decode(text.as_bytes())
        .map_err(|e| format!("hex: not hexadecimal at digit {}; give two digits an octet", e.position))
}

pub(crate) fn address(text: &str) -> Result<[u8; 6], String> {
    let plain: String = text.chars().filter(|c| *c != ':').collect();
    let cure = || format!("address: {text:?} is not six octets such as 00:09:1F:80:12:34");
    hex(&plain).map_err(|_| cure())?.try_into().map_err(|_| cure())
}

#[cfg(test)]
mod tests;
