use super::*;
use crate::when::BootNo;
use hearth_wire::frame::line::{LONGEST, LONGEST_ON_THE_LINE, Reader, close};
use hearth_wire::frame::{Hello, Outcome, PROTOCOL, ToBridge, ToHub};

const BOOT: BootNo = BootNo(3);
const NONE: Version = Version { major: 0, minor: 0, patch: 0 };

fn at(ms: i64) -> HubTicks {
    HubTicks { boot: BOOT, ms }
}

fn place(epoch: u32, number: u32) -> Place {
    Place { epoch, number }
}

fn frame(frame: &ToHub<'_>) -> Vec<u8> {
    let (mut content, mut octets) = ([0; LONGEST], [0; LONGEST_ON_THE_LINE]);
    close(frame.encode(&mut content).unwrap(), &mut octets).unwrap().to_vec()
}

fn hello(epoch: u32, is_adopted: bool, acknowledged: Place) -> Vec<u8> {
    frame(&ToHub::Hello(Hello {
        protocol: PROTOCOL,
        bridge: BridgeId([2, 0, 0x5E, 0x10, 0, 0, 0, 1]),
        epoch,
        is_adopted,
        acknowledged,
        now: Ticks(0),
        firmware: Version { major: 1, minor: 4, patch: 2 },
        board: "host",
        can: Capabilities::THERMOMETER,
        waiting: 0,
        configuration: 0,
        on_trial: false,
        reverted_from: NONE,
    }))
}

fn record(after: Place, place: Place) -> Vec<u8> {
    frame(&ToHub::Record { after, place, said: &[place.number as u8] })
}

/// What the machine wants, each in a word or two.
fn wants(line: &mut Line) -> Vec<String> {
    let mut all = vec![];
    loop {
        all.push(match line.poll() {
            Poll::Wait(_) => return all,
            Poll::Send(octets) => {
                let mut reader = Reader::default();
                let (last, before) = octets.split_last().unwrap();
                assert!(before.iter().all(|octet| reader.push(*octet).is_none()));
                match ToBridge::decode(reader.push(*last).unwrap().unwrap()).unwrap().value {
                    ToBridge::Hello { .. } => "hello".to_owned(),
                    ToBridge::Acknowledge { up_to } => {
                        format!("acknowledge {}:{}", up_to.epoch, up_to.number)
                    }
                    ToBridge::Adopt { token, epoch } => format!("adopt {token} as {epoch}"),
                    ToBridge::AskTime { token } => format!("time {token}"),
                    ToBridge::Configure { token, from, of, octets, .. } => {
                        format!("configure {token}: {from}+{} of {of}", octets.len())
                    }
                    other => format!("{other:?}"),
                }
            }
            Poll::Greet(greeting) => format!("greet {}", greeting.board),
            Poll::Keep(epoch, met) => format!("keep {epoch}: {} is {}", met.ticks.0, met.at.ms),
            Poll::Take(told) => {
                let one =
                    |told: &Told| format!("{}:{}-{}", told.place.epoch, told.place.number, told.missing);
                format!("take {}", told.iter().map(one).collect::<Vec<_>>().join(" "))
            }
            Poll::Configured(_, done) => format!("Configured({done:?})"),
            other => format!("{other:?}"),
        });
    }
}

/// A bridge in its epoch 7 that is understood, with all up to 7:2 committed here.
fn talking() -> Line {
    let mut line = Line::new(at(0));
    assert_eq!(wants(&mut line), ["hello"]);
    line.octets(&hello(7, true, place(7, 1)), at(10));
    assert_eq!(wants(&mut line), ["greet host"]);
    line.known(Known { taken: place(7, 2), first_epoch: 0 }, at(11));
    assert_eq!(wants(&mut line), ["acknowledge 7:2", "time 1"]);
    // What comes before the time is known waits for it.
    line.octets(&record(place(7, 2), place(7, 3)), at(12));
    assert_eq!(wants(&mut line), [""; 0]);
    line.octets(&frame(&ToHub::Time { token: 1, epoch: 7, now: Ticks(500) }), at(31));
    assert_eq!(wants(&mut line), ["keep 7: 500 is 21"]);
    line.kept(at(40));
    assert_eq!(wants(&mut line), ["take 7:3-0"]);
    line.committed();
    assert_eq!(wants(&mut line), ["acknowledge 7:3"]);
    line
}

