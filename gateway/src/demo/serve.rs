//! The page's socket: HTTP on loopback, for a person at this machine.

use super::page::Page;
use super::{Ending, exit};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// So many browsers at once; who finds no place waits for one.
const CONNECTIONS: usize = 32;
/// How long a browser may take to ask.
const ASKING: Duration = Duration::from_secs(10);
/// How long it may stay. It connects again when it wants more.
const STAYING: Duration = Duration::from_secs(60);

/// Takes the address, if it is this machine's own: the page asks nobody who they are.
pub(super) fn bind(address: SocketAddr) -> Result<TcpListener, Ending> {
    if !address.ip().is_loopback() {
        return Err(Ending::usage(format!(
            "--listen {address}: the page asks nobody who they are, so it is shown on this machine only; \
             name an address of its loopback, such as 127.0.0.1:0"
        )));
    }
    TcpListener::bind(address).map_err(|e| {
        Ending::new(
            exit::UNAVAILABLE,
            format!("--listen {address}: {e}; name another port, or 0 for a free one"),
        )
    })
}

/// A socket that listens, and ears for who ends it: from now on a signal ends the page, not the process.
pub(super) struct Server {
    runtime: Runtime,
    listener: tokio::net::TcpListener,
    address: SocketAddr,
    interrupted: Signal,
    terminated: Signal,
}

impl Server {
    pub(super) fn new(listener: TcpListener) -> Result<Server, Ending> {
        let start = || -> io::Result<Server> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let entered = runtime.enter();
            listener.set_nonblocking(true)?;
            let address = listener.local_addr()?;
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let interrupted = signal(SignalKind::interrupt())?;
            let terminated = signal(SignalKind::terminate())?;
            drop(entered);
            Ok(Server { runtime, listener, address, interrupted, terminated })
        };
        start().map_err(|e| Ending::new(exit::SOFTWARE, format!("the demonstration's page failed: {e}")))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// Serves until Ctrl-C or SIGTERM.
    pub(super) fn run(self, page: &Page) {
        let Server { runtime, listener, mut interrupted, mut terminated, .. } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
                () = accept(&listener, page) => {}
            }
        });
    }
}

/// Never ends by itself. Dropped, it ends every connection.
async fn accept(listener: &tokio::net::TcpListener, page: &Page) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            _ = connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, _)) => _ = connections.spawn(connection(stream, page.clone())),
            // Whoever tried is gone, or the process has no place left for a moment.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(stream: TcpStream, page: Page) {
    let service = service_fn(|request| {
        let answer = page.answer(request.method(), request.uri().path());
        std::future::ready(Ok::<_, Infallible>(answer))
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(ASKING);
    // An error is a browser that went away, or no browser.
    _ = timeout(STAYING, http.serve_connection(TokioIo::new(stream), service)).await;
}
