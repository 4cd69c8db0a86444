//! Lists of events as tests write them.

use crate::entity::{Behavior, EventOf};

/// Events of the entity `E`: an array or a `Vec` of one event type, or a tuple of several.
///
/// A tuple is for entities with one handler for each event struct, whose events are of different
/// types.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of events of `{E}`",
    note = "write an array, a `Vec`, or a tuple of up to eight events that `{E}` has a handler for"
)]
pub trait EventList<E: Behavior> {
    /// The events as the entity stores them.
    fn into_events(self) -> Vec<E::Event>;
}

impl<E: Behavior, Ev: EventOf<E>, const N: usize> EventList<E> for [Ev; N] {
    fn into_events(self) -> Vec<E::Event> {
        self.into_iter().map(EventOf::into_event).collect()
    }
}

impl<E: Behavior, Ev: EventOf<E>> EventList<E> for Vec<Ev> {
    fn into_events(self) -> Vec<E::Event> {
        self.into_iter().map(EventOf::into_event).collect()
    }
}

macro_rules! tuples {
    ($($($name:ident)*;)*) => {
        $(impl<Entity: Behavior, $($name: EventOf<Entity>),*> EventList<Entity> for ($($name,)*) {
            fn into_events(self) -> Vec<Entity::Event> {
                #[expect(non_snake_case, reason = "a name for each type")]
                let ($($name,)*) = self;
                vec![$($name.into_event()),*]
            }
        })*
    };
}

tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}
