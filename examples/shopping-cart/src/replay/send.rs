//! Sends one line's command until something is decided about it.

use std::time::Duration;

use statefn::command::Command as EntityCommand;
use statefn::env::Env;
use statefn::prelude::*;

use crate::cart::{Cart, CartError, CartRef};
use crate::failure::sentence;
use crate::replay::line::Command;

/// For how long a command that was not taken is sent again before the run stops.
const PATIENCE: Duration = Duration::from_secs(60);

const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decided {
    Accepted,
    Rejected(&'static str),
    /// The machinery could not run it, or does not know whether it ran. The run goes on.
    Failed {
        error: String,
        applied: &'static str,
    },
    /// As `Failed`, and there is no use in going on.
    Stop {
        error: String,
        applied: &'static str,
    },
}

/// What to do about an answer.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done(Decided),
    Again,
}

/// Runs `command`, under `key` if there is one, and waits for the durable reply.
pub(super) async fn send(
    runtime: &Runtime,
    env: &dyn Env,
    command: &Command,
    key: Option<&str>,
) -> Decided {
    let cart = runtime.entity::<Cart>(command.user());
    let start = env.now();
    let mut pause = FIRST_PAUSE;
    loop {
        let answer = once(&cart, command, key).await;
        let waited = env.now().saturating_sub(start);
        match judge(answer, key.is_some(), waited) {
            Next::Done(decided) => return decided,
            Next::Again => env.sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn once(
    cart: &CartRef,
    command: &Command,
    key: Option<&str>,
) -> Result<(), CallError<CartError>> {
    match command {
        Command::Add {
            product,
            name,
            quantity,
            ..
        } => {
            let call = cart.add_item(product.as_str(), name.as_str(), *quantity);
            keyed(call, key).await.map(|_| ())
        }
        Command::Remove { product, .. } => keyed(cart.remove_item(product.as_str()), key)
            .await
            .map(|_| ()),
        Command::Checkout { .. } => keyed(cart.check_out(), key).await,
    }
}

fn keyed<C: EntityCommand>(call: statefn::Call<C>, key: Option<&str>) -> statefn::Call<C> {
    match key {
        Some(key) => call.with_key(key),
        None => call,
    }
}

fn judge(answer: Result<(), CallError<CartError>>, is_keyed: bool, waited: Duration) -> Next {
    let error = match answer {
        // The reply under this key was stored by a program whose replies looked different.
        Ok(()) | Err(CallError::AlreadyApplied { .. }) => return Next::Done(Decided::Accepted),
        Err(CallError::Rejected(rejection)) => {
            return Next::Done(Decided::Rejected(rejection.reason()));
        }
        Err(error) => error,
    };
    let is_unknown = error.persisted() != Persisted::No;
    let applied = if is_unknown { "unknown" } else { "no" };
    let may_repeat = error.is_retryable() && (is_keyed || !is_unknown);
    if may_repeat && waited < PATIENCE {
        return Next::Again;
    }
    let is_over = may_repeat || matches!(error, CallError::Fenced | CallError::Stopped);
    let error = sentence(&error);
    Next::Done(if is_over {
        Decided::Stop { error, applied }
    } else {
        Decided::Failed { error, applied }
    })
}

#[cfg(test)]
mod tests {
    use statefn::Overload;

    use super::*;

    fn decided(error: CallError<CartError>, is_keyed: bool, waited: Duration) -> Decided {
        match judge(Err(error), is_keyed, waited) {
            Next::Done(decided) => decided,
            Next::Again => panic!("sent again"),
        }
    }

    fn is_repeated(error: CallError<CartError>, is_keyed: bool) -> bool {
        judge(Err(error), is_keyed, Duration::ZERO) == Next::Again
    }

    fn unknown() -> CallError<CartError> {
        let reason = "no answer".into();
        CallError::OutcomeUnknown { reason }
    }

    fn unavailable() -> CallError<CartError> {
        let reason = "recovering".into();
        CallError::Unavailable { reason }
    }

    #[test]
    fn what_was_not_applied_is_sent_again_and_what_may_be_only_under_a_key() {
        for is_keyed in [false, true] {
            assert!(is_repeated(
                CallError::Overloaded(Overload::Waiting),
                is_keyed
            ));
            assert!(is_repeated(CallError::Timeout, is_keyed));
            assert!(is_repeated(unavailable(), is_keyed));
            assert_eq!(is_repeated(unknown(), is_keyed), is_keyed);
        }
        let lost = decided(unknown(), false, Duration::ZERO);
        assert!(matches!(
            lost,
            Decided::Failed {
                applied: "unknown",
                ..
            }
        ));
    }

    #[test]
    fn patience_ends() {
        let given_up = decided(unavailable(), false, PATIENCE);
        assert!(matches!(given_up, Decided::Stop { applied: "no", .. }));
        let given_up = decided(unknown(), true, PATIENCE);
        assert!(matches!(
            given_up,
            Decided::Stop {
                applied: "unknown",
                ..
            }
        ));
    }

    #[test]
    fn the_carts_word_is_final() {
        assert_eq!(
            judge(Ok(()), true, Duration::MAX),
            Next::Done(Decided::Accepted)
        );
        let rejected = decided(
            CallError::Rejected(CartError::CheckedOut),
            true,
            Duration::MAX,
        );
        assert_eq!(rejected, Decided::Rejected("checked_out"));
    }

    #[test]
    fn a_fault_of_one_line_does_not_end_the_run_and_a_lost_store_does() {
        let key = "k".into();
        let reused = decided(CallError::KeyReused { key }, true, Duration::ZERO);
        assert!(matches!(reused, Decided::Failed { applied: "no", .. }));
        let fenced = decided(CallError::Fenced, true, Duration::ZERO);
        assert!(matches!(fenced, Decided::Stop { applied: "no", .. }));
    }
}
