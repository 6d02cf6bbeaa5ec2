//! Record servers that nobody here wrote: HAPI FHIR's JPA server and Medplum's engine, nginx before both.
//!
//! Builds them into `target/servers`, starts them on free ports of loopback, and waits until they answer.
//!
//! Every process ends when the pipe to its standard input does. So all of them end with this one, however it ends.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::home::{Row, told};
use crate::{World, root, said};
use gateway::demo::pki;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// What is built, and the folder of this run: `target/servers`.
pub fn folder() -> PathBuf {
    let here = std::env::current_exe().expect("a running test has a path");
    let target = here.ancestors().nth(3).expect("tests run from target/debug/deps");
    target.join("servers")
}

/// Fails with one sentence where a program is missing.
fn installed() {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&paths).collect();
    folders.push("/usr/sbin".into());
    let missing = |name: &&str| !folders.iter().any(|folder| folder.join(name).is_file());
    let missing: Vec<&str> =
        ["javac", "mvn", "node", "npm", "nginx", "curl"].into_iter().filter(missing).collect();
    assert!(
        missing.is_empty(),
        "these tests run record servers, and this is missing: {}; tests/run installs it on Debian",
        missing.join(", ")
    );
}

/// Builds what has changed since it was built. `sources` are the files it is made of, `make` what makes it.
fn build(name: &str, sources: &[&str], make: impl FnOnce(&Path, &Path) -> Command) -> PathBuf {
    let (from, into) = (root().join("tests/servers").join(name), folder().join(name));
    std::fs::create_dir_all(&into).unwrap();
    // Another test may be building it.
    let alone = File::create(into.join("lock")).unwrap();
    alone.lock().unwrap();
    let text: String = sources.iter().map(|file| std::fs::read_to_string(from.join(file)).unwrap()).collect();
    let stamp = into.join("built-from");
    if std::fs::read_to_string(&stamp).is_ok_and(|built| built == text) {
        return into;
    }
    for file in sources {
        std::fs::copy(from.join(file), into.join(Path::new(file).file_name().unwrap())).unwrap();
    }
    let built = said(&mut make(&from, &into));
    assert_eq!(built.code, 0, "{name} did not build: {}{}", built.out, built.err);
    std::fs::write(stamp, text).unwrap();
    into
}

/// The Java programs, built; their class path.
fn java() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        installed();
        let main = "src/main/java";
        let sources = ["pom.xml", &format!("{main}/Record.java"), &format!("{main}/Judge.java")];
        let into = build("java", &sources, |from, into| {
            let mut maven = Command::new("mvn");
            maven.args(["--batch-mode", "--quiet", "compile", "--file"]).arg(from.join("pom.xml"));
            maven.arg(format!("-Dinto={}", into.display()));
            maven
        });
        let libraries = std::fs::read_to_string(into.join("classpath")).unwrap();
        format!("{}:{libraries}", into.join("classes").display())
    })
}

/// Medplum's engine, built; its folder.
fn node() -> PathBuf {
    build("node", &["package.json", "package-lock.json", "record.js"], |_, into| {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(into);
        npm
    })
}

/// A Java program with these arguments, for short runs on a small machine; where a drain is measured, for a long one.
pub fn run_java(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("java");
    let measured = std::env::var_os("HEARTH_DRAIN").is_some();
    command.args(if measured {
        ["-Xmx12g", "-XX:+TieredCompilation"]
    } else {
        ["-Xmx1g", "-XX:TieredStopAtLevel=1"]
    });
    command.args(["-XX:+UseSerialGC", "-cp", java(), program]);
    command.args(arguments);
    command
}

/// A process that ends when this one does, and when it is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Its standard input: what it lives by.
    life: Option<ChildStdin>,
    pub port: u16,
}

impl Server {
    /// Starts it; its errors go to `log`. It says `ready PORT` once it is.
    fn start(command: &mut Command, log: &Path) -> Starting {
        let errors = File::create(log).unwrap();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
        let life = child.stdin.take().expect("standard input is piped");
        Starting { child, life, log: log.to_owned() }
    }

    /// HAPI FHIR's JPA server; where it is to be killed and started again, with its database in this file and at this port.
    pub fn hapi(kept: Option<(&Path, u16)>, log: &Path) -> Starting {
        let kept = kept.map(|(file, port)| [file.to_str().unwrap().to_owned(), port.to_string()]);
        let arguments: Vec<&str> = kept.iter().flatten().map(String::as_str).collect();
        Server::start(&mut run_java("Record", &arguments), log)
    }

    /// SIGKILL: what a power cut looks like to the process.
    pub fn kill_now(mut self) {
        self.kill();
    }

    /// The same, and it is kept.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub fn is_killed(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    fn medplum(log: &Path) -> Starting {
        Server::start(Command::new("node").arg(node().join("record.js")), log)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.life.take());
        _ = self.child.wait();
    }
}

