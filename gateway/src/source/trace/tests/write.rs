//! Writes logs by the layouts of the standards. Shares nothing with the reader.

/// A log that is being written.
#[derive(Clone)]
pub(in crate::source::trace) struct Kept {
    pub(in crate::source::trace) file: Vec<u8>,
    kind: Kind,
    /// Microseconds since 1970 of the next record.
    pub(in crate::source::trace) at: u64,
}

#[derive(Clone, Copy)]
enum Kind {
    Btsnoop(u32),
    Pcap { little: bool, nanoseconds: bool, link: u32 },
}

/// 2024-06-15T21:17:40Z
pub(in crate::source::trace) const START: u64 = 1_718_486_260_000_000;

/// The cuff's address, as it is written. Made up.
pub(in crate::source::trace) const CUFF: [u8; 6] = [0x00, 0x09, 0x1F, 0x80, 0x12, 0x34];

pub(in crate::source::trace) fn x(hex: &str) -> Vec<u8> {
    let plain: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
    data_encoding::HEXUPPER_PERMISSIVE.decode(plain.as_bytes()).unwrap()
}

/// As it goes over the air: the last octet first.
pub(in crate::source::trace) fn sent(address: [u8; 6]) -> Vec<u8> {
    address.iter().rev().copied().collect()
}

impl Kept {
    /// `btsnoop\0`, version 1, datalink: 16 octets.
    pub(in crate::source::trace) fn btsnoop(datalink: u32) -> Kept {
        let mut file = b"btsnoop\0\0\0\0\x01".to_vec();
        file.extend(datalink.to_be_bytes());
        Kept { file, kind: Kind::Btsnoop(datalink), at: START }
    }

    /// Magic, 2.4, zone 0, accuracy 0, longest 65535, link type: 24 octets.
    pub(in crate::source::trace) fn pcap(little: bool, nanoseconds: bool, link: u32) -> Kept {
        let mut kept = Kept { file: vec![], kind: Kind::Pcap { little, nanoseconds, link }, at: START };
        kept.word(if nanoseconds { 0xA1B2_3C4D } else { 0xA1B2_C3D4 });
        kept.file.extend(if little { [2, 0, 4, 0] } else { [0, 2, 0, 4] });
        for word in [0, 0, 65_535, link] {
            kept.word(word);
        }
        kept
    }

    fn word(&mut self, word: u32) {
        match self.kind {
            Kind::Pcap { little: true, .. } => self.file.extend(word.to_le_bytes()),
            _ => self.file.extend(word.to_be_bytes()),
        }
    }

    /// A record of these octets; flags are btsnoop's. The next is a tenth of a second later.
    pub(in crate::source::trace) fn record(&mut self, flags: u32, octets: &[u8]) {
        let length = octets.len() as u32;
        match self.kind {
            Kind::Btsnoop(_) => {
                for word in [length, length, flags, 0] {
                    self.word(word);
                }
                // The format gives 2000-01-01 this number; it is 10,957 days after 1970.
                let micros = 0x00E0_3AB4_4A67_6000 + self.at - 10_957 * 86_400 * 1_000_000;
                self.file.extend(micros.to_be_bytes());
            }
            Kind::Pcap { nanoseconds, .. } => {
                let fraction = (self.at % 1_000_000) as u32;
                self.word((self.at / 1_000_000) as u32);
                self.word(if nanoseconds { fraction * 1_000 } else { fraction });
                self.word(length);
                self.word(length);
            }
        }
        self.file.extend(octets);
        self.at += 100_000;
    }

    /// An HCI packet as this kind of log has it. Type 1 command, 2 ACL, 4 event.
    pub(in crate::source::trace) fn hci(&mut self, kind: u8, received: bool, packet: &[u8]) {
        let typed = [&[kind][..], packet].concat();
        let flags = u32::from(received) | if kind == 2 { 0 } else { 2 };
        match self.kind {
            // Op codes of the monitor: 2 command, 3 event, 4 ACL sent, 5 ACL received; adapter 0.
            Kind::Btsnoop(2001) => {
                let opcode = match (kind, received) {
                    (1, _) => 2,
                    (4, _) => 3,
                    (_, false) => 4,
                    (_, true) => 5,
                };
                self.record(opcode, packet);
            }
            Kind::Btsnoop(1001) => self.record(flags, packet),
            Kind::Pcap { link: 201, .. } => {
                let direction = u32::from(received).to_be_bytes();
                self.record(0, &[&direction[..], &typed].concat());
            }
            Kind::Btsnoop(_) | Kind::Pcap { .. } => self.record(flags, &typed),
        }
    }

    /// LE Connection Complete: event 3E, 19 octets, subevent 01, status, handle, role central, address kind,
    /// address, interval, latency, time-out, accuracy.
    pub(in crate::source::trace) fn connected(&mut self, handle: u16, kind: u8, address: [u8; 6]) {
        let mut event = x("3E 13 01 00");
        event.extend(handle.to_le_bytes());
        event.extend([0, kind]);
        event.extend(sent(address));
        event.extend(x("1800 0000 4800 00"));
        self.hci(4, true, &event);
    }

