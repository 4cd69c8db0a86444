//! P8: more load than can be served, and entities that come and go, leave memory, descriptors and the
//! log bounded, and every promise kept.
//!
//! How fast that goes is judged elsewhere: see CONTRIBUTING.md, "Long tests".

#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use statefn_tests::load::{alarms, overload, soak, stuck};

/// Threads and descriptors are the whole process's, so that only one test may run.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn p8_a_stuck_disk_becomes_overloaded_not_memory() {
    let _alone = alone();
    let verdict = stuck::run().unwrap();
    println!("{verdict}");
    assert_eq!(verdict.failed(false), Vec::<String>::new());
}

#[test]
fn p8_ten_times_the_load_is_answered_and_acknowledged_commands_are_there() {
    let _alone = alone();
    let overloaded = overload::run(&overload::Plan {
        duration: Duration::from_secs(1),
        factors: vec![2.0, 10.0],
        callers: vec![64],
        delay: Some(Duration::from_millis(10)),
        entities: 300,
        folder: None,
    });
    let overloaded = overloaded.unwrap();
    println!("{overloaded}");
    assert_eq!(overloaded.verdict.failed(false), Vec::<String>::new());
}

#[test]
fn p8_timers_that_are_due_at_once_take_no_memory_and_fire_once() {
    let _alone = alone();
    let rung = alarms::run(&alarms::Plan {
        timers: 10_000,
        entities: 100,
        folder: None,
    });
    let rung = rung.unwrap();
    println!("{rung}");
    assert_eq!(rung.verdict.failed(false), Vec::<String>::new());
}

#[test]
fn p8_entities_that_come_and_go_leave_nothing_behind() {
    let _alone = alone();
    let soaked = soak::run(&soak::Plan {
        keys: 4_000,
        residents: 300,
        steps: 9_000,
        duration: Duration::from_secs(60),
        callers: 32,
        look_every: Duration::from_millis(200),
        folder: None,
    });
    let soaked = soaked.unwrap();
    println!("{soaked}");
    assert_eq!(soaked.verdict.failed(false), Vec::<String>::new());
}
