//! News as JSON lines, made anew: a line that can't be read is left out, as are comments and notes.

use super::super::lines::{Unread, line};
use super::devices::Devices;
use super::mask::{MOST, Mask};
use super::search::{self, Wanted};
use super::{Place, RedactError, Redacted, io, stamps, values};
use crate::source::lines::{self, Bind, Said};
use hearth_core::capture::Origin;
use hearth_core::identity::{AddressKind, Facts};
use hearth_wire::gatt::SystemId;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

pub(super) fn write(
    mut reader: impl BufRead,
    writer: &mut dyn Write,
    mask: &mut Mask,
    devices: &mut Devices,
) -> Result<Redacted, RedactError> {
    let mut redacted = Redacted { days: mask.days, ..Redacted::default() };
    let mut news = News { mask, devices, names: BTreeMap::new(), systems: BTreeMap::new() };
    for number in 1.. {
        let text = match line(&mut reader) {
            Ok(Some(text)) => text,
            Ok(None) => break,
            Err(Unread::Line(_)) => {
                redacted.left_out += 1;
                continue;
            }
            Err(Unread::File(said)) => {
                redacted.cut = Some(format!("line {number}: {said}"));
                break;
            }
        };
        let Ok(Some(parsed)) = lines::parse(&text) else {
            redacted.left_out += 1;
            continue;
        };
        if news.mask.learns {
            learn(&parsed.said, news.devices);
        }
        let made = lines::Line { at: parsed.at, said: news.said(parsed.said) };
        if news.mask.crowded || news.devices.crowded || news.names.len().max(news.systems.len()) > MOST {
            return Err(RedactError::Crowded(Place { record: number, offset: 0 }));
        }
        writeln!(writer, "{}", lines::write(&made)).map_err(io)?;
        redacted.kept += 1;
    }
    redacted.addresses = mask.addresses.len();
    redacted.texts = mask.replaced();
    Ok(redacted)
}

/// What a first reading must know.
pub(super) fn learn(said: &Said, devices: &mut Devices) {
    match said {
        Said::HubTime(utc) => devices.day(TimeZone::UTC.to_datetime(*utc).date()),
        Said::Met { device, facts } => devices.met(device, facts),
        Said::Clock { device, shows, .. } => {
            devices.compared(device);
            devices.tell(device, shows.date(), None);
        }
        Said::Bind(bind) => {
            if let Some(zone) = &bind.zone {
                devices.zone(zone);
            }
            for edge in [Some(bind.from), bind.until].into_iter().flatten() {
                devices.day(TimeZone::UTC.to_datetime(edge).date());
            }
        }
        _ => {}
    }
}

/// Looks for what must not be in it where it could be: not in ticks and other numbers, nor in hexadecimal digits as text.
pub(super) fn look_again(reader: impl BufRead, wanted: &Wanted) -> Result<(), RedactError> {
    let mut offset = 0;
    for text in reader.lines() {
        let text = text.map_err(io)?;
        if let Ok(Some(mut line)) = lines::parse(&text) {
            line.at = None;
            let octets = match &mut line.said {
                Said::Heard { octets, .. } => std::mem::take(octets),
                _ => vec![],
            };
            for part in [lines::write(&line).as_bytes(), &octets] {
                if let Some((what, _)) = search::search(part, wanted).map_err(io)? {
                    return Err(RedactError::Leak { what, offset });
                }
            }
        }
        offset += text.len() as u64 + 1;
    }
    Ok(())
}

struct News<'a> {
    mask: &'a mut Mask,
    devices: &'a mut Devices,
    /// What the file calls its devices, and what the new one does.
    names: BTreeMap<String, String>,
    /// And its record systems.
    systems: BTreeMap<String, String>,
}

impl News<'_> {
    fn said(&mut self, said: Said) -> Said {
        match said {
            Said::HubTime(utc) => Said::HubTime(self.moved(utc)),
            Said::Met { device, facts } => {
                Said::Met { device: self.device(device), facts: self.facts(facts) }
            }
            Said::Heard { device, contact, link, origin, characteristic, octets } => Said::Heard {
                octets: values::value(self.mask, self.devices, &device, characteristic.0, &octets),
                device: self.device(device),
                contact,
                link,
                origin: origin.map(|o| Origin { recorder: self.mask.eui64(o.recorder), ..o }),
                characteristic,
            },
            Said::Clock { device, contact, face, shows, asked } => {
                let date = stamps::moved(shows.date(), self.mask.days);
                let shows = date.map_or(shows, |date| date.to_datetime(shows.time()));
                Said::Clock { device: self.device(device), contact, face, shows, asked }
            }
            Said::Ended { device, contact, how } => Said::Ended { device: self.device(device), contact, how },
            Said::Bind(bind) => Said::Bind(self.bind(bind)),
            Said::Boot | Said::Retract { .. } | Said::Reissue { .. } | Said::Silence => said,
        }
    }

    fn device(&mut self, name: String) -> String {
        let next = format!("device-{}", self.names.len() + 1);
        self.names.entry(name).or_insert(next).clone()
    }

    fn system(&mut self, name: String) -> String {
        let next = format!("system-{}", self.systems.len() + 1);
        self.systems.entry(name).or_insert(next).clone()
    }

    fn facts(&mut self, facts: Facts) -> Facts {
        let mask = &mut *self.mask;
        for word in [&facts.manufacturer, &facts.model].into_iter().flatten() {
            mask.word(word.as_bytes());
        }
        Facts {
            address: facts.address.map(|mut address| {
                address.octets = mask.address(address.octets, address.kind != AddressKind::Public);
                address
            }),
            advertised_name: facts.advertised_name.map(|name| mask.name_string(&name)),
            system_id: facts.system_id.map(|id| {
                let mut sent = mask.eui64(id.eui64());
                sent.reverse();
                SystemId(sent)
            }),
            serial: facts.serial.map(|serial| mask.string(&serial)),
            manufacturer: facts.manufacturer.map(|text| mask.scrubbed_string(&text)),
            model: facts.model.map(|text| mask.scrubbed_string(&text)),
            firmware: facts.firmware.map(|text| mask.scrubbed_string(&text)),
            services: facts.services,
        }
    }

    /// The zone stays: stamps are read in it.
    fn bind(&mut self, bind: Bind) -> Bind {
        Bind {
            device: self.device(bind.device),
            patient: bind
                .patient
                .into_iter()
                .map(|(system, id)| (self.system(system), self.mask.string(&id)))
                .collect(),
            from: self.moved(bind.from),
            until: bind.until.map(|until| self.moved(until)),
            sole_use_attested_by: bind.sole_use_attested_by.map(|by| self.mask.string(&by)),
            ..bind
        }
    }

    fn moved(&self, utc: Timestamp) -> Timestamp {
        let days = SignedDuration::from_hours(self.mask.days.saturating_mul(24));
        utc.checked_add(days).unwrap_or(Timestamp::MAX)
    }
}
