//! B1 and B9: what was acknowledged is there after a close, and after a crash.

use std::pin::pin;
use std::task::{Context, Waker};

use super::draft::{Draft, cart};
use super::random::members;
use super::tape::Wish;
use super::trial::{Trial, load};
use crate::testing::{Dice, Fixture};
use crate::{Batch, CommitError, Offset, OwnerEpoch};

/// A few batches with something of everything.
async fn filled(fixture: &dyn Fixture) -> Trial<'_> {
    let mut trial = Trial::open(fixture).await;
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 0).events(3).snapshot().record("k").done(),
        Draft::new(&b, 0).events(2).done(),
        Draft::new(&cart("record"), 0).record("k").done(),
    ];
    trial.commit(members).await;
    let members = vec![
        Draft::new(&b, 2).skip(1).done(),
        Draft::new(&a, 3).events(2).record("l").done(),
        Draft::new(&b, 5).events(1).done(),
    ];
    trial.commit(members).await;
    trial
}

/// Everything is there after a close.
pub(super) async fn b1_reopened_store_has_everything(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for _ in 0..3 {
        trial.reopen().await;
        trial.check().await;
    }
}

/// Everything acknowledged is there after a crash; commits go on from it.
pub(super) async fn b1_crashed_store_has_everything(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for round in 0..3 {
        fixture.crash();
        trial.open_again().await;
        trial.check().await;
        let new = cart(&format!("new {round}"));
        let members = vec![
            trial
                .next(&cart("a"))
                .events(2)
                .snapshot()
                .record("m")
                .done(),
            trial.next(&new).events(1).done(),
        ];
        trial.commit(members).await;
        trial.check().await;
    }
}

/// An empty store may be closed, reopened, and used.
pub(super) async fn b1_empty_store_may_be_reopened(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    trial.reopen().await;
    trial.check().await;
    let member = trial.next(&cart("a")).events(1).done();
    trial.commit(vec![member]).await;
    trial.reopen().await;
    trial.check().await;
}

/// Offsets and sequence numbers go on where they ended.
pub(super) async fn b6_numbers_go_on_after_reopening(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for _ in 0..3 {
        trial.reopen().await;
        let members = vec![
            trial.next(&cart("a")).events(1).record("m").done(),
            Draft::new(&cart("a"), 3).events(1).done(),
            Draft::new(&cart("b"), 0).record("n").done(),
            trial.next(&cart("new")).events(2).snapshot().done(),
        ];
        trial.commit(members).await;
        trial.check().await;
    }
}

/// Epochs rise over a reopening; the owners before it are fenced.
pub(super) async fn b4_epochs_rise_over_reopening(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    let mut before = trial.epoch;
    for _ in 0..3 {
        trial.reopen().await;
        assert_eq!(
            trial.epoch,
            OwnerEpoch::new(before.get() + 1),
            "the epoch after a reopening"
        );
        let member = trial.next(&cart("a")).events(1).done();
        let batch = Batch {
            epoch: before,
            members: vec![member],
        };
        let error = trial.refused(batch).await;
        let fenced = matches!(error, CommitError::Fenced { held, current }
            if held == before && current == trial.epoch);
        assert!(fenced, "an owner from before was answered with {error:?}");
        before = trial.epoch;
    }
    trial.check().await;
}

/// The same for a crash: nobody gets an epoch twice.
pub(super) async fn b4_epochs_rise_over_a_crash(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let before = trial.epoch;
    fixture.crash();
    trial.open_again().await;
    assert!(trial.epoch > before, "epoch {} after {before}", trial.epoch);
}

/// A crash with a commit under way leaves it whole or absent, and no gap.
pub(super) async fn b2_crash_leaves_a_commit_whole_or_absent(fixture: &dyn Fixture) {
    let mut trial = filled(fixture).await;
    for round in 0..10 {
        let id = cart(&format!("in flight {round}"));
        let member = Draft::new(&id, 0).events(5).snapshot().record("k").done();
        {
            let commit = trial
                .store
                .commit(trial.batch(std::slice::from_ref(&member)));
            let mut commit = pin!(commit);
            let _ = commit
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            fixture.crash();
        }
        trial.open_again().await;
        let (head, _) = load(&*trial.store, &id, Wish::ALL).await;
        if head.position > Offset::ZERO {
            let _ = trial.model.append(&member);
        }
        trial.check().await;
        let after = trial.next(&id).events(1).done();
        trial.commit(vec![after]).await;
    }
    trial.check().await;
}

/// Random batches with reopenings between them.
pub(super) async fn b1_random_batches_over_reopenings(fixture: &dyn Fixture) {
    random_batches(fixture, |_| false).await;
}

/// Random batches with reopenings and crashes between them.
pub(super) async fn b1_random_batches_over_crashes(fixture: &dyn Fixture) {
    random_batches(fixture, |dice| dice.below(2) == 0).await;
}

async fn random_batches(fixture: &dyn Fixture, crashes: impl Fn(&mut Dice) -> bool) {
    let mut dice = Dice::new(0x5eed);
    let mut trial = Trial::open(fixture).await;
    for _ in 0..12 {
        for _ in 0..=dice.below(8) {
            let members = members(&mut dice, &trial.model);
            trial.commit(members).await;
        }
        if crashes(&mut dice) {
            fixture.crash();
            trial.open_again().await;
        } else {
            trial.reopen().await;
        }
        trial.check().await;
    }
}
