use crate::reader::Reader;
use crate::writer::Writer;
use crate::{Decoded, Malformed, NoRoom};

/// User Control Point, 0x2A9F: whose records a scale may tell.
///
/// Bluetooth GATT Specification Supplement, "User Control Point"; User Data Service, "User Control Point".
/// Layout: op code u8, then its parameter. Op codes that are not listed here are kept whole; octets after a
/// request's parameter are handed back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UserControlPoint<'a> {
    /// Op code 1. `consent`: the code that the user is to know, 0 to 9999.
    RegisterNewUser {
        consent: u16,
    },
    /// Op code 2.
    Consent {
        user_index: u8,
        consent: u16,
    },
    /// Op code 3: of the user who consented.
    DeleteUserData,
    /// Op code 32. `parameter`: the new user's index, after a success of op code 1.
    Response {
        request: u8,
        result: UserControlResult,
        parameter: &'a [u8],
    },
    Other {
        opcode: u8,
        parameter: &'a [u8],
    },
}

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UserControlResult(pub u8);

impl UserControlResult {
    pub const SUCCESS: UserControlResult = UserControlResult(1);
    pub const OP_CODE_NOT_SUPPORTED: UserControlResult = UserControlResult(2);
    pub const INVALID_PARAMETER: UserControlResult = UserControlResult(3);
    pub const OPERATION_FAILED: UserControlResult = UserControlResult(4);
    /// The consent code is wrong: ask a person, and do not try again by oneself.
    pub const USER_NOT_AUTHORIZED: UserControlResult = UserControlResult(5);
}

pub const REGISTER_NEW_USER: u8 = 1;
pub const CONSENT: u8 = 2;
pub const DELETE_USER_DATA: u8 = 3;
pub const RESPONSE: u8 = 32;

impl<'a> UserControlPoint<'a> {
    pub const UUID: u16 = 0x2A9F;

    pub fn decode(octets: &'a [u8]) -> Result<Decoded<'a, Self>, Malformed> {
        let mut reader = Reader::new(octets)?;
        let value = match reader.u8("op code")? {
            REGISTER_NEW_USER => Self::RegisterNewUser { consent: reader.u16("consent code")? },
            CONSENT => {
                Self::Consent { user_index: reader.u8("user index")?, consent: reader.u16("consent code")? }
            }
            DELETE_USER_DATA => Self::DeleteUserData,
            RESPONSE => Self::Response {
                request: reader.u8("request op code")?,
                result: UserControlResult(reader.u8("response value")?),
                parameter: reader.rest(),
            },
            opcode => Self::Other { opcode, parameter: reader.rest() },
        };
        Ok(reader.done(value))
    }

    /// Four octets are enough for all but [`UserControlPoint::Other`] and a long response.
    pub fn encode<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b [u8], NoRoom> {
        let mut writer = Writer::new(buffer);
        writer.u8("op code", self.opcode())?;
        match *self {
            Self::RegisterNewUser { consent } => writer.u16("consent code", consent)?,
            Self::Consent { user_index, consent } => {
                writer.u8("user index", user_index)?;
                writer.u16("consent code", consent)?;
            }
            Self::DeleteUserData => {}
            Self::Response { request, result, parameter } => {
                writer.u8("request op code", request)?;
                writer.u8("response value", result.0)?;
                writer.octets("response parameter", parameter)?;
            }
            Self::Other { parameter, .. } => writer.octets("parameter", parameter)?,
        }
        Ok(writer.done())
    }

    pub fn opcode(&self) -> u8 {
        match *self {
            Self::RegisterNewUser { .. } => REGISTER_NEW_USER,
            Self::Consent { .. } => CONSENT,
            Self::DeleteUserData => DELETE_USER_DATA,
            Self::Response { .. } => RESPONSE,
            Self::Other { opcode, .. } => opcode,
        }
    }
}