/// A process that is not ready yet, so that several may start at once.
#[derive(Debug)]
pub struct Starting {
    child: Child,
    life: ChildStdin,
    log: PathBuf,
}

impl Starting {
    /// Waits until it says that it is ready, or ends.
    #[track_caller]
    pub fn ready(mut self) -> Server {
        let lines = BufReader::new(self.child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.map(|line| line.strip_prefix("ready ").and_then(|port| port.parse().ok()));
        let Some(port) = { port }.find_map(|port| port) else {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("a record server ended before it was ready: {log}");
        };
        Server { child: self.child, life: Some(self.life), port }
    }
}

/// A record server, and the ways to it through nginx. All URLs end in `/fhir`.
#[derive(Debug)]
pub struct Behind {
    /// Without nginx and certificates: how a test looks at what is there.
    pub plain: String,
    /// With client certificates, wide enough for anything.
    pub wide: String,
}

/// Everything, started.
#[derive(Debug)]
pub struct Servers {
    pub world: World,
    pub hapi: Behind,
    pub medplum: Behind,
    /// HAPI again: 5 requests a second, and bodies of 8 KiB.
    pub narrow: String,
    /// A way to whoever listens at a port where nobody does yet.
    pub away: (String, u16),
    /// Another.
    pub far: (String, u16),
    /// What nginx was asked, and what it answered.
    log: PathBuf,
    _processes: [Server; 3],
    /// Held while this process lives: another run waits.
    _alone: File,
}

/// A request that nginx has answered.
#[derive(Debug)]
pub struct Asked {
    /// When, in milliseconds.
    pub ms: u64,
    pub status: String,
    /// From the request's first octet to the answer's last, in seconds.
    pub took: f64,
    /// Octets of the request.
    pub length: usize,
}

impl Servers {
    /// Started by whoever asks first.
    pub fn get() -> &'static Servers {
        static SERVERS: OnceLock<Servers> = OnceLock::new();
        SERVERS.get_or_init(Servers::start)
    }

    fn start() -> Servers {
        std::fs::create_dir_all(folder()).unwrap();
        let alone = File::create(folder().join("lock")).unwrap();
        alone.lock().unwrap();
        let run = folder().join("run");
        _ = std::fs::remove_dir_all(&run);
        std::fs::create_dir_all(&run).unwrap();
        let hapi = Server::hapi(None, &run.join("hapi.log"));
        let medplum = Server::medplum(&run.join("medplum.log")).ready();
        let hapi = hapi.ready();
        let world = World::in_folder(&run);
        let ports = [(); 7].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [away, far, ports @ ..] = ports.map(|held| held.local_addr().unwrap().port());
        let nginx = nginx(&run, &world.pki, [hapi.port, medplum.port, away, far], ports);
        let plain = |server: &Server| format!("http://127.0.0.1:{}/fhir", server.port);
        let behind = |port: u16| format!("https://127.0.0.1:{port}/fhir");
        Servers {
            hapi: Behind { plain: plain(&hapi), wide: behind(ports[0]) },
            medplum: Behind { plain: plain(&medplum), wide: behind(ports[1]) },
            narrow: behind(ports[2]),
            away: (behind(ports[3]), away),
            far: (behind(ports[4]), far),
            log: run.join("access.log"),
            world,
            _processes: [hapi, medplum, nginx],
            _alone: alone,
        }
    }

    /// What a hub asked by this way, in order.
    pub fn asked(&self, url: &str) -> Vec<Asked> {
        let port = url.rsplit(':').next().unwrap().split('/').next().unwrap();
        let log = std::fs::read_to_string(&self.log).unwrap();
        let asked = |line: &str| {
            let fields: Vec<&str> = line.split(' ').collect();
            let ours = fields[0] == port && line.ends_with(&format!("\"CN={}\"", pki::CLIENT));
            ours.then(|| Asked {
                ms: fields[1].replace('.', "").parse().unwrap(),
                status: fields[2].into(),
                took: fields[3].parse().unwrap(),
                length: fields[4].parse().unwrap(),
            })
        };
        log.lines().filter_map(asked).collect()
    }
}

