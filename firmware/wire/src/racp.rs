//! Record Access Control Point, 0x2A52.

use crate::gatt::DateTime;
use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// Op code, operator, and what follows, as sent. Unknown codes survive.
///
/// Bluetooth GATT Specification Supplement, "Record Access Control Point"; its use by meters: Glucose
/// Service, "Record Access Control Point". Layout: op code u8, operator u8, operand.
///
/// Tolerated: an operator where the standard wants Null (kept), octets after the operand (handed back), and
/// op codes, operators and filter types of a maker's own (kept whole, as [`Operand::Other`]).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordAccessControlPoint<'a> {
    pub opcode: Opcode,
    pub operator: Operator,
    pub operand: Operand<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opcode(pub u8);

impl Opcode {
    pub const REPORT_STORED_RECORDS: Opcode = Opcode(1);
    pub const DELETE_STORED_RECORDS: Opcode = Opcode(2);
    pub const ABORT_OPERATION: Opcode = Opcode(3);
    pub const REPORT_NUMBER_OF_STORED_RECORDS: Opcode = Opcode(4);
    pub const NUMBER_OF_STORED_RECORDS_RESPONSE: Opcode = Opcode(5);
    pub const RESPONSE_CODE: Opcode = Opcode(6);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Operator(pub u8);

impl Operator {
    pub const NULL: Operator = Operator(0);
    pub const ALL_RECORDS: Operator = Operator(1);
    pub const LESS_THAN_OR_EQUAL_TO: Operator = Operator(2);
    pub const GREATER_THAN_OR_EQUAL_TO: Operator = Operator(3);
    pub const WITHIN_RANGE_OF: Operator = Operator(4);
    /// The oldest.
    pub const FIRST_RECORD: Operator = Operator(5);
    /// The most recent.
    pub const LAST_RECORD: Operator = Operator(6);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponseCode(pub u8);

impl ResponseCode {
    pub const SUCCESS: ResponseCode = ResponseCode(1);
    pub const OP_CODE_NOT_SUPPORTED: ResponseCode = ResponseCode(2);
    pub const INVALID_OPERATOR: ResponseCode = ResponseCode(3);
    pub const OPERATOR_NOT_SUPPORTED: ResponseCode = ResponseCode(4);
    pub const INVALID_OPERAND: ResponseCode = ResponseCode(5);
    /// No error: the meter holds nothing that was asked for.
    pub const NO_RECORDS_FOUND: ResponseCode = ResponseCode(6);
    pub const ABORT_UNSUCCESSFUL: ResponseCode = ResponseCode(7);
    pub const PROCEDURE_NOT_COMPLETED: ResponseCode = ResponseCode(8);
    pub const OPERAND_NOT_SUPPORTED: ResponseCode = ResponseCode(9);
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand<'a> {
    None,
    /// Filter type 1.
    Sequence(u16),
    /// Filter type 1: from and to, both included.
    SequenceRange(u16, u16),
    /// Filter type 2.
    UserFacingTime(DateTime),
    /// Filter type 2: from and to, both included.
    UserFacingTimeRange(DateTime, DateTime),
    /// Operand of op code 5.
    Count(u16),
    /// Operand of op code 6: which request, and what became of it.
    Response {
        request: Opcode,
        code: ResponseCode,
    },
    /// Every octet after the operator, an unknown filter type included (see
    /// [`RecordAccessControlPoint::filter_type`]).
    Other(&'a [u8]),
}

const FILTER_SEQUENCE_NUMBER: u8 = 1;
const FILTER_USER_FACING_TIME: u8 = 2;

impl<'a> RecordAccessControlPoint<'a> {
    pub const UUID: u16 = 0x2A52;

    /// Refuses an operand that the op code and the operator require and that is not wholly there.
    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let opcode = Opcode(reader.u8("op code")?);
        let operator = Operator(reader.u8("operator")?);
        let operand = match (opcode, operator) {
            (Opcode::NUMBER_OF_STORED_RECORDS_RESPONSE, _) => {
                Operand::Count(reader.u16("number of records")?)
            }
            (Opcode::RESPONSE_CODE, _) => Operand::Response {
                request: Opcode(reader.u8("request op code")?),
                code: ResponseCode(reader.u8("response code")?),
            },
            (Opcode::ABORT_OPERATION, _) => Operand::None,
            (opcode, operator) if takes_filter(opcode, operator) => filter(operator, octets, &mut reader)?,
            (opcode, Operator::ALL_RECORDS | Operator::FIRST_RECORD | Operator::LAST_RECORD)
                if asks(opcode) =>
            {
                Operand::None
            }
            _ => match reader.rest() {
                [] => Operand::None,
                rest => Operand::Other(rest),
            },
        };
        Ok(reader.done(Self { opcode, operator, operand }))
    }

