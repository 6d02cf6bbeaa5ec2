//! A throw-away PKI, a served record, and a client of it.

use super::readings::mapped;
use crate::clock;
use crate::demo::pki::{self, Pki};
use crate::demo::record::{Behaviour, Record};
use crate::store::{Attempt, Consignment, OutboxNo, Settlement};
use crate::tls;
use crate::uplink::RungChoice::{ConditionalCreate, PlainCreate, SearchThenCreate, UpdateAsCreate};
use crate::uplink::fhir::{Books, Fhir};
use crate::uplink::http::{Base, Http};
use crate::uplink::ladder::Way;
use crate::uplink::{Destination, RungChoice};
use hearth_core::map::fhir::Rung;
use hearth_core::parcel::Policy;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;
use tokio::task::AbortHandle;

/// One for the whole test process.
pub(crate) static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let directory = directory("pki");
    Pki::create(&directory, clock::now()).unwrap()
});

/// A fresh directory below the build's own.
pub(crate) fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("hearth-test-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// A record that is served until this is dropped.
pub(crate) struct Served {
    pub(crate) record: Record,
    task: AbortHandle,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) async fn served(behaviour: Behaviour) -> Served {
    served_as(pki::SERVER, behaviour).await
}

/// With a certificate of the PKI's.
pub(crate) async fn served_as(name: &str, behaviour: Behaviour) -> Served {
    // A server's own file may be wrong on purpose: its clock is set to when it is right.
    let now = clock::now();
    let day = jiff::SignedDuration::from_hours(24);
    let tls = [now, now - 2 * day, now + 2 * day]
        .into_iter()
        .find_map(|then| tls::server(&PKI.files(name), then).ok());
    let record = Record::bind(tls.unwrap(), behaviour).await.unwrap();
    let task = tokio::spawn(record.clone().serve()).abort_handle();
    Served { record, task }
}

pub(crate) fn client(name: &str) -> tls::Client {
    let now = clock::now();
    let day = jiff::SignedDuration::from_hours(24);
    let clients = [now, now - 2 * day, now + 2 * day].into_iter();
    clients.filter_map(|then| tls::client(&PKI.files(name), then).ok()).next().unwrap()
}

pub(crate) fn http(served: &Served) -> Http {
    Http::new(Base::parse(&served.record.url()).unwrap(), Duration::from_secs(30))
}

/// How the record of the demonstration is written to.
pub(crate) fn destination(served: &Served, rung: RungChoice, bundle: usize) -> Destination {
    let tls::Files { ca, certificate, key } = PKI.files(pki::CLIENT);
    Destination {
        name: "record".into(),
        base_url: served.record.url() + "/",
        ca,
        certificate,
        key,
        rung,
        bundle,
        gzip: false,
        timeout: Duration::from_secs(30),
        cleared: BTreeSet::new(),
        policy: Policy::default(),
        reports: None,
    }
}

/// Books in memory.
#[derive(Default, Debug)]
pub(crate) struct Notebook {
    pub(crate) starts: Vec<Attempt>,
    pub(crate) ends: Vec<(OutboxNo, Settlement)>,
    /// Rows that somebody retracted since they were due.
    pub(crate) forbidden: BTreeSet<OutboxNo>,
}

impl Books for Notebook {
    type Error = std::convert::Infallible;

    async fn start(&mut self, attempts: Vec<Attempt>) -> Result<Vec<OutboxNo>, Self::Error> {
        let may =
            attempts.iter().map(|attempt| attempt.row).filter(|row| !self.forbidden.contains(row)).collect();
        self.starts.extend(attempts);
        Ok(may)
    }

    async fn settle(&mut self, rows: Vec<(OutboxNo, Settlement)>) -> Result<(), Self::Error> {
        self.ends.extend(rows);
        Ok(())
    }
}

impl Notebook {
    /// What became of a row, in one word: `-` for nothing.
    pub(crate) fn end(&self, row: i64) -> String {
        let mut ends = self.ends.iter().filter(|(no, _)| no.0 == row).map(|(_, end)| end);
        let word = match ends.next() {
            None => "-".to_owned(),
            Some(Settlement::Delivered { raised: None, .. }) => "delivered".into(),
            Some(Settlement::Delivered { .. }) => "delivered, raised".into(),
            Some(Settlement::Unverified { .. }) => "unverified".into(),
            Some(Settlement::RetryAt { counts, in_doubt, .. }) => {
                format!(
                    "retry{}{}",
                    if *counts { ", counts" } else { "" },
                    if *in_doubt { ", in doubt" } else { "" }
                )
            }
            Some(Settlement::Parked { points_at, doubt, .. }) => {
                format!("parked: {points_at:?}{}", if doubt.is_some() { ", in doubt" } else { "" })
            }
            Some(Settlement::Withdrawn) => "withdrawn".into(),
        };
        assert_eq!(ends.next(), None, "row {row} ended twice");
        word
    }

    /// Words that came with the end of a row.
    pub(crate) fn said(&self, row: i64) -> String {
        let end = self.ends.iter().find(|(no, _)| no.0 == row).map(|(_, end)| end);
        match end {
            Some(Settlement::RetryAt { said, .. } | Settlement::Parked { said, .. }) => said.clone(),
            Some(Settlement::Delivered { raised, .. } | Settlement::Unverified { raised, .. }) => {
                raised.clone().unwrap_or_default()
            }
            _ => String::new(),
        }
    }

    /// The octets of a row that are kept: as they were when it was last started, or what a parked one is known by.
    pub(crate) fn octets(&self, row: i64) -> Vec<u8> {
        let parked = self.ends.iter().find_map(|(no, end)| match end {
            Settlement::Parked { doubt, .. } if no.0 == row => doubt.clone(),
            _ => None,
        });
        if let Some(octets) = parked {
            return octets;
        }
        self.starts.iter().rev().find(|attempt| attempt.row.0 == row).unwrap().octets.clone()
    }
}

/// Carries once, and hands over what was noted.
pub(crate) async fn carry(fhir: &mut Fhir, work: &[Consignment]) -> (Notebook, Way) {
    let mut notebook = Notebook::default();
    let Ok(way) = fhir.carry(work, &mut notebook).await;
    (notebook, way)
}

pub(crate) fn fhir(served: &Served, rung: RungChoice, bundle: usize) -> Fhir {
    Fhir::new(destination(served, rung, bundle)).unwrap()
}

/// How often each measurement is in the record, by our identifier's value, whatever its id.
pub(crate) fn found(served: &Served) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for (_, versions) in served.record.all("Observation") {
        let Some(resource) = versions.last().and_then(|version| version.resource.as_ref()) else { continue };
        for identifier in resource["identifier"].as_array().into_iter().flatten() {
            if identifier["system"] == "urn:hearth:reading" {
                *times.entry(identifier["value"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    times
}

/// Every Observation of these readings is there exactly once, and nothing else is.
pub(crate) fn assert_once(served: &Served, work: &[Consignment]) {
    let mut expect = BTreeMap::new();
    for consignment in work {
        for resource in mapped(consignment, Rung::UpdateAsCreate) {
            if resource.kind == "Observation" {
                expect.insert(resource.id, 1);
            }
        }
    }
    assert_eq!(found(served), expect);
}

pub(crate) const RUNGS: [RungChoice; 4] = [UpdateAsCreate, ConditionalCreate, SearchThenCreate, PlainCreate];

pub(crate) fn behaviour(rung: RungChoice) -> Behaviour {
    Behaviour { conditional: rung == ConditionalCreate, ..Behaviour::default() }
}

/// As the store hands rows over after an attempt whose end is not known. What was not touched is what it was.
pub(crate) fn in_doubt(work: &[Consignment], notebook: &Notebook) -> Vec<Consignment> {
    let mut work = work.to_vec();
    for consignment in work.iter_mut().filter(|consignment| notebook.end(consignment.row.0) != "-") {
        assert!(notebook.end(consignment.row.0).contains("in doubt"), "{}", notebook.end(consignment.row.0));
        consignment.attempts += 1;
        consignment.in_doubt = true;
        consignment.octets = Some(notebook.octets(consignment.row.0));
    }
    work
}

pub(crate) fn versions(served: &Served, id: &str) -> Vec<Option<Value>> {
    served.record.history("Observation", id).into_iter().map(|version| version.resource).collect()
}

/// Methods and paths of all requests, a Bundle's with the methods in it.
pub(crate) fn requests(served: &Served) -> Vec<String> {
    let log = served.record.log();
    let entries = |methods: &[String]| {
        let mut kinds = methods.to_vec();
        kinds.dedup();
        format!("{} {}", methods.len(), kinds.join("+"))
    };
    log.iter()
        .map(|logged| match logged.seen.path.as_str() {
            "" => format!("bundle of {}", entries(&logged.seen.entries)),
            path => format!(
                "{} {}",
                logged.seen.method,
                path.split_once(['/', '?']).map_or(path, |(kind, _)| kind)
            ),
        })
        .collect()
}
