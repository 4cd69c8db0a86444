//! The laws of CRDTs, as property tests of any [`Crdt`](trait@Crdt): what [`crdt_laws!`](crate::crdt_laws) runs.

mod checks;
mod history;

use std::fmt;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestError, TestRunner};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crdt::{Crdt, Writer};

/// Cases a law, unless the environment variable `PROPTEST_CASES` says otherwise.
const CASES: u32 = 10_000;

/// What a type owes if its replicas are to agree.
///
/// All states in question are those that 2 to 5 replicas reach by a random history of changes, whole
/// states handed over, and deltas that are lost, doubled and late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Law {
    /// `a` with `b` is `b` with `a`.
    Commutative,
    /// The grouping of merges does not matter.
    Associative,
    /// Merging the same again changes nothing.
    Idempotent,
    /// The default value changes nothing, and is changed to the other.
    EmptyIsNeutral,
    /// A change only adds to what is known: merged with the state before, the state after stays.
    ChangesInflate,
    /// A change is in the delta: a state that changed has one, and merging takes none away and makes
    /// none.
    ChangesAreInDeltas,
    /// A delta merged into a state that has seen the one before comes to the same as the full state.
    DeltasEqualStates,
    /// Deltas merged with each other first come to the same.
    DeltasGroup,
    /// Replicas are equal once each has merged every delta, in whatever order and however often.
    DeltasConverge,
    /// Replicas are equal after handing states round, whatever was lost before.
    StatesConverge,
    /// A clone and its original do not see each other's changes.
    ClonesAreApart,
    /// Bytes come back as the value, and the value as the same bytes.
    EncodingIsStable,
    /// Damaged bytes are an error or a value that can be merged and changed, and that takes no more
    /// room than the bytes.
    HostileBytesAreHarmless,
}

/// Checks a law on 10,000 cases (`PROPTEST_CASES` sets another number).
///
/// `operations` makes changes, `change` applies one.
///
/// ```
/// use proptest::prelude::*;
/// use statefn::crdt::{GSet, Writer};
/// use statefn::testing::laws::{Law, check};
///
/// check(Law::Commutative, any::<u8>(), |set: &mut GSet<u8>, _: &mut Writer, element| {
///     set.insert(element);
/// });
/// ```
///
/// # Panics
///
/// If the law does not hold, with the smallest history that was found. A panic of the type itself
/// breaks the law as well.
pub fn check<C, S>(law: Law, operations: S, change: impl Fn(&mut C, &mut Writer, S::Value))
where
    C: Crdt + PartialEq + fmt::Debug + Serialize + DeserializeOwned,
    S: Strategy,
    S::Value: Clone + fmt::Debug,
{
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&history::histories(operations), |history| {
        checks::holds::<C, _>(law, &history, &change)
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, history)) => {
            panic!("{law:?} does not hold: {reason}\nafter {history:#?}")
        }
        Err(TestError::Abort(reason)) => panic!("{law:?} was not checked: {reason}"),
    }
}

/// Property tests of a [`Crdt`](trait@crate::crdt::Crdt): a `#[test]` for each [`Law`](crate::testing::laws::Law).
///
/// Takes the type, a strategy that makes operations, and a function that applies one. The type also
/// needs `PartialEq`, `Debug` and serde's traits. Needs the feature `testing`, and the crate
/// `proptest` where the strategies are written.
///
/// ```
/// use proptest::prelude::*;
/// use statefn::crdt::PnCounter;
///
/// mod likes {
///     use super::*;
///     statefn::crdt_laws!(PnCounter, -5_i64..5, |likes, writer, by| likes.increment(writer, by));
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! crdt_laws {
    ($type:ty, $operations:expr, $change:expr $(,)?) => {
        // Once for all laws: what a type needs is compiled once.
        fn holds(law: $crate::testing::laws::Law) {
            $crate::testing::laws::check::<$type, _>(law, $operations, $change);
        }

        $crate::crdt_laws! { @each
            merging_is_commutative: Commutative,
            merging_is_associative: Associative,
            merging_is_idempotent: Idempotent,
            the_empty_value_is_neutral: EmptyIsNeutral,
            changes_only_add_to_what_is_known: ChangesInflate,
            every_change_is_in_a_delta: ChangesAreInDeltas,
            a_delta_comes_to_the_same_as_the_state: DeltasEqualStates,
            deltas_group: DeltasGroup,
            doubled_and_reordered_deltas_converge: DeltasConverge,
            states_converge_after_loss: StatesConverge,
            clones_are_apart: ClonesAreApart,
            the_encoding_is_stable: EncodingIsStable,
            hostile_bytes_are_harmless: HostileBytesAreHarmless,
        }
    };
    (@each $($name:ident: $law:ident,)*) => {
        $(
            #[test]
            fn $name() {
                holds($crate::testing::laws::Law::$law);
            }
        )*
    };
}
