//! How a source that sees no store asks the rest of the hub for something, and waits until it has it.

use tokio::sync::{mpsc, oneshot};

/// Where wishes go. Where nobody grants them any more, the daemon ends, and so nothing comes back.
#[derive(Debug)]
pub(super) struct Wishes<W>(mpsc::Sender<W>);

impl<W> Clone for Wishes<W> {
    fn clone(&self) -> Self {
        Wishes(self.0.clone())
    }
}

impl<W> Wishes<W> {
    /// So many may wait: a slow store slows its sources.
    pub(super) fn new(waiting: usize) -> (Wishes<W>, mpsc::Receiver<W>) {
        let (wishes, wished) = mpsc::channel(waiting);
        (Wishes(wishes), wished)
    }

    /// Nothing comes back.
    pub(super) async fn tell(&self, wish: W) {
        _ = self.0.send(wish).await;
    }

    pub(super) async fn wish<T>(&self, wish: impl FnOnce(oneshot::Sender<T>) -> W) -> T {
        let (done, granted) = oneshot::channel();
        if self.0.send(wish(done)).await.is_ok()
            && let Ok(granted) = granted.await
        {
            return granted;
        }
        std::future::pending().await
    }
}
