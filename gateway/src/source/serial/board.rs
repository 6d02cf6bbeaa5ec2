//! What a technician asks of a board itself: a new firmware, a restart, that its scale learns what a mass is.

use super::NOT_THERE;
use super::talk::Talk;
use hearth_core::bridge::image::Signed;
use hearth_core::bridge::update::{Turn, Updating};
use hearth_core::bridge::{Greeting, Line};
use hearth_core::when::HubTicks;
use hearth_wire::frame::{Capabilities, ToBridge, Version};
use tokio::sync::{mpsc, oneshot};

#[derive(Debug)]
pub(crate) enum Ask {
    /// Gives it this firmware.
    Update { image: Signed, forced: bool, steps: mpsc::UnboundedSender<Step> },
    /// Starts it anew.
    Restart { done: oneshot::Sender<Result<(), String>> },
    /// So many grams lie on its scale; 0: nothing does.
    Calibrate { grams: u32, done: oneshot::Sender<Result<(), String>> },
}

/// Who waits for the answer to a request.
#[derive(Debug)]
pub(super) struct Waits {
    token: u16,
    /// A board that starts anew has done what was asked of it, whether it said so or not.
    for_restart: bool,
    done: oneshot::Sender<Result<(), String>>,
}

impl Waits {
    /// The board is not there any more.
    pub(super) fn gone(self) {
        let how = if self.for_restart { Ok(()) } else { Err(NOT_THERE.to_owned()) };
        _ = self.done.send(how);
    }
}

/// How far an update is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// So many octets, of so many.
    Sent(usize, usize),
    /// The bridge has all of it, and starts it.
    Restarts,
    /// It runs this version; or why not, and what helps.
    Over(Result<Version, String>),
}

/// An update that goes on, whether the bridge is there or not: while it starts anew it may not be.
#[derive(Debug)]
pub(super) struct Update {
    updating: Updating,
    steps: mpsc::UnboundedSender<Step>,
}

impl Update {
    /// Nobody sees to it any more.
    pub(super) fn over(self, how: Result<Version, String>) {
        if let Err(why) = &how {
            tracing::warn!("a bridge's update: {why}");
        }
        _ = self.steps.send(Step::Over(how));
    }

    /// The line has ended: one that waits for the bridge goes on.
    pub(super) fn line_ended(update: &mut Option<Update>) {
        if let Some(update) = update.take_if(|update| !update.updating.restarts()) {
            update.over(Err(NOT_THERE.to_owned()));
        }
    }

    /// The instant may have come, while the bridge is not there.
    pub(super) fn waits(update: &mut Option<Update>, now: HubTicks) {
        let Some(one) = update else { return };
        if let Turn::Over(how) = one.updating.timeout(now)
            && let Some(update) = update.take()
        {
            update.over(how);
        }
    }

    pub(super) fn until(&self) -> HubTicks {
        self.updating.until()
    }

    fn says(&mut self, line: &mut Line, now: HubTicks) {
        let token = line.request(|token| self.updating.request(token));
        self.updating.said(token, now);
        let (sent, of) = self.updating.sent();
        _ = self.steps.send(Step::Sent(sent, of));
    }
}

/// What is asked of a board that is not there.
pub(super) fn refuse(ask: Ask) {
    match ask {
        Ask::Update { steps, .. } => _ = steps.send(Step::Over(Err(NOT_THERE.to_owned()))),
        Ask::Restart { done } | Ask::Calibrate { done, .. } => _ = done.send(Err(NOT_THERE.to_owned())),
    }
}

impl Talk<'_> {
    pub(super) fn board(&mut self, ask: Ask) {
        let Some(greeting) = self.greeting() else { return refuse(ask) };
        match ask {
            Ask::Update { steps, .. } if !greeting.can.has(Capabilities::UPDATE) => {
                let why = "the bridge's firmware takes no updates: flash the board";
                _ = steps.send(Step::Over(Err(why.to_owned())));
            }
            Ask::Update { steps, .. } if self.update.is_some() => {
                let why = "an update of this bridge is on its way; wait until it is over";
                _ = steps.send(Step::Over(Err(why.to_owned())));
            }
            Ask::Update { image, forced, steps } => {
                let updating = Updating::new(image, forced, greeting, self.now());
                *self.update = Some(Update { updating, steps });
                self.turns(Turn::Say);
            }
            Ask::Restart { done } => {
                let token = self.line.request(|token| ToBridge::Restart { token });
                self.waits.push(Waits { token, for_restart: true, done });
            }
            Ask::Calibrate { done, .. } if !greeting.can.has(Capabilities::SCALE) => {
                _ = done.send(Err("this bridge has no scale wired to it".to_owned()));
            }
            Ask::Calibrate { grams, done } => {
                let token = self.line.request(|token| ToBridge::Calibrate { token, grams });
                self.waits.push(Waits { token, for_restart: false, done });
            }
        }
    }

    /// A firmware that says a whole Hello, and keeps what it is told, is good: whoever gave it to the bridge.
    pub(super) fn judges(&mut self, greeting: &Greeting) {
        let turn = match self.update.as_mut() {
            Some(update) => update.updating.greeted(greeting),
            None => {
                if greeting.on_trial && greeting.epoch != 0 {
                    self.line.request(|token| ToBridge::Confirm { token });
                }
                return;
            }
        };
        self.turns(turn);
    }

    fn turns(&mut self, turn: Turn) {
        let now = self.now();
        match turn {
            Turn::Wait => {}
            Turn::Say => {
                if let Some(update) = self.update.as_mut() {
                    update.says(&mut self.line, now);
                }
            }
            Turn::Over(how) => {
                if let Some(update) = self.update.take() {
                    update.over(how);
                }
            }
        }
    }

    /// Whether the answer was to one of these.
    pub(super) fn board_done(&mut self, token: u16, done: &Result<(), String>) -> bool {
        if let Some(at) = self.waits.iter().position(|waits| waits.token == token) {
            _ = self.waits.swap_remove(at).done.send(done.clone());
            return true;
        }
        let now = self.now();
        let Some(update) = self.update.as_mut().filter(|update| update.updating.token() == token) else {
            return false;
        };
        let turn = update.updating.answered(token, done, now);
        if update.updating.restarts() && turn == Turn::Wait {
            _ = update.steps.send(Step::Restarts);
        }
        self.turns(turn);
        true
    }

    pub(super) fn board_timeout(&mut self, now: HubTicks) {
        if let Some(update) = self.update.as_mut() {
            let turn = update.updating.timeout(now);
            self.turns(turn);
        }
    }
}
