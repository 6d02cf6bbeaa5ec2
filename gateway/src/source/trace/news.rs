//! A log's events as the news that a replay takes: JSON lines, as [`super::super::lines`] reads them.

use super::advertising::WEIGHED;
use super::event::{self, Advertisement, Contact, Event, Gone, How, Seen, Value};
use super::{Line, Place};
use crate::source::lines::{self, Said};
use hearth_core::admit::End;
use hearth_core::capture::{Link, Uuid16};
use hearth_core::identity::{Address, AddressKind, Facts};
use hearth_core::when::Face;
use hearth_wire::gatt::{CurrentTime, DateTime, SystemId, device_information};
use hearth_wire::racp::{Opcode, Operand, Operator, RecordAccessControlPoint, ResponseCode};
use jiff::{Timestamp, civil};
use std::collections::BTreeMap;

/// Characteristics that carry measurements, by their assigned numbers.
const MEASUREMENTS: [u16; 16] = [
    0x2A18, 0x2A1C, 0x2A1E, 0x2A34, 0x2A35, 0x2A36, 0x2A37, 0x2A5E, 0x2A5F, 0x2A9C, 0x2A9D, 0x2AA7, 0x2B34,
    0x2B35, 0x2B36, 0x2B8B,
];
/// Of so many devices what they said is remembered.
const DEVICES: usize = 256;
/// No device has more services than this.
const SERVICES: usize = 128;
/// So many news of devices that advertise are kept for when they connect.
const ADVERTISED: usize = 1_024;
/// What is known of a device, and whether it was said.
#[derive(Clone, PartialEq, Debug, Default)]
struct Device {
    facts: Facts,
    told: Option<Facts>,
    used: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Talk {
    /// A value or a clock was told: the contact exists for whoever reads the news.
    known: bool,
    /// The host wrote the device's clock.
    clock_set: bool,
    /// The records that the host asked for last are all that the device has, or all that are new to it.
    wholly: bool,
    drained: Option<bool>,
}

#[derive(Debug, Default)]
pub(super) struct News {
    devices: BTreeMap<String, Device>,
    advertised: BTreeMap<[u8; 6], Facts>,
    talks: BTreeMap<u64, Talk>,
    /// What each scale broadcast last, by its address and service.
    weighed: BTreeMap<([u8; 6], u16), Vec<u8>>,
    /// Microseconds since 1970 at the log's first event.
    start: Option<i64>,
    /// The latest tick: the log's clock may step back, ticks do not.
    tick: i64,
    turn: u64,
    pub(super) clocks_after_setting: u64,
    pub(super) senseless: u64,
    pub(super) steps_back: u64,
}

impl News {
    /// The lines that follow from what was seen.
    pub(super) fn take(&mut self, seen: &Seen) -> Vec<Line> {
        let mut out = vec![];
        self.turn += 1;
        let tick = self.tick(seen, &mut out);
        let say = |said, out: &mut Vec<Line>| out.push(told(seen.place, tick, said));
        match &seen.event {
            Event::Connected(contact) => {
                self.talks.insert(contact.number, Talk::default());
                self.device(*contact);
            }
            Event::Identity { contact, address } => {
                let device = self.device(*contact);
                // What was said of a device first stands; before that, the address that stays is the better word.
                if device.told.is_none() {
                    device.facts.address = Some(*address);
                }
            }
            Event::Service { contact, service } => {
                let services = &mut self.device(*contact).facts.services;
                if services.len() < SERVICES {
                    services.insert(*service);
                }
            }
            Event::Value(value) => {
                for said in self.value(value, seen.at) {
                    say(said, &mut out);
                }
            }
            Event::Disconnected { contact, gone } => {
                let talk = self.talks.remove(&contact.number).unwrap_or_default();
                if self.devices.contains_key(&name(*contact)) {
                    self.meet(*contact, false).into_iter().for_each(|said| say(said, &mut out));
                }
                if talk.known {
                    let drained = talk.drained.unwrap_or(*gone == Gone::ByDevice);
                    let how = if drained { End::Drained } else { End::Lost };
                    say(Said::Ended { device: name(*contact), contact: contact.number, how }, &mut out);
                }
            }
            Event::Advertisement(advertisement) => {
                self.advertised(advertisement);
                for said in self.weighed(advertisement) {
                    say(said, &mut out);
                }
            }
        }
        out
    }

