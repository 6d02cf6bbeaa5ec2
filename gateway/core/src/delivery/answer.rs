//! An HTTP answer as far as it matters, and what its body says.

use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// One HTTP answer, or one entry of a batch or transaction response.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    pub status: u16,
    /// As [`super::retry_after`] read it.
    pub retry_after: Option<Duration>,
    pub location: Option<String>,
    pub etag: Option<String>,
    pub content_type: Option<String>,
    pub www_authenticate: Option<String>,
    pub body: Body,
}

/// What an answer holds, by its octets: content types are often wrong.
#[derive(Clone, PartialEq, Debug)]
pub enum Body {
    Empty,
    /// A web page, a proxy's words, broken JSON.
    NotFhir,
    Outcome(Outcome),
    /// Any other resource, a Bundle among them.
    Resource(Value),
}

/// An OperationOutcome.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Outcome {
    pub issues: Vec<Issue>,
}

/// One issue of an OperationOutcome.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issue {
    /// `fatal` or `error`, or nobody said.
    pub grave: bool,
    /// valueset-issue-type; unknown codes survive.
    pub code: String,
    /// `details.text` and `diagnostics`.
    pub text: String,
    pub expression: Vec<String>,
}

/// What the issues of an OperationOutcome come to; of several, the greatest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    NotFhir,
    /// No body at all: as good as a word where all went well, and no FHIR where it did not.
    Silent,
    /// No complaint.
    Fine,
    Duplicate,
    /// `transient` and its children.
    Transient,
    NotFound,
    Conflicting,
    /// `processing` and what of it has no row of its own.
    Processing,
    /// `invalid` and its children, and codes that the record cannot take.
    Content,
    TooLong,
    UnknownSubject,
    MultipleMatches,
    /// `security` and its children.
    Security,
}

impl Body {
    pub fn parse(octets: &[u8]) -> Body {
        let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).trim_ascii();
        if octets.is_empty() {
            return Body::Empty;
        }
        serde_json::from_slice(octets).map_or(Body::NotFhir, Body::of)
    }

    /// Any JSON value: a resource names its type.
    pub fn of(value: Value) -> Body {
        match value.get("resourceType").and_then(Value::as_str) {
            Some("OperationOutcome") => Body::Outcome(Outcome::of(&value)),
            Some(_) => Body::Resource(value),
            None => Body::NotFhir,
        }
    }

    pub fn class(&self) -> Class {
        match self {
            Body::NotFhir => Class::NotFhir,
            Body::Empty => Class::Silent,
            Body::Resource(_) => Class::Fine,
            Body::Outcome(outcome) => outcome
                .issues
                .iter()
                .filter(|issue| issue.grave)
                .map(Issue::class)
                .max()
                .unwrap_or(Class::Fine),
        }
    }
}

impl Outcome {
    fn of(value: &Value) -> Outcome {
        let issues = value.get("issue").and_then(Value::as_array);
        Outcome { issues: issues.into_iter().flatten().map(Issue::of).collect() }
    }
}

impl Issue {
    fn of(value: &Value) -> Issue {
        let word = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
        let texts = [word("/details/text"), word("/diagnostics")];
        let places =
            ["expression", "location"].iter().filter_map(|name| value.get(name)?.as_array()).flatten();
        Issue {
            grave: !matches!(word("/severity"), Some("warning" | "information" | "success")),
            code: word("/code").unwrap_or_default().to_owned(),
            text: texts.into_iter().flatten().collect::<Vec<_>>().join("; "),
            expression: places.filter_map(Value::as_str).map(str::to_owned).collect(),
        }
    }

