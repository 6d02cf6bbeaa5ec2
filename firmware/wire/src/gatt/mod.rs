//! One file per characteristic, named as in the GATT Specification Supplement.

pub mod blood_pressure_measurement;
pub mod current_time;
pub mod date_time;
pub mod device_information;
pub mod glucose_measurement;
pub mod glucose_measurement_context;
mod kept;
pub mod weight_measurement;

pub use blood_pressure_measurement::{
    BloodPressureMeasurement, BloodPressureStatus, PressureUnit, PulseRange,
};
pub use current_time::CurrentTime;
pub use date_time::DateTime;
pub use device_information::SystemId;
pub use glucose_measurement::{
    Concentration, ConcentrationUnit, GlucoseMeasurement, GlucoseStatus, TimeOffset,
};
pub use glucose_measurement_context::{
    Carbohydrate, Exercise, GlucoseMeasurementContext, Medication, MedicationUnit, TesterHealth,
};
pub use kept::{Kept, kept, timeless};
pub use weight_measurement::{BodyMassIndexHeight, WeightMeasurement, WeightUnit};
