//! The one place that builds a rustls configuration, and that says in a sentence why TLS failed.
//!
//! Certificates are checked when they are loaded, with dates, so that a person hears about them before a
//! server does. What only a handshake shows is told apart by [`fault`]. With TLS 1.3 a server that misses or
//! refuses our certificate says so after the handshake, or not by TLS at all: nginx answers `400`, `text/html`.

use crate::clock;
use hearth_core::delivery::TlsFault;
use jiff::Timestamp;
use rustls::client::ResolvesClientCert;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::CertifiedKey;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, RootCertStore, ServerConfig, SignatureScheme,
};
use std::error::Error;
use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::{TlsAcceptor, TlsConnector};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Whom one side trusts, and what it shows: PEM files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Files {
    /// Certificates of those who may sign the other side's.
    pub ca: PathBuf,
    /// Our certificate, with what is between it and a root, in that order.
    pub certificate: PathBuf,
    /// Its key: PKCS#8, SEC1 or PKCS#1, not encrypted.
    pub key: PathBuf,
}

/// A client that can prove who it is.
#[derive(Clone)]
pub struct Client {
    pub connector: TlsConnector,
    /// When our certificate begins, and when it ends.
    pub from: Timestamp,
    pub until: Timestamp,
}

impl Client {
    /// Whether it should have been renewed by now: of its life a fifth is left. Whoever renews in time does so when a
    /// third is.
    pub fn ends_soon(&self, now: Timestamp) -> bool {
        self.until.duration_since(now) < self.until.duration_since(self.from) / 5
    }
}

/// How files look from outside. `None`: not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look([Option<Outside>; 3]);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Outside {
    device: u64,
    inode: u64,
    size: u64,
    /// When it was last changed in any way, its mode among them: seconds and nanoseconds.
    changed: (i64, i64),
}

impl Files {
    /// Cheap: for each file one question to the kernel.
    pub fn look(&self) -> Look {
        Look([&self.ca, &self.certificate, &self.key].map(|path| {
            let seen = std::fs::metadata(path).ok()?;
            Some(Outside {
                device: seen.dev(),
                inode: seen.ino(),
                size: seen.len(),
                changed: (seen.ctime(), seen.ctime_nsec()),
            })
        }))
    }
}

/// Our own files are wrong. Each names the file and the cure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    Missing(PathBuf),
    Unreadable(PathBuf, String),
    NoCertificate(PathBuf),
    BadCertificate(PathBuf, String),
    NoKey(PathBuf),
    EncryptedKey(PathBuf),
    BadKey(PathBuf, String),
    Mismatch { certificate: PathBuf, key: PathBuf },
    Expired { path: PathBuf, at: Timestamp },
    NotYetValid { path: PathBuf, from: Timestamp, now: Timestamp },
    WrongUsage(PathBuf, Usage),
}

/// What a certificate must be good for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    Client,
    Server,
    Signing,
}

/// A client that trusts `files.ca` alone and shows `files.certificate` whenever it is asked.
pub fn client(files: &Files, now: Timestamp) -> Result<Client, Fault> {
    let (shown, (from, until)) = own(files, Usage::Client, now)?;
    let config = ClientConfig::builder_with_details(provider(), Arc::new(clock::ForTls))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots(&files.ca)?)
        .with_client_cert_resolver(Arc::new(Shown(shown)));
    Ok(Client { connector: TlsConnector::from(Arc::new(config)), from, until })
}

