//! Lists as they are encoded: ascending, so that equal values have equal bytes, and nothing that is
//! out of order gets in.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess, Visitor};

/// Reads pairs whose keys ascend, and hands on one after the other: what is kept of hostile bytes
/// grows with the bytes that were read, not with the length that they claim.
pub(super) fn ascending<'de, D, K, V>(
    deserializer: D,
    mut take: impl FnMut(K, V) -> Result<(), &'static str>,
) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
    K: Deserialize<'de> + Ord + Clone,
    V: Deserialize<'de>,
{
    each(
        deserializer,
        |(key, value): (K, V), before: &mut Option<K>| {
            if before.as_ref().is_some_and(|before| *before >= key) {
                return Err("keys that are not in order");
            }
            *before = Some(key.clone());
            take(key, value)
        },
    )
}

/// Reads elements one after the other; `take` has a place for what it has to remember.
pub(super) fn each<'de, D, T, M>(
    deserializer: D,
    take: impl FnMut(T, &mut M) -> Result<(), &'static str>,
) -> Result<(), D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    M: Default,
{
    deserializer.deserialize_seq(Each {
        take,
        memory: M::default(),
        marker: PhantomData,
    })
}

struct Each<F, T, M> {
    take: F,
    memory: M,
    marker: PhantomData<T>,
}

impl<'de, F, T, M> Visitor<'de> for Each<F, T, M>
where
    F: FnMut(T, &mut M) -> Result<(), &'static str>,
    T: Deserialize<'de>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an ascending list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            (self.take)(element, &mut self.memory).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}
