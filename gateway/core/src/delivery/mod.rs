//! What a record system's answer means: receipt in, verdict out.
//!
//! [`judge`] is the whole table of what is delivered, tried again, held, split or parked. It knows no store and
//! no clock; what several answers mean together (one bad reading in a bundle, a refusal while others pass) is
//! the ladder's business.
//!
//! Sources: FHIR R4 http.html (3.1.0), valueset-issue-type; RFC 9110 (10.2.3 Retry-After, 15 status codes).

mod answer;
mod entries;
mod pace;
mod said;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Body, Class, Issue, Outcome};
pub use entries::{Line, entries};
pub use pace::{Bisection, backoff, retry_after};

use std::time::Duration;

/// What came back of one request.
#[derive(Clone, PartialEq, Debug)]
pub enum Receipt {
    Answer(Answer),
    Transport(Transport),
}

/// Why no answer came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Transport {
    /// The name has no address, as far as the resolver knows.
    Dns(String),
    /// Nobody took the connection.
    Connect(String),
    Tls(TlsFault),
    /// The connection ended before the answer did.
    Cut {
        sent: Sent,
        said: String,
    },
    Timeout {
        sent: Sent,
    },
    /// The answer is longer than anybody should send.
    TooLarge,
    /// What came back is not HTTP.
    Garbled(String),
}

/// Whether octets of the request may have reached the other side before it failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sent {
    No,
    Maybe,
}

/// Whose certificate a TLS handshake failed on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsFault {
    /// One of our own files; the sentence names it and the cure.
    Ours(String),
    /// The other side refused ours, or missed it. With TLS 1.3 this shows only after the handshake.
    OursRefused(String),
    NotTrusted,
    NameMismatch(String),
    ServerExpired,
    ServerNotYetValid,
    Other(String),
}

/// What was asked for: the same answer means other things to other requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// `PUT` of a resource with our own id, absent when last asked for.
    Put,
    /// `PUT` with `If-Match`.
    Amend,
    /// `POST`; `conditional`: with `If-None-Exist` or `ifNoneExist`.
    Create { conditional: bool },
    /// `GET`; see [`found`].
    Read,
    /// A batch or transaction as a whole. Where it was answered with a Bundle, judge its [`entries`].
    Bundle,
}

/// What to do about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Accept(Accepted),
    /// `after`: what the other side asked for; never sooner. `counts`: towards parking, while other readings
    /// to that destination succeed.
    Retry {
        after: Option<Duration>,
        counts: bool,
        scope: Scope,
    },
    /// Everything for this destination waits: a person must act.
    Hold(Cure),
    /// The record does not know this person: hold that person's readings, and re-target nothing by itself.
    Identity,
    /// Somebody was first, or at the same time: read again, then try again.
    Conflict,
    /// The bundle was refused as a whole: ask for less, down to one reading.
    Split,
    /// Final for this reading. It waits for a person and is never thrown away.
    Park(PointsAt),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Accepted {
    Written,
    /// It was there before; compare it with what was meant (CLINICAL 26, 27).
    AlreadyThere,
    /// The record says that it has such a reading already.
    Duplicate,
    /// Taken without a word of where it is; read back where that is allowed.
    Unverified,
    /// It is there more than once: delivered, and raised.
    DuplicatesAtRecord,
    /// Somebody at the record deleted it: delivered, raised, not brought back.
    DeletedAtRecord,
}

impl Accepted {
    /// What a person at the record system should be told.
    pub fn raised(self) -> Option<&'static str> {
        match self {
            Accepted::DuplicatesAtRecord => Some("the record system holds this reading more than once"),
            Accepted::DeletedAtRecord => {
                Some("somebody deleted this reading at the record system; it stays deleted")
            }
            _ => None,
        }
    }
}

/// What a failure is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// These readings: others may pass.
    Reading,
    /// The way there: nothing else would pass now either.
    Destination,
}

/// Who must act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PointsAt {
    Device,
    SetUp,
    Network,
    Record,
    Us,
}

