//! What things are called outside: one table of codes, each row with its source.
//!
//! MDC: ISO/IEEE 11073-10101, as the 32-bit number that HL7 PHD 2.0 asks for (partition x 65536 + term).
//! LOINC rows whose names were checked in public value sets only; a quantity without such a row goes out with
//! its MDC code alone (docs/mapping.md, "Codes without a verified LOINC code").

use crate::profile::{BodySite, Kind, Sample};
use crate::reading::Quantity;
use hearth_wire::gatt::{ConcentrationUnit, TemperatureUnit, WeightUnit};

/// Code systems and other names that HL7 fixed.
pub(super) mod system {
    pub(crate) const MDC: &str = "urn:iso:std:iso:11073:10101";
    pub(crate) const LOINC: &str = "http://loinc.org";
    pub(crate) const UCUM: &str = "http://unitsofmeasure.org";
    pub(crate) const SNOMED: &str = "http://snomed.info/sct";
    pub(crate) const STATUS_BITS: &str = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7";
    pub(crate) const ABSENT: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
    pub(crate) const CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
    pub(crate) const PHD_CATEGORY: &str = "http://hl7.org/fhir/uv/phd/CodeSystem/PhdObservationCategories";
    pub(crate) const MEASUREMENT_STATUS: &str = "http://hl7.org/fhir/uv/pocd/CodeSystem/measurement-status";
    pub(crate) const US_CORE_TAGS: &str = "http://hl7.org/fhir/us/core/CodeSystem/us-core-tags";
    pub(crate) const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
    pub(crate) const DEVICE_IDENTIFIER: &str =
        "http://terminology.hl7.org/CodeSystem/ContinuaDeviceIdentifiers";
    pub(crate) const EUI_64: &str = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680";
    pub(crate) const BLUETOOTH: &str = "http://hl7.org/fhir/sid/eui-48/bluetooth";
    pub(crate) const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
    pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
    pub(crate) const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
}

/// Extensions that HL7 defined.
pub(super) mod extension {
    pub(crate) const GATEWAY_DEVICE: &str =
        "http://hl7.org/fhir/StructureDefinition/observation-gatewayDevice";
    pub(crate) const COINCIDENT_TIME: &str =
        "http://hl7.org/fhir/uv/phd/StructureDefinition/CoincidentTimeStampReference";
    pub(crate) const LABEL_BASIS: &str =
        "http://hl7.org/fhir/uv/security-label-ds4p/StructureDefinition/extension-sec-label-basis";
    pub(crate) const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
}

/// One thing that is observed, in the words of each code system.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    pub mdc: u32,
    /// Reference identifier of 11073-10101.
    pub name: &'static str,
    pub loinc: Option<Loinc>,
    /// US Core asks for two where R4 asks for one of them.
    pub second_loinc: Option<Loinc>,
    /// For people.
    pub text: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loinc {
    pub code: &'static str,
    pub display: &'static str,
}

/// A unit in UCUM, and as people write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ucum {
    pub code: &'static str,
    pub text: &'static str,
}

const fn code(
    mdc: u32,
    name: &'static str,
    loinc: Option<(&'static str, &'static str)>,
    text: &'static str,
) -> Code {
    let loinc = match loinc {
        Some((code, display)) => Some(Loinc { code, display }),
        None => None,
    };
    Code { mdc, name, loinc, second_loinc: None, text }
}

/// docs/mapping.md; HL7 example compound-numeric-blood-pressure.
pub const BLOOD_PRESSURE: Code = code(
    150_020,
    "MDC_PRESS_BLD_NONINV",
    Some(("85354-9", "Blood pressure panel with all children optional")),
    "Blood pressure",
);
/// docs/mapping.md: bits observation derived from the pressure; HL7 example bpm-status.
pub const BLOOD_PRESSURE_STATUS: Code = code(
    8_410_608,
    "MDC_BLOOD_PRESSURE_MEASUREMENT_STATUS",
    None,
    "Status of the blood pressure measurement",
);
/// PHD 2.0: glucose meter status.
pub const GLUCOSE_STATUS: Code =
    code(8_417_752, "MDC_GLU_METER_DEV_STATUS", None, "Status of the glucose meter");
