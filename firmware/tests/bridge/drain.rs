//! How long a full memory takes to the hub, beside what the line needs for its octets alone: in simulated time, so that it comes to the
//! same everywhere.
#![allow(clippy::float_arithmetic, reason = "figures of the line, not of a body")]

use crate::hub::{Hub, Way};
use crate::nor::{Chip, Flash};
use embassy_futures::block_on as now;
use firmware::bridge::{About, Bridge, Line};
use hearth_wire::frame::line::{LONGEST_ON_THE_LINE, Reader};
use hearth_wire::frame::said::{Link, Said, What};
use hearth_wire::frame::{
    AddressKind, BridgeId, Capabilities, PROTOCOL, Peer, Place, Ticks, ToBridge, ToHub, Version,
};

const PAGES: usize = 256;
const RECORDS: u32 = 10_000;
/// A UART of 115 200 baud: ten bits an octet.
const OCTETS_A_SECOND: u64 = 11_520;
/// A hub commits what has come, all of it together.
const COMMIT_MS: u64 = 10;

/// As much as a board keeps for the line.
#[derive(Debug, Default)]
struct Outgoing(Way);

impl Line for Outgoing {
    fn room(&self) -> usize {
        (2 * LONGEST_ON_THE_LINE).saturating_sub(self.0.0.len())
    }

    fn put(&mut self, octets: &[u8]) {
        self.0.put(octets);
    }
}

/// So many octets go from millisecond to millisecond.
fn in_this(ms: u64) -> usize {
    ((ms + 1) * OCTETS_A_SECOND / 1_000 - ms * OCTETS_A_SECOND / 1_000) as usize
}

#[test]
fn ten_thousand_records_take_little_longer_than_their_octets() {
    let [spool, settings] = [Chip::new(PAGES, 1), Chip::new(2, 1)];
    let about = About {
        bridge: BridgeId([2; 8]),
        board: "host",
        firmware: Version { major: 1, minor: 0, patch: 0 },
        can: Capabilities::BLUETOOTH,
    };
    let bridge = Bridge::<_, PAGES>::start(about, Flash::of(&spool), Flash::of(&settings), None);
    let mut bridge = now(bridge).unwrap();
    let (mut to_hub, mut to_bridge) = (Outgoing::default(), Way::default());
    Hub::say(&ToBridge::Adopt { token: 1, epoch: 1 }, &mut to_bridge);
    Hub::say(&ToBridge::Hello { protocol: PROTOCOL }, &mut to_bridge);
    // A cuff's values.
    let peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0, 0, 1]);
    let what = What::Value { link: Link::Bonded, characteristic: 0x2A35, octets: &[0x16; 19] };
    now(bridge.received(&to_bridge.0.drain(..).collect::<Vec<u8>>(), Ticks(0), &mut to_hub, |_| {})).unwrap();
    for n in 0..RECORDS {
        now(bridge.keep(&Said { at: Ticks(n.into()), peer, contact: n, what })).unwrap();
    }

    let (mut reader, mut octets) = (Reader::default(), 0_u64);
    let (mut came, mut committed, mut commits_until) = (0, 0, None);
    let mut last = Place::default();
    let mut ms = 0;
    while committed < RECORDS {
        assert!(ms < 600_000, "{committed} after ten minutes");
        now(bridge.tell(Ticks(ms), &mut to_hub)).unwrap();
        let many = to_hub.0.0.len().min(in_this(ms));
        for octet in to_hub.0.0.drain(..many) {
            octets += 1;
            let Some(content) = reader.push(octet) else { continue };
            if let ToHub::Record { after, place, .. } = ToHub::decode(content.unwrap()).unwrap().value {
                assert_eq!(after, last, "none is told twice");
                (came, last) = (came + 1, place);
            }
        }
        if commits_until.is_some_and(|(until, _, _)| until <= ms)
            && let Some((_, many, place)) = commits_until.take()
        {
            committed = many;
            Hub::say(&ToBridge::Acknowledge { up_to: place }, &mut to_bridge);
        }
        if commits_until.is_none() && came > committed {
            commits_until = Some((ms + COMMIT_MS, came, last));
        }
        let many = to_bridge.0.len().min(in_this(ms));
        let arrives: Vec<u8> = to_bridge.0.drain(..many).collect();
        now(bridge.received(&arrives, Ticks(ms), &mut to_hub, |_| {})).unwrap();
        ms += 1;
    }
    let least = octets * 1_000 / OCTETS_A_SECOND;
    let ratio = ms as f64 / least as f64;
    println!(
        "drain: {RECORDS} records, {octets} octets in {:.1} s by a UART of 115 200 baud, which needs {:.1} s for them alone: {ratio:.3}",
        ms as f64 / 1e3,
        least as f64 / 1e3
    );
    assert!(ratio < 1.05, "{ratio}");
}
