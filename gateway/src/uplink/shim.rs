use super::Destination;
use crate::store::Desk;
use crate::tls;
use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::Notify;

#[derive(Clone, Debug, Default)]
pub struct Wake(Arc<Notify>);
impl Wake {
    pub fn wake(&self) {
        self.0.notify_waiters();
    }
}
#[derive(Clone, Debug)]
pub struct State;
impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ready")
    }
}
pub fn clients(all: &[Destination], now: Timestamp) -> Result<Vec<tls::Client>, tls::Fault> {
    all.iter().map(|d| tls::client(&d.files(), now)).collect()
}
pub async fn run(_: Destination, _: tls::Client, _: Desk, _: Wake) {
    std::future::pending::<()>().await;
}
impl Destination {
    pub fn files(&self) -> tls::Files {
        tls::Files { ca: self.ca.clone(), certificate: self.certificate.clone(), key: self.key.clone() }
    }
}
