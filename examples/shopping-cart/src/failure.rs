//! Why the program ends with another exit code than 0, in one sentence.

use std::error::Error;
use std::fmt::Write as _;

use serde_json::json;
use statefn::CallError;

use crate::cart::CartError;
use crate::print::Plain;

/// What went wrong, ready to be shown.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The cart said no.
    Rejected(CartError),
    /// Options that do not go together.
    Usage(String),
    /// Anything else.
    Failed(String),
    /// All has been said already: only the exit code is left.
    Reported,
}

impl Failure {
    /// A failure told by an error and what caused it, after what was being done.
    pub(crate) fn of(doing: &str, error: &dyn Error) -> Self {
        Self::Failed(format!("{doing}: {}", sentence(error)))
    }

    /// A call that was not answered with a reply.
    pub(crate) fn of_call(error: CallError<CartError>) -> Self {
        match error {
            CallError::Rejected(rejection) => Self::Rejected(rejection),
            other => Self::Failed(sentence(&other)),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Rejected(_) | Self::Failed(_) | Self::Reported => 1,
        }
    }

    /// The line for stderr.
    pub(crate) fn line(&self, json: bool) -> Option<String> {
        if let (Self::Rejected(rejection), true) = (self, json) {
            let message = rejection.to_string();
            return Some(json!({"rejected": rejection.reason(), "message": message}).to_string());
        }
        match self {
            Self::Rejected(rejection) => Some(Plain(&rejection.to_string()).to_string()),
            Self::Usage(message) | Self::Failed(message) => {
                Some(format!("shopping-cart: {}", Plain(message)))
            }
            Self::Reported => None,
        }
    }
}

/// An error with its causes, without saying anything twice.
pub(crate) fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {message}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    #[test]
    fn a_sentence_names_each_cause_once() {
        let root = Link {
            text: "disk full",
            source: None,
        };
        let middle = Link {
            text: "cannot write: disk full",
            source: Some(Box::new(root)),
        };
        let top = Link {
            text: "no backup",
            source: Some(Box::new(middle)),
        };
        assert_eq!(sentence(&top), "no backup: cannot write: disk full");
    }

    #[test]
    fn a_rejection_is_a_sentence_for_people_and_an_object_for_programs() {
        let rejected = Failure::Rejected(CartError::NotInCart {
            product_id: "p1".to_owned(),
        });
        assert_eq!(
            rejected.line(false).as_deref(),
            Some("p1 is not in the cart")
        );
        assert_eq!(
            rejected.line(true).as_deref(),
            Some(r#"{"message":"p1 is not in the cart","rejected":"not_in_cart"}"#)
        );
        assert_eq!(rejected.exit_code(), 1);
        assert_eq!(Failure::Usage(String::new()).exit_code(), 2);
    }
}
