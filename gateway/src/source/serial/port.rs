//! A serial line: opened for nobody else, as octets and nothing more.
//!
//! By termios alone: what crates there are for it also look for ports, which a hub is told.

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{ControlModes, OptionalActions, ioctl_tiocexcl, tcgetattr, tcsetattr};
use std::fs::File;
use std::io;
use std::path::Path;
use tokio::net::unix::pipe;

/// The two directions of an open line. tokio's ends of a pipe wait for whatever can be waited for, and a line can.
pub(super) type Line = (pipe::Receiver, pipe::Sender);

/// Errors: whatever the system says; of a line that something else holds, that it is busy.
pub(super) fn open(path: &Path, baud: u32) -> io::Result<Line> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let line = rustix::fs::open(path, flags, Mode::empty())?;
    ioctl_tiocexcl(&line)?;
    let mut modes = tcgetattr(&line)?;
    modes.make_raw();
    // It is a line without a modem.
    modes.control_modes |= ControlModes::CLOCAL | ControlModes::CREAD;
    modes.set_speed(baud)?;
    tcsetattr(&line, OptionalActions::Now, &modes)?;
    let line = File::from(line);
    let other = line.try_clone()?;
    Ok((pipe::Receiver::from_file_unchecked(line)?, pipe::Sender::from_file_unchecked(other)?))
}

/// For a person: why a line can't be opened.
pub(super) fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this hub's user may not open it: make it a member of the group dialout".to_owned()
        }
        io::ErrorKind::ResourceBusy => "something else has opened it".to_owned(),
        _ if error.raw_os_error() == Some(Errno::NOTTY.raw_os_error()) => "it is no serial line".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_no_line_says_so() {
        for (path, said) in [
            ("/dev/null", "it is no serial line"),
            ("/nonexistent", "it is not there"),
            ("/", "Is a directory"),
        ] {
            let error = open(Path::new(path), 115_200).unwrap_err();
            assert!(why(&error).starts_with(said), "{path}: {error}");
        }
    }
}