/// A server that talks only to clients whose certificate `files.ca` signed. For the demonstration and tests.
pub fn server(files: &Files, now: Timestamp) -> Result<TlsAcceptor, Fault> {
    let (shown, _) = own(files, Usage::Server, now)?;
    let roots = Arc::new(roots(&files.ca)?);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(|e| Fault::BadCertificate(files.ca.clone(), e.to_string()))?;
    let config = ServerConfig::builder_with_details(provider(), Arc::new(clock::ForTls))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(shown)));
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client(until {})", self.until)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// Asked at each handshake. A renewed certificate comes with a configuration of its own, which resumes no session
/// that was begun with the old one.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesClientCert for Shown {
    /// Whatever issuers the server hints at, there is one certificate: refused is better understood than hidden.
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Fault> {
    std::fs::read(path).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => Fault::Missing(path.to_owned()),
        _ => Fault::Unreadable(path.to_owned(), e.to_string()),
    })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match all {
        Ok(all) if all.is_empty() => Err(Fault::NoCertificate(path.to_owned())),
        Ok(all) => Ok(all),
        Err(e) => Err(Fault::BadCertificate(path.to_owned(), e.to_string())),
    }
}

fn roots(path: &Path) -> Result<RootCertStore, Fault> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        if !parse(path, &certificate)?.is_ca() {
            return Err(Fault::WrongUsage(path.to_owned(), Usage::Signing));
        }
        roots.add(certificate).map_err(|e| Fault::BadCertificate(path.to_owned(), e.to_string()))?;
    }
    Ok(roots)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let octets = read(path)?;
    PrivateKeyDer::from_pem_slice(&octets).map_err(|e| match e {
        pem::Error::NoItemsFound if contains(&octets, b"BEGIN ENCRYPTED PRIVATE KEY") => {
            Fault::EncryptedKey(path.to_owned())
        }
        pem::Error::NoItemsFound => Fault::NoKey(path.to_owned()),
        e => Fault::BadKey(path.to_owned(), e.to_string()),
    })
}

fn contains(octets: &[u8], words: &[u8]) -> bool {
    octets.windows(words.len()).any(|window| window == words)
}

fn parse<'a>(path: &Path, certificate: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, Fault> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|e| Fault::BadCertificate(path.to_owned(), e.to_string()))?;
    Ok(parsed)
}

/// Our own certificate and key, checked against each other, the clock and their purpose.
fn own(
    files: &Files,
    usage: Usage,
    now: Timestamp,
) -> Result<(Arc<CertifiedKey>, (Timestamp, Timestamp)), Fault> {
    let path = &files.certificate;
    let chain = certificates(path)?;
    let life = match chain.first() {
        Some(leaf) => fit(path, &parse(path, leaf)?, usage, now)?,
        None => return Err(Fault::NoCertificate(path.clone())),
    };
    let bad_key = |e: rustls::Error| Fault::BadKey(files.key.clone(), e.to_string());
    let key = provider().key_provider.load_private_key(private_key(&files.key)?).map_err(bad_key)?;
    let shown = CertifiedKey::new(chain, key);
    match shown.keys_match() {
        Ok(()) => Ok((Arc::new(shown), life)),
        Err(rustls::Error::InconsistentKeys(_)) => {
            Err(Fault::Mismatch { certificate: path.clone(), key: files.key.clone() })
        }
        Err(e) => Err(Fault::BadCertificate(path.clone(), e.to_string())),
    }
}

/// From when until when a certificate is good for `usage` (RFC 5280 4.1.2.5, 4.2.1.12).
fn fit(
    path: &Path,
    leaf: &X509Certificate<'_>,
    usage: Usage,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Fault> {
    let instant = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp())
            .map_err(|_| Fault::BadCertificate(path.to_owned(), "its dates are out of range".into()))
    };
    let (from, until) = (instant(leaf.validity().not_before)?, instant(leaf.validity().not_after)?);
    if now < from {
        return Err(Fault::NotYetValid { path: path.to_owned(), from, now });
    }
    if until < now {
        return Err(Fault::Expired { path: path.to_owned(), at: until });
    }
    let purposes =
        leaf.extended_key_usage().map_err(|e| Fault::BadCertificate(path.to_owned(), e.to_string()))?;
    let good = purposes.is_none_or(|purposes| match usage {
        Usage::Client => purposes.value.client_auth || purposes.value.any,
        Usage::Server => purposes.value.server_auth || purposes.value.any,
        Usage::Signing => true,
    });
    if good { Ok((from, until)) } else { Err(Fault::WrongUsage(path.to_owned(), usage)) }
}

