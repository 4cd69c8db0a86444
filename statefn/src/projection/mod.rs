//! Projections: what handlers make of the journal, as rows of views.

pub(crate) mod definition;
mod envelope;
mod outcome;
pub(crate) mod rows;
pub(crate) mod sources;
mod views;

use crate::view::View;

pub use definition::ProjectionRegistration;
pub use envelope::{Envelope, Removal};
pub use outcome::{HandlerError, HandlerOutcome};
pub use sources::{Sources, ToldBy};
pub use views::{ViewError, Views};

/// A fold of the journal into rows of views. Made by [`#[projection]`](macro@crate::projection) on an
/// impl block.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no projection",
    note = "put `#[projection(name = \"..\", views = ..)]` on `impl {Self}`"
)]
pub trait Projection: Default + Send + Sync + 'static {
    /// The name under which rows and progress are stored.
    const NAME: &'static str;

    /// The version: another one builds rows of its own.
    const VERSION: u32;

    /// Where a version that is new to a store begins.
    const START: Start;

    /// Lists the handlers.
    fn sources(sources: &mut Sources<Self>);

    /// Lists the views, in the order of their [`ViewOf::PLACE`].
    #[doc(hidden)]
    fn views(views: &mut ViewList);
}

/// A view that the projection `P` keeps.
#[diagnostic::on_unimplemented(
    message = "`{P}` does not keep the view `{Self}`",
    label = "not a view of `{P}`",
    note = "name it: `#[projection(views = ({Self}, ..))]`"
)]
pub trait ViewOf<P: Projection>: KeptView<Projection = P> {
    /// The view's place among those of the projection.
    const PLACE: u16;
}

/// A view that some projection keeps: only one does.
#[diagnostic::on_unimplemented(
    message = "no projection keeps the view `{Self}`",
    note = "name it in one: `#[projection(name = \"..\", views = ({Self}, ..))]`"
)]
pub trait KeptView: View {
    /// The projection.
    type Projection: Projection;
}

/// Where a version of a projection that is new to a store begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Start {
    /// With the first entry of the journal.
    Beginning,
    /// Behind the entries that are there: what happened before is left out.
    Now,
}

/// Gathers the views of a projection.
#[derive(Debug, Default)]
pub struct ViewList(Vec<definition::ViewLayout>);

impl ViewList {
    /// The next view.
    pub fn view<V: View>(&mut self) {
        self.0.push(definition::ViewLayout::of::<V>());
    }

    pub(crate) fn into_layouts(self) -> Vec<definition::ViewLayout> {
        self.0
    }
}
