//! B4: only the newest owner writes.

use super::draft::cart;
use super::trial::{Trial, claim};
use crate::testing::Fixture;
use crate::{Batch, CommitError, OwnerEpoch};

/// Claims rise by one.
pub(super) async fn b4_claims_rise_by_one(fixture: &dyn Fixture) {
    let trial = Trial::open(fixture).await;
    let first = trial.epoch.get();
    for later in 1..=3 {
        assert_eq!(claim(&*trial.store).await.get(), first + later);
    }
}

async fn check_fenced(trial: &Trial<'_>, held: OwnerEpoch, current: OwnerEpoch, batch: Batch) {
    let error = trial
        .refused(Batch {
            epoch: held,
            ..batch
        })
        .await;
    let CommitError::Fenced {
        held: named_held,
        current: named_current,
    } = error
    else {
        panic!("a commit under epoch {held} against {current} was answered with {error:?}");
    };
    assert_eq!(
        (named_held, named_current),
        (held, current),
        "the epochs named"
    );
}

/// A batch under an older epoch is refused whole, for ever, and uses no offset.
pub(super) async fn b4_older_epoch_is_refused_whole(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let first = trial.next(&cart("a")).events(1).done();
    trial.commit(vec![first]).await;
    let old = trial.epoch;
    trial.epoch = claim(&*trial.store).await;
    let members = [
        trial
            .next(&cart("a"))
            .events(2)
            .snapshot()
            .record("k")
            .done(),
        trial.next(&cart("b")).events(1).done(),
        trial.next(&cart("c")).record("k").done(),
    ];
    for _ in 0..2 {
        check_fenced(&trial, old, trial.epoch, trial.batch(&members)).await;
        trial.check().await;
    }
    trial.commit(members.to_vec()).await;
    trial.check().await;
}

/// An epoch that nobody has claimed yet does not own the store either.
pub(super) async fn b4_epoch_never_claimed_is_refused(fixture: &dyn Fixture) {
    let trial = Trial::open(fixture).await;
    let ahead = OwnerEpoch::new(trial.epoch.get() + 1);
    let members = [trial.next(&cart("a")).events(1).done()];
    check_fenced(&trial, ahead, trial.epoch, trial.batch(&members)).await;
    trial.check().await;
    assert_eq!(
        claim(&*trial.store).await,
        ahead,
        "a refused epoch is not a claim"
    );
}

/// A fenced owner learns that it is fenced, whatever it wanted to write.
pub(super) async fn b4_fenced_comes_before_stale(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let old = trial.epoch;
    trial.epoch = claim(&*trial.store).await;
    let stale = trial.next(&cart("a")).events(1).done();
    trial.commit(vec![stale.clone()]).await;
    check_fenced(&trial, old, trial.epoch, trial.batch(&[stale])).await;
    check_fenced(&trial, old, trial.epoch, trial.batch(&[])).await;
    trial.check().await;
}

/// Reads need no ownership.
pub(super) async fn b4_readers_are_not_fenced(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let member = trial.next(&cart("a")).events(2).record("k").done();
    trial.commit(vec![member]).await;
    claim(&*trial.store).await;
    trial.check().await;
}
