//! A damaged file, in a sentence: for `hearth status` and for whoever reads the log of the start.

use crate::show::count;
use crate::store::{Salvage, Salvaged};

/// What was carried over from a damaged file, what was not, and what a person does.
pub(crate) fn salvaged(salvage: &Salvage) -> String {
    let carried = |what: &str| salvage.tables.iter().find(|t| t.what == what).map_or(0, |t| t.carried);
    let mut said = format!(
        "{}, {} and {} are carried over",
        count(carried("record"), "record"),
        count(carried("reading"), "reading"),
        count(carried("ledger"), "ledger row"),
    );
    let missing: Vec<String> = salvage.tables.iter().filter(|t| !t.whole()).map(missing).collect();
    if missing.is_empty() {
        said += "; nothing is missing";
    } else {
        said += &format!("; not carried over: {}", missing.join("; "));
    }
    if salvage.log_cut {
        said += "; the end of its log is lost, so what it says may be old";
    }
    said + ". Whose devices they are is never carried over: bind them again (hearth bind add), permit again what may leave, \
     see to what is parked (hearth outbox list), and move the file away once nobody needs it"
}

fn missing(table: &Salvaged) -> String {
    let mut parts = vec![];
    if table.unproven > 0 {
        parts.push(format!("{} unreadable", count(table.unproven, "row")));
    }
    if table.dangling > 0 {
        parts.push(format!("{} without what it stands on", count(table.dangling, "row")));
    }
    if table.pages > 0 {
        let pages = count(table.pages, "page");
        match table.ranges.as_slice() {
            [] => parts.push(format!("{pages} unreadable")),
            ranges => parts.push(format!("{pages} unreadable (rows {})", ranges.join(", "))),
        }
    }
    format!("of {}: {}", table.what, parts.join(", "))
}
