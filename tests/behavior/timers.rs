//! P2, P4, P6 for timers: set with their command, fired once for each time they are due.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use statefn::prelude::*;
use statefn::schedule::{Missed, Schedule};
use statefn::store::{Memory, OutboxNumber, Store};
use statefn::{CallError, Timestamp};
use statefn_store::testing::{Call, CommitFault, Faulty};

use crate::kit::{World, millis, pending, settle};

#[derive(Clone, Debug, PartialEq, Event, Serialize, Deserialize)]
pub(crate) enum Rung {
    Rang { tag: i64 },
}

#[entity(event_sourced, name = "bell")]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Bell {
    rings: Vec<i64>,
}

#[entity]
impl Bell {
    #[command]
    fn ring(&self, ctx: &mut Context<Self>, tag: i64) {
        assert!(tag != -666, "a cursed bell");
        ctx.emit(Rung::Rang { tag });
    }

    #[command]
    fn once(&self, ctx: &mut Context<Self>, name: String, wait: Duration, tag: i64) {
        ctx.schedule(name, wait, ctx.me().ring(tag));
    }

    #[command]
    fn at(&self, ctx: &mut Context<Self>, millis: i64, tag: i64) {
        let time = Timestamp::from_millis(millis);
        ctx.schedule("at", time, ctx.me().ring(tag));
    }

    #[command]
    fn every(&self, ctx: &mut Context<Self>, interval: Duration, policy: u8, tag: i64) {
        let missed = match policy {
            0 => Missed::Once,
            1 => Missed::Each,
            _ => Missed::Skip,
        };
        let schedule = Schedule::every(interval).missed(missed);
        ctx.schedule("every", schedule, ctx.me().ring(tag));
    }

    #[command]
    fn many(&self, ctx: &mut Context<Self>, count: i64) {
        for tag in 0..count {
            ctx.schedule(format!("many {tag}"), Duration::ZERO, ctx.me().ring(tag));
        }
    }

    #[command]
    fn stop(&self, ctx: &mut Context<Self>, name: String) {
        ctx.cancel(name);
    }

    #[command]
    fn remove(&self, ctx: &mut Context<Self>) {
        ctx.delete();
    }

    #[query]
    fn rings(&self) -> Vec<i64> {
        self.rings.clone()
    }

    #[event_handler]
    fn apply(&mut self, event: &Rung) {
        let Rung::Rang { tag } = event;
        self.rings.push(*tag);
    }
}

const MINUTE: Duration = Duration::from_secs(60);

async fn bells() -> World {
    World::build(statefn::Builder::only::<(Bell,)>).await
}

async fn rings(world: &World, id: &str) -> Vec<i64> {
    world.runtime.settle().await;
    world.runtime.entity::<Bell>(id).rings().await.unwrap()
}

async fn timers(world: &World) -> usize {
    let end = Timestamp::from_millis(i64::MAX);
    world.store.timers(end, 10_000).await.unwrap().len()
}

#[statefn::test]
async fn a_timer_fires_once_when_its_time_has_come() {
    let world = bells().await;
    world
        .runtime
        .entity::<Bell>("b")
        .once("t", MINUTE, 1)
        .await
        .unwrap();
    assert_eq!(rings(&world, "b").await, [0; 0]);
    world.clock.advance(millis(59_999));
    assert_eq!(rings(&world, "b").await, [0; 0]);
    world.clock.advance(millis(1));
    assert_eq!(rings(&world, "b").await, [1]);
    world.clock.advance(10 * MINUTE);
    assert_eq!(rings(&world, "b").await, [1]);
    assert_eq!(timers(&world).await, 0);
}

#[statefn::test]
async fn a_name_is_one_timer_of_its_entity() {
    let world = bells().await;
    let (a, b) = (
        world.runtime.entity::<Bell>("a"),
        world.runtime.entity::<Bell>("b"),
    );
    a.once("t", MINUTE, 1).await.unwrap();
    a.once("t", 2 * MINUTE, 2).await.unwrap();
    a.once("u", MINUTE, 3).await.unwrap();
    b.once("t", MINUTE, 4).await.unwrap();
    b.stop("u").await.unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(rings(&world, "a").await, [3]);
    assert_eq!(rings(&world, "b").await, [4]);
    a.stop("t").await.unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(rings(&world, "a").await, [3]);
}

#[statefn::test]
async fn a_deletion_ends_the_timers_of_its_entity() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.ring(0).await.unwrap();
    bell.once("t", MINUTE, 1).await.unwrap();
    bell.remove().await.unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(rings(&world, "b").await, [0; 0]);
}

#[statefn::test]
async fn an_interval_fires_at_each_of_its_times_until_it_is_cancelled() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.every(MINUTE, 0, 7).await.unwrap();
    for count in 1..=5 {
        world.clock.advance(MINUTE);
        assert_eq!(rings(&world, "b").await, vec![7; count]);
    }
    bell.stop("every").await.unwrap();
    world.clock.advance(MINUTE);
    assert_eq!(rings(&world, "b").await, [7; 5]);
}

