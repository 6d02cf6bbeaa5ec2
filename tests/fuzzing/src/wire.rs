//! Every decoder of hearth-wire, and the machines that stand on them.

use hearth_wire::gatt::{
    BatteryLevel, BloodPressureFeature, BloodPressureMeasurement, BloodPressureRecord,
    BodyCompositionFeature, BodyCompositionMeasurement, CgmMeasurement, CurrentElapsedTime, CurrentTime,
    DatabaseChangeIncrement, DateTime, EnhancedBloodPressureMeasurement, GlucoseFeature, GlucoseMeasurement,
    GlucoseMeasurementContext, HeartRateMeasurement, IntermediateCuffPressure, LocalTimeInformation,
    PlxSpotCheckMeasurement, PnpId, RegulatoryCertificationDataList, SystemId, TemperatureMeasurement,
    UserControlPoint, WeightMeasurement, WeightScaleFeature, device_information, kept, timeless,
};
use hearth_wire::racp::RecordAccessControlPoint;
use hearth_wire::reassembly::Reassembly;
use hearth_wire::transfer::{Millis, Poll, Response, Transfer};
use hearth_wire::{Decoded, Value};

/// What `wire` chooses among by the first octet, in this order: the seeds count on it.
pub const CHARACTERISTICS: [u16; 28] = [
    0x2A35, 0x2A18, 0x2A34, 0x2A52, 0x2A9D, 0x2A08, 0x2A2B, 0x2A23, 0x2A9C, 0x2A1C, 0x2A5E, 0x2A37, 0x2A36,
    0x2A49, 0x2B34, 0x2B36, 0x2A51, 0x2AA7, 0x2A9E, 0x2A9B, 0x2A0F, 0x2BF2, 0x2A2A, 0x2A50, 0x2A19, 0x2A9F,
    0x2A99, 0x2A29,
];
/// After the characteristics come the machines.
pub const REASSEMBLY: u8 = CHARACTERISTICS.len() as u8;
pub const MERGE: u8 = REASSEMBLY + 1;
pub const TRANSFER: u8 = REASSEMBLY + 2;
const NUMBER: u8 = REASSEMBLY + 3;
const CHOICES: u8 = REASSEMBLY + 4;

/// The first octet chooses, the rest is the value.
pub fn wire(octets: &[u8]) {
    let Some((choice, octets)) = octets.split_first() else { return };
    match choice % CHOICES {
        REASSEMBLY => reassembly(octets),
        MERGE => merge(octets),
        TRANSFER => transfer(octets),
        NUMBER => number(octets),
        chosen => codec(CHARACTERISTICS[usize::from(chosen)], octets),
    }
}

/// The contract of every codec: what was decoded is encoded in as many octets as were read, in no fewer, and is then
/// decoded to the same, but for reserved flags.
fn codec(characteristic: u16, octets: &[u8]) {
    names(characteristic, octets);
    /// `UUID: type, where it keeps reserved flags` for each.
    macro_rules! codecs {
        ($($uuid:literal: $type:ty $(, $reserved:ident)?;)*) => {
            match characteristic {
                $($uuid => {
                    let Ok(Decoded { value, trailing }) = <$type>::decode(octets) else { return };
                    #[allow(unused_mut, reason = "not all have reserved flags")]
                    let mut meant = value.clone();
                    $(meant.$reserved = 0;)?
                    let mut room = vec![0; octets.len()];
                    let written = value.encode(&mut room).expect("what was read has room where it was read");
                    assert_eq!(written.len() + trailing.len(), octets.len(), "{value:?}");
                    let again = <$type>::decode(written).expect("what was written is read");
                    assert_eq!((again.value, again.trailing), (meant, &[][..]));
                    if let Some(short) = written.len().checked_sub(1) {
                        assert!(value.encode(&mut vec![0; short]).is_err(), "{value:?}");
                    }
                })*
                _ => text(octets),
            }
        };
    }
    codecs! {
        0x2A35: BloodPressureMeasurement, reserved_flags;
        0x2A18: GlucoseMeasurement, reserved_flags;
        0x2A34: GlucoseMeasurementContext;
        0x2A52: RecordAccessControlPoint<'_>;
        0x2A9D: WeightMeasurement, reserved_flags;
        0x2A08: DateTime;
        0x2A2B: CurrentTime;
        0x2A23: SystemId;
        0x2A9C: BodyCompositionMeasurement, reserved_flags;
        0x2A1C: TemperatureMeasurement, reserved_flags;
        0x2A5E: PlxSpotCheckMeasurement, reserved_flags;
        0x2A37: HeartRateMeasurement, reserved_flags;
        0x2A36: IntermediateCuffPressure, reserved_flags;
        0x2A49: BloodPressureFeature;
        0x2B34: EnhancedBloodPressureMeasurement, reserved_flags;
        0x2B36: BloodPressureRecord<'_>;
        0x2A51: GlucoseFeature;
        0x2AA7: CgmMeasurement, reserved_flags;
        0x2A9E: WeightScaleFeature;
        0x2A9B: BodyCompositionFeature;
        0x2A0F: LocalTimeInformation;
        0x2BF2: CurrentElapsedTime, reserved_flags;
        0x2A2A: RegulatoryCertificationDataList<'_>;
        0x2A50: PnpId;
        0x2A19: BatteryLevel;
        0x2A9F: UserControlPoint<'_>;
        0x2A99: DatabaseChangeIncrement;
    }
    if characteristic == CgmMeasurement::UUID {
        let read = CgmMeasurement::records(octets).count();
        assert!(read <= octets.len(), "{read} records of {} octets", octets.len());
    }
    if characteristic == 0x2A52
        && let Ok(said) = RecordAccessControlPoint::decode(octets)
    {
        _ = Response::try_from(said.value);
        _ = said.value.filter_type();
    }
}