/// PHD 2.0, coincident time stamp: coincident time stamp of a clock that shows a date and a time of day.
pub const ABSOLUTE_TIME: Code = code(67_975, "MDC_ATTR_TIME_ABS", None, "Absolute time");
/// 11073-10417 (docs/mapping.md).
pub const MEAL: Code = code(8_417_864, "MDC_CTXT_GLU_MEAL", None, "Meal context");
/// 11073-10417.
pub const TESTER: Code = code(8_417_884, "MDC_CTXT_GLU_TESTER", None, "Who tested");
/// 11073-10417.
pub const HEALTH: Code = code(8_417_820, "MDC_CTXT_GLU_HEALTH", None, "Health when tested");
/// docs/mapping.md.
pub const HBA1C: Code = code(160_220, "MDC_CONC_HBA1C", None, "Haemoglobin A1c");

/// docs/mapping.md, a row each. Glucose is not among them: its code depends on sample and unit ([`glucose`]).
pub const fn of(quantity: Quantity) -> Code {
    match quantity {
        Quantity::Systolic => code(
            150_021,
            "MDC_PRESS_BLD_NONINV_SYS",
            Some(("8480-6", "Systolic blood pressure")),
            "Systolic blood pressure",
        ),
        Quantity::Diastolic => code(
            150_022,
            "MDC_PRESS_BLD_NONINV_DIA",
            Some(("8462-4", "Diastolic blood pressure")),
            "Diastolic blood pressure",
        ),
        Quantity::MeanArterialPressure => code(
            150_023,
            "MDC_PRESS_BLD_NONINV_MEAN",
            Some(("8478-0", "Mean blood pressure")),
            "Mean blood pressure",
        ),
        Quantity::PulseRate => {
            code(149_546, "MDC_PULS_RATE_NON_INV", Some(("8867-4", "Heart rate")), "Pulse rate")
        }
        Quantity::Glucose => code(160_020, "MDC_CONC_GLU_GEN", None, "Glucose"),
        Quantity::BodyWeight => {
            code(188_736, "MDC_MASS_BODY_ACTUAL", Some(("29463-7", "Body weight")), "Body weight")
        }
        Quantity::BodyHeight => {
            code(188_740, "MDC_LEN_BODY_ACTUAL", Some(("8302-2", "Body height")), "Body height")
        }
        Quantity::BodyMassIndex => code(
            188_752,
            "MDC_RATIO_MASS_BODY_LEN_SQ",
            Some(("39156-5", "Body mass index (BMI) [Ratio]")),
            "Body mass index",
        ),
        Quantity::BodyFat => code(
            188_748,
            "MDC_BODY_FAT",
            Some(("41982-0", "Percentage of body fat Measured")),
            "Body fat percentage",
        ),
        Quantity::FatFreeMass => code(188_756, "MDC_MASS_BODY_FAT_FREE", None, "Fat-free mass"),
        Quantity::SoftLeanMass => code(188_760, "MDC_MASS_BODY_SOFT_LEAN", None, "Soft lean mass"),
        Quantity::BodyWaterMass => code(188_764, "MDC_BODY_WATER", None, "Body water mass"),
        Quantity::BodyTemperature => {
            code(150_364, "MDC_TEMP_BODY", Some(("8310-5", "Body temperature")), "Body temperature")
        }
        Quantity::OxygenSaturation => Code {
            second_loinc: Some(Loinc { code: "2708-6", display: "Oxygen saturation in Arterial blood" }),
            ..code(
                150_456,
                "MDC_PULS_OXIM_SAT_O2",
                Some(("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry")),
                "Oxygen saturation",
            )
        },
        Quantity::HeartRate => {
            code(147_842, "MDC_ECG_HEART_RATE", Some(("8867-4", "Heart rate")), "Heart rate")
        }
    }
}