#[statefn::test]
async fn what_was_missed_while_no_program_ran_follows_the_policy() {
    for (policy, expected) in [(0, 1), (1, 10), (2, 0)] {
        let store = Faulty::new(Memory::new());
        let only = statefn::Builder::only::<(Bell,)>;
        let world = World::over(store.clone(), only).await;
        let bell = world.runtime.entity::<Bell>("b");
        bell.every(MINUTE, policy, 7).await.unwrap();
        drop((bell, world));
        settle().await;
        let later = statefn::testing::VirtualClock::new();
        later.advance(10 * MINUTE + millis(500));
        let builder = statefn::Runtime::builder()
            .store(store.clone())
            .env(later.clone());
        let runtime = only(builder).build().await.unwrap();
        let world = World {
            runtime,
            store,
            clock: later,
        };
        assert_eq!(rings(&world, "b").await.len(), expected, "policy {policy}");
        world.clock.advance(MINUTE);
        assert_eq!(rings(&world, "b").await.len(), expected + 1, "it goes on");
    }
}

#[statefn::test]
async fn the_past_the_year_9999_and_nothing_at_all_are_times_like_others() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.at(-1_000_000_000_000, 1).await.unwrap();
    assert_eq!(rings(&world, "b").await, [1]);
    bell.once("zero", Duration::ZERO, 2).await.unwrap();
    assert_eq!(rings(&world, "b").await, [1, 2]);
    bell.at(253_402_300_799_999, 3).await.unwrap();
    bell.once("never", Duration::MAX, 4).await.unwrap();
    world.clock.advance(365 * 24 * 60 * MINUTE);
    assert_eq!(rings(&world, "b").await, [1, 2]);
    assert_eq!(timers(&world).await, 2);
    let failed = bell.every(Duration::ZERO, 0, 5).await;
    assert!(
        matches!(failed, Err(CallError::Invalid { what: "timer", .. })),
        "{failed:?}"
    );
    let failed = bell.once("", MINUTE, 5).await;
    assert!(
        matches!(failed, Err(CallError::Invalid { .. })),
        "{failed:?}"
    );
}

#[statefn::test]
async fn p8_thousands_that_are_due_at_once_all_fire_once() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    for _ in 0..5 {
        bell.many(1_000).await.unwrap();
    }
    let mut rings = rings(&world, "b").await;
    rings.sort_unstable();
    rings.dedup();
    assert_eq!(rings, (0..1_000).collect::<Vec<i64>>());
    let failed = bell.many(1_001).await;
    assert!(
        matches!(failed, Err(CallError::TooLarge { .. })),
        "{failed:?}"
    );
    assert_eq!(timers(&world).await, 0);
}

#[statefn::test]
async fn p6_a_firing_takes_place_once_whatever_becomes_of_its_commit() {
    for fault in [
        CommitFault::Unavailable,
        CommitFault::UnknownApplied,
        CommitFault::UnknownNotApplied,
    ] {
        let world = bells().await;
        let bell = world.runtime.entity::<Bell>("b");
        bell.every(MINUTE, 0, 7).await.unwrap();
        world.store.next_commits([fault]);
        world.clock.advance(MINUTE);
        settle().await;
        world.pass(millis(5_000)).await;
        assert_eq!(rings(&world, "b").await, [7], "{fault:?}");
        world.clock.advance(MINUTE);
        assert_eq!(rings(&world, "b").await, [7, 7], "{fault:?}");
    }
}

#[statefn::test]
async fn p6_a_crash_while_a_firing_commits_fires_once() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.once("t", MINUTE, 7).await.unwrap();
    let hold = world.store.hold_answer(Call::Commit);
    world.clock.advance(MINUTE);
    settle().await;
    assert_eq!(hold.arrived(), 1);
    world.runtime.crash().await.unwrap();
    hold.release();
    assert_eq!(rings(&world, "b").await, [7]);
    assert_eq!(timers(&world).await, 0);
}

#[statefn::test]
async fn p6_a_firing_that_ends_while_timers_are_read_is_not_sent_again() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.once("t", MINUTE, 7).await.unwrap();
    let commits = world.store.hold(Call::Commit);
    world.clock.advance(MINUTE);
    settle().await;
    assert_eq!(commits.arrived(), 1);
    // Timers are read before the firing commits, and what was read comes after it.
    let looks = world.store.hold_answer(Call::Timers);
    world.clock.advance(MINUTE);
    settle().await;
    assert_eq!(looks.arrived(), 1);
    commits.release();
    settle().await;
    let before = world.store.count(Call::Commit);
    looks.release();
    settle().await;
    assert_eq!(world.store.count(Call::Commit), before);
    assert_eq!(rings(&world, "b").await, [7]);
}

#[statefn::test]
async fn p2_a_timer_of_a_command_that_never_commits_never_fires() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    let hold = world.store.hold(Call::Commit);
    let set = pending(bell.once("t", Duration::ZERO, 7));
    settle().await;
    world.store.next_commits([CommitFault::Unavailable]);
    hold.release();
    set.now().await.unwrap_err();
    world.clock.advance(MINUTE);
    assert_eq!(rings(&world, "b").await, [0; 0]);
}

#[statefn::test]
async fn a_firing_that_always_fails_becomes_one_dead_letter_and_the_timer_goes_on() {
    let world = bells().await;
    let bell = world.runtime.entity::<Bell>("b");
    bell.every(60 * MINUTE, 0, -666).await.unwrap();
    for _ in 0..2 {
        world.clock.advance(60 * MINUTE);
        for _ in 0..20 {
            world.pass(millis(500)).await;
            world.clock.advance(Duration::from_secs(61));
            settle().await;
        }
    }
    let letters = world
        .runtime
        .admin()
        .dead_letters(OutboxNumber::ZERO, 10)
        .await
        .unwrap();
    assert_eq!(letters.len(), 1, "the newest one");
    assert_eq!(letters[0].attempts, 12);
    assert_eq!(timers(&world).await, 1);
}
