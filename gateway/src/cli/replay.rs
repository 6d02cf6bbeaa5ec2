//! `hearth replay`: what becomes of recorded news, or of a log that another program recorded.
//!
//! Without `--keep` the news goes into a store that is thrown away, with the log's own boots, ticks and hub time.
//! With `--keep` it goes into this hub's store: over the socket where a daemon runs, at the daemon's own time; else
//! with the log's time. docs/replay.md describes the lines.

use super::door::Door;
use super::{Ending, Fields, Shown, complain, exit};
use crate::clock::Clock;
use crate::config::Config;
use crate::control::{ANOTHER_TIME, EARLIER, Request};
use crate::scratch::Scratch;
use crate::show::count;
use crate::source::lines::{Line, Said, parse};
use crate::source::trace::{self, Lines, Options};
use clap::Args;
use hearth_core::capture::Uuid16;
use hearth_core::when::BootNo;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Says what would become of recorded news, a line each.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// News as JSON lines, or a Bluetooth log as btsnoop or pcap (docs/replay.md); - for standard input
    file: PathBuf,
    /// What a log's attribute handle is, where its discovery is not in the log, such as 0x0021=2A35; may be repeated
    #[arg(long = "handle", value_parser = handle, value_name = "HANDLE=CHARACTERISTIC")]
    handles: Vec<(u16, u16)>,
    /// Hand it to this hub, for good
    #[arg(long)]
    keep: bool,
}

/// Why a record waits that nobody can date, as the hub says it, last of what it waits for.
const HUB_TIME: &str = "the hub's time";