/// docs/mapping.md: a pulse that an oximeter tells has a code of its own.
pub const PULSE_FROM_OXIMETER: Code =
    code(149_530, "MDC_PULS_OXIM_PULS_RATE", Some(("8867-4", "Heart rate")), "Pulse rate");

const CAPILLARY: [(&str, &str); 2] = [
    ("41653-7", "Glucose [Mass/volume] in Capillary blood by Glucometer"),
    ("14743-9", "Glucose [Moles/volume] in Capillary blood by Glucometer"),
];
const VENOUS: [(&str, &str); 2] = [
    ("41652-9", "Glucose [Mass/volume] in Venous blood"),
    ("39480-9", "Glucose [Moles/volume] in Venous blood"),
];
const ARTERIAL: [(&str, &str); 2] = [
    ("41651-1", "Glucose [Mass/volume] in Arterial blood"),
    ("39481-7", "Glucose [Moles/volume] in Arterial blood"),
];
const BLOOD: [(&str, &str); 2] =
    [("2339-0", "Glucose [Mass/volume] in Blood"), ("15074-8", "Glucose [Moles/volume] in Blood")];
const INTERSTITIAL: [(&str, &str); 2] = [
    ("99504-3", "Glucose [Mass/volume] in Interstitial fluid"),
    ("105272-9", "Glucose [Moles/volume] in Interstitial fluid"),
];

