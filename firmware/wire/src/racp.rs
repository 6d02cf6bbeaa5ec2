//! Record Access Control Point, 0x2A52.

/// Op code, operator, and what follows, as sent. Unknown codes survive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordAccessControlPoint<'a> {
    pub opcode: Opcode,
    pub operator: Operator,
    pub operand: Operand<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opcode(pub u8);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operator(pub u8);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponseCode(pub u8);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand<'a> {
    None,
    Sequence(u16),
    SequenceRange(u16, u16),
    UserFacingTime(crate::gatt::DateTime),
    UserFacingTimeRange(crate::gatt::DateTime, crate::gatt::DateTime),
    Count(u16),
    Response { request: Opcode, code: ResponseCode },
    Other(&'a [u8]),
}
