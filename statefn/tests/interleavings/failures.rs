//! Commits that fail, handlers that panic, and another owner of the store, while calls arrive.

use crate::clock::Clock;
use crate::explore;
use crate::store::Slow;
use crate::world::World;
use statefn::store::Store;

#[test]
fn callers_around_a_failed_commit_are_told_the_truth() {
    explore(|| {
        let store = Slow::new().may_fail(2);
        let world = World::build(store, Clock::default(), |builder| builder);
        let callers = [1, 2].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                caller.refuse("a");
                caller.count("a");
            })
        });
        world.judge(callers);
    });
}

#[test]
fn callers_on_other_shards_of_a_failed_commit_are_told_the_truth() {
    explore(|| {
        let store = Slow::new().may_fail(2);
        let world = World::build(store, Clock::default(), |builder| builder.shards(2));
        let callers = [(1, "a"), (2, "b"), (3, "c")].map(|(number, id)| {
            world.caller(number, move |caller| {
                caller.count(id);
                caller.total(id);
                caller.count(id);
            })
        });
        world.judge(callers);
    });
}

#[test]
fn a_panic_lets_others_go_on() {
    explore(|| {
        let world = World::new();
        let first = world.caller(1, |caller| {
            caller.count("a");
            caller.panic("a");
            caller.count("a");
        });
        let second = world.caller(2, |caller| {
            caller.count("a");
            caller.total("a");
        });
        world.judge([first, second]);
    });
}

#[test]
fn another_owner_ends_every_call() {
    explore(|| {
        let world = World::new();
        let store = world.store.clone();
        let owner = shuttle::thread::spawn(move || {
            shuttle::future::block_on(store.claim()).expect("memory can be claimed");
        });
        let callers = [1, 2].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                caller.count("a");
                caller.total("a");
            })
        });
        world.judge(callers.into_iter().chain([owner]));
    });
}

#[test]
fn a_crash_under_calls_loses_nothing_acknowledged() {
    explore(|| {
        let world = World::build(Slow::new(), Clock::default(), |builder| builder.shards(2));
        let runtime = world.runtime.clone();
        let crash = shuttle::thread::spawn(move || {
            shuttle::future::block_on(runtime.crash()).expect("memory can be claimed");
        });
        let callers = [(1, "a"), (2, "b")].map(|(number, id)| {
            world.caller(number, move |caller| {
                caller.count(id);
                caller.count(id);
                caller.total(id);
            })
        });
        world.judge(callers.into_iter().chain([crash]));
    });
}
