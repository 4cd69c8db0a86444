//! P9: a handler that calls an entity and waits for it is told so; it neither hangs nor harms.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

use crate::kit::{World, poll};

/// The runtime that the handlers below call, since no handler is given one.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

fn runtime() -> Runtime {
    let runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    runtime.clone().expect("the test has set it")
}

/// Polls a call to `id` once and says what came of it.
fn call(id: &str) -> String {
    let mut call = Box::pin(runtime().entity::<Caller>(id).called().into_future());
    format!("{:?}", poll(&mut call))
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) struct Called {
    id: Option<String>,
}

#[entity(event_sourced, name = "caller")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Caller {
    answers: Vec<String>,
}

#[entity]
impl Caller {
    #[command]
    fn call_and_wait(&self, ctx: &mut Context<Self>, id: String) -> String {
        ctx.emit(Called { id: None });
        call(&id)
    }

    /// Calls from the event handler.
    #[command]
    fn call_later(&self, ctx: &mut Context<Self>, id: String) -> Then<Self, Option<String>> {
        ctx.emit(Called { id: Some(id) });
        ctx.then(|caller| caller.answers.last().cloned())
    }

    /// Calls from the closure that makes the reply.
    #[command]
    fn call_at_last(&self, ctx: &mut Context<Self>, id: String) -> Then<Self, String> {
        ctx.then(move |_| call(&id))
    }

    #[query]
    fn ask_and_wait(&self, id: String) -> String {
        call(&id)
    }

    #[query]
    fn block(&self, id: String) -> String {
        format!("{:?}", runtime().entity::<Self>(id).called().wait())
    }

    #[query]
    fn called(&self) -> usize {
        self.answers.len()
    }

    #[event_handler]
    fn apply(&mut self, event: &Called) {
        let answer = event.id.as_deref().map(call);
        self.answers.push(answer.unwrap_or_default());
    }
}

#[test]
fn p9_a_call_inside_a_handler_is_an_error_not_a_hang() {
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let world = tokio.block_on(async {
        let world = World::build(|builder| builder.only::<(Caller,)>().shards(1)).await;
        *RUNTIME.lock().unwrap() = Some(world.runtime.clone());
        let caller = world.runtime.entity::<Caller>("one");
        for id in ["one", "other"] {
            let refused = "Some(Err(Reentrancy))";
            assert_eq!(caller.call_and_wait(id).await.unwrap(), refused);
            assert_eq!(caller.call_later(id).await.unwrap().unwrap(), refused);
            assert_eq!(caller.call_at_last(id).await.unwrap(), refused);
            assert_eq!(caller.ask_and_wait(id).await.unwrap(), refused);
            let waited = caller.block(id).await.unwrap();
            assert_eq!(waited, "Err(WaitInsideRuntime)");
        }
        assert_eq!(caller.called().await, Ok(4));
        world.runtime.crash().await.unwrap();
        assert_eq!(caller.called().await, Ok(4), "also while it recovers");
        world.assert_quiet().await;
        world
    });
    // From a thread of its own it is no different.
    let caller = world.runtime.entity::<Caller>("one");
    let thread = std::thread::spawn(move || caller.block("other").wait());
    assert_eq!(thread.join().unwrap().unwrap(), "Err(Reentrancy)");
    *RUNTIME.lock().unwrap() = None;
}

#[statefn::test]
async fn p9_waiting_inside_an_async_runtime_is_an_error_and_sends_nothing() {
    let world = World::new().await;
    let alice = world.account("alice");
    let answer = alice.add(1).wait();
    assert_eq!(answer, Err(statefn::CallError::WaitInsideRuntime));
    assert_eq!(alice.moves().await, Ok(vec![]));
    let outside = {
        let alice = alice.clone();
        std::thread::spawn(move || alice.add(1).wait())
    };
    assert_eq!(outside.join().unwrap(), Ok(1));
}