#[test]
fn records_are_taken_in_order_and_acknowledged_when_they_are_committed() {
    let mut line = talking();
    line.octets(&[record(place(7, 3), place(7, 4)), record(place(7, 4), place(7, 5))].concat(), at(50));
    assert_eq!(wants(&mut line), ["take 7:4-0 7:5-0"]);
    // While they are committed more come, and one again.
    line.octets(&[record(place(7, 3), place(7, 4)), record(place(7, 5), place(7, 6))].concat(), at(60));
    assert_eq!(wants(&mut line), [""; 0]);
    line.committed();
    assert_eq!(wants(&mut line), ["acknowledge 7:5", "take 7:6-0"]);
    line.committed();
    assert_eq!(wants(&mut line), ["acknowledge 7:6"]);
    // The acknowledgement was lost.
    line.octets(&record(place(7, 5), place(7, 6)), at(70));
    assert_eq!(wants(&mut line), ["acknowledge 7:6"]);
    // A frame was lost: nothing is taken out of order.
    line.octets(&record(place(7, 7), place(7, 8)), at(80));
    assert_eq!(wants(&mut line), [""; 0]);
    // A number that its bridge has not any more.
    line.octets(&record(place(7, 6), place(7, 9)), at(90));
    assert_eq!(wants(&mut line), ["take 7:9-2"]);
}

#[test]
fn a_new_bridge_is_adopted_and_one_that_is_full_is_told_what_it_may_forget() {
    let mut line = Line::new(at(0));
    wants(&mut line);
    line.timeout(at(1_999));
    assert_eq!(wants(&mut line), [""; 0]);
    line.timeout(at(2_000));
    assert_eq!(wants(&mut line), ["hello"]);
    line.octets(&hello(0, false, Place::default()), at(2_010));
    wants(&mut line);
    line.known(Known { taken: Place::default(), first_epoch: 65_537 }, at(2_011));
    assert_eq!(wants(&mut line), ["adopt 1 as 65537"]);
    line.octets(&frame(&ToHub::Done { token: 1, outcome: Outcome::Flash }), at(2_020));
    let said = wants(&mut line).concat();
    assert!(said.contains("NotAdopted") && said.contains("replace the board"), "{said}");
    line.octets(&hello(65_537, true, Place::default()), at(2_030));
    assert_eq!(wants(&mut line), ["greet host"]);

    // Full: what it tells is of earlier epochs, and needs no time of this one.
    let mut line = Line::new(at(0));
    line.octets(&hello(0, true, place(7, 2)), at(10));
    line.known(Known { taken: place(7, 4), first_epoch: 9 }, at(11));
    line.octets(&record(place(7, 4), place(8, 1)), at(12));
    assert_eq!(wants(&mut line), ["hello", "greet host", "acknowledge 7:4", "take 8:1-0"]);
}

#[test]
fn a_bridge_that_started_is_met_anew() {
    let mut line = talking();
    line.octets(&hello(8, true, place(7, 3)), at(100));
    // Of what was on its way nothing is known any more; and no token of before is the answer.
    line.octets(&frame(&ToHub::Time { token: 1, epoch: 7, now: Ticks(900) }), at(101));
    assert_eq!(wants(&mut line), ["greet host"]);
    line.known(Known { taken: place(7, 3), first_epoch: 0 }, at(102));
    assert_eq!(wants(&mut line), ["acknowledge 7:3", "time 2"]);
    // Too slow to tell anything: once more.
    line.octets(&frame(&ToHub::Time { token: 2, epoch: 8, now: Ticks(5) }), at(1_900));
    assert_eq!(wants(&mut line), ["time 3"]);
    // No answer at all: who is there?
    line.timeout(at(3_900));
    assert_eq!(wants(&mut line), ["hello", "Note(Silent)"]);
}

