//! How the notebook writes a batch, and the ways to get that wrong.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::thread;

use statefn_store::{CommitError, FailureKind, Member, Outcome, StoreFailure};

use crate::bug::Bug;
use crate::notebook::Notebook;

/// Gives other threads time to change `counter`, without waiting for them for ever.
pub(crate) fn let_others_run(counter: &AtomicU64) {
    let before = counter.load(Ordering::SeqCst);
    for _ in 0..2_000 {
        if counter.load(Ordering::SeqCst) != before {
            return;
        }
        thread::yield_now();
    }
}

/// Is pending once.
async fn pause() {
    let mut paused = false;
    poll_fn(|context| {
        if std::mem::replace(&mut paused, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The first event of a member, and the rest of it.
fn halves(mut member: Member) -> [Member; 2] {
    if member.events.is_empty() {
        let nothing = Member::new(member.id.clone(), member.expected, member.time);
        return [nothing, member];
    }
    let rest = member.events.split_off(1);
    let mut second = member.clone();
    member.snapshot = None;
    member.record = None;
    member.skip = None;
    member.deferred = None;
    second.expected = second.expected.next();
    second.events = rest;
    [member, second]
}

impl Notebook {
    pub(crate) async fn write(&self, members: Vec<Member>) -> Vec<Outcome> {
        match self.bug {
            Bug::ShowsHalves | Bug::BreaksOffInTheMiddle => self.write_halves(members).await,
            Bug::ChecksBeforeTheLock => self.write_unchecked(members),
            Bug::FillsGapsLater => self.write_behind(members),
            Bug::LosesRaces => {
                let mut copy = self.paper().clone();
                let_others_run(&self.writes);
                let outcomes = copy.write_all(members, self.bug);
                *self.paper() = copy;
                outcomes
            }
            _ => self.paper().write_all(members, self.bug),
        }
    }

    /// The paper tears: with the batch on it, or without.
    pub(crate) async fn fail(&self, members: Vec<Member>, written: bool) -> CommitError {
        if written && self.bug != Bug::ForgetsWhatAFailureWrote {
            self.write(members).await;
        }
        let failure = StoreFailure::new(FailureKind::Io, "the paper tore");
        if self.is(Bug::CallsFailuresUnavailable) {
            CommitError::Unavailable(failure)
        } else {
            CommitError::Unknown(failure)
        }
    }

    /// Judges the members, and writes them later whatever has happened since.
    fn write_unchecked(&self, members: Vec<Member>) -> Vec<Outcome> {
        let judged = self.paper().clone().write_all(members.clone(), Bug::None);
        let_others_run(&self.writes);
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        if judged.iter().any(refused) {
            return judged;
        }
        self.paper().write_all(members, self.bug)
    }

    /// Takes the offsets at once and shows the entries later.
    fn write_behind(&self, members: Vec<Member>) -> Vec<Outcome> {
        let outcomes = self.paper().write_all(members, self.bug);
        let hidden = self.paper().lines.pop();
        let_others_run(&self.reads);
        let mut paper = self.paper();
        paper.lines.extend(hidden);
        paper.lines.sort_by_key(|line| line.entry.offset);
        outcomes
    }

    async fn write_halves(&self, members: Vec<Member>) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for member in members {
            let [first, second] = halves(member);
            let refused = self.paper().write_all(vec![first], self.bug);
            if matches!(*refused, [Outcome::Refused(_)]) {
                outcomes.extend(refused);
                continue;
            }
            if self.is(Bug::ShowsHalves) {
                let_others_run(&self.reads);
            } else {
                pause().await;
            }
            outcomes.extend(self.paper().write_all(vec![second], self.bug));
        }
        outcomes
    }
}
