//! Every capture of `device-profiles/`, sent by a made-up device: as news, and as packets of a log.

use e2e::root;
use hearth_core::capture::Uuid16;
use hearth_core::profile::{Catalog, Profile, Via};
use hearth_core::quirk::Quirk;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A device that sends one capture of `device-profiles/`.
pub(crate) struct Device {
    profile: Profile,
    number: u8,
    values: Vec<(Uuid16, Vec<u8>)>,
}

/// Every capture, each sent by a device of its own that its profile, or one that calls its quirk, is for.
pub(crate) fn devices() -> Vec<Device> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            match entry.is_dir() {
                true => below(&entry, found),
                false => {
                    found.extend(Some(entry).filter(|file| file.extension().is_some_and(|e| e == "hex")))
                }
            }
        }
    }
    let folder = root().join("device-profiles");
    let mut files = vec![];
    below(&folder, &mut files);
    files.sort();
    let catalog = Catalog::standard();
    let all = files.iter().enumerate().map(|(number, file)| {
        let capture = file.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        let of = capture.rsplit_once('/').unwrap().0;
        let quirk = of.strip_prefix("quirks/").map(|name| Quirk::parse(name).unwrap());
        let profile = catalog.all().find(|p| p.name.0 == of || quirk.is_some_and(|q| p.quirks.contains(&q)));
        let text = std::fs::read_to_string(file).unwrap();
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let values = lines.map(|line| {
            let (characteristic, hex) = line.split_once(' ').unwrap();
            (Uuid16::parse(characteristic).unwrap(), octets(hex))
        });
        // A quirk that no profile calls: read by the letter.
        let generic =
            || catalog.all().find(|p| p.name.is_generic() && quirk.is_some_and(|q| p.kind == q.kind()));
        let profile = profile.or_else(generic).unwrap_or_else(|| panic!("{capture}")).clone();
        Device { values: values.collect(), profile, number: number as u8 }
    });
    all.collect()
}

pub(crate) fn spelled(octets: &[u8]) -> String {
    let all: Vec<String> = octets.iter().map(|octet| format!("{octet:02X}")).collect();
    all.join(":")
}

pub(crate) fn octets(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(octet).collect()
}

pub(crate) fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

impl Device {
    /// Most significant octet first.
    fn address(&self) -> [u8; 6] {
        [0x00, 0x09, 0x1F, 0x5A, 0xC3, self.number]
    }

    /// Where the profile knows a beginning, every second device has no more of a name than that.
    fn name(&self) -> String {
        let known = self.profile.matches.name_prefixes.first().cloned();
        match (known, self.number % 2) {
            (Some(known), 0) => known,
            (known, _) => format!("{}Zz74{:04}", known.unwrap_or_default(), self.number),
        }
    }

    fn serial(&self) -> String {
        format!("SN74{:04}", self.number)
    }

    fn system_id(&self) -> [u8; 8] {
        [self.number, 0xC3, 0x5A, 0xFE, 0xFF, 0x1F, 0x09, 0x00]
    }

    fn model(&self) -> String {
        self.profile.matches.model.clone().unwrap_or_else(|| "Model".into())
    }

    fn maker(&self) -> String {
        self.profile.matches.manufacturer.clone().unwrap_or_else(|| "Maker".into())
    }

    fn services(&self) -> Vec<u16> {
        match self.profile.matches.services.clone() {
            none if none.is_empty() => vec![self.profile.kind.service()],
            services => services,
        }
    }

    fn broadcasts(&self) -> bool {
        self.profile.collect.via == Via::Advertisement
    }

    /// As news: met, bound in a zone where clocks are set forward and back, heard, asked for its clock, gone.
    pub(crate) fn lines(&self, at: i64) -> Vec<Value> {
        let device = format!("Anna's {}", self.number);
        let services: Vec<String> = self.services().iter().map(|s| format!("{s:04X}")).collect();
        let patient = json!({"annas-clinic": format!("p{}", self.number)});
        let link = if self.broadcasts() { "broadcast" } else { "bonded" };
        let mut lines = vec![
            json!({"at": at, "met": {"device": device, "address": spelled(&self.address()), "name": self.name(),
                "services": services, "system_id": hex(&self.system_id()), "serial": self.serial(),
                "model": self.model(), "manufacturer": self.maker()}}),
            json!({"bind": {"device": device, "patient": patient, "zone": "America/New_York",
                "from": "2001-01-01T00:00:00Z", "sole_use_attested_by": "Nurse Adams"}}),
        ];
        lines.extend(self.values.iter().map(|(characteristic, octets)| {
            json!({"heard": {"device": device, "contact": self.number, "link": link,
                "characteristic": characteristic.to_string(), "hex": hex(octets)}})
        }));
        if self.profile.clock.tells {
            lines.push(json!({"at": at + 50, "clock": {"device": device, "contact": self.number,
                "shows": "2026-09-01T08:00:30", "asked": at + 40}}));
        }
        lines.push(json!({"at": at + 60,
            "ended": {"device": device, "contact": self.number, "how": "drained"}}));
        lines
    }

