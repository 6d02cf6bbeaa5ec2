//! A made-up world to show the hub in. Behind the feature `demo`; packages leave it out.
//!
//! [`Demo`] plays one household ([`play`]) through the real intake, store and uplink into an embedded record
//! ([`record`]) behind mutual TLS, and then judges by reading the record back ([`check`]). Its sabotages break the
//! pipeline on purpose, to show that the judge would have seen it.

mod check;
pub mod pki;
mod play;
pub mod record;

use crate::control::reason;
use crate::show::{Ending, Shown, exit};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Plays a cuff, a meter and a scale into a record on loopback, and checks what arrived.
#[derive(Args, Debug)]
pub(crate) struct Demo {
    /// Break the pipeline on purpose; the check must notice, and the command fails
    #[arg(long)]
    sabotage: Option<Sabotage>,
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
    pub(crate) fn run(&self) -> Result<Shown, Ending> {
        let played = play::play(self.sabotage)?;
        let findings = check::check(&played.observations);
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
        ] {
            fields.insert(name.into(), value);
        }
        let faults = faults(&findings, &played);
        fields.insert("faults".into(), json!(faults));
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
    ]
    .into_iter()
    .flatten()
    .collect();
    if findings.strangers > 0 {
        faults.push(format!("IN THE RECORD, and never played: {}", findings.strangers));
    }
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
