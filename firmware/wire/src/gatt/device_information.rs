/// System ID, 0x2A23, as sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct SystemId(pub [u8; 8]);
