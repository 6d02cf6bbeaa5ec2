//! What BlueZ's signals mean here, one by one.

use super::bus::{ADAPTER, At, DEVICE};
use hearth_core::capture::Uuid16;
use hearth_core::profile::Via;
use std::collections::HashMap;
use zbus::{Message, ObjectPath, Variant};

/// What became known of a device, property by property.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Told {
    /// It advertised just now: BlueZ tells no strength of a device that it only remembers.
    pub(super) rssi: Option<i16>,
    pub(super) random: Option<bool>,
    pub(super) name: Option<String>,
    pub(super) services: Option<Vec<u16>>,
    /// Manufacturer data, with the company identifier before it.
    pub(super) maker: Option<Vec<u8>>,
    pub(super) service_data: Vec<(Uuid16, Vec<u8>)>,
    pub(super) bonded: Option<bool>,
    pub(super) connected: Option<bool>,
}

impl Told {
    /// Whether it is an advertisement.
    pub(super) fn is_heard(&self) -> bool {
        self.rssi.is_some() || self.maker.is_some() || !self.service_data.is_empty()
    }

    /// The last word of each stands.
    pub(super) fn take(&mut self, more: &Told) {
        fn one<T: Clone>(have: &mut Option<T>, new: &Option<T>) {
            if new.is_some() {
                have.clone_from(new);
            }
        }
        one(&mut self.rssi, &more.rssi);
        one(&mut self.random, &more.random);
        one(&mut self.name, &more.name);
        one(&mut self.services, &more.services);
        one(&mut self.maker, &more.maker);
        one(&mut self.bonded, &more.bonded);
        one(&mut self.connected, &more.connected);
        if !more.service_data.is_empty() {
            self.service_data.clone_from(&more.service_data);
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Event {
    /// BlueZ has a new owner on the bus, or none.
    Daemon(bool),
    Adapter {
        adapter: u16,
        there: bool,
    },
    Powered {
        adapter: u16,
        on: bool,
    },
    /// By rfkill.
    Blocked(bool),
    Device(At, Box<Told>),
    /// BlueZ forgot it.
    DeviceGone(At),
}

pub(super) type Properties<'a> = HashMap<&'a str, Variant<'a>>;
pub(super) type Interfaces<'a> = HashMap<&'a str, Properties<'a>>;

/// What a signal means here. What can't be read is none of ours.
pub(super) fn events(message: &Message) -> Vec<Event> {
    let header = message.header();
    let (Some(member), Some(path)) = (header.member(), header.path()) else { return vec![] };
    let body = message.body();
    match member.as_str() {
        "NameOwnerChanged" => {
            let Ok((_, _, owner)) = body.deserialize::<(&str, &str, &str)>() else { return vec![] };
            vec![Event::Daemon(!owner.is_empty())]
        }
        "InterfacesAdded" => body
            .deserialize::<(ObjectPath<'_>, Interfaces<'_>)>()
            .map_or_else(|_| vec![], |(path, interfaces)| added(&path, &interfaces)),
        "InterfacesRemoved" => body
            .deserialize::<(ObjectPath<'_>, Vec<&str>)>()
            .map_or_else(|_| vec![], |(path, interfaces)| removed(&path, &interfaces)),
        "PropertiesChanged" => body
            .deserialize::<(&str, Properties<'_>, Vec<&str>)>()
            .map_or_else(|_| vec![], |(interface, changed, _)| changes(path, interface, &changed)),
        _ => vec![],
    }
}

pub(super) fn added(path: &str, interfaces: &Interfaces<'_>) -> Vec<Event> {
    let there = adapter(path).filter(|_| interfaces.contains_key(ADAPTER));
    let mut all: Vec<Event> =
        there.map(|adapter| Event::Adapter { adapter, there: true }).into_iter().collect();
    all.extend(interfaces.iter().flat_map(|(interface, properties)| changes(path, interface, properties)));
    all
}

fn removed(path: &str, interfaces: &[&str]) -> Vec<Event> {
    match (adapter(path), At::parse(path)) {
        (Some(adapter), _) if interfaces.contains(&ADAPTER) => vec![Event::Adapter { adapter, there: false }],
        (_, Some(at)) if interfaces.contains(&DEVICE) => vec![Event::DeviceGone(at)],
        _ => vec![],
    }
}

fn changes(path: &str, interface: &str, changed: &Properties<'_>) -> Vec<Event> {
    match interface {
        ADAPTER => {
            let Some(adapter) = adapter(path) else { return vec![] };
            let mut all = vec![];
            // Since BlueZ 5.66.
            if let Some(state) = changed.get("PowerState").and_then(text) {
                all.push(Event::Blocked(state == "off-blocked"));
            }
            all.extend(changed.get("Powered").and_then(flag).map(|on| Event::Powered { adapter, on }));
            all
        }
        DEVICE => At::parse(path).map(|at| Event::Device(at, Box::new(told(changed)))).into_iter().collect(),
        _ => vec![],
    }
}

fn told(changed: &Properties<'_>) -> Told {
    let get = |name| changed.get(name);
    Told {
        rssi: get("RSSI").and_then(|value| i16::try_from(value).ok()),
        random: get("AddressType").and_then(text).map(|kind| kind == "random"),
        name: get("Name").and_then(text).map(str::to_owned),
        services: get("UUIDs")
            .and_then(|value| Vec::<String>::try_from(value.clone()).ok())
            .map(|all| all.iter().filter_map(|text| short(text)).collect()),
        maker: get("ManufacturerData").and_then(maker),
        service_data: get("ServiceData").map(service_data).unwrap_or_default(),
        bonded: get("Bonded").and_then(flag),
        connected: get("Connected").and_then(flag),
    }
}

fn maker(value: &Variant<'_>) -> Option<Vec<u8>> {
    let all = HashMap::<u16, Variant<'_>>::try_from(value.clone()).ok()?;
    // Nobody has two; if somebody does, the lower number is the same one each time.
    let (company, data) = all.into_iter().min_by_key(|(company, _)| *company)?;
    Some([&company.to_le_bytes()[..], &Vec::<u8>::try_from(data).ok()?].concat())
}

fn service_data(value: &Variant<'_>) -> Vec<(Uuid16, Vec<u8>)> {
    let Ok(all) = HashMap::<String, Variant<'_>>::try_from(value.clone()) else { return vec![] };
    let one = |(uuid, data): (String, Variant<'_>)| {
        let broadcast = short(&uuid).map(Uuid16).filter(|of| of.way() == Some(Via::Advertisement));
        Some((broadcast?, Vec::<u8>::try_from(data).ok()?))
    };
    let mut all: Vec<_> = all.into_iter().filter_map(one).collect();
    all.sort();
    all
}

fn text<'v>(value: &'v Variant<'_>) -> Option<&'v str> {
    <&str>::try_from(value).ok()
}

fn flag(value: &Variant<'_>) -> Option<bool> {
    bool::try_from(value).ok()
}

/// The assigned number of a UUID on the Bluetooth base.
pub(super) fn short(uuid: &str) -> Option<u16> {
    let number = uuid.strip_prefix("0000")?.strip_suffix("-0000-1000-8000-00805f9b34fb")?;
    u16::from_str_radix(number, 16).ok()
}

fn adapter(path: &str) -> Option<u16> {
    path.strip_prefix("/org/bluez/hci")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ble::bus::BLUEZ;
    use zbus::DynamicType;

    #[test]
    fn only_the_bluetooth_base_has_assigned_numbers() {
        assert_eq!(short("00001810-0000-1000-8000-00805f9b34fb"), Some(0x1810));
        assert_eq!(short("12341810-0000-1000-8000-00805f9b34fb"), None);
        assert_eq!(short("0000fe4a-0000-1000-8000-00805f9b34fc"), None);
    }

    #[test]
    fn an_adapter_is_not_what_lies_below_it() {
        assert_eq!(adapter("/org/bluez/hci12"), Some(12));
        assert_eq!(adapter("/org/bluez/hci12/dev_C0_FF_EE_00_01_1A"), None);
    }

    fn signal<B: serde::Serialize + DynamicType>(
        path: &str,
        interface: &str,
        member: &str,
        body: &B,
    ) -> Message {
        Message::signal(path, interface, member).build(body).unwrap()
    }

    #[test]
    fn an_advertisement_is_told_as_it_changes() {
        let at = At { adapter: 1, address: [1, 2, 3, 4, 5, 6] };
        let mut changed: HashMap<&str, Variant<'_>> = HashMap::new();
        changed.insert("RSSI", Variant::I16(-60));
        changed.insert("Bonded", Variant::Bool(true));
        let maker: HashMap<u16, Variant<'_>> = HashMap::from([(0x020E, Variant::from(vec![1_u8, 2]))]);
        changed.insert("ManufacturerData", Variant::from(maker));
        let data: HashMap<&str, Variant<'_>> =
            HashMap::from([("0000181d-0000-1000-8000-00805f9b34fb", Variant::from(vec![9_u8]))]);
        changed.insert("ServiceData", Variant::from(data));
        let none: Vec<&str> = vec![];
        let message = signal(
            &at.path(),
            "org.freedesktop.DBus.Properties",
            "PropertiesChanged",
            &("org.bluez.Device1", changed, none),
        );
        let told = Told {
            rssi: Some(-60),
            bonded: Some(true),
            maker: Some(vec![0x0E, 0x02, 1, 2]),
            service_data: vec![(Uuid16::parse("adv:181D").unwrap(), vec![9])],
            ..Told::default()
        };
        assert!(told.is_heard());
        assert_eq!(events(&message), [Event::Device(at, Box::new(told))]);
    }

    #[test]
    fn adapters_come_and_go() {
        let path = ObjectPath::try_from("/org/bluez/hci1").unwrap();
        let mut properties: Properties<'_> = HashMap::new();
        properties.insert("Powered", Variant::Bool(false));
        properties.insert("PowerState", Variant::from("off-blocked"));
        let interfaces: Interfaces<'_> = HashMap::from([(ADAPTER, properties)]);
        let manager = "org.freedesktop.DBus.ObjectManager";
        let came = events(&signal("/", manager, "InterfacesAdded", &(&path, interfaces)));
        let wanted = [
            Event::Adapter { adapter: 1, there: true },
            Event::Blocked(true),
            Event::Powered { adapter: 1, on: false },
        ];
        assert_eq!(came, wanted);
        let went = events(&signal("/", manager, "InterfacesRemoved", &(&path, vec![ADAPTER])));
        assert_eq!(went, [Event::Adapter { adapter: 1, there: false }]);
    }

    #[test]
    fn the_daemon_comes_and_goes() {
        let changed = |owner: &str| {
            signal("/org/freedesktop/DBus", "org.freedesktop.DBus", "NameOwnerChanged", &(BLUEZ, "", owner))
        };
        assert_eq!(events(&changed(":1.7")), [Event::Daemon(true)]);
        assert_eq!(events(&changed("")), [Event::Daemon(false)]);
        // What is no signal of the kind that it says is nobody's.
        let odd = signal("/org/bluez/hci0", "org.freedesktop.DBus.Properties", "PropertiesChanged", &(7_u8,));
        assert_eq!(events(&odd), []);
    }
}
