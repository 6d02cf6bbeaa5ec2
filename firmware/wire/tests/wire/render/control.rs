use hearth_wire::gatt::{DatabaseChangeIncrement, UserControlPoint, UserControlResult};
use hearth_wire::racp::{Operand, RecordAccessControlPoint};
use serde_json::{Map, Value as Json, json};

use super::{insert, time};

pub(super) fn control_point(racp: &RecordAccessControlPoint<'_>, to: &mut Map<String, Json>) {
    to.insert("opcode".into(), json!(racp.opcode.0));
    to.insert("operator".into(), json!(racp.operator.0));
    insert(to, "filter_type", racp.filter_type().map(Json::from));
    match racp.operand {
        Operand::None => {}
        Operand::Sequence(number) => insert(to, "sequence", Some(json!(number))),
        Operand::SequenceRange(from, until) => insert(to, "sequence", Some(json!([from, until]))),
        Operand::UserFacingTime(at) => insert(to, "time", Some(time(at))),
        Operand::UserFacingTimeRange(from, until) => {
            insert(to, "time", Some(json!([time(from), time(until)])))
        }
        Operand::Count(count) => insert(to, "count", Some(json!(count))),
        Operand::Response { request, code } => {
            insert(to, "request_opcode", Some(json!(request.0)));
            insert(to, "response_code", Some(json!(code.0)));
        }
        Operand::Other(octets) => {
            let after_filter = &octets[usize::from(racp.filter_type().is_some())..];
            insert(to, "operand", Some(json!(crate::hex(after_filter).to_lowercase())));
        }
    }
}

pub(super) fn user(control: &UserControlPoint<'_>, to: &mut Map<String, Json>) {
    to.insert("opcode".into(), json!(control.opcode()));
    match *control {
        UserControlPoint::RegisterNewUser { consent } => insert(to, "consent", Some(json!(consent))),
        UserControlPoint::Consent { user_index, consent } => {
            insert(to, "user_index", Some(json!(user_index)));
            insert(to, "consent", Some(json!(consent)));
        }
        UserControlPoint::DeleteUserData => {}
        UserControlPoint::Response { request, result, parameter } => {
            insert(to, "request_opcode", Some(json!(request)));
            insert(to, "result", Some(json!(result.0)));
            match (request, result, parameter) {
                (_, _, []) => {}
                (1, UserControlResult::SUCCESS, [user]) => insert(to, "user_index", Some(json!(user))),
                _ => insert(to, "parameter", Some(json!(crate::hex(parameter).to_lowercase()))),
            }
        }
        UserControlPoint::Other { parameter, .. } => {
            insert(to, "parameter", Some(json!(crate::hex(parameter).to_lowercase())));
        }
    }
}

pub(super) fn change(change: &DatabaseChangeIncrement, to: &mut Map<String, Json>) {
    to.insert("increment".into(), json!(change.count));
}
