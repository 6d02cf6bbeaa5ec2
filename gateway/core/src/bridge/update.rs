//! A bridge gets a new firmware: it is sent, judged there, started on trial, and confirmed by its Hello.
//!
//! 1. The bridge is told what is to come: it may refuse that at once.
//! 2. The image goes in parts, each after the one before was written. A part whose answer was lost is sent again.
//! 3. The signature: if it is right, the bridge starts anew.
//! 4. Its next Hello says which firmware runs. If it is the new one, on trial, it is confirmed.

use super::Greeting;
use super::image::Signed;
use crate::when::HubTicks;
use hearth_wire::frame::{BridgeId, ToBridge, Version};

/// Octets of an image that go in one frame.
const PART: usize = 256;
/// A bridge writes a part in less, an erase included.
const ANSWER_MS: i64 = 5_000;
/// So often something is said that is not answered.
const TRIES: u32 = 4;
/// The bootloader exchanges two images page by page, each of which takes a chip up to 90 ms to erase.
const EXCHANGE_MS: i64 = 180_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Begins,
    /// From this octet on.
    Sends(usize),
    Starts,
    /// The bridge starts anew.
    Restarts,
    Confirms,
}

/// One update of one bridge.
#[derive(Clone, Debug)]
pub struct Updating {
    image: Signed,
    forced: bool,
    bridge: BridgeId,
    /// In which it was when it began.
    epoch: u32,
    stage: Stage,
    /// Of what was said last.
    token: u16,
    tries: u32,
    until: HubTicks,
}

/// What is to be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Turn {
    Wait,
    /// [`Updating::request`] is to be said, with a new token: [`Updating::said`].
    Say,
    /// The bridge runs this version; or why not, and what helps.
    Over(Result<Version, String>),
}

impl Updating {
    /// Begins, with the bridge that said this: [`Turn::Say`].
    #[must_use]
    pub fn new(image: Signed, forced: bool, greeting: &Greeting, now: HubTicks) -> Updating {
        let Greeting { bridge, epoch, .. } = *greeting;
        Updating { image, forced, bridge, epoch, stage: Stage::Begins, token: 0, tries: 0, until: now }
    }

    /// How many octets were sent, of how many.
    #[must_use]
    pub fn sent(&self) -> (usize, usize) {
        let of = self.image.octets.len();
        let sent = match self.stage {
            Stage::Begins => 0,
            Stage::Sends(from) => from,
            Stage::Starts | Stage::Restarts | Stage::Confirms => of,
        };
        (sent, of)
    }

    /// The bridge may go away: it starts anew.
    #[must_use]
    pub fn restarts(&self) -> bool {
        matches!(self.stage, Stage::Starts | Stage::Restarts)
    }

    /// Of the request that was said last.
    #[must_use]
    pub fn token(&self) -> u16 {
        self.token
    }

    /// When there is something to do.
    #[must_use]
    pub fn until(&self) -> HubTicks {
        self.until
    }