/// What names a record is part of what was sent, and the same whenever it is asked.
fn names(characteristic: u16, octets: &[u8]) {
    let name = kept(characteristic, octets);
    assert!(name.parts().all(|part| !part.is_empty()));
    assert!(name.parts().map(<[u8]>::len).sum::<usize>() <= octets.len());
    _ = timeless(characteristic, octets);
}

fn text(octets: &[u8]) {
    let Ok(text) = device_information::text(octets) else { return };
    let mut room = vec![0; octets.len()];
    let written = device_information::encode_text(text, &mut room).expect("a part of what was read");
    assert_eq!(device_information::text(written), Ok(text));
}

/// Pieces, each with its length before it.
pub(crate) fn pieces(mut octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = octets.split_first()?;
        let (piece, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        octets = rest;
        Some(piece)
    })
}

/// Segments of 0x2B36 in any order: a whole record has what its segments had, and room is never exceeded.
fn reassembly(octets: &[u8]) {
    const ROOM: usize = 64;
    let mut reassembly = Reassembly::<ROOM>::default();
    let mut gathered: Vec<u8> = vec![];
    for segment in pieces(octets).filter_map(|piece| BloodPressureRecord::decode(piece).ok()) {
        let segment = segment.value;
        if segment.first {
            gathered.clear();
        }
        gathered.extend(segment.part);
        let heard = reassembly.hear(&segment);
        if let Some(lost) = heard.unfinished {
            _ = lost.to_string();
        }
        match heard.record {
            Ok(Some(record)) => {
                assert_eq!(record.value, gathered);
                names(BloodPressureRecord::UUID, record.value);
                let mut room = [0; ROOM + 16];
                let whole = record.unsegmented();
                let written = whole.encode(&mut room).expect("five octets more than the value");
                assert_eq!(BloodPressureRecord::decode(written).map(|read| read.value), Ok(whole));
                names(BloodPressureRecord::UUID, written);
            }
            Ok(None) => {}
            Err(lost) => _ = lost.to_string(),
        }
    }
    if let Some(lost) = reassembly.end() {
        _ = lost.to_string();
    }
    assert_eq!(reassembly.end(), None, "an end is told once");
}

/// Two packets of 0x2A9C: what is merged is one packet, which holds what both held.
fn merge(octets: &[u8]) {
    let mut packets = pieces(octets).filter_map(|piece| BodyCompositionMeasurement::decode(piece).ok());
    let (Some(first), Some(second)) = (packets.next(), packets.next()) else { return };
    let Ok(whole) = BodyCompositionMeasurement::merge(&first.value, &second.value) else { return };
    assert!(!whole.multiple_packet);
    let mut room = [0; 64];
    let written = whole.encode(&mut room).expect("64 octets hold every field");
    let again = BodyCompositionMeasurement::decode(written).expect("what was written is read");
    assert_eq!(again.value, BodyCompositionMeasurement { reserved_flags: 0, ..whole });
}

/// A meter that says anything at any time: the collection ends once it falls silent.
fn transfer(octets: &[u8]) {
    const PATIENCE: u64 = 5_000;
    let mut now = Millis(0);
    let from = octets.first().filter(|first| **first > 127).map(|first| u16::from(*first) * 256);
    let mut transfer = Transfer::start(from, PATIENCE, now);
    for said in octets.chunks(6) {
        while let Poll::Write(request) = transfer.poll() {
            request.encode(&mut [0; 5]).expect("a request has at most five octets");
        }
        now = Millis(now.0 + u64::from(said.len() as u8));
        match said {
            [0, low, high, ..] => _ = transfer.record(u16::from_le_bytes([*low, *high]), now),
            [1, ..] => {
                now = Millis(now.0 + PATIENCE);
                transfer.timeout(now);
            }
            [_, indicated @ ..] => {
                let said = RecordAccessControlPoint::decode(indicated).ok();
                if let Some(response) = said.and_then(|said| Response::try_from(said.value).ok()) {
                    transfer.answer(response, now);
                }
            }
            [] => {}
        }
    }
    for _ in 0..8 {
        match transfer.poll() {
            Poll::Done(_) => return,
            Poll::Write(_) => {}
            Poll::Wait(until) => {
                now = Millis(now.0.max(until.0));
                transfer.timeout(now);
            }
        }
    }
    panic!("a silent meter keeps the collection waiting");
}

/// A medical number prints, compares with itself as equal, and is written as the octets that it was read from.
fn number(octets: &[u8]) {
    let Some(raw) = octets.first_chunk::<4>() else { return };
    let long = Value::from_float(u32::from_le_bytes(*raw));
    assert_eq!(long.to_float(), Some(u32::from_le_bytes(*raw)));
    let short = Value::from_sfloat(u16::from_le_bytes([raw[0], raw[1]]));
    assert_eq!(short.to_sfloat(), Some(u16::from_le_bytes([raw[0], raw[1]])));
    _ = (long.to_string(), short.to_string());
    if let (Some(long), Some(short)) = (long.finite(), short.finite()) {
        assert!(long.compare(long).is_eq());
        assert_eq!(long.compare(short), short.compare(long).reverse());
    }
}
