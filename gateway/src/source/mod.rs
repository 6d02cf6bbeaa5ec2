//! Where news comes from. A source knows no patient; what it hears it may forget only once it is committed.
//!
//! One source so far: [`lines`], news written as JSON, one a line, from a file or over the control socket.

pub mod lines;
