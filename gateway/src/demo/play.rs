//! Plays `house.jsonl` through the real pipeline: intake, store, uplink and a record behind mutual TLS.

use super::pki::{self, Pki};
use super::record::{Behaviour, Fault, Record};
use super::{Ending, Sabotage, exit};
use crate::config::Config;
use crate::control::{Request, answer};
use crate::intake::Session;
use crate::open::{self, Inside};
use crate::scratch::Scratch;
use crate::show::{Fields, Shown};
use crate::source::lines::{self, Said};
use crate::store::{Desk, Status};
use crate::uplink::{self, Destination, RungChoice, Uplink};
use crate::{clock, tls};
use hearth_core::capture::Uuid16;
use hearth_core::parcel::Policy;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const HOUSE: &str = include_str!("house.jsonl");

/// What was played, by the player's own count, and what the hub and the record say of it.
pub(super) struct Played {
    /// Values that devices sent, repeats among them.
    pub(super) heard: usize,
    /// Different measurements among them; contexts belong to theirs.
    pub(super) measurements: usize,
    pub(super) kept: u64,
    /// By reason.
    pub(super) held: BTreeMap<String, u64>,
    pub(super) refused: BTreeMap<String, u64>,
    pub(super) answers_lost: usize,
    /// What waits for a person, and what is nobody's reading.
    pub(super) held_back: HeldBack,
    pub(super) record: Record,
}

/// One by one, as `hearth held` says it, with what the script says of each.
#[derive(Default)]
pub(super) struct HeldBack {
    pub(super) held: Vec<Kept>,
    pub(super) refused: Vec<Kept>,
}

/// A record that the hub keeps, and did not pass on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    pub(super) device: String,
    /// What it was, by the script.
    pub(super) note: String,
    pub(super) why: String,
    pub(super) helps: String,
}

fn broken(what: &str, e: impl std::fmt::Display) -> Ending {
    Ending::new(exit::SOFTWARE, format!("the demonstration's {what} failed: {e}"))
}

/// Runs the household from its first line to an empty outbox.
pub(super) fn play(sabotage: Option<Sabotage>) -> Result<Played, Ending> {
    let scratch = Scratch::new("demo")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| broken("runtime", e))?;
    runtime.block_on(async {
        let (record, pki) = start_record(&scratch).await?;
        let destination = destination(&pki, &record.url());
        let mut store = open::store(&Config {
            destinations: vec![destination.clone()],
            ..Config::scratch(&scratch.folder().join("hub"), None)
        })?;
        let inside = Arc::new(Inside::standing(&mut store)?);
        let (uplink, state) = Uplink::new(destination).map_err(|e| broken("uplink", e))?;
        let (desk, ended) = Desk::open(store).map_err(|e| broken("store", e))?;
        let mut player = Player {
            record: record.clone(),
            desk: desk.clone(),
            inside: Arc::clone(&inside),
            state,
            delivered: 0,
            played: BTreeMap::new(),
            refused: vec![],
        };
        tokio::select! {
            () = record.serve() => Err(broken("record", "it ended")),
            () = uplink.run(desk, inside.wake.clone()) => Err(broken("uplink", "it ended")),
            said = ended => Err(broken("store", format!("{said:?}"))),
            played = player.play(sabotage) => played,
        }
    })
}

/// A record that knows the two patients, on loopback, behind throw-away certificates.
async fn start_record(scratch: &Scratch) -> Result<(Record, Pki), Ending> {
    for folder in ["certificates", "hub"] {
        scratch.subfolder(folder)?;
    }
    let pki = Pki::create(&scratch.folder().join("certificates"), clock::now())
        .map_err(|e| broken("throw-away certificates", e))?;
    let acceptor =
        tls::server(&pki.files(pki::SERVER), clock::now()).map_err(|e| broken("server certificate", e))?;
    let record = Record::bind(acceptor, Behaviour::default()).await.map_err(|e| broken("record", e))?;
    for (id, family) in [("demo-ada", "Example"), ("demo-ben", "Sample")] {
        record.write(json!({ "resourceType": "Patient", "id": id, "name": [{ "family": family }] }));
    }
    Ok((record, pki))
}