    /// Ten octets are enough for all but a time range (17) and [`Operand::Other`].
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u8("op code", self.opcode.0)?;
        writer.u8("operator", self.operator.0)?;
        match self.operand {
            Operand::None => {}
            Operand::Sequence(number) => {
                writer.u8("filter type", FILTER_SEQUENCE_NUMBER)?;
                writer.u16("sequence number", number)?;
            }
            Operand::SequenceRange(from, to) => {
                writer.u8("filter type", FILTER_SEQUENCE_NUMBER)?;
                writer.u16("first sequence number", from)?;
                writer.u16("last sequence number", to)?;
            }
            Operand::UserFacingTime(time) => {
                writer.u8("filter type", FILTER_USER_FACING_TIME)?;
                writer.date_time("user-facing time", time)?;
            }
            Operand::UserFacingTimeRange(from, to) => {
                writer.u8("filter type", FILTER_USER_FACING_TIME)?;
                writer.date_time("first user-facing time", from)?;
                writer.date_time("last user-facing time", to)?;
            }
            Operand::Count(count) => writer.u16("number of records", count)?,
            Operand::Response { request, code } => {
                writer.u8("request op code", request.0)?;
                writer.u8("response code", code.0)?;
            }
            Operand::Other(octets) => writer.octets("operand", octets)?,
        }
        Ok(writer.done())
    }

    /// What a filtered request filters by: 1 sequence number, 2 user-facing time, else a maker's own, in which
    /// case it is the first octet of [`Operand::Other`]. `None` where there is no filter.
    pub fn filter_type(&self) -> Option<u8> {
        match self.operand {
            Operand::Sequence(_) | Operand::SequenceRange(..) => Some(FILTER_SEQUENCE_NUMBER),
            Operand::UserFacingTime(_) | Operand::UserFacingTimeRange(..) => Some(FILTER_USER_FACING_TIME),
            Operand::Other(octets) if takes_filter(self.opcode, self.operator) => octets.first().copied(),
            Operand::Other(_) | Operand::None | Operand::Count(_) | Operand::Response { .. } => None,
        }
    }
}

/// Requests about stored records: report, delete, count.
fn asks(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::REPORT_STORED_RECORDS
            | Opcode::DELETE_STORED_RECORDS
            | Opcode::REPORT_NUMBER_OF_STORED_RECORDS
    )
}

fn takes_filter(opcode: Opcode, operator: Operator) -> bool {
    asks(opcode)
        && matches!(
            operator,
            Operator::LESS_THAN_OR_EQUAL_TO | Operator::GREATER_THAN_OR_EQUAL_TO | Operator::WITHIN_RANGE_OF
        )
}

/// The operand of a filtered request. `octets` is the whole value, for a filter that we do not know.
fn filter<'a>(
    operator: Operator,
    octets: &'a [u8],
    reader: &mut Reader<'a>,
) -> Result<Operand<'a>, Malformed> {
    let range = operator == Operator::WITHIN_RANGE_OF;
    Ok(match (reader.u8("filter type")?, range) {
        (FILTER_SEQUENCE_NUMBER, false) => Operand::Sequence(reader.u16("sequence number")?),
        (FILTER_SEQUENCE_NUMBER, true) => {
            Operand::SequenceRange(reader.u16("first sequence number")?, reader.u16("last sequence number")?)
        }
        (FILTER_USER_FACING_TIME, false) => Operand::UserFacingTime(reader.date_time("user-facing time")?),
        (FILTER_USER_FACING_TIME, true) => Operand::UserFacingTimeRange(
            reader.date_time("first user-facing time")?,
            reader.date_time("last user-facing time")?,
        ),
        _ => {
            reader.rest();
            Operand::Other(octets.get(2..).unwrap_or_default())
        }
    })
}
