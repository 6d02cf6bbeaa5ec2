//! What each target begins with: the vectors, captures, profiles, golden answers and logs of the house, made into the
//! target's own input; what earlier runs found worth keeping (`corpus/TARGET.hex`, an input a line); and what once
//! broke something (`found/TARGET-WHAT.hex`).

use super::core::FRAMES;
use super::frames::{LINE, SAID, TO_BRIDGE, TO_HUB};
use super::wire::{CHARACTERISTICS, MERGE, REASSEMBLY, TRANSFER};
use hearth_core::capture::Uuid16;
use hearth_wire::frame::said::{Ending, Link, Said, What};
use hearth_wire::frame::{
    AddressKind, BridgeId, Capabilities, Heard, Hello, Level, Outcome, PROTOCOL, Peer, Place, Prompt,
    Standing, Ticks, TimeOfDay, ToBridge, ToHub, Version, line,
};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// All inputs of a target. `root`: the repository.
pub fn all(root: &Path, target: &str) -> Vec<Vec<u8>> {
    let mut inputs = made(root, target);
    inputs.extend(unpacked(&read(&pack(root, target))));
    inputs.extend(found(root).into_iter().filter(|(of, _)| of == target).map(|(_, input)| input));
    inputs
}

/// Where a target's corpus is kept.
pub fn pack(root: &Path, target: &str) -> PathBuf {
    root.join("tests/fuzzing/corpus").join(target).with_extension("hex")
}

/// Every input that once broke something, with its target.
pub fn found(root: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![];
    for file in files(&root.join("tests/fuzzing/found"), "hex") {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name of letters and hyphens");
        let (target, _) = name.split_once('-').expect("TARGET-WHAT.hex");
        all.extend(unpacked(&read(&file)).map(|input| (target.to_owned(), input)));
    }
    all
}

/// What is made of the house's own files.
pub fn made(root: &Path, target: &str) -> Vec<Vec<u8>> {
    match target {
        "wire" => wire(root),
        "frames" => frames(),
        "core" => core(root),
        "profile" => profile(root),
        "answer" => answer(root),
        "trace" | "redact" => {
            let logs = root.join("gateway/src/source/trace/logs");
            let logs = ["btsnoop", "pcap"].iter().flat_map(|kind| files(&logs, kind));
            let house = root.join("gateway/src/demo/house.jsonl");
            logs.chain([house]).map(|file| std::fs::read(file).expect("a log of the house")).collect()
        }
        "lines" => lines(root),
        other => panic!("no target {other}"),
    }
}

/// One of each kind of frame, alone and on a line.
fn frames() -> Vec<Vec<u8>> {
    let peer = Peer::Device(AddressKind::Random, [0xC0, 0xFF, 0xEE, 0, 0, 1]);
    let version = Version { major: 1, minor: 4, patch: 2 };
    let place = Place { epoch: 1, number: 2 };
    let value = What::Value { link: Link::Bonded, characteristic: 0x2A35, octets: &[0x16, 0x75, 0, 0x52] };
    let all = [
        value,
        What::Answer { characteristic: 0x2A25, octets: b"7000001" },
        What::Clock { asked: Ticks(7), characteristic: 0x2A08, octets: &[0xE8, 7, 6, 15, 17, 17, 40] },
        What::Ended { how: Ending::Short { counted: 300, came: 7 }, values: 7 },
        What::Lost { count: 5, until: Ticks(9) },
    ];
    let mut room = [0; line::LONGEST];
    let said = |what| {
        Said { at: Ticks(8), peer, contact: 2, what }.encode(&mut [0; line::LONGEST]).expect("room").to_vec()
    };
    let records: Vec<Vec<u8>> = all.into_iter().map(said).collect();
    let hello = Hello {
        protocol: PROTOCOL,
        bridge: BridgeId([2, 0, 0x5E, 0x10, 0, 0, 0, 1]),
        epoch: 7,
        is_adopted: true,
        acknowledged: place,
        now: Ticks(1_000),
        firmware: version,
        board: "nrf52840",
        can: Capabilities::BLUETOOTH,
        waiting: 3,
        configuration: 9,
        on_trial: true,
        reverted_from: version,
    };
    let bridge = [
        ToHub::Hello(hello),
        ToHub::Record { after: Place::default(), place, said: &records[0] },
        ToHub::Heard(Heard { at: Ticks(9), peer, rssi: -61, octets: &[2, 1, 6] }),
        ToHub::Prompt { token: 1, what: Prompt::Show(123_456) },
        ToHub::Bond { peer, standing: Standing::Good },
        ToHub::Log { at: Ticks(1), level: Level::Info, text: "up" },
        ToHub::Time { token: 1, epoch: 7, now: Ticks(1_000) },
        ToHub::Done { token: 1, outcome: Outcome::Refused("no") },
    ];
    let hub = [
        ToBridge::Hello { protocol: PROTOCOL },
        ToBridge::Acknowledge { up_to: place },
        ToBridge::Adopt { token: 1, epoch: 2 },
        ToBridge::AskTime { token: 1 },
        ToBridge::Configure { token: 1, digest: 9, from: 0, of: 4, octets: &[1, 2, 3, 4] },
        ToBridge::Look { token: 1, seconds: 30 },
        ToBridge::Pair { token: 1, peer },
        ToBridge::Digits { token: 1, digits: Some(123_456) },
        ToBridge::Unpair { token: 1, peer },
        ToBridge::Update { token: 1, size: 4_096, version, forced: false, board: "nrf52840" },
        ToBridge::Image { token: 1, from: 512, octets: &[1, 2] },
        ToBridge::Start { token: 1, signature: [0x5A; 64] },
        ToBridge::Confirm { token: 1 },
        ToBridge::TimeOfDay {
            token: 1,
            time: TimeOfDay {
                configuration: 9,
                epoch: 2,
                at: Ticks(7),
                utc_ms: 1_718_486_260_000,
                until: Ticks(9),
            },
        },
        ToBridge::Restart { token: 1 },
    ];
    let mut inputs: Vec<Vec<u8>> = records.iter().map(|record| [&[SAID], &record[..]].concat()).collect();
    let mut on_the_line = vec![LINE];
    let mut add = |choice: u8, content: &[u8]| {
        inputs.push([&[choice], content].concat());
        on_the_line.extend(line::close(content, &mut [0; line::LONGEST_ON_THE_LINE]).expect("room"));
    };
    bridge.iter().for_each(|frame| add(TO_HUB, frame.encode(&mut room).expect("room")));
    hub.iter().for_each(|frame| add(TO_BRIDGE, frame.encode(&mut room).expect("room")));
    inputs.push(on_the_line);
    inputs
}

