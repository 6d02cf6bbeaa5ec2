use super::rig::{PKI, Served, client, http, served, served_as};
use crate::clock;
use crate::demo::pki;
use crate::demo::record::{Behaviour, Canned, Fault};
use crate::tls;
use crate::uplink::http::{Base, Request};
use bytes::Bytes;
use hearth_core::delivery::{Asked, Body};
use hearth_core::delivery::{Cure, Found, Receipt, Sent, TlsFault, Transport, Verdict, found, judge};
use hyper::Method;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

fn get(path: &str) -> Request {
    Request { method: Method::GET, path: path.into(), headers: vec![], body: Bytes::new() }
}

fn put(id: &str) -> Request {
    let body = json!({"resourceType": "Observation", "id": id, "valueQuantity": {"value": 5.0}});
    let path = format!("Observation/{id}");
    Request { method: Method::PUT, path, headers: vec![], body: body.to_string().into() }
}

fn answer(receipt: Receipt) -> hearth_core::delivery::Answer {
    match receipt {
        Receipt::Answer(answer) => answer,
        Receipt::Transport(transport) => panic!("{transport}"),
    }
}

fn transport(receipt: Receipt) -> Transport {
    match receipt {
        Receipt::Transport(transport) => transport,
        Receipt::Answer(answer) => panic!("{answer}"),
    }
}

/// Versions of an Observation at the record.
fn versions(served: &Served, id: &str) -> usize {
    served.record.history("Observation", id).len()
}

#[tokio::test]
async fn a_resource_goes_there_and_comes_back_digit_by_digit() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    let written = answer(http.send(&me, &put("a")).await);
    assert_eq!((written.status, written.etag.as_deref()), (201, Some("W/\"1\"")));
    assert_eq!(written.location.unwrap(), format!("{}/Observation/a/_history/1", served.record.url()));
    let Found::Present(back) = found(&http.send(&me, &get("Observation/a")).await) else { panic!() };
    assert_eq!(back["valueQuantity"]["value"].to_string(), "5.0");
    assert_eq!(found(&http.send(&me, &get("Observation/b")).await), Found::Absent);
    served.record.delete("Observation", "a");
    assert_eq!(found(&http.send(&me, &get("Observation/a")).await), Found::Gone);
    // One connection, one certificate.
    let log = served.record.log();
    assert_eq!(log.len(), 4);
    assert!(log.iter().all(|logged| logged.client.as_deref() == Some(pki::CLIENT)));
}

#[tokio::test]
async fn headers_that_matter_come_along() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    let date = "Fri, 31 Dec 9999 23:59:59 GMT";
    for (header, wait) in [("7", 7), (date, 86_400)] {
        let canned = Canned::outcome(503, "transient", "later").header("Retry-After", header);
        served.record.queue([Fault::Answer(canned.header("WWW-Authenticate", "Bearer"))]);
        let answer = answer(http.send(&me, &put("a")).await);
        assert_eq!(answer.retry_after, Some(Duration::from_secs(wait)), "{header}");
        assert_eq!(answer.www_authenticate.as_deref(), Some("Bearer"));
    }
}

/// A client without a certificate.
fn nobody() -> tls::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(PKI.ca()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    tls::Client { connector: Arc::new(config).into(), from: clock::now(), until: clock::now() }
}

