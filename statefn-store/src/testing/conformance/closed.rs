//! Closing, commits whose caller went away, and the check of a clean store.

use std::pin::pin;
use std::task::{Context, Waker};

use super::draft::{Draft, cart};
use super::tape::{Tape, Wish};
use super::trial::{Trial, claim, load, same};
use crate::testing::Fixture;
use crate::{CommitError, FailureKind, LoadError, Offset};

/// Closing twice is closing.
pub(super) async fn close_may_be_repeated(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let member = trial.next(&cart("a")).events(1).done();
    trial.commit(vec![member]).await;
    for _ in 0..3 {
        trial.close().await;
    }
}

/// A closed store refuses commits, and says that nothing was applied and why.
pub(super) async fn close_refuses_later_commits(fixture: &dyn Fixture) {
    let trial = Trial::open(fixture).await;
    trial.close().await;
    let member = Draft::new(&cart("a"), 0).events(1).done();
    for members in [&[member][..], &[]] {
        let error = trial.refused(trial.batch(members)).await;
        let CommitError::Unavailable(failure) = error else {
            panic!("a commit to a closed store was answered with {error:?}");
        };
        assert_eq!(failure.kind, FailureKind::Closed, "{failure:?}");
    }
}

/// A closed store that still answers reads answers them right; else it says that it is closed.
pub(super) async fn close_leaves_reads_right_or_refused(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let member = trial.next(&a).events(2).record("k").done();
    trial.commit(vec![member]).await;
    trial.close().await;
    match trial.store.read(Offset::new(1), 10).await {
        Ok(page) => assert_eq!(page, trial.model.entries),
        Err(error) => assert_closed(&error),
    }
    match trial.store.load(&a, Tape::boxed(Wish::ALL)).await {
        Ok(loaded) => assert_eq!(Tape::of(loaded), trial.model.replay(&a, Wish::ALL)),
        Err(error) => assert_closed(&error),
    }
    match trial.store.find_record(&a, "k", Offset::new(2)).await {
        Ok(found) => assert!(found.is_some(), "the record is gone"),
        Err(error) => assert_closed(&error),
    }
    match trial.store.entities(None, 10).await {
        Ok(page) => assert_eq!(page, [a]),
        Err(failure) => assert_eq!(failure.kind, FailureKind::Closed, "{failure:?}"),
    }
}

fn assert_closed(error: &LoadError) {
    let LoadError::Unavailable(failure) = error else {
        panic!("a closed store answered {error:?}");
    };
    assert_eq!(failure.kind, FailureKind::Closed, "{failure:?}");
}

/// A commit whose future is dropped after its first poll is applied whole or not at all.
pub(super) async fn dropped_commit_is_whole_or_absent(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    for number in 0..20_u64 {
        let dropped = cart(&format!("dropped {number}"));
        let other = cart(&format!("other {number}"));
        let member = Draft::new(&dropped, 0)
            .events(3)
            .snapshot()
            .record("k")
            .done();
        let batch = trial.batch(std::slice::from_ref(&member));
        {
            let commit = pin!(trial.store.commit(batch));
            let _ = commit.poll(&mut Context::from_waker(Waker::noop()));
        }
        // Commits in flight are ordered, so the dropped one is decided when this one answers.
        let decided = Draft::new(&other, 0).events(1).done();
        let outcomes = trial
            .store
            .commit(trial.batch(std::slice::from_ref(&decided)))
            .await;
        let Ok(outcomes) = outcomes else {
            panic!("the commit after a dropped one failed: {outcomes:?}");
        };
        let (head, _) = load(&*trial.store, &dropped, Wish::ALL).await;
        if head.position > Offset::ZERO {
            let _ = trial.model.append(&member);
        }
        let expected = trial.model.append(&decided);
        same(&outcomes, &[expected], "the outcome after a dropped commit");
        trial.check_entity(&other).await;
        trial.check_entity(&dropped).await;
    }
    trial.check().await;
}

/// A load whose future is dropped changes nothing.
pub(super) async fn dropped_reads_change_nothing(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let a = cart("a");
    let member = trial.next(&a).events(3).snapshot().record("k").done();
    trial.commit(vec![member]).await;
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..50 {
        let _ = pin!(trial.store.load(&a, Tape::boxed(Wish::ALL))).poll(&mut context);
        let _ = pin!(trial.store.read(Offset::ZERO, 10)).poll(&mut context);
        let _ = pin!(trial.store.find_record(&a, "k", Offset::new(3))).poll(&mut context);
        let _ = pin!(trial.store.entities(None, 10)).poll(&mut context);
    }
    let later = trial.next(&a).events(1).done();
    trial.commit(vec![later]).await;
    trial.check().await;
}

/// The check of a clean store counts what is there and finds no fault.
pub(super) async fn verify_of_a_clean_store_finds_no_fault(fixture: &dyn Fixture) {
    let mut trial = Trial::open(fixture).await;
    let report = trial.store.verify().await;
    let counts = report.map(|r| (r.entities, r.entries, r.snapshots, r.faults));
    assert!(
        matches!(&counts, Ok((0, 0, 0, faults)) if faults.is_empty()),
        "empty: {counts:?}"
    );
    let (a, b) = (cart("a"), cart("b"));
    let members = vec![
        Draft::new(&a, 0).events(3).snapshot().record("k").done(),
        Draft::new(&b, 0).record("k").done(),
        Draft::new(&b, 0).events(2).done(),
        Draft::new(&a, 3).events(1).skip(2).done(),
        Draft::new(&cart("refused"), 3).events(1).done(),
    ];
    trial.commit(members).await;
    for _ in 0..2 {
        let report = trial.store.verify().await;
        let counts = report.map(|r| (r.entities, r.entries, r.snapshots, r.faults));
        assert!(
            matches!(&counts, Ok((2, 8, 1, faults)) if faults.is_empty()),
            "{counts:?}"
        );
        claim(&*trial.store).await;
    }
    trial.check().await;
}
