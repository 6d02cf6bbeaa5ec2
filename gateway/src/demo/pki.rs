//! A throw-away PKI: one authority, a server on loopback, a good client, and every bad one.

use crate::tls::Files;
use jiff::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
    date_time_ymd,
};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// PEM files in a directory: `ca.pem`, its list of the revoked `crl.pem`, and for each certificate NAME `NAME.pem` and `NAME.key.pem`.
#[derive(Clone, Debug)]
pub struct Pki {
    directory: PathBuf,
}

/// Names of what [`Pki::create`] makes; `SERVER_*` and `CLIENT_*` say what is wrong with them.
pub const SERVER: &str = "server";
pub const SERVER_EXPIRED: &str = "server-expired";
pub const SERVER_NOT_YET: &str = "server-not-yet";
pub const SERVER_OTHER_NAME: &str = "server-other-name";
pub const CLIENT: &str = "client";
/// As good, and another: what [`CLIENT`] is renewed by.
pub const CLIENT_RENEWED: &str = "client-renewed";
/// Valid for two days more of a month.
pub const CLIENT_ENDING: &str = "client-ending";
pub const CLIENT_EXPIRED: &str = "client-expired";
pub const CLIENT_NOT_YET: &str = "client-not-yet";
/// On the list of the revoked.
pub const CLIENT_REVOKED: &str = "client-revoked";
/// Signed by an authority that nobody here trusts: `other-ca.pem`.
pub const CLIENT_OF_OTHER_CA: &str = "client-of-other-ca";

/// Serial number of [`CLIENT_REVOKED`].
const REVOKED: u64 = 0x0BAD_CAFE;

const DAY: Duration = Duration::from_secs(24 * 3600);

impl Pki {
    /// Makes everything, valid around `now`. The directory must exist; what is there is overwritten.
    pub fn create(directory: &Path, now: Timestamp) -> io::Result<Pki> {
        Pki::lasting(directory, now, 30 * DAY)
    }

    /// The same, and what is good stays so for this long.
    pub fn lasting(directory: &Path, now: Timestamp, life: Duration) -> io::Result<Pki> {
        let pki = Pki { directory: directory.to_owned() };
        let today = Validity { from: now - 2 * DAY, until: now + life };
        let over = Validity { from: now - 3 * DAY, until: now - DAY };
        let ending = Validity { from: now - 28 * DAY, until: now + 2 * DAY };
        let coming = Validity { from: now + DAY, until: now + 30 * DAY };
        let authority = |name: &str| authority(name, now, life).map_err(io::Error::other);
        let (ours, other) = (authority("Hearth demonstration")?, authority("Somebody else")?);
        fs::write(pki.ca(), ours.pem())?;
        fs::write(pki.other_ca(), other.pem())?;

        let loopback: &[&str] = &["localhost", "127.0.0.1"];
        for (name, signer, hosts, validity) in [
            (SERVER, &ours, loopback, today),
            (SERVER_EXPIRED, &ours, loopback, over),
            (SERVER_NOT_YET, &ours, loopback, coming),
            (SERVER_OTHER_NAME, &ours, &["record.example"], today),
            (CLIENT, &ours, &[], today),
            (CLIENT_RENEWED, &ours, &[], today),
            (CLIENT_ENDING, &ours, &[], ending),
            (CLIENT_EXPIRED, &ours, &[], over),
            (CLIENT_NOT_YET, &ours, &[], coming),
            (CLIENT_REVOKED, &ours, &[], today),
            (CLIENT_OF_OTHER_CA, &other, &[], today),
        ] {
            let (certificate, key) = leaf(name, hosts, validity, signer).map_err(io::Error::other)?;
            fs::write(pki.certificate(name), certificate)?;
            secret(&pki.key(name), &key)?;
        }
        fs::write(pki.revoked(), revoked(today, &ours).map_err(io::Error::other)?)?;
        Ok(pki)
    }

    pub fn ca(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    pub fn other_ca(&self) -> PathBuf {
        self.directory.join("other-ca.pem")
    }

    pub fn revoked(&self) -> PathBuf {
        self.directory.join("crl.pem")
    }

    pub fn certificate(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.pem"))
    }

    pub fn key(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.key.pem"))
    }

    /// The files of one side, trusting `ca.pem`.
    pub fn files(&self, name: &str) -> Files {
        Files { ca: self.ca(), certificate: self.certificate(name), key: self.key(name) }
    }
}

/// A key that only its owner reads.
fn secret(path: &Path, key: &str) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(key.as_bytes())
}

#[derive(Clone, Copy)]
struct Validity {
    from: Timestamp,
    until: Timestamp,
}

fn since_1970(at: Timestamp) -> Duration {
    Duration::from_secs(at.as_second().unsigned_abs())
}

fn params(name: &str, hosts: &[&str], validity: Validity) -> Result<CertificateParams, rcgen::Error> {
    let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(1970, 1, 1) + since_1970(validity.from);
    params.not_after = date_time_ymd(1970, 1, 1) + since_1970(validity.until);
    Ok(params)
}

fn authority(
    name: &str,
    now: Timestamp,
    life: Duration,
) -> Result<CertifiedIssuer<'static, KeyPair>, rcgen::Error> {
    let mut params = params(name, &[], Validity { from: now - 3 * DAY, until: now + life + 30 * DAY })?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate()?)
}

/// A server's where it has hosts, else a client's: certificate and key.
fn leaf(
    name: &str,
    hosts: &[&str],
    validity: Validity,
    signer: &CertifiedIssuer<'static, KeyPair>,
) -> Result<(String, String), rcgen::Error> {
    let mut params = params(name, hosts, validity)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![match hosts {
        [] => ExtendedKeyUsagePurpose::ClientAuth,
        _ => ExtendedKeyUsagePurpose::ServerAuth,
    }];
    if name == CLIENT_REVOKED {
        params.serial_number = Some(REVOKED.into());
    }
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, signer)?.pem(), key.serialize_pem()))
}

/// What `openssl ca -gencrl` would write.
fn revoked(validity: Validity, signer: &CertifiedIssuer<'static, KeyPair>) -> Result<String, rcgen::Error> {
    let issued = date_time_ymd(1970, 1, 1) + since_1970(validity.from);
    let lost = RevokedCertParams {
        serial_number: SerialNumber::from(REVOKED),
        revocation_time: issued,
        reason_code: None,
        invalidity_date: None,
    };
    let list = CertificateRevocationListParams {
        this_update: issued,
        next_update: issued + 30 * DAY,
        crl_number: SerialNumber::from(1),
        issuing_distribution_point: None,
        revoked_certs: vec![lost],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(signer)?.pem()
}