fn destination(pki: &Pki, url: &str) -> Destination {
    Destination {
        name: "clinic".into(),
        base_url: format!("{url}/"),
        ca: pki.ca(),
        certificate: pki.certificate(pki::CLIENT),
        key: pki.key(pki::CLIENT),
        rung: RungChoice::Auto,
        // Small bundles: more answers to lose.
        gzip: false,
        bundle: 3,
        timeout: Duration::from_secs(10),
        cleared: BTreeSet::new(),
        reports: None,
        policy: Policy::default(),
    }
}

struct Player {
    record: Record,
    desk: Desk,
    inside: Arc<Inside>,
    state: watch::Receiver<uplink::State>,
    delivered: u64,
    /// By the hub's row: device and note of the script.
    played: BTreeMap<i64, (String, String)>,
    refused: Vec<Kept>,
}

/// In this household they always come with a measurement that they belong to.
const COMPANIONS: [Uuid16; 2] = [Uuid16::GLUCOSE_MEASUREMENT_CONTEXT, Uuid16::BODY_COMPOSITION_MEASUREMENT];

/// What goes on around the household, by the tick of a line.
const ANSWERS_GET_LOST_FROM: i64 = 20_000;
const OUTAGE: std::ops::Range<i64> = 40_000..3_600_000;

impl Player {
    async fn play(&mut self, sabotage: Option<Sabotage>) -> Result<Played, Ending> {
        let mut session = Session::default();
        let (mut heard, mut different) = (0, BTreeSet::new());
        let (mut losing, mut out) = (false, false);
        for text in HOUSE.lines() {
            let parsed = lines::parse(text).map_err(|e| broken("script", e))?;
            let Some(line) = parsed else { continue };
            let at = line.at.unwrap_or(0);
            if at >= ANSWERS_GET_LOST_FROM && !losing {
                losing = true;
                say("record", "from now on, every other answer to a write is lost on its way");
                self.lose_answers();
            }
            if OUTAGE.contains(&at) != out {
                out = !out;
                self.record.outage(out);
                say("record", if out { "goes away" } else { "is back" });
            }
            if let Said::Heard { device, characteristic, octets, .. } = &line.said {
                heard += 1;
                if !COMPANIONS.contains(characteristic) {
                    different.insert((device.clone(), characteristic.0, octets.clone()));
                }
            }
            for request in sabotaged(text, sabotage) {
                session = self.take(session, request, text).await?;
            }
            self.tell_delivered().await?;
        }
        self.record.outage(false);
        self.wait_until_nothing_moves().await?;
        let status = self.status().await?;
        let count =
            |groups: &[crate::store::Group]| groups.iter().map(|g| (g.reason.clone(), g.records)).collect();
        Ok(Played {
            heard,
            measurements: different.len(),
            kept: status.records,
            held: count(&status.held),
            refused: count(&status.refused),
            answers_lost: self.record.committed_unanswered(),
            held_back: HeldBack { held: self.held().await?, refused: std::mem::take(&mut self.refused) },
            record: self.record.clone(),
        })
    }

    fn lose_answers(&self) {
        let mut writes = 0;
        self.record.script(move |seen| {
            writes += usize::from(seen.writes());
            if seen.writes() && writes % 2 == 1 { Fault::CommitThenCut } else { Fault::Pass }
        });
    }

    async fn ask(&self, session: Session, request: Request) -> Result<(Shown, Session), Ending> {
        let inside = Arc::clone(&self.inside);
        let asked = self.desk.ask(move |store| answer(store, session, &inside, request));
        let (answer, session) = asked.await.map_err(|e| broken("store", e))?;
        Ok((answer?, session))
    }

