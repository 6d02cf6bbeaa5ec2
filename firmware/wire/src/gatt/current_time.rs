use super::DateTime;

/// Current Time, 0x2A2B.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CurrentTime {
    pub date_time: DateTime,
    /// 1 Monday … 7 Sunday, 0 unknown
    pub day_of_week: u8,
    pub fractions256: u8,
    pub adjust_reason: u8,
}