    /// As packets of an HCI log. `None`: no such log holds a memory that is read.
    pub(crate) fn packets(&self) -> Option<Vec<(bool, Vec<u8>)>> {
        if self.profile.collect.via == Via::Vendor
            || self.values.iter().any(|(c, _)| c.0 < 0x1000 || c.way().is_some() != self.broadcasts())
        {
            return None;
        }
        let reversed: Vec<u8> = self.address().into_iter().rev().collect();
        let report = |data: &[u8]| {
            let body =
                [&[0x02, 0x01, 0x00, 0x00][..], &reversed, &[data.len() as u8], data, &[0xC4]].concat();
            (true, [&[4, 0x3E, body.len() as u8][..], &body].concat())
        };
        let name = self.name();
        let mut data = vec![name.len() as u8 + 1, 0x09];
        data.extend(name.bytes());
        let mut all = vec![report(&data)];
        if self.broadcasts() {
            for (service, octets) in &self.values {
                let [low, high] = service.0.to_le_bytes();
                let data = [&[octets.len() as u8 + 3, 0x16, low, high][..], octets].concat();
                all.push(report(&data));
            }
            return Some(all);
        }
        let handle = u16::from(self.number) + 0x40;
        let [low, high] = handle.to_le_bytes();
        let connected =
            [&[4, 0x3E, 0x13, 0x01, 0x00, low, high, 0, 0][..], &reversed, &octets("1800 0000 4800 00")];
        all.push((true, connected.concat()));
        let mut att = |received: bool, payload: &[u8]| {
            let length = payload.len() as u16;
            let flags = if received { 0x20 } else { 0x00 };
            let acl = [
                &[2, low, high | flags][..],
                &(length + 4).to_le_bytes(),
                &length.to_le_bytes(),
                &[4, 0],
                payload,
            ];
            all.push((received, acl.concat()));
        };
        att(false, &octets("02 0002"));
        att(true, &octets("03 0002"));
        for (nth, service) in self.services().iter().enumerate() {
            let [from, to] = [0x01 + nth as u8 * 0x20, 0x20 + nth as u8 * 0x20];
            att(false, &[0x10, from, 0, 0xFF, 0xFF, 0x00, 0x28]);
            att(true, &[&[0x11, 6, from, 0, to, 0][..], &service.to_le_bytes()].concat());
        }
        let facts = [
            (0x2A29, self.maker().into_bytes()),
            (0x2A24, self.model().into_bytes()),
            (0x2A25, self.serial().into_bytes()),
            (0x2A23, self.system_id().to_vec()),
        ];
        let mut types: Vec<u16> = facts.iter().map(|(characteristic, _)| *characteristic).collect();
        types.extend(self.values.iter().map(|(characteristic, _)| characteristic.0));
        let of = |characteristic: u16| 3 + 2 * types.iter().position(|t| *t == characteristic).unwrap() as u8;
        att(false, &octets("08 0100 FFFF 0328"));
        let pairs = types.iter().flat_map(|t| {
            let [low, high] = t.to_le_bytes();
            [of(*t) - 1, 0, 2, of(*t), 0, low, high]
        });
        att(true, &[0x09, 7].into_iter().chain(pairs).collect::<Vec<u8>>());
        for (characteristic, value) in &facts {
            att(false, &[0x0A, of(*characteristic), 0]);
            att(true, &[&[0x0B][..], value].concat());
        }
        for (characteristic, value) in &self.values {
            att(true, &[&[0x1B, of(characteristic.0), 0][..], value].concat());
        }
        all.push((true, vec![4, 0x05, 4, 0, low, high, 0x13]));
        Some(all)
    }

    /// What names it or its owner.
    pub(crate) fn secrets(&self) -> Vec<Vec<u8>> {
        if self.broadcasts() {
            return vec![self.address().to_vec()];
        }
        vec![self.address().to_vec(), self.system_id().to_vec(), self.serial().into_bytes()]
    }
}

/// Records of a `btsnoop` of Android, a tenth of a second apart, from 2026-09-01T12:00:00Z.
pub(crate) fn btsnoop(packets: &[(bool, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"btsnoop\0\0\0\0\x01\0\0\x03\xEA".to_vec();
    let start: jiff::Timestamp = "2026-09-01T12:00:00Z".parse().unwrap();
    for (nth, (received, packet)) in packets.iter().enumerate() {
        let length = (packet.len() as u32).to_be_bytes();
        let kind = if packet[0] == 2 { 0 } else { 2 };
        file.extend([length, length, (u32::from(*received) | kind).to_be_bytes(), [0; 4]].concat());
        let micros = 0x00DC_DDB3_0F2F_8000 + start.as_microsecond() + nth as i64 * 100_000;
        file.extend(micros.to_be_bytes());
        file.extend(packet);
    }
    file
}
