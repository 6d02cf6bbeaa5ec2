//! What a record system's answer means: receipt in, verdict out.