fn wire(root: &Path) -> Vec<Vec<u8>> {
    let mut inputs = vec![];
    let (mut segments, mut packets, mut said) = (vec![REASSEMBLY], vec![MERGE], vec![TRANSFER]);
    for (characteristic, octets) in vectors(root) {
        let Some(choice) = CHARACTERISTICS.iter().position(|uuid| *uuid == characteristic.0) else {
            continue;
        };
        inputs.push([&[choice as u8], &octets[..]].concat());
        match characteristic.0 {
            0x2B36 => segments.extend(piece(&octets)),
            0x2A9C if octets.get(1).is_some_and(|high| high & 0x10 != 0) => packets.extend(piece(&octets)),
            0x2A52 => said.extend([&[2], &octets[..], &[0; 6]].concat().into_iter().take(6)),
            _ => {}
        }
    }
    inputs.extend([segments, packets, said, vec![0x1B, b'B', b'P', 0], vec![0x1F, 0x6C, 1, 0, 0xFF]]);
    inputs
}

fn core(root: &Path) -> Vec<Vec<u8>> {
    let frames: Vec<(Uuid16, Vec<u8>)> = vectors(root).into_iter().chain(captured(root)).collect();
    let companion =
        |uuid| frames.iter().find(|(of, _)| *of == uuid).map_or(vec![], |(_, octets)| piece(octets));
    let mut inputs = vec![];
    for (number, (characteristic, octets)) in frames.iter().enumerate() {
        let Some(choice) = FRAMES.iter().position(|frame| frame == characteristic) else { continue };
        let with = match *characteristic {
            Uuid16::GLUCOSE_MEASUREMENT => companion(Uuid16::GLUCOSE_MEASUREMENT_CONTEXT),
            Uuid16::WEIGHT_MEASUREMENT => companion(Uuid16::BODY_COMPOSITION_MEASUREMENT),
            _ => vec![],
        };
        // Profiles and manners by turns; every quirk, and none.
        let (profile, manner) = (number as u8, (number * 5) as u8);
        for quirks in [0, 0xFF] {
            inputs.push([&[choice as u8, quirks, profile, manner], &piece(octets)[..], &with].concat());
        }
    }
    inputs
}

fn profile(root: &Path) -> Vec<Vec<u8>> {
    let files = files(&root.join("device-profiles"), "toml");
    let texts: Vec<String> = files.iter().map(|file| read(file)).collect();
    let pairs = texts.iter().zip(texts.iter().skip(1).chain(texts.first()));
    pairs
        .map(|(one, two)| format!("{one}\0{two}\0Cuff_12AB34\0Acme\0C-7\x001.0\x001810\x00180A").into_bytes())
        .collect()
}

/// Those of which the table of answers has rows.
const STATUSES: [u16; 20] =
    [200, 201, 202, 301, 400, 401, 403, 404, 405, 407, 408, 409, 410, 412, 413, 422, 429, 500, 501, 503];

