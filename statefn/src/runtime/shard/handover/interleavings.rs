//! All interleavings, and all old values that a processor may read, of few threads at one
//! hand-over: loom tries each.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use super::Handover;

/// What has been served, and what the core would serve next.
#[derive(Default)]
struct Toy {
    served: Vec<u8>,
    waiting: Vec<u8>,
}

/// The way of a shard in small: run what you brought, or leave it, and see who came meanwhile.
#[derive(Clone)]
struct Place {
    handover: Arc<Handover<Toy, u8>>,
    /// Tasks that were asked for; whoever ends the model runs them.
    tasks: Arc<AtomicUsize>,
    /// How many turns one visitor takes before it asks for a task.
    turns: usize,
}

impl Place {
    fn new(turns: usize) -> Self {
        Self {
            handover: Arc::new(Handover::new(Toy::default())),
            tasks: Arc::default(),
            turns,
        }
    }

    /// Runs a command that needs no queue.
    fn call(&self, input: u8) {
        if self.handover.is_empty()
            && let Some(mut core) = self.handover.enter()
        {
            core.served.push(input);
            self.handover.let_go(core, false);
            return self.visit();
        }
        self.handover.leave(input);
        self.visit();
    }

    /// Runs a command that makes the core wait for another turn.
    fn call_in_two_turns(&self, input: u8) {
        if let Some(mut core) = self.handover.enter() {
            core.waiting.push(input);
            self.handover.let_go(core, true);
            return self.visit();
        }
        self.handover.leave(input);
        self.visit();
    }

    fn visit(&self) {
        let mut left = self.turns;
        while self.handover.has_work() {
            if left == 0 {
                self.tasks.fetch_add(1, Ordering::Relaxed);
                return;
            }
            left -= 1;
            let Some(mut core) = self.handover.enter() else {
                return;
            };
            let input = self.handover.next();
            core.served.extend(input);
            let ready = core.waiting.pop();
            core.served.extend(ready);
            let runnable = !core.waiting.is_empty();
            self.handover.let_go(core, runnable);
        }
    }

    /// Nothing waits unless a task was asked for, and with it nothing does.
    fn served(&self) -> Vec<u8> {
        if self.tasks.load(Ordering::Relaxed) == 0 {
            assert!(!self.handover.has_work(), "work that nobody looks after");
        }
        while self.tasks.swap(0, Ordering::Relaxed) > 0 {
            self.visit();
        }
        assert!(!self.handover.has_work(), "work that nobody looks after");
        let core = self.handover.enter().expect("nobody holds the lock");
        assert!(core.waiting.is_empty(), "a command that nobody runs");
        core.served.clone()
    }
}

/// Runs each closure in a thread of its own and gives what was served at the end.
fn serve<F: FnOnce(Place) + 'static>(
    place: &Place,
    threads: impl IntoIterator<Item = F>,
) -> Vec<u8> {
    let threads: Vec<_> = threads
        .into_iter()
        .map(|body| {
            let place = place.clone();
            thread::spawn(move || body(place))
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    place.served()
}

/// Tries every schedule with at most this many preemptions; all there are without a number.
fn explore(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let schedules = Arc::new(AtomicUsize::new(0));
    let tried = Arc::clone(&schedules);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        tried.fetch_add(1, Ordering::Relaxed);
        model();
    });
    eprintln!("{} schedules", schedules.load(Ordering::Relaxed));
}

fn sorted(mut served: Vec<u8>) -> Vec<u8> {
    served.sort_unstable();
    served
}

#[test]
fn a_command_that_finds_the_lock_taken_is_run_by_its_holder() {
    explore(None, || {
        let place = Place::new(usize::MAX);
        let served = serve(
            &place,
            [1, 2].map(|input| move |place: Place| place.call(input)),
        );
        assert_eq!(sorted(served), [1, 2]);
    });
}

#[test]
fn commands_of_one_caller_keep_their_order() {
    explore(Some(4), || {
        let place = Place::new(usize::MAX);
        let served = serve(
            &place,
            [[1, 2].as_slice(), &[8]].map(|inputs| {
                move |place: Place| inputs.iter().for_each(|input| place.call(*input))
            }),
        );
        let of_first: Vec<u8> = served.iter().copied().filter(|input| *input < 8).collect();
        assert_eq!(of_first, [1, 2]);
        assert_eq!(served.len(), 3);
    });
}

#[test]
fn what_a_holder_leaves_runnable_is_run() {
    explore(None, || {
        let place = Place::new(usize::MAX);
        let served = serve(
            &place,
            [1, 2].map(|input| move |place: Place| place.call_in_two_turns(input)),
        );
        assert_eq!(sorted(served), [1, 2]);
    });
}

#[test]
fn a_visitor_with_enough_hands_the_rest_to_a_task() {
    explore(Some(3), || {
        let place = Place::new(1);
        let served = serve(
            &place,
            [[1, 2].as_slice(), &[8]].map(|inputs| {
                move |place: Place| {
                    inputs
                        .iter()
                        .for_each(|input| place.call_in_two_turns(*input))
                }
            }),
        );
        assert_eq!(sorted(served), [1, 2, 8]);
    });
}
