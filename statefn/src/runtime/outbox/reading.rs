//! Reading the outbox from the store: at a start, after a crash, after a failure.

use std::sync::{Arc, Weak};
use std::time::Duration;

use statefn_store::{Effect, OutboxNumber, Settled};

use super::{Outbox, Post};
use crate::runtime::engine::Engine;
use crate::runtime::shared::{Intake, Shared};
use crate::sync::Mutex;

/// Effects read at once.
const PAGE: usize = 1024;

/// How long to wait before a failed reading is tried again.
const WAIT: Duration = Duration::from_millis(250);

impl Outbox {
    /// Reads the store: there may be effects that memory does not know.
    pub(crate) fn read_again(&self) {
        let reading = {
            let mut state = self.lock();
            state.late.get_or_insert_default();
            state.has_more = false;
            state.readings += 1;
            state.readings
        };
        let Some(engine) = self.engine.get() else {
            return;
        };
        if let Some(strong) = engine.upgrade() {
            self.spawn(&strong, Box::pin(read(Weak::clone(engine), reading)));
        }
    }

    /// Whether this reading was overtaken by another one.
    fn is_overtaken(&self, reading: u64) -> bool {
        self.lock().readings != reading
    }

    /// What came meanwhile stays in the store, and no reply waits for it.
    fn abandon(&self, reading: u64) {
        let mut state = self.lock();
        if state.readings == reading {
            let late = state.late.take();
            drop(state);
            drop(late);
        }
    }

    fn read_to_end(&self, reading: u64, posts: Vec<Post>, has_more: bool) {
        let mut state = self.lock();
        if state.readings != reading {
            return;
        }
        let mut posts = posts;
        posts.extend(state.late.take().into_iter().flatten());
        // What came late may stand on a page as well: the one that somebody waits for counts.
        posts.sort_by_key(|post| (post.identity(), !post.is_awaited()));
        state.has_more = has_more;
        let (pairs, generation) = (state.enqueue(posts), state.generation);
        drop(state);
        self.send_couriers(pairs, generation);
        self.moved.notify_waiters();
        self.bell.notify_one();
    }
}

async fn read(engine: Weak<Engine>, reading: u64) {
    let mut posts: Vec<Post> = Vec::new();
    let mut after = OutboxNumber::ZERO;
    let mut serves = false;
    loop {
        let Some(shared) = engine.upgrade().map(|engine| Arc::clone(engine.shared())) else {
            return;
        };
        if shared.outbox.is_overtaken(reading) {
            return;
        }
        if shared.intake() != Intake::Open {
            return shared.outbox.abandon(reading);
        }
        if !serves {
            // A store that has just failed shows all that it has only once it commits again.
            match shared.store.tend(shared.epoch(), Vec::new()).await {
                Ok(_) => serves = true,
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read yet");
                    pause(shared).await;
                    continue;
                }
            }
        }
        let room = shared.limits.outbox_max.max(1).saturating_sub(posts.len());
        match shared.store.effects(after, PAGE.min(room)).await {
            Ok(page) if page.is_empty() => {
                let has_more = room == 0;
                return shared.outbox.read_to_end(reading, posts, has_more);
            }
            Ok(page) => {
                after = page.last().map_or(after, |effect| effect.number);
                posts.extend(page.into_iter().map(|effect| post(effect, &shared)));
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                pause(shared).await;
            }
        }
    }
}

/// Waits, and holds nothing meanwhile: a runtime that is dropped lets its store go.
async fn pause(shared: Arc<Shared>) {
    let sleep = shared.env.sleep(WAIT);
    drop(shared);
    sleep.await;
}

fn post(effect: Effect, shared: &Shared) -> Post {
    let Effect {
        number,
        sender,
        call,
        ..
    } = effect;
    let seat = shared.budget.take_seat(1, call.bytes());
    Post {
        sender,
        call,
        settles: Settled::Effect(number),
        awaited: Mutex::new(None),
        _seat: Some(seat),
    }
}