/// nginx as it stands before a hospital's FHIR server: client certificates demanded, the revoked among them refused, and its own
/// refusals told in FHIR, but not those of a certificate, which are a web page.
fn nginx(run: &Path, pki: &pki::Pki, servers: [u16; 4], ports: [u16; 5]) -> Server {
    let [hapi, medplum, away, far] = servers;
    let server = |port: u16, limits: &str, upstream: u16| {
        format!(
            r#"
  server {{
    listen 127.0.0.1:{port} ssl;
    {limits}
    location /fhir {{ proxy_pass http://127.0.0.1:{upstream}; proxy_set_header Host $http_host; proxy_read_timeout 120s; }}
    location @large {{ default_type application/fhir+json; return 413 '{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"too-long"}}]}}'; }}
    location @slow {{ default_type application/fhir+json; add_header Retry-After 2 always; return 429 '{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"throttled"}}]}}'; }}
    location @down {{ default_type application/fhir+json; add_header Retry-After 1 always; return 503 '{{"resourceType":"OperationOutcome","issue":[{{"severity":"error","code":"transient"}}]}}'; }}
  }}"#
        )
    };
    let config = format!(
        r#"
daemon off; master_process off; pid {run}/nginx.pid; error_log {run}/nginx.log;
events {{ worker_connections 256; }}
http {{
  log_format asked '$server_port $msec $status $request_time $request_length $request_method $uri $ssl_client_verify "$ssl_client_s_dn"';
  access_log {run}/access.log asked;
  client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi; uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
  ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols TLSv1.2 TLSv1.3;
  ssl_client_certificate {ca}; ssl_crl {revoked}; ssl_verify_client on; ssl_verify_depth 2;
  limit_req_zone $ssl_client_fingerprint zone=hub:1m rate=2r/s; limit_req_status 429;
  error_page 413 @large; error_page 429 @slow; error_page 502 503 504 =503 @down;
{wide_hapi}
{wide_medplum}
{narrow}
{wide_away}
{wide_far}
}}"#,
        run = run.display(),
        certificate = pki.certificate(pki::SERVER).display(),
        key = pki.key(pki::SERVER).display(),
        ca = pki.ca().display(),
        revoked = pki.revoked().display(),
        wide_hapi = server(ports[0], "client_max_body_size 64m;", hapi),
        wide_medplum = server(ports[1], "client_max_body_size 64m;", medplum),
        wide_away = server(ports[3], "client_max_body_size 64m;", away),
        wide_far = server(ports[4], "client_max_body_size 64m;", far),
        narrow = server(ports[2], "client_max_body_size 8k; limit_req zone=hub;", hapi),
    );
    let file = run.join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    // nginx itself does not look at its standard input.
    let script = "PATH=$PATH:/usr/sbin; nginx -e \"$2\" -c \"$1\" & nginx=$!; cat; kill $nginx; wait $nginx";
    let starting = Server::start(
        Command::new("sh").args(["-c", script, "sh"]).arg(&file).arg(run.join("nginx.log")),
        &run.join("nginx.err"),
    );
    let mut server = Server { child: starting.child, life: Some(starting.life), port: ports[0] };
    // It says nothing when it is ready, so it is asked.
    while TcpStream::connect(("127.0.0.1", ports[4])).is_err() {
        let ended = server.child.try_wait().unwrap();
        let log = || std::fs::read_to_string(run.join("nginx.log"));
        assert!(ended.is_none(), "nginx ended: {:?}", log());
        std::thread::park_timeout(Duration::from_millis(20));
    }
    server
}

/// Asks as anybody would: the status, and the body.
pub fn curl(arguments: &[&str]) -> (u16, String) {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}"])
        .args(arguments);
    let said = said(&mut curl);
    let (body, status) = said.out.rsplit_once('\n').unwrap_or(("", "0"));
    let status = status.parse().unwrap_or_else(|_| panic!("{curl:?}: {said:?}"));
    (status, body.to_owned())
}

/// A patient whom the record knows.
pub fn known(record: &Behind, patient: &str) {
    let body = json!({ "resourceType": "Patient", "id": patient }).to_string();
    let url = format!("{}/Patient/{patient}", record.plain);
    let put = ["-X", "PUT", "-H", "Content-Type: application/fhir+json", "-d", &body, &url];
    let (status, said) = curl(&put);
    assert!(status == 200 || status == 201, "{url}: {status} {said}");
}

/// What [`told`] says of every Observation of these patients.
pub fn chart(record: &Behind, patients: &[String]) -> Vec<Row> {
    observations(record, patients).iter().map(told).collect()
}

/// Every Observation of these patients, by a plain client.
pub fn observations(record: &Behind, patients: &[String]) -> Vec<Value> {
    let mut all = vec![];
    for patient in patients {
        let first = format!("{}/Observation?subject=Patient/{patient}&_count=1000", record.plain);
        let (mut page, mut seen) = (Some(first.clone()), 0);
        while let Some(url) = page {
            let (status, body) = curl(&["-H", "Cache-Control: no-cache", &url]);
            assert_eq!(status, 200, "{url}: {body}");
            let bundle: Value = serde_json::from_str(&body).unwrap();
            let entries = bundle["entry"].as_array().into_iter().flatten();
            all.extend(entries.map(|entry| entry["resource"].clone()));
            seen += bundle["entry"].as_array().map_or(0, Vec::len);
            let links = bundle["link"].as_array().into_iter().flatten();
            let next = { links }.find(|link| link["relation"] == "next");
            // Medplum's repository in memory names no next page; it says how many there are.
            let more = bundle["total"].as_u64().is_some_and(|total| total > seen as u64);
            page = match next {
                Some(link) => Some(link["url"].as_str().unwrap().to_owned()),
                None => more.then(|| format!("{first}&_offset={seen}")),
            };
        }
    }
    all
}
