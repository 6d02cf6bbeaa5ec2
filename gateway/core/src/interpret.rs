//! Measurement to what is known of it: specials, plausibility, doubts.
