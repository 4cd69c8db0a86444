//! The actions of a runtime.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::invocation::{ActionError, Invocation};
use super::{Action, ActionContext, Items};

/// What a runtime hosts under the name of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionInfo {
    /// The action's name.
    pub name: &'static str,
    /// Its handlers, in the order in which they are declared.
    pub handlers: Vec<HandlerInfo>,
}

/// One handler of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerInfo {
    /// The method's name.
    pub name: &'static str,
    /// Whether it takes a stream.
    pub takes_stream: bool,
    /// Whether it gives a stream.
    pub gives_stream: bool,
}

type Run =
    Box<dyn Fn(ActionContext, Invocation) -> Items<Result<Vec<u8>, ActionError>> + Send + Sync>;

struct Hosted {
    info: ActionInfo,
    /// One a handler.
    run: Vec<Run>,
}

/// The actions of a runtime, by name.
#[derive(Default)]
pub(crate) struct HostedActions(BTreeMap<&'static str, Hosted>);

impl HostedActions {
    /// Adds an action. `false` if there is one of its name.
    pub(crate) fn add<A: Action>(&mut self, action: A) -> bool {
        let action = Arc::new(action);
        let (mut handlers, mut run) = (Vec::new(), Vec::<Run>::new());
        for handler in A::handlers() {
            handlers.push(handler.info());
            let action = Arc::clone(&action);
            run.push(Box::new(move |ctx, invocation| {
                handler.run(Arc::clone(&action), ctx, invocation)
            }));
        }
        let name = A::NAME;
        let info = ActionInfo { name, handlers };
        self.0.insert(name, Hosted { info, run }).is_none()
    }

    /// What there is, by name.
    pub(crate) fn list(&self) -> Vec<ActionInfo> {
        self.0.values().map(|hosted| hosted.info.clone()).collect()
    }

    /// Runs a handler.
    pub(crate) fn run(
        &self,
        action: &str,
        handler: &str,
        ctx: ActionContext,
        invocation: Invocation,
    ) -> Items<Result<Vec<u8>, ActionError>> {
        let hosted = self.0.get(action);
        let run = hosted.and_then(|hosted| {
            let mut handlers = hosted.info.handlers.iter();
            hosted
                .run
                .get(handlers.position(|info| info.name == handler)?)
        });
        match run {
            Some(run) => run(ctx, invocation),
            None => Items::of([Err(ActionError::NotHosted {
                action: action.to_owned(),
                handler: handler.to_owned(),
            })]),
        }
    }
}

impl fmt::Debug for HostedActions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
