//! What BlueZ's errors mean to a session and to the adapter. BlueZ 5.66 to 5.82, `src/gatt-client.c`,
//! `create_gatt_dbus_error`; btleplug hands them on as they are.

use bluez_async::BluetoothError;
use hearth_core::radio::adapter::Answer;
use hearth_core::radio::session::Fault;

/// D-Bus' name of an error, and what was said.
fn named(error: &btleplug::Error) -> (&str, &str) {
    if let btleplug::Error::Other(inner) = error
        && let Some(BluetoothError::DbusError(error)) = inner.downcast_ref()
    {
        return (error.name().unwrap_or_default(), error.message().unwrap_or_default());
    }
    ("", "")
}

/// Why a request of a session was not done.
pub(super) fn of_request(error: &btleplug::Error) -> Fault {
    let (name, said) = named(error);
    request(name, said)
}

fn request(name: &str, said: &str) -> Fault {
    /// Core, Volume 3, Part F, 3.4.1.1.
    const READ_NOT_PERMITTED: u8 = 0x02;
    const WRITE_NOT_PERMITTED: u8 = 0x03;
    const REQUEST_NOT_SUPPORTED: u8 = 0x06;
    const INVALID_OFFSET: u8 = 0x07;
    const AUTHORIZATION: u8 = 0x08;
    const INVALID_LENGTH: u8 = 0x0D;
    const UNLIKELY: u8 = 0x0E;
    let code = said.rsplit_once("0x").and_then(|(_, digits)| u8::from_str_radix(digits, 16).ok());
    match name.strip_prefix("org.bluez.Error.") {
        Some("NotPermitted") if said.starts_with("Read") => Fault::Att(READ_NOT_PERMITTED),
        Some("NotPermitted") if said.starts_with("Write") => Fault::Att(WRITE_NOT_PERMITTED),
        // "Not paired": authentication, encryption or the size of its key.
        Some("NotPermitted") => Fault::NotAllowed,
        Some("NotAuthorized") => Fault::Att(AUTHORIZATION),
        Some("NotSupported") => Fault::Att(REQUEST_NOT_SUPPORTED),
        Some("InvalidOffset") => Fault::Att(INVALID_OFFSET),
        Some("InvalidLength" | "InvalidValueLength") => Fault::Att(INVALID_LENGTH),
        Some("Failed") if said.contains("ATT error") => Fault::Att(code.unwrap_or(UNLIKELY)),
        Some("Failed") if said == "Not connected" => Fault::Gone,
        Some("Failed" | "InProgress" | "InvalidArguments") => Fault::Att(UNLIKELY),
        Some(_) => Fault::Gone,
        None if name == "org.freedesktop.DBus.Error.NoReply" => Fault::Unanswered,
        // The object went with the link, or btleplug knows no such characteristic.
        None => Fault::Gone,
    }
}

/// What became of a command to the adapter.
pub(super) fn of_command(error: &btleplug::Error) -> Answer {
    command(named(error).0)
}

fn command(name: &str) -> Answer {
    match name {
        "org.bluez.Error.InProgress" => Answer::InProgress,
        "org.bluez.Error.NotReady" | "org.bluez.Error.Busy" => Answer::Busy,
        "org.freedesktop.DBus.Error.NoReply" => Answer::Unanswered,
        _ => Answer::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_of_bluez_has_its_meaning() {
        for (name, said, meant) in [
            ("org.bluez.Error.NotPermitted", "Not paired", Fault::NotAllowed),
            ("org.bluez.Error.NotPermitted", "Read not permitted", Fault::Att(0x02)),
            ("org.bluez.Error.NotPermitted", "Write not permitted", Fault::Att(0x03)),
            ("org.bluez.Error.NotAuthorized", "Operation Not Authorized", Fault::Att(0x08)),
            ("org.bluez.Error.Failed", "Operation failed with ATT error: 0x80", Fault::Att(0x80)),
            ("org.bluez.Error.Failed", "Operation failed with ATT error: 0x05", Fault::Att(0x05)),
            ("org.bluez.Error.Failed", "Not connected", Fault::Gone),
            ("org.bluez.Error.NotConnected", "", Fault::Gone),
            ("org.freedesktop.DBus.Error.UnknownObject", "no such path", Fault::Gone),
            ("org.freedesktop.DBus.Error.NoReply", "", Fault::Unanswered),
            ("", "", Fault::Gone),
        ] {
            assert_eq!(request(name, said), meant, "{name}: {said}");
        }
    }

    #[test]
    fn a_scan_that_is_on_is_not_a_scan_that_fails() {
        assert_eq!(command("org.bluez.Error.InProgress"), Answer::InProgress);
        assert_eq!(command("org.bluez.Error.NotReady"), Answer::Busy);
        assert_eq!(command("org.freedesktop.DBus.Error.Spawn.ExecFailed"), Answer::Failed);
    }
}
