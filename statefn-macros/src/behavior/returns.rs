//! What a handler returns, read from the way it is written.

use syn::{GenericArgument, PathArguments, ReturnType, Type};

use crate::behavior::method::Role;
use crate::diagnostics::Diagnostics;
use crate::owned;

/// What a handler returns.
pub(crate) enum Returns {
    /// `T`, or nothing.
    Plain(Option<Type>),
    /// `Then<Self, T>`.
    Then(Type),
    /// `Forward<T, E>`.
    Forward { whole: Box<Type> },
    /// `Result<T, E>`, also by an alias that is called `Result`.
    Fallible { whole: Box<Type> },
    /// `Result<Then<Self, T>, E>`.
    FallibleThen { whole: Box<Type>, reply: Box<Type> },
    /// `Result<Forward<T, E>, E>`.
    FallibleForward { whole: Box<Type> },
}

impl Returns {
    /// Reads a return type; `None` was complained about.
    pub(super) fn read(
        output: &ReturnType,
        role: Role,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let ReturnType::Type(_, ty) = output else {
            return Some(Self::Plain(None));
        };
        let returns = Self::of(ty);
        if role == Role::Query && matches!(returns, Self::Then(_) | Self::FallibleThen { .. }) {
            let message = "a query emits nothing: return the value instead of `Then`";
            diagnostics.at(ty, message);
            return None;
        }
        if role == Role::Query
            && matches!(returns, Self::Forward { .. } | Self::FallibleForward { .. })
        {
            let message = "a query answers by itself: only a command can be forwarded";
            diagnostics.at(ty, message);
            return None;
        }
        owned::check(ty, "replies are", diagnostics).then_some(returns)
    }

    fn of(ty: &Type) -> Self {
        if let Some(arguments) = arguments_of(ty, "Result") {
            let whole = Box::new(ty.clone());
            if arguments.first().is_some_and(|ok| is_forward(ok)) {
                return Self::FallibleForward { whole };
            }
            return match arguments.first().and_then(|ok| then(ok)) {
                Some(reply) => Self::FallibleThen {
                    whole,
                    reply: Box::new(reply),
                },
                None => Self::Fallible { whole },
            };
        }
        if is_forward(ty) {
            return Self::Forward {
                whole: Box::new(ty.clone()),
            };
        }
        match then(ty) {
            Some(reply) => Self::Then(reply),
            None => Self::Plain(Some(ty.clone())),
        }
    }
}

/// The first type argument, or the type itself: where a complaint about the reply belongs.
pub(super) fn first_type(ty: &Type) -> &Type {
    let arguments = arguments_of(ty, "Result").unwrap_or_default();
    arguments.first().copied().unwrap_or(ty)
}

/// The last type argument, or the type itself: where a complaint about the rejection belongs.
pub(super) fn last_type(ty: &Type) -> &Type {
    let arguments = arguments_of(ty, "Result").unwrap_or_default();
    arguments.last().copied().unwrap_or(ty)
}

/// Whether it is `Forward<..>`.
fn is_forward(ty: &Type) -> bool {
    arguments_of(ty, "Forward").is_some_and(|arguments| !arguments.is_empty())
}

/// `T` of `Then<_, T>`.
fn then(ty: &Type) -> Option<Type> {
    arguments_of(ty, "Then")?.last().map(|ty| (*ty).clone())
}

/// The type arguments of a path that ends in `name`.
fn arguments_of<'a>(ty: &'a Type, name: &str) -> Option<Vec<&'a Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => Some(
            arguments
                .args
                .iter()
                .filter_map(|argument| match argument {
                    GenericArgument::Type(ty) => Some(ty),
                    _ => None,
                })
                .collect(),
        ),
        _ => Some(Vec::new()),
    }
}
