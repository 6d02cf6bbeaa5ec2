//! Arguments, logging, exit code. Everything else is in the library.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    gateway::cli::main()
}