/// CLINICAL 8: LOINC by what the profile says the sample is, MDC by the record's type nibble. A type that the
/// standard reserves has MDC's general code and no LOINC code.
pub const fn glucose(kind: u8, unit: ConcentrationUnit, sample: Option<Sample>) -> Code {
    let fingerstick = matches!(sample, Some(Sample::Fingerstick));
    let (mdc, name, rows) = match kind {
        1 => (160_184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", CAPILLARY),
        2 => (160_188, "MDC_CONC_GLU_CAPILLARY_PLASMA", CAPILLARY),
        3 => (160_192, "MDC_CONC_GLU_VENOUS_WHOLEBLOOD", VENOUS),
        4 => (160_196, "MDC_CONC_GLU_VENOUS_PLASMA", VENOUS),
        5 => (160_200, "MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD", ARTERIAL),
        6 => (160_204, "MDC_CONC_GLU_ARTERIAL_PLASMA", ARTERIAL),
        7 => (160_364, "MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD", if fingerstick { CAPILLARY } else { BLOOD }),
        8 => (160_368, "MDC_CONC_GLU_UNDETERMINED_PLASMA", if fingerstick { CAPILLARY } else { BLOOD }),
        9 => (160_212, "MDC_CONC_GLU_ISF", INTERSTITIAL),
        _ => return of(Quantity::Glucose),
    };
    let [mass, moles] = rows;
    let loinc = match unit {
        ConcentrationUnit::KilogramPerLitre => mass,
        ConcentrationUnit::MolePerLitre => moles,
    };
    code(mdc, name, Some(loinc), "Glucose")
}

/// Meal value of 2A34 to 11073-10417. Bedtime (5) has no verified code: text only (CLINICAL 11).
pub const fn meal(value: u8) -> Option<Code> {
    Some(match value {
        1 => code(8_417_868, "MDC_CTXT_GLU_MEAL_PREPRANDIAL", None, "before meal"),
        2 => code(8_417_872, "MDC_CTXT_GLU_MEAL_POSTPRANDIAL", None, "after meal"),
        3 => code(8_417_876, "MDC_CTXT_GLU_MEAL_FASTING", None, "fasting"),
        4 => code(8_417_880, "MDC_CTXT_GLU_MEAL_CASUAL", None, "casual"),
        _ => return None,
    })
}

/// Carbohydrate id of 2A34 to 11073-10417: the kind of meal is the code of the amount.
pub const fn carbohydrate(id: u8) -> Option<Code> {
    Some(match id {
        1 => code(8_417_768, "MDC_CTXT_GLU_CARB_BREAKFAST", None, "breakfast"),
        2 => code(8_417_772, "MDC_CTXT_GLU_CARB_LUNCH", None, "lunch"),
        3 => code(8_417_776, "MDC_CTXT_GLU_CARB_DINNER", None, "dinner"),
        4 => code(8_417_780, "MDC_CTXT_GLU_CARB_SNACK", None, "snack"),
        5 => code(8_417_784, "MDC_CTXT_GLU_CARB_DRINK", None, "drink"),
        6 => code(8_417_788, "MDC_CTXT_GLU_CARB_SUPPER", None, "supper"),
        7 => code(8_417_792, "MDC_CTXT_GLU_CARB_BRUNCH", None, "brunch"),
        _ => return None,
    })
}

/// Medication id of 2A34 to 11073-10417.
pub const fn medication(id: u8) -> Option<Code> {
    Some(match id {
        1 => code(8_417_800, "MDC_CTXT_MEDICATION_RAPIDACTING", None, "rapid acting insulin"),
        2 => code(8_417_804, "MDC_CTXT_MEDICATION_SHORTACTING", None, "short acting insulin"),
        3 => code(8_417_808, "MDC_CTXT_MEDICATION_INTERMEDIATEACTING", None, "intermediate acting insulin"),
        4 => code(8_417_812, "MDC_CTXT_MEDICATION_LONGACTING", None, "long acting insulin"),
        5 => code(8_417_816, "MDC_CTXT_MEDICATION_PREMIX", None, "pre-mixed insulin"),
        _ => return None,
    })
}

/// Tester nibble of 2A34 to 11073-10417.
pub const fn tester(nibble: u8) -> Option<Code> {
    Some(match nibble {
        1 => code(8_417_888, "MDC_CTXT_GLU_TESTER_SELF", None, "self"),
        2 => code(8_417_892, "MDC_CTXT_GLU_TESTER_HCP", None, "health care professional"),
        3 => code(8_417_896, "MDC_CTXT_GLU_TESTER_LAB", None, "lab test"),
        _ => return None,
    })
}

/// Health nibble of 2A34 to 11073-10417.
pub const fn health(nibble: u8) -> Option<Code> {
    Some(match nibble {
        1 => code(8_417_824, "MDC_CTXT_GLU_HEALTH_MINOR", None, "minor health issues"),
        2 => code(8_417_828, "MDC_CTXT_GLU_HEALTH_MAJOR", None, "major health issues"),
        3 => code(8_417_832, "MDC_CTXT_GLU_HEALTH_MENSES", None, "during menses"),
        4 => code(8_417_836, "MDC_CTXT_GLU_HEALTH_STRESS", None, "under stress"),
        5 => code(8_417_840, "MDC_CTXT_GLU_HEALTH_NONE", None, "no health issues"),
        _ => return None,
    })
}

/// Location nibble of 2A18, in words: a body site comes from the profile alone (CLINICAL 15).
pub const fn location(nibble: u8) -> Option<&'static str> {
    Some(match nibble {
        1 => "finger",
        2 => "alternate site",
        3 => "earlobe",
        _ => return None,
    })
}

/// docs/mapping.md: R4 vital signs fix `mm[Hg]`.
pub const MILLIMETRE_OF_MERCURY: Ucum = Ucum { code: "mm[Hg]", text: "mm[Hg]" };
pub const PER_MINUTE: Ucum = Ucum { code: "/min", text: "beats/min" };
pub const GRAM: Ucum = Ucum { code: "g", text: "g" };
pub const MILLIGRAM: Ucum = Ucum { code: "mg", text: "mg" };
pub const MILLILITRE: Ucum = Ucum { code: "mL", text: "mL" };
pub const PERCENT: Ucum = Ucum { code: "%", text: "%" };
pub const KILOGRAM_PER_SQUARE_METRE: Ucum = Ucum { code: "kg/m2", text: "kg/m2" };

