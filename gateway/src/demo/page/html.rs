//! The markup. What stands in parentheses is escaped by maud.

use super::read::{self, Row, Subject};
use super::{KINDS, Shown};
use crate::demo::play::Kept;
use crate::demo::record::Version;
use maud::{DOCTYPE, Markup, html};

/// The whole record on one page.
pub(super) fn record(shown: &Shown) -> Markup {
    let subjects = read::subjects(&shown.record);
    let (people, devices): (Vec<&Subject>, Vec<&Subject>) =
        subjects.iter().partition(|subject| subject.reference.starts_with("Patient/"));
    frame(
        "The record of a made-up household",
        &html! {
            p {
                "A demonstration of Hearth: a hub heard the devices of one household, and wrote what they said into "
                "this record. " strong { "The people are made up." }
            }
            p { strong { "Not watched live; in an emergency call your emergency number." } }
            p { "Rows stand in the order in which they were taken. Nothing is sorted or coloured by value." }
            nav aria-label="On this page" {
                ul {
                    @for (at, subject) in people.iter().enumerate() {
                        li { a href=(format!("#person-{at}")) { "Patient " (subject.name) } }
                    }
                    li { a href="#devices" { "The devices' clocks" } }
                    li { a href="#held" { "Held by the hub" } }
                    li { a href="#refused" { "Refused by the hub" } }
                    li { a href="#check" { "The check" } }
                }
            }
            @for (at, subject) in people.iter().enumerate() {
                section aria-labelledby=(format!("person-{at}")) {
                    h2 id=(format!("person-{at}")) { "Patient " (subject.name) }
                    p { "In the record as " (link(&subject.reference, &subject.reference)) "." }
                    (observations(subject))
                }
            }
            section aria-labelledby="devices" {
                h2 id="devices" { "The devices' clocks" }
                p { "What a device's clock showed when the hub asked: once for each measurement that was dated by it." }
                @for subject in devices {
                    h3 { (subject.name) }
                    (observations(subject))
                }
            }
            (held_back(shown))
            (checked(shown))
        },
    )
}

/// Roles are said once more: a table that is laid out as blocks on a narrow screen stays one for a screen reader.
fn observations(subject: &Subject) -> Markup {
    html! {
        table .observations role="table" {
            caption { "Observations of " (subject.name) }
            (head(&["What", "Value", "Taken", "Device", "Notes", "Status", "Versions"]))
            tbody role="rowgroup" {
                @for row in &subject.rows { (observation(row)) }
            }
        }
    }
}

fn observation(row: &Row) -> Markup {
    html! {
        tr role="row" {
            th role="rowheader" scope="row" {
                (row.what)
                @if let Some(of) = &row.belongs_to { span .belongs { "belongs to: " (of) } }
            }
            td role="cell" data-label="Value" {
                @match row.gone {
                    Some(why) => { p { (why) } del { (values(row)) } }
                    None => { (values(row)) }
                }
            }
            td .taken role="cell" data-label="Taken" { (row.taken) }
            td role="cell" data-label="Device" {
                @if let Some((reference, name)) = &row.device { (link(reference, name)) }
            }
            td role="cell" data-label="Notes" { (several(&row.notes)) }
            td role="cell" data-label="Status" { (row.status) }
            td role="cell" data-label="Versions" {
                a .json href=(format!("/Observation/{}", row.id)) {
                    (row.versions) " (JSON)"
                    span .heard { " of " (row.what) ", taken " (row.taken) }
                }
            }
        }
    }
}

fn values(row: &Row) -> Markup {
    html! {
        @match row.values.as_slice() {
            [] => { "no value" }
            [(name, value)] if name.is_empty() => { span .value { (value) } }
            values => {
                ul {
                    @for (name, value) in values {
                        li { @if !name.is_empty() { (name) ": " } span .value { (value) } }
                    }
                }
            }
        }
    }
}

