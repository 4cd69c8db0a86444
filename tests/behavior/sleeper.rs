//! An entity whose handlers wait as long as the test likes.

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use statefn::prelude::*;

/// The test's end of a handler that waits.
pub(crate) struct Stop {
    begun: Receiver<()>,
    go_on: Sender<()>,
}

impl Stop {
    /// The next `wait_here` of the entity `id`, a name that no other test uses, waits.
    pub(crate) fn prepare(id: &str) -> Self {
        let (says_begun, begun) = channel();
        let (go_on, hears_go_on) = channel();
        stops().insert(id.to_owned(), (says_begun, hears_go_on));
        Self { begun, go_on }
    }

    /// Waits until the handler waits.
    pub(crate) fn reached(&self) {
        self.begun.recv().unwrap();
    }

    pub(crate) fn let_go(self) {
        self.go_on.send(()).unwrap();
    }
}

type Stops = HashMap<String, (Sender<()>, Receiver<()>)>;

fn stops() -> std::sync::MutexGuard<'static, Stops> {
    static STOPS: LazyLock<Mutex<Stops>> = LazyLock::new(Mutex::default);
    STOPS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait(id: &str) {
    let stop = stops().remove(id);
    let (begun, go_on) = stop.expect("the test prepares the stop");
    begun.send(()).expect("the test waits for it");
    go_on.recv().expect("the test lets it go on");
}

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) struct Waited;

/// Its handlers wait as long as the test likes.
#[entity(event_sourced, name = "sleeper")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sleeper {
    waited: u32,
}

#[entity]
impl Sleeper {
    #[command]
    fn wait_here(&self, ctx: &mut Context<Self>) -> u32 {
        wait(ctx.id());
        ctx.emit(Waited);
        self.waited + 1
    }

    #[query]
    fn waited(&self) -> u32 {
        self.waited
    }

    #[event_handler]
    fn apply(&mut self, _: &Waited) {
        self.waited += 1;
    }
}