#[test]
fn the_time_is_asked_for_every_hour() {
    let mut line = talking();
    line.timeout(at(3_600_039));
    assert_eq!(wants(&mut line), [""; 0]);
    line.timeout(at(3_600_040));
    assert_eq!(wants(&mut line), ["time 2"]);
}

/// An older store, or another hub's bridge: what was acknowledged is gone, and what comes after it is taken.
#[test]
fn what_another_hub_has_is_not_waited_for() {
    let mut line = Line::new(at(0));
    line.octets(&hello(7, true, place(7, 9)), at(1));
    line.known(Known { taken: place(7, 2), first_epoch: 0 }, at(2));
    line.octets(&frame(&ToHub::Time { token: 1, epoch: 7, now: Ticks(5) }), at(3));
    line.kept(at(4));
    line.octets(&record(place(7, 9), place(7, 10)), at(5));
    assert_eq!(wants(&mut line).last().unwrap(), "take 7:10-0");
}

#[test]
fn octets_that_are_no_frame_are_named_and_passed_over() {
    let mut line = talking();
    line.octets(b"\x05\x01\x02\x03\x04\x00garbage\x00", at(50));
    line.octets(&record(place(7, 3), place(7, 4)), at(60));
    assert_eq!(wants(&mut line), ["Note(Broken)", "Note(Broken)", "take 7:4-0"]);
}

#[test]
fn what_comes_next_is_known_by_the_places() {
    for (taken, after, next, is) in [
        ((0, 0), (0, 0), (1, 1), Follows::Next { missing: 0 }),
        ((1, 1), (1, 1), (1, 2), Follows::Next { missing: 0 }),
        ((1, 1), (1, 1), (1, 4), Follows::Next { missing: 2 }),
        ((1, 4), (1, 2), (1, 4), Follows::Again),
        ((1, 4), (1, 4), (3, 1), Follows::Next { missing: 0 }),
        ((1, 4), (1, 4), (3, 3), Follows::Next { missing: 2 }),
        ((1, 4), (1, 5), (3, 1), Follows::Gap),
        ((3, 4), (1, 5), (2, 1), Follows::Again),
        ((1, 2), (1, 1), (1, 3), Follows::Next { missing: 0 }),
    ] {
        let [taken, after, next] = [taken, after, next].map(|(epoch, number)| place(epoch, number));
        assert_eq!(follows(taken, after, next), is, "{taken:?}, {after:?}, {next:?}");
    }
}

#[test]
fn an_instant_of_the_bridge_is_placed_between_those_that_are_known() {
    let met = |ticks, boot, ms| Met { ticks: Ticks(ticks), at: HubTicks { boot: BootNo(boot), ms } };
    assert_eq!(placed(Ticks(5), &[]), None);
    // The bridge's crystal is slow: 1 000 of its milliseconds are 1 100 of the hub's.
    let known = [met(1_000, 3, 50_000), met(2_000, 3, 51_100)];
    for (ticks, ms) in [(500, 49_500), (1_000, 50_000), (1_500, 50_550), (2_000, 51_100), (2_500, 51_600)] {
        assert_eq!(placed(Ticks(ticks), &known), Some(at(ms)), "{ticks}");
    }
    // The hub started between: the nearer one says.
    let known = [met(1_000, 2, 90_000), met(9_000, 3, 4_000)];
    assert_eq!(placed(Ticks(4_000), &known), Some(HubTicks { boot: BootNo(2), ms: 93_000 }));
    assert_eq!(placed(Ticks(6_000), &known), Some(at(1_000)));
    assert_eq!(placed(Ticks(4_999), &known[1..]), Some(at(-1)), "before the hub's boot");
    assert_eq!(placed(Ticks(u64::MAX), &known).map(|at| at.ms), Some(i64::MAX));
}

