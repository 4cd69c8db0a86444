//! Type-erased projections, so that the runtime can run those it does not know.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use statefn_store::{Entry, ProjectionId};

use crate::codec::{Codec, DecodeError};
use crate::projection::rows::Rows;
use crate::projection::sources::{Sources, Untold};
use crate::projection::{Projection, Start, ViewList};
use crate::shape::ShapeError;
use crate::view::{View, shape_of};

/// What the runtime knows of a projection that it can run.
pub(crate) trait ProjectionDefinition: Send + Sync + 'static {
    /// Name and version.
    fn id(&self) -> ProjectionId;

    /// Where it begins.
    fn start(&self) -> Start;

    /// The Rust type, to tell the same projection from another one of its name.
    fn type_id(&self) -> TypeId;

    /// The Rust type's name, for messages.
    fn type_name(&self) -> &'static str;

    /// Its views, by their places.
    fn views(&self) -> &[ViewLayout];

    /// Whether it hears entries of this type.
    fn hears(&self, entity_type: &str) -> bool;

    /// Tells one entry. May panic: handlers are the user's.
    fn tell(&self, entry: &Entry, rows: &mut Rows) -> Result<(), Untold>;
}

/// A view of a projection: its name, and a hash of all that decides whether its rows can be read.
#[derive(Clone, Debug)]
pub(crate) struct ViewLayout {
    pub(crate) name: &'static str,
    pub(crate) shape: Result<u128, ShapeError>,
}

impl ViewLayout {
    pub(crate) fn of<V: View>() -> Self {
        Self {
            name: V::NAME,
            shape: shape_of::<V>().map(|shape| shape.hash()),
        }
    }
}

/// The layout of a projection's rows as it is stored: name and hash of each view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Layout(Vec<(String, u128)>);

impl Layout {
    /// The layout of these views.
    pub(crate) fn of(views: &[ViewLayout]) -> Result<Self, ShapeError> {
        let named = views.iter().map(|view| {
            let shape = view.shape.clone()?;
            Ok((view.name.to_owned(), shape))
        });
        named.collect::<Result<_, _>>().map(Self)
    }

    /// The hash of a view, if it is one of these.
    pub(crate) fn view(&self, name: &str) -> Option<u128> {
        let mut views = self.0.iter();
        views
            .find(|(view, _)| view == name)
            .map(|(_, shape)| *shape)
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Names and numbers: no codec refuses them.
        let _ = Codec::Bincode.encode(self, &mut bytes);
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        Codec::Bincode.decode(bytes)
    }
}

struct Defined<P> {
    projection: P,
    sources: Sources<P>,
    views: Vec<ViewLayout>,
}

/// The definition of `P`.
pub(crate) fn define<P: Projection>() -> Arc<dyn ProjectionDefinition> {
    let mut sources = Sources::new();
    P::sources(&mut sources);
    let mut views = ViewList::default();
    P::views(&mut views);
    Arc::new(Defined {
        projection: P::default(),
        sources,
        views: views.into_layouts(),
    })
}

impl<P: Projection> ProjectionDefinition for Defined<P> {
    fn id(&self) -> ProjectionId {
        ProjectionId::new(P::NAME, P::VERSION)
    }

    fn start(&self) -> Start {
        P::START
    }

    fn type_id(&self) -> TypeId {
        TypeId::of::<P>()
    }

    fn type_name(&self) -> &'static str {
        std::any::type_name::<P>()
    }

    fn views(&self) -> &[ViewLayout] {
        &self.views
    }

    fn hears(&self, entity_type: &str) -> bool {
        self.sources.hears(entity_type)
    }

    fn tell(&self, entry: &Entry, rows: &mut Rows) -> Result<(), Untold> {
        self.sources.tell(&self.projection, entry, rows)
    }
}

/// A projection that registers itself when its crate is linked.
#[derive(Clone, Copy)]
pub struct ProjectionRegistration(fn() -> Arc<dyn ProjectionDefinition>);

impl ProjectionRegistration {
    /// The registration of `P`.
    pub const fn of<P: Projection>() -> Self {
        Self(define::<P>)
    }

    /// Every projection whose crate is linked.
    pub(crate) fn linked() -> impl Iterator<Item = Arc<dyn ProjectionDefinition>> {
        inventory::iter::<Self>().map(|registration| (registration.0)())
    }
}

impl fmt::Debug for ProjectionRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProjectionRegistration(..)")
    }
}

inventory::collect!(ProjectionRegistration);
