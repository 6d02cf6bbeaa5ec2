use crate::Hub;
use crate::null::{Bare, Null};
use crate::proxy::{Plan, Proxy};
use bytes::Bytes;
use gateway::demo::pki::{self, Pki};
use gateway::demo::record::{Behaviour, Record};
use gateway::tls;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

/// A folder that is gone with its owner, certificates, and record systems on loopback.
#[derive(Debug)]
pub struct World {
    pub dir: PathBuf,
    pub pki: Pki,
    runtime: Runtime,
    hubs: AtomicU32,
}

/// The rungs on which a record has each reading once, whatever goes wrong.
pub const RUNGS: [&str; 3] = ["update-as-create", "conditional-create", "search-then-create"];

impl World {
    /// `name`: of the story, for whoever finds its folder.
    pub fn new(name: &str) -> World {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        World::in_folder(&std::env::temp_dir().join(format!("hearth-e2e-{}-{n}-{name}", std::process::id())))
    }

    /// In this folder, which goes with it.
    pub fn in_folder(dir: &Path) -> World {
        let dir = dir.to_owned();
        std::fs::create_dir_all(dir.join("pki")).expect("a folder in the temporary folder");
        let pki = Pki::create(&dir.join("pki"), gateway::clock::now()).expect("a throw-away PKI");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime for the record systems");
        World { dir, pki, runtime, hubs: AtomicU32::new(0) }
    }

    /// Starts a record system that demands client certificates.
    pub fn record(&self, behaviour: Behaviour) -> Record {
        let acceptor =
            tls::server(&self.pki.files(pki::SERVER), gateway::clock::now()).expect("server certificates");
        let record =
            self.runtime.block_on(Record::bind(acceptor, behaviour)).expect("a free port on loopback");
        self.runtime.spawn(record.clone().serve());
        record
    }

    /// Starts a way to the record system at this URL, on which things go wrong.
    pub fn proxy(&self, to: &str, plan: Plan) -> Proxy {
        let now = gateway::clock::now();
        let acceptor = tls::server(&self.pki.files(pki::SERVER), now).expect("server certificates");
        let client = tls::client(&self.pki.files(pki::CLIENT), now).expect("client certificates");
        let (proxy, serve) =
            self.runtime.block_on(Proxy::bind(acceptor, client, to, plan)).expect("a free port on loopback");
        self.runtime.spawn(serve);
        proxy
    }

    /// Starts a record that keeps nothing but the first `keeps` bodies. `seeks`: words of an Observation that is looked out for.
    pub fn null(&self, keeps: usize, seeks: Option<String>) -> Null {
        let acceptor =
            tls::server(&self.pki.files(pki::SERVER), gateway::clock::now()).expect("server certificates");
        let (null, serve) =
            self.runtime.block_on(Null::bind(acceptor, keeps, seeks)).expect("a free port on loopback");
        self.runtime.spawn(serve);
        null
    }

    /// Posts these bodies one after the other over one connection, as the hub's certificate. Each has to be taken.
    pub fn post(&self, url: &str, bodies: &[Bytes]) {
        let client = tls::client(&self.pki.files(pki::CLIENT), gateway::clock::now());
        let client = client.expect("client certificates");
        self.runtime.block_on(async {
            let mut bare = Bare::connect(&client, url).await.expect("the record listens");
            for body in bodies {
                assert_eq!(bare.post(body.clone()).await.expect("an answer"), 200);
            }
        });
    }

    /// A hub that delivers to these record systems, by name.
    pub fn hub(&self, destinations: &[(&str, &Record)]) -> Hub {
        self.hub_with(destinations, pki::CLIENT, "")
    }

    /// The same, with another client certificate, and more lines for each destination.
    pub fn hub_with(&self, destinations: &[(&str, &Record)], client: &str, more: &str) -> Hub {
        let all =
            destinations.iter().map(|(name, record)| Destination { name, url: record.url(), client, more });
        self.hub_to(&all.collect::<Vec<_>>())
    }

    /// A hub that delivers to whatever stands behind these addresses.
    pub fn hub_to(&self, destinations: &[Destination<'_>]) -> Hub {
        let n = self.hubs.fetch_add(1, Ordering::Relaxed);
        let dir = self.dir.join(format!("hub-{n}"));
        std::fs::create_dir_all(dir.join("profiles")).expect("a folder for the hub");
        std::fs::DirBuilder::new().mode(0o700).create(dir.join("state")).expect("a folder for the store");
        let mut config = format!(
            "schema = 1\n[hub]\nstate = \"{0}/state\"\nsocket = \"{0}/control.sock\"\nclock-trusted = \"always\"\nprofiles = \"{0}/profiles\"\n",
            dir.display()
        );
        for Destination { name, url, client, more } in destinations {
            config += &format!(
                "[[destination]]\nname = \"{name}\"\nurl = \"{url}\"\nca = \"{}\"\ncertificate = \"{}\"\nkey = \"{}\"\n{more}\n",
                self.pki.ca().display(),
                self.pki.certificate(client).display(),
                self.pki.key(client).display(),
            );
        }
        let file = dir.join("gateway.toml");
        std::fs::write(&file, config).expect("the hub's configuration");
        Hub::new(dir, file)
    }
}

/// A record system, as a hub's configuration names it.
#[derive(Clone, Debug)]
pub struct Destination<'a> {
    pub name: &'a str,
    pub url: String,
    /// Name of the hub's certificate in the [`Pki`].
    pub client: &'a str,
    /// More lines of its table.
    pub more: &'a str,
}

impl Drop for World {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}
