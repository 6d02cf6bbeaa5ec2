//! One file per characteristic, named as in the GATT Specification Supplement.

pub mod battery_level;
pub mod blood_pressure_feature;
pub mod blood_pressure_measurement;
pub mod blood_pressure_record;
pub mod body_composition_feature;
pub mod body_composition_measurement;
pub mod cgm_measurement;
pub mod current_elapsed_time;
pub mod current_time;
pub mod database_change_increment;
pub mod date_time;
pub mod device_information;
pub mod enhanced_blood_pressure_measurement;
pub mod glucose_feature;
pub mod glucose_measurement;
pub mod glucose_measurement_context;
pub mod heart_rate_measurement;
pub mod intermediate_cuff_pressure;
mod kept;
pub mod local_time_information;
pub mod plx_spot_check_measurement;
pub mod pnp_id;
pub mod regulatory_certification_data_list;
mod resolution;
pub mod temperature_measurement;
pub mod user_control_point;
pub mod weight_measurement;
pub mod weight_scale_feature;

pub use battery_level::BatteryLevel;
pub use blood_pressure_feature::BloodPressureFeature;
pub use blood_pressure_measurement::{
    BloodPressureMeasurement, BloodPressureStatus, PressureUnit, PulseRange,
};
pub use blood_pressure_record::BloodPressureRecord;
pub use body_composition_feature::BodyCompositionFeature;
pub use body_composition_measurement::{BodyCompositionMeasurement, Unmergeable};
pub use cgm_measurement::CgmMeasurement;
pub use current_elapsed_time::{ClockState, CurrentElapsedTime, TimeResolution};
pub use current_time::CurrentTime;
pub use database_change_increment::DatabaseChangeIncrement;
pub use date_time::DateTime;
pub use device_information::SystemId;
pub use enhanced_blood_pressure_measurement::{EnhancedBloodPressureMeasurement, Epoch};
pub use glucose_feature::GlucoseFeature;
pub use glucose_measurement::{
    Concentration, ConcentrationUnit, GlucoseMeasurement, GlucoseStatus, TimeOffset,
};
pub use glucose_measurement_context::{
    Carbohydrate, Exercise, GlucoseMeasurementContext, Medication, MedicationUnit, TesterHealth,
};
pub use heart_rate_measurement::{HeartRateMeasurement, RrIntervals, SensorContact};
pub use intermediate_cuff_pressure::IntermediateCuffPressure;
pub use kept::{Kept, kept, timeless};
pub use local_time_information::LocalTimeInformation;
pub use plx_spot_check_measurement::{PlxMeasurementStatus, PlxSensorStatus, PlxSpotCheckMeasurement};
pub use pnp_id::PnpId;
pub use regulatory_certification_data_list::RegulatoryCertificationDataList;
pub use temperature_measurement::{TemperatureMeasurement, TemperatureUnit};
pub use user_control_point::{UserControlPoint, UserControlResult};
pub use weight_measurement::{BodyMassIndexHeight, WeightMeasurement, WeightUnit};
pub use weight_scale_feature::WeightScaleFeature;
