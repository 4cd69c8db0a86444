//! B5 and B9: what a failed commit says, and what comes after it.

use super::draft::cart;
use super::trial::Trial;
use crate::testing::Fixture;
use crate::{Batch, CommitError, Member};

/// A store with some commits.
async fn filled(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    for _ in 0..2 {
        let member = trial.next(&cart("a")).events(2).snapshot().record("k");
        trial.commit(vec![member.done()]).await;
    }
    trial
}

/// A batch of two entities, to fail.
fn pair(trial: &Trial<'_>) -> Vec<Member> {
    let a = trial.next(&cart("a")).events(2).snapshot().record("l");
    vec![a.done(), trial.next(&cart("b")).events(1).done()]
}

/// Fails a batch and lets the model know what became of it.
async fn fail(trial: &mut Trial<'_>, members: &[Member], applied: bool) -> CommitError {
    trial.fixture.fail(applied);
    let error = trial.refused(trial.batch(members)).await;
    if applied {
        trial.model.append_all(members);
    }
    error
}

/// Waits until the store takes commits again: each attempt is one look.
async fn served_again(trial: &Trial<'_>) {
    const ATTEMPTS: usize = 1_000_000;
    for _ in 0..ATTEMPTS {
        let (epoch, members) = (trial.epoch, Vec::new());
        match trial.store.commit(Batch { epoch, members }).await {
            Ok(_) => return,
            Err(CommitError::Unavailable(_)) => std::thread::yield_now(),
            Err(error) => panic!("a store that recovers answered {error:?}"),
        }
    }
    panic!("a failed store never served again");
}

/// Applied: `Unknown`. Not applied: `Unknown`, or `Unavailable` from a store that is sure of it.
pub(super) async fn b5_failed_commit_says_what_is_known(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for applied in [true, false] {
        let members = pair(&trial);
        let error = fail(&mut trial, &members, applied).await;
        let said = match error {
            CommitError::Unknown(_) => true,
            CommitError::Unavailable(_) => !applied,
            CommitError::Fenced { .. } => false,
        };
        assert!(said, "applied {applied}, answered with {error:?}");
        served_again(&trial).await;
    }
}

/// After a failure the store answers what is on stable storage, and nothing else.
pub(super) async fn b9_failed_store_serves_what_is_stored(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for applied in [false, true] {
        let members = pair(&trial);
        fail(&mut trial, &members, applied).await;
        served_again(&trial).await;
        trial.check().await;
        let member = trial.next(&cart("c")).events(1).record("m").done();
        trial.commit(vec![member]).await;
        trial.check().await;
    }
}

/// A batch sent again after its failure is refused where it was applied, and taken where not.
pub(super) async fn b9_batch_sent_again_is_applied_once(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for applied in [true, false] {
        let members = pair(&trial);
        fail(&mut trial, &members, applied).await;
        served_again(&trial).await;
        trial.commit(members).await;
        trial.check().await;
    }
}
