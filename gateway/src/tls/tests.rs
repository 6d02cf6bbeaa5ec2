#![allow(clippy::unwrap_used)]

use super::*;
use crate::demo::pki::{self, Pki};
use crate::uplink::tests::rig::{PKI, directory};
use jiff::SignedDuration;
use std::fs;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn now() -> Timestamp {
    crate::clock::now()
}

/// The one door: files that are wrong in one way, and the sentence about them without directories.
fn check(files: &Files, sentence: &str) {
    let fault = client(files, now()).unwrap_err();
    let directory = PKI.ca().parent().unwrap().display().to_string() + "/";
    let said = fault.to_string().replace(&directory, "");
    // Dates are made around today.
    let said = said.split_once("20").map_or(said.clone(), |(before, _)| format!("{before}DATE…"));
    assert_eq!(said, sentence);
}

fn with(change: impl FnOnce(&mut Files)) -> Files {
    let mut files = PKI.files(pki::CLIENT);
    change(&mut files);
    files
}

fn file(name: &str, content: &str) -> PathBuf {
    let path = PKI.ca().with_file_name(name);
    fs::write(&path, content).unwrap();
    path
}

#[test]
fn wrong_files_are_told_apart() {
    let junk = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let rows = [
        (
            with(|f| f.certificate = f.ca.with_file_name("absent.pem")),
            "absent.pem: there is no such file; put it there or correct the path",
        ),
        (
            with(|f| f.key = f.ca.with_file_name("absent.pem")),
            "absent.pem: there is no such file; put it there or correct the path",
        ),
        (
            with(|f| f.ca = f.ca.with_file_name("absent.pem")),
            "absent.pem: there is no such file; put it there or correct the path",
        ),
        (
            with(|f| f.certificate = f.key.clone()),
            "client.key.pem: holds no certificate; it must be PEM, with BEGIN CERTIFICATE",
        ),
        (
            with(|f| f.certificate = file("empty.pem", "")),
            "empty.pem: holds no certificate; it must be PEM, with BEGIN CERTIFICATE",
        ),
        (
            with(|f| f.key = f.certificate.clone()),
            "client.pem: holds no private key; it must be PEM, PKCS#8 or SEC1",
        ),
        (
            with(|f| f.key = file("encrypted.pem", encrypted)),
            "encrypted.pem: the key is encrypted; store it without a passphrase, readable by the hub alone",
        ),
        (
            with(|f| f.key = PKI.key(pki::CLIENT_EXPIRED)),
            "client-expired.key.pem: is not the key of client.pem; they must have been made together",
        ),
        (
            with(|f| f.certificate = PKI.certificate(pki::SERVER)),
            "server.pem: is not made to identify a client; ask for one with the purpose clientAuth",
        ),
        (
            with(|f| f.ca = f.certificate.clone()),
            "client.pem: is not made to sign others; name the certificate of the authority, not the server's own",
        ),
        (PKI.files(pki::CLIENT_EXPIRED), "client-expired.pem: expired at DATE…"),
        (PKI.files(pki::CLIENT_NOT_YET), "client-not-yet.pem: is valid only from DATE…"),
    ];
    for (files, sentence) in &rows {
        check(files, sentence);
    }
    for (files, damaged) in [
        (with(|f| f.certificate = file("junk.pem", junk)), "junk.pem"),
        (with(|f| f.ca = file("junk.pem", junk)), "junk.pem"),
    ] {
        let fault = client(&files, now()).unwrap_err();
        assert!(matches!(&fault, Fault::BadCertificate(path, _) if path.ends_with(damaged)), "{fault}");
    }
    // A directory where a file should be.
    let fault = client(&with(|f| f.key = f.ca.parent().unwrap().to_owned()), now()).unwrap_err();
    assert!(matches!(fault, Fault::Unreadable(..)), "{fault}");
}

#[test]
fn dates_are_named() {
    let (files, now) = (PKI.files(pki::CLIENT), now());
    let until = client(&files, now).unwrap().until;
    assert!(until > now + 29 * DAY && until <= now + 30 * DAY);
    // To the second.
    assert!(client(&files, until).is_ok());
    let expired = client(&files, until + SignedDuration::from_secs(1)).unwrap_err();
    assert_eq!(expired, Fault::Expired { path: files.certificate.clone(), at: until });
    assert!(expired.to_string().ends_with(&format!("expired at {until}; have it renewed")));
    // A hub whose clock was never set.
    let early = client(&files, Timestamp::UNIX_EPOCH).unwrap_err().to_string();
    assert!(early.ends_with("the hub's clock says 1970-01-01T00:00:00Z; check the clock first"), "{early}");
}

