//! A firmware onto an ESP32-C3, over the line that its chip has: by the bootloader in its ROM, with its maker's bootloader before it.
//!
//! Espressif's serial protocol is espflash's. A line that is the chip's own USB, or an adapter's, starts that bootloader by its control
//! lines; any other, such as a hub's own UART, leaves that to a button, or to `hearth bridge reset --line PATH --bootloader`.

use super::flash::segments;
use super::{Ending, Shown, exit};
use espflash::connection::{Connection, ResetAfterOperation, ResetBeforeOperation};
use espflash::flasher::{FlashData, FlashSettings, FlashSize, Flasher};
use espflash::image_format::ImageFormat;
use espflash::image_format::idf::IdfBootloaderFormat;
use espflash::target::{Chip, ProgressCallbacks};
use hearth_wire::frame::image::Mark;
use indicatif::ProgressBar;
use rustix::fs::{MemfdFlags, memfd_create};
use serialport::{FlowControl, SerialPortType, UsbPortInfo};
use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BOARD: &str = "esp32c3";
/// What is where in its flash.
const PARTITIONS: &str = include_str!("../../../firmware/boards/esp32c3/partitions.csv");
/// At which a ROM listens.
const BAUD: u32 = 115_200;
/// No maker of USB devices has this number: the line is none of USB's, or a hub's own.
const NOBODY: u16 = 0;
const ANSWERS: Duration = Duration::from_secs(3);
const BUTTON: &str = "hold its button BOOT, press RESET, and begin again";
const PLUG: &str = "plug the board in, and stop the hub that has its line";

pub(super) fn flash(path: &Path, line: &Path, bar: &ProgressBar) -> Result<Shown, Ending> {
    let wrong = |why: &str| Ending::new(exit::DATAERR, format!("{}: {why}", path.display()));
    let firmware = super::bridge::read(path)?;
    let mark = Mark::find(&firmware).ok_or_else(|| wrong("it is no firmware of a bridge"))?;
    if mark.board != BOARD {
        return Err(wrong(&format!(
            "a board {} is not flashed over a line: name its bootloader, then its firmware",
            mark.board
        )));
    }
    let version = mark.version;
    let image = image(&firmware).map_err(|why| wrong(&why))?;
    // The library goes by sections, of which a linker may have been told to leave none.
    let octets: usize = segments(&firmware).map_err(wrong)?.iter().map(|(_, octets)| octets.len()).sum();
    if image
        .metadata()
        .get("app_size")
        .and_then(|size| size.parse().ok())
        .is_none_or(|size: usize| size < octets)
    {
        return Err(wrong("it has no sections any more: give the file as cargo built it"));
    }
    let starts = write(line, image, bar)
        .map_err(|why| Ending::new(exit::UNAVAILABLE, format!("{}: {why}", line.display())))?;
    let then = if starts { "starts it" } else { "has it: press its button RESET" };
    let said = format!(
        "The board has firmware {version} for {BOARD}, and {then}. `hearth bridge list` shows it when its line is in the configuration."
    );
    let fields = [
        ("board", BOARD.to_owned()),
        ("firmware", version.to_string()),
        ("line", line.display().to_string()),
    ];
    let fields = fields.map(|(field, value)| (field.to_owned(), value.into()));
    Ok(Shown { said: Some(said), ..Shown::fields(fields.into_iter().collect()) })
}

/// Its maker's bootloader, what is where, and the firmware.
fn image(firmware: &[u8]) -> Result<IdfBootloaderFormat<'_>, String> {
    // The library wants a file of them.
    let partitions = memfd_create("partitions", MemfdFlags::CLOEXEC).map(File::from).and_then(|mut file| {
        file.write_all(PARTITIONS.as_bytes()).map(|()| file).map_err(|_| rustix::io::Errno::NOSPC)
    });
    let partitions = partitions.map_err(|error| error.to_string())?;
    let name = PathBuf::from(format!("/proc/self/fd/{}", partitions.as_raw_fd()));
    let chip = Chip::Esp32c3;
    let settings = FlashSettings::new(None, Some(FlashSize::_4Mb), None);
    let data = FlashData::new(settings, 0, None, chip, chip.default_xtal_frequency());
    IdfBootloaderFormat::new(firmware, &data, Some(&name), None, None, None).map_err(|error| whole(&error))
}

/// Whether the board was started anew; else somebody has to.
fn write(line: &Path, image: IdfBootloaderFormat<'_>, bar: &ProgressBar) -> Result<bool, String> {
    let said = |error: espflash::Error| match error {
        espflash::Error::ChipMismatch(_, other) => format!("its chip is an {other}, no {BOARD}"),
        error => format!("{}; {BUTTON}", whole(&error)),
    };
    let line = line.canonicalize().map_err(|error| format!("{error}; {PLUG}"))?;
    let port = serialport::new(line.to_string_lossy(), BAUD).flow_control(FlowControl::None).timeout(ANSWERS);
    let port = port.open_native().map_err(|error| format!("{error}; {PLUG}"))?;
    let usb = usb(&line);
    let has_control_lines = usb.vid != NOBODY;
    let (before, after) = match has_control_lines {
        true => (ResetBeforeOperation::DefaultReset, ResetAfterOperation::HardReset),
        false => (ResetBeforeOperation::NoReset, ResetAfterOperation::NoResetNoStub),
    };
    let connection = Connection::new(port, usb, after, before, BAUD);
    let mut flasher =
        Flasher::connect(connection, true, true, false, Some(Chip::Esp32c3), None).map_err(said)?;
    if flasher.secure_download_mode() {
        return Err("its chip was locked: it does not show what it was given; take another".to_owned());
    }
    // Compared, and started anew.
    flasher.load_image_to_flash(&mut Bar(bar), ImageFormat::EspIdf(image)).map_err(said)?;
    bar.finish_and_clear();
    Ok(has_control_lines)
}

/// The library says what, and then why.
fn whole(error: &espflash::Error) -> String {
    let first: &dyn std::error::Error = error;
    std::iter::successors(Some(first), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

/// Who is at the other end: the chip's own USB is started anew otherwise than an adapter's.
fn usb(line: &Path) -> UsbPortInfo {
    let unknown = UsbPortInfo { vid: NOBODY, pid: 0, serial_number: None, manufacturer: None, product: None };
    let ports = serialport::available_ports().unwrap_or_default();
    let port = ports.into_iter().find(|port| Path::new(&port.port_name) == line);
    match port.map(|port| port.port_type) {
        Some(SerialPortType::UsbPort(usb)) => usb,
        _ => unknown,
    }
}

struct Bar<'a>(&'a ProgressBar);

/// Each part of the image has its own; in the blocks in which it goes out.
impl ProgressCallbacks for Bar<'_> {
    fn init(&mut self, _: u32, total: usize) {
        self.0.set_length(total as u64);
        self.0.set_position(0);
    }

    fn update(&mut self, current: usize) {
        self.0.set_position(current as u64);
    }

    fn verifying(&mut self) {
        self.0.set_message("compared with what the board has");
    }

    fn finish(&mut self, _: bool) {
        self.0.set_message("");
    }
}

#[cfg(test)]
mod tests;