/// Whose certificate is at fault, by its sentence.
#[tokio::test]
async fn certificates_are_told_apart() {
    let good = served(Behaviour::default()).await;
    // Ours, refused by the server: with TLS 1.3 that shows only after the handshake.
    for (name, said) in [
        (Some(pki::CLIENT_EXPIRED), "it says that it is out of date"),
        (Some(pki::CLIENT_NOT_YET), "it says that it is out of date"),
        (Some(pki::CLIENT_OF_OTHER_CA), "it does not know who signed it"),
        (None, "it says that none was shown"),
    ] {
        let fault = transport(http(&good).send(&name.map_or_else(nobody, client), &put("a")).await);
        assert_eq!(fault, Transport::Tls(TlsFault::OursRefused(said.into())), "{name:?}");
        assert_eq!(judge(Asked::Put, &Receipt::Transport(fault)), Verdict::Hold(Cure::OurCertificate));
    }
    assert_eq!(versions(&good, "a"), 0);

    // The server's.
    let me = client(pki::CLIENT);
    for (name, expect, cure) in [
        (pki::SERVER_EXPIRED, TlsFault::ServerExpired, Cure::ServerCertificate),
        (pki::SERVER_NOT_YET, TlsFault::ServerNotYetValid, Cure::ServerCertificate),
        (
            pki::SERVER_OTHER_NAME,
            TlsFault::NameMismatch("DnsName(\"record.example\")".into()),
            Cure::ServerName,
        ),
    ] {
        let served = served_as(name, Behaviour::default()).await;
        let fault = transport(http(&served).send(&me, &put("a")).await);
        assert_eq!(fault, Transport::Tls(expect), "{name}");
        assert_eq!(judge(Asked::Put, &Receipt::Transport(fault)), Verdict::Hold(cure));
    }
    let trusting = tls::Files { ca: PKI.other_ca(), ..PKI.files(pki::CLIENT) };
    let trusting = tls::client(&trusting, clock::now()).unwrap();
    let fault = transport(http(&good).send(&trusting, &put("a")).await);
    assert_eq!(fault, Transport::Tls(TlsFault::NotTrusted));
    assert_eq!(
        fault.to_string(),
        "the server is not trusted: its certificate is signed by nobody in the configured CA file"
    );
}

/// nginx: the handshake succeeds, and a web page says what is wrong.
#[tokio::test]
async fn a_web_page_is_no_judgement_on_a_reading() {
    let served = served(Behaviour::default()).await;
    served.record.queue([Fault::Answer(Canned::page(400, "No required SSL certificate was sent"))]);
    let receipt = http(&served).send(&client(pki::CLIENT), &put("a")).await;
    assert_eq!(receipt.to_string(), "HTTP 400, with a body that is not FHIR (text/html)");
    assert_eq!(judge(Asked::Put, &receipt), Verdict::Hold(Cure::Credentials));
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = format!("{}/Observation/elsewhere", served.record.url());
        served.record.queue([Fault::Answer(Canned::page(status, "").header("Location", &elsewhere))]);
        let receipt = http.send(&me, &put("a")).await;
        assert_eq!(judge(Asked::Put, &receipt), Verdict::Hold(Cure::Redirect), "{status}");
    }
    assert_eq!(served.record.log().len(), 5, "one request each");
    assert!(served.record.all("Observation").is_empty());
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    for (fault, done) in [(Fault::CommitThenCut, 1), (Fault::HalfAnswer, 2), (Fault::CutBefore, 2)] {
        let name = format!("{fault:?}");
        served.record.queue([fault]);
        let receipt = http.send(&me, &put("a")).await;
        assert!(receipt.in_doubt(), "{name}: {receipt:?}");
        assert!(
            matches!(receipt, Receipt::Transport(Transport::Cut { sent: Sent::Maybe, .. })),
            "{name}: {receipt:?}"
        );
        assert_eq!(versions(&served, "a"), done, "{name}");
    }
    assert_eq!(served.record.committed_unanswered(), 2);
    assert_eq!(answer(http.send(&me, &put("a")).await).status, 200, "a new connection is opened");
}

#[tokio::test]
async fn an_outage_is_no_doubt() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    assert_eq!(answer(http.send(&me, &put("a")).await).status, 201);
    served.record.outage(true);
    // Until the kept connection is found closed, then at each new one.
    while !matches!(
        http.send(&me, &get("Observation/a")).await,
        Receipt::Transport(Transport::Cut { sent: Sent::No, .. })
    ) {}
    let receipt = http.send(&me, &put("b")).await;
    assert!(!receipt.in_doubt(), "{receipt:?}");
    served.record.outage(false);
    assert_eq!(answer(http.send(&me, &put("b")).await).status, 201);
}