    async fn take(&mut self, session: Session, line: String, shown: &str) -> Result<Session, Ending> {
        let (answer, session) = self.ask(session, Request::Take { line }).await?;
        let said: Value = serde_json::from_str(shown).unwrap_or_default();
        let device = said["heard"]["device"].as_str().unwrap_or_default();
        let note = said["note"].as_str().unwrap_or("a value");
        if !device.is_empty() {
            say(device, note);
        }
        for row in &answer.rows {
            if let Some(record) = row.get("record").and_then(Value::as_i64).filter(|_| !device.is_empty()) {
                self.played.entry(record).or_insert_with(|| (device.into(), note.into()));
            }
            match text(row, "fate") {
                "admitted" => {
                    say("", &format!("kept: {}, taken {}", text(row, "measured"), text(row, "taken")))
                }
                fate @ ("held" | "refused" | "awaits") => {
                    if fate == "refused" {
                        self.refused.push(self.kept(row));
                    }
                    say("", &format!("{fate}: {}", text(row, "why")));
                }
                fate => say("", fate),
            }
        }
        Ok(session)
    }

    /// What waits for a person when all is played.
    async fn held(&self) -> Result<Vec<Kept>, Ending> {
        let (answer, _) = self.ask(Session::default(), Request::Held { older_than_s: None }).await?;
        Ok(answer.rows.iter().map(|row| self.kept(row)).collect())
    }

    fn kept(&self, row: &Fields) -> Kept {
        let record = row.get("record").and_then(Value::as_i64);
        let (device, note) = record.and_then(|no| self.played.get(&no)).cloned().unwrap_or_default();
        Kept { device, note, why: text(row, "why").into(), helps: text(row, "what_helps").into() }
    }

    async fn status(&self) -> Result<Status, Ending> {
        let now = self.inside.now();
        let asked = self.desk.ask(move |store| store.status(now)).await.map_err(|e| broken("store", e))?;
        asked.map_err(open::trouble)
    }

    /// Gives the uplink a moment, and says what arrived.
    async fn tell_delivered(&mut self) -> Result<(), Ending> {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let status = self.status().await?;
        let delivered = status.outbox.iter().filter(|o| o.state == "delivered").map(|o| o.rows).sum();
        if delivered > self.delivered {
            self.delivered = delivered;
            say("record", &format!("readings delivered so far: {delivered}"));
        }
        Ok(())
    }

    async fn wait_until_nothing_moves(&mut self) -> Result<(), Ending> {
        const PATIENCE: Duration = Duration::from_secs(90);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            self.tell_delivered().await?;
            let status = self.status().await?;
            if status.outbox.iter().all(|o| !["waiting", "in-doubt"].contains(&o.state.as_str())) {
                return Ok(());
            }
        }
        Err(broken(
            "delivery",
            format!("readings are still on their way after 90 s; the record is {}", *self.state.borrow()),
        ))
    }
}

/// The lines that the hub gets for one line of the script: the same, unless somebody breaks the pipeline.
fn sabotaged(text: &str, sabotage: Option<Sabotage>) -> Vec<String> {
    let same = text.to_owned();
    match sabotage {
        // Released, and never kept.
        Some(Sabotage::Lose) if text.contains("61.370 kg") => vec![],
        Some(Sabotage::WrongPerson) if text.contains("\"scale\", \"slot\": 2") => {
            vec![same.replace("demo-ben", "demo-ada")]
        }
        // In its second contact the meter is taken for another device, whose records have keys of their own.
        Some(Sabotage::Duplicate) if text.contains("\"device\": \"meter\"") && text.contains("\"met\"") => {
            let other = same
                .replace("\"meter\"", "\"meter again\"")
                .replace("00:04", "00:14")
                .replace("92300001", "92300002");
            vec![same, other]
        }
        Some(Sabotage::Duplicate) if text.contains("\"device\": \"meter\"") && text.contains("\"bind\"") => {
            vec![same.clone(), same.replace("\"meter\"", "\"meter again\"")]
        }
        Some(Sabotage::Duplicate) if text.contains("\"device\": \"meter\", \"contact\": 3") => {
            vec![same.replace("\"meter\"", "\"meter again\"")]
        }
        _ => vec![same],
    }
}

fn text<'a>(row: &'a Fields, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Told as it happens, beside the summary and never in its way.
fn say(who: &str, what: &str) {
    _ = writeln!(std::io::stderr(), "{who:>12}  {what}");
}
