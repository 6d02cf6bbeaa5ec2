use super::{Put, hex, time};
use crate::show::Fields;
use hearth_wire::gatt::user_control_point::REGISTER_NEW_USER;
use hearth_wire::gatt::{DatabaseChangeIncrement, UserControlPoint, UserControlResult};
use hearth_wire::racp::{Opcode, Operand, RecordAccessControlPoint};
use serde_json::json;

pub(super) fn control_point(m: &RecordAccessControlPoint<'_>) -> Fields {
    let put = Put::default().always("opcode", json!(m.opcode.0)).always("operator", json!(m.operator.0));
    match m.operand {
        Operand::None => put,
        Operand::Sequence(n) => put.always("filter_type", json!(1)).always("sequence", json!(n)),
        Operand::SequenceRange(a, b) => put.always("filter_type", json!(1)).always("sequence", json!([a, b])),
        Operand::UserFacingTime(t) => put.always("filter_type", json!(2)).always("time", time(t)),
        Operand::UserFacingTimeRange(a, b) => {
            put.always("filter_type", json!(2)).always("time", json!([time(a), time(b)]))
        }
        Operand::Count(n) => put.always("count", json!(n)),
        Operand::Response { request: Opcode(request), code } => {
            put.always("request_opcode", json!(request)).always("response_code", json!(code.0))
        }
        Operand::Other(octets) => {
            let filter = m.filter_type();
            let rest = octets.get(usize::from(filter.is_some())..).unwrap_or_default();
            put.given("filter_type", filter, |f| json!(f)).always("operand", hex(rest))
        }
    }
    .0
}

pub(super) fn user(m: &UserControlPoint<'_>) -> Fields {
    let put = Put::default().always("opcode", json!(m.opcode()));
    let parameter = |put: Put, sent: &[u8]| put.given("parameter", Some(sent).filter(|s| !s.is_empty()), hex);
    match *m {
        UserControlPoint::RegisterNewUser { consent } => put.always("consent", json!(consent)),
        UserControlPoint::Consent { user_index, consent } => {
            put.always("user_index", json!(user_index)).always("consent", json!(consent))
        }
        UserControlPoint::DeleteUserData => put,
        UserControlPoint::Response { request, result, parameter: sent } => {
            let put = put.always("request_opcode", json!(request)).always("result", json!(result.0));
            match (request, result, sent) {
                (REGISTER_NEW_USER, UserControlResult::SUCCESS, [user]) => {
                    put.always("user_index", json!(user))
                }
                _ => parameter(put, sent),
            }
        }
        UserControlPoint::Other { parameter: sent, .. } => parameter(put, sent),
    }
    .0
}

pub(super) fn change(m: &DatabaseChangeIncrement) -> Fields {
    Put::default().always("increment", json!(m.count)).0
}
