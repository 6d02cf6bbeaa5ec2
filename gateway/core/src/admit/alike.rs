//! Whose a weighing looks like. For the eyes of a person who decides: it makes nothing anybody's.

use hearth_wire::gatt::WeightMeasurement;

/// So many percent apart, two weighings may be one body's. Who is not twice as far away may be meant as well.
const ALIKE: i64 = 3;
const APART: i64 = 6;

/// Who of all that share a scale weighed nearly as much last, if nobody else weighed anything like it. `last`: the last weighing of
/// each; without one, or with one that can't be compared, anybody may be meant.
pub fn looks_like<P>(
    weight: &WeightMeasurement,
    last: impl IntoIterator<Item = (P, Option<WeightMeasurement>)>,
) -> Option<P> {
    let now = weight.weight?;
    let mut alike = None;
    for (person, known) in last {
        let known = known.filter(|known| known.unit == weight.unit)?.weight?;
        if known.exponent != now.exponent {
            return None;
        }
        let apart = (i64::from(now.mantissa) - i64::from(known.mantissa)).abs() * 100;
        let all = i64::from(known.mantissa);
        let near = apart <= all * APART;
        if near && (apart > all * ALIKE || alike.replace(person).is_some()) {
            return None;
        }
    }
    alike
}

#[cfg(test)]
mod tests {
    use super::*;
    use hearth_wire::gatt::WeightUnit;
    use hearth_wire::number::Decimal;

    fn weighs(grams: i32) -> WeightMeasurement {
        WeightMeasurement {
            unit: WeightUnit::Si,
            weight: Some(Decimal { mantissa: grams, exponent: -3 }),
            time_stamp: None,
            user_id: None,
            body_mass_index_height: None,
            reserved_flags: 0,
        }
    }

    #[test]
    fn only_one_whom_nobody_else_is_like_is_proposed() {
        let pounds = WeightMeasurement { unit: WeightUnit::Imperial, ..weighs(80_000) };
        for (now, ada, ben, who) in [
            (80_500, Some(weighs(80_000)), Some(weighs(61_000)), Some("Ada")),
            (62_000, Some(weighs(80_000)), Some(weighs(61_000)), Some("Ben")),
            // Nobody's, or both's, or nearly.
            (70_000, Some(weighs(80_000)), Some(weighs(61_000)), None),
            (80_500, Some(weighs(80_000)), Some(weighs(81_000)), None),
            (80_000, Some(weighs(80_000)), Some(weighs(76_000)), None),
            // Who was never weighed may be meant, and so may who was weighed in pounds.
            (80_500, Some(weighs(80_000)), None, None),
            (80_500, Some(weighs(80_000)), Some(pounds), None),
        ] {
            assert_eq!(looks_like(&weighs(now), [("Ada", ada), ("Ben", ben)]), who, "{now} {ada:?} {ben:?}");
        }
        assert_eq!(
            looks_like(&WeightMeasurement { weight: None, ..weighs(0) }, [("Ada", Some(weighs(0)))]),
            None
        );
    }
}
