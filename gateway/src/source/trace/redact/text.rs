//! News as JSON lines, made anew: a line that can't be read is left out, as are comments and notes.

use super::super::lines::{Unread, line};
use super::mask::{MOST, Mask};
use super::{Place, RedactError, Redacted, io, values};
use crate::source::lines::{self, Bind, Said};
use hearth_core::capture::Origin;
use hearth_core::identity::{AddressKind, Facts};
use hearth_wire::gatt::SystemId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

pub(super) fn write(
    mut reader: impl BufRead,
    writer: &mut impl Write,
    mask: &mut Mask,
) -> Result<Redacted, RedactError> {
    let mut redacted = Redacted { days: mask.days, ..Redacted::default() };
    let mut news = News { mask, devices: BTreeMap::new(), year: None };
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
        let made = lines::Line { at: parsed.at, said: news.said(parsed.said) };
        if news.mask.crowded || news.devices.len() > MOST {
            return Err(RedactError::Crowded(Place { record: number, offset: 0 }));
        }
        writeln!(writer, "{}", lines::write(&made)).map_err(io)?;
        redacted.kept += 1;
    }
    redacted.addresses = mask.addresses.len();
    redacted.texts = mask.texts.len() + mask.system_ids.len();
    Ok(redacted)
}

struct News<'a> {
    mask: &'a mut Mask,
    /// What the file calls its devices, and what the new one does.
    devices: BTreeMap<String, String>,
    /// By the latest word about the hub's time.
    year: Option<i16>,
}

impl News<'_> {
    fn said(&mut self, said: Said) -> Said {
        match said {
            Said::HubTime(utc) => {
                self.year = Some(values::year(utc));
                Said::HubTime(self.moved(utc))
            }
            Said::Met { device, facts } => {
                Said::Met { device: self.device(device), facts: self.facts(facts) }
            }
            Said::Heard { device, contact, link, origin, characteristic, octets } => Said::Heard {
                device: self.device(device),
                contact,
                link,
                origin: origin.map(|o| Origin { recorder: self.mask.eui64(o.recorder), ..o }),
                octets: values::value(self.mask, characteristic.0, &octets, self.year),
                characteristic,
            },
            Said::Clock { device, contact, face, shows, asked } => {
                let date = values::moved_date(shows.date(), self.mask.days, self.year);
                let shows = date.map_or(shows, |date| date.to_datetime(shows.time()));
                Said::Clock { device: self.device(device), contact, face, shows, asked }
            }
            Said::Ended { device, contact, how } => Said::Ended { device: self.device(device), contact, how },
            Said::Bind(bind) => Said::Bind(self.bind(bind)),
            Said::Boot | Said::Retract { .. } | Said::Reissue { .. } | Said::Silence => said,
        }
    }

    fn device(&mut self, name: String) -> String {
        let next = format!("device-{}", self.devices.len() + 1);
        self.devices.entry(name).or_insert(next).clone()
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
            ..facts
        }
    }

    /// The zone stays: stamps are read in it. So do the names of record systems, which are the configuration's.
    fn bind(&mut self, bind: Bind) -> Bind {
        Bind {
            device: self.device(bind.device),
            patient: bind.patient.into_iter().map(|(at, id)| (at, self.mask.string(&id))).collect(),
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
