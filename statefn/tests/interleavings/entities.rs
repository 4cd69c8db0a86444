//! Entities that leave memory while commands for them arrive.

use std::time::Duration;

use statefn::Limits;

use crate::clock::Clock;
use crate::explore;
use crate::store::Slow;
use crate::world::World;

/// As long as a tally may be idle, and as often as the caretaker looks.
const TICK: Duration = Duration::from_millis(250);

#[test]
fn a_command_for_an_entity_that_is_leaving_is_run() {
    explore(|| {
        let world = World::new();
        let time = world.time(TICK, 6);
        let callers = [1, 2].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                shuttle::thread::yield_now();
                caller.count("a");
                caller.total("a");
            })
        });
        world.judge(callers.into_iter().chain([time]));
    });
}

#[test]
fn entities_that_make_room_for_each_other_answer_all_the_same() {
    explore(|| {
        let limits = Limits {
            residents_max: 1,
            ..Limits::default()
        };
        let world = World::build(Slow::new(), Clock::default(), |builder| {
            builder.shards(2).limits(limits)
        });
        let callers = [(1, "a"), (2, "b"), (3, "c")].map(|(number, id)| {
            world.caller(number, move |caller| {
                caller.count(id);
                caller.total(id);
            })
        });
        world.judge(callers);
    });
}

#[test]
fn a_full_mailbox_and_window_refuse_and_recover() {
    explore(|| {
        let limits = Limits {
            mailbox_max: 1,
            speculation_max: 1,
            batch_max: 1,
            ..Limits::default()
        };
        let world = World::build(Slow::new(), Clock::default(), |builder| {
            builder.limits(limits)
        });
        let callers = [1, 2, 3].map(|number| {
            world.caller(number, |caller| {
                caller.count("a");
                caller.total("a");
            })
        });
        world.judge(callers);
    });
}
