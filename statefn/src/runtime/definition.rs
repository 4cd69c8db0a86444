//! Type-erased entity definitions, so that the runtime can host types it does not know.

use std::any::{Any, TypeId};
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use statefn_store::{Loaded, Replay};

use crate::codec::Codec;
use crate::entity::{Behavior, Options};
use crate::event::{StoredForm, StoredForms};
use crate::runtime::delivery::Commands;
use crate::runtime::isolate::isolate;
use crate::runtime::recovery::{self, Recovered, RecoverySettings, Unrecoverable};
use crate::runtime::resident::Resident;
use crate::shape::{Shape, ShapeError};

/// What the runtime knows of an entity type that it can host.
pub(crate) trait Definition: Send + Sync + 'static {
    /// The name under which entities of this type are stored.
    fn entity_type(&self) -> &'static str;

    /// The options of the attribute.
    fn options(&self) -> Options;

    /// The Rust type, to tell the same entity from another one of its name.
    fn type_id(&self) -> TypeId;

    /// The Rust type's name, for messages.
    fn type_name(&self) -> &'static str;

    /// The shape of the state: the one named in the options, else the traced one.
    fn shape(&self) -> Result<Shape, ShapeError>;

    /// Every stored form of the entity's events, as `codec` sees it.
    fn events(&self, codec: Codec) -> Vec<StoredForm>;

    /// The commands, for stored calls.
    fn commands(&self) -> Commands;

    /// A recovery to be handed to a store.
    fn recovery(&self, settings: RecoverySettings) -> Box<dyn Replay>;

    /// Whether two states are equal. `None` when nobody can tell: their bytes differ, and the
    /// type has no `PartialEq`.
    fn same_state(&self, one: &dyn Any, other: &dyn Any) -> Option<bool>;

    /// What the filled recovery came to.
    fn recovered(&self, loaded: Loaded) -> Result<Recovered, Unrecoverable>;
}

struct Defined<E>(PhantomData<fn() -> E>);

/// The definition of `E`.
pub(crate) fn define<E: Behavior>() -> Arc<dyn Definition> {
    Arc::new(Defined::<E>(PhantomData))
}

impl<E: Behavior> Definition for Defined<E> {
    fn entity_type(&self) -> &'static str {
        E::TYPE
    }

    fn options(&self) -> Options {
        E::OPTIONS
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<E>()
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<E>()
    }

    fn shape(&self) -> Result<Shape, ShapeError> {
        let codec = E::OPTIONS.codec;
        match E::OPTIONS.shape {
            Some(name) => Ok(Shape::named(name, codec)),
            None => Shape::of::<E>(codec),
        }
    }

    fn events(&self, codec: Codec) -> Vec<StoredForm> {
        StoredForms::of::<E::Event>(codec)
    }

    fn commands(&self) -> Commands {
        Commands::of::<E>()
    }

    fn recovery(&self, settings: RecoverySettings) -> Box<dyn Replay> {
        recovery::begin::<E>(settings)
    }

    fn recovered(&self, loaded: Loaded) -> Result<Recovered, Unrecoverable> {
        recovery::finish::<E>(loaded)
    }

    fn same_state(&self, one: &dyn Any, other: &dyn Any) -> Option<bool> {
        let (one, other) = (state_in::<E>(one)?, state_in::<E>(other)?);
        isolate(|| one.same(other).or_else(|| same_bytes(one, other)))
            .ok()
            .flatten()
    }
}

fn state_in<E: Behavior>(resident: &dyn Any) -> Option<&E> {
    resident
        .downcast_ref::<Resident<E>>()
        .map(|resident| &resident.state)
}

/// Equal bytes are equal states; others may be, in another order.
fn same_bytes<E: Behavior>(one: &E, other: &E) -> Option<bool> {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    E::OPTIONS.codec.encode(one, &mut left).ok()?;
    E::OPTIONS.codec.encode(other, &mut right).ok()?;
    (left == right).then_some(true)
}

/// An entity type that registers itself when its crate is linked.
#[derive(Clone, Copy)]
pub struct Registration(fn() -> Arc<dyn Definition>);

impl Registration {
    /// The registration of `E`.
    pub const fn of<E: Behavior>() -> Self {
        Self(define::<E>)
    }

    /// Every entity type whose crate is linked.
    pub(crate) fn linked() -> impl Iterator<Item = Arc<dyn Definition>> {
        inventory::iter::<Self>().map(|registration| (registration.0)())
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration(..)")
    }
}

inventory::collect!(Registration);
