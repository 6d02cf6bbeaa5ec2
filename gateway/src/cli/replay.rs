//! `hearth replay`: what becomes of recorded news.
//!
//! Without `--keep` the news goes into a store that is thrown away, with the log's own boots, ticks and hub time.
//! With `--keep` it goes into this hub's store: over the socket where a daemon runs, at the daemon's own time; else
//! with the log's time.

use super::door::Door;
use super::scratch::Scratch;
use super::{Ending, Fields, Shown, exit};
use crate::config::Config;
use crate::control::Request;
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

    fn play(&self, door: &mut Door) -> Result<Shown, Ending> {
        let mut rows: Vec<Fields> = vec![];
        let (mut heard, mut taken) = (0, 0);
        for (number, line) in self.lines()?.enumerate() {
            let place = |said: String| format!("{}, line {}: {said}", self.file.display(), number + 1);
            let line = line.map_err(|e| Ending::new(exit::NOINPUT, place(e.to_string())))?;
            match crate::source::lines::parse(&line) {
                Err(said) => return Err(Ending::new(exit::DATAERR, place(said))),
                Ok(None) => continue,
                Ok(Some(parsed)) => {
                    door.expect(&parsed.said)?;
                    heard += usize::from(matches!(parsed.said, crate::source::lines::Said::Heard { .. }));
                }
            }
            let answer = door.ask(Request::Take { line }).map_err(|e| Ending { said: place(e.said), ..e })?;
            taken += 1;
            for mut row in answer.rows {
                row.shift_insert(0, "line".into(), (number + 1).into());
                rows.push(row);
            }
        }
        let said = format!("{taken} lines taken, {heard} values heard.");
        Ok(Shown::rows(rows, said))
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
