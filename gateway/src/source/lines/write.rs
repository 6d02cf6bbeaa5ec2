//! Lines, written as they are read.

use super::*;

/// Writes a line, without its end, as [`parse`] reads it.
pub fn write(line: &Line) -> String {
    let mut raw = Raw { at: line.at, ..Raw::default() };
    match line.said.clone() {
        Said::Boot => raw.boot = Some(true),
        Said::HubTime(utc) => raw.hub_time = Some(utc),
        Said::Met { device, facts } => raw.met = Some(RawMet::new(device, facts)),
        Said::Heard { device, contact, link, origin, characteristic, octets } => {
            raw.heard = Some(RawHeard {
                device,
                contact,
                link: match link {
                    Link::Bonded => RawLink::Bonded,
                    Link::Open => RawLink::Open,
                    Link::Broadcast => RawLink::Broadcast,
                    Link::Wired => RawLink::Wired,
                },
                origin: origin.map(|Origin { recorder, epoch, number }| RawOrigin {
                    recorder: data_encoding::HEXUPPER.encode(&recorder),
                    epoch,
                    number,
                }),
                characteristic: characteristic.to_string(),
                hex: data_encoding::HEXUPPER.encode(&octets),
            });
        }
        Said::Clock { device, contact, face, shows, asked } => {
            let face = match face {
                Face::Base => RawFace::Base,
                Face::Shown => RawFace::Shown,
            };
            raw.clock = Some(RawClock { device, contact, face, shows, asked });
        }
        Said::Ended { device, contact, how } => {
            let how = match how {
                End::Drained => RawEnd::Drained,
                End::Lost => RawEnd::Lost,
            };
            raw.ended = Some(RawEnded { device, contact, how });
        }
        Said::Bind(bind) => raw.bind = Some(bind),
        Said::Retract { reading } => raw.retract = Some(reading),
        Said::Reissue { reading } => raw.reissue = Some(reading),
        Said::Silence => raw.silence = Some(true),
    }
    serde_json::to_string(&raw)
        .expect("a line's keys are texts and its values numbers, texts and lists of them")
}

impl RawMet {
    fn new(device: String, facts: Facts) -> RawMet {
        let Facts { address, advertised_name, services, system_id, serial, manufacturer, model, firmware } =
            facts;
        RawMet {
            device,
            address: address.map(|Address { octets, .. }| {
                octets.iter().map(|o| format!("{o:02X}")).collect::<Vec<_>>().join(":")
            }),
            address_kind: address.map(|a| match a.kind {
                AddressKind::Public => RawAddressKind::Public,
                AddressKind::Identity => RawAddressKind::Identity,
                AddressKind::Private => RawAddressKind::Private,
            }),
            name: advertised_name,
            services: services.into_iter().map(|service| format!("{service:04X}")).collect(),
            system_id: system_id.map(|SystemId(sent)| data_encoding::HEXUPPER.encode(&sent)),
            serial,
            manufacturer,
            model,
            firmware,
        }
    }
}
