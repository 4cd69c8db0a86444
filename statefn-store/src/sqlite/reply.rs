//! Answers on their way from the writer to those who wait.
//!
//! Waking a thread costs more than what it is told. So the writer wakes one of those whom a
//! transaction answers, and that one passes the other answers on: it runs where they run, and
//! waking a neighbor is cheap.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{CommitError, Outcome};

/// What became of a batch.
pub(super) type Committed = Result<Vec<Outcome>, CommitError>;

/// Where the answer of one batch goes.
pub(super) struct Reply(oneshot::Sender<Answer>);

/// Where the answer of one batch comes from.
pub(super) struct Promise(oneshot::Receiver<Answer>);

/// An answer, and the round to which it belongs if it is the first of it.
struct Answer {
    committed: Committed,
    round: Option<Arc<Round>>,
}

/// The answers of one transaction that nobody has passed on yet.
#[derive(Default)]
pub(super) struct Round {
    rest: Mutex<Vec<(Reply, Committed)>>,
}

/// A place for one answer.
pub(super) fn reply() -> (Reply, Promise) {
    let (sender, receiver) = oneshot::channel();
    (Reply(sender), Promise(receiver))
}

impl Reply {
    /// Gives one answer.
    pub(super) fn send(self, committed: Committed) {
        self.give(committed, None);
    }

    fn give(self, committed: Committed, round: Option<Arc<Round>>) {
        // Nobody listens when the caller has gone; the commit stands.
        let _ = self.0.send(Answer { committed, round });
    }
}

impl Promise {
    /// The answer; `None` when the writer has ended without one.
    pub(super) async fn committed(self) -> Option<Committed> {
        let mut answer = self.0.await.ok()?;
        let none = Ok(Vec::new());
        Some(std::mem::replace(&mut answer.committed, none))
    }
}

impl Drop for Answer {
    /// Also when nobody takes the answer: the others must not wait for one that has gone.
    fn drop(&mut self) {
        if let Some(round) = self.round.take() {
            round.pass_on();
        }
    }
}

impl Round {
    /// Gives the answers of one transaction, in their order. What comes back has been given
    /// out whole once [`pass_on`](Self::pass_on) has run, whoever runs it.
    pub(super) fn give(answers: impl Iterator<Item = (Reply, Committed)>) -> Arc<Self> {
        let round = Arc::new(Self::default());
        let mut answers = answers;
        let Some((first, committed)) = answers.next() else {
            return round;
        };
        *round.rest.lock().unwrap_or_else(PoisonError::into_inner) = answers.collect();
        first.give(committed, Some(Arc::clone(&round)));
        round
    }

    /// Gives what has not been given. The writer does so itself when the first to be woken is slow.
    pub(super) fn pass_on(&self) {
        let rest = {
            let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *rest)
        };
        for (reply, committed) in rest {
            reply.send(committed);
        }
    }

    /// Whether somebody still waits for somebody else.
    pub(super) fn is_open(&self) -> bool {
        let rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        !rest.is_empty()
    }
}
