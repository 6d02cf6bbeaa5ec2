//! The cable between a board and a hub: a serial line that the hub finds by its name, and that anybody may pull out.

use crate::machine::Machine;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a plug that is pulled may still carry something.
const TICK: Duration = Duration::from_millis(20);

/// A cable that is plugged in at both ends.
#[derive(Debug)]
pub(crate) struct Cable {
    name: PathBuf,
    pulled: Arc<AtomicBool>,
    to_hub: Option<JoinHandle<Receiver<Vec<u8>>>>,
    to_board: Option<JoinHandle<()>>,
}

impl Cable {
    /// From now on the hub finds the board under this name. What the board said before is gone: nobody listened.
    pub(crate) fn plug(machine: &mut Machine, name: &Path) -> Cable {
        let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&line).unwrap();
        unlockpt(&line).unwrap();
        let end = ptsname(&line, vec![]).unwrap();
        let end = Path::new(OsStr::from_bytes(end.as_bytes()));
        // Nothing is to be echoed before the hub has opened it; and it stays as long as this end does.
        let hub_end = OpenOptions::new().read(true).write(true).open(end).unwrap();
        let mut modes = tcgetattr(&hub_end).unwrap();
        modes.make_raw();
        tcsetattr(&hub_end, OptionalActions::Now, &modes).unwrap();
        _ = std::fs::remove_file(name);
        std::os::unix::fs::symlink(end, name).unwrap();

        let pulled = Arc::new(AtomicBool::new(false));
        let line = Arc::new(line);
        let from_board = std::mem::replace(&mut machine.from_board, channel().1);
        from_board.try_iter().for_each(drop);
        let (here, is_pulled) = (Arc::clone(&line), Arc::clone(&pulled));
        let to_hub = std::thread::spawn(move || {
            // With it the hub hears nothing of a hub that closes the line and opens it again.
            let _hub_end = hub_end;
            while !is_pulled.load(Ordering::Relaxed) {
                match from_board.recv_timeout(TICK) {
                    Ok(octets) => write(&here, &octets),
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            from_board
        });
        let (is_pulled, mut board) = (Arc::clone(&pulled), machine.to_board.try_clone().unwrap());
        let to_board = std::thread::spawn(move || {
            let mut buffer = [0; 256];
            while !is_pulled.load(Ordering::Relaxed) {
                if let Some(many @ 1..) = read(&line, &mut buffer)
                    && board.write_all(&buffer[..many]).is_err()
                {
                    break;
                }
            }
        });
        Cable { name: name.to_owned(), pulled, to_hub: Some(to_hub), to_board: Some(to_board) }
    }

    /// Out of the board and of the hub, in the middle of whatever was said.
    pub(crate) fn pull(mut self, machine: &mut Machine) {
        if let Some(from_board) = self.ends() {
            machine.from_board = from_board;
        }
    }

    fn ends(&mut self) -> Option<Receiver<Vec<u8>>> {
        self.pulled.store(true, Ordering::Relaxed);
        _ = std::fs::remove_file(&self.name);
        self.to_board.take().map(JoinHandle::join);
        self.to_hub.take()?.join().ok()
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.ends();
    }
}

/// What a line that nobody reads does not take is lost, as on a wire.
fn write(line: &OwnedFd, mut octets: &[u8]) {
    while !octets.is_empty()
        && let Ok(many @ 1..) = rustix::io::write(line, octets)
    {
        octets = &octets[many..];
    }
}

fn read(line: &OwnedFd, buffer: &mut [u8]) -> Option<usize> {
    let tick = Timespec { tv_sec: 0, tv_nsec: TICK.as_nanos() as i64 };
    let mut comes = [PollFd::new(line, PollFlags::IN)];
    if poll(&mut comes, Some(&tick)).ok()? == 0 {
        return None;
    }
    rustix::io::read(line, buffer).ok()
}
