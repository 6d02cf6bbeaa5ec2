//! The store behind a desk: one thread (in a simulation one task) owns it, everybody else asks.

use super::Store;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::sync::{mpsc, oneshot};

/// So many questions may wait. A slow disk slows the sources, never the other way about.
const WAITING: usize = 64;

type Question = Box<dyn FnOnce(&mut Store) + Send>;

/// Asks the thread that owns the store.
#[derive(Clone, Debug)]
pub struct Desk {
    questions: mpsc::Sender<Question>,
}

/// Nobody answers any more: the store is closed or broken, and the daemon is ending.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the store is closed")
    }
}

impl std::error::Error for Gone {}

impl Desk {
    /// Starts the writer's thread. The receiver hears once: nothing wrong (every desk was dropped), or why the
    /// daemon must end, in a sentence with the invariant's name.
    pub fn open(store: Store) -> std::io::Result<(Desk, oneshot::Receiver<Result<(), String>>)> {
        let (questions, asked) = mpsc::channel(WAITING);
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            // Nobody listens: then nobody is left to be told.
            let _ = end.send(answer(store, asked));
        })?;
        Ok((Desk { questions }, ended))
    }

    /// The same without a thread: whoever polls what comes with it answers the questions.
    #[cfg(feature = "simulation")]
    pub fn here(mut store: Store) -> (Desk, impl Future<Output = Result<(), String>> + Send) {
        let (questions, mut asked) = mpsc::channel(WAITING);
        let answers = async move {
            while let Some(question) = asked.recv().await {
                one(&mut store, question)?;
            }
            Ok(())
        };
        (Desk { questions }, answers)
    }

    /// Waits for a free place, then for the answer. The verb runs even if the asker stops waiting.
    pub async fn ask<T, F>(&self, verb: F) -> Result<T, Gone>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store) -> T + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let question: Question = Box::new(move |store| {
            let _ = answer.send(verb(store));
        });
        self.questions.send(question).await.map_err(|_| Gone)?;
        answered.await.map_err(|_| Gone)
    }
}

fn answer(mut store: Store, mut asked: mpsc::Receiver<Question>) -> Result<(), String> {
    while let Some(question) = asked.blocking_recv() {
        one(&mut store, question)?;
    }
    Ok(())
}

fn one(store: &mut Store, question: Question) -> Result<(), String> {
    // A store in the middle of a verb is dropped with its transaction, and never used again.
    catch_unwind(AssertUnwindSafe(|| question(store))).map_err(|panic| said(&*panic))?;
    store.broken().map_or(Ok(()), |broken| Err(broken.to_owned()))
}

fn said(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("an invariant of the store does not hold: {}", text.unwrap_or("it gave no reason"))
}
