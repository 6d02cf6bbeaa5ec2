//! `hearth replay`: what becomes of recorded news.
//!
//! Without `--keep` the news goes into a store that is thrown away, with the log's own boots, ticks and hub time.
//! With `--keep` it goes into this hub's store: over the socket where a daemon runs, at the daemon's own time; else
//! with the log's time. docs/replay.md describes the lines.

use super::door::Door;
use super::{Ending, Fields, Shown, complain, exit};
use crate::config::Config;
use crate::control::{ANOTHER_TIME, Request};
use crate::scratch::Scratch;
use crate::show::count;
use crate::source::lines::{Line, Said, parse};
use clap::Args;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Says what would become of recorded news, a line each.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// News as JSON lines (docs/replay.md); - for standard input
    file: PathBuf,
    /// Hand it to this hub, for good
    #[arg(long)]
    keep: bool,
}

/// Why a record waits that nobody can date, as the hub says it.
const HUB_TIME: &str = "the hub's time";

/// The longest line, in octets: what the control socket takes, with room for the request around it.
const LONGEST: u64 = 1 << 19;

/// A line of the file with its number, from 1; or why it is none.
type Numbered = (u64, Result<String, String>);

impl Replay {
    /// `config`: `None` where none was named and none is there.
    pub(super) fn run(
        &self,
        config: impl FnOnce() -> Result<Config, Ending>,
        configured: bool,
    ) -> Result<Shown, Ending> {
        if self.keep {
            return self.play(&mut Door::open(&config()?)?);
        }
        let profiles = if configured { config()?.profiles } else { None };
        // Dropped after the door: the folder goes last.
        let scratch = Scratch::new("replay")?;
        let mut door = Door::scratch(scratch.folder(), profiles)?;
        self.play(&mut door)
    }

    /// A line that can't be taken is named, and the others go on: nothing that is good waits for what is bad. Trouble
    /// with the store ends it, since nothing more can be kept.
    fn play(&self, door: &mut Door) -> Result<Shown, Ending> {
        let live = matches!(door, Door::Daemon(_));
        if live && self.file != Path::new("-") {
            self.all_of_now()?;
        }
        let mut rows: Vec<Fields> = vec![];
        let (mut heard, mut taken, mut bad) = (0, 0, 0);
        for line in self.lines()? {
            let (number, line) = line?;
            let took = match line.and_then(|line| Ok((parse(&line)?, line))) {
                Err(said) => Err(Ending::new(exit::DATAERR, said)),
                Ok((None, _)) => continue,
                Ok((Some(parsed), _)) if live && parsed.is_recorded() => {
                    let said = format!("{}; {} before it taken", ANOTHER_TIME, count(taken, "line"));
                    return Err(Ending::new(exit::DATAERR, self.place(number, &said)));
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
                        row.shift_insert(0, "line".into(), number.into());
                        rows.push(row);
                    }
                }
                Err(ending) if [exit::DATAERR, exit::USAGE].contains(&ending.code) => {
                    bad += 1;
                    complain(self.place(number, &ending.said));
                    let cells =
                        [("line", number.into()), ("fate", "bad line".into()), ("why", ending.said.into())];
                    rows.push(cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
                }
                // What is known is shown all the same.
                Err(Ending { code, said }) => {
                    let said = format!(
                        "{}; {} before it taken. This one may be kept, too: replay the file again, nothing is kept \
                         twice.",
                        self.place(number, &said),
                        count(taken, "line")
                    );
                    return Ok(Shown { code, ..Shown::rows(rows, said) });
                }
            }
        }
        let mut said = format!("{} taken, {} heard", count(taken, "line"), count(heard, "value"));
        if bad > 0 {
            said += &format!(", {} not taken", count(bad, "bad line"));
        }
        said.push('.');
        if let Door::Scratch { .. } = door {
            said += " Judged on a hub that knows nothing but profiles; nothing is kept.";
        }
        if rows.iter().any(|row| row.get("why").is_some_and(|why| why == HUB_TIME)) {
            said +=
                " Without the hub's time nothing is dated: a hub_time line, or a running daemon, tells it.";
        }
        Ok(Shown { code: if bad == 0 { 0 } else { exit::DATAERR }, ..Shown::rows(rows, said) })
    }

    /// Looks at every line before the first is handed to a daemon: of a recorded log it would else take those that
    /// carry no time, such as a binding that was ended since.
    fn all_of_now(&self) -> Result<(), Ending> {
        for line in self.lines()? {
            let (number, line) = line?;
            let recorded =
                line.and_then(|line| parse(&line)).is_ok_and(|line| line.is_some_and(|l| l.is_recorded()));
            if recorded {
                let said = format!("{ANOTHER_TIME}. Nothing of the file was taken");
                return Err(Ending::new(exit::DATAERR, self.place(number, &said)));
            }
        }
        Ok(())
    }

    fn place(&self, line: u64, said: &str) -> String {
        format!("{}, line {line}: {said}", self.file.display())
    }

    /// A line that is no text is an error of its own; a file that can't be read any further ends it.
    fn lines(&self) -> Result<impl Iterator<Item = Result<Numbered, Ending>>, Ending> {
        let name = self.file.display().to_string();
        let cannot = move |e: std::io::Error| {
            let code = if e.kind() == std::io::ErrorKind::NotFound { exit::NOINPUT } else { exit::IOERR };
            Ending::new(code, format!("{name}: {e}"))
        };
        let mut source: Box<dyn BufRead> = if self.file == Path::new("-") {
            Box::new(std::io::stdin().lock())
        } else {
            let file = std::fs::File::open(&self.file).map_err(&cannot)?;
            if file.metadata().is_ok_and(|it| it.is_dir()) {
                let said = format!("{}: a folder; name one file of news", self.file.display());
                return Err(Ending::new(exit::NOINPUT, said));
            }
            Box::new(BufReader::new(file))
        };
        let mut numbers = 1_u64..;
        let mut over = false;
        Ok(std::iter::from_fn(move || {
            if over {
                return None;
            }
            let mut octets = vec![];
            match source.by_ref().take(LONGEST).read_until(b'\n', &mut octets) {
                Ok(0) => return None,
                Ok(_) if octets.len() as u64 == LONGEST && octets.last() != Some(&b'\n') => {
                    over = true;
                    let said = format!("a line has at most {LONGEST} octets; is it a file of news?");
                    return Some(Ok((numbers.next()?, Err(said))));
                }
                Ok(_) => {}
                Err(e) => {
                    over = true;
                    return Some(Err(cannot(e)));
                }
            }
            let text = match String::from_utf8(octets) {
                Ok(text) if text.starts_with('\u{feff}') => {
                    Err("begins with a byte order mark; save the file as UTF-8 without one".to_owned())
                }
                Ok(text) => Ok(text),
                Err(_) => Err("not UTF-8; news is text".to_owned()),
            };
            Some(Ok((numbers.next()?, text)))
        }))
    }
}
