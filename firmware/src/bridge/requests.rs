//! What the hub asks, and what becomes of it.

use super::{Bridge, Line, done, put};
use crate::configuration;
use crate::flash::{Refused, Settings};
use crate::sensor::Grams;
use crate::update::Updates;
use crate::wish::{Order, Wish};
use embedded_storage_async::nor_flash::NorFlash;
use hearth_wire::frame::{Capabilities, Level, Outcome, Place, Ticks, ToBridge, ToHub};

impl<F: NorFlash, const PAGES: usize> Bridge<F, PAGES> {
    pub(super) async fn hears(
        &mut self,
        frame: ToBridge<'_>,
        now: Ticks,
        line: &mut impl Line,
    ) -> Result<Option<Wish>, Refused<F::Error>> {
        let mut wish = None;
        let (token, outcome) = match frame {
            ToBridge::Hello { .. } => {
                self.telling.greeted();
                self.hello(now, line).await?;
                return Ok(Some(Wish::Greeted));
            }
            ToBridge::Acknowledge { up_to } => {
                self.acknowledged(up_to, now, line).await?;
                return Ok(None);
            }
            ToBridge::Adopt { token, epoch } => {
                let before = self.spool.epoch();
                match self.spool.adopt(epoch).await {
                    Ok(()) => {}
                    Err(Refused::NoSuchEpoch) => {
                        put(&done(token, Outcome::Refused("a first epoch is from 1 to 2147483647")), line);
                        return Ok(None);
                    }
                    Err(refused) => {
                        put(&done(token, Outcome::Flash), line);
                        return Err(refused);
                    }
                }
                if self.spool.epoch() != before {
                    self.note_losses(now).await?;
                    self.hello(now, line).await?;
                    // Whoever hears that knows of no bonds any more.
                    wish = Some(Wish::Greeted);
                }
                match self.spool.epoch() {
                    0 => (
                        token,
                        Outcome::Refused(
                            "it was adopted before, and its memory is full: acknowledge what it tells",
                        ),
                    ),
                    _ => (token, Outcome::Good),
                }
            }
            ToBridge::AskTime { token } => {
                put(&ToHub::Time { token, epoch: self.spool.epoch(), now }, line);
                return Ok(None);
            }
            ToBridge::Configure { token, digest, from, of, octets } => {
                let before = self.configuration;
                let configured = self.configured(digest, from.into(), of.into(), octets).await;
                let outcome = configured.unwrap_or(Outcome::Flash);
                wish = (self.configuration != before).then_some(Wish::Configured);
                (token, outcome)
            }
            ToBridge::Restart { token } => {
                wish = Some(Wish::Restart);
                (token, Outcome::Good)
            }
            ToBridge::Calibrate { token, grams } => {
                if self.about.can.has(Capabilities::SCALE) {
                    // What is more than any scale carries is refused where the scale is.
                    let mass = (grams != 0).then_some(Grams(grams.min(i32::MAX as u32) as i32));
                    return Ok(Some(Wish::Calibrate { token, mass }));
                }
                (token, Outcome::Unknown)
            }
            ToBridge::TimeOfDay { token, time } => {
                self.time = Some(time);
                (token, Outcome::Good)
            }
            ToBridge::Look { token, seconds } => return Ok(self.order(Order::Look { token, seconds }, line)),
            ToBridge::Pair { token, peer } => return Ok(self.order(Order::Pair { token, peer }, line)),
            ToBridge::Digits { token, digits } => {
                return Ok(self.order(Order::Digits { token, digits }, line));
            }
            ToBridge::Unpair { token, peer } => return Ok(self.order(Order::Unpair { token, peer }, line)),
            ToBridge::Update { token, size, version, forced, board } => {
                let about = &self.about;
                let begun = |updates: &mut Updates<F>| updates.begin(about, size, version, forced, board);
                (token, self.updates.as_mut().map_or(Outcome::Unknown, begun))
            }
            ToBridge::Image { token, from, octets } => {
                let outcome = match &mut self.updates {
                    Some(updates) => updates.part(from, octets).await,
                    None => Ok(Outcome::Unknown),
                };
                return answered(token, outcome, line).map(|_| None);
            }
            ToBridge::Start { token, signature } => {
                let outcome = match &mut self.updates {
                    Some(updates) => updates.mark(&self.about, &signature).await,
                    None => Ok(Outcome::Unknown),
                };
                let outcome = answered(token, outcome, line)?;
                return Ok((outcome == Outcome::Good).then_some(Wish::Restart));
            }
            ToBridge::Confirm { token } => {
                let outcome = match &mut self.updates {
                    Some(updates) => updates.confirm().await.map(|()| Outcome::Good),
                    None => Ok(Outcome::Unknown),
                };
                return answered(token, outcome, line).map(|_| None);
            }
            // Every request of a later version begins with its token, too.
            ToBridge::Other { octets, .. } => match octets.first_chunk() {
                Some(token) => (u16::from_le_bytes(*token), Outcome::Unknown),
                None => return Ok(None),
            },
        };
        put(&done(token, outcome), line);
        Ok(wish)
    }

    /// For the radio, if there is one.
    fn order(&self, order: Order, line: &mut impl Line) -> Option<Wish> {
        if self.about.can.has(Capabilities::BLUETOOTH) {
            return Some(Wish::Radio(order));
        }
        put(&done(order.token(), Outcome::Unknown), line);
        None
    }

    async fn acknowledged(
        &mut self,
        up_to: Place,
        now: Ticks,
        line: &mut impl Line,
    ) -> Result<(), Refused<F::Error>> {
        let had_none = self.spool.epoch() == 0;
        match self.spool.acknowledge(up_to).await {
            Ok(()) => self.telling.acknowledged(up_to, now),
            Err(Refused::NeverTold) => {
                put(
                    &ToHub::Log { at: now, level: Level::Warning, text: "acknowledged what was never told" },
                    line,
                );
            }
            Err(refused) => return Err(refused),
        }
        self.note_losses(now).await?;
        if had_none && self.spool.epoch() != 0 {
            self.hello(now, line).await?;
        }
        Ok(())
    }

    /// A part of the configuration came.
    async fn configured(
        &mut self,
        digest: u32,
        from: usize,
        of: usize,
        octets: &[u8],
    ) -> Result<Outcome<'static>, Refused<F::Error>> {
        if of > Settings::<F>::LONGEST {
            return Ok(Outcome::Refused(configuration::TOO_LONG));
        }
        match self.coming.part(digest, from, of, octets) {
            Err(why) => return Ok(Outcome::Refused(why)),
            Ok(Some(whole)) if digest != self.configuration => match self.settings.save(whole).await {
                Ok(()) => self.configuration = digest,
                Err(Refused::DoesNotKeep) => return Ok(Outcome::Flash),
                Err(refused) => return Err(refused),
            },
            // More of it follows; or it is the same again, which costs the flash nothing.
            Ok(_) => {}
        }
        Ok(Outcome::Good)
    }
}

/// Answers the request: flash that failed is an answer, too.
fn answered<E>(
    token: u16,
    outcome: Result<Outcome<'static>, Refused<E>>,
    line: &mut impl Line,
) -> Result<Outcome<'static>, Refused<E>> {
    put(&done(token, *outcome.as_ref().unwrap_or(&Outcome::Flash)), line);
    outcome
}