    fn class(&self) -> Class {
        if self.names_unknown_subject() {
            return Class::UnknownSubject;
        }
        match self.code.as_str() {
            "duplicate" => Class::Duplicate,
            "transient" | "lock-error" | "no-store" | "exception" | "timeout" | "incomplete"
            | "throttled" => Class::Transient,
            "not-found" | "deleted" => Class::NotFound,
            "conflict" => Class::Conflicting,
            "invalid" | "structure" | "required" | "value" | "invariant" | "code-invalid" | "extension"
                if self.names_a_limit() =>
            {
                Class::TooLong
            }
            "invalid" | "structure" | "required" | "value" | "invariant" | "code-invalid" | "extension" => {
                Class::Content
            }
            "too-long" | "too-costly" => Class::TooLong,
            "multiple-matches" => Class::MultipleMatches,
            "security" | "login" | "unknown" | "expired" | "forbidden" | "suppressed" => Class::Security,
            _ => Class::Processing,
        }
    }

    /// HAPI-1094, "Resource Patient/x not found, specified in path: Observation.subject", under `processing`;
    /// others say `not-found` and name the element, or `invalid`.
    fn names_unknown_subject(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        let unknown = ["not found", "not exist", "unknown", "no such", "is deleted", "not known"];
        let subject =
            self.expression.iter().any(|place| place.ends_with("subject") || place.ends_with("patient"));
        match self.code.as_str() {
            "not-found" | "deleted" => subject || text.contains("patient"),
            "processing" | "invalid" | "value" | "business-rule" | "conflict" => {
                (subject || text.contains("patient/") || text.contains("subject"))
                    && unknown.iter().any(|word| text.contains(word))
            }
            _ => false,
        }
    }

    /// Azure's "exceeded the configured limit of 500", under `invalid`.
    fn names_a_limit(&self) -> bool {
        self.text.to_ascii_lowercase().contains("configured limit")
    }
}

impl Answer {
    /// An answer of which only the status and the body are told.
    pub fn new(status: u16, body: Body) -> Answer {
        Answer {
            status,
            retry_after: None,
            location: None,
            etag: None,
            content_type: None,
            www_authenticate: None,
            body,
        }
    }

    /// Where the record put it, as `Type/id`: by its Location, else by the resource that came back.
    pub fn place(&self) -> Option<String> {
        self.location.as_deref().and_then(place).or_else(|| match &self.body {
            Body::Resource(resource) => {
                let word = |name| resource.get(name).and_then(Value::as_str);
                Some(format!("{}/{}", word("resourceType")?, word("id")?))
            }
            _ => None,
        })
    }

    /// The resource that came back.
    pub fn resource(&self) -> Option<&Value> {
        match &self.body {
            Body::Resource(resource) => Some(resource),
            _ => None,
        }
    }
}

/// `Type/id` of a literal reference or Location, absolute or relative, with or without `_history`
/// (R4 references 2.3.0.1).
pub(super) fn place(location: &str) -> Option<String> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("/_history").map_or(path, |(before, _)| before);
    let mut parts = path.trim_end_matches('/').rsplit('/');
    let (id, kind) = (parts.next()?, parts.next()?);
    let named =
        kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.chars().all(|c| c.is_ascii_alphabetic());
    let id_fits =
        !id.is_empty() && id.len() <= 64 && id.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c));
    (named && id_fits).then(|| format!("{kind}/{id}"))
}

/// How much of the other side's words is kept.
const WORDS: usize = 600;

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        let words = match &self.body {
            Body::Empty => "without a body".to_owned(),
            Body::NotFhir => {
                format!(
                    "with a body that is not FHIR ({})",
                    self.content_type.as_deref().unwrap_or("no content type")
                )
            }
            Body::Resource(_) => String::new(),
            Body::Outcome(outcome) => outcome.to_string(),
        };
        let words =
            words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WORDS).collect::<String>();
        if words.is_empty() { Ok(()) } else { write!(f, ", {words}") }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.issues.is_empty() {
            return f.write_str("without a reason");
        }
        for (n, issue) in self.issues.iter().enumerate() {
            let gap = if n == 0 { "" } else { " | " };
            write!(f, "{gap}{}", if issue.code.is_empty() { "no code" } else { &issue.code })?;
            if let Some(place) = issue.expression.first() {
                write!(f, " at {place}")?;
            }
            if !issue.text.is_empty() {
                write!(f, ": {}", issue.text)?;
            }
        }
        Ok(())
    }
}
