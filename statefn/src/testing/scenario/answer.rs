//! What handlers return, as a scenario understands it.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Infallible;
use crate::entity::Behavior;
use crate::forward::Forward;
use crate::reply::{Handled, Then};

/// A reply or rejection that a test can compare, show, and send through a codec.
pub trait Value: Serialize + DeserializeOwned + PartialEq + Debug {}

impl<T: Serialize + DeserializeOwned + PartialEq + Debug> Value for T {}

/// What the handler of a command returns: `Result<T, R>`, `Result<Then<E, T>, R>`, `Then<E, T>`,
/// or a standard type without `Result`.
#[diagnostic::on_unimplemented(
    message = "`when` does not take a handler that returns `{Self}`",
    label = "this handler returns `{Self}`",
    note = "it takes `Result` with a comparable reply and rejection (`Serialize`, \
            `Deserialize`, `PartialEq`, `Debug`), `Then`, and standard types",
    note = "for a reply of your own type without `Result`, call `.when_infallible(..)`"
)]
pub trait Answer<E: Behavior> {
    /// What the caller gets.
    type Reply: Value;
    /// The domain's no.
    type Rejection: Value;

    /// The answer as the runtime takes it.
    #[doc(hidden)]
    fn into_handled(self) -> Handled<E, Self::Reply, Self::Rejection>;
}

impl<E, T, R> Answer<E> for Result<T, R>
where
    E: Behavior,
    T: Serialize + DeserializeOwned + PartialEq + Debug,
    R: Value,
{
    type Reply = T;
    type Rejection = R;

    fn into_handled(self) -> Handled<E, T, R> {
        match self {
            Ok(reply) => Handled::Reply(reply),
            Err(rejection) => Handled::Rejected(rejection),
        }
    }
}

impl<E: Behavior, T: Value, R: Value> Answer<E> for Result<Then<E, T>, R> {
    type Reply = T;
    type Rejection = R;

    fn into_handled(self) -> Handled<E, T, R> {
        match self {
            Ok(then) => Handled::Then(then),
            Err(rejection) => Handled::Rejected(rejection),
        }
    }
}

impl<E: Behavior, T: Value, R: Value> Answer<E> for Result<Forward<T, R>, R> {
    type Reply = T;
    type Rejection = R;

    fn into_handled(self) -> Handled<E, T, R> {
        match self {
            Ok(forward) => Handled::Forward(forward),
            Err(rejection) => Handled::Rejected(rejection),
        }
    }
}

impl<E: Behavior, T: Value, R: Value> Answer<E> for Forward<T, R> {
    type Reply = T;
    type Rejection = R;

    fn into_handled(self) -> Handled<E, T, R> {
        Handled::Forward(self)
    }
}

impl<E: Behavior, T: Value> Answer<E> for Then<E, T> {
    type Reply = T;
    type Rejection = Infallible;

    fn into_handled(self) -> Handled<E, T, Infallible> {
        Handled::Then(self)
    }
}

macro_rules! standard {
    ($([$($generic:ident)*] $ty:ty;)*) => {
        $(impl<E: Behavior, $($generic: Value),*> Answer<E> for $ty {
            type Reply = Self;
            type Rejection = Infallible;

            fn into_handled(self) -> Handled<E, Self, Infallible> {
                Handled::Reply(self)
            }
        })*
    };
}

standard! {
    [] ();
    [] bool;
    [] char;
    [] String;
    [] u8;
    [] u16;
    [] u32;
    [] u64;
    [] u128;
    [] usize;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] i128;
    [] isize;
    [] f32;
    [] f64;
    [T] Option<T>;
    [T] Vec<T>;
    [A B] (A, B);
}