#[test]
fn keys_come_in_each_of_their_forms() {
    // P-256 keys made by OpenSSL would be SEC1; rcgen writes PKCS#8, of which SEC1 is the inner part.
    let pem = fs::read_to_string(PKI.key(pki::CLIENT)).unwrap();
    assert!(pem.contains("BEGIN PRIVATE KEY"), "PKCS#8");
    let PrivateKeyDer::Pkcs8(der) = PrivateKeyDer::from_pem_slice(pem.as_bytes()).unwrap() else { panic!() };
    let inner = der.secret_pkcs8_der();
    // RFC 5208: the privateKey OCTET STRING holds the ECPrivateKey of RFC 5915, which begins 30 len 02 01 01.
    let at = (0..inner.len())
        .skip(8)
        .find(|at| inner[*at] == 0x30 && inner[at + 2..].starts_with(&[2, 1, 1]))
        .unwrap();
    let sec1 = &inner[at..at + 2 + usize::from(inner[at + 1])];
    let text = data_encoding::BASE64.encode(sec1);
    let path = file(
        "sec1.key.pem",
        &format!("-----BEGIN EC PRIVATE KEY-----\n{text}\n-----END EC PRIVATE KEY-----\n"),
    );
    client(&with(|f| f.key = path), now()).unwrap();
}

#[test]
fn a_chain_may_hold_more_than_the_leaf() {
    let both =
        fs::read_to_string(PKI.certificate(pki::CLIENT)).unwrap() + &fs::read_to_string(PKI.ca()).unwrap();
    client(&with(|f| f.certificate = file("chain.pem", &both)), now()).unwrap();
    // The wrong way round, the authority comes first: its key is another.
    let both =
        fs::read_to_string(PKI.ca()).unwrap() + &fs::read_to_string(PKI.certificate(pki::CLIENT)).unwrap();
    let fault = client(&with(|f| f.certificate = file("reversed.pem", &both)), now()).unwrap_err();
    assert!(matches!(fault, Fault::Mismatch { .. }), "{fault}");
}

#[test]
fn a_server_needs_its_own_purpose() {
    assert!(server(&PKI.files(pki::SERVER), now()).is_ok());
    let fault = server(&PKI.files(pki::CLIENT), now()).map(|_| ()).unwrap_err();
    assert_eq!(fault, Fault::WrongUsage(PKI.certificate(pki::CLIENT), Usage::Server));
}

#[test]
fn a_pki_is_made_where_it_is_asked_for() {
    let directory = directory("another-pki");
    let pki = Pki::create(&directory, now()).unwrap();
    client(&pki.files(pki::CLIENT), now()).unwrap();
    fs::remove_dir_all(&directory).unwrap();
    assert!(Pki::create(&directory, now()).is_err());
}

/// Where rustls's error hides does not matter.
#[test]
fn a_fault_is_found_among_its_causes() {
    let tls = rustls::Error::InvalidCertificate(CertificateError::Expired);
    let io = io::Error::new(io::ErrorKind::InvalidData, tls);
    let outer = io::Error::other(io);
    assert_eq!(fault(&outer), Some(TlsFault::ServerExpired));
    assert_eq!(fault(&io::Error::other("nothing of the kind")), None);
    let rows = [
        (AlertDescription::CertificateRequired, "it says that none was shown"),
        (AlertDescription::CertificateRevoked, "it says that it is revoked"),
        (AlertDescription::CertificateExpired, "it says that it is out of date"),
        (AlertDescription::UnknownCA, "it does not know who signed it"),
        (AlertDescription::BadCertificate, "alert BadCertificate"),
    ];
    for (alert, said) in rows {
        assert_eq!(fault(&rustls::Error::AlertReceived(alert)), Some(TlsFault::OursRefused(said.into())));
    }
    let other = fault(&rustls::Error::AlertReceived(AlertDescription::HandshakeFailure)).unwrap();
    assert!(matches!(other, TlsFault::Other(_)), "{other:?}");
}
