//! What must stand in the record, each once.

/// One measurement, and what must stand beside it.
pub(super) struct Expected {
    pub(super) what: &'static str,
    pub(super) patient: &'static str,
    /// Of any coding system.
    pub(super) code: &'static str,
    pub(super) effective: &'static str,
    /// Component code, or "" for the Observation itself, and the digits; "absent": a reason instead of a value.
    pub(super) values: &'static [(&'static str, &'static str)],
    pub(super) parts: &'static [Part],
}

/// An Observation that belongs to a measurement: the pulse that a cuff counted, the meal that was marked.
pub(super) struct Part {
    pub(super) what: &'static str,
    pub(super) code: &'static str,
    /// `None`: the measurement's own. A clock was asked when it was asked.
    pub(super) effective: Option<&'static str>,
    pub(super) values: &'static [(&'static str, &'static str)],
}

const fn part(
    what: &'static str,
    code: &'static str,
    values: &'static [(&'static str, &'static str)],
) -> Part {
    Part { what, code, effective: None, values }
}

/// What the device's clock showed when the hub asked.
const fn clock(asked: &'static str, shown: &'static [(&'static str, &'static str)]) -> Part {
    Part { what: "the device's clock", code: "67975", effective: Some(asked), values: shown }
}

const ADA: &str = "demo-ada";
const BEN: &str = "demo-ben";

/// 2A34, meal 2 and 1.
const AFTER_MEAL: Part = part("meal", "8417864", &[("", "8417872")]);
const BEFORE_MEAL: Part = part("meal", "8417864", &[("", "8417868")]);
/// The cuff's clock was right.
const ON_TIME: Part = clock("2026-05-13T08:00:10-04:00", &[("", "2026-05-13T08:00:10-04:00")]);

pub(super) const EXPECTED: [Expected; 11] = [
    Expected {
        what: "pressure 124/86",
        patient: ADA,
        code: "85354-9",
        effective: "2024-06-15T17:17:27-04:00",
        values: &[("8480-6", "124"), ("8462-4", "86"), ("8478-0", "97")],
        parts: &[part("pulse", "149546", &[("", "51")]), ON_TIME],
    },
    Expected {
        what: "failed pressure",
        patient: ADA,
        code: "150020",
        effective: "2026-05-13T07:58:00-04:00",
        values: &[("150021", "absent"), ("150022", "absent")],
        parts: &[ON_TIME],
    },
    Expected {
        what: "pressure 120/80 after the battery change",
        patient: ADA,
        code: "85354-9",
        // The clock showed two minutes past its new year when the hub's said 13:00:00Z.
        effective: "2026-05-13T08:58:00-04:00",
        values: &[("8480-6", "120"), ("8462-4", "80"), ("8478-0", "100")],
        parts: &[clock("2026-05-13T09:00:00-04:00", &[("", "2020-01-01T00:02:00-04:00")])],
    },
    Expected {
        what: "glucose 111 mg/dL",
        patient: ADA,
        code: "41653-7",
        effective: "2024-01-30T11:37:27-05:00",
        values: &[("", "111")],
        parts: &[AFTER_MEAL],
    },
    Expected {
        what: "glucose HI",
        patient: ADA,
        code: "41653-7",
        effective: "2024-06-15T17:17:27-04:00",
        // The maker's stated range ends at 600 mg/dL: more than that.
        values: &[("", ">600")],
        // Bit 5: the result is too high for the meter.
        parts: &[part("status", "8417752", &[("8417752.5", "true")])],
    },
    Expected {
        what: "weight 79.960 kg",
        patient: ADA,
        code: "29463-7",
        effective: "2026-05-12T18:53:54-04:00",
        values: &[("", "79.960")],
        // 0x00C2 x 0.1 %; 0x2FCC and 0x21CA x 0.005 kg.
        parts: &[
            part("body fat", "41982-0", &[("", "19.4")]),
            part("soft lean mass", "188760", &[("", "61.180")]),
            part("body water", "188764", &[("", "43.250")]),
        ],
    },
    Expected {
        what: "oxygen saturation 96 %",
        patient: ADA,
        code: "59408-5",
        effective: "2026-05-12T08:00:00-04:00",
        values: &[("", "96")],
        parts: &[part("pulse", "149530", &[("", "58")])],
    },
    Expected {
        what: "weight 61.370 kg",
        patient: BEN,
        code: "29463-7",
        effective: "2021-07-23T21:33:31-07:00",
        values: &[("", "61.370")],
        parts: &[],
    },
    Expected {
        what: "temperature 36.7 Cel",
        patient: BEN,
        code: "8310-5",
        effective: "2026-05-12T18:53:54-07:00",
        values: &[("", "36.7")],
        parts: &[],
    },
    Expected {
        what: "glucose 111 mg/dL of the other meter",
        patient: BEN,
        code: "160184",
        effective: "2018-09-19T22:27:07-07:00",
        values: &[("", "111")],
        parts: &[AFTER_MEAL],
    },
    Expected {
        what: "glucose 126 mg/dL of the other meter",
        patient: BEN,
        code: "160184",
        effective: "2018-10-06T08:47:50-07:00",
        values: &[("", "126")],
        parts: &[BEFORE_MEAL],
    },
];
