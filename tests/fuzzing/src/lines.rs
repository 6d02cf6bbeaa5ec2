//! What people and tools write to the hub: news, a line each, and requests over the control socket.

use gateway::source::lines::{parse, write};

/// One line, read as both. What was read is written, and read as the same.
pub fn lines(octets: &[u8]) {
    let Ok(text) = std::str::from_utf8(octets) else { return };
    match parse(text) {
        Ok(Some(line)) => {
            let written = write(&line);
            assert_eq!(parse(&written), Ok(Some(line)), "{written}");
        }
        Ok(None) => {}
        Err(said) => assert!(!said.is_empty()),
    }
    if let Some(written) = gateway::fuzzing::request(text) {
        assert_eq!(gateway::fuzzing::request(&written).as_ref(), Some(&written));
    }
    _ = gateway::fuzzing::answer(text);
}