fn done(token: u16, outcome: Outcome<'_>) -> Vec<u8> {
    frame(&ToHub::Done { token, outcome })
}

/// In parts, each when the one before was taken; from the beginning where one was not.
#[test]
fn a_configuration_is_sent_until_the_bridge_has_it() {
    let mut line = talking();
    line.configure(vec![1; 200], at(100));
    assert_eq!(wants(&mut line), ["configure 2: 0+192 of 200"]);
    line.octets(&done(2, Outcome::Good), at(110));
    assert_eq!(wants(&mut line), ["configure 3: 192+8 of 200"]);
    line.octets(&done(3, Outcome::Refused("a part is missing")), at(120));
    assert_eq!(wants(&mut line), ["configure 4: 0+192 of 200"]);
    line.timeout(at(5_000));
    assert_eq!(wants(&mut line), [""; 0]);
    assert_eq!(line.poll(), Poll::Wait(at(5_120)));
    line.timeout(at(5_120));
    assert_eq!(wants(&mut line), ["configure 5: 0+192 of 200"]);
    line.octets(&done(4, Outcome::Good), at(5_130));
    assert_eq!(wants(&mut line), ["Done(4, Ok(()))"], "too late");
    line.octets(&done(5, Outcome::Good), at(5_140));
    line.octets(&done(6, Outcome::Good), at(5_150));
    let sent = wants(&mut line);
    assert_eq!(sent, ["configure 6: 192+8 of 200", "Configured(Ok(()))"]);
    // It has it.
    line.configure(vec![1; 200], at(6_000));
    assert_eq!(wants(&mut line), ["Configured(Ok(()))"]);
    // What it has no room for a person has to know.
    line.configure(vec![2; 10], at(7_000));
    for token in 7..=10 {
        assert_eq!(wants(&mut line), [format!("configure {token}: 0+10 of 10")]);
        line.octets(&done(token, Outcome::Refused("too long")), at(7_100));
    }
    assert_eq!(wants(&mut line), ["Configured(Err(\"too long\"))"]);
    // Another, and then the one before: by then nobody knows which of the two the bridge works by.
    line.configure(vec![1; 10], at(8_000));
    line.octets(&done(11, Outcome::Good), at(8_010));
    line.configure(vec![2; 10], at(8_020));
    line.configure(vec![1; 10], at(8_030));
    let sent = [
        "configure 11: 0+10 of 10",
        "Configured(Ok(()))",
        "configure 12: 0+10 of 10",
        "configure 13: 0+10 of 10",
    ];
    assert_eq!(wants(&mut line), sent);
    line.configure(vec![1; 10], at(8_040));
    assert_eq!(wants(&mut line), [""; 0], "it is on its way");
}

#[test]
fn a_bridge_that_starts_anew_is_configured_if_it_has_another() {
    let mut line = talking();
    line.octets(&hello(8, true, place(7, 3)), at(100));
    assert_eq!(wants(&mut line), ["greet host"]);
    // It has none, and is to have none.
    line.configure(vec![hearth_wire::frame::plan::FORMAT], at(101));
    assert_eq!(wants(&mut line), [""; 0]);
    line.known(Known { taken: place(7, 3), first_epoch: 0 }, at(102));
    assert_eq!(wants(&mut line), ["Configured(Ok(()))", "acknowledge 7:3", "time 2"]);
    line.octets(&hello(8, true, place(7, 3)), at(200));
    line.configure(vec![1, 2], at(201));
    line.known(Known { taken: place(7, 3), first_epoch: 0 }, at(202));
    assert_eq!(wants(&mut line), ["greet host", "configure 3: 0+2 of 2", "acknowledge 7:3", "time 4"]);
}

