//! Type-erased entity definitions, so that the runtime can host types it does not know.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::entity::{Behavior, Options};

/// What the runtime knows of a hosted entity type.
pub trait Definition: Send + Sync + 'static {
    /// The name under which entities of this type are stored.
    fn entity_type(&self) -> &'static str;
    /// The options of the attribute.
    fn options(&self) -> Options;
}

struct Defined<E>(PhantomData<fn() -> E>);

impl<E: Behavior> Definition for Defined<E> {
    fn entity_type(&self) -> &'static str {
        E::TYPE
    }

    fn options(&self) -> Options {
        E::OPTIONS
    }
}

/// An entity type that registers itself when its crate is linked.
#[derive(Clone, Copy)]
pub struct Registration(fn() -> Arc<dyn Definition>);

impl Registration {
    /// The registration of `E`.
    pub const fn of<E: Behavior>() -> Self {
        Self(|| Arc::new(Defined::<E>(PhantomData)))
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Registration(..)")
    }
}

inventory::collect!(Registration);
