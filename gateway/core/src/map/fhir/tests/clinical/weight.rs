//! Weight, height and index.

use super::super::super::Role;
use super::super::support::*;
use super::{MEASUREMENT, check, roles, usual};
use crate::parcel::Policy;

#[test]
fn clinical_14_height_and_index_only_where_asked() {
    // wt-01: 61.370 kg, BMI 21.2, 1.700 m.
    let parcel = weight("0E F22F E507071715211F 02 D400 A406");
    roles("CLINICAL 14", &parcel, &usual(), &[Role::Meter, Role::Hub, MEASUREMENT, Role::Provenance]);
    let asked = Policy { height_and_bmi: true, ..usual() };
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyMassIndex,
        &[
            ("/code/coding/0/code", r#""188752""#),
            ("/code/coding/1/code", r#""39156-5""#),
            (
                "/valueQuantity",
                r#"{"value":21.2,"unit":"kg/m2","system":"http://unitsofmeasure.org","code":"kg/m2"}"#,
            ),
            ("/note/0/text", r#""Calculated by the scale from a height that was typed in""#),
        ],
    );
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyHeight,
        &[
            ("/code/coding/0/code", r#""188740""#),
            ("/code/coding/1/code", r#""8302-2""#),
            (
                "/valueQuantity",
                r#"{"value":170.0,"unit":"cm","system":"http://unitsofmeasure.org","code":"cm"}"#,
            ),
        ],
    );
    // wt-12: 157.00 lb, BMI 24.5, 68.0 in.
    let parcel = weight("0F 543D E7070C190E1E2D 03 F500 A802");
    check(
        "CLINICAL 14",
        &parcel,
        &asked,
        Role::BodyHeight,
        &[("/valueQuantity/value", "68.0"), ("/valueQuantity/code", r#""[in_i]""#)],
    );
}

#[test]
fn clinical_14_and_17_weight_in_the_unit_that_was_sent() {
    let parcel = weight("0E F22F E507071715211F 02 D400 A406");
    check(
        "CLINICAL 14",
        &parcel,
        &usual(),
        MEASUREMENT,
        &[
            ("/category/0/coding/0/code", r#""vital-signs""#),
            ("/code/coding/0/code", r#""188736""#),
            ("/code/coding/1/code", r#""29463-7""#),
            (
                "/valueQuantity",
                r#"{"value":61.370,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}"#,
            ),
        ],
    );
    // wt-08: 157.00 lb.
    check(
        "CLINICAL 14",
        &weight("01 543D"),
        &usual(),
        MEASUREMENT,
        &[(
            "/valueQuantity",
            r#"{"value":157.00,"unit":"lb","system":"http://unitsofmeasure.org","code":"[lb_av]"}"#,
        )],
    );
}