#[tokio::test]
async fn nobody_there_is_no_doubt() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/fhir", listener.local_addr().unwrap());
    drop(listener);
    let mut http = crate::uplink::http::Http::new(Base::parse(&url).unwrap(), Duration::from_secs(30));
    let fault = transport(http.send(&client(pki::CLIENT), &put("a")).await);
    assert!(matches!(fault, Transport::Connect(_)), "{fault:?}");
    let mut http = crate::uplink::http::Http::new(
        Base::parse("https://no.such.host.invalid").unwrap(),
        Duration::from_secs(30),
    );
    let fault = transport(http.send(&client(pki::CLIENT), &put("a")).await);
    assert!(matches!(fault, Transport::Dns(_)), "{fault:?}");
}

/// A connection that the server closed while it was idle costs nothing and is no doubt.
#[tokio::test]
async fn a_connection_closed_meanwhile_is_opened_anew() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    served.record.queue([
        Fault::CommitThenAnswer(Canned::outcome(201, "informational", "done").header("Connection", "close")),
        Fault::Pass,
    ]);
    assert_eq!(answer(http.send(&me, &put("a")).await).status, 201);
    assert_eq!(answer(http.send(&me, &put("b")).await).status, 201);
    assert_eq!(served.record.log().len(), 2);
}

#[tokio::test]
async fn no_answer_in_time_is_in_doubt() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    let (arrived, released) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    served.record.script({
        let (arrived, released) = (Arc::clone(&arrived), Arc::clone(&released));
        move |_| {
            arrived.notify_one();
            Fault::Delay(Arc::clone(&released))
        }
    });
    let one = put("a");
    let (receipt, ()) = tokio::join!(http.send(&me, &one), async {
        arrived.notified().await;
        // Everything is on its way: from here on time stands, and jumps to the deadline.
        tokio::time::pause();
    });
    tokio::time::resume();
    assert_eq!(transport(receipt), Transport::Timeout { sent: Sent::Maybe });
    assert_eq!(versions(&served, "a"), 0);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let served = served(Behaviour::default()).await;
    let (mut http, me) = (http(&served), client(pki::CLIENT));
    served.record.queue([Fault::Answer(Canned::page(200, &"x".repeat((16 << 20) + 1)))]);
    assert_eq!(transport(http.send(&me, &get("Observation/a")).await), Transport::TooLarge);
    served.record.queue([Fault::Answer(Canned::page(200, &"x".repeat(16 << 20)))]);
    assert_eq!(answer(http.send(&me, &get("Observation/a")).await).body, Body::NotFhir);
}

/// Something else answers at that port.
#[tokio::test]
async fn what_is_not_tls_is_said_to_be_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/fhir", listener.local_addr().unwrap());
    let mut http = crate::uplink::http::Http::new(Base::parse(&url).unwrap(), Duration::from_secs(30));
    let (me, one) = (client(pki::CLIENT), put("a"));
    let (receipt, ()) = tokio::join!(http.send(&me, &one), async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = [0; 5];
        stream.read_exact(&mut hello).await.unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").await.unwrap();
    });
    let fault = transport(receipt);
    assert!(matches!(fault, Transport::Tls(TlsFault::Other(_))), "{fault:?}");
}

#[test]
fn base_urls() {
    let base = |url: &str| Base::parse(url).map(|base| format!("{base:?}"));
    let rows = [
        ("https://ehr.example/fhir", r#"Base { host: "ehr.example", port: 443, path: "/fhir/" }"#),
        ("https://ehr.example/fhir/", r#"Base { host: "ehr.example", port: 443, path: "/fhir/" }"#),
        ("https://ehr.example:8443", r#"Base { host: "ehr.example", port: 8443, path: "/" }"#),
        ("https://[::1]:8443/r4/", r#"Base { host: "::1", port: 8443, path: "/r4/" }"#),
    ];
    for (url, expect) in rows {
        assert_eq!(base(url).unwrap(), expect);
    }
    for (url, word) in [
        ("http://ehr.example/fhir", "https://"),
        ("http://127.0.0.1/fhir", "https://"),
        ("ehr.example", "https://"),
        ("https:///fhir", "URL"),
        ("https://ehr.example/fhir?x=1", "query"),
        ("", "URL"),
        ("https://ehr example/", "URL"),
    ] {
        let said = base(url).unwrap_err();
        assert!(said.contains(word), "{url}: {said}");
    }
}
