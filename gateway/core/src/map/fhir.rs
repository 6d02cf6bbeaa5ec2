//! Parcel to FHIR R4.
