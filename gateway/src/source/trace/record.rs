//! A log's records, whatever file they come from: read one at a time, written again with other octets.

use super::{Flaw, Place, btsnoop, pcap};
use std::io::{Read, Write};

/// More than any packet of Bluetooth has: an ACL packet has 65,535 octets and its header.
pub(super) const LONGEST: usize = 128 * 1024;

/// What the records of a log are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Layer {
    /// btmon: op code and adapter stand in the record's flags.
    Monitor,
    /// The same in pcap (DLT 254): adapter and op code before each packet, most significant octet first.
    MonitorInside,
    /// HCI without a packet type: the record's flags tell it.
    Bare,
    /// HCI UART packets: the first octet is the packet type. btsnoop 1002, pcap DLT 187.
    H4,
    /// The same after four octets of direction, pcap DLT 201.
    H4Directed,
    /// The air: access address, PDU, CRC, pcap DLT 251.
    Air,
    /// The same after ten octets about the radio, pcap DLT 256.
    AirRadio,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Container {
    Btsnoop,
    Pcap(pcap::Order),
}

/// One record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) place: Place,
    /// Microseconds since 1970, UTC.
    pub(super) at: i64,
    /// Of btsnoop; 0 elsewhere.
    pub(super) flags: u32,
    /// The header as read, written again with another time.
    pub(super) header: Vec<u8>,
    pub(super) octets: Vec<u8>,
    /// Octets of the packet that whoever recorded it left out.
    pub(super) left_out: u32,
}

#[derive(Debug)]
pub(super) struct Log<R> {
    reader: R,
    container: Container,
    pub(super) layer: Layer,
    /// The file's own header, as read.
    pub(super) header: Vec<u8>,
    /// Of what comes next.
    place: Place,
    over: bool,
}

impl<R: Read> Log<R> {
    /// Reads the file's header. `reader` stands at the file's first octet.
    pub(super) fn open(mut reader: R) -> Result<Log<R>, Flaw> {
        let mut place = Place { record: 0, offset: 0 };
        let mut magic = [0; 4];
        let mut got = read_some(&mut reader, &mut magic, place)?;
        let btsnoop = magic == btsnoop::MAGIC[..4];
        let mut header = magic.to_vec();
        header.resize(if btsnoop { btsnoop::HEADER } else { pcap::HEADER }, 0);
        if let Some(rest) = header.get_mut(got..) {
            got += read_some(&mut reader, rest, place)?;
        }
        if got < header.len() && magic != pcap::PCAPNG {
            return Err(Flaw::cut(place, "the log's header", header.len(), got));
        }
        let (container, layer) = if btsnoop { btsnoop::header(&header)? } else { pcap::header(&header)? };
        place = Place { record: 1, offset: header.len() as u64 };
        Ok(Log { reader, container, layer, header, place, over: false })
    }

    /// The next record. `Ok(None)`: the log ends here. After an error nothing more comes: where a length is wrong,
    /// nobody knows where the next record begins.
    pub(super) fn record(&mut self) -> Result<Option<Record>, Flaw> {
        if self.over {
            return Ok(None);
        }
        let read = self.read();
        self.over = !matches!(read, Ok(Some(_)));
        read
    }

    fn read(&mut self) -> Result<Option<Record>, Flaw> {
        let place = self.place;
        let size = match self.container {
            Container::Btsnoop => btsnoop::RECORD,
            Container::Pcap(_) => pcap::RECORD,
        };
        let mut header = vec![0; size];
        let first = read_some(&mut self.reader, &mut header, place)?;
        if first == 0 {
            return Ok(None);
        }
        if first < size {
            return Err(Flaw::cut(place, "its header", size, first));
        }
        let head = match self.container {
            Container::Btsnoop => btsnoop::record(&header),
            Container::Pcap(order) => pcap::record(&header, order),
        };
        let length = head.included as usize;
        if length > LONGEST || head.included > head.original {
            return Err(Flaw::new(
                place,
                format!(
                    "its header says that {length} of {} octets follow, which is true of no packet; what stands \
                     before it was read, and nobody can say where the next record begins: record it again",
                    head.original
                ),
            ));
        }
        let mut octets = vec![0; length];
        let got = read_some(&mut self.reader, &mut octets, place)?;
        if got < length {
            return Err(Flaw::cut(place, "its packet", length, got));
        }
        self.place = Place { record: place.record + 1, offset: place.offset + (size + length) as u64 };
        Ok(Some(Record {
            place,
            at: head.at,
            flags: head.flags,
            header,
            octets,
            left_out: head.original - head.included,
        }))
    }

    /// Writes a record read from this log: its header with the time moved by so many days, and these octets, as
    /// many as it had.
    pub(super) fn write(
        &self,
        writer: &mut dyn Write,
        record: &Record,
        octets: &[u8],
        days: i64,
    ) -> std::io::Result<()> {
        let mut header = record.header.clone();
        match self.container {
            Container::Btsnoop => btsnoop::move_time(&mut header, days),
            Container::Pcap(order) => pcap::move_time(&mut header, order, days),
        }
        writer.write_all(&header)?;
        writer.write_all(octets)
    }
}

/// What a record's header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Head {
    pub(super) at: i64,
    pub(super) flags: u32,
    pub(super) original: u32,
    pub(super) included: u32,
}

/// Reads until the buffer is full or the file ends; how many octets it was.
fn read_some(reader: &mut impl Read, buffer: &mut [u8], place: Place) -> Result<usize, Flaw> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Flaw::new(place, format!("the log can't be read: {e}"))),
        }
    }
    Ok(filled)
}
