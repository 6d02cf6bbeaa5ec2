//! What a log held that could not be told: counted, with the first place of each, and what helps.

use super::Place;
use super::att::Uuid;
use super::event::{Contact, spelled};
use std::collections::BTreeMap;

/// So many handles and types are named; the others are counted together.
const NAMED: usize = 256;

/// Why octets came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Loss {
    /// Whoever recorded the packet kept only its beginning.
    Shortened,
    /// A packet ends too early, or its length lies.
    Malformed,
    /// The first part of a message, whose rest never came.
    Unfinished,
    /// A part of a message whose beginning was not heard.
    Astray,
    /// The sniffer says that it heard the packet wrong.
    Garbled,
    /// On the air, of a connection whose beginning was not heard.
    BeganEarlier,
    /// On the air, without the key.
    Encrypted,
}

/// Values of one attribute that nobody could tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Values {
    pub count: u64,
    pub shortest: usize,
    pub longest: usize,
}

/// What the user says that a handle is, and what the log had to say to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Named {
    says: u16,
    found: Found,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// No value.
    Nothing,
    /// Discovery contradicts it.
    Otherwise(Uuid),
    /// A value of a device that does not contradict it.
    Taken,
}

/// Everything that a log held and that no event tells.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Summary {
    pub records: u64,
    pub losses: BTreeMap<Loss, (u64, Place)>,
    /// Packets of kinds that are not read here.
    pub passed_by: BTreeMap<&'static str, u64>,
    /// By device (its address, or its channel where the log does not tell) and handle: no declaration was in the log.
    pub unattributed: BTreeMap<(String, u16), Values>,
    /// By device and UUID: a maker's own characteristics.
    pub own: BTreeMap<(String, [u8; 16]), Values>,
    /// Of handles beyond those named above.
    pub unnamed: u64,
    /// Clock readings after the host had set that clock: they say nothing of stamps from before.
    pub clocks_after_setting: u64,
    /// Clock readings that are no date, and texts that are no text.
    pub senseless: u64,
    /// Steps of the log's clock to an earlier time.
    pub steps_back: u64,
    /// By handle.
    pub(super) named: BTreeMap<u16, Named>,
}

impl Summary {
    /// `handles`: what the user says that they are.
    pub(super) fn new(handles: &BTreeMap<u16, u16>) -> Summary {
        let named = |(handle, says): (&u16, &u16)| (*handle, Named { says: *says, found: Found::Nothing });
        Summary { named: handles.iter().map(named).collect(), ..Summary::default() }
    }

    /// A value of a handle was told, of a characteristic that discovery or the user named.
    pub(super) fn value(&mut self, handle: u16, uuid: Uuid) {
        let Some(Named { says, found }) = self.named.get_mut(&handle) else { return };
        // Handles are each device's own: it is enough that one needed the user's word.
        if uuid == Uuid::Assigned(*says) {
            *found = Found::Taken;
        } else if *found == Found::Nothing {
            *found = Found::Otherwise(uuid);
        }
    }

    pub(super) fn lose(&mut self, loss: Loss, place: Place) {
        self.losses.entry(loss).or_insert((0, place)).0 += 1;
    }

    pub(super) fn unattributed(&mut self, contact: Contact, handle: u16, length: usize) {
        count(&mut self.unattributed, (whose(contact), handle), length, &mut self.unnamed);
    }

    pub(super) fn own(&mut self, contact: Contact, uuid: [u8; 16], length: usize) {
        count(&mut self.own, (whose(contact), uuid), length, &mut self.unnamed);
    }

    /// A sentence each, with the cure where there is one.
    pub fn sentences(&self) -> Vec<String> {
        let mut all = vec![];
        for (loss, (count, place)) in &self.losses {
            let (what, cure) = match loss {
                Loss::Shortened => {
                    ("packets shortened by whoever recorded them", "record with a longer snap length")
                }
                Loss::Malformed => ("packets that end too early, or whose lengths lie", "not read"),
                Loss::Unfinished => ("messages of which a part is missing in the log", "not read"),
                Loss::Astray => ("parts of messages without their beginning", "not read"),
                Loss::Garbled => ("packets heard wrong, by the sniffer's own word", "put it nearer"),
                Loss::BeganEarlier => (
                    "packets of connections whose beginning was not heard",
                    "start the sniffer before the device connects",
                ),
                Loss::Encrypted => (
                    "packets that are encrypted",
                    "not read; give the sniffer the key, or record on the host: btmon -w, or the phone's HCI snoop log",
                ),
            };
            all.push(format!("{what}: {count}; {cure} (first: {place})"));
        }
        for (what, count) in &self.passed_by {
            all.push(format!("packets that hold {what}: {count}; passed by"));
        }
        for ((device, handle), values) in &self.unattributed {
            let cure = format!(
                "the log holds no discovery of it; forget the device on the phone and record again, or name it: \
                 --handle 0x{handle:04X}=2A35, with its own number"
            );
            all.push(format!("{device}, handle 0x{handle:04X}: {}, not attributed: {cure}", values.said()));
        }
        for ((device, uuid), values) in &self.own {
            let uuid = uuid.iter().map(|o| format!("{o:02x}")).collect::<String>();
            all.push(format!(
                "{device}, characteristic {uuid} of its maker's own: {}, not read",
                values.said()
            ));
        }
        for (handle, Named { says, found }) in &self.named {
            all.extend(found.said(*handle, *says));
        }
        let more = [
            (self.unnamed, "values of further handles", "not attributed"),
            (
                self.clocks_after_setting,
                "clock readings after the host had set the clock",
                "they date nothing",
            ),
            (self.senseless, "clock readings that are no date, and texts that are no text", "not read"),
            (
                self.steps_back,
                "steps of the log's clock to an earlier time",
                "the ticks stood still until it had caught up",
            ),
        ];
        let counted = more.iter().filter(|(n, ..)| *n > 0);
        all.extend(counted.map(|(n, what, then)| format!("{what}: {n}; {then}")));
        all
    }
}

impl Found {
    fn said(self, handle: u16, says: u16) -> Option<String> {
        let named = format!("--handle 0x{handle:04X}={says:04X}");
        match self {
            Found::Nothing => {
                Some(format!("{named} explains nothing: no value of this handle is in the log"))
            }
            Found::Otherwise(stands) => {
                let stands = match stands {
                    Uuid::Assigned(short) => format!("{short:04X}"),
                    Uuid::Own(_) => "a characteristic of its maker's own".into(),
                };
                Some(format!("{named} is not so: the log itself says {stands}, which stands"))
            }
            Found::Taken => None,
        }
    }
}

impl Values {
    fn said(&self) -> String {
        let values = if self.count == 1 { "value" } else { "values" };
        let lengths = match (self.shortest, self.longest) {
            (a, b) if a == b => format!("{a}"),
            (a, b) => format!("{a} to {b}"),
        };
        format!("{} {values} of {lengths} octets", self.count)
    }
}

fn whose(contact: Contact) -> String {
    contact.peer.map_or_else(|| format!("channel 0x{:04X}", contact.channel), |peer| spelled(&peer.octets))
}

fn count<K: Ord>(all: &mut BTreeMap<K, Values>, key: K, length: usize, unnamed: &mut u64) {
    if all.len() >= NAMED && !all.contains_key(&key) {
        *unnamed += 1;
        return;
    }
    let values = all.entry(key).or_insert(Values { count: 0, shortest: length, longest: length });
    values.count += 1;
    values.shortest = values.shortest.min(length);
    values.longest = values.longest.max(length);
}
