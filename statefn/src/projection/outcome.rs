//! What a handler returns.

use std::error::Error;

/// Why a handler could not do its work: any error.
pub type HandlerError = Box<dyn Error + Send + Sync>;

/// What a handler of a projection returns: nothing, or a `Result<(), E>` with any error.
#[diagnostic::on_unimplemented(
    message = "a handler of a projection returns nothing or `Result<(), _>`, not `{Self}`",
    label = "expected `()` or `Result<(), E>`"
)]
pub trait HandlerOutcome {
    /// As a result.
    #[doc(hidden)]
    fn into_result(self) -> Result<(), HandlerError>;
}

impl HandlerOutcome for () {
    fn into_result(self) -> Result<(), HandlerError> {
        Ok(())
    }
}

impl<E: Into<HandlerError>> HandlerOutcome for Result<(), E> {
    fn into_result(self) -> Result<(), HandlerError> {
        self.map_err(Into::into)
    }
}
