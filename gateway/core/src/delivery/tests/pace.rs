use super::super::*;
use jiff::Timestamp;
use std::time::Duration;

#[test]
fn retry_after_in_seconds_and_as_a_date() {
    // RFC 9110 5.6.7's own date, 37 s before.
    let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
    let rows = [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 5 ", Some(5)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(37)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", Some(37)),
        ("Sun Nov  6 08:49:37 1994", Some(37)),
        ("Sun, 06 Nov 1994 08:48:00 GMT", Some(0)),
        // At most a day is believed.
        ("86401", Some(86_400)),
        ("99999999999999999999999999", Some(86_400)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("+5", None),
    ];
    for (header, seconds) in rows {
        assert_eq!(retry_after(header, now), seconds.map(Duration::from_secs), "{header:?}");
    }
}

#[test]
fn backoff_doubles_up_to_its_cap_with_full_jitter() {
    let (base, cap) = (Duration::from_secs(1), Duration::from_secs(300));
    let half = u64::MAX / 2 + 1;
    for (attempt, ceiling) in
        [(0, 1), (1, 2), (4, 16), (8, 256), (9, 300), (31, 300), (32, 300), (u32::MAX, 300)]
    {
        let ceiling = Duration::from_secs(ceiling);
        assert_eq!(backoff(attempt, base, cap, 0), Duration::ZERO, "{attempt}");
        assert_eq!(backoff(attempt, base, cap, half), ceiling / 2, "{attempt}");
        let most = backoff(attempt, base, cap, u64::MAX);
        assert!(most < ceiling && ceiling - most <= Duration::from_micros(1), "{attempt}: {most:?}");
    }
    assert!(backoff(u32::MAX, Duration::MAX, Duration::MAX, u64::MAX) > Duration::from_secs(1 << 33));
}

#[test]
fn one_bad_among_a_hundred_is_found_and_no_other_lost() {
    for bad in 0..100 {
        let mut groups = Bisection::of((0..100).collect(), 100);
        let (mut carried, mut found, mut asked) = (Vec::new(), Vec::new(), 0);
        while let Some(group) = groups.take() {
            asked += 1;
            if !group.contains(&bad) {
                carried.extend(group);
            } else if let Err(alone) = groups.split(group) {
                found.extend(alone);
            }
        }
        assert_eq!(found, [bad]);
        assert_eq!(carried, (0..100).filter(|n| *n != bad).collect::<Vec<_>>(), "in order");
        // 1 + 2 * ceil(log2 100)
        assert!(asked <= 15, "{bad}: {asked}");
    }
}

#[test]
fn groups_have_their_size() {
    let mut groups = Bisection::of((0..7).collect(), 3);
    assert_eq!(groups.take(), Some(vec![0, 1, 2]));
    assert_eq!((groups.take(), groups.take(), groups.take()), (Some(vec![3, 4, 5]), Some(vec![6]), None));
    assert_eq!(Bisection::of(vec![1, 2], 0).take(), Some(vec![1]));
    assert_eq!(Bisection::<u8>::of(vec![], 5).take(), None);
}