impl Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Missing(path) => {
                write!(f, "{}: there is no such file; put it there or correct the path", path.display())
            }
            Fault::Unreadable(path, said) => {
                write!(f, "{}: cannot be read ({said}); let the hub's user read it", path.display())
            }
            Fault::NoCertificate(path) => {
                write!(f, "{}: holds no certificate; it must be PEM, with BEGIN CERTIFICATE", path.display())
            }
            Fault::BadCertificate(path, said) => {
                write!(f, "{}: holds a damaged certificate ({said}); fetch it again", path.display())
            }
            Fault::NoKey(path) => {
                write!(f, "{}: holds no private key; it must be PEM, PKCS#8 or SEC1", path.display())
            }
            Fault::EncryptedKey(path) => {
                write!(
                    f,
                    "{}: the key is encrypted; store it without a passphrase, readable by the hub alone",
                    path.display()
                )
            }
            Fault::BadKey(path, said) => {
                write!(
                    f,
                    "{}: holds a key that cannot be used ({said}); make an ECDSA P-256 one",
                    path.display()
                )
            }
            Fault::Mismatch { certificate, key } => write!(
                f,
                "{}: is not the key of {}; they must have been made together",
                key.display(),
                certificate.display()
            ),
            Fault::Expired { path, at } => {
                write!(f, "{}: expired at {at}; have it renewed", path.display())
            }
            Fault::NotYetValid { path, from, now } => write!(
                f,
                "{}: is valid only from {from}, and the hub's clock says {now}; check the clock first",
                path.display()
            ),
            Fault::WrongUsage(path, usage) => {
                let (not, cure) = match usage {
                    Usage::Client => ("to identify a client", "ask for one with the purpose clientAuth"),
                    Usage::Server => ("to identify a server", "ask for one with the purpose serverAuth"),
                    Usage::Signing => {
                        ("to sign others", "name the certificate of the authority, not the server's own")
                    }
                };
                write!(f, "{}: is not made {not}; {cure}", path.display())
            }
        }
    }
}

/// What a failed handshake, read or write says about TLS, wherever it hides among the causes. `None`: nothing.
pub fn fault(error: &(dyn Error + 'static)) -> Option<TlsFault> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(name(tls));
        }
        // An io::Error hides its inner error from `source`.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

fn name(error: &rustls::Error) -> TlsFault {
    use AlertDescription as Alert;
    use CertificateError as Bad;
    match error {
        rustls::Error::InvalidCertificate(bad) => match bad {
            Bad::Expired | Bad::ExpiredContext { .. } => TlsFault::ServerExpired,
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => TlsFault::ServerNotYetValid,
            Bad::NotValidForName => TlsFault::NameMismatch("it does not name the configured host".into()),
            Bad::NotValidForNameContext { presented, .. } => TlsFault::NameMismatch(presented.join(", ")),
            Bad::UnknownIssuer | Bad::BadSignature => TlsFault::NotTrusted,
            other => TlsFault::Other(format!("the server's certificate: {other}")),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            Alert::CertificateRequired | Alert::NoCertificate => {
                TlsFault::OursRefused("it says that none was shown".into())
            }
            // rustls says this of a certificate that is not yet valid, too.
            Alert::CertificateExpired => TlsFault::OursRefused("it says that it is out of date".into()),
            Alert::CertificateRevoked => TlsFault::OursRefused("it says that it is revoked".into()),
            Alert::UnknownCA => TlsFault::OursRefused("it does not know who signed it".into()),
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateUnknown
            | Alert::AccessDenied
            | Alert::DecryptError => TlsFault::OursRefused(format!("alert {alert:?}")),
            other => TlsFault::Other(format!("the server sent alert {other:?}")),
        },
        other => TlsFault::Other(other.to_string()),
    }
}

#[cfg(all(test, feature = "demo"))]
mod tests;
