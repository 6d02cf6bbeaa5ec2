//! What was marked on the meter (2A34): all of it in words on the measurement, and as an Observation of its
//! own where 11073-10417 has a code that is certain.

use super::content::{Charted, Content, Measured, Note, Outcome};
use super::{Marked, Role};
use crate::decode::Measurement;
use crate::map::codes::{self, Code, Ucum};
use hearth_wire::gatt::{
    Carbohydrate, Exercise, GlucoseMeasurementContext, Medication, MedicationUnit, TesterHealth,
};
use hearth_wire::{Decimal, Value};

const NOT_AVAILABLE: u8 = 15;
const BEDTIME: u8 = 5;
const EXERCISE_OVERRUN: u16 = u16::MAX;

/// Words for the measurement, and Observations beside it.
#[derive(Default)]
pub(super) struct Told {
    pub(super) notes: Vec<Note>,
    pub(super) contents: Vec<Content>,
}

/// What a reading's companions tell.
pub(super) fn told(companions: &[Measurement]) -> Told {
    let contexts = companions.iter().filter_map(|companion| match companion {
        Measurement::GlucoseContext(context) => Some(context),
        // `admit` joins nothing else to a glucose measurement.
        _ => None,
    });
    let mut told = Told::default();
    contexts.zip(0..=u8::MAX).for_each(|(context, number)| told.context(context, number));
    told
}

impl Told {
    fn context(&mut self, context: &GlucoseMeasurementContext, number: u8) {
        let GlucoseMeasurementContext {
            sequence: _,
            extended_flags: _,
            carbohydrate,
            meal,
            tester_health,
            exercise,
            medication,
            hba1c_percent,
        } = *context;
        if let Some(meal) = meal {
            self.meal(meal, number);
        }
        if let Some(carbohydrate) = carbohydrate {
            self.carbohydrate(carbohydrate, number);
        }
        if let Some(medication) = medication {
            self.medication(medication, number);
        }
        if let Some(exercise) = exercise {
            self.exercise(exercise);
        }
        if let Some(percent) = hba1c_percent {
            self.say(format!("HbA1c {} (from the meter)", in_words(percent, 0, codes::PERCENT)));
            self.amount(Marked::Hba1c, number, Some(codes::HBA1C), percent, 0, codes::PERCENT);
        }
        if let Some(TesterHealth { tester, health }) = tester_health {
            self.coded(Marked::Tester, number, codes::TESTER, codes::tester(tester), "tested by", tester);
            self.coded(Marked::Health, number, codes::HEALTH, codes::health(health), "health", health);
        }
    }

    /// CLINICAL 11.
    fn meal(&mut self, value: u8, number: u8) {
        match codes::meal(value) {
            Some(code) => {
                self.say(format!("{} (marked on meter)", code.text));
                self.push(Marked::Meal, number, codes::MEAL, Outcome::Coded(code));
            }
            None if value == BEDTIME => self.say("bedtime (marked on meter)".to_owned()),
            None => self.say(format!("meal marker {value}, which has no defined meaning (marked on meter)")),
        }
    }

    fn carbohydrate(&mut self, carbohydrate: Carbohydrate, number: u8) {
        let Carbohydrate { id, kilograms } = carbohydrate;
        let code = codes::carbohydrate(id);
        let with = named(code, id);
        self.say(format!("carbohydrate {}, {with} (marked on meter)", in_words(kilograms, 3, codes::GRAM)));
        self.amount(Marked::Carbohydrate, number, code, kilograms, 3, codes::GRAM);
    }

    fn medication(&mut self, medication: Medication, number: u8) {
        let Medication { id, unit, amount } = medication;
        let (unit, shift) = match unit {
            MedicationUnit::Kilogram => (codes::MILLIGRAM, 6),
            MedicationUnit::Litre => (codes::MILLILITRE, 3),
        };
        let code = codes::medication(id);
        let what = named(code, id);
        self.say(format!("medication {}, {what} (marked on meter)", in_words(amount, shift, unit)));
        self.amount(Marked::Medication, number, code, amount, shift, unit);
    }

    /// Words only: 11073-10417 makes the duration a period whose start the meter does not tell.
    fn exercise(&mut self, exercise: Exercise) {
        let Exercise { seconds, intensity_percent } = exercise;
        let how_long = match seconds {
            EXERCISE_OVERRUN => "longer than the meter can count".to_owned(),
            seconds => format!("{seconds} s"),
        };
        self.say(format!("exercise {how_long} at {intensity_percent} % intensity (marked on meter)"));
    }

    fn coded(
        &mut self,
        marked: Marked,
        number: u8,
        code: Code,
        value: Option<Code>,
        words: &'static str,
        raw: u8,
    ) {
        match value {
            Some(value) => {
                self.say(format!("{words}: {} (marked on meter)", value.text));
                self.push(marked, number, code, Outcome::Coded(value));
            }
            None if raw == NOT_AVAILABLE => {}
            None => self.say(format!("{words}: {raw}, which has no defined meaning (marked on meter)")),
        }
    }

    fn amount(
        &mut self,
        marked: Marked,
        number: u8,
        code: Option<Code>,
        value: Value,
        shift: i8,
        unit: Ucum,
    ) {
        if let (Some(code), Some(value)) = (code, value.finite()) {
            let value = value.shifted(shift);
            self.push(marked, number, code, Outcome::Measured(Measured { value, comparator: None, unit }));
        }
    }

    fn push(&mut self, marked: Marked, number: u8, code: Code, outcome: Outcome) {
        self.contents.push(Content {
            role: Role::Context(number, marked),
            code,
            charted: Charted::Device,
            outcome,
            questionable: false,
            notes: vec![],
            derived_from: vec![Role::Measurement],
        });
    }

    fn say(&mut self, words: String) {
        self.notes.push(words.into());
    }
}

fn named(code: Option<Code>, id: u8) -> String {
    code.map_or_else(|| format!("kind {id}, which has no defined meaning"), |code| code.text.to_owned())
}

fn in_words(value: Value, shift: i8, unit: Ucum) -> String {
    let shifted = |decimal: Decimal| format!("{} {}", decimal.shifted(shift), unit.text);
    value.finite().map_or_else(|| "without a number".to_owned(), shifted)
}
