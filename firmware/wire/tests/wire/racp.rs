//! The control point's octets, worked out by hand.

use hearth_wire::gatt::DateTime;
use hearth_wire::racp::{Opcode, Operand, Operator, RecordAccessControlPoint, ResponseCode};
use hearth_wire::transfer::{Request, Response};
use hearth_wire::{Malformed, NoRoom};

use crate::octets;

/// GATT Specification Supplement, "Record Access Control Point": op codes, operators, response codes in order.
#[test]
fn control_point_codes_in_their_order() {
    let opcodes = [
        Opcode::REPORT_STORED_RECORDS,
        Opcode::DELETE_STORED_RECORDS,
        Opcode::ABORT_OPERATION,
        Opcode::REPORT_NUMBER_OF_STORED_RECORDS,
        Opcode::NUMBER_OF_STORED_RECORDS_RESPONSE,
        Opcode::RESPONSE_CODE,
    ];
    assert_eq!(opcodes.map(|opcode| opcode.0), [1, 2, 3, 4, 5, 6]);
    let operators = [
        Operator::NULL,
        Operator::ALL_RECORDS,
        Operator::LESS_THAN_OR_EQUAL_TO,
        Operator::GREATER_THAN_OR_EQUAL_TO,
        Operator::WITHIN_RANGE_OF,
        Operator::FIRST_RECORD,
        Operator::LAST_RECORD,
    ];
    assert_eq!(operators.map(|operator| operator.0), [0, 1, 2, 3, 4, 5, 6]);
    let codes = [
        ResponseCode::SUCCESS,
        ResponseCode::OP_CODE_NOT_SUPPORTED,
        ResponseCode::INVALID_OPERATOR,
        ResponseCode::OPERATOR_NOT_SUPPORTED,
        ResponseCode::INVALID_OPERAND,
        ResponseCode::NO_RECORDS_FOUND,
        ResponseCode::ABORT_UNSUCCESSFUL,
        ResponseCode::PROCEDURE_NOT_COMPLETED,
        ResponseCode::OPERAND_NOT_SUPPORTED,
    ];
    assert_eq!(codes.map(|code| code.0), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/// GATT Specification Supplement, "Record Access Control Point": which op codes and operators take what.
#[test]
fn control_points_by_the_letter() {
    let time = DateTime { year: 2026, month: 5, day: 12, hours: 18, minutes: 53, seconds: 54 };
    let rows: [(&str, Operand<'_>, Option<u8>, &[u8]); 17] = [
        ("0202010700", Operand::Sequence(7), Some(1), &[]),
        ("0403010700", Operand::Sequence(7), Some(1), &[]),
        ("0404010A001400", Operand::SequenceRange(10, 20), Some(1), &[]),
        ("010202EA07050C123536", Operand::UserFacingTime(time), Some(2), &[]),
        ("010402EA07050C123536EA07050C123536", Operand::UserFacingTimeRange(time, time), Some(2), &[]),
        // what trails is handed back
        ("0101AA", Operand::None, None, &[0xAA]),
        ("0105AA", Operand::None, None, &[0xAA]),
        ("0106AA", Operand::None, None, &[0xAA]),
        ("0300AA", Operand::None, None, &[0xAA]),
        ("0103012D00AA", Operand::Sequence(45), Some(1), &[0xAA]),
        ("05000200AA", Operand::Count(2), None, &[0xAA]),
        // an operator that the op code does not take, or that nobody knows
        ("0301", Operand::None, None, &[]),
        ("0100", Operand::None, None, &[]),
        ("0107AABB", Operand::Other(&[0xAA, 0xBB]), None, &[]),
        // a filter that nobody knows, bare
        ("010304", Operand::Other(&[0x04]), Some(4), &[]),
        // an op code of a maker's own, bare
        ("1000", Operand::None, None, &[]),
        ("1103FFFF", Operand::Other(&[0xFF, 0xFF]), None, &[]),
    ];
    for (sent, operand, filter_type, trailing) in rows {
        let sent = octets(sent);
        let decoded = RecordAccessControlPoint::decode(&sent).unwrap();
        assert_eq!(decoded.value.operand, operand, "{sent:02X?}");
        assert_eq!(decoded.value.filter_type(), filter_type, "{sent:02X?}");
        assert_eq!(decoded.trailing, trailing, "{sent:02X?}");
    }
}

/// Glucose Service, "Record Access Control Point": octets worked out by hand.
#[test]
fn requests_as_octets() {
    let rows: [(Request, &[u8]); 5] = [
        (Request::Count { from: None }, &[4, 1]),
        (Request::Count { from: Some(45) }, &[4, 3, 1, 45, 0]),
        (Request::Report { from: None }, &[1, 1]),
        (Request::Report { from: Some(300) }, &[1, 3, 1, 0x2C, 0x01]),
        (Request::Abort, &[3, 0]),
    ];
    for (request, octets) in rows {
        assert_eq!(request.encode(&mut [0; 5]), Ok(octets), "{request:?}");
    }
    assert_eq!(Request::Abort.encode(&mut [0; 1]), Err(NoRoom { field: "operator" }));
}

#[test]
fn answers_from_octets() {
    let result = |of, code| Response::Result { of: Opcode(of), code: ResponseCode(code) };
    let not_an_answer = |value| Err(Malformed::Unexpected { field: "op code", at: 0, value });
    let rows: [(&[u8], Result<Response, Malformed>); 7] = [
        (&[5, 0, 2, 0], Ok(Response::Count(2))),
        (&[5, 0, 0xFF, 0xFF], Ok(Response::Count(65_535))),
        // an operator other than Null
        (&[5, 1, 2, 0], Ok(Response::Count(2))),
        (&[6, 0, 1, 1], Ok(result(1, 1))),
        (&[6, 0, 4, 200], Ok(result(4, 200))),
        (&[1, 1], not_an_answer(1)),
        (&[0x11, 0, 0xFF, 0xFF], not_an_answer(0x11)),
    ];
    for (octets, response) in rows {
        let decoded = RecordAccessControlPoint::decode(octets).unwrap();
        assert_eq!(Response::try_from(decoded.value), response, "{octets:?}");
    }
}
