//! Who the board is, as its flash says.

use hearth_wire::frame::BridgeId;

/// The name of a board whose flash nobody gave one. It is locally administered: no maker's.
const NAMELESS: BridgeId = BridgeId([0x02, 0x00, 0x5E, 0x10, 0xFF, 0xFE, 0x00, 0x01]);

/// The board's name, which whoever made its flash has written there; zeros are a file that was only made as long.
pub(crate) fn bridge() -> BridgeId {
    let name = memory::name();
    if name == [0xFF; 8] || name == [0; 8] { NAMELESS } else { BridgeId(name) }
}

/// What devices know it by: a static random address (Bluetooth Core, Vol 6, Part B, 1.3.2.1) made of the name.
pub(crate) fn address() -> [u8; 6] {
    let BridgeId([a, b, c, _, _, d, e, f]) = bridge();
    [a | 0xC0, b, c, d, e, f]
}
