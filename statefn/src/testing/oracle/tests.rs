//! Planted histories: each breaks one promise, and exactly that one is found.

use statefn_store::{Offset, PersistenceId, SequenceNumber};

use super::{Attempt, Saw, Violation, Written, check};

fn alice() -> PersistenceId {
    PersistenceId::new("account", "alice")
}

/// A call from `called` to `answered`.
fn attempt(number: u64, called: u64, answered: u64, saw: Saw) -> Attempt {
    Attempt {
        number,
        command: number,
        caller: number,
        entity: alice(),
        called,
        answered: Some(answered),
        saw,
        digest: None,
    }
}

fn applied(last: u64, events: u64) -> Saw {
    let last = SequenceNumber::new(last);
    Saw::Applied { last, events }
}

fn decided(at: &[u64]) -> Saw {
    let at = at.iter().copied().map(SequenceNumber::new).collect();
    Saw::Decided { at }
}

/// Events of these attempts, in this order, committed at these instants.
fn journal(events: &[(u64, u64)]) -> Vec<Written> {
    let numbered = events.iter().zip(1..);
    let written = numbered.map(|(&(attempt, committed), position)| Written {
        entity: alice(),
        sequence: SequenceNumber::new(position),
        offset: Offset::new(position),
        is_event: true,
        attempt: Some(attempt),
        committed: Some(committed),
    });
    written.collect()
}

/// Two commands, the second with two events, a query between them and one behind them.
fn good() -> (Vec<Attempt>, Vec<Written>) {
    let attempts = vec![
        attempt(1, 10, 20, applied(1, 1)),
        attempt(2, 22, 24, decided(&[1])),
        attempt(3, 30, 40, applied(3, 2)),
        attempt(4, 50, 52, decided(&[3])),
    ];
    (attempts, journal(&[(1, 15), (3, 35), (3, 35)]))
}

#[test]
fn a_good_history_has_no_violation() {
    let (attempts, journal) = good();
    assert_eq!(check(&attempts, &journal), []);
}

#[test]
fn i1_an_acknowledged_command_that_is_not_there_is_found() {
    let attempts = [attempt(1, 10, 20, applied(1, 1))];
    let entity = alice();
    assert_eq!(
        check(&attempts, &[]),
        [Violation::Lost { attempt: 1, entity }]
    );
}

#[test]
fn i1_an_acknowledgment_of_another_place_is_found() {
    let attempts = [attempt(1, 10, 20, applied(2, 1))];
    let misplaced = Violation::Misplaced {
        attempt: 1,
        entity: alice(),
        told: SequenceNumber::new(2),
        found: SequenceNumber::new(1),
    };
    assert_eq!(check(&attempts, &journal(&[(1, 15)])), [misplaced]);
}

#[test]
fn i2_two_attempts_of_one_command_that_took_effect_are_found() {
    let mut attempts = [
        attempt(1, 10, 20, Saw::Unknown),
        attempt(2, 30, 40, Saw::Unknown),
    ];
    attempts[1].command = 1;
    let doubled = Violation::Doubled {
        command: 1,
        entity: alice(),
        attempts: [1, 2],
    };
    assert_eq!(check(&attempts, &journal(&[(1, 15), (2, 35)])), [doubled]);
}

#[test]
fn i2_an_attempt_that_was_stored_twice_is_found() {
    let attempts = [attempt(1, 10, 20, applied(1, 1))];
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal(&[(1, 15), (1, 15)])),
        [Violation::Torn { attempt: 1, entity }]
    );
}

#[test]
fn i2_a_command_with_another_in_its_middle_is_found() {
    let attempts = [
        attempt(1, 10, 20, Saw::Unknown),
        attempt(2, 10, 20, Saw::Unknown),
    ];
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal(&[(1, 15), (2, 15), (1, 15)])),
        [Violation::Torn { attempt: 1, entity }]
    );
}

#[test]
fn i2_a_half_of_an_acknowledged_command_is_found() {
    let attempts = [attempt(1, 10, 20, applied(2, 2))];
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal(&[(1, 15)])),
        [Violation::Torn { attempt: 1, entity }]
    );
}

#[test]
fn i2_two_answers_of_one_command_are_found() {
    let mut attempts = [
        attempt(1, 10, 20, applied(1, 1)),
        attempt(2, 30, 40, applied(1, 1)),
    ];
    attempts[1].command = 1;
    attempts[0].digest = Some(5);
    attempts[1].digest = Some(5);
    let journal = journal(&[(1, 15)]);
    assert_eq!(check(&attempts, &journal), []);
    attempts[1].digest = Some(6);
    let contradicted = Violation::Contradicted {
        command: 1,
        entity: alice(),
        attempts: [1, 2],
    };
    assert_eq!(check(&attempts, &journal), [contradicted]);
}