impl Replay {
    /// `config`: `None` where none was named and none is there.
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, Ending>,
        configured: bool,
    ) -> Result<Shown, Ending> {
        named_once(&self.handles)?;
        if self.keep {
            let config = config()?;
            let clock = Clock::new(BootNo(0), config.clock.clone());
            return self.play(&mut Door::open(&config)?, Present::by(&clock));
        }
        let profiles = if configured { config()?.profiles } else { None };
        // Dropped after the door: the folder goes last.
        let scratch = Scratch::new("replay")?;
        let mut door = Door::scratch(scratch.folder(), profiles)?;
        self.play(&mut door, Present::default())
    }

    /// A line that can't be taken is named, and the others go on: nothing that is good waits for what is bad. Trouble
    /// with the store ends it, since nothing more can be kept.
    fn play(&self, door: &mut Door, mut present: Present) -> Result<Shown, Ending> {
        let live = matches!(door, Door::Daemon(_));
        if self.file != Path::new("-") {
            self.all_may_be_taken(live, present)?;
        }
        let mut rows: Vec<Fields> = vec![];
        let (mut heard, mut taken, mut bad) = (0, 0, 0);
        let mut earlier = BTreeSet::new();
        let mut lines = self.lines()?;
        for trace::Line { place, text } in &mut lines {
            let took = match text.and_then(|line| Ok((parse(&line)?, line))) {
                Err(said) => Err(Ending::new(exit::DATAERR, said)),
                Ok((None, _)) => continue,
                Ok((Some(parsed), _)) if let Err(said) = may_be_taken(&parsed, live, &mut present) => {
                    let said = format!("{said}; {} before it taken", count(taken, "line"));
                    return Err(Ending::new(exit::DATAERR, self.place(&place, &said)));
                }
                Ok((Some(Line { said, .. }), line)) => {
                    let hears = u64::from(matches!(said, Said::Heard { .. }));
                    let took = door.expect(&said).and_then(|()| door.ask(Request::Take { line }));
                    heard += if took.is_ok() { hears } else { 0 };
                    took
                }
            };
            match took {
                Ok(answer) => {
                    taken += 1;
                    for mut row in answer.rows {
                        if row.get(EARLIER).is_some_and(|earlier| earlier == true) {
                            earlier.extend(row.get("record").and_then(serde_json::Value::as_i64));
                            continue;
                        }
                        let (name, value) = cell(&place);
                        row.shift_insert(0, name, value);
                        rows.push(row);
                    }
                }
                Err(ending) if [exit::DATAERR, exit::USAGE].contains(&ending.code) => {
                    bad += 1;
                    complain(self.place(&place, &ending.said));
                    let fate = ("fate".to_owned(), "bad line".into());
                    rows.push(
                        [cell(&place), fate, ("why".to_owned(), ending.said.into())].into_iter().collect(),
                    );
                }
                // What is known is shown all the same.
                Err(Ending { code, said }) => {
                    let said = format!(
                        "{}; {} before it taken. This one may be kept, too: replay the file again, nothing is kept \
                         twice.",
                        self.place(&place, &said),
                        count(taken, "line")
                    );
                    return Ok(Shown { code, ..Shown::rows(rows, said) });
                }
            }
        }
        // What a log held and no line tells.
        let untold = lines.summary();
        for sentence in &untold {
            complain(format_args!("{}: {sentence}", self.file.display()));
        }
        let summary = json!({
            "lines": taken,
            "values": heard,
            "bad_lines": bad,
            "earlier_records_judged_again": earlier.len(),
            "untold": untold,
            "kept": !matches!(door, Door::Scratch { .. }),
        });
        let mut said = format!("{} taken, {} heard", count(taken, "line"), count(heard, "value"));
        if bad > 0 {
            said += &format!(", {} not taken", count(bad, "bad line"));
        }
        said.push('.');
        if taken == 0 && bad == 0 {
            said = format!("{}: there is no news in it.", self.file.display());
        }
        if !earlier.is_empty() {
            let records = count(earlier.len() as u64, "earlier record");
            said += &format!(" {records} judged again: hearth status.");
        }
        if let Door::Scratch { .. } = door {
            said += " Judged on a hub that knows nothing but profiles; nothing is kept.";
        }
        if is_undated(&rows) {
            said += match door {
                Door::Daemon(_) => " Nothing is dated until the hub knows the time: see [hub] clock-trusted.",
                Door::Store { .. } => {
                    " Nothing else will date what was not dated by now, so it waits for a person (hearth held): state when \
                     the log was recorded in a hub_time line at its beginning, and replay it again."
                }
                Door::Scratch { .. } => {
                    " Without the hub's time nothing is dated: a hub_time line at the beginning of the log states it."
                }
            };
        }
        let summary = summary.as_object().cloned();
        Ok(Shown { code: if bad == 0 { 0 } else { exit::DATAERR }, summary, ..Shown::rows(rows, said) })
    }

    /// Looks at every line before the first is handed over. Of a recorded log a daemon would else take the lines that
    /// carry no time, such as a binding that was ended since; and of one that is not over yet by this hub's clock the
    /// hub would keep what its clock contradicts.
    fn all_may_be_taken(&self, live: bool, mut present: Present) -> Result<(), Ending> {
        if !live && present.now.is_none() {
            return Ok(());
        }
        for trace::Line { place, text } in self.lines()? {
            let Ok(Some(line)) = text.and_then(|line| parse(&line)) else { continue };
            if let Err(said) = may_be_taken(&line, live, &mut present) {
                let said = format!("{said}. Nothing of the file was taken");
                return Err(Ending::new(exit::DATAERR, self.place(&place, &said)));
            }
        }
        Ok(())
    }

    fn place(&self, place: &str, said: &str) -> String {
        format!("{}, {place}: {said}", self.file.display())
    }

    /// Whatever kind of file it is, as lines of news.
    fn lines(&self) -> Result<Lines, Ending> {
        let options = Options { handles: named_once(&self.handles)? };
        let source = open(&self.file)?;
        trace::lines(source, &options)
            .map_err(|said| Ending::new(exit::DATAERR, format!("{}: {said}", self.file.display())))
    }
}

/// Whether a record waits for the time, by the last word on each.
fn is_undated(rows: &[Fields]) -> bool {
    let word = |row: &Fields| Some((row.get("record")?.as_i64()?, row.get("why").cloned()));
    let last: BTreeMap<i64, _> = rows.iter().filter_map(word).collect();
    last.values().flatten().any(|why| why.as_str().is_some_and(|why| why.ends_with(HUB_TIME)))
}