/// The octets worked out by hand from the layout in `frame::plan`.
#[test]
fn a_house_is_what_its_bridge_does() {
    use crate::identity::{Address, AddressKind};
    use crate::profile::{Catalog, ProfileName};
    use crate::radio::session::Known;
    use hearth_wire::frame::plan::{Entries, Security, Step};

    let catalog = Catalog::standard();
    let meter = catalog.get(&ProfileName("generic/glucose".into())).unwrap();
    let cuff = catalog.get(&ProfileName("generic/blood-pressure".into())).unwrap();
    let known = Known::default();
    let at = |kind, last| Address { octets: [0xC0, 0xFF, 0xEE, 0, 0, last], kind };
    let housed = |kind, last, profile| Housed { address: at(kind, last), profile, known: &known };
    let now = jiff::Timestamp::UNIX_EPOCH;
    let both = [housed(AddressKind::Identity, 1, meter), housed(AddressKind::Public, 2, cuff)];
    let octets = configuration(both, now).unwrap();
    let devices: Vec<_> = Entries::of(&octets).unwrap().map(Result::unwrap).collect();
    assert_eq!(devices[0].peer, peer(at(AddressKind::Identity, 1)).unwrap());
    assert_eq!((devices[0].security, devices[1].security), (Security::Authenticated, Security::Bonded));
    assert!({ devices[0].steps }.any(|step| matches!(step, Ok(Step::Collect { from: None, .. }))));
    assert!({ devices[1].steps }.any(|step| matches!(step, Ok(Step::Drain))));
    assert_eq!(peer(at(AddressKind::Private, 3)), None, "it has another address tomorrow");
    assert_eq!(configuration([], now), Some(vec![1]));
}

/// On 2024-11-03T06:00:00Z the clocks of New York were set back; Berlin's had been.
#[test]
fn a_bridge_knows_the_time_until_the_clocks_change() {
    use crate::when::{Anchor, AnchorSource, BootNo, Span, ZoneName};
    use hearth_wire::frame::TimeOfDay;
    use jiff::{SignedDuration, Timestamp};

    let utc = |text: &str| -> Timestamp { text.parse().unwrap() };
    let told = |anchored: HubTicks, off_s: i64, zones: &[&str]| {
        let near = |s| utc("2024-11-03T05:00:10Z").checked_add(SignedDuration::from_secs(s)).unwrap();
        let span = Span { earliest: near(-off_s), latest: near(off_s) };
        let anchor = Anchor { at: anchored, utc: span, source: AnchorSource::Synchronised };
        // The bridge counted 7 000 ten seconds before.
        let met = Met { ticks: Ticks(7_000), at: at(50_000) };
        time_of_day(5, (3, met), &anchor, zones.iter().filter_map(|zone| ZoneName::parse(zone)))
    };
    let time = TimeOfDay {
        configuration: 5,
        epoch: 3,
        at: Ticks(7_000),
        utc_ms: u64::try_from(utc("2024-11-03T05:00:00Z").as_millisecond()).unwrap(),
        until: Ticks(7_000 + 6 * 3_600_000),
    };
    assert_eq!(told(at(60_000), 1, &[]), Some(time));
    assert_eq!(told(at(60_000), 1, &["Europe/Berlin", "Asia/Tokyo"]), Some(time));
    let until_then = TimeOfDay { until: Ticks(7_000 + 3_595_000), ..time };
    assert_eq!(told(at(60_000), 1, &["Europe/Berlin", "America/New_York"]), Some(until_then));
    assert_eq!(told(at(60_000), 2, &[]), None, "the hub knows it too loosely");
    assert_eq!(told(HubTicks { boot: BootNo(99), ..at(60_000) }, 1, &[]), None, "in another boot");
}
