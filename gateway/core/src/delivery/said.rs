//! The words for people: what came back, and what cures it.

use super::{Cure, Receipt, Sent, TlsFault, Transport};
use std::fmt;

impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cure::Credentials => {
                "refused by something in front of the record system: check that the hub's client certificate is \
                 valid and known there"
            }
            Cure::Permission => {
                "the record system says that this hub may not: ask its administrator for permission to read and \
                 create Observations, Devices and Provenances, or take a lower `rung`"
            }
            Cure::OurCertificate => {
                "the hub's client certificate was refused: renew it, or have it accepted at the record system"
            }
            Cure::OurFiles => "a file that the configuration names for this destination can't be used",
            Cure::Trust => {
                "the server's certificate is signed by nobody whom the configured CA file names: check `ca`, or \
                 whether this is the right server"
            }
            Cure::ServerName => "the server's certificate is for another name: check the host in `url`",
            Cure::ServerCertificate => {
                "the server's certificate is expired or not yet valid: check the hub's clock, then tell the \
                 server's administrator"
            }
            Cure::Redirect => "the server redirects, which is never followed: set `url` to the final address",
            Cure::BaseUrl => "there is no FHIR service for Observations at this address: check `url`",
            Cure::ClientIds => {
                "the record system lets nobody choose ids: set `rung = \"conditional-create\"`, \
                 `\"search-then-create\"` or `\"plain-create\"` for this destination"
            }
            Cure::Portal => {
                "something that is no record system answered (a captive portal or a proxy): check the network \
                 and `url`"
            }
        })
    }
}

impl fmt::Display for Receipt {
    /// The other side's words, made safe to show: one line, not endless.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Receipt::Answer(answer) => answer.fmt(f),
            Receipt::Transport(transport) => transport.fmt(f),
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = |sent: &Sent| match sent {
            Sent::No => "before anything was sent",
            Sent::Maybe => "after the request may have arrived",
        };
        match self {
            Transport::Dns(said) => write!(f, "the server's name was not found: {said}"),
            Transport::Connect(said) => write!(f, "no connection: {said}"),
            Transport::Tls(fault) => fault.fmt(f),
            Transport::Cut { sent: when, said } => write!(f, "the connection ended {}: {said}", sent(when)),
            Transport::Timeout { sent: when } => write!(f, "no answer in time, {}", sent(when)),
            Transport::TooLarge => f.write_str("the answer was too long to be read"),
            Transport::Garbled(said) => write!(f, "the answer was not HTTP: {said}"),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFault::Ours(said) => f.write_str(said),
            TlsFault::OursRefused(said) => write!(f, "the server refused the hub's certificate: {said}"),
            TlsFault::NotTrusted => f.write_str(
                "the server is not trusted: its certificate is signed by nobody in the configured CA file",
            ),
            TlsFault::NameMismatch(said) => write!(f, "the server's certificate is for another name: {said}"),
            TlsFault::ServerExpired => f.write_str("the server's certificate has expired"),
            TlsFault::ServerNotYetValid => {
                f.write_str("the server's certificate is not yet valid, by the hub's clock")
            }
            TlsFault::Other(said) => write!(f, "the TLS handshake failed: {said}"),
        }
    }
}
