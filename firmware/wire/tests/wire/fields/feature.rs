//! What devices say they can do, bit by bit in the standard's order.

use hearth_wire::gatt::{
    BloodPressureFeature, BloodPressureRecord, BodyCompositionFeature, GlucoseFeature, WeightScaleFeature,
};

use super::no_room;

/// GATT Specification Supplement, "Blood Pressure Feature".
#[test]
fn blood_pressure_feature_bit_by_bit() {
    use BloodPressureFeature as Feature;
    let in_order = [
        Feature::BODY_MOVEMENT_DETECTION,
        Feature::CUFF_FIT_DETECTION,
        Feature::IRREGULAR_PULSE_DETECTION,
        Feature::PULSE_RATE_RANGE_DETECTION,
        Feature::MEASUREMENT_POSITION_DETECTION,
        Feature::MULTIPLE_BONDS,
        Feature::E2E_CRC,
        Feature::USER_DATA_SERVICE,
        Feature::USER_FACING_TIME,
    ];
    for (bit, mask) in in_order.into_iter().enumerate() {
        assert_eq!(mask, 1 << bit);
        assert!(Feature(mask).has(mask) && !Feature(!mask).has(mask), "bit {bit}");
    }
    assert_eq!((Feature(0xFFFF).reserved_bits(), Feature(0x01FF).reserved_bits()), (0xFE00, 0));
}

/// GATT Specification Supplement, "Glucose Feature".
#[test]
fn glucose_feature_bit_by_bit() {
    use GlucoseFeature as Feature;
    let in_order = [
        Feature::LOW_BATTERY_DETECTION,
        Feature::SENSOR_MALFUNCTION_DETECTION,
        Feature::SAMPLE_SIZE,
        Feature::STRIP_INSERTION_ERROR_DETECTION,
        Feature::STRIP_TYPE_ERROR_DETECTION,
        Feature::RESULT_HIGH_LOW_DETECTION,
        Feature::TEMPERATURE_HIGH_LOW_DETECTION,
        Feature::READ_INTERRUPT_DETECTION,
        Feature::GENERAL_DEVICE_FAULT,
        Feature::TIME_FAULT,
        Feature::MULTIPLE_BONDS,
    ];
    for (bit, mask) in in_order.into_iter().enumerate() {
        assert_eq!(mask, 1 << bit);
        assert!(Feature(mask).has(mask) && !Feature(!mask).has(mask), "bit {bit}");
    }
    assert_eq!((Feature(0xFFFF).reserved_bits(), Feature(0x07FF).reserved_bits()), (0xF800, 0));
}

/// GATT Specification Supplement, "Weight Scale Feature": bits 0 to 2, weight class 3 to 6, height class 7 to 9.
#[test]
fn weight_scale_feature_bit_by_bit() {
    use WeightScaleFeature as Feature;
    assert_eq!([Feature::TIME_STAMP, Feature::MULTIPLE_USERS, Feature::BODY_MASS_INDEX], [1, 2, 4]);
    assert!(Feature(2).has(Feature::MULTIPLE_USERS) && !Feature(5).has(Feature::MULTIPLE_USERS));
    for class in 0..=15 {
        let feature = Feature(!0x78 | u32::from(class) << 3);
        assert_eq!((feature.weight_resolution_class(), feature.height_resolution_class()), (class, 7));
    }
    for class in 0..=7 {
        let feature = Feature(!0x380 | u32::from(class) << 7);
        assert_eq!((feature.weight_resolution_class(), feature.height_resolution_class()), (15, class));
    }
    assert_eq!((Feature(u32::MAX).reserved_bits(), Feature(0x3FF).reserved_bits()), (0xFFFF_FC00, 0));
}

/// GATT Specification Supplement, "Body Composition Feature": bits 0 to 10, mass class 11 to 14, height class
/// 15 to 17.
#[test]
fn body_composition_feature_bit_by_bit() {
    use BodyCompositionFeature as Feature;
    let in_order = [
        Feature::TIME_STAMP,
        Feature::MULTIPLE_USERS,
        Feature::BASAL_METABOLISM,
        Feature::MUSCLE_PERCENTAGE,
        Feature::MUSCLE_MASS,
        Feature::FAT_FREE_MASS,
        Feature::SOFT_LEAN_MASS,
        Feature::BODY_WATER_MASS,
        Feature::IMPEDANCE,
        Feature::WEIGHT,
        Feature::HEIGHT,
    ];
    for (bit, mask) in in_order.into_iter().enumerate() {
        assert_eq!(mask, 1 << bit);
        assert!(Feature(mask).has(mask) && !Feature(!mask).has(mask), "bit {bit}");
    }
    for class in 0..=15 {
        let feature = Feature(!0x7800 | u32::from(class) << 11);
        assert_eq!((feature.mass_resolution_class(), feature.height_resolution_class()), (class, 7));
    }
    for class in 0..=7 {
        let feature = Feature(!0x3_8000 | u32::from(class) << 15);
        assert_eq!((feature.mass_resolution_class(), feature.height_resolution_class()), (15, class));
    }
    assert_eq!((Feature(u32::MAX).reserved_bits(), Feature(0x3_FFFF).reserved_bits()), (0xFFFC_0000, 0));
}

#[test]
fn a_segment_counter_of_more_than_six_bits_is_not_written() {
    let segment = BloodPressureRecord {
        first: true,
        last: true,
        counter: 63,
        sequence: 0,
        characteristic: 0,
        part: &[],
    };
    assert_eq!(segment.encode(&mut [0; 5]), Ok([0xFF, 0, 0, 0, 0].as_slice()));
    let segment = BloodPressureRecord { counter: 64, ..segment };
    assert_eq!(segment.encode(&mut [0; 5]), no_room("segmentation header"));
}
