//! Whether answers are true.

use statefn::{CallError, Persisted};
use statefn_store::testing::CommitFault;

use super::ledger::{Action, Answer};
use super::model::{Outcome, Truth, decide, size};

/// A command as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Spoken {
    pub(crate) entity: usize,
    pub(crate) serial: u32,
    pub(crate) action: Action,
    pub(crate) key: Option<String>,
    pub(crate) earlier: Earlier,
}

/// Whether a command was sent before.
#[derive(Clone, Debug)]
pub(crate) enum Earlier {
    Never,
    /// What became of it is not known.
    Sent,
    /// Its handler said this, and it was stored.
    Answered(Answer),
}

/// Whether this is what the handler said, and would be said again.
pub(crate) fn is_outcome(answer: &Answer) -> bool {
    matches!(answer, Ok(_) | Err(CallError::Rejected(_)))
}

/// A command that was alone: everything about its answer is known beforehand.
pub(crate) fn call(
    spoken: &Spoken,
    before: &Truth,
    fault: CommitFault,
    answer: &Answer,
    after: &Truth,
) {
    let key = spoken.key.as_ref();
    if key.is_some_and(|key| before.keys.contains(key)) {
        assert_eq!(after.facts, before.facts, "{spoken:?}: {answer:?}");
        return under_used_key(spoken, before, answer);
    }
    let mut applied = before.clone();
    let outcome = match decide(before, spoken.serial, &spoken.action) {
        Outcome::Accepted(facts) => {
            applied.facts.extend(facts);
            Ok(applied.view())
        }
        Outcome::Rejected(short) => Err(CallError::Rejected(short)),
        Outcome::Panicked => {
            assert!(
                matches!(answer, Err(CallError::Panicked { .. })),
                "{answer:?}"
            );
            assert_eq!(after.facts, before.facts);
            return;
        }
    };
    let writes = applied.facts != before.facts || key.is_some();
    let fault = if writes { fault } else { CommitFault::Pass };
    match fault {
        CommitFault::Pass => assert_eq!(*answer, outcome, "{spoken:?}"),
        CommitFault::Unavailable => assert_persisted(answer, Persisted::No),
        _ => assert_persisted(answer, Persisted::Unknown),
    }
    if matches!(fault, CommitFault::Pass | CommitFault::UnknownApplied) {
        assert_eq!(after.facts, applied.facts, "{spoken:?}: {answer:?}");
        let stored = key.is_none_or(|key| after.keys.contains(key));
        assert!(stored, "{spoken:?}: {answer:?}");
    } else {
        assert_eq!(after.facts, before.facts, "{spoken:?}: {answer:?}");
        assert_eq!(after.keys, before.keys, "{spoken:?}: {answer:?}");
    }
}

/// The record of the key is in the journal.
fn under_used_key(spoken: &Spoken, truth: &Truth, answer: &Answer) {
    if matches!(spoken.earlier, Earlier::Never) {
        assert!(
            matches!(answer, Err(CallError::KeyReused { .. })),
            "{spoken:?}: {answer:?}"
        );
        return;
    }
    if matches!(answer, Err(CallError::KeyReused { .. })) {
        // Somebody else has taken the key after this command had failed.
        assert_eq!(truth.facts_of(spoken.serial), 0, "{spoken:?}");
        return;
    }
    assert!(is_outcome(answer), "{spoken:?}: {answer:?}");
    if let Earlier::Answered(earlier) = &spoken.earlier {
        assert_eq!(answer, earlier, "{spoken:?}");
    }
    if let (Ok(view), Some(after)) = (answer, truth.view_after(spoken.serial)) {
        assert_eq!(*view, after, "{spoken:?}");
    }
}

fn assert_persisted(answer: &Answer, expected: Persisted) {
    match answer {
        Err(error) => assert_eq!(error.persisted(), expected, "{error:?}"),
        Ok(view) => panic!("expected a failure, got {view:?}"),
    }
}

/// Commands that were under way together: what was answered must be true of the journal.
pub(crate) fn burst<'a>(
    answered: impl Iterator<Item = &'a (Spoken, Answer)>,
    before: &Truth,
    after: &Truth,
) {
    let kept = after.facts.get(..before.facts.len());
    assert_eq!(kept, Some(before.facts.as_slice()), "nothing is lost");
    let new = after.facts.get(before.facts.len()..).unwrap_or_default();
    let mut fresh = Vec::new();
    for (spoken, answer) in answered {
        answer_is_true(spoken, answer, after);
        if matches!(spoken.earlier, Earlier::Never) {
            fresh.push(spoken.serial);
        }
    }
    // In the order in which they were sent, and the events of each together.
    let mut order: Vec<u32> = new.iter().map(|fact| fact.serial).collect();
    order.dedup();
    order.retain(|serial| fresh.contains(serial));
    assert!(
        order.is_sorted_by(|one, next| one < next),
        "{order:?} of {fresh:?}"
    );
}

fn answer_is_true(spoken: &Spoken, answer: &Answer, after: &Truth) {
    let facts = after.facts_of(spoken.serial);
    assert!(
        facts == 0 || facts == size(&spoken.action),
        "all or nothing: {spoken:?}"
    );
    match answer {
        Ok(view) => {
            assert_eq!(Some(view), after.view_at(view.count).as_ref(), "{spoken:?}");
            assert_eq!(facts, size(&spoken.action), "{spoken:?}: {answer:?}");
            if let Some(then) = after.view_after(spoken.serial) {
                assert_eq!(*view, then, "{spoken:?}");
            }
        }
        Err(CallError::Rejected(short)) => {
            let Action::Put { slot, amount } = spoken.action else {
                panic!("{spoken:?} cannot be rejected");
            };
            assert!(short.balance + amount < 0, "{spoken:?}: {short:?}");
            let counts = 0..=after.facts.len() as u64;
            let mut views = counts.filter_map(|count| after.view_at(count));
            let was = views.any(|view| view.balance(slot) == short.balance);
            assert!(
                was,
                "rejected on a state that never was: {spoken:?}: {short:?}"
            );
            assert_eq!(facts, 0, "{spoken:?}");
        }
        Err(error) => {
            let not_applied = error.persisted() == Persisted::No;
            let alone = matches!(spoken.earlier, Earlier::Never);
            assert!(
                !(alone && not_applied) || facts == 0,
                "{spoken:?}: {answer:?}"
            );
        }
    }
}
