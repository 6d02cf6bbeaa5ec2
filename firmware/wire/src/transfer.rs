//! Collecting stored records: sans-IO.
