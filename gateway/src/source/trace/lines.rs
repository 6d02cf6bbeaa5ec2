//! Any file that a replay takes, as lines of news.

use super::news::News;
use super::{Flaw, Format, Options, Summary, Trace};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};

/// A line of news is a few hundred octets; a longer one than this is none. The control socket takes twice as many.
const LONGEST_LINE: usize = 512 * 1024;

/// One line of news, and where in the file it comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// `line 7`, or `record 12 at octet 3456`.
    pub place: String,
    /// The line as [`lines::parse`] reads it, or why there is none.
    pub text: Result<String, String>,
}

/// Any file of news or any log, as lines of news.
///
/// Errors: the file can't be read, or is of a kind that is refused; with the cure.
pub fn lines<R: Read + 'static>(reader: R, options: &Options) -> Result<Lines, String> {
    let (format, reader) = super::look(reader).map_err(|e| e.to_string())?;
    let reader: Box<dyn Read> = Box::new(reader);
    Ok(Lines(match format {
        Format::Lines => {
            // News has no handles, and a user who names one must hear it.
            let summary = Summary::new(&options.handles);
            Inner::Text { reader: BufReader::new(reader), number: 0, over: false, summary }
        }
        Format::Btsnoop | Format::Pcap | Format::Pcapng => {
            let trace = Trace::open(BufReader::new(reader), options).map_err(|flaw| flaw.to_string())?;
            Inner::Log { trace: Box::new(trace), news: Box::default(), waiting: VecDeque::new() }
        }
    }))
}

/// Lines of news, one after the other.
pub struct Lines(Inner);

enum Inner {
    Text { reader: BufReader<Box<dyn Read>>, number: u64, over: bool, summary: Summary },
    Log { trace: Box<Trace<BufReader<Box<dyn Read>>>>, news: Box<News>, waiting: VecDeque<Line> },
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Inner::Text { .. } => "Lines(text)",
            Inner::Log { .. } => "Lines(log)",
        })
    }
}

impl Lines {
    /// What a log held and no line tells, a sentence each; of a file of news only that it has no handles. Whole once the last line is out.
    pub fn summary(&self) -> Vec<String> {
        match &self.0 {
            Inner::Text { summary, .. } => summary.sentences(),
            Inner::Log { trace, news, .. } => {
                let mut summary = trace.summary().clone();
                summary.clocks_after_setting = news.clocks_after_setting;
                summary.senseless = news.senseless;
                summary.steps_back = news.steps_back;
                summary.sentences()
            }
        }
    }
}

impl Iterator for Lines {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        match &mut self.0 {
            Inner::Text { over: true, .. } => None,
            Inner::Text { reader, number, over, .. } => {
                *number += 1;
                let text = match line(reader) {
                    Ok(None) => return None,
                    Ok(Some(text)) => Ok(text),
                    Err(Unread::Line(said)) => Err(said),
                    Err(Unread::File(said)) => {
                        *over = true;
                        Err(said)
                    }
                };
                Some(Line { place: format!("line {number}"), text })
            }
            Inner::Log { trace, news, waiting } => loop {
                if let Some(line) = waiting.pop_front() {
                    return Some(line);
                }
                match trace.next()? {
                    Ok(seen) => waiting.extend(news.take(&seen)),
                    Err(flaw) => {
                        let Flaw { place, said } = flaw;
                        return Some(Line { place: place.to_string(), text: Err(said) });
                    }
                }
            },
        }
    }
}

/// Why there is no line.
pub(super) enum Unread {
    /// This one is none; the next may be.
    Line(String),
    /// Nothing more can be read.
    File(String),
}

/// A line without its end.
pub(super) fn line(reader: &mut impl BufRead) -> Result<Option<String>, Unread> {
    let mut octets = vec![];
    let read = reader.take(LONGEST_LINE as u64 + 1).read_until(b'\n', &mut octets);
    if read.map_err(|e| Unread::File(e.to_string()))? == 0 {
        return Ok(None);
    }
    if octets.len() > LONGEST_LINE {
        return Err(Unread::File(format!(
            "it has more than {LONGEST_LINE} octets: this is neither news, one JSON object a line, nor a btsnoop or \
             pcap log"
        )));
    }
    let text = String::from_utf8(octets).map_err(|_| {
        let said = "not UTF-8: this is neither news, one JSON object a line, nor a btsnoop or pcap log";
        Unread::Line(said.to_owned())
    })?;
    if text.starts_with('\u{feff}') {
        let said = "begins with a byte order mark; save the file as UTF-8 without one";
        return Err(Unread::Line(said.to_owned()));
    }
    Ok(Some(text.trim_end_matches(['\n', '\r']).to_owned()))
}
