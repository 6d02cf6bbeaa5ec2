//! The other side of a session, spoken by the test.

use crate::admit::End;
use crate::capture::Uuid16;
use crate::identity::Facts;
use crate::profile::{Catalog, Profile};
use crate::radio::Millis;
use crate::radio::session::{
    Ask, Can, Ending, Fault, HubTime, Known, Memory, Offer, Place, Poll, Session, Tell,
};
use crate::when::{Face, Span, Stamp, ZoneName};

pub(super) const READ: Can = Can { read: true, write: false, notify: false, indicate: false };
pub(super) const INDICATE: Can = Can { read: false, write: false, notify: false, indicate: true };
pub(super) const NOTIFY: Can = Can { read: false, write: false, notify: true, indicate: false };
pub(super) const WRITE: Can = Can { read: false, write: true, notify: false, indicate: false };
/// A control point.
pub(super) const CONTROL: Can = Can { read: false, write: true, notify: false, indicate: true };
/// Current Time.
pub(super) const CLOCK: Can = Can { read: true, write: true, notify: true, indicate: false };

pub(super) const fn offer(service: u16, characteristic: u16, can: Can) -> Offer {
    Offer { place: Place { service, characteristic: Uuid16(characteristic) }, can }
}

/// What every device here says of itself, and its battery.
pub(super) const ITSELF: [Offer; 3] =
    [offer(0x180A, 0x2A25, READ), offer(0x180A, 0x2A29, READ), offer(0x180F, 0x2A19, READ)];

pub(super) fn profile(name: &str) -> Profile {
    let catalog = Catalog::standard();
    let profile = catalog.all().find(|profile| profile.name.0 == name);
    profile.unwrap_or_else(|| panic!("no profile {name}")).clone()
}

pub(super) fn octets(hex: &str) -> Vec<u8> {
    data_encoding::HEXUPPER.decode(hex.replace(' ', "").as_bytes()).unwrap()
}

/// Everything of the device is known but what the test asks for: it is not read.
pub(super) fn known() -> Known {
    let facts = Facts {
        system_id: Some(hearth_wire::gatt::SystemId([1; 8])),
        serial: Some("1".into()),
        manufacturer: Some("M".into()),
        model: Some("M".into()),
        firmware: Some("1".into()),
        ..Facts::default()
    };
    Known { facts, battery: true, ..Known::default() }
}

/// The hub knows the time, to a second, at its instant 0, and the owner's zone.
pub(super) fn timed(utc: &str, zone: &str) -> Known {
    let utc = Span::at(utc.parse().unwrap());
    Known { time: Some(HubTime { at: Millis(0), utc }), zone: ZoneName::parse(zone), ..known() }
}

pub(super) struct Talk {
    pub(super) session: Session,
    now: Millis,
}

impl Talk {
    pub(super) fn with(name: &str, known: Known, offers: &[Offer]) -> Talk {
        Talk::of(&profile(name), known, offers)
    }

    pub(super) fn of(profile: &Profile, known: Known, offers: &[Offer]) -> Talk {
        let mut talk = Talk::up(profile, known);
        talk.session.discovered(profile, offers, Millis(0));
        talk
    }

    /// The link is up, and nothing was discovered yet.
    pub(super) fn up(profile: &Profile, known: Known) -> Talk {
        Talk { session: Session::start(profile, known, Millis(0)), now: Millis(0) }
    }

    /// From now on it is so late.
    pub(super) fn at(&mut self, ms: u64) -> &mut Talk {
        assert!(ms >= self.now.0, "time goes on");
        self.now = Millis(ms);
        self
    }

    #[track_caller]
    fn asks(&mut self, ask: &Ask) {
        assert_eq!(self.session.poll(), Poll::Ask(ask.clone()));
    }

    #[track_caller]
    pub(super) fn subscribes(&mut self, service: u16, characteristic: u16) -> &mut Talk {
        self.asks(&Ask::Subscribe(offer(service, characteristic, READ).place));
        self
    }

    #[track_caller]
    pub(super) fn reads(&mut self, service: u16, characteristic: u16) -> &mut Talk {
        self.asks(&Ask::Read(offer(service, characteristic, READ).place));
        self
    }

    #[track_caller]
    pub(super) fn writes(&mut self, service: u16, characteristic: u16, hex: &str) -> &mut Talk {
        self.asks(&Ask::Write(offer(service, characteristic, READ).place, octets(hex)));
        self
    }

    /// The device does what it was asked for.
    pub(super) fn ok(&mut self) -> &mut Talk {
        self.gives("")
    }

    pub(super) fn gives(&mut self, hex: &str) -> &mut Talk {
        self.session.answered(Ok(&octets(hex)), self.now);
        self
    }

    pub(super) fn fails(&mut self, fault: Fault) -> &mut Talk {
        self.session.answered(Err(fault), self.now);
        self
    }

    /// A measurement: to be kept.
    #[track_caller]
    pub(super) fn measures(&mut self, characteristic: u16, hex: &str) -> &mut Talk {
        assert!(self.session.value(Uuid16(characteristic), &octets(hex), self.now), "it is kept");
        self
    }

    /// Something else.
    #[track_caller]
    pub(super) fn says(&mut self, characteristic: u16, hex: &str) -> &mut Talk {
        assert!(!self.session.value(Uuid16(characteristic), &octets(hex), self.now), "no measurement");
        self
    }

    #[track_caller]
    pub(super) fn waits(&mut self, until: u64) -> &mut Talk {
        assert_eq!(self.session.poll(), Poll::Wait(Millis(until)));
        self
    }

    /// Nothing happens until what is waited for.
    #[track_caller]
    pub(super) fn silence(&mut self, until: u64) -> &mut Talk {
        self.waits(until).at(until);
        self.session.timeout(self.now);
        self
    }

    #[track_caller]
    pub(super) fn tells(&mut self, tell: &Tell) -> &mut Talk {
        assert_eq!(self.session.poll(), Poll::Tell(tell.clone()));
        self
    }

    #[track_caller]
    pub(super) fn tells_clock(&mut self, civil: &str, asked: u64, answered: u64) -> &mut Talk {
        let shown = Stamp { face: Face::Shown, civil: civil.parse().unwrap() };
        self.tells(&Tell::Clock { shown, asked: Millis(asked), answered: Millis(answered) })
    }

    pub(super) fn offers(&mut self, profile: &Profile, offers: &[Offer]) -> &mut Talk {
        self.session.discovered(profile, offers, self.now);
        self
    }

    pub(super) fn hangs_up(&mut self) -> &mut Talk {
        self.session.lost();
        self
    }

    #[track_caller]
    pub(super) fn ends(&mut self) -> Ending {
        match self.session.poll() {
            Poll::Done(ending) => ending,
            other => panic!("{other:?}"),
        }
    }

    /// How it ended, how many values there were, and what became of the memory.
    #[track_caller]
    pub(super) fn ends_so(&mut self, how: End, heard: u32, memory: Memory) -> Ending {
        let ending = self.ends();
        assert_eq!((ending.how, ending.heard, ending.memory), (how, heard, memory), "{ending:?}");
        ending
    }
}