/// Why a whole destination is held, with what ends it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cure {
    /// Refused without a word of FHIR: something in front of the record does not know us.
    Credentials,
    /// The record itself says that we may not.
    Permission,
    OurCertificate,
    /// A file that this destination's configuration names can't be used; what was said names it.
    OurFiles,
    Trust,
    ServerName,
    ServerCertificate,
    /// A redirect is never followed on a write.
    Redirect,
    /// No FHIR service, or no such resource, at this address.
    BaseUrl,
    /// The record lets nobody choose ids: rung 1 is not for it.
    ClientIds,
    /// Something that is no record system took the request with a smile.
    Portal,
}

/// The table. Every row says why. The first that fits is the answer.
pub fn judge(asked: Asked, receipt: &Receipt) -> Verdict {
    let answer = match receipt {
        Receipt::Answer(answer) => answer,
        Receipt::Transport(transport) => return unanswered(asked, transport),
    };
    let class = answer.body.class();
    // A success that names an error, and no place, is none.
    let status = match answer.status {
        200..=299 if class > Class::Fine && answer.place().is_none() => 422,
        status => status,
    };
    let retry = |counts, scope| Verdict::Retry { after: answer.retry_after, counts, scope };
    use Accepted::{AlreadyThere, DeletedAtRecord, DuplicatesAtRecord, Unverified, Written};
    use Asked::{Amend, Bundle, Create, Put, Read};
    use Class::{
        Conflicting, Content, Duplicate, MultipleMatches, NotFhir, NotFound, Security, Silent, TooLong,
        Transient, UnknownSubject,
    };
    use Scope::{Destination, Reading};
    use Verdict::{Accept, Conflict, Hold, Identity, Park, Split};
    match (status, class, asked) {
        // Taken, yet not answered with what was asked for: a Bundle, a resource.
        (200..=299, NotFhir, Bundle | Read) => Hold(Cure::Portal),
        (200..=299, _, Bundle | Read) => retry(true, Reading),

        // US Core: a server may answer 202, review, and discard.
        (202, _, _) => Accept(Unverified),
        (200..=299, NotFhir, _) if answer.location.is_none() => Hold(Cure::Portal),
        (200..=299, _, Put | Amend) => Accept(Written),
        // Nobody can look for what has no place.
        (200..=299, _, Create { .. }) if answer.place().is_none() => Accept(Unverified),
        (200, _, Create { conditional: true }) => Accept(AlreadyThere),
        (200..=299, _, Create { .. }) => Accept(Written),

        // RFC 9110 15.4: a client may turn a redirected POST into a GET.
        (300..=399, _, _) => Hold(Cure::Redirect),

        // The way there is busy or broken. Some limit rates by 403.
        (408 | 429 | 502..=504, _, _) => retry(false, Destination),
        (403, Transient, _) => retry(false, Destination),

        // nginx answers a missing or revoked client certificate with 400 and text/html: good readings must
        // not be given up for a lapsed certificate.
        (400 | 401 | 403 | 407 | 495..=499, NotFhir | Silent, _) => Hold(Cure::Credentials),
        (404 | 405, NotFhir | Silent, _) => Hold(Cure::BaseUrl),
        (401, _, _) => Hold(Cure::Credentials),
        (403, _, _) | (400..=499, Security, _) => Hold(Cure::Permission),

        // One reading in it may be at fault, and nobody says which. HAPI's 409 is about a race.
        (409, _, Bundle) => Conflict,
        (400..=499, Transient, Bundle) => retry(true, Reading),
        (400..=499 | 501, _, Bundle) => Split,

        // One reading alone, and still too large.
        (413, _, _) | (400..=499, TooLong, _) => Park(PointsAt::Us),

        // It is there already; and a condition that several meet, by whatever words.
        (400..=499, Duplicate, _) => Accept(Accepted::Duplicate),
        (400..=499, MultipleMatches, _) | (412, _, Create { conditional: true }) => {
            Accept(DuplicatesAtRecord)
        }
        (410, _, Put | Amend) if class > Silent => Accept(DeletedAtRecord),

        // Also the words for an `If-Match` with an old version: 412, and HAPI's 409.
        (409 | 412, _, _) | (400..=499, Conflicting, _) => Conflict,

        // HAPI says 400 `processing` of an unknown subject; others 404 or 422 `not-found`.
        (400..=499, UnknownSubject, _) => Identity,

        // R4 http 3.1.0.8: "resource type not supported, or not a FHIR end-point"; 3.1.0.4 for 405.
        (404, _, _) => Hold(Cure::BaseUrl),
        (405, _, Put) => Hold(Cure::ClientIds),
        (405 | 501, _, _) if class > Silent => Hold(Cure::BaseUrl),

        // Children of `transient` may be sent again. In a refusal they count, lest that be said for ever.
        (400..=499, Transient, _) => retry(true, Reading),
        (500..=599, Transient, _) => retry(false, Reading),

        // Something that this one refers to is not there yet; or a refusal without a reason.
        (400..=499, NotFound | NotFhir | Silent, _) => retry(true, Reading),

        // `invalid` and `processing` are final: a person looks, and it is sent again once that is mended.
        (400..=499, Content, _) => Park(PointsAt::Us),
        (400..=499, _, _) => Park(PointsAt::Record),

        // Some answer 500 to bad content, and a gateway in front answers 500 while its helper is down.
        // Whatever else there may be: not final, not for ever.
        _ => retry(true, Reading),
    }
}