fn several(texts: &[String]) -> Markup {
    html! {
        @match texts {
            [] => { "none" }
            [one] => { (one) }
            many => { ul { @for one in many { li { (one) } } } }
        }
    }
}

fn held_back(shown: &Shown) -> Markup {
    html! {
        section aria-labelledby="held" {
            h2 id="held" { "Held by the hub" }
            p { "Kept on the hub, and not in the record: each waits for a person, who decides what it is." }
            p { "This hub is made up, too, and gone: the commands are those for a hub that stays." }
            (kept("Held records", &shown.held_back.held, true))
        }
        section aria-labelledby="refused" {
            h2 id="refused" { "Refused by the hub" }
            p { "Kept on the hub, and nobody's reading." }
            (kept("Refused records", &shown.held_back.refused, false))
            ul {
                @for (why, helps) in &shown.refused_for { li { (why) ": " (helps) } }
            }
        }
    }
}

/// `helps`: whether there is something to be done about each.
fn kept(caption: &str, all: &[Kept], helps: bool) -> Markup {
    let columns = ["Device", "What came", "Why", "What helps"];
    html! {
        @if all.is_empty() { p { "None." } }
        @else {
            table .kept role="table" {
                caption { (caption) }
                (head(if helps { &columns } else { &columns[..3] }))
                tbody role="rowgroup" {
                    @for one in all {
                        tr role="row" {
                            th role="rowheader" scope="row" { (one.device) }
                            td role="cell" data-label="What came" { (one.note) }
                            td role="cell" data-label="Why" { (one.why) }
                            @if helps { td role="cell" data-label="What helps" { (one.helps) } }
                        }
                    }
                }
            }
        }
    }
}

fn checked(shown: &Shown) -> Markup {
    html! {
        section aria-labelledby="check" {
            h2 id="check" { "The check" }
            @if shown.faults.is_empty() {
                p { "Checked by reading the record back: every measurement is accounted for, once." }
            } @else {
                p { "The check found faults:" }
                ul { @for fault in &shown.faults { li { (fault) } } }
            }
            dl {
                @for (name, count) in &shown.counts {
                    div { dt { (name) } dd { (count) } }
                }
            }
        }
    }
}

/// Every version of one resource, the newest first.
pub(super) fn resource(kind: &str, id: &str, versions: &[Version]) -> Markup {
    frame(
        &format!("{kind} as JSON"),
        &html! {
            p { "Of a demonstration with made-up people. " a href="/" { "Back to the record" } "." }
            p .id { (kind) "/" (id) }
            @for version in versions.iter().rev() {
                h2 { "Version " (version.number) }
                @match &version.resource {
                    // Pretty printing keeps a number's digits.
                    Some(resource) => { pre { (format!("{resource:#}")) } }
                    None => { p { "Deleted." } }
                }
            }
        },
    )
}

pub(super) fn not_found() -> Markup {
    frame(
        "Nothing is here",
        &html! { p { "The record has nothing by that address. " a href="/" { "To the record" } "." } },
    )
}

pub(super) fn read_only() -> Markup {
    frame(
        "Only for looking",
        &html! { p { "These pages change nothing: they answer GET and HEAD. " a href="/" { "To the record" } "." } },
    )
}

/// To a page of these; what a record refers to elsewhere is text.
fn link(reference: &str, name: &str) -> Markup {
    let here = reference.split_once('/').is_some_and(|(kind, _)| KINDS.contains(&kind));
    html! { @if here { a href=(format!("/{reference}")) { (name) } } @else { (name) } }
}

fn head(columns: &[&str]) -> Markup {
    html! {
        thead role="rowgroup" {
            tr role="row" {
                @for column in columns { th role="columnheader" scope="col" { (column) } }
            }
        }
    }
}

fn frame(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " – Hearth demonstration" }
                link rel="stylesheet" href="/style.css";
            }
            body { main { h1 { (title) } (body) } }
        }
    }
}