    /// The ticks of what was seen. Before the first, the boot and what the log says of the time then.
    fn tick(&mut self, seen: &Seen, out: &mut Vec<Line>) -> i64 {
        let start = match self.start {
            Some(start) => start,
            None => {
                self.start = Some(seen.at);
                out.push(told(seen.place, 0, Said::Boot));
                match Timestamp::from_microsecond(seen.at) {
                    Ok(utc) => out.push(told(seen.place, 0, Said::HubTime(utc))),
                    Err(_) => out.push(Line {
                        place: seen.place.to_string(),
                        text: Err(format!(
                            "its time, {} us from 1970, is in no year that can be; the log is replayed without",
                            seen.at
                        )),
                    }),
                }
                seen.at
            }
        };
        let tick = seen.at.saturating_sub(start).div_euclid(1_000);
        if tick < self.tick {
            self.steps_back += 1;
        }
        self.tick = self.tick.max(tick);
        self.tick
    }

    fn value(&mut self, value: &Value, at: i64) -> Vec<Said> {
        let contact = value.contact;
        let mut out = vec![];
        let start = self.start.unwrap_or(at);
        match (value.characteristic, value.how) {
            (RecordAccessControlPoint::UUID, how) => self.control_point(value, how),
            (CurrentTime::UUID | DateTime::UUID, How::Write) => self.talk(contact).clock_set = true,
            (CurrentTime::UUID | DateTime::UUID, how) => {
                if self.talk(contact).clock_set {
                    self.clocks_after_setting += 1;
                    return out;
                }
                let shows = DateTime::decode(&value.octets).ok().and_then(|d| civil_date(d.value));
                let Some(shows) = shows else {
                    self.senseless += 1;
                    return out;
                };
                let asked = (how == How::Read).then_some(value.asked).flatten();
                let asked = asked.map(|asked| asked.saturating_sub(start).div_euclid(1_000).min(self.tick));
                out.extend(self.meet(contact, true));
                self.talk(contact).known = true;
                let (device, contact) = (name(contact), contact.number);
                out.push(Said::Clock { device, contact, face: Face::Shown, shows, asked });
            }
            (_, How::Write) => {}
            (characteristic, _) if MEASUREMENTS.contains(&characteristic) => {
                out.extend(self.meet(contact, true));
                self.talk(contact).known = true;
                out.push(Said::Heard {
                    device: name(contact),
                    contact: contact.number,
                    link: value.link,
                    origin: None,
                    characteristic: Uuid16(characteristic),
                    octets: value.octets.clone(),
                });
            }
            (characteristic, How::Read) => self.fact(contact, characteristic, &value.octets),
            _ => {}
        }
        out
    }

    /// Device Information that was read.
    fn fact(&mut self, contact: Contact, characteristic: u16, octets: &[u8]) {
        let text = || device_information::text(octets).ok().map(str::to_owned);
        let facts = &mut self.device(contact).facts;
        let field = match characteristic {
            SystemId::UUID => {
                let Ok(decoded) = SystemId::decode(octets) else {
                    self.senseless += 1;
                    return;
                };
                facts.system_id = Some(decoded.value);
                return;
            }
            device_information::MODEL_NUMBER => &mut facts.model,
            device_information::SERIAL_NUMBER => &mut facts.serial,
            device_information::FIRMWARE_REVISION => &mut facts.firmware,
            device_information::MANUFACTURER_NAME => &mut facts.manufacturer,
            // Device Name, of the Generic Access service
            0x2A00 => &mut facts.advertised_name,
            _ => return,
        };
        match text() {
            Some(text) if text.is_empty() => {}
            Some(text) => *field = Some(text),
            None => self.senseless += 1,
        }
    }

    /// Whether all that the device had was handed over: by its own word.
    fn control_point(&mut self, value: &Value, how: How) {
        let Ok(decoded) = RecordAccessControlPoint::decode(&value.octets) else { return };
        let talk = self.talk(value.contact);
        let RecordAccessControlPoint { opcode, operator, operand } = decoded.value;
        match (how, opcode, operand) {
            (How::Write, Opcode::REPORT_STORED_RECORDS, _) => {
                let all = [Operator::ALL_RECORDS, Operator::GREATER_THAN_OR_EQUAL_TO];
                talk.wholly = all.contains(&operator);
                talk.drained = Some(false);
            }
            (How::Indication, Opcode::RESPONSE_CODE, Operand::Response { request, code })
                if request == Opcode::REPORT_STORED_RECORDS =>
            {
                let done = [ResponseCode::SUCCESS, ResponseCode::NO_RECORDS_FOUND].contains(&code);
                talk.drained = Some(done && talk.wholly);
            }
            _ => {}
        }
    }