/// What a log says of the time, held against what this hub knows of it.
#[derive(Clone, Copy, Default)]
struct Present {
    /// The latest that it can be now. `None`: the hub's clock is not believed, or not asked.
    now: Option<Timestamp>,
    /// The tick of the latest line, and what UTC was at which tick, as the log states it.
    at: i64,
    stated: Option<(i64, Timestamp)>,
}

impl Present {
    fn by(clock: &Clock) -> Present {
        Present { now: clock.anchor().map(|anchor| anchor.utc.latest), ..Present::default() }
    }

    /// Nothing was recorded that is yet to come.
    fn take(&mut self, line: &Line) -> Result<(), String> {
        self.at = line.at.unwrap_or(if line.said == Said::Boot { 0 } else { self.at });
        match line.said {
            Said::Boot => self.stated = None,
            Said::HubTime(utc) => self.stated = Some((self.at, utc)),
            _ => {}
        }
        let (Some(now), Some((tick, utc))) = (self.now, self.stated) else { return Ok(()) };
        let since = SignedDuration::from_millis(self.at.saturating_sub(tick));
        let was = utc.checked_add(since).unwrap_or(Timestamp::MAX);
        if was <= now {
            return Ok(());
        }
        Err(format!(
            "the log says that it was {was}, and by this hub's clock, which is believed, it is only {now}; mend the \
             hub_time of the log, or the clock of whatever recorded it"
        ))
    }
}

fn may_be_taken(line: &Line, live: bool, present: &mut Present) -> Result<(), String> {
    if live && line.is_recorded() {
        return Err(ANOTHER_TIME.to_owned());
    }
    present.take(line)
}

/// Where a row comes from: the number of a line of news, or a record of a log.
fn cell(place: &str) -> (String, serde_json::Value) {
    match place.strip_prefix("line ").and_then(|number| number.parse::<u64>().ok()) {
        Some(number) => ("line".into(), number.into()),
        None => ("place".into(), place.into()),
    }
}

/// A file, or standard input.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, Ending> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let cannot =
        |said: &dyn std::fmt::Display| Ending::new(exit::NOINPUT, format!("{}: {said}", path.display()));
    let file = std::fs::File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => {
            cannot(&"there is no such file; correct the path, or give - for standard input")
        }
        std::io::ErrorKind::PermissionDenied => {
            cannot(&format!("{e}; let this user read it, or be one who may"))
        }
        _ => cannot(&e),
    })?;
    if file.metadata().is_ok_and(|it| it.is_dir()) {
        return Err(cannot(&"a folder; name one file of it"));
    }
    Ok(Box::new(file))
}

/// Of one handle two things can't be true.
pub(super) fn named_once(handles: &[(u16, u16)]) -> Result<BTreeMap<u16, u16>, Ending> {
    let mut named = BTreeMap::new();
    for (handle, characteristic) in handles {
        if named.insert(*handle, *characteristic).is_some() {
            return Err(Ending::usage(format!(
                "--handle: 0x{handle:04X} is given twice; say once what it is"
            )));
        }
    }
    Ok(named)
}

/// `0x0021=2A35`
pub(super) fn handle(text: &str) -> Result<(u16, u16), String> {
    let cure = || "give HANDLE=CHARACTERISTIC in hexadecimal, such as 0x0021=2A35".to_owned();
    let (handle, characteristic) = text.split_once('=').ok_or_else(cure)?;
    let handle = handle.strip_prefix("0x").unwrap_or(handle);
    let handle = u16::from_str_radix(handle, 16).map_err(|_| cure())?;
    let characteristic = u16::from_str_radix(characteristic, 16).map_err(|_| cure())?;
    match crate::fields::is_known(Uuid16(characteristic)) {
        true => Ok((handle, characteristic)),
        false => Err(format!(
            "{characteristic:04X} has no codec here, so its values would be lost; docs/decode.md lists the known ones"
        )),
    }
}
