//! What a failure at COMMIT leaves: nobody is told more than is known, nothing in memory is trusted.

use std::sync::mpsc;

use super::PlantedFault;
use super::store::{Opened, batch, member};
use crate::sqlite::limits::{PAGE_BYTES, TRANSACTION_MEMBERS};
use crate::sqlite::queue::Request;
use crate::{
    CommitError, FailureKind, Member, Offset, Outcome, Refusal, SequenceNumber, Store, StoreFailure,
};

fn unknown(result: Result<Vec<Outcome>, CommitError>) -> StoreFailure {
    match result {
        Err(CommitError::Unknown(failure)) => failure,
        other => panic!("{other:?} instead of an unknown outcome"),
    }
}

#[test]
fn p5_a_commit_that_failed_but_was_written_is_unknown_and_found_after_the_reopening() {
    let opened = Opened::new();
    opened.append("alice", 0);
    opened.plant(PlantedFault::Written);
    let failure = unknown(opened.commit(vec![member("alice", 1)]));
    assert_eq!(failure.kind, FailureKind::Io);
    // The head in memory said 1; the one on the disk says 2.
    opened.when_serving(|_| {});
    let refused = Refusal::Stale {
        expected: SequenceNumber::new(1),
        actual: SequenceNumber::new(2),
    };
    let outcomes = opened.commit(vec![member("alice", 1)]).unwrap();
    assert_eq!(outcomes, [Outcome::Refused(refused)]);
    assert_eq!(opened.offsets(), [1, 2]);
    assert_eq!(opened.append("alice", 2), Offset::new(3));
}

#[test]
fn p5_a_commit_that_failed_and_was_lost_is_unknown_and_absent_after_the_reopening() {
    let opened = Opened::new();
    opened.append("alice", 0);
    opened.plant(PlantedFault::Lost);
    unknown(opened.commit(vec![member("alice", 1), member("bob", 0)]));
    opened.when_serving(|_| {});
    assert_eq!(opened.offsets(), [1]);
    // Neither its sequence number nor its offset has been used up.
    assert_eq!(opened.append("alice", 1), Offset::new(2));
}

#[test]
fn the_log_is_on_the_disk_before_a_reopened_store_serves() {
    let opened = Opened::new();
    opened.append("alice", 0);
    assert_ne!(opened.log_bytes(), 0, "the commit is in the log");
    opened.plant(PlantedFault::Written);
    unknown(opened.commit(vec![member("alice", 1)]));
    let log = opened.log();
    let bytes = opened.when_serving(move |_| log.metadata().map(|log| log.len()));
    // A header, and the one page whose commit keeps that the log was emptied.
    assert_eq!(bytes.unwrap(), 32 + 24 + u64::from(PAGE_BYTES));
    assert_eq!(opened.offsets(), [1, 2]);
}

#[test]
fn a_failure_before_commit_is_unavailable_and_nothing_of_the_batch_is_applied() {
    let opened = Opened::new();
    opened.append("alice", 0);
    // The next page that is needed is one too many.
    opened.when_serving(|journal| {
        let full = journal
            .connection()
            .pragma_update(None, "max_page_count", 1);
        full.unwrap();
    });
    let mut large = member("bob", 0);
    large.events[0].payload = vec![0; 100_000];
    match opened.commit(vec![member("alice", 1), large]) {
        Err(CommitError::Unavailable(failure)) => assert_eq!(failure.kind, FailureKind::DiskFull),
        other => panic!("{other:?}"),
    }
    // The limit went with the connection.
    opened.when_serving(|_| {});
    assert_eq!(opened.offsets(), [1]);
    assert_eq!(opened.append("alice", 1), Offset::new(2));
}

#[test]
fn batches_behind_a_failed_transaction_are_not_applied() {
    let opened = Opened::new();
    let (enter, entered) = mpsc::channel();
    let (go_on, wait) = mpsc::channel::<()>();
    opened.send(Request::Test(Box::new(move |journal| {
        enter.send(()).unwrap();
        wait.recv().unwrap();
        journal.fault = Some(PlantedFault::Written);
    })));
    entered.recv().unwrap();
    // While the writer is held up, one transaction fills and another batch waits behind it.
    let full: Vec<Member> = (0..TRANSACTION_MEMBERS)
        .map(|number| member(&number.to_string(), 0))
        .collect();
    let store = &opened.store;
    let (first, behind, ()) = opened.block(async {
        tokio::join!(
            store.commit(batch(opened.epoch, full)),
            store.commit(batch(opened.epoch, vec![member("bob", 0)])),
            async { go_on.send(()).unwrap() },
        )
    });
    unknown(first);
    assert!(
        matches!(behind, Err(CommitError::Unavailable(_))),
        "{behind:?}"
    );
    opened.when_serving(|_| {});
    assert_eq!(opened.offsets().len(), TRANSACTION_MEMBERS);
    assert!(matches!(
        opened.commit(vec![member("bob", 0)]).unwrap()[..],
        [Outcome::Committed { .. }]
    ));
}

#[test]
fn a_claim_that_failed_is_no_claim_and_the_next_one_rises_above_it() {
    for (fault, next) in [(PlantedFault::Lost, 2), (PlantedFault::Written, 3)] {
        let opened = Opened::new();
        opened.plant(fault);
        opened.block(opened.store.claim()).unwrap_err();
        opened.when_serving(|_| {});
        let epoch = opened.block(opened.store.claim()).unwrap();
        assert_eq!(epoch.get(), next, "{fault:?}");
    }
}

#[test]
fn while_a_failed_store_cannot_be_reopened_commits_are_refused_and_reads_go_on() {
    let opened = Opened::new();
    opened.append("alice", 0);
    assert_eq!(opened.offsets(), [1]);
    let hidden = opened.folder.path().join("hidden.db");
    std::fs::rename(opened.store.path(), &hidden).unwrap();
    opened.plant(PlantedFault::Lost);
    unknown(opened.commit(vec![member("alice", 1)]));
    for _ in 0..3 {
        let refused = opened.commit(vec![member("alice", 1)]);
        assert!(
            matches!(refused, Err(CommitError::Unavailable(_))),
            "{refused:?}"
        );
        assert_eq!(opened.offsets(), [1]);
    }
    assert!(
        !opened.store.path().exists(),
        "a new file in place of the old one"
    );
    std::fs::rename(hidden, opened.store.path()).unwrap();
    opened.when_serving(|_| {});
    assert_eq!(opened.append("alice", 1), Offset::new(2));
}

#[test]
fn a_store_that_comes_back_without_what_it_acknowledged_is_not_served() {
    for what in ["an older copy", "an empty file"] {
        let opened = Opened::new();
        opened.append("alice", 0);
        let other = opened.folder.path().join("other.db");
        if what == "an empty file" {
            std::fs::write(&other, b"").unwrap();
        } else {
            opened.block(opened.store.backup(&other)).unwrap();
        }
        opened.append("alice", 1);
        opened.replace(&other);
        opened.plant(PlantedFault::Lost);
        unknown(opened.commit(vec![member("alice", 2)]));
        match opened.commit(vec![member("alice", 2)]) {
            Err(CommitError::Unavailable(failure)) => {
                assert_eq!(failure.kind, FailureKind::Corrupt, "{what}: {failure}");
            }
            served => panic!("{what}: {served:?}"),
        }
    }
}