#[test]
fn i3_a_reply_before_its_commit_is_found() {
    let (mut attempts, journal) = good();
    attempts[2].answered = Some(34);
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal),
        [Violation::Early { attempt: 3, entity }]
    );
}

#[test]
fn i3_a_query_that_read_what_was_not_committed_is_found() {
    let (mut attempts, journal) = good();
    attempts.push(attempt(5, 31, 34, decided(&[3])));
    let entity = alice();
    let early = [Violation::Early { attempt: 5, entity }];
    assert_eq!(check(&attempts, &journal), early);
    // Without instants: what was never committed.
    attempts[4] = attempt(5, 60, 62, decided(&[4]));
    let mut timeless = journal;
    for written in &mut timeless {
        written.committed = None;
    }
    assert_eq!(check(&attempts, &timeless), early);
}

#[test]
fn i4_an_answer_that_no_state_gives_is_found() {
    let (mut attempts, journal) = good();
    attempts[1].saw = decided(&[]);
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal),
        [Violation::Unexplained { attempt: 2, entity }]
    );
}

#[test]
fn i5_gaps_and_a_wrong_order_are_found() {
    let (attempts, good) = good();
    let entity = alice();
    let gap = |sequence, offset| Violation::Gap {
        entity: entity.clone(),
        sequence: SequenceNumber::new(sequence),
        offset: Offset::new(offset),
    };
    let mut hole = good.clone();
    for written in hole.iter_mut().skip(1) {
        written.offset = written.offset.next();
    }
    assert_eq!(check(&attempts, &hole), [gap(2, 3)]);
    let mut skipped = journal(&[(0, 1), (0, 1)]);
    skipped[1].sequence = SequenceNumber::new(3);
    skipped[1].attempt = None;
    assert_eq!(check(&[], &skipped), [gap(3, 2)]);
    let mut twice = journal(&[(0, 1), (1, 1)]);
    twice[1].sequence = SequenceNumber::new(1);
    assert_eq!(check(&[], &twice), [gap(1, 2)]);
    // A record does not advance the sequence number.
    let mut record = journal(&[(0, 1), (1, 1)]);
    record[1].is_event = false;
    assert_eq!(check(&[], &record), [gap(2, 2)]);
}

#[test]
fn i7_a_caller_that_waits_for_ever_is_found() {
    let mut waiting = attempt(1, 10, 20, Saw::Waits);
    waiting.answered = None;
    let entity = alice();
    assert_eq!(
        check(&[waiting], &[]),
        [Violation::Waits { attempt: 1, entity }]
    );
}

#[test]
fn p3_a_query_behind_what_was_answered_is_found() {
    let (mut attempts, journal) = good();
    attempts[3].saw = decided(&[1]);
    let stale = Violation::Stale {
        attempt: 4,
        entity: alice(),
        known: SequenceNumber::new(3),
    };
    assert_eq!(check(&attempts, &journal), [stale]);
    // A query that overlaps the command may be on either side of it.
    attempts[3].called = 39;
    assert_eq!(check(&attempts, &journal), []);
}

#[test]
fn p3_a_command_before_what_was_answered_is_found() {
    let attempts = [
        attempt(1, 10, 20, applied(2, 1)),
        attempt(2, 30, 40, applied(1, 1)),
    ];
    let stale = Violation::Stale {
        attempt: 2,
        entity: alice(),
        known: SequenceNumber::new(2),
    };
    assert_eq!(check(&attempts, &journal(&[(2, 1), (1, 2)])), [stale]);
}

#[test]
fn p3_a_caller_whose_own_order_is_not_kept_is_found() {
    let mut attempts = [
        attempt(1, 10, 40, applied(2, 1)),
        attempt(2, 11, 40, applied(1, 1)),
    ];
    let journal = journal(&[(2, 15), (1, 15)]);
    assert_eq!(check(&attempts, &journal), []);
    attempts[1].caller = 1;
    let out_of_turn = Violation::OutOfTurn {
        entity: alice(),
        earlier: 1,
        later: 2,
    };
    assert_eq!(check(&attempts, &journal), [out_of_turn]);
}

#[test]
fn p5_a_command_said_not_to_be_applied_that_is_there_is_found() {
    let attempts = [attempt(1, 10, 20, Saw::NotApplied)];
    let entity = alice();
    assert_eq!(
        check(&attempts, &journal(&[(1, 15)])),
        [Violation::Applied { attempt: 1, entity }]
    );
}

#[test]
fn an_unknown_outcome_may_be_either() {
    let attempts = [
        attempt(1, 10, 20, Saw::Unknown),
        attempt(2, 10, 20, Saw::Nothing),
    ];
    assert_eq!(check(&attempts, &[]), []);
    assert_eq!(check(&attempts, &journal(&[(1, 15), (2, 15)])), []);
}
