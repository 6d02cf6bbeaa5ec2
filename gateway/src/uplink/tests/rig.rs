//! A throw-away PKI, a served record, and a client of it.

use crate::clock;
use crate::demo::pki::{self, Pki};
use crate::demo::record::{Behaviour, Record};
use crate::tls;
use crate::uplink::http::{Base, Http};
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