    fn advertised(&mut self, told: &Advertisement) {
        if self.advertised.len() >= ADVERTISED && !self.advertised.contains_key(&told.address.octets) {
            self.advertised.clear();
        }
        let facts = self.advertised.entry(told.address.octets).or_default();
        if told.name.is_some() {
            facts.advertised_name.clone_from(&told.name);
        }
        let room = SERVICES.saturating_sub(facts.services.len());
        facts.services.extend(told.services.iter().take(room));
    }

    /// What a scale told everybody, once for each frame: it repeats one for many seconds.
    fn weighed(&mut self, told: &Advertisement) -> Vec<Said> {
        let mut out = vec![];
        let weighed = told.service_octets.iter().filter(|(service, _)| WEIGHED.contains(service));
        for (service, octets) in weighed {
            let last = (told.address.octets, *service);
            if self.weighed.get(&last) == Some(octets) {
                continue;
            }
            if self.weighed.len() >= DEVICES {
                self.weighed.clear();
            }
            self.weighed.insert(last, octets.clone());
            // Nobody connected: all that is broadcast is one contact.
            let contact = Contact { number: 0, peer: Some(told.address), channel: 0 };
            self.device(contact).facts.services.insert(*service);
            out.extend(self.meet(contact, true));
            out.push(Said::Heard {
                device: name(contact),
                contact: 0,
                link: Link::Broadcast,
                origin: None,
                characteristic: Uuid16(*service),
                octets: octets.clone(),
            });
        }
        out
    }

    fn talk(&mut self, contact: Contact) -> &mut Talk {
        self.talks.entry(contact.number).or_default()
    }

    fn device(&mut self, contact: Contact) -> &mut Device {
        let name = name(contact);
        if self.devices.len() >= DEVICES && !self.devices.contains_key(&name) {
            let oldest = self.devices.iter().min_by_key(|(_, d)| d.used).map(|(name, _)| name.clone());
            oldest.and_then(|oldest| self.devices.remove(&oldest));
        }
        let turn = self.turn;
        let device = self.devices.entry(name).or_insert_with(|| {
            let facts = Facts { address: Some(address(contact)), ..Facts::default() };
            Device { facts, ..Device::default() }
        });
        device.used = turn;
        device
    }

    /// What is new of a device. Unless something of it `follows`, a device that said nothing is not worth a line.
    fn meet(&mut self, contact: Contact, follows: bool) -> Option<Said> {
        let heard = contact.peer.and_then(|peer| self.advertised.get(&peer.octets)).cloned();
        let device = self.device(contact);
        if let Some(heard) = heard {
            device.facts.advertised_name = device.facts.advertised_name.take().or(heard.advertised_name);
            device.facts.services.extend(heard.services);
        }
        let bare = Facts { address: device.facts.address, ..Facts::default() };
        if device.told.as_ref() == Some(&device.facts) || !follows && device.facts == bare {
            return None;
        }
        device.told = Some(device.facts.clone());
        Some(Said::Met { device: name(contact), facts: device.facts.clone() })
    }
}

/// What the news calls a device: its address as the log has it; where the log does not, its channel.
pub(super) fn name(contact: Contact) -> String {
    match contact.peer {
        Some(peer) => event::spelled(&peer.octets),
        None => format!("contact-{}", contact.number),
    }
}

/// Where the log has no address, one that names nothing stands in: no device is told apart by it.
fn address(contact: Contact) -> Address {
    contact.peer.unwrap_or_else(|| {
        let [.., a, b, c, d] = contact.number.to_be_bytes();
        Address { octets: [0, 0, a, b, c, d], kind: AddressKind::Private }
    })
}

fn civil_date(shown: DateTime) -> Option<civil::DateTime> {
    let DateTime { year, month, day, hours, minutes, seconds } = shown;
    let small = |n: u8| i8::try_from(n).ok();
    civil::DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hours)?,
        small(minutes)?,
        small(seconds)?,
        0,
    )
    .ok()
    .filter(|_| shown.is_date())
}

fn told(place: Place, tick: i64, said: Said) -> Line {
    Line { place: place.to_string(), text: Ok(lines::write(&lines::Line { at: Some(tick), said })) }
}
