//! The laws.

use std::fmt;

use proptest::prop_assert;
use proptest::prop_assert_eq;
use proptest::test_runner::TestCaseResult;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Law;
use super::history::{History, World, writer};
use crate::codec::Codec;
use crate::crdt::{Crdt, Writer};

/// How much larger than the bytes they came from two merged values may be encoded: a number of one
/// byte can become one of nine.
const GROWTH_MAX: usize = 16;

pub(super) fn holds<C, O>(
    law: Law,
    history: &History<O>,
    change: &impl Fn(&mut C, &mut Writer, O),
) -> TestCaseResult
where
    C: Crdt + PartialEq + fmt::Debug + Serialize + DeserializeOwned,
    O: Clone,
{
    let world = history.run(change);
    let [one, two, three, ..] = history.choices;
    let (a, b, c) = (world.pick(one), world.pick(two), world.pick(three));
    match law {
        Law::Commutative => prop_assert_eq!(join(&a, &b), join(&b, &a)),
        Law::Associative => prop_assert_eq!(join(&join(&a, &b), &c), join(&a, &join(&b, &c))),
        Law::Idempotent => {
            prop_assert_eq!(&join(&a, &a), &a);
            let both = join(&a, &b);
            prop_assert_eq!(&join(&both, &b), &both);
        }
        Law::EmptyIsNeutral => {
            prop_assert_eq!(&join(&a, &C::default()), &a);
            prop_assert_eq!(&join(&C::default(), &a), &a);
        }
        Law::ChangesInflate => {
            for step in &world.changes {
                prop_assert_eq!(&join(&step.before, &step.after), &step.after);
            }
            let both = join(&a, &b);
            prop_assert_eq!(&join(&both, &a), &both);
        }
        Law::ChangesAreInDeltas => return are_in_deltas(&world, &a),
        Law::DeltasEqualStates => return equal_states(&world, &a),
        Law::DeltasGroup => return group(&world, &a),
        Law::DeltasConverge => return deltas_converge(world, history.choices),
        Law::StatesConverge => return states_converge(world),
        Law::ClonesAreApart => return are_apart(&a, history, change),
        Law::EncodingIsStable => {
            is_stable(&a, Codec::Bincode)?;
            return is_stable(&a, Codec::Json);
        }
        Law::HostileBytesAreHarmless => return is_harmless(&a, &b, history, change),
    }
    Ok(())
}

fn join<C: Crdt>(a: &C, b: &C) -> C {
    let mut joined = a.clone();
    joined.merge(b);
    joined
}

fn are_in_deltas<C: Crdt + PartialEq + fmt::Debug>(world: &World<C>, other: &C) -> TestCaseResult {
    for step in &world.changes {
        if step.before != step.after {
            prop_assert!(step.delta.is_some(), "a change without a delta: {step:?}");
        }
        let mut merged = join(&step.after, other);
        prop_assert!(merged.take_delta().is_none(), "a delta of a merge");
    }
    Ok(())
}

fn equal_states<C: Crdt + PartialEq + fmt::Debug>(world: &World<C>, other: &C) -> TestCaseResult {
    for step in &world.changes {
        let delta = step.delta.clone().unwrap_or_default();
        prop_assert_eq!(&join(&step.before, &delta), &step.after);
        let by_delta = join(&join(other, &step.before), &delta);
        prop_assert_eq!(by_delta, join(other, &step.after));
    }
    Ok(())
}

fn group<C: Crdt + PartialEq + fmt::Debug>(world: &World<C>, into: &C) -> TestCaseResult {
    let mut group = C::default();
    let mut alone = into.clone();
    let mut chained = None;
    for delta in &world.deltas {
        alone.merge(delta);
        group.merge(delta);
        chained = Some(chained.map_or_else(|| delta.clone(), |before| join(&before, delta)));
    }
    prop_assert_eq!(&join(into, &group), &alone);
    let chained = chained.unwrap_or_default();
    prop_assert_eq!(&join(into, &chained), &alone);
    Ok(())
}