/// kg/L goes out as mg/dL, mol/L as mmol/L; never one as the other (CLINICAL 8). With the exponent shift that
/// the change is: +5 and +3 (IEEE 11073-20601).
pub const fn concentration(unit: ConcentrationUnit) -> (Ucum, i8) {
    match unit {
        ConcentrationUnit::KilogramPerLitre => (Ucum { code: "mg/dL", text: "mg/dL" }, 5),
        ConcentrationUnit::MolePerLitre => (Ucum { code: "mmol/L", text: "mmol/L" }, 3),
    }
}

/// The unit that the scale sent (docs/mapping.md).
pub const fn weight(unit: WeightUnit) -> Ucum {
    match unit {
        WeightUnit::Si => Ucum { code: "kg", text: "kg" },
        WeightUnit::Imperial => Ucum { code: "[lb_av]", text: "lb" },
    }
}

/// m goes out as cm, an exponent shift of +2: R4 bodyheight takes `cm` and `[in_i]`.
pub const fn height(unit: WeightUnit) -> (Ucum, i8) {
    match unit {
        WeightUnit::Si => (Ucum { code: "cm", text: "cm" }, 2),
        WeightUnit::Imperial => (Ucum { code: "[in_i]", text: "in" }, 0),
    }
}

/// The unit that the thermometer sent: R4 bodytemp takes both.
pub const fn temperature(unit: TemperatureUnit) -> Ucum {
    match unit {
        TemperatureUnit::Celsius => Ucum { code: "Cel", text: "°C" },
        TemperatureUnit::Fahrenheit => Ucum { code: "[degF]", text: "°F" },
    }
}

/// Temperature Type of 2A1C, in words: a body site comes from the profile alone (CLINICAL 15).
pub const fn temperature_site(kind: u8) -> Option<&'static str> {
    Some(match kind {
        1 => "armpit",
        2 => "body, in general",
        3 => "ear",
        4 => "finger",
        5 => "gastrointestinal tract",
        6 => "mouth",
        7 => "rectum",
        8 => "toe",
        9 => "tympanum",
        _ => return None,
    })
}

/// PHD 2.0: what a PHD specializes in.
pub const fn specialization(kind: Kind) -> Code {
    match kind {
        Kind::BloodPressureMonitor => {
            code(528_391, "MDC_DEV_SPEC_PROFILE_BP", None, "Blood pressure monitor")
        }
        Kind::GlucoseMeter => code(528_401, "MDC_DEV_SPEC_PROFILE_GLUCOSE", None, "Glucose meter"),
        Kind::WeightScale => code(528_399, "MDC_DEV_SPEC_PROFILE_SCALE", None, "Weight scale"),
        Kind::BodyCompositionAnalyzer => {
            code(528_404, "MDC_DEV_SPEC_PROFILE_BCA", None, "Body composition analyzer")
        }
        Kind::Thermometer => code(528_392, "MDC_DEV_SPEC_PROFILE_TEMP", None, "Thermometer"),
        Kind::PulseOximeter => code(528_388, "MDC_DEV_SPEC_PROFILE_PULS_OXIM", None, "Pulse oximeter"),
        // 11073-10406, the sub-specialization.
        Kind::HeartRateMonitor => code(528_525, "MDC_DEV_SUB_SPEC_PROFILE_HR", None, "Heart rate monitor"),
    }
}

/// SNOMED CT and words, by the profile (CLINICAL 15).
pub const fn body_site(site: BodySite) -> (&'static str, &'static str) {
    match site {
        BodySite::UpperArm => ("40983000", "Upper arm"),
        BodySite::Wrist => ("8205005", "Wrist"),
    }
}
