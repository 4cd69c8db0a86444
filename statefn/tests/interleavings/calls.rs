//! Run or queue, the gate, group commit.

use std::pin::Pin;
use std::task::{Context, Waker};

use crate::clock::Clock;
use crate::explore;
use crate::store::Slow;
use crate::world::World;

#[test]
fn no_call_of_many_callers_is_lost() {
    explore(|| {
        let world = World::new();
        let first = world.caller(1, |caller| {
            caller.count("a");
            caller.total("a");
        });
        let second = world.caller(2, |caller| {
            caller.refuse("a");
            caller.count("a");
        });
        let third = world.caller(3, |caller| {
            caller.count("b");
            caller.total("a");
        });
        world.judge([first, second, third]);
    });
}

#[test]
fn calls_that_one_caller_begins_together_keep_their_order() {
    explore(|| {
        let world = World::new();
        let first = world.caller(1, |caller| {
            let mut begun = Vec::new();
            for _ in 0..3 {
                let mut call = caller
                    .begin("a", |tally| tally.count())
                    .map(IntoFuture::into_future);
                // Accepted with its first poll; the answer is fetched below.
                let mut context = Context::from_waker(Waker::noop());
                let first = Pin::new(&mut call.call).poll(&mut context);
                begun.push((call, first));
            }
            for (call, first) in begun {
                let (call, attempt) = call.split();
                let answer = match first {
                    std::task::Poll::Ready(answer) => answer,
                    std::task::Poll::Pending => shuttle::future::block_on(call),
                };
                caller.end_count(attempt, answer);
            }
        });
        let second = world.caller(2, |caller| {
            caller.count("a");
            caller.count("a");
        });
        world.judge([first, second]);
    });
}

#[test]
fn what_a_visitor_hands_to_a_task_is_run() {
    explore(|| {
        let world = World::build(Slow::new(), Clock::restless(), |builder| builder);
        let callers = [1, 2, 3].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                caller.total("b");
            })
        });
        world.judge(callers);
    });
}

#[test]
fn a_caller_that_goes_away_holds_nobody_up() {
    explore(|| {
        let world = World::new();
        let leaving = world.caller(1, |caller| {
            let mut call = caller
                .begin("a", |tally| tally.count())
                .map(IntoFuture::into_future);
            let mut context = Context::from_waker(Waker::noop());
            match Pin::new(&mut call.call).poll(&mut context) {
                std::task::Poll::Ready(answer) => {
                    let (_, attempt) = call.split();
                    caller.end_count(attempt, answer);
                }
                std::task::Poll::Pending => caller.forget(call),
            }
            caller.total("a");
        });
        let staying = world.caller(2, |caller| {
            caller.count("a");
            caller.count("a");
        });
        world.judge([leaving, staying]);
    });
}
