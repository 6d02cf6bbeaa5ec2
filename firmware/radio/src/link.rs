//! A link: how it begins, how it ends, what is granted meanwhile.

use crate::{Connected, Host, LISTENS};
use core::cell::Cell;
use embassy_time::{Duration, Timer, with_timeout};
use trouble_host::connection::{ConnectConfig, ConnectionEvent, RequestedConnParams, ScanConfig};
use trouble_host::prelude::{Address, Central, DefaultPacketPool, Stack};

/// A link that ends at once overtakes the confirmation before it.
const BEFORE_HANGING_UP: Duration = Duration::from_millis(100);
const HANGING_UP: Duration = Duration::from_secs(5);

/// `None`: nobody answered in time.
pub(crate) async fn connect<'r, C: Host>(
    central: &mut Central<'r, C, DefaultPacketPool>,
    address: Address,
    within: Duration,
) -> Option<Connected<'r>> {
    let scan_config = ScanConfig {
        filter_accept_list: &[address],
        interval: LISTENS,
        window: LISTENS,
        ..ScanConfig::default()
    };
    let connect_params = RequestedConnParams {
        min_connection_interval: Duration::from_millis(30),
        max_connection_interval: Duration::from_millis(50),
        supervision_timeout: Duration::from_secs(5),
        ..RequestedConnParams::default()
    };
    let config = ConnectConfig { scan_config, connect_params };
    with_timeout(within, central.connect(&config)).await.ok()?.ok()
}

/// Until the link is gone; what a device wishes of it is granted. `lost`: it turned out that the device has no key any more.
pub(crate) async fn gone<'r, C: Host>(
    link: &Connected<'r>,
    stack: &Stack<'_, C, DefaultPacketPool>,
    lost: &Cell<bool>,
) {
    loop {
        match link.next().await {
            ConnectionEvent::Disconnected { .. } => return,
            ConnectionEvent::RequestConnectionParams(wish) => _ = wish.accept(None, stack).await,
            ConnectionEvent::BondLost => lost.set(true),
            _ => {}
        }
    }
}

pub(crate) async fn hang_up(link: &Connected<'_>) {
    if !link.is_connected() {
        return;
    }
    Timer::after(BEFORE_HANGING_UP).await;
    link.disconnect();
    let over = async { while !matches!(link.next().await, ConnectionEvent::Disconnected { .. }) {} };
    // A controller that does not answer is the host's matter.
    _ = with_timeout(HANGING_UP, over).await;
}
