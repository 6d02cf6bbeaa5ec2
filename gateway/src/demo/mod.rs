//! A made-up world to show the hub in. Behind the feature `demo`; packages leave it out.
//!
//! [`Demo`] plays one household ([`play`]) through the real intake, store and uplink into an embedded record
//! ([`record`]) behind mutual TLS, and then judges by reading the record back ([`check`]). Its sabotages break the
//! pipeline on purpose, to show that the judge would have seen it. A person may look at the record as a [`page`].

mod check;
mod page;
pub mod pki;
mod play;
pub mod record;
mod serve;

use crate::control::reason;
use crate::show::{Ending, Shown, exit};
use clap::{Args, ValueEnum};
use page::Page;
use serde_json::{Value, json};
use serve::Server;
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// Plays a household's devices into a record on loopback, and checks what arrived.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Break the pipeline on purpose; the check must notice, and the command fails
    #[arg(long)]
    sabotage: Option<Sabotage>,
    /// Then show the record as a page on this machine, until Ctrl-C
    #[arg(long)]
    serve: bool,
    /// Where the page is shown: an address of this machine's loopback; port 0 takes a free one
    #[arg(long, requires = "serve", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// A mistake that the house is built not to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Sabotage {
    /// The meter's resent memory is taken for another meter's
    Duplicate,
    /// A reading is released before it is kept
    Lose,
    /// One person's scale is bound to the other
    WrongPerson,
}

impl Demo {
    /// `tell` prints a summary before the page is served; without a page, the summary is what is given back.
    pub(crate) fn run(&self, tell: impl FnOnce(&Shown) -> std::io::Result<()>) -> Result<Shown, Ending> {
        // An address that can't be had is told before anything is played.
        let listener = if self.serve { Some(serve::bind(self.listen)?) } else { None };
        let played = play::play(self.sabotage)?;
        let all = played.record.all("Observation").into_iter();
        let versions = all.map(|(_, versions)| versions.into_iter().filter_map(|v| v.resource).collect());
        let findings = check::check(&versions.collect::<Vec<_>>());
        let faults = faults(&findings, &played);
        let mut shown = self.summary(&played, &findings, &faults)?;
        let Some(listener) = listener else { return Ok(shown) };

        let counts = shown.rows.iter().flatten().filter(|(_, value)| value.is_number());
        let means =
            played.refused.keys().map(|code| reason(code)).map(|(why, helps)| (why.into(), helps.into()));
        let page = Page::new(page::Shown {
            refused_for: means.collect(),
            counts: counts.map(|(name, count)| (name.replace('_', " "), count.to_string())).collect(),
            faults,
            held_back: played.held_back,
            record: played.record,
        });
        let server = Server::new(listener)?;
        for fields in &mut shown.rows {
            fields.insert("page".into(), json!(server.url()));
        }
        if let Some(said) = &mut shown.said {
            *said = format!("{said}\nThe record as a page: {} (Ctrl-C ends it)", server.url());
        }
        tell(&shown).map_err(|e| Ending::new(exit::IOERR, format!("standard output: {e}")))?;
        server.run(&page);
        Ok(Shown::nothing_more(shown.code))
    }

    fn summary(
        &self,
        played: &play::Played,
        findings: &check::Findings,
        faults: &[String],
    ) -> Result<Shown, Ending> {
        let mut fields = serde_json::Map::new();
        for (name, value) in [
            ("heard", json!(played.heard)),
            ("measurements", json!(played.measurements)),
            ("kept", json!(played.kept)),
            ("held", groups(&played.held)),
            ("refused", groups(&played.refused)),
            ("written", json!(findings.written)),
            ("duplicates", json!(findings.duplicates.len())),
            ("lost", json!(findings.lost.len())),
            ("wrong_person", json!(findings.wrong_person.len())),
            ("written_over", json!(findings.overwritten)),
            ("answers_lost_on_the_way", json!(played.answers_lost)),
            ("faults", json!(faults)),
        ] {
            fields.insert(name.into(), value);
        }
        let shown = Shown::fields(fields);
        match (faults.is_empty(), self.sabotage) {
            (true, None) => Ok(Shown {
                said: Some(
                    "Checked by reading the record back: every measurement is accounted for, once.".into(),
                ),
                ..shown
            }),
            (true, Some(sabotage)) => Err(Ending::new(
                exit::SOFTWARE,
                format!("the sabotage {sabotage:?} was not noticed: the check is blind"),
            )),
            (false, _) => Ok(Shown { code: exit::ATTENTION, said: Some(faults.join("\n")), ..shown }),
        }
    }
}

fn groups(by_reason: &BTreeMap<String, u64>) -> Value {
    by_reason.iter().map(|(code, records)| json!({ "records": records, "why": reason(code).0 })).collect()
}

/// What is wrong, a sentence each.
fn faults(findings: &check::Findings, played: &play::Played) -> Vec<String> {
    let list = |what: &str, all: &[String]| (!all.is_empty()).then(|| format!("{what}: {}", all.join("; ")));
    let mut faults: Vec<String> = [
        list("LOST, heard and not in the record", &findings.lost),
        list("DUPLICATE, in the record more than once", &findings.duplicates),
        list("WRONG PERSON, in somebody else's record", &findings.wrong_person),
        list("STRANGER, in the record and never played", &findings.strangers),
    ]
    .into_iter()
    .flatten()
    .collect();
    if findings.overwritten > 0 {
        faults.push(format!("WRITTEN OVER: {} resources have more than one version", findings.overwritten));
    }
    let held: u64 = played.held.values().sum();
    let refused: u64 = played.refused.values().sum();
    let accounted = findings.written as u64 + held + refused;
    if faults.is_empty() && accounted != played.measurements as u64 {
        faults.push(format!(
            "UNACCOUNTED: {} measurements were played, {} written, {held} held and {refused} refused",
            played.measurements, findings.written
        ));
    }
    faults
}
