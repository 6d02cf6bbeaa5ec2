//! `hearth replay`: what becomes of recorded news.
//!
//! Without `--keep` the news goes into a store that is thrown away, with the log's own boots, ticks and hub time.
//! With `--keep` it goes into this hub's store: over the socket where a daemon runs, at the daemon's own time; else
//! with the log's time.

use super::door::Door;
use super::{Ending, Fields, Shown, exit};
use crate::config::Config;
use crate::control::Request;
use crate::scratch::Scratch;
use crate::source::lines::{Said, parse};
use clap::Args;
use std::io::BufRead;
use std::path::{Path, PathBuf};

/// Says what would become of recorded news, a line each.
#[derive(Args, Debug)]
pub(super) struct Replay {
    /// News as JSON lines; - for standard input
    file: PathBuf,
    /// Hand it to this hub, for good
    #[arg(long)]
    keep: bool,
}

impl Replay {
    pub(super) fn run(&self, config: impl FnOnce() -> Result<Config, Ending>) -> Result<Shown, Ending> {
        if self.keep {
            return self.play(&mut Door::open(&config()?)?);
        }
        // Dropped after the door: the folder goes last.
        let scratch = Scratch::new("replay")?;
        let mut door = Door::scratch(scratch.folder(), config().ok().and_then(|c| c.profiles))?;
        self.play(&mut door)
    }

    /// A line that can't be taken is named, and the others go on: nothing that is good waits for what is bad. Trouble
    /// with the store ends it, since nothing more can be kept.
    fn play(&self, door: &mut Door) -> Result<Shown, Ending> {
        let mut rows: Vec<Fields> = vec![];
        let (mut heard, mut taken, mut bad) = (0, 0, 0);
        for (number, line) in self.lines()?.enumerate() {
            let number = number + 1;
            let place = |said: String| format!("{}, line {number}: {said}", self.file.display());
            let took = match line.map_err(|e| e.to_string()).and_then(|line| Ok((parse(&line)?, line))) {
                Err(said) => Err(Ending::new(exit::DATAERR, said)),
                Ok((None, _)) => continue,
                Ok((Some(parsed), line)) => {
                    let hears = matches!(parsed.said, Said::Heard { .. });
                    heard += usize::from(hears);
                    door.expect(&parsed.said).and_then(|()| door.ask(Request::Take { line }))
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
                    eprintln!("hearth: {}", place(ending.said.clone()));
                    let cells =
                        [("line", number.into()), ("fate", "bad line".into()), ("why", ending.said.into())];
                    rows.push(cells.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
                }
                Err(ending) => {
                    let said = format!("{}; {taken} lines before it were taken", place(ending.said));
                    return Err(Ending { said, ..ending });
                }
            }
        }
        let said = match bad {
            0 => format!("{taken} lines taken, {heard} values heard."),
            bad => format!("{taken} lines taken, {heard} values heard, {bad} bad lines not taken."),
        };
        Ok(Shown { code: if bad == 0 { 0 } else { exit::DATAERR }, ..Shown::rows(rows, said) })
    }

    fn lines(&self) -> Result<Box<dyn Iterator<Item = std::io::Result<String>>>, Ending> {
        if self.file == Path::new("-") {
            return Ok(Box::new(std::io::stdin().lines()));
        }
        let file = std::fs::File::open(&self.file)
            .map_err(|e| Ending::new(exit::NOINPUT, format!("{}: {e}", self.file.display())))?;
        Ok(Box::new(std::io::BufReader::new(file).lines()))
    }
}