/// No answer: tried again for as long as it takes, and a person told where only a person can help.
fn unanswered(asked: Asked, transport: &Transport) -> Verdict {
    let retry = |counts, scope| Verdict::Retry { after: None, counts, scope };
    match transport {
        Transport::Tls(TlsFault::Ours(_)) => Verdict::Hold(Cure::OurFiles),
        Transport::Tls(TlsFault::OursRefused(_)) => Verdict::Hold(Cure::OurCertificate),
        Transport::Tls(TlsFault::NotTrusted) => Verdict::Hold(Cure::Trust),
        Transport::Tls(TlsFault::NameMismatch(_)) => Verdict::Hold(Cure::ServerName),
        Transport::Tls(TlsFault::ServerExpired | TlsFault::ServerNotYetValid) => {
            Verdict::Hold(Cure::ServerCertificate)
        }
        Transport::TooLarge if asked == Asked::Bundle => Verdict::Split,
        Transport::TooLarge | Transport::Garbled(_) => retry(true, Scope::Reading),
        Transport::Dns(_)
        | Transport::Connect(_)
        | Transport::Tls(TlsFault::Other(_))
        | Transport::Cut { .. }
        | Transport::Timeout { .. } => retry(false, Scope::Destination),
    }
}

/// What reading one resource showed.
#[derive(Clone, PartialEq, Debug)]
pub enum Found {
    Present(serde_json::Value),
    Absent,
    /// Somebody deleted it.
    Gone,
    /// The question was not answered.
    Refused(Verdict),
}

/// What the answer to `GET {type}/{id}` means. 404 and 410 count only where FHIR says them: a proxy's page
/// must not look like an empty record.
pub fn found(receipt: &Receipt) -> Found {
    match receipt {
        Receipt::Answer(answer) => match (answer.status, &answer.body) {
            (200, Body::Resource(resource)) => Found::Present(resource.clone()),
            (404, Body::Outcome(_)) => Found::Absent,
            (410, Body::Outcome(_)) => Found::Gone,
            _ => Found::Refused(judge(Asked::Read, receipt)),
        },
        Receipt::Transport(_) => Found::Refused(judge(Asked::Read, receipt)),
    }
}

impl Receipt {
    /// Whether the other side may have acted on the request, where nothing better is known of it: also if it
    /// said so in words that nobody understands.
    pub fn in_doubt(&self) -> bool {
        match self {
            Receipt::Answer(answer) => matches!(answer.status, 200..=299 | 408 | 500..),
            Receipt::Transport(Transport::Cut { sent, .. } | Transport::Timeout { sent }) => {
                *sent == Sent::Maybe
            }
            Receipt::Transport(Transport::TooLarge | Transport::Garbled(_)) => true,
            Receipt::Transport(Transport::Dns(_) | Transport::Connect(_) | Transport::Tls(_)) => false,
        }
    }
}
