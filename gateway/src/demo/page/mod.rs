//! The record as pages for a person to look at. Pure: a method, a path and the record in, an answer out.
//!
//! Nothing is sorted, coloured or left out by value (CLINICAL 3). The pages fetch nothing, run nothing, and work
//! without JavaScript; whatever the record holds is text on them, never markup.

mod html;
mod read;
#[cfg(test)]
mod tests;

use super::play::HeldBack;
use super::record::Record;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use std::sync::Arc;

/// What is shown. Clones show the same record.
#[derive(Clone)]
pub(super) struct Page(Arc<Shown>);

pub(super) struct Shown {
    /// Names and counts, as the summary has them.
    pub(super) counts: Vec<(String, String)>,
    /// A sentence each.
    pub(super) faults: Vec<String>,
    pub(super) held_back: HeldBack,
    /// What was refused for, and what that means.
    pub(super) refused_for: Vec<(String, String)>,
    pub(super) record: Record,
}

const STYLE: &str = include_str!("style.css");

/// Only the page's own style sheet is loaded, whatever slipped into the markup.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Resources that have a page of their own.
const KINDS: [&str; 3] = ["Observation", "Device", "Patient"];

impl Page {
    pub(super) fn new(shown: Shown) -> Page {
        Page(Arc::new(shown))
    }

    /// The body goes with the answer to HEAD, too: hyper leaves it out, and says its length.
    pub(super) fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if ![Method::GET, Method::HEAD].contains(method) {
            let mut refused = page(StatusCode::METHOD_NOT_ALLOWED, html::read_only().into_string());
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        match path {
            "/" => page(StatusCode::OK, html::record(&self.0).into_string()),
            "/style.css" => respond(StatusCode::OK, "text/css; charset=utf-8", STYLE.into()),
            _ => match self.resource(path) {
                Some(found) => page(StatusCode::OK, found),
                None => page(StatusCode::NOT_FOUND, html::not_found().into_string()),
            },
        }
    }

    fn resource(&self, path: &str) -> Option<String> {
        let (kind, id) = path.strip_prefix('/')?.split_once('/')?;
        let versions = self.0.record.history(KINDS.iter().find(|known| **known == kind)?, id);
        (!versions.is_empty()).then(|| html::resource(kind, id, &versions).into_string())
    }
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    respond(status, "text/html; charset=utf-8", text.into())
}

fn respond(status: StatusCode, kind: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
