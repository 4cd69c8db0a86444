//! Deadlines against answers, and a runtime that stops under its callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::explore;
use crate::world::World;

#[test]
fn a_deadline_that_meets_the_answer_tells_the_truth() {
    explore(|| {
        let world = World::new();
        let deadline = Duration::from_millis(2);
        let time = world.time(Duration::from_millis(1), 4);
        let hurried = world.caller(1, move |caller| {
            caller.count_within("a", deadline);
            caller.total("a");
        });
        let patient = world.caller(2, |caller| {
            caller.count("a");
            caller.count("a");
        });
        world.judge([time, hurried, patient]);
    });
}

#[test]
fn a_call_that_waits_too_long_is_answered_by_the_caretaker() {
    explore(|| {
        let world = World::new();
        let time = world.time(Duration::from_secs(11), 4);
        let callers = [1, 2].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                caller.count("a");
            })
        });
        world.judge(callers.into_iter().chain([time]));
    });
}

#[test]
fn a_shutdown_answers_every_caller() {
    explore(|| {
        let world = World::new();
        let runtime = world.runtime.clone();
        let stopped = Arc::new(AtomicBool::new(false));
        let time = world.time_until(Duration::from_millis(1), Arc::clone(&stopped));
        let stop = shuttle::thread::spawn(move || {
            let deadline = Duration::from_millis(20);
            shuttle::future::block_on(runtime.shutdown(deadline)).expect("memory can be closed");
            stopped.store(true, Ordering::Relaxed);
        });
        let callers = [(1, "a"), (2, "b")].map(|(number, id)| {
            world.caller(number, move |caller| {
                caller.count(id);
                caller.refuse(id);
                caller.count(id);
            })
        });
        world.judge(callers.into_iter().chain([time, stop]));
    });
}
