//! The devices that a bridge hears while it looks around.

use crate::source::asked::NearView;
use hearth_core::identity::{Address, AddressKind, Facts};
use hearth_core::profile::Catalog;
use hearth_core::when::HubTicks;
use hearth_wire::advertising::{
    ALL_SERVICES, SERVICE_DATA, SHORTENED_NAME, SOME_SERVICES, WHOLE_NAME, structures,
};

/// So many are remembered.
const NEARBY: usize = 256;
/// All that it says of itself has come after so long.
const WHOLE_MS: i64 = 2_000;
/// Who was not heard for so long is not near any more.
const GONE_MS: i64 = 120_000;

#[derive(Debug, Default)]
pub(super) struct Near(Vec<One>);

#[derive(Debug)]
struct One {
    /// All that it said of itself to everybody.
    facts: Facts,
    address: Address,
    rssi: i8,
    since: HubTicks,
    seen: HubTicks,
}

impl Near {
    /// A device showed itself. What it says comes in several parts.
    pub(super) fn heard(&mut self, address: Address, rssi: i8, octets: &[u8], now: HubTicks) {
        let at = match self.0.iter().position(|one| one.address == address) {
            Some(at) => at,
            None => {
                if self.0.len() >= NEARBY {
                    // Whoever changes its address is nobody that could be paired with.
                    let worth =
                        |at: &usize| (self.0[*at].address.kind != AddressKind::Private, self.0[*at].seen);
                    let oldest = (0..self.0.len()).min_by_key(worth);
                    oldest.map(|at| self.0.swap_remove(at));
                }
                let facts = Facts { address: Some(address), ..Facts::default() };
                self.0.push(One { facts, address, rssi, since: now, seen: now });
                self.0.len() - 1
            }
        };
        let one = &mut self.0[at];
        (one.rssi, one.seen) = (rssi, now);
        for (kind, content) in structures(octets) {
            match kind {
                SOME_SERVICES | ALL_SERVICES => {
                    let services = content.as_chunks::<2>().0.iter();
                    one.facts.services.extend(services.map(|service| u16::from_le_bytes(*service)));
                }
                SERVICE_DATA => {
                    let service = content.first_chunk::<2>();
                    one.facts.services.extend(service.map(|service| u16::from_le_bytes(*service)));
                }
                SHORTENED_NAME | WHOLE_NAME => {
                    let name = String::from_utf8_lossy(content).trim_matches('\0').to_owned();
                    if !name.is_empty() {
                        one.facts.advertised_name = Some(name);
                    }
                }
                _ => {}
            }
        }
    }

    /// What the device of this address said of itself, and when that was all.
    pub(super) fn facts(&self, octets: [u8; 6]) -> Option<(&Facts, HubTicks)> {
        let one = self.0.iter().find(|one| one.address.octets == octets)?;
        Some((&one.facts, one.since.later(WHOLE_MS)))
    }

    pub(super) fn views(&self, catalog: &Catalog, now: HubTicks) -> Vec<NearView> {
        let ago = |one: &One| now.ms.saturating_sub(one.seen.ms);
        let view = |one: &One| NearView {
            rssi: Some(one.rssi.into()),
            heard_s: u64::try_from(ago(one) / 1_000).unwrap_or(0),
            ..NearView::of(one.address.octets, &one.facts, catalog)
        };
        self.0.iter().filter(|one| ago(one) < GONE_MS).map(view).collect()
    }
}