fn deltas_converge<C>(mut world: World<C>, choices: [u8; 8]) -> TestCaseResult
where
    C: Crdt + PartialEq + fmt::Debug,
{
    let count = world.deltas.len();
    for (at, replica) in world.replicas.iter_mut().enumerate() {
        let choice = choices.get(at).copied().map_or(0, usize::from);
        for place in 0..count {
            // Once forward from somewhere, and some of them once more on the way back.
            let forward = place.saturating_add(choice).checked_rem(count);
            let back = count - 1 - place;
            let back = (choice.wrapping_shr(u32::try_from(place % 8).unwrap_or(0)) & 1 == 1)
                .then_some(back);
            for which in [forward, back].into_iter().flatten() {
                if let Some(delta) = world.deltas.get(which) {
                    replica.merge(delta);
                }
            }
        }
    }
    are_equal(&world)
}

fn states_converge<C: Crdt + PartialEq + fmt::Debug>(mut world: World<C>) -> TestCaseResult {
    // Round a ring, twice: after that each state has been everywhere.
    let count = world.replicas.len();
    for step in 0..count.saturating_mul(2) {
        let state = world.replicas.get(step % count).cloned();
        if let (Some(state), Some(next)) = (state, world.replicas.get_mut((step + 1) % count)) {
            next.merge(&state);
        }
    }
    are_equal(&world)
}

fn are_equal<C: Crdt + PartialEq + fmt::Debug>(world: &World<C>) -> TestCaseResult {
    for pair in world.replicas.windows(2) {
        if let [one, other] = pair {
            prop_assert_eq!(one, other);
        }
    }
    Ok(())
}

fn are_apart<C, O>(
    state: &C,
    history: &History<O>,
    change: &impl Fn(&mut C, &mut Writer, O),
) -> TestCaseResult
where
    C: Crdt + PartialEq + fmt::Debug + Serialize,
    O: Clone,
{
    let before = encoded(state, Codec::Bincode)?;
    let mut copy = state.clone();
    if let Some(operation) = history.operation() {
        change(&mut copy, &mut writer(0, 200), operation.clone());
    }
    prop_assert_eq!(encoded(state, Codec::Bincode)?, before);
    Ok(())
}

fn is_stable<C>(value: &C, codec: Codec) -> TestCaseResult
where
    C: Crdt + PartialEq + fmt::Debug + Serialize + DeserializeOwned,
{
    let bytes = encoded(value, codec)?;
    let back: C = match codec.decode(&bytes) {
        Ok(back) => back,
        Err(error) => return Err(fail(&format!("{value:?} does not come back: {error}"))),
    };
    prop_assert_eq!(&back, value);
    prop_assert_eq!(encoded(&back, codec)?, bytes);
    Ok(())
}

fn is_harmless<C, O>(
    delta: &C,
    state: &C,
    history: &History<O>,
    change: &impl Fn(&mut C, &mut Writer, O),
) -> TestCaseResult
where
    C: Crdt + PartialEq + fmt::Debug + Serialize + DeserializeOwned,
    O: Clone,
{
    let mut bytes = encoded(delta, Codec::Bincode)?;
    damage(&mut bytes, history.choices);
    let Ok(forged) = Codec::Bincode.decode::<C>(&bytes) else {
        return Ok(());
    };
    let mut joined = join(state, &forged);
    let limit = GROWTH_MAX * (bytes.len() + encoded(state, Codec::Bincode)?.len() + 1);
    let size = encoded(&joined, Codec::Bincode)?.len();
    prop_assert!(size <= limit, "{size} bytes, of at most {limit}");
    if let Some(operation) = history.operation() {
        change(&mut joined, &mut writer(0, 0), operation.clone());
    }
    // Whatever it holds, others can read it.
    is_stable(&joined, Codec::Bincode)
}

/// Three bytes become others, and some are cut off or added.
fn damage(bytes: &mut Vec<u8>, choices: [u8; 8]) {
    let [.., one, two, three, four, cut] = choices;
    for (place, byte) in [(one, two), (two, three), (three, four)] {
        let place = usize::from(place).checked_rem(bytes.len());
        if let Some(old) = place.and_then(|place| bytes.get_mut(place)) {
            *old = byte;
        }
    }
    match cut % 4 {
        0 => bytes.truncate(usize::from(cut) % (bytes.len() + 1)),
        1 => bytes.push(one),
        _ => {}
    }
}

fn encoded<C: Serialize>(value: &C, codec: Codec) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    match codec.encode(value, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(fail(&format!("it cannot be encoded: {error}"))),
    }
}

type Failure = proptest::test_runner::TestCaseError;

fn fail(reason: &str) -> Failure {
    Failure::fail(reason.to_owned())
}
