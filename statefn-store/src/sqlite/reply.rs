//! Answers on their way from the writer to those who wait.
//!
//! Waking a thread costs more than what it is told. So the writer wakes one of those whom a
//! transaction answers, and that one passes the other answers on: it runs where they run, and
//! waking a neighbor is cheap.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::{Batch, CommitError, Outcome};

/// What became of a batch.
pub(super) type Committed = Result<Vec<Outcome>, CommitError>;

/// Where the answer of one batch goes.
pub(super) struct Reply {
    sender: oneshot::Sender<Answer>,
    /// Goes back with the answer: the writer has better to do than to free it.
    spent: Option<Batch>,
}

/// Where the answer of one batch comes from.
pub(super) struct Promise(oneshot::Receiver<Answer>);

/// An answer, and the round to which it belongs if it is the first of it.
struct Answer {
    committed: Committed,
    round: Option<Arc<Round>>,
    _spent: Option<Batch>,
}

/// The answers of one transaction that nobody has passed on yet.
#[derive(Default)]
pub(super) struct Round {
    rest: Mutex<Vec<(Reply, Committed)>>,
}

/// A place for one answer.
pub(super) fn reply() -> (Reply, Promise) {
    let (sender, receiver) = oneshot::channel();
    let reply = Reply {
        sender,
        spent: None,
    };
    (reply, Promise(receiver))
}

impl Reply {
    /// The same, with the batch that has been dealt with.
    pub(super) fn with(mut self, spent: Batch) -> Self {
        self.spent = Some(spent);
        self
    }

    /// Gives one answer.
    pub(super) fn send(self, committed: Committed) {
        self.give(committed, None);
    }

    fn give(self, committed: Committed, round: Option<Arc<Round>>) {
        // Nobody listens when the caller has gone; the commit stands.
        let _ = self.sender.send(Answer {
            committed,
            round,
            _spent: self.spent,
        });
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

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn round(count: usize) -> (Arc<Round>, Vec<Promise>) {
        let (replies, promises): (Vec<_>, Vec<_>) = (0..count).map(|_| reply()).unzip();
        let answers = replies.into_iter().map(|reply| (reply, Ok(Vec::new())));
        (Round::give(answers), promises)
    }

    fn has_come(promise: Promise) -> bool {
        let answer = pin!(promise.committed());
        let polled = answer.poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Some(Ok(_))))
    }

    #[test]
    fn whoever_takes_the_first_answer_passes_the_others_on() {
        let (round, mut promises) = round(3);
        let last = promises.pop().unwrap();
        assert!(round.is_open());
        assert!(has_come(promises.remove(0)));
        assert!(!round.is_open());
        assert!(has_come(last));
    }

    #[test]
    fn a_first_caller_that_has_gone_keeps_no_answer_back() {
        let (before, mut promises) = round(2);
        drop(promises.remove(0));
        assert!(!before.is_open());
        assert!(has_come(promises.remove(0)));

        let (replies, mut promises): (Vec<_>, Vec<_>) = (0..2).map(|_| reply()).unzip();
        drop(promises.remove(0));
        let round = Round::give(replies.into_iter().map(|reply| (reply, Ok(Vec::new()))));
        assert!(!round.is_open());
        assert!(has_come(promises.remove(0)));
    }

    #[test]
    fn the_writer_gives_what_a_slow_first_caller_has_not_passed_on() {
        let (round, mut promises) = round(2);
        round.pass_on();
        assert!(has_come(promises.pop().unwrap()));
        assert!(has_come(promises.pop().unwrap()));
    }
}