    /// Disconnection Complete: event 05, 4 octets, status, handle, reason.
    pub(in crate::source::trace) fn disconnected(&mut self, handle: u16, reason: u8) {
        let mut event = x("05 04 00");
        event.extend(handle.to_le_bytes());
        event.push(reason);
        self.hci(4, true, &event);
    }

    /// An attribute PDU in one ACL packet. Host to controller begins with boundary 0, the other way with 2.
    pub(in crate::source::trace) fn att(&mut self, handle: u16, received: bool, hex: &str) {
        self.l2cap(handle, received, 4, &x(hex), usize::MAX);
    }

    /// An L2CAP PDU in ACL packets of at most so many octets.
    pub(in crate::source::trace) fn l2cap(
        &mut self,
        handle: u16,
        received: bool,
        channel: u16,
        payload: &[u8],
        most: usize,
    ) {
        let mut pdu = (payload.len() as u16).to_le_bytes().to_vec();
        pdu.extend(channel.to_le_bytes());
        pdu.extend(payload);
        for (nth, part) in pdu.chunks(most).enumerate() {
            let boundary = match (nth, received) {
                (0, false) => 0,
                (0, true) => 2,
                _ => 1,
            };
            let mut acl = (handle | boundary << 12).to_le_bytes().to_vec();
            acl.extend((part.len() as u16).to_le_bytes());
            acl.extend(part);
            self.hci(2, received, &acl);
        }
    }

    /// A question and its answer.
    pub(in crate::source::trace) fn ask(&mut self, handle: u16, question: &str, answer: &str) {
        self.att(handle, false, question);
        self.att(handle, true, answer);
    }

    /// A read of an attribute and what it holds.
    pub(in crate::source::trace) fn read(&mut self, handle: u16, attribute: u16, value: &[u8]) {
        let [low, high] = attribute.to_le_bytes();
        let value = data_encoding::HEXUPPER.encode(value);
        self.ask(handle, &format!("0A {low:02X}{high:02X}"), &format!("0B {value}"));
    }

    /// Discovery of a cuff: Generic Access, Blood Pressure, Device Information, Current Time.
    pub(in crate::source::trace) fn cuff_discovered(&mut self, handle: u16) {
        self.ask(handle, "02 F700", "03 1700");
        self.ask(handle, "10 0100 FFFF 0028", "11 06  0100 0900 0018  1000 1F00 1018  2000 2F00 0A18");
        self.ask(handle, "10 3000 FFFF 0028", "11 06  3000 3F00 0518");
        self.ask(handle, "10 4000 FFFF 0028", "01 10 4000 0A");
        // Declaration, properties, value's handle, type.
        self.ask(handle, "08 0100 0900 0328", "09 07  0200 02 0300 002A");
        self.ask(handle, "08 1000 1F00 0328", "09 07  1100 20 1200 352A");
        self.ask(
            handle,
            "08 2000 2F00 0328",
            "09 07  2000 02 2100 292A  2200 02 2300 242A  2400 02 2500 252A",
        );
        self.ask(handle, "08 2600 2F00 0328", "09 07  2600 02 2700 262A  2800 02 2900 232A");
        self.ask(handle, "08 3000 3F00 0328", "09 07  3000 02 3100 2B2A");
    }
}

/// A cuff's whole session: connect, discover, read who it is and what its clock shows, two indications, disconnect.
///
/// The values are those of the public vectors bp-03 (124/86, mean 97, pulse 51, 2024-06-15T17:17:27) and, made of it
/// by hand, one a minute earlier (0x10 for 0x11) of 128 (0x80) over 84 (0x54), mean 99 (0x63), pulse 55 (0x37).
pub(in crate::source::trace) fn cuff(mut kept: Kept) -> Vec<u8> {
    let handle = 0x0040;
    kept.connected(handle, 0, CUFF);
    kept.cuff_discovered(handle);
    // Encryption Change: status 0, handle, on.
    kept.hci(4, true, &x("08 04 00 4000 01"));
    kept.read(handle, 0x0003, b"A&D_UA-651BLE_801234");
    kept.read(handle, 0x0021, b"A&D Medical");
    kept.read(handle, 0x0023, b"UA-651BLE");
    kept.read(handle, 0x0025, b"5140600123\0");
    kept.read(handle, 0x0027, b"BLP006_d016");
    // Least significant octet first; EUI-64 00-09-1F-FF-FE-80-12-34.
    kept.read(handle, 0x0029, &x("341280FEFF1F0900"));
    // 2024-06-15 17:17:41, Saturday, no fractions, no reason.
    kept.read(handle, 0x0031, &x("E807 06 0F 11 11 29 06 00 00"));
    // CCCD: indications on.
    kept.ask(handle, "12 1300 0200", "13");
    kept.att(handle, true, "1D 1200 16 8000 5400 6300 E807060F11101B 3700 0000");
    kept.att(handle, false, "1E");
    kept.att(handle, true, "1D 1200 16 7C00 5600 6100 E807060F11111B 3300 0000");
    kept.att(handle, false, "1E");
    kept.disconnected(handle, 0x13);
    kept.file
}
