//! Does in the machine what a test outside says. It calls the test, and sends an empty line; each connection is one command, a line:
//! how, and what the shell is to run. A machine that is emulated has no time for a shell that does this with a dozen programs for each.

use std::io::{BufRead, BufReader, Error, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

/// The emulated network forgets a call now and then.
const ANSWERED: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(200);

fn main() -> Result<(), Error> {
    let test = std::env::args().nth(1).and_then(|address| address.parse().ok());
    let test = test.ok_or_else(|| Error::other("agent ADDRESS:PORT"))?;
    for n in 0.. {
        let (call, order) = loop {
            match ordered(test) {
                Ok(ordered) => break ordered,
                Err(why) => {
                    println!("agent: {why}; it calls again");
                    std::thread::park_timeout(AGAIN);
                }
            }
        };
        std::thread::spawn(move || {
            // Whoever hung up does not want to know.
            _ = work(&call, order.trim_end_matches('\n'), n);
        });
    }
    Ok(())
}

/// One call, and what is ordered.
fn ordered(test: SocketAddr) -> Result<(TcpStream, String), Error> {
    let mut call = TcpStream::connect_timeout(&test, ANSWERED)?;
    writeln!(call)?;
    let mut order = String::new();
    // Nothing comes after the line until it is answered.
    match BufReader::new(&call).read_line(&mut order)? {
        0 => Err(Error::other("the test hung up")),
        _ => Ok((call, order)),
    }
}

fn work(mut call: &TcpStream, order: &str, n: u32) -> Result<(), Error> {
    let Some((how, line)) = order.split_once(' ') else { return Ok(()) };
    let end = || Ok::<_, Error>(Stdio::from(OwnedFd::from(call.try_clone()?)));
    match how {
        // How it ended, the lengths of both outputs, and they.
        "run" => {
            let said = shell(line).stdin(Stdio::null()).output()?;
            writeln!(call, "{} {} {}", code(said.status), said.stdout.len(), said.stderr.len())?;
            call.write_all(&said.stdout)?;
            call.write_all(&said.stderr)
        }
        // A socket, and what is asked there: the line that it answers, nothing where nobody listens.
        "ask" => {
            let (socket, asked) = line.split_once(' ').unwrap_or((line, ""));
            let mut hub = UnixStream::connect(socket)?;
            writeln!(hub, "{asked}")?;
            let mut answer = String::new();
            BufReader::new(hub).read_line(&mut answer)?;
            call.write_all(answer.as_bytes())
        }
        // Its process, then what it says as it says it.
        "start" => {
            let mut program = shell(&format!("echo $$; exec {line}"));
            let mut program = program.stdin(Stdio::null()).stdout(end()?).stderr(end()?).spawn()?;
            writeln!(call, "(ended {})", code(program.wait()?))
        }
        // On a terminal.
        "type" => {
            let file = format!("/tmp/typed-{n}");
            std::fs::write(&file, line)?;
            let mut terminal = Command::new("socat");
            terminal.args(["-t", "0.1", "STDIO"]);
            terminal.arg(format!("EXEC:sh {file},pty,setsid,ctty,stderr,echo"));
            terminal.stdin(end()?).stdout(end()?).stderr(end()?).spawn()?.wait().map(|_| ())
        }
        _ => Ok(()),
    }
}

fn shell(line: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]);
    shell
}

/// As a shell says it.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}
