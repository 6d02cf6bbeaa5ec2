//! A btsnoop or pcap log, made anew.
//!
//! Each record begins as zeros, and what the follower marks is copied or replaced. A message may lie in several
//! records, and is understood with the last: records wait for it, so many of them at most.

use super::super::follow::Follower;
use super::super::mark::{Mark, What};
use super::super::news::{self, News};
use super::super::record::{Log, Record};
use super::super::{Event, Seen, pcap};
use super::devices::Devices;
use super::mask::Mask;
use super::{Options, RedactError, Redacted, io, text, values};
use crate::source::lines;
use std::collections::VecDeque;
use std::io::{Read, Write};

/// So many records wait, of so many octets; the oldest then goes as it is, and what is learned of it later stays zeros.
const WAITING: usize = 1_024;
const OCTETS: usize = 4 * 1024 * 1024;

struct Waiting {
    record: Record,
    made: Vec<u8>,
    understood: bool,
}

pub(super) fn write(
    reader: impl Read,
    writer: &mut dyn Write,
    mask: &mut Mask,
    devices: &mut Devices,
    options: &Options,
) -> Result<Redacted, RedactError> {
    let mut log = Log::open(reader).map_err(RedactError::Log)?;
    let mut follower = Follower::new(log.layer, options.clone());
    follower.marks.wanted = true;
    let mut news = News::default();
    let mut header = log.header.clone();
    // Where the recorder was, as old writers of pcap tell it; nothing reads it.
    if let (pcap::HEADER, Some(zone)) = (header.len(), header.get_mut(8..16)) {
        zone.fill(0);
    }
    writer.write_all(&header).map_err(io)?;
    let mut redacted = Redacted { days: mask.days, ..Redacted::default() };
    let mut queue: VecDeque<Waiting> = VecDeque::new();
    let mut octets = 0;
    let mut last = None;
    loop {
        let record = match log.record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            Err(flaw) => {
                redacted.cut = Some(flaw.to_string());
                break;
            }
        };
        let place = record.place;
        let seen = follower.take(&record);
        learn(&seen, &mut news, mask, devices);
        octets += record.octets.len();
        last = Some(Record { octets: vec![], ..record.clone() });
        queue.push_back(Waiting { made: vec![0; record.octets.len()], record, understood: false });
        for mark in std::mem::take(&mut follower.marks.found) {
            apply(&mark, &mut queue, mask, devices);
        }
        if mask.crowded || devices.crowded {
            return Err(RedactError::Crowded(place));
        }
        let oldest = follower.oldest().unwrap_or(u64::MAX);
        while let Some(front) = queue.front() {
            if front.record.place.record >= oldest && queue.len() <= WAITING && octets <= OCTETS {
                break;
            }
            octets -= front.made.len();
            release(&mut queue, &log, writer, &mut redacted)?;
        }
    }
    if let Some(last) = last {
        let seen = follower.end(&last);
        learn(&seen, &mut news, mask, devices);
        for mark in std::mem::take(&mut follower.marks.found) {
            apply(&mark, &mut queue, mask, devices);
        }
    }
    while !queue.is_empty() {
        release(&mut queue, &log, writer, &mut redacted)?;
    }
    redacted.addresses = mask.addresses.len();
    redacted.texts = mask.replaced();
    Ok(redacted)
}

/// What devices say of themselves, as a replay hears it.
fn learn(seen: &[Seen], news: &mut News, mask: &Mask, devices: &mut Devices) {
    if !mask.learns {
        return;
    }
    for line in seen.iter().flat_map(|seen| news.take(seen)) {
        if let Ok(Ok(Some(line))) = line.text.map(|line| lines::parse(&line)) {
            text::learn(&line.said, devices);
        }
    }
}

fn release(
    queue: &mut VecDeque<Waiting>,
    log: &Log<impl Read>,
    writer: &mut dyn Write,
    redacted: &mut Redacted,
) -> Result<(), RedactError> {
    let Some(waiting) = queue.pop_front() else { return Ok(()) };
    if !waiting.understood {
        redacted.left_out += 1;
        return Ok(());
    }
    redacted.kept += 1;
    log.write(writer, &waiting.record, &waiting.made, redacted.days).map_err(io)
}

fn apply(mark: &Mark, queue: &mut VecDeque<Waiting>, mask: &mut Mask, devices: &mut Devices) {
    let made = match mark.what {
        What::Plain => mark.octets.clone(),
        What::Name => mask.name(&mark.octets),
        What::Value(characteristic) => {
            let who = mark.whose.map(news::name).unwrap_or_default();
            values::value(mask, devices, &who, characteristic, &mark.octets)
        }
        What::Address { random } => match <[u8; 6]>::try_from(&mark.octets[..]) {
            Ok(mut address) => {
                address.reverse();
                let mut made = mask.address(address, random);
                made.reverse();
                made.to_vec()
            }
            // Cut: a part of an address names somebody too.
            Err(_) => vec![0; mark.octets.len()],
        },
    };
    let first = queue.front().map_or(0, |w| w.record.place.record);
    let mut rest = &made[..];
    for place in &mark.places {
        let Some((here, more)) = rest.split_at_checked(place.length) else { return };
        rest = more;
        let Some(nth) = place.record.checked_sub(first) else { continue };
        let Some(waiting) = usize::try_from(nth).ok().and_then(|nth| queue.get_mut(nth)) else { continue };
        if let Some(octets) = waiting.made.get_mut(place.at..place.at + place.length) {
            octets.copy_from_slice(here);
            waiting.understood = true;
        }
    }
}

/// Reads what was made and compares what it tells with the originals, the short ones too.
pub(super) fn look_again(reader: impl Read, mask: &Mask, options: &Options) -> Result<(), RedactError> {
    let trace = super::super::Trace::open(reader, options).map_err(RedactError::Log)?;
    for seen in trace {
        let seen = seen.map_err(RedactError::Log)?;
        let leaks = match &seen.event {
            Event::Connected(contact) => {
                contact.peer.is_some_and(|peer| mask.addresses.contains(&peer.octets))
            }
            Event::Identity { address, .. } => mask.addresses.contains(&address.octets),
            Event::Advertisement(told) => {
                mask.addresses.contains(&told.address.octets)
                    || told.name.as_ref().is_some_and(|name| mask.knows(name.as_bytes()))
            }
            Event::Value(value) => {
                [0x2A00, 0x2A25].contains(&value.characteristic) && mask.knows(&value.octets)
            }
            Event::Service { .. } | Event::Disconnected { .. } => false,
        };
        if leaks {
            return Err(RedactError::Leak {
                what: "an address, a name or a serial number",
                offset: seen.place.offset,
            });
        }
    }
    Ok(())
}