    #[must_use]
    pub fn request(&self, token: u16) -> ToBridge<'_> {
        let Signed { board, version, octets, signature } = &self.image;
        match self.stage {
            Stage::Begins => ToBridge::Update {
                token,
                // One that is longer than any board refuses.
                size: u32::try_from(octets.len()).unwrap_or(u32::MAX),
                version: *version,
                forced: self.forced,
                board,
            },
            Stage::Sends(from) => ToBridge::Image {
                token,
                from: u32::try_from(from).unwrap_or(u32::MAX),
                octets: &octets[from..octets.len().min(from + PART)],
            },
            Stage::Starts | Stage::Restarts => ToBridge::Start { token, signature: *signature },
            Stage::Confirms => ToBridge::Confirm { token },
        }
    }

    /// It was said, with this token.
    pub fn said(&mut self, token: u16, now: HubTicks) {
        (self.token, self.until) = (token, now.later(ANSWER_MS));
    }

    /// A request was carried out, or not: why.
    pub fn answered(&mut self, token: u16, done: &Result<(), String>, now: HubTicks) -> Turn {
        if token != self.token || self.stage == Stage::Restarts {
            return Turn::Wait;
        }
        if let Err(why) = done {
            return Turn::Over(Err(why.clone()));
        }
        self.tries = 0;
        self.stage = match self.stage {
            Stage::Begins => Stage::Sends(0),
            Stage::Sends(from) if from + PART < self.image.octets.len() => Stage::Sends(from + PART),
            Stage::Sends(_) => Stage::Starts,
            Stage::Starts | Stage::Restarts => {
                self.until = now.later(EXCHANGE_MS);
                self.stage = Stage::Restarts;
                return Turn::Wait;
            }
            Stage::Confirms => return Turn::Over(Ok(self.image.version)),
        };
        Turn::Say
    }

    /// The bridge has said Hello.
    pub fn greeted(&mut self, greeting: &Greeting) -> Turn {
        if greeting.bridge != self.bridge {
            return Turn::Over(Err("another bridge is on that line now; see `hearth bridge list`".into()));
        }
        if greeting.epoch == self.epoch && self.epoch != 0 {
            // It was asked who it is, and has not started anew.
            return Turn::Wait;
        }
        let Version { major, minor, patch } = greeting.firmware;
        let new = self.image.version;
        match self.stage {
            Stage::Begins | Stage::Sends(_) => Turn::Over(Err(
                "the bridge started anew, and still runs the firmware before; try again".into(),
            )),
            Stage::Starts | Stage::Restarts | Stage::Confirms if greeting.firmware == new => {
                if !greeting.on_trial {
                    return Turn::Over(Ok(new));
                }
                if greeting.epoch == 0 {
                    // It says Hello again when it has one.
                    return Turn::Wait;
                }
                (self.stage, self.tries) = (Stage::Confirms, 0);
                Turn::Say
            }
            Stage::Starts | Stage::Restarts | Stage::Confirms => Turn::Over(Err(format!(
                "the new firmware did not hold: the bridge has gone back to {major}.{minor}.{patch} by itself, and works on; its \
                 log may say why"
            ))),
        }
    }

    /// The instant has come.
    pub fn timeout(&mut self, now: HubTicks) -> Turn {
        if now < self.until {
            return Turn::Wait;
        }
        self.tries += 1;
        match self.stage {
            Stage::Restarts => Turn::Over(Err(
                "the bridge has not come back since it started the new firmware; press its button, and see `hearth bridge list`"
                    .into(),
            )),
            // The answer may have been its last word.
            Stage::Starts => {
                (self.stage, self.until) = (Stage::Restarts, now.later(EXCHANGE_MS));
                Turn::Wait
            }
            _ if self.tries < TRIES => Turn::Say,
            _ => Turn::Over(Err("the bridge does not answer; see that it is plugged in, and try again".into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::when::BootNo;
    use hearth_wire::frame::{Capabilities, Place};

    const OLD: Version = Version { major: 1, minor: 0, patch: 0 };
    const NEW: Version = Version { major: 1, minor: 1, patch: 0 };
    const NOW: HubTicks = HubTicks { boot: BootNo(1), ms: 0 };

    fn greeting(firmware: Version, on_trial: bool, epoch: u32) -> Greeting {
        Greeting {
            bridge: BridgeId([1; 8]),
            epoch,
            is_adopted: true,
            acknowledged: Place::default(),
            firmware,
            board: "rp2040".into(),
            can: Capabilities::UPDATE,
            waiting: 0,
            configuration: 0,
            on_trial,
            reverted_from: OLD,
        }
    }

    /// An update, each of whose requests is answered; what was said.
    struct Told {
        updating: Updating,
        said: Vec<String>,
        token: u16,
    }

    impl Told {
        fn new() -> Told {
            let image =
                Signed { board: "rp2040".into(), version: NEW, octets: vec![9; 600], signature: [3; 64] };
            Told {
                updating: Updating::new(image, false, &greeting(OLD, false, 4), NOW),
                said: vec![],
                token: 0,
            }
        }

        fn says(&mut self, now: HubTicks) {
            self.token += 1;
            self.said.push(match self.updating.request(self.token) {
                ToBridge::Update { size, forced: false, .. } => format!("update {size}"),
                ToBridge::Image { from, octets, .. } => format!("{from} {}", octets.len()),
                ToBridge::Start { .. } => "start".into(),
                ToBridge::Confirm { .. } => "confirm".into(),
                other => panic!("{other:?}"),
            });
            self.updating.said(self.token, now);
        }

        /// Until the bridge starts anew.
        fn sends(&mut self, now: HubTicks) {
            self.says(now);
            while self.updating.answered(self.token, &Ok(()), now) == Turn::Say {
                self.says(now);
            }
        }
    }

    #[test]
    fn an_image_goes_in_parts_and_is_confirmed() {
        let (mut told, now) = (Told::new(), NOW);
        told.sends(now);
        assert_eq!(told.said, ["update 600", "0 256", "256 256", "512 88", "start"]);
        assert!(told.updating.restarts() && told.updating.sent() == (600, 600));
        assert_eq!(told.updating.greeted(&greeting(NEW, true, 0)), Turn::Wait, "it takes nothing yet");
        assert_eq!(told.updating.greeted(&greeting(NEW, true, 5)), Turn::Say);
        told.says(now);
        assert_eq!(told.said.last().unwrap(), "confirm");
        assert_eq!(told.updating.answered(999, &Ok(()), now), Turn::Wait, "to something else");
        assert_eq!(told.updating.answered(told.token, &Ok(()), now), Turn::Over(Ok(NEW)));
    }

    #[test]
    fn what_is_lost_is_said_again() {
        let (mut told, now) = (Told::new(), NOW);
        told.says(now);
        assert_eq!(told.updating.answered(told.token, &Ok(()), now), Turn::Say);
        let mut at = now;
        for _ in 0..TRIES - 1 {
            told.says(at);
            assert_eq!(told.updating.timeout(at), Turn::Wait, "not yet");
            at = at.later(ANSWER_MS);
            assert_eq!(told.updating.timeout(at), Turn::Say);
        }
        told.says(at);
        assert_eq!(told.said, ["update 600", "0 256", "0 256", "0 256", "0 256"]);
        assert!(matches!(told.updating.timeout(at.later(ANSWER_MS)), Turn::Over(Err(_))));

        // The answer to the last request is the bridge's last word, and may be lost.
        let mut told = Told::new();
        told.sends(now);
        let mut restarts = Told::new();
        restarts.updating = Updating { stage: Stage::Starts, ..told.updating.clone() };
        assert_eq!(restarts.updating.timeout(now.later(ANSWER_MS + EXCHANGE_MS)), Turn::Wait);
        assert_eq!(restarts.updating.greeted(&greeting(NEW, false, 5)), Turn::Over(Ok(NEW)));
        assert!(matches!(told.updating.timeout(now.later(EXCHANGE_MS)), Turn::Over(Err(_))));
    }

    #[test]
    fn what_goes_wrong_is_said() {
        let now = NOW;
        let over = |turn: Turn| match turn {
            Turn::Over(Err(why)) => why,
            other => panic!("{other:?}"),
        };
        let mut told = Told::new();
        told.says(now);
        let refused = told.updating.answered(told.token, &Err("the image is older".into()), now);
        assert_eq!(over(refused), "the image is older");
        let mut told = Told::new();
        told.says(now);
        assert_eq!(
            told.updating.greeted(&greeting(OLD, false, 4)),
            Turn::Wait,
            "it was only asked who it is"
        );
        assert!(over(told.updating.greeted(&greeting(OLD, false, 5))).contains("started anew"));
        let mut told = Told::new();
        told.sends(now);
        assert!(over(told.updating.greeted(&greeting(OLD, false, 5))).contains("gone back to 1.0.0"));
        let another = Greeting { bridge: BridgeId([2; 8]), ..greeting(NEW, true, 5) };
        assert!(over(told.updating.greeted(&another)).contains("another bridge"));
    }
}
