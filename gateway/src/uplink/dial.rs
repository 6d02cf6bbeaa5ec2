//! Where the octets of a connection go: to a name and a port, by TCP; in a simulation, to whoever stands there.

use hearth_core::delivery::Transport;
use std::io;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};

pub(crate) trait Octets: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Octets for S {}

/// Both ways.
pub(crate) type Wire = Box<dyn Octets>;

/// Connects. The error tells a name that is not known from a host that does not answer.
pub(super) async fn dial(host: &str, port: u16) -> Result<Wire, Transport> {
    #[cfg(feature = "simulation")]
    if let Some(network) = crate::simulation::network() {
        let wire = network(host, port).map_err(|e| Transport::Connect(e.to_string()))?;
        return Ok(Box::new(wire));
    }
    let addresses = lookup_host((host, port)).await.map_err(|e| Transport::Dns(e.to_string()))?;
    let mut tcp = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    for address in addresses.collect::<Vec<_>>() {
        tcp = TcpStream::connect(address).await;
        if tcp.is_ok() {
            break;
        }
    }
    let tcp = tcp.map_err(|e| Transport::Connect(e.to_string()))?;
    // Whole requests are written at once; waiting for more gains nothing.
    let _ = tcp.set_nodelay(true);
    Ok(Box::new(tcp))
}
