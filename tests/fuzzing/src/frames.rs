//! What comes over the line between a bridge and its hub.

use hearth_wire::frame::said::Said;
use hearth_wire::frame::{ToBridge, ToHub, line};

/// A line, and frames without one: which is said by the first octet.
pub const LINE: u8 = 0;
pub const TO_HUB: u8 = 1;
pub const TO_BRIDGE: u8 = 2;
pub const SAID: u8 = 3;

pub fn frames(octets: &[u8]) {
    let Some((choice, octets)) = octets.split_first() else { return };
    match choice % 4 {
        LINE => on_the_line(octets),
        TO_HUB => to_hub(octets),
        TO_BRIDGE => to_bridge(octets),
        _ => said(octets),
    }
}

/// The contract of every codec: what was decoded is encoded in as many octets as were read, in no fewer, and is then decoded to the same.
macro_rules! codec {
    ($name:ident, $type:ty) => {
        fn $name(octets: &[u8]) {
            let decoded = match <$type>::decode(octets) {
                Ok(decoded) => decoded,
                Err(malformed) => {
                    _ = malformed.to_string();
                    return;
                }
            };
            let mut room = vec![0; octets.len()];
            let written = decoded.value.encode(&mut room).expect("what was read has room where it was read");
            assert_eq!(written.len() + decoded.trailing.len(), octets.len(), "{:?}", decoded.value);
            let again = <$type>::decode(written).expect("what was written is read");
            assert_eq!((again.value, again.trailing), (decoded.value, &[][..]));
            if let Some(short) = written.len().checked_sub(1) {
                assert!(decoded.value.encode(&mut vec![0; short]).is_err(), "{:?}", decoded.value);
            }
        }
    };
}

codec!(to_hub, ToHub<'_>);
codec!(to_bridge, ToBridge<'_>);
codec!(said, Said<'_>);

/// Any octets: what comes out of them goes in again, and a frame that follows them is found.
fn on_the_line(octets: &[u8]) {
    let mut reader = line::Reader::default();
    let mut room = [0; line::LONGEST_ON_THE_LINE];
    for octet in octets.iter().chain(&[0]) {
        match reader.push(*octet) {
            Some(Ok(content)) => {
                let content = content.to_vec();
                let frame =
                    line::close(&content, &mut room).expect("what was a frame has room in one").to_vec();
                assert_eq!(read(&frame), content);
                to_hub(&content);
                to_bridge(&content);
            }
            Some(Err(broken)) => _ = broken.to_string(),
            None => {}
        }
    }
    let content = &octets[..octets.len().min(line::LONGEST)];
    if !content.is_empty() {
        let frame = line::close(content, &mut room).expect("the longest content has room").to_vec();
        let mut found = None;
        for octet in frame {
            found = reader.push(octet).map(|content| content.map(<[u8]>::to_vec));
        }
        assert_eq!(found, Some(Ok(content.to_vec())));
    }
}

fn read(frame: &[u8]) -> Vec<u8> {
    let (zero, stuffed) = frame.split_last().expect("a frame has a zero");
    let mut reader = line::Reader::default();
    assert!(stuffed.iter().all(|octet| reader.push(*octet).is_none()));
    reader.push(*zero).expect("it is closed").expect("it is a frame").to_vec()
}