fn answer(root: &Path) -> Vec<Vec<u8>> {
    let outcome = r#"{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"processing","diagnostics":"Resource Patient/x not found","expression":["Observation.subject"]}]}"#;
    let bundle = r#"{"resourceType":"Bundle","type":"transaction-response","entry":[{"response":{"status":"201 Created","location":"Observation/1/_history/1","etag":"W/\"1\""}},{"fullUrl":"http://x/Device/2","resource":{"resourceType":"Device","id":"2","identifier":[{"value":"v"}]},"response":{"status":"200"}}]}"#;
    let statement = r#"{"resourceType":"CapabilityStatement","rest":[{"resource":[{"type":"Observation","updateCreate":true,"conditionalCreate":true}],"interaction":[{"code":"transaction"},{"code":"batch"}]}]}"#;
    let golden = files(&root.join("gateway/core/src/map/golden"), "json");
    let golden = golden.iter().map(|file| (read(file), &[201_u16][..]));
    let bodies = [outcome, bundle, statement, "<html>", ""].map(|body| (body.to_owned(), &STATUSES[..]));
    let mut inputs = vec![];
    for (number, (body, statuses)) in golden.chain(bodies).enumerate() {
        for (turn, status) in statuses.iter().enumerate() {
            let [low, high] = status.to_le_bytes();
            let headers = b"120\nObservation/1/_history/1\napplication/fhir+json\n";
            inputs.push([&[(number + turn) as u8, low, high], &headers[..], body.as_bytes()].concat());
        }
    }
    inputs
}

fn lines(root: &Path) -> Vec<Vec<u8>> {
    let house = read(&root.join("gateway/src/demo/house.jsonl"));
    let requests = [
        r#""status""#,
        r#"{"devices-explain":{"device":1}}"#,
        r#"{"held":{"older_than_s":60}}"#,
        r#"{"bind-add":{"device":1,"slot":1,"patient":{"ward":"p1"},"zone":"Europe/Berlin","from":null,"until":"2024-06-15T21:17:40Z","sole_use_attested_by":"nurse","labels":["R"],"instead":false}}"#,
        r#"{"permit":{"destination":"ward","patient":"p1","order":["2024-06-15T21:17:40Z",null],"consent":[null,null]}}"#,
        r#"{"retract":{"reading":1,"reissue":true}}"#,
        r#"{"outbox-list":{"destination":"ward","state":"parked"}}"#,
        r#"{"outbox-retry":{"rows":[1,2],"all":false}}"#,
        r#"{"take":{"line":"{\"boot\":true}"}}"#,
        r#"{"ending":{"code":64,"said":"no"}}"#,
        r#"{"shown":{"rows":[],"single":false,"said":null,"code":0}}"#,
        r#"{"at":10,"met":{"device":"cuff","address":"00:09:1F:80:12:34","address_kind":"private","services":["1810"],"system_id":"341280FEFF1F0900","serial":"1","manufacturer":"A","model":"B","firmware":"C"}}"#,
        r#"{"heard":{"device":"c","contact":1,"link":"broadcast","origin":{"recorder":"0102030405060708","epoch":1,"number":2},"characteristic":"adv:181D","hex":"223E30E607020E10293A"}}"#,
        r#"{"at":60,"clock":{"device":"cuff","contact":1,"face":"base","shows":"2024-06-15T17:17:41","asked":20}}"#,
    ];
    house.lines().chain(requests).map(|line| line.as_bytes().to_vec()).collect()
}

/// Every frame of the vectors, by its characteristic.
pub fn vectors(root: &Path) -> Vec<(Uuid16, Vec<u8>)> {
    let folders = [root.join("firmware/wire/vectors"), root.join("tests/vectors")];
    let mut all = vec![];
    for file in folders.iter().flat_map(|folder| files(folder, "json")) {
        let rows: Value = serde_json::from_str(&read(&file)).expect("vectors are JSON");
        for row in rows.as_array().into_iter().flatten() {
            let field = |name: &str| row.get(name).and_then(Value::as_str);
            let characteristic = field("characteristic").and_then(Uuid16::parse);
            all.extend(characteristic.zip(field("hex").map(octets)));
        }
    }
    all
}

/// Every frame of the captures beside the profiles.
fn captured(root: &Path) -> Vec<(Uuid16, Vec<u8>)> {
    let mut all = vec![];
    for file in files(&root.join("device-profiles"), "hex") {
        for line in read(&file).lines() {
            let Some((characteristic, digits)) = line.split_once(' ') else { continue };
            all.extend(Uuid16::parse(characteristic).map(|of| (of, octets(digits))));
        }
    }
    all
}

/// All files of a kind in a folder and below, in the order of their names.
fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut all = vec![];
    for entry in std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
        let path = entry.expect("a folder of the house is readable").path();
        if path.is_dir() {
            all.extend(files(&path, kind));
        } else if path.extension().is_some_and(|ending| ending == kind) {
            all.push(path);
        }
    }
    all.sort();
    all
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// A piece of an input: its length, and it.
fn piece(octets: &[u8]) -> Vec<u8> {
    let length = octets.len().min(255);
    [&[length as u8], &octets[..length]].concat()
}

fn unpacked(text: &str) -> impl Iterator<Item = Vec<u8>> {
    text.lines().filter(|line| !line.starts_with('#')).map(octets)
}

/// Digits up to the first that is none, blanks left out.
fn octets(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        digits.chars().filter(|c| !c.is_whitespace()).map_while(|c| c.to_digit(16)).collect();
    digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}
